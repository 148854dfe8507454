"""Signing in in the form: both flows, cancelled, denied, and nothing of it in any widget's state."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ipywidgets.widgets import widget as widget_module

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.credentials import Kind, remember, where
from mailconn_jupyter.credentials.oauth import access_tokens
from mailconn_jupyter.notebook.form.edit_page import Editor
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.store import connections
from tests.servers import Certificates, Postfix, ScriptServer
from tests.servers.issuer import Issuer
from tests.servers.steps import ExpectUntil, Silence
from tests.support import form_driver
from tests.support.form_driver import editor, eventually, fill, seen, send_secret, text, type_secret

nothing_typed = form_driver.nothing_typed


@pytest.fixture
def form(
    issuer: Issuer, certificates: Certificates, token_postfix: Postfix, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Editor]:
    monkeypatch.setattr(access_tokens, "_held", {})
    connection = MailConnection(
        name="ops",
        server_host="localhost",
        server_port=token_postfix.smtps,
        secure_authentication_type="SSL",
        username="alice",
        ca_file=str(certificates.ca.pem),
        oauth_issuer=issuer.url,
        oauth_client_id="mailconn",
    )
    connections.save(connection)
    shown = editor("ops")
    yield shown
    shown.close()
    assert shown.signing.wait(10)


def listening(form: Editor, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """What the front end is told to show."""
    told: list[dict[str, str]] = []
    monkeypatch.setattr(form.signing.prompt, "send", lambda _, buffers: told.append(json.loads(buffers[0])))
    return told


def states() -> str:
    """All that a notebook would save of every widget."""
    return json.dumps([widget.get_state() for widget in widget_module._instances.values()], default=str)


def test_a_code_is_shown_and_waited_for_and_the_connection_is_tested(
    form: Editor, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = listening(form, monkeypatch)
    assert text(form.signing.note) == "Nobody is signed in yet."
    form.signing.device.click()
    assert eventually(lambda: bool(told and told[-1]))
    assert "15 minutes" in text(form.signing.note) or "10 minutes" in text(form.signing.note)
    assert seen(form.signing.cancel)
    assert form.signing.device.disabled
    assert told[-1]["code"] not in states()
    # Another view of the same form asks for it.
    form.signing.prompt._handle_custom_msg({"kind": "ready"}, [])
    assert told[-1]["code"]
    issuer.browser().enter(told[-1]["uri"], told[-1]["code"])
    assert form.signing.wait(20)
    assert "Signed in for 'ops' as alice" in text(form.signing.note)
    assert "works" in text(form.signing.note)
    # Whoever looks whether something has changed does not take it away again.
    form.signing.refresh(connections["ops"])
    assert "Signed in for 'ops' as alice" in text(form.signing.note)
    assert told[-1] == {}
    assert not seen(form.signing.cancel)
    with connect("ops") as smtp:
        assert smtp.noop()[0] == 250
    secrets = issuer.secrets()
    assert not [secret for secret in secrets if secret in states()]


def test_by_a_link_the_address_is_pasted_into_the_password_field(
    form: Editor, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = listening(form, monkeypatch)
    assert not seen(form.signing.entry)
    form.signing.link.click()
    assert eventually(lambda: bool(told and told[-1].get("link")))
    assert eventually(lambda: seen(form.signing.entry))
    assert "code_challenge" not in states()
    send_secret(form.signing.address, issuer.browser().follow(told[-1]["link"]))
    assert form.signing.wait(20)
    assert "Signed in for 'ops' as alice" in text(form.signing.note)
    assert not seen(form.signing.entry)
    form.signing.out.click()
    assert form.signing.wait(20)
    assert text(form.signing.note) == "✓ Signed out."
    assert issuer.events()[-1]["what"] == "revoked"


def test_a_wrong_address_and_a_denial_are_told_beside_the_buttons(
    form: Editor, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = listening(form, monkeypatch)
    form.signing.link.click()
    assert eventually(lambda: seen(form.signing.entry))
    send_secret(form.signing.address, "http://127.0.0.1:5000/?code=c0de&state=x")
    assert form.signing.wait(20)
    assert "belongs to another sign-in" in text(form.signing.note)
    form.signing.device.click()
    assert eventually(lambda: bool(told[-1].get("code")))
    issuer.browser().enter(told[-1]["uri"], told[-1]["code"], deny=True)
    assert form.signing.wait(20)
    assert "access_denied" in text(form.signing.note)


@pytest.mark.parametrize("flow", ["device", "link"])
def test_cancel_ends_the_waiting(flow: str, form: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    told = listening(form, monkeypatch)
    getattr(form.signing, flow).click()
    assert eventually(lambda: bool(told and told[-1]))
    form.signing.cancel.click()
    assert form.signing.wait(10)
    assert text(form.signing.note) == "The sign-in was cancelled."
    assert told[-1] == {}


def test_cancel_ends_a_sign_out_that_nobody_answers(form: Editor) -> None:
    with ScriptServer([ExpectUntil(b"\r\n\r\n"), Silence()], strict=False) as server:
        connections.save(connections["ops"].copy(oauth_issuer=f"http://127.0.0.1:{server.port}"), replace=True)
        form.elsewhere()
        remember("ops", "rt", kind=Kind.REFRESH)
        form.signing.out.click()
        assert eventually(lambda: server.connections == 1)
        form.signing.cancel.click()
        assert form.signing.wait(10)
    assert "not revoked" in text(form.signing.note)
    assert where("ops", kind=Kind.REFRESH) == ""


def test_closing_the_form_ends_the_waiting(form: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    listening(form, monkeypatch)
    form.signing.link.click()
    assert eventually(lambda: seen(form.signing.entry))
    started: list[threading.Timer] = []
    form.close()
    monkeypatch.setattr(threading.Timer, "start", lambda timer: started.extend([timer]))
    assert form.signing.wait(10)
    for row in form.secrets.values():
        row.look_again("another")
    # Whoever was waiting looks at nothing any more, the keyring least of all.
    assert started == []


def test_what_is_not_saved_is_saved_first(form: Editor) -> None:
    fill(form, oauth_client_id="another")
    assert form.signing.device.disabled
    assert text(form.signing.note) == "Save the connection first, then sign in."


def test_the_fields_are_there_for_who_signs_in_and_the_password_is_not(form: Editor) -> None:
    visible: Callable[[Kind], bool] = lambda kind: seen(form.secrets[kind].row)  # noqa: E731  # a word for below
    assert visible(Kind.CLIENT)
    assert not visible(Kind.PASSWORD)
    fill(form, oauth_issuer="")
    assert not visible(Kind.CLIENT)
    assert visible(Kind.PASSWORD)
    assert not seen(form.signing.panel)
    fill(form, oauth_issuer="microsoft", oauth_flow="client_credentials")
    assert visible(Kind.CLIENT)
    assert not seen(form.signing.panel)


def test_a_client_secret_is_kept_with_the_connection(form: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Any] = []

    def keep(*_: Any, **which: bool) -> str:
        kept.append(which)
        return "in the keyring"

    monkeypatch.setattr("mailconn_jupyter.credentials.set_password", keep)
    type_secret(form, "c0nf", Kind.CLIENT)
    form.save.click()
    assert kept == [{"client": True}]
    assert "Client secret in the keyring" in text(form.status)
