"""A question in the form, asked once and answered with a button: no dialog, which not every front end has."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as widgets

from ...errors import MailConnError
from . import style
from .widgets import bar, box, button, live, show

__all__ = ["Question"]


class Question:
    """A panel that is there only while something is asked; ``focus`` moves the keyboard there."""

    def __init__(self, focus: Callable[[str], None] = lambda _: None) -> None:
        self._focus = focus
        self._act: Callable[[str], None] = lambda _: None
        self.text = live("", "mailconn-clash")
        self.entry = widgets.Text(continuous_update=True, style={"description_width": "200px"})
        self.note = widgets.HTML()
        self.note.add_class("mailconn-note")
        self.row = box(widgets.VBox, "mailconn-row", self.entry, self.note)
        self.yes = button("", "", self._answered)
        self.no = button("", "Change nothing", self.drop)
        self.panel = box(widgets.VBox, "mailconn-conflict", self.text, self.row, bar(self.yes, self.no))
        self.panel.add_class("mailconn-question")
        self.drop()

    def ask(self, text: str, yes: str, act: Callable[[], None], *, keep: str = "Cancel") -> None:
        """Ask whether to ``act``, which loses something."""
        self._open(text, yes, lambda _: act(), keep)
        self.yes.button_style = "danger"
        show(self.row, False)
        self._focus(".mailconn-question .mailconn-bar button:last-child")

    def ask_for(self, text: str, label: str, value: str, yes: str, act: Callable[[str], None]) -> None:
        """Ask for a line of text to ``act`` with."""
        self._open(text, yes, act, "Cancel", "note")
        self.entry.description = label
        self.entry.value = value
        self.note.value = ""
        show(self.row)
        self._focus(".mailconn-question input")

    def _open(self, text: str, yes: str, act: Callable[[str], None], keep: str, kind: str = "warn") -> None:
        self._act = act
        self.yes.button_style = ""
        self.row.remove_class("mailconn-wrong")
        self.text.value = style.message(kind, text)
        self.yes.description, self.no.description = yes, keep
        show(self.panel)

    def _answered(self) -> None:
        self._act(str(self.entry.value))

    def refuse(self, error: MailConnError) -> None:
        """Keep asking: what was answered cannot be done."""
        self.row.add_class("mailconn-wrong")
        self.note.value = style.problem_text(error, label="Connection name")

    def drop(self) -> None:
        """Ask nothing any more."""
        show(self.panel, False)
        self.text.value = ""
