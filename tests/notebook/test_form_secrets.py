"""A secret that is typed into the form is kept where it belongs, and shows up nowhere else."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anywidget
import nbformat
import pytest
from ipywidgets.widgets import widget as widget_module
from nbclient import NotebookClient

from mailconn_jupyter import credentials
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.credentials import Kind, Secret
from mailconn_jupyter.credentials.override import lent_secrets
from mailconn_jupyter.errors import CredentialError
from mailconn_jupyter.notebook.form.edit_page import Editor
from mailconn_jupyter.store import connections
from tests.servers.certificates import Certificates
from tests.servers.postfix import Postfix
from tests.support.form_driver import editor, eventually, fill, nothing_typed, run_test, seen, text, type_secret
from tests.support.isolation import give_password

__all__ = ["nothing_typed"]


@pytest.fixture
def form() -> Iterator[Editor]:
    """The form of a new connection with a login."""
    made = editor()
    fill(made, name="ops", server_host="localhost", use_authentication=True, username="alice")
    yield made
    made.close()


def kept(name: str, kind: Kind = Kind.PASSWORD) -> str:
    try:
        return credentials.resolve(name, kind=kind, ask=False).secret.reveal()
    except CredentialError:
        return ""


def state() -> str:
    """Everything that a front end would be told, of every widget there is."""
    return json.dumps([widget.get_state() for widget in widget_module._instances.values()], default=str)


def test_the_field_holds_no_text_and_asks_for_a_new_password(form: Editor) -> None:
    field = form.secrets[Kind.PASSWORD].field
    assert "PasswordModel" not in state()
    assert set(field.keys) - set(anywidget.AnyWidget().keys) == {"description", "placeholder"}
    assert field.description == "Password"


def test_a_typed_secret_becomes_no_state_of_any_widget(form: Editor) -> None:
    row = form.secrets[Kind.PASSWORD]
    type_secret(form, "s3cret")
    assert form.draft.secrets[Kind.PASSWORD].reveal() == "s3cret"
    assert "s3cret" not in state()
    assert "s3cret" not in f"{vars(form.draft)}{vars(row.field)}{vars(row)}"
    assert text(row.status) == "Typed, not kept yet: Save keeps it."


@pytest.mark.parametrize("content", [{}, {"kind": "typed"}, {"kind": "other"}, "typed", None])
@pytest.mark.parametrize("buffers", [[], [b""], [b"\xff\xfe"], [1.5]])
def test_a_message_that_is_no_secret_is_dropped_in_silence(
    form: Editor, content: object, buffers: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    form.secrets[Kind.PASSWORD].field._handle_custom_msg(content, buffers)
    assert form.draft.secrets == {}
    assert capsys.readouterr() == ("", "")


def test_where_the_field_cannot_appear_the_magic_is_offered(form: Editor) -> None:
    fill(form, name="big mail", use_authentication=True, use_secure_authentication=True, use_proxy=True)
    assert text(form.secrets[Kind.PASSWORD].instead).endswith('%mailconn password "big mail"')
    assert text(form.secrets[Kind.PROXY].instead).endswith('%mailconn password "big mail" --proxy')
    nameless = editor()
    fill(nameless, use_authentication=True)
    assert text(nameless.secrets[Kind.PASSWORD].instead).endswith("%mailconn password NAME")


def test_the_kernel_never_sends_the_secret_to_the_front_end(form: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []

    def record(widget: object, message: object, buffers: object = None) -> None:
        sent.append(json.dumps(message, default=str))

    monkeypatch.setattr(widget_module.Widget, "_send", record)
    type_secret(form, "s3cret")
    form.save.click()
    assert any("Saved as" in message for message in sent)
    assert not any("s3cret" in message for message in sent)


def test_a_secret_is_kept_on_save_and_not_before(form: Editor) -> None:
    type_secret(form, "s3cret")
    assert kept("ops") == ""
    form.save.click()
    assert kept("ops") == "s3cret"
    assert "⚠ Password in this kernel only" in text(form.status)
    assert eventually(lambda: text(form.secrets[Kind.PASSWORD].status) == "Kept in this kernel only.")
    assert form.draft.secrets == {}


def test_a_form_that_is_closed_without_saving_keeps_nothing(form: Editor) -> None:
    type_secret(form, "s3cret")
    form.close()
    assert kept("ops") == ""
    assert form.draft.secrets == {}


def test_a_secret_alone_is_something_to_save() -> None:
    connections.save(MailConnection(name="ops", server_host="h", username="alice"))
    form = editor("ops")
    assert form.save.disabled
    type_secret(form, "s3cret")
    assert not form.save.disabled
    form.save.click()
    assert kept("ops") == "s3cret"


def test_discard_drops_what_was_typed(form: Editor) -> None:
    row = form.secrets[Kind.PASSWORD]
    assert not seen(row.drop)
    type_secret(form, "s3cret")
    assert seen(row.drop)
    row.drop.click()
    assert form.draft.secrets == {}
    assert not seen(row.drop)


def test_the_proxys_secret_is_its_own(form: Editor) -> None:
    fill(form, use_proxy=True, proxy_host="proxy.example.org", proxy_username="u")
    type_secret(form, "s3cret")
    type_secret(form, "pr0xy", Kind.PROXY)
    form.save.click()
    assert (kept("ops"), kept("ops", Kind.PROXY)) == ("s3cret", "pr0xy")


def test_a_secret_that_cannot_be_kept_stays_typed_and_is_told(form: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    type_secret(form, "two\nlines")
    form.save.click()
    assert "contains a line break" in text(form.status)
    assert "✓ Saved as 'ops'." in text(form.status)
    assert Kind.PASSWORD in form.draft.secrets


def test_an_error_in_a_callback_shows_no_secret(form: Editor, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(kind: Kind, secret: Secret | None) -> None:
        raise KeyError(secret)

    row = form.secrets[Kind.PASSWORD]
    row._on_change = broken
    type_secret(form, "s3cret")
    assert text(row.status) == "✗ Not accepted (KeyError)."
    printed = capsys.readouterr()
    assert "s3cret" not in printed.out + printed.err


def test_a_test_uses_the_typed_secret_and_what_was_kept_before_comes_back(
    form: Editor, postfix: Postfix, certificates: Certificates
) -> None:
    give_password("ops", "wr0ng")
    fill(form, server_port=str(postfix.submission), ca_file=str(certificates.ca.pem))
    type_secret(form, "s3cret")
    assert run_test(form).startswith("✓")
    assert kept("ops") == "wr0ng"
    form.secrets[Kind.PASSWORD].drop.click()
    assert run_test(form) == "✗ Failed at: Log in."


def test_a_renamed_connection_is_tested_with_the_secret_of_its_old_name(
    postfix: Postfix, certificates: Certificates
) -> None:
    options: dict[str, Any] = {"server_host": "localhost", "server_port": postfix.submission, "username": "alice"}
    connections.save(MailConnection(name="ops", ca_file=str(certificates.ca.pem), **options))
    give_password("ops", "s3cret")
    form = editor("ops")
    fill(form, name="nightly")
    assert run_test(form).startswith("✓")


def test_overlapping_loans_end_with_what_was_there_before_the_first() -> None:
    give_password("ops", "before")
    first, second = (
        lent_secrets("ops", {Kind.PASSWORD: Secret("one")}),
        lent_secrets("OPS", {Kind.PASSWORD: Secret("two")}),
    )
    first.__enter__()
    second.__enter__()
    assert kept("ops") == "two"
    first.__exit__(None, None, None)
    second.__exit__(None, None, None)
    assert kept("ops") == "before"
    with lent_secrets("new", {Kind.PASSWORD: Secret("one")}):
        assert kept("new") == "one"
    assert kept("new") == ""


def test_a_secret_that_is_saved_during_a_test_stays_after_it() -> None:
    secret = Secret("s3cret")
    with lent_secrets("ops", {Kind.PASSWORD: secret}):
        credentials.set_password("ops", secret)
    assert kept("ops") == "s3cret"


def test_where_a_secret_comes_from_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    connections.save(MailConnection(name="ops", server_host="h", username="alice"))
    monkeypatch.setenv("MAILCONN_OPS_PASSWORD", "s3cret")
    status = editor("ops").secrets[Kind.PASSWORD].status
    assert eventually(lambda: text(status) == "Kept from the environment (MAILCONN_OPS_PASSWORD).")
    monkeypatch.delenv("MAILCONN_OPS_PASSWORD")
    status = editor("ops").secrets[Kind.PASSWORD].status
    assert eventually(lambda: text(status) == "None yet.")


NOTEBOOK = [
    """
    import os, time
    from mailconn_jupyter.notebook.form.form import form
    from mailconn_jupyter.credentials import Kind
    secret = os.environ.pop("FORM_TEST_SECRET")
    root = form()
    f = root.editor
    root
    """,
    """
    def typed(**values):
        for name, value in values.items():
            f.fields[name].control.set_state({"value": value})
    typed(name="ops", server_host="localhost", server_port=os.environ["FORM_TEST_PORT"], use_authentication=True)
    typed(username="alice", ca_file=os.environ["FORM_TEST_CA"])
    row = f.secrets[Kind.PASSWORD]
    message = {"method": "custom", "content": {"kind": "typed"}}
    row.field._handle_msg({"content": {"data": message}, "buffers": [memoryview(secret.encode())]})
    row.status.value
    """,
    """
    f.live.test.click()
    free = 6 * 7
    free
    """,
    """
    assert f.live.wait(20)
    f.save.click()
    time.sleep(0.5)
    print(f.live.summary.value, f.status.value, row.status.value)
    """,
    """
    from mailconn_jupyter.session.connect import connect
    with connect("ops") as smtp:
        print(smtp.noop())
    """,
]


class Listening(NotebookClient):
    """A client that also records every message of the kernel."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.heard: list[str] = []

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        self.heard.append(json.dumps(msg, default=str))
        return super().process_message(msg, cell, cell_index)


def test_in_a_real_kernel_no_secret_is_in_the_notebook_its_widget_state_or_any_message(
    postfix: Postfix, certificates: Certificates, tmp_path: Path, own_config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORM_TEST_SECRET", "s3cret")
    monkeypatch.setenv("FORM_TEST_PORT", str(postfix.submission))
    monkeypatch.setenv("FORM_TEST_CA", str(certificates.ca.pem))
    notebook = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
    for source in NOTEBOOK:
        lines = "\n".join(line[4:] for line in source.strip("\n").splitlines())
        notebook.cells.append(nbformat.v4.new_code_cell(lines.rstrip()))  # type: ignore[no-untyped-call]
    (own_config.parent / "ipython").mkdir(parents=True)
    client = Listening(notebook, timeout=60, kernel_name="python3", store_widget_state=True)
    client.execute(env=dict(os.environ), cwd=str(tmp_path))
    written = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    widgets = notebook.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    assert len(widgets) > 100
    models = [model["model_name"] for model in widgets.values()]
    assert "PasswordModel" not in models
    assert "s3cret" not in written
    assert not [message for message in client.heard if "s3cret" in message]
    assert "The connection works" in written
    assert "Saved as" in written
    assert "(250, b'2.0.0 Ok')" in written
    for folder in (own_config.parent, tmp_path):
        for path in folder.rglob("*"):
            if path.is_file():
                assert b"s3cret" not in path.read_bytes(), path
    # The stages' live results come from a thread; they must be in the form, not printed below some cell.
    assert not [output for cell in notebook.cells for output in cell.outputs if output.get("name") == "stderr"]
