"""The password of a connection in the form: where it is kept, and a field to type another one into.

What is typed must not become widget state, which notebooks save: the field exists only while somebody types, its value
is sent once and never echoed, and Python empties and closes it before anything else happens. Python never fills it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final

import ipywidgets as widgets
from traitlets import Unicode

from .. import credentials
from ..credentials import Kind, Secret
from . import looks

__all__ = ["PasswordEntry", "SecretField"]

# A name is typed letter by letter, and a keyring need not be asked about each beginning.
_PAUSE: Final = 0.25


class _Typed(widgets.Password):  # type: ignore[misc]  # ipywidgets has no types
    """A password field whose value the kernel does not send back to the front end."""

    value = Unicode("").tag(sync=True, echo_update=False)


class PasswordEntry:
    """Where a secret is typed: :meth:`open` shows a field, ``on_secret`` gets what was typed, once.

    The rest of the form knows only this, so another kind of field can take its place.
    """

    def __init__(self, label: str, on_secret: Callable[[Secret], None]) -> None:
        self._label = label
        self._on_secret = on_secret
        self.field: Any = None
        self.box = widgets.VBox()
        self.box.add_class("mailconn-row")

    def open(self) -> None:
        """Show an empty field."""
        self.close()
        self.field = _Typed(
            description=self._label,
            placeholder="Type it, then Enter",
            continuous_update=False,
            style={"description_width": "200px"},
        )
        self.field.observe(self._typed, "value")
        self.box.children = (self.field,)
        self.field.focus()

    def _typed(self, change: dict[str, Any]) -> None:
        # A traceback from here would show the message that the text came in: nothing may be raised, and the field is
        # emptied first.
        secret = Secret.of(change.pop("new"))
        self.close()
        try:
            if secret:
                self._on_secret(secret)
        except Exception as error:  # noqa: BLE001  # see above
            self.box.children = (widgets.HTML(looks.message("bad", f"Not taken ({type(error).__name__}).")),)

    def close(self) -> None:
        """Empty the field and remove it, here and in every front end."""
        field, self.field = self.field, None
        if field is not None:
            field.unobserve(self._typed, "value")
            field.value = ""
            self.box.children = ()
            for part in (field, field.layout, field.style):
                part.close()


class SecretField:
    """One row: the secret's name, where it is kept, and the buttons that set another one or drop what was typed.

    ``on_change`` hears a :class:`~mailconn_jupyter.credentials.Secret` that was typed, and None when it is to be
    dropped.
    """

    def __init__(self, kind: Kind, on_change: Callable[[Kind, Secret | None], None]) -> None:
        self._kind = kind
        self._on_change = on_change
        self._lock = threading.Lock()
        self._asked: tuple[str, bool] | None = None
        self._timer: threading.Timer | None = None
        label = "Proxy password" if kind is Kind.PROXY else "Password"
        self.entry = PasswordEntry(f"New {label.lower()}", self._take)
        self.status = widgets.HTML()
        self.set = widgets.Button(description=f"Set {label.lower()}", tooltip=f"Type the {label.lower()}; it is hidden")
        self.drop = widgets.Button(description="Cancel", tooltip=f"Keep no newly typed {label.lower()}")
        self.set.on_click(lambda _: self._open())
        self.drop.on_click(lambda _: self._discard())
        name = widgets.HTML(f"<span>{label}</span>")
        name.add_class("mailconn-name")
        self.status.add_class("mailconn-state")
        line = widgets.HBox([name, self.status, self.set, self.drop])
        line.add_class("mailconn-secret")
        self.row = widgets.VBox([line, self.entry.box])
        self.row.add_class("mailconn-row")
        self._buttons(typing=False, typed=False)

    def _open(self) -> None:
        self.entry.open()
        self._buttons(typing=True, typed=False)

    def _take(self, secret: Secret) -> None:
        self._on_change(self._kind, secret)

    def _discard(self) -> None:
        # A click on Cancel leaves the field first, which sends what was typed: it is dropped here.
        self.entry.close()
        self._on_change(self._kind, None)

    def _buttons(self, *, typing: bool, typed: bool) -> None:
        self.set.layout.display = "none" if typing else None
        self.drop.layout.display = None if typing or typed else "none"
        self.drop.description = "Cancel" if typing else "Discard"

    def show(self, name: str, *, typed: bool, visible: bool = True) -> None:
        """Say where the secret of ``name`` is kept, or that one was ``typed`` and waits to be saved."""
        self.row.layout.display = None if visible else "none"
        if not visible:
            self.entry.close()
        self._buttons(typing=self.entry.field is not None, typed=typed)
        if self._asked != (name, typed):
            self.look_again(name, typed=typed)

    def look_again(self, name: str, *, typed: bool = False, pause: float = _PAUSE) -> None:
        """Find out anew where it is kept, in a thread: a keyring may take its time."""
        with self._lock:
            self._asked = (name, typed)
            self._stop()
            if typed:
                self.status.value = looks.message("note", "Typed; Save keeps it.")
            elif not name:
                self.status.value = looks.message("note", "None yet.")
            else:
                self._timer = threading.Timer(pause, self._look, (name,))
                self._timer.daemon = True
                self._timer.start()

    def _look(self, name: str) -> None:
        place = credentials.where(name, kind=self._kind)
        with self._lock:
            if self._asked == (name, False):
                self.status.value = looks.message("note", f"Kept {place}." if place else "None yet.")

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def close(self) -> None:
        """Leave no field and no thread behind."""
        self.entry.close()
        with self._lock:
            self._asked = None
            self._stop()
