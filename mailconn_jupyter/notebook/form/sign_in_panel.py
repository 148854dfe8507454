"""Signing in in the form: by a code or by a link, in a thread, so that the kernel stays free for other cells."""

from __future__ import annotations

import threading
from collections.abc import Callable

import ipywidgets as widgets

from ...connection import MailConnection
from ...credentials import Secret
from ...errors import MailConnError
from ...session import sign_in
from ...worker import Worker
from . import style
from .password_field import PasswordField
from .prompt_box import PromptBox
from .widgets import bar, box, button, live, show

__all__ = ["SignInPanel"]


class SignInPanel:
    """The buttons, what a person must see, the field for the address that they paste, and a line that says how far it is.

    ``stored`` gives the connection as it is kept, None while there is something to save; ``on_change`` hears, from a
    thread, that somebody has signed in or out.
    """

    def __init__(self, stored: Callable[[], MailConnection | None], on_change: Callable[[], None]) -> None:
        self._stored = stored
        self._on_change = on_change
        self._worker = Worker("mailconn-signin")
        self._pasted: Secret | None = None
        self._here = threading.Event()
        # How the last one ended, and the state that it left: said until there is another state.
        self._ended: tuple[tuple[str, str], tuple[str, str]] | None = None
        self.device = button("Sign in", "By a code, or by what the issuer offers", lambda: self.start(""))
        self.link = button("Sign in by a link", "Where the company does not allow codes", lambda: self.start("link"))
        self.out = button("Sign out", "Revoke the sign-in, and forget it", self.sign_out)
        self.cancel = button("Cancel", "Stop waiting", self.stop)
        self.prompt = PromptBox()
        self.address = PasswordField("Address of the last page", self._take)
        self.entry = box(widgets.VBox, "mailconn-row", self.address)
        self.note = live("", "mailconn-note")
        buttons = bar(self.device, self.link, self.out, self.cancel)
        self.panel = box(widgets.VBox, "mailconn-signin", buttons, self.prompt, self.entry, self.note)
        show(self.entry, False)
        self._buttons()

    @property
    def running(self) -> bool:
        """Whether a sign-in is under way."""
        return self._worker.running

    def refresh(self, connection: MailConnection) -> None:
        """Bring it in line with the connection as it is edited."""
        show(self.panel, connection.signs_in and not connection.needs_nobody)
        with self._worker.lock:
            self._buttons()
            if not self.running:
                state = self._state()
                self._say(*(self._ended[0] if self._ended and self._ended[1] == state else state))

    def _state(self) -> tuple[str, str]:
        stored = self._stored()
        if stored is None:
            return "note", "Save the connection first, then sign in."
        if not stored.signs_in:
            return "note", ""
        from ...session.sign_in_state import about, in_words  # noqa: PLC0415  # few sign in

        words = ", ".join(filter(None, in_words(about(stored))))
        return ("good", f"Signed in {words}.") if words.startswith("since") else ("note", "Nobody is signed in yet.")

    def _buttons(self) -> None:
        stored = self._stored()
        for one in (self.device, self.link, self.out):
            one.disabled = self.running or stored is None or not stored.signs_in
        show(self.cancel, self.running)
        self.cancel.disabled = self._worker.cancel.is_set()

    def _say(self, kind: str, text: str) -> None:
        self.note.value = style.message(kind, text) if text else ""

    # What a person does

    def start(self, flow: str) -> None:
        """Begin to sign in; returns at once."""
        self._begin("Asking the issuer …", lambda stored, cancel: self._sign_in(stored, flow, cancel))

    def sign_out(self) -> None:
        """Sign out; returns at once."""
        self._begin("Signing out …", self._signed_out)

    def _begin(self, text: str, act: Callable[[MailConnection, threading.Event], tuple[str, str]]) -> None:
        with self._worker.lock:
            stored = self._stored()
            if self.running or stored is None:
                return
            self._here, self._pasted, self._ended = threading.Event(), None, None
            self._say("note", text)
            self._worker.start(lambda cancel: self._run(act, stored, cancel))
            self._buttons()

    def _take(self, secret: Secret) -> None:
        self._pasted = secret
        self._here.set()

    def stop(self) -> None:
        """Call it off; it ends within a moment."""
        with self._worker.lock:
            self._worker.stop()
            self._here.set()
            self._buttons()

    # In the thread

    def _run(
        self,
        act: Callable[[MailConnection, threading.Event], tuple[str, str]],
        stored: MailConnection,
        cancel: threading.Event,
    ) -> None:
        try:
            end = act(stored, cancel)
        except MailConnError as error:
            cancelled = cancel.is_set() or getattr(error, "cause", "") == "cancelled"
            words = "The sign-in was cancelled." if cancelled else error.in_one_line
            end = ("note" if cancelled else "bad", words)
        except Exception as error:  # noqa: BLE001  # an error of a thread is nobody's: say it where it is looked for
            end = ("bad", f"The sign-in failed: {type(error).__name__}.")
        with self._worker.ending():
            self.prompt.put(None)
            show(self.entry, False)
            self._buttons()
        self._ended = end, self._state()
        self._on_change()
        self._say(*end)

    def _sign_in(self, stored: MailConnection, flow: str, cancel: threading.Event) -> tuple[str, str]:
        begun = sign_in.begin(stored, flow=flow, cancel=cancel, asks=True)
        self.prompt.put(begun.prompt)
        if begun.prompt.code:
            self._say("note", f"Waiting for your approval, for {begun.prompt.time} at most …")
        else:
            show(self.entry)
            self._say("note", "Waiting for the address of the last page …")
            self._here.wait()
        pasted, self._pasted = self._pasted, None
        done = begun.finish(pasted, cancel=cancel)
        if done.report is not None and done.report.failed is not None:
            failed = done.report.failed
            return "bad", f"Signed in, but the test failed. {failed.message} {failed.hint}".strip()
        return "good", str(done)

    def _signed_out(self, stored: MailConnection, cancel: threading.Event) -> tuple[str, str]:
        left = sign_in.sign_out(stored, cancel=cancel)
        return ("warn", " ".join(left)) if left else ("good", "Signed out.")

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for what runs, if something does; whether it has ended."""
        return self._worker.wait(seconds)
