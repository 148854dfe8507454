"""A part of the page of one connection: a heading, and fields that fold away behind a line that says what is set."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import ipywidgets as widgets

from ...connection import MailConnection
from ...connection.option_kinds import AnyOption, Switch
from ...formatting import cut
from . import style
from .widgets import bar, box, button, show

__all__ = ["Section"]

_LONGEST: Final = 32


class Section(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """The fields of the options of one section. With ``on_fold``, which hears of it, they fold away behind the heading.

    They come out by themselves when something in them is wrong.
    """

    def __init__(
        self,
        title: str,
        options: Mapping[str, AnyOption],
        rows: Iterable[widgets.Widget],
        on_fold: Callable[[], None] | None = None,
    ) -> None:
        self._options = options
        self._on_fold = on_fold
        self.body = box(widgets.VBox, "mailconn-fields", *rows)
        if on_fold is not None:
            self.line = widgets.HTML()
            self.toggle = button(title, f"Show or hide: {title}", self._toggled)
            head = bar(self.toggle, self.line)
            head.add_class("mailconn-fold")
        else:
            self.line = self.toggle = None
            head = widgets.HTML(style.heading(title, level=4))
        super().__init__([head, self.body])
        self.expand(on_fold is None)

    def _toggled(self) -> None:
        self.expand(not self.is_open)
        if self._on_fold is not None:
            self._on_fold()

    def expand(self, opened: bool = True) -> None:
        """Show the fields, or the line in their place."""
        self.is_open = opened
        show(self.body, opened)
        if self.line is not None:
            show(self.line, not opened)
        if opened:
            self.add_class("mailconn-open")
        else:
            self.remove_class("mailconn-open")

    def refresh(self, connection: MailConnection, *, wrong: bool) -> None:
        """Be there where the connection has such options, and say what they are; open where something is ``wrong``."""
        show(self, any(map(connection.applies, self._options)))
        if wrong and not self.is_open:
            self.expand()
        if self.line is not None:
            self.line.value = style.help_text(", ".join(self._said(connection)) or "as usual")

    def _said(self, connection: MailConnection) -> Iterable[str]:
        first = {"use_secure_authentication", "secure_authentication_type"} & self._options.keys()
        if first:
            yield connection.security or "no TLS"
        for name, option in self._options.items():
            value = getattr(connection, name)
            if not connection.applies(name) or value == option.default_value or name in first:
                continue
            label = option.label.removesuffix("?")
            if isinstance(option, Switch):
                yield label if value else f"{label}: off"
            else:
                yield f"{label}: {cut(str(value), _LONGEST)}"
