"""The password of a connection in the form: a field to type one into, and a line that says where one is kept.

The kernel never fills the field: of a secret that is kept, only its place is shown.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Container
from typing import Final

import ipywidgets as widgets

from ... import credentials
from ...connection import MailConnection
from ...credentials import Kind, Secret
from ...credentials.naming import command, word
from . import style
from .password_field import PasswordField
from .widgets import box, button, show

__all__ = ["SecretField", "SecretRows"]

#: The options after which a secret's row stands.
_AFTER: Final = {
    "username": Kind.PASSWORD,
    "proxy_username": Kind.PROXY,
    "oauth_client_id": Kind.CLIENT,
    "smime_key": Kind.SMIME,
}

# A name is typed letter by letter, and a keyring need not be asked about each beginning.
_PAUSE: Final = 0.25


class SecretField:
    """One row: the field, where the secret is kept, and a button that drops what was typed.

    ``on_change`` hears a :class:`~mailconn_jupyter.credentials.Secret` that was typed, and None when it is to be
    dropped.
    """

    def __init__(self, kind: Kind, on_change: Callable[[Kind, Secret | None], None]) -> None:
        self._kind = kind
        self._on_change = on_change
        self._lock = threading.Lock()
        self._asked: tuple[str, bool] | None = None
        self._timer: threading.Timer | None = None
        self._closed = False
        label = word(kind).capitalize()
        self.field = PasswordField(label, self._take)
        self.instead = widgets.HTML()
        self.instead.add_class("mailconn-instead")
        self.status = widgets.HTML()
        self.drop = button("Discard", f"Forget the {label.lower()} that was just typed", self._discard)
        self.drop.add_class("mailconn-small")
        note = box(widgets.HBox, "mailconn-note", self.status, self.drop)
        note.add_class("mailconn-live")
        self.row = box(widgets.VBox, "mailconn-row", self.field, self.instead, note)

    def _take(self, secret: Secret) -> None:
        try:
            self._on_change(self._kind, secret)
        except Exception as error:  # noqa: BLE001  # its traceback would show the message that the text came in
            self.status.value = style.message("bad", f"Not accepted ({type(error).__name__}).")

    def _discard(self) -> None:
        self._on_change(self._kind, None)

    def show(self, name: str, *, typed: bool, visible: bool = True) -> None:
        """Say where the secret of ``name`` is kept, or that one was ``typed`` and waits to be saved."""
        show(self.row, visible)
        show(self.drop, typed)
        if self._asked != (name, typed):
            self.look_again(name, typed=typed)

    def look_again(self, name: str, *, typed: bool = False, pause: float = _PAUSE) -> None:
        """Find out anew where it is kept, in a thread: a keyring may take its time."""
        with self._lock:
            if self._closed:
                return
            self._asked = (name, typed)
            self._stop()
            self._offer(name)
            if typed:
                self._say("Typed, not kept yet: Save keeps it.", "Type to replace what was typed")
            elif not name:
                self._say("None yet.")
            else:
                self._timer = threading.Timer(pause, self._look, (name,))
                self._timer.daemon = True
                self._timer.start()

    def _look(self, name: str) -> None:
        place = credentials.where(name, kind=self._kind)
        with self._lock:
            if self._asked != (name, False):
                return
            if place:
                self._say(f"Kept {place}.", "Type to replace it")
            else:
                self._say("None yet.")

    def _say(self, text: str, placeholder: str = "") -> None:
        self.status.value = style.message("note", text)
        # The field may show another text of its own meanwhile: only a change reaches it.
        self.field.placeholder = ""
        self.field.placeholder = placeholder

    def _offer(self, name: str) -> None:
        """What to do where the field does not appear; the style sheet hides it where it does."""
        line = command(name, self._kind)
        self.instead.value = style.instead("No field here? Save the connection, then run in a cell:", line)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def close(self) -> None:
        """Leave no thread behind."""
        with self._lock:
            self._closed, self._asked = True, None
            self._stop()


class SecretRows(dict[Kind, SecretField]):
    """The rows of a connection's secrets, each made when it is first needed; ``slots`` has their places, by option."""

    def __init__(self, on_change: Callable[[Kind, Secret | None], None]) -> None:
        super().__init__()
        self._on_change = on_change
        self.slots = {name: widgets.VBox() for name in _AFTER}

    def __missing__(self, kind: Kind) -> SecretField:
        made = self[kind] = SecretField(kind, self._on_change)
        show(made.row, False)
        next(self.slots[name] for name in _AFTER if _AFTER[name] is kind).children = (made.row,)
        return made

    def show(self, connection: MailConnection, name: str, typed: Container[Kind]) -> None:
        """Show those that the connection, called ``name``, has; ``typed``: those that wait to be saved."""
        for option, kind in _AFTER.items():
            visible = connection.applies(option) and _takes(connection, kind)
            if visible or kind in self:
                self[kind].show(name, typed=kind in typed, visible=visible)


def _takes(connection: MailConnection, kind: Kind) -> bool:
    """Whether there is such a secret at all: SOCKS4 has no password, and who signs in has none for the server."""
    if kind is Kind.PROXY:
        return bool(connection.proxy_type != "SOCKS4")
    if kind is Kind.SMIME:
        return bool(connection.smime_certificate)
    return bool(connection.signs_in) is (kind is Kind.CLIENT)
