"""The field into which a secret is typed, whose text never becomes widget state; see ``static/password.js``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import anywidget
from traitlets import Unicode

from ...credentials import Secret
from . import style

__all__ = ["PasswordField"]


class PasswordField(anywidget.AnyWidget):
    """Empty from here on: what is typed arrives once, as the bytes of a message, and ``on_secret`` gets it.

    Notebooks save a widget's state and kernels log the content of messages; the buffers of a message are in neither.
    """

    _esm = style.STATIC / "password.js"

    description = Unicode().tag(sync=True)
    placeholder = Unicode().tag(sync=True)

    def __init__(self, description: str, on_secret: Callable[[Secret], None]) -> None:
        super().__init__(description=description)
        self._on_secret = on_secret
        self.add_class("mailconn-password-field")
        self.on_msg(self._heard)

    def _heard(self, _: object, content: object, buffers: Sequence[Any]) -> None:
        # A traceback from here would show the message that the text came in: nothing may be raised.
        with suppress(Exception):
            secret = Secret.decode(bytes(buffers[0])) if content == {"kind": "typed"} else None
            if secret:
                self._on_secret(secret)
