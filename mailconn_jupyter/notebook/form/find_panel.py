"""Finding a server's settings in the form: from a mail address, in a thread, as a proposal."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

import ipywidgets as widgets

from ...connection import MailConnection
from ...discovery.discover import discover
from ...discovery.probe import Probe
from ...discovery.proposal import Settings
from ...errors import MailConnError
from ...worker import Worker
from . import style
from .widgets import bar, box, button, live, show

__all__ = ["Finder"]

_DEADLINE: Final = 15.0

_HELP: Final = "Proposes server, port and security, and changes nothing that you typed. Sends no password."


class Finder:
    """An address, the buttons Find settings and Cancel, and a line that says how far it is.

    ``via`` gives the connection whose protocol and proxy count; ``on_found`` gets the proposal, from a thread, and
    returns a sentence about what it did with it.
    """

    def __init__(self, via: Callable[[], MailConnection], on_found: Callable[[Settings], str]) -> None:
        self._via = via
        self._on_found = on_found
        self._worker = Worker("mailconn-find")
        self._tried = 0
        self.address = widgets.Text(
            description="E-mail address", placeholder="ana@example.org", style={"description_width": "200px"}
        )
        self.address.observe(lambda _: self._buttons(), "value")
        self.note = live(style.help_text(_HELP), "mailconn-note")
        self.find = button("Find settings", "Look for the server of this address", self.start)
        self.cancel = button("Cancel", "Stop the search", self.stop)
        line = box(widgets.HBox, "mailconn-finder", self.address, bar(self.find, self.cancel))
        self.panel = box(widgets.VBox, "mailconn-row", line, self.note)
        self._buttons()

    @property
    def running(self) -> bool:
        """Whether a search is under way."""
        return self._worker.running

    def _buttons(self) -> None:
        self.find.disabled = self.running or "@" not in self.address.value.strip(" @")
        self.address.disabled = self.running
        show(self.cancel, self.running)

    def start(self) -> None:
        """Begin to search; returns at once."""
        address, via = self.address.value, self._via()
        with self._worker.lock:
            if self.running:
                return
            self._tried = 0
            self._say("note", "Looking for the settings …")
            self._worker.start(lambda cancel: self._run(address, via, cancel))
            self._buttons()

    def _run(self, address: str, via: MailConnection, cancel: threading.Event) -> None:
        try:
            settings = discover(
                address, protocol=via.protocol, deadline=_DEADLINE, cancel=cancel, listener=self._heard, via=via
            )
            end = self._ending(settings, cancel)
        except MailConnError as error:
            end = [("bad", error.in_one_line)]
        except Exception as error:  # noqa: BLE001  # an error of a thread is nobody's: say it where it is looked for
            end = [("bad", f"The search failed: {type(error).__name__}.")]
        with self._worker.ending():
            self.note.value = style.status(*end)
            self._buttons()

    def _ending(self, settings: Settings, cancel: threading.Event) -> list[tuple[str, str]]:
        if cancel.is_set():
            return [("note", "The search was cancelled.")]
        if not settings:
            return [("warn", text) for text in (settings.question, settings.note) if text]
        kept = self._on_found(settings)
        return [
            ("good", f"{settings.summary}."),
            *(("note", text) for text in (settings.question, kept, settings.note) if text),
        ]

    def _heard(self, probe: Probe) -> None:
        self._tried += 1
        outcome = "works" if probe.ok else "no"
        self._say("note", f"Looking for the settings … {probe.host}:{probe.port}: {outcome} ({self._tried} tried)")

    def _say(self, kind: str, text: str) -> None:
        self.note.value = style.message(kind, text)

    def stop(self) -> None:
        """Call the search off."""
        self._worker.stop()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the search that runs, if one does; whether it has ended."""
        return self._worker.wait(seconds)
