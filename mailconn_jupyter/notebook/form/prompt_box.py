"""What a person needs to sign in, on the screen and nowhere else: it is no widget state; see ``static/prompt.js``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import anywidget

from . import style

if TYPE_CHECKING:
    from ...session.sign_in_prompt import SignInPrompt

__all__ = ["PromptBox"]


class PromptBox(anywidget.AnyWidget):
    """Shows the address and the code, or the link, as long as they are of use.

    Notebooks save a widget's state and kernels log the content of messages; what is shown here goes to the front end as the
    bytes of a message, and is asked for anew by each view that appears.
    """

    _esm = style.STATIC / "prompt.js"

    def __init__(self) -> None:
        super().__init__()
        self._now: dict[str, str] = {}
        self.add_class("mailconn-prompt")
        self.on_msg(lambda _widget, content, _buffers: self._tell() if content == {"kind": "ready"} else None)

    def put(self, prompt: SignInPrompt | None) -> None:
        """Show it, or with None nothing any more."""
        if prompt is None:
            self._now = {}
        else:
            self._now = {"uri": prompt.uri, "code": prompt.code, "link": prompt.link}
        self._tell()

    def _tell(self) -> None:
        self.send({"kind": "shown"}, [json.dumps(self._now).encode()])
