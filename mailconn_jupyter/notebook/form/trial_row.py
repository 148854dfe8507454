"""The row under a test that has passed: an address, and a mail to it through the connection as it was tested."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import ipywidgets as widgets

from ...connection import MailConnection
from ...credentials import Kind, Secret
from ...credentials.override import lent_secrets
from ...errors import MailConnError
from ...worker import Worker
from . import style
from .widgets import bar, box, button, live, show

__all__ = ["TrialRow"]


class TrialRow:
    """It is there while something is offered; the mail is sent from a thread, so the kernel stays free."""

    def __init__(self) -> None:
        self._worker = Worker("mailconn-trial")
        self._tested: tuple[MailConnection, Mapping[Kind, Secret]] | None = None
        self.address = widgets.Text(
            description="Send a test mail to", placeholder="ana@example.org", style={"description_width": "200px"}
        )
        self.address.observe(lambda _: self._buttons(), "value")
        self.send = button("Send", "Send a message through this connection", self.start)
        self.note = live("", "mailconn-note")
        line = box(widgets.HBox, "mailconn-finder", self.address, bar(self.send))
        self.row = box(widgets.VBox, "mailconn-row", line, self.note)
        self.offer(None, {})

    def offer(self, connection: MailConnection | None, secrets: Mapping[Kind, Secret]) -> None:
        """Be there for a connection that has passed its test with these secrets, or with None go away."""
        self._tested = None if connection is None or not connection.sends else (connection, dict(secrets))
        self.note.value = ""
        show(self.row, self._tested is not None)
        self._buttons()

    def _buttons(self) -> None:
        self.send.disabled = self._worker.running or "@" not in self.address.value.strip(" @")

    def start(self) -> None:
        """Begin to send; returns at once."""
        tested, address = self._tested, self.address.value
        if tested is None:
            return
        self.note.value = style.message("note", "Sending …")
        self._worker.start(lambda cancel: self._run(*tested, address, cancel))
        self._buttons()

    def _run(
        self, connection: MailConnection, secrets: Mapping[Kind, Secret], address: str, _: threading.Event
    ) -> None:
        from ...delivery.trial import send_trial  # noqa: PLC0415  # most forms send nothing

        try:
            with lent_secrets(connection, secrets):
                end = ("good", f"{send_trial(connection, address, ask=False).summary}.")
        except MailConnError as error:
            end = ("bad", error.in_one_line)
        except Exception as error:  # noqa: BLE001  # an error of a thread is nobody's: say it where it is looked for
            end = ("bad", f"It was not sent: {type(error).__name__}.")
        with self._worker.ending():
            if self._tested is not None:
                self.note.value = style.message(*end)
            self._buttons()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the mail that is being sent, if one is; whether it has ended."""
        return self._worker.wait(seconds)
