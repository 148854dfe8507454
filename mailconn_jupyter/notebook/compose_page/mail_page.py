"""What a person types and reads in the form, on the screen and nowhere else: it is no widget state; see ``static/compose.js``."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import anywidget

from ..form import style

__all__ = ["MailPage"]


class MailPage(anywidget.AnyWidget):
    """The fields of a mail, and all that is said of it. ``heard`` gets what a front end says: what to ``do``, and with what.

    Notebooks save a widget's state and kernels log the content of messages; addresses and texts go to and fro as the bytes
    of messages, which are in neither.
    """

    _esm = style.STATIC / "compose.js"

    def __init__(self) -> None:
        super().__init__()
        self.heard: Callable[[dict[str, Any]], None] = lambda _: None
        self.on_msg(self._heard)

    def tell(self, what: str, **said: Any) -> None:
        """Say something to each view of the page."""
        if self.comm is not None:
            self.send({"kind": "told"}, [json.dumps({"tell": what, **said}).encode()])

    def _heard(self, _: object, content: object, buffers: Sequence[Any]) -> None:
        # A traceback from here would show the message that the text came in: nothing may be raised.
        with suppress(Exception):
            said = json.loads(bytes(buffers[0])) if content == {"kind": "said"} else None
            if isinstance(said, dict):
                self.heard(said)
