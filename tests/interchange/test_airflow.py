"""Airflow's connections."""

from __future__ import annotations

import json
from typing import Any

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter.interchange.found import FoundConnection
from mailconn_jupyter.interchange.import_draft import InterchangeError
from mailconn_jupyter.secret import Kind
from tests.interchange.examples import AIRFLOW, PASSWORD


def loaded(extra: Any = None, **changes: Any) -> FoundConnection:
    said = {"conn_type": "smtp", "host": "mail.example.org", "login": "ana", "password": "s3cret"} | changes
    [found] = mailconn.load_connections(json.dumps(said | {"extra": extra}), "airflow", name="ops")
    return found


def test_the_lines_of_an_environment_are_a_connection_each_and_others_than_mail_are_left_alone() -> None:
    found = {each.connection.name: each for each in mailconn.load_connections(AIRFLOW)}
    assert list(found) == ["smtp_default", "mailbox", "alerts"]
    smtp, mailbox, alerts = (each.connection for each in found.values())
    assert (smtp.security, smtp.port, smtp.from_address) == ("TLS", 587, "ana@example.org")
    assert (mailbox.protocol, mailbox.security, mailbox.port) == ("IMAP", "SSL", 993)
    assert (alerts.security, alerts.port, alerts.timeout) == ("SSL", 465, 30)
    assert found["alerts"].secrets[Kind.PASSWORD].reveal() == PASSWORD
    assert "s3cret" not in repr([*found.values()])


def test_a_variable_is_named_or_all_of_them_or_the_environment_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_OPS", '{"conn_type": "smtp", "host": "mail.example.org"}')
    monkeypatch.setenv("AIRFLOW_CONN_DB", "postgres://db.example.org")
    for what in ("AIRFLOW_CONN_OPS", "AIRFLOW_CONN_*", {"AIRFLOW_CONN_OPS": "smtp://mail.example.org", "HOME": "/"}):
        assert [each.connection.name for each in mailconn.load_connections(what)] == ["ops"]
    with pytest.raises(InterchangeError, match="no mail server connection"):
        mailconn.load_connections("AIRFLOW_CONN_DB")


def test_an_export_of_airflows_own_is_read_too() -> None:
    text = json.dumps({"a": {"conn_type": "smtp", "host": "a.example.org"}, "b": "imap://b.example.org", "c": 7})
    found = mailconn.load_connections(text, "airflow")
    assert [(each.connection.name, each.connection.protocol) for each in found] == [("a", "SMTP"), ("b", "IMAP")]
    assert found.problems[0].message == "c: It is neither a JSON object nor a URI."


@pytest.mark.parametrize(
    ("extra", "security"),
    [
        ({}, "SSL"),
        ({"disable_ssl": True}, "TLS"),
        ({"disable_tls": True}, "SSL"),
        ({"disable_ssl": True, "disable_tls": True}, ""),
        ({"disable_ssl": "false"}, "TLS"),
        ('{"disable_ssl": true}', "TLS"),
    ],
)
def test_tls_is_on_unless_it_is_disabled_and_a_text_is_true(extra: Any, security: str) -> None:
    found = loaded(extra)
    assert found.connection.security == security
    assert any("which Airflow takes as true" in note for note in found.notes) == ("false" in str(extra))


def test_a_mailbox_has_a_switch_of_its_own() -> None:
    assert loaded({"use_ssl": False}, conn_type="imap").connection.security == ""
    assert loaded({}, conn_type="imap").connection.security == "SSL"


def test_no_verification_is_refused_with_the_offer_of_a_pin() -> None:
    with pytest.raises(InterchangeError, match="ssl_context none accepts any certificate") as caught:
        loaded({"ssl_context": "none"})
    assert "host=sha256:HEX" in caught.value.hint
    assert loaded({"ssl_context": "default"}).connection.check_server_identity


def test_an_app_that_logs_in_is_ours_with_its_secret_and_a_token_is_the_secret() -> None:
    app = {"auth_type": "oauth2", "client_id": "id", "client_secret": "s3cret", "tenant_id": "t", "scope": "s"}
    found = loaded(app, password=None)
    connection = found.connection
    assert (connection.oauth_issuer, connection.oauth_flow) == ("microsoft", "client_credentials")
    assert (connection.oauth_client_id, connection.oauth_tenant, connection.oauth_scope) == ("id", "t", "s")
    assert found.secrets[Kind.CLIENT].reveal() == "s3cret"
    found = loaded({"auth_type": "oauth2", "access_token": "t0ken"}, password=None)
    assert found.connection.use_xoauth2
    assert found.secrets[Kind.PASSWORD].reveal() == "t0ken"
    assert "s3cret" not in repr(found)


def test_what_has_no_word_here_is_named_and_never_with_its_value() -> None:
    found = loaded({"retry_limit": 5, "templates": "s3cret-path"}, schema="x")
    assert {note.partition(" ")[0] for note in found.notes} >= {"retry_limit", "templates", "schema"}
    assert "s3cret" not in repr(found)


def test_a_uri_may_have_all_of_its_extra_in_one() -> None:
    uri = "smtp://ana:x@mail.example.org:25/?__extra__=%7B%22disable_ssl%22%3A+true%7D"
    [found] = mailconn.load_connections(uri, "airflow")
    assert (found.connection.name, found.connection.security) == ("mail.example.org", "TLS")
