"""Driving the form for a mail as its page in a front end does: what is typed goes as bytes, what is told comes as bytes."""

from __future__ import annotations

import json
import threading
from typing import Any

from mailconn_jupyter.notebook.compose_page.compose_form import ComposeForm

__all__ = ["Front"]


class Front:
    """A page in a front end. ``mail`` is what stands in its fields, ``told`` what it was told, by what that was about."""

    def __init__(self, form: ComposeForm) -> None:
        self.form = form
        self.told: dict[str, Any] = {}
        self.statuses: list[str] = []
        form.page.send = self._hear
        self.say("ready")
        self._wait()

    def _wait(self) -> None:
        """What reads people and the log must not outlive its test, whose folders they are."""
        assert self.form.composer.worker.wait(30)
        for thread in threading.enumerate():
            if thread.name == "mailconn-offered":
                thread.join(30)

    def _hear(self, content: object, buffers: list[bytes]) -> None:
        assert content == {"kind": "told"}
        said = json.loads(buffers[0])
        self.told[said["tell"]] = said
        if said["tell"] == "status":
            self.statuses.append(said["text"])

    def say(self, what: str, **more: Any) -> None:
        """Send a message as the page does."""
        said = {"do": what, "view": "v", "id": self.told.get("all", {}).get("id"), **more}
        content = {"method": "custom", "content": {"kind": "said"}}
        self.form.page._handle_msg({"content": {"data": content}, "buffers": [memoryview(json.dumps(said).encode())]})

    @property
    def mail(self) -> dict[str, Any]:
        mail: dict[str, Any] = json.loads(json.dumps(self.form.composer.kept.mail.as_dict()))
        return mail

    def type(self, **values: Any) -> dict[str, str]:
        """Type into fields; what is wrong now, by field."""
        self.say("edit", mail=self.mail | values, rev=self.form.composer.kept.rev + 1)
        problems: dict[str, str] = self.told["taken"]["problems"]
        return problems

    def act(self, what: str, **more: Any) -> str:
        """Press a button; what is said at the end."""
        self.statuses.clear()
        self.say(what, mail=self.mail, rev=self.form.composer.kept.rev, **more)
        self._wait()
        return self.statuses[-1] if self.statuses else ""

    def offered(self, typed: str, field: str = "to") -> list[str]:
        """What is offered for what was typed."""
        self.say("complete", field=field, text=typed, number=1)
        return [text for text, _ in self.told["options"]["options"]]
