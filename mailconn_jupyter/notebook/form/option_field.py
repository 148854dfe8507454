"""One field an option: the widget that its kind of value asks for, with its help or its error beneath."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from ...connection import MailConnection
from ...connection.option_kinds import AnyOption, Choice, Seconds, Switch
from ...errors import OptionError
from . import style

__all__ = ["OptionField"]

# As wide as the longest label; the style sheet has the last word on narrow outputs.
_LABEL = "200px"


class OptionField:
    """The field of one option; ``on_change`` hears each value as it is typed.

    The line beneath holds the help, and the error in its place when there is one, so nothing jumps. The widgets are made
    when the field is first seen: most options do not matter for most connections.
    """

    control: widgets.ValueWidget
    note: widgets.HTML

    def __init__(self, name: str, option: AnyOption, on_change: Callable[[str, Any], None]) -> None:
        self.name = name
        self.option = option
        #: Whether somebody has typed here: what is missing is no error before that.
        self.touched = False
        self._on_change = on_change
        self._filling = False
        self._connection: MailConnection | None = None
        self.row = widgets.VBox()
        self.row.add_class("mailconn-row")
        if isinstance(option, Switch):
            self.row.add_class("mailconn-switch")

    def __getattr__(self, name: str) -> Any:
        if name not in {"control", "note"}:
            raise AttributeError(name)
        self._make()
        return vars(self)[name]

    def _make(self) -> None:
        self.control, self.note = _control(self.option), widgets.HTML(style.help_text(self.option.help))
        self.note.add_class("mailconn-note")
        self.row.children = (self.control, self.note)
        if self._connection is not None:
            self.fill(self._connection)
            self._hint(self._connection)
        self.control.observe(self._changed, "value")

    @property
    def _made(self) -> bool:
        return "control" in vars(self)

    def _changed(self, change: dict[str, Any]) -> None:
        if not self._filling:
            self.touched = True
            self._on_change(self.name, self.value)

    @property
    def value(self) -> Any:
        """What was typed, as the option takes it; an empty field of a number means its default."""
        if isinstance(self.option, Seconds) and not self.control.value.strip():
            return self.option.default_value
        return self.control.value

    def fill(self, connection: MailConnection) -> None:
        """Show the connection's value."""
        self._connection = connection
        if not self._made:
            return
        value = getattr(connection, self.name)
        if not isinstance(self.option, Switch | Choice):
            value = "" if value is None or self._is_default(value) else _text(value)
        self._filling = True
        try:
            self.control.value = value
        finally:
            self._filling = False

    def _is_default(self, value: object) -> bool:
        return isinstance(self.option, Seconds) and value == self.option.default_value

    def show(
        self, connection: MailConnection, error: OptionError | None, *, folded: bool = False, locked: bool = False
    ) -> None:
        """Appear or not, with the default that would be used, and the error if there is one to be seen.

        ``folded``: it stands in a part of the form that is not seen. ``locked``: nobody may change it.
        """
        self._connection, shown = connection, connection.applies(self.name)
        self.row.layout.display = None if shown else "none"
        if not self._made and (folded or not shown):
            return
        self._hint(connection)
        self.control.disabled = locked
        note = style.problem_text(error, label=self.option.label) if error else style.help_text(self.option.help)
        self.note.value = note
        if error:
            self.row.add_class("mailconn-wrong")
        else:
            self.row.remove_class("mailconn-wrong")

    def _hint(self, connection: MailConnection) -> None:
        """What the protocol calls it, the default that an empty field means, and whether there is none."""
        self.control.description = self.option.label_for(connection.protocol)
        if hasattr(self.control, "placeholder"):
            self.control.placeholder = _placeholder(self.name, self.option, connection)
        if self.option.needed and not self.control.placeholder:
            self.row.add_class("mailconn-needed")
        else:
            self.row.remove_class("mailconn-needed")


def _control(option: AnyOption) -> widgets.ValueWidget:
    # Not "initial" for the width: labels of different lengths would leave ragged fields.
    common = {"description": option.label, "tooltip": option.help, "style": {"description_width": _LABEL}}
    if isinstance(option, Switch):
        return widgets.Checkbox(value=option.default_value, **{**common, "style": {}, "indent": False})
    if isinstance(option, Choice):
        return widgets.Dropdown(options=option.words, value=option.default_value, **common)
    return widgets.Text(continuous_update=True, **common)


def _placeholder(name: str, option: AnyOption, connection: MailConnection) -> str:
    if name == "server_port":
        return _text(connection.usual_port or "")
    if name == "server_host":
        return connection.usual_host
    if name == "proxy_port":
        return _text(connection.proxy_port_used)
    return _text(option.default_value or "")


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
