"""``${NAME}`` in a connection: no secret of the environment, and no value where an error or a report is read."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from mailconn_jupyter import send
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.errors import MailConnError, OpenError, OptionError
from mailconn_jupyter.session.check import check
from mailconn_jupyter.session.connect import connect
from tests.servers.certificates import Certificates
from tests.servers.postfix import Postfix
from tests.servers.script import ScriptServer
from tests.support.leaks import holds_no_text

VALUE = "wJalrXUtnFEMI.K7MDENG.example"

SECRETS = [
    "AWS_SECRET_ACCESS_KEY",
    "aws_secret_access_key",
    "MY_SECRET",
    "SECRETS",
    "GITHUB_TOKEN",
    "JUPYTERHUB_API_TOKEN",
    "TOKEN",
    "DB_PASSWORD",
    "PGPASSWORD",
    "DB_PASSWD",
    "MYSQL_PWD",
    "REDIS_PASS",
    "KEY_PASSPHRASE",
    "API_KEY",
    "OPENAI_API_KEY",
    "APIKEY",
    "STRIPE_KEYS",
    "MAILCONN_OPS_PASSWORD",
    "MAILCONN_OPS_PASSWORD_FILE",
    "MAILCONN_ANYTHING",
    "AZURE_CREDENTIALS",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "SSH_PRIVATE",
    "PRIVATE_KEY_PEM",
    "BASIC_AUTH",
    "GITLAB_PAT",
    "SESSION_COOKIE",
    "ID_JWT",
    "SENTRY_DSN",
    "CONNECTION_STRING",
    "AZURE_STORAGE_CONNECTIONSTRING",
]
PLAIN = [
    "MAIL_HOST",
    "HOME",
    "PWD",
    "OLDPWD",
    "USER",
    "JUPYTERHUB_USER",
    "COMPASS",
    "MONKEY",
    "KEYBOARD",
    "PATH",
    "AUTHOR",
    "PATTERN",
]
OPTIONS: list[dict[str, Any]] = [
    {"server_host": "{}"},
    {"server_port": "{}"},
    {"username": "ana{}"},
    {"proxy_host": "{}", "use_proxy": True},
    {"proxy_port": "{}", "proxy_host": "gate", "use_proxy": True},
    {"proxy_username": "{}", "proxy_host": "gate", "use_proxy": True},
    {"authorization_id": "{}", "username": "ana"},
    {"trusted_hosts": "{}"},
    {"ca_file": "/{}"},
    {"client_certificate": "{}"},
    {"client_key": "{}"},
    {"from_address": "{}@example.org"},
    {"protocol": "MBOX", "server_host": "/var/{}"},
]


def with_variable(options: dict[str, Any], name: str) -> MailConnection:
    given = {key: value.format(f"${{{name}}}") if isinstance(value, str) else value for key, value in options.items()}
    return MailConnection(**{"name": "ops", "server_host": "mail.example.org", **given})


@pytest.mark.parametrize("name", SECRETS)
def test_a_variable_that_looks_like_a_secret_is_not_expanded(name: str) -> None:
    connection = with_variable({"server_host": "{}"}, name)
    with pytest.raises(OptionError) as caught:
        connection.resolved({name: VALUE})
    assert caught.value.message == (
        f"Server host: ${{{name}}} is not expanded: its name says that it is a secret, and the server would see it."
    )
    assert "%mailconn password" in caught.value.hint
    # Whether it is set is nobody's business either.
    with pytest.raises(OptionError) as unset:
        connection.resolved({})
    assert str(unset.value) == str(caught.value)


@pytest.mark.parametrize("name", PLAIN)
def test_other_variables_are(name: str) -> None:
    assert (
        with_variable({"server_host": "{}"}, name).resolved({name: "mail.example.org"}).server_host
        == "mail.example.org"
    )


def test_a_url_with_a_password_is_a_secret_whatever_its_name() -> None:
    for value in ("postgres://ana:hunter2@db/x", "socks5://:hunter2@gate"):
        with pytest.raises(OptionError, match="contains a URL with a password") as caught:
            with_variable({"username": "{}"}, "DATABASE").resolved({"DATABASE": value})
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("options", OPTIONS)
def test_no_option_expands_a_secret(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", VALUE)
    connection = with_variable(options, "MY_TOKEN")
    report = check(connection, ask=False)
    assert report.failed is not None
    assert (report.failed.name, report.failed.cause) == ("resolve", "option")
    assert "${MY_TOKEN} is not expanded" in report.summary
    assert VALUE not in f"{report!r}{report.transcript}{report.pin}{connection!r}{connection.shown()}{report.error!r}"
    with pytest.raises(MailConnError, match="MY_TOKEN"):
        connect(connection)


BAD = {"server_port": "not.a.port", "trusted_hosts": "a=b", "server_host": "not a host", "proxy_host": "http://x"}


@pytest.mark.parametrize("options", OPTIONS)
def test_a_value_that_an_option_cannot_have_is_told_by_its_variable(options: dict[str, Any]) -> None:
    connection = with_variable(options, "MAIL_THING")
    [option] = [name for name, text in options.items() if "{}" in str(text)]
    bad = "a\rb" if options.get("protocol") == "MBOX" else BAD.get(option, "a\rb")
    with pytest.raises(OptionError) as caught:
        connection.resolved({"MAIL_THING": bad})
    assert "${MAIL_THING}" in caught.value.message
    assert caught.value.trait in options
    for words in (str(caught.value), repr(caught.value.args), "".join(traceback.format_exception(caught.value))):
        assert bad not in words
        assert repr(bad)[1:-1] not in words
    holds_no_text(caught.value, bad)


def failures(value: str, postfix: Postfix, certificates: Certificates) -> Iterator[MailConnection]:
    """Connections that fail with the value in the words of the system, the TLS library, or our own."""
    yield MailConnection(name="ops", server_host="${MAIL_THING}", server_port=1)
    yield MailConnection(name="ops", server_host="localhost", proxy_host="${MAIL_THING}", proxy_port=1)
    yield MailConnection(name="ops", server_host="localhost", ca_file="/${MAIL_THING}", server_port=postfix.submission)


def test_an_error_about_a_value_names_the_variable(
    postfix: Postfix, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = "no-such-host.invalid"
    monkeypatch.setenv("MAIL_THING", value)
    for connection in failures(value, postfix, certificates):
        report = check(connection, ask=False)
        assert report.failed is not None, report
        assert report.error is not None
        assert "${MAIL_THING}" in f"{report}"
        seen = f"{report!r}{report._repr_html_()}{report.transcript}{report.pin}"
        seen += "".join(traceback.format_exception(report.error)) + repr(report.error)
        assert value not in seen


def test_a_certificate_that_does_not_name_the_host_is_told_by_the_variable(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_THING", "127.0.0.1")
    with ScriptServer([], [], tls=certificates.good.server_context(), strict=False) as server:
        connection = MailConnection(
            name="ops", server_host="${MAIL_THING}", server_port=server.port, secure_authentication_type="SSL"
        )
        report = check(connection, ask=False)
    assert report.failed is not None
    assert report.failed.name == "secure"
    assert "(trusted_hosts): ${MAIL_THING}=sha256:" in report.failed.hint
    assert report.pin.startswith("${MAIL_THING}=sha256:")


def test_a_resolved_connection_shows_what_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = MailConnection(name="ops", server_host="${MAIL_THING}", username="${MAIL_USER}")
    resolved = connection.resolved({"MAIL_THING": "mail.example.org", "MAIL_USER": "ana"})
    assert (resolved.server_host, resolved.username) == ("mail.example.org", "ana")
    assert repr(resolved) == repr(connection)
    assert resolved.shown() == connection.shown()


def test_a_sender_that_is_no_address_is_told_by_the_variable(postfix: Postfix, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_THING", "no address at all")
    connection = MailConnection(
        name="ops",
        server_host="localhost",
        server_port=postfix.relay,
        use_secure_authentication=False,
        from_address="${MAIL_THING}",
    )
    with pytest.raises(MailConnError) as caught:
        send(connection, "ana@example.org", "S", "text")
    assert "${MAIL_THING}" in str(caught.value)
    assert "no address" not in "".join(traceback.format_exception(caught.value))


def test_the_stage_that_fails_says_the_option_and_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", VALUE)
    with pytest.raises(OpenError) as caught:
        connect(MailConnection(name="ops", server_host="${MY_TOKEN}"))
    assert (caught.value.stage, caught.value.cause) == ("resolve", "option")
    holds_no_text(caught.value, VALUE)
