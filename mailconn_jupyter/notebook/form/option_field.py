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

    The line beneath holds the help, and the error in its place when there is one, so nothing jumps.
    """

    def __init__(self, name: str, option: AnyOption, on_change: Callable[[str, Any], None]) -> None:
        self.name = name
        self.option = option
        #: Whether somebody has typed here: what is missing is no error before that.
        self.touched = False
        self._on_change = on_change
        self._filling = False
        self.control = _control(option)
        self.note = widgets.HTML(style.help_text(option.help))
        self.note.add_class("mailconn-note")
        self.row = widgets.VBox([self.control, self.note])
        self.row.add_class("mailconn-row")
        if isinstance(option, Switch):
            self.row.add_class("mailconn-switch")
        self.control.observe(self._changed, "value")

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

    def show(self, connection: MailConnection, error: OptionError | None, *, locked: bool = False) -> None:
        """Appear or not, with the default that would be used, and the error if there is one to be seen."""
        self.row.layout.display = None if connection.applies(self.name) else "none"
        self.control.description = self.option.label_for(connection.protocol)
        self.control.disabled = locked
        if self.option.needed and not getattr(self.control, "placeholder", ""):
            self.row.add_class("mailconn-needed")
        else:
            self.row.remove_class("mailconn-needed")
        if hasattr(self.control, "placeholder"):
            self.control.placeholder = _placeholder(self.name, self.option, connection)
        note = style.problem_text(error, label=self.option.label) if error else style.help_text(self.option.help)
        self.note.value = note
        if error:
            self.row.add_class("mailconn-wrong")
        else:
            self.row.remove_class("mailconn-wrong")


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
    if name == "proxy_port":
        return _text(connection.proxy_port_used)
    return _text(option.default_value or "")


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
