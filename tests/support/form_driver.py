"""Driving the form's real widgets as a front end would: values arrive, buttons are clicked, text is read off."""

from __future__ import annotations

import html
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ipywidgets.widgets import widget as widget_module

from mailconn_jupyter.credentials import Kind
from mailconn_jupyter.credentials.memory import memory
from mailconn_jupyter.notebook.form.draft import Draft
from mailconn_jupyter.notebook.form.edit_page import Editor
from mailconn_jupyter.notebook.form.form import Form
from mailconn_jupyter.notebook.form.password_field import PasswordField


@pytest.fixture(autouse=True)
def nothing_typed(own_config: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No secret that another test typed is there, and no form outlives its test.

    A form that still asks the keyring when the environment is the machine's own again would load the machine's keyring.
    """
    monkeypatch.setattr(memory, "_secrets", {})
    yield
    for form in [widget for widget in widget_module._instances.values() if isinstance(widget, Editor | Form)]:
        form.close()
    for thread in threading.enumerate():
        if thread.name == "mailconn-watch":
            thread.join(5)
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join(5)


def editor(name: str | None = None) -> Editor:
    """The page of one connection, without a list to go back to."""
    return Editor(Draft.of(name))


def fill(form: Editor, **values: Any) -> None:
    """Send each value as the front end does, in a message of its own."""
    for name, value in values.items():
        form.fields[name].control.set_state(
            {"index": _index(form, name, value)} if _is_choice(form, name) else {"value": value}
        )


def _is_choice(form: Editor, name: str) -> bool:
    return hasattr(form.fields[name].control, "options")


def _index(form: Editor, name: str, value: str) -> int:
    return list(form.fields[name].control.options).index(value)


def seen(widget: Any) -> bool:
    """Whether the widget itself is not hidden."""
    return bool(widget.layout.display != "none")


def text(widget: Any) -> str:
    """What an HTML widget reads like."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", widget.value))).strip()


def note(form: Editor, name: str) -> str:
    """The line beneath a field."""
    return text(form.fields[name].note)


def wrong(form: Editor, name: str) -> bool:
    """Whether an error stands beside the field."""
    return 'role="alert"' in form.fields[name].note.value


def type_secret(form: Editor, secret: str, kind: Kind = Kind.PASSWORD) -> None:
    """Type into the field and press Enter."""
    send_secret(form.secrets[kind].field, secret)


def send_secret(field: PasswordField, secret: str) -> None:
    """The message that the field in a front end sends."""
    content = {"method": "custom", "content": {"kind": "typed"}}
    field._handle_msg({"content": {"data": content}, "buffers": [memoryview(secret.encode())]})


def run_test(form: Editor) -> str:
    """Click on Test and wait for its end; returns the summary."""
    form.live.test.click()
    assert form.live.wait(20)
    return text(form.live.summary)


def eventually(what: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Whether it becomes true, in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.02)
    return False
