"""The proxy's password comes from where the server's does, shows as little, and ``ALL_PROXY`` counts only where it may."""

from __future__ import annotations

import base64
import smtplib
from pathlib import Path
from typing import Any

import pytest

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.credentials import where
from mailconn_jupyter.session.check import check
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.smtp.session import SMTPSession
from tests.servers import Postfix, Proxy
from tests.servers.microsocks import run_microsocks
from tests.servers.script import Close, ExpectBytes, ExpectUntil, ScriptServer, Send, Silence
from tests.servers.squid import FOREIGNER
from tests.support import proxied
from tests.support.credential_sources import answer_with
from tests.support.isolation import give_password
from tests.support.leaks import password
from tests.support.proxied import OPEN, Listens, delivered, failure, refused, through

no_password_is_left = proxied.no_password_is_left

# Where it comes from


def test_the_proxys_password_is_taken_from_the_environment(
    microsocks: Proxy, postfix: Postfix, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILCONN_OPS_PROXY_PASSWORD", microsocks.password or "")
    delivered(postfix, through(microsocks, "SOCKS5", microsocks.username, server_port=postfix.relay, **OPEN))


def test_the_servers_password_is_never_given_to_the_proxy() -> None:
    give_password("ops", "s3cret")
    with ScriptServer(strict=False) as proxy:
        stage, cause, report = failure(through(proxy, "SOCKS5", "ana", **OPEN))
    assert (stage, cause) == ("resolve", "no-secret")
    assert "MAILCONN_OPS_PROXY_PASSWORD" in str(report)
    assert "%mailconn password ops --proxy" in str(report)
    assert not proxy.connections


def test_a_proxy_password_that_was_typed_is_kept_once_the_proxy_took_it_so_that_the_session_opens_again(
    microsocks: Proxy, postfix: Postfix, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = through(microsocks, "SOCKS5", microsocks.username, server_port=postfix.relay, **OPEN)
    questions = answer_with("wr0ng", monkeypatch)
    assert not check(connection).ok
    assert where("ops", kind="proxy") == ""
    questions = answer_with(microsocks.password or "", monkeypatch)
    with connect(connection) as smtp:
        assert questions == [f"Proxy password for 'ops' (user {microsocks.username}): "]
        assert where("ops", kind="proxy") == "in this kernel only"
        # The server hangs up; nobody is asked again.
        assert smtp.sock is not None
        smtp.sock.close()
        assert smtp.send_message(proxied.letter("again")) == {}
    assert len(questions) == 1


def test_a_proxy_without_a_user_needs_no_password(microsocks_open: Proxy, postfix: Postfix) -> None:
    assert check(through(microsocks_open, "SOCKS5", server_port=postfix.relay, **OPEN), ask=False).ok


# What is refused before it is sent


@pytest.mark.parametrize(("user", "secret"), [("ana", "x" * 256), ("ana", "ä" * 128), ("u" * 256, "x")])
def test_a_socks5_login_of_over_255_bytes_is_refused_before_a_byte_is_sent(user: str, secret: str) -> None:
    give_password("ops", secret, kind="proxy")
    with ScriptServer([]) as proxy:
        stage, cause, report = failure(through(proxy, "SOCKS5", user, **OPEN))
    assert (stage, cause) == ("connect", "proxy-login")
    assert "has 256 bytes; SOCKS5 takes at most 255" in report.summary
    assert secret not in str(report) or secret == "x"
    assert not proxy.lines


def test_an_http_user_with_a_colon_is_refused_for_the_rest_would_be_taken_for_the_password() -> None:
    give_password("ops", "x", kind="proxy")
    with ScriptServer([]) as proxy:
        stage, cause, report = failure(through(proxy, "HTTP", "ana:b", **OPEN))
    assert (stage, cause) == ("connect", "proxy-login")
    assert "colon" in report.summary
    assert not proxy.lines


def test_the_servers_password_does_not_travel_in_plain_text_behind_a_proxy_even_if_that_is_on_this_machine(
    microsocks_open: Proxy, postfix: Postfix
) -> None:
    give_password("ops", "s3cret")
    connection = through(microsocks_open, "SOCKS5", server_port=postfix.plain_auth, username="alice", **OPEN)
    assert failure(connection)[:2] == ("authenticate", "plain-text-refused")
    connection.use_authentication = False
    with connect(connection) as smtp, pytest.raises(smtplib.SMTPNotSupportedError, match="readable on the way"):
        smtp.login("alice", "s3cret")
    connection.update(use_authentication=True, allow_plaintext_password=True)
    assert check(connection).ok


# What shows


@pytest.mark.parametrize(
    ("kind", "steps"),
    [
        ("SOCKS5", [ExpectBytes(4), Send(b"\x05\x02"), ExpectBytes(27), Send(b"\x01\x01"), Close()]),
        ("SOCKS5", [ExpectBytes(4), Send(b"\x05\x02"), ExpectBytes(27), Close(reset=True)]),
        ("SOCKS5", [ExpectBytes(4), Close()]),
        ("SOCKS5", [Silence()]),
        ("HTTP", [ExpectUntil(b"\r\n\r\n"), Send(b"HTTP/1.1 407 No\r\n\r\n"), Close()]),
        ("HTTP", [ExpectUntil(b"\r\n\r\n"), Close(reset=True)]),
        ("HTTP", [Silence()]),
    ],
)
def test_no_error_shows_the_proxys_password(kind: str, steps: list[Any]) -> None:
    give_password("ops", password(), kind="proxy")
    with ScriptServer(steps, steps, strict=False) as proxy:
        options = {**OPEN, "server_host": "mail.test", "timeout": 0.3}
        assert refused(through(proxy, kind, "ana", **options), room="opening.py").stage == "connect"
        report = check(through(proxy, kind, "ana", **options))
    assert password() not in str(report) + report._repr_html_()


def test_a_proxy_that_sends_the_login_back_does_not_get_it_into_the_report() -> None:
    give_password("ops", password(), kind="proxy")
    encoded = base64.b64encode(f"ana:{password()}".encode()).decode()
    for said in (encoded, f"user {password()}"):
        answer = f"HTTP/1.1 407 You sent {said}\r\n\r\n".encode()
        with ScriptServer([ExpectUntil(b"\r\n\r\n"), Send(answer)]) as proxy:
            _, cause, report = failure(through(proxy, "HTTP", "ana", **OPEN, server_host="mail.test"))
        assert cause == "proxy-login"
        assert said not in str(report)


def test_the_transcript_begins_behind_the_proxy(microsocks: Proxy, postfix: Postfix) -> None:
    give_password("ops", microsocks.password or "", kind="proxy")
    with connect(through(microsocks, "SOCKS5", microsocks.username, server_port=postfix.relay, **OPEN)) as smtp:
        assert smtp.transcript[0].startswith("S: 220 mail.test")


# ALL_PROXY


def of_the_environment(postfix: Postfix, **options: Any) -> MailConnection:
    return MailConnection(name="ops", server_host="localhost", server_port=postfix.relay, **OPEN, **options)


@pytest.fixture
def no_proxy_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("no_proxy_yet")
@pytest.mark.parametrize("variable", ["ALL_PROXY", "all_proxy"])
def test_the_environments_proxy_is_used_where_the_connection_says_so_and_only_there(
    variable: str, microsocks: Proxy, microsocks_open: Proxy, postfix: Postfix, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = f"localhost:{postfix.relay}"
    monkeypatch.setenv(variable, f"socks5://{microsocks.username}:{microsocks.password}@127.0.0.1:{microsocks.port}")
    before = microsocks.targets().count(target)
    assert check(of_the_environment(postfix)).ok
    assert microsocks.targets().count(target) == before
    delivered(postfix, of_the_environment(postfix, use_environment_proxy=True))
    assert microsocks.targets().count(target) == before + 1
    # One of its own comes first.
    own = {"proxy_host": "127.0.0.1", "proxy_port": microsocks_open.port}
    assert check(of_the_environment(postfix, use_environment_proxy=True, **own)).ok
    assert microsocks.targets().count(target) == before + 1


@pytest.mark.usefixtures("no_proxy_yet")
def test_an_environment_without_a_proxy_is_none(postfix: Postfix, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check(of_the_environment(postfix, use_environment_proxy=True)).ok
    monkeypatch.setenv("ALL_PROXY", "")
    assert check(of_the_environment(postfix, use_environment_proxy=True)).ok


@pytest.mark.usefixtures("no_proxy_yet")
@pytest.mark.parametrize(
    ("excepted", "through_it"),
    [("", True), ("example.org, LOCALHOST", False), ("*", False), (".localhost", False), ("host", True)],
)
@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
def test_a_host_in_no_proxy_is_reached_without_the_environments_proxy(
    variable: str,
    excepted: str,
    through_it: bool,
    microsocks_open: Proxy,
    postfix: Postfix,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = f"localhost:{postfix.relay}"
    monkeypatch.setenv("ALL_PROXY", f"socks5://127.0.0.1:{microsocks_open.port}")
    monkeypatch.setenv(variable, excepted)
    before = microsocks_open.targets().count(target)
    assert check(of_the_environment(postfix, use_environment_proxy=True)).ok
    assert microsocks_open.targets().count(target) == before + through_it
    # A proxy of the connection's own is for its own server.
    own = {"proxy_host": "127.0.0.1", "proxy_port": microsocks_open.port}
    assert check(of_the_environment(postfix, use_environment_proxy=True, **own)).ok
    assert microsocks_open.targets().count(target) == before + through_it + 1


@pytest.mark.usefixtures("no_proxy_yet")
def test_a_password_in_all_proxy_is_quoted_as_in_a_url_and_shows_nowhere(
    squid: Proxy, postfix: Postfix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with run_microsocks(tmp_path / "microsocks", "a@b", "p:/ä%") as proxy:
        monkeypatch.setenv("ALL_PROXY", f"socks5h://a%40b:p%3A%2F%C3%A4%25@127.0.0.1:{proxy.port}")
        report = check(of_the_environment(postfix, use_environment_proxy=True))
    assert report.ok
    assert "p:/ä%" not in str(report)
    user, secret = FOREIGNER
    monkeypatch.setenv("ALL_PROXY", f"http://{user}:{secret}@127.0.0.1:{squid.port}")
    assert check(of_the_environment(postfix, use_environment_proxy=True)).ok


@pytest.mark.usefixtures("no_proxy_yet")
def test_a_login_of_all_proxy_that_is_refused_is_hinted_at_the_variable(
    microsocks: Proxy, postfix: Postfix, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", f"socks5://u:wr0ng@127.0.0.1:{microsocks.port}")
    stage, cause, report = failure(of_the_environment(postfix, use_environment_proxy=True))
    assert (stage, cause) == ("connect", "proxy-login")
    assert "in the variable ALL_PROXY" in str(report)
    assert "wr0ng" not in str(report)


@pytest.mark.usefixtures("no_proxy_yet")
@pytest.mark.parametrize("variable", ["ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize(
    "url", ["socks7://ana:{}@proxy", "http://ana:1/{}@proxy", "http://ana:\udcff{}@proxy", "http://a\\{}", "{} {}"]
)
def test_a_bad_all_proxy_is_an_error_that_names_it_and_does_not_repeat_it(
    url: str, variable: str, postfix: Postfix, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, url.format(password(), password()))
    error = refused(of_the_environment(postfix, use_environment_proxy=True), room="detour.py")
    assert (error.stage, error.cause) == ("resolve", "option")
    assert f"The variable {variable} does not hold the URL of a proxy." in error.message


def test_a_variable_that_is_not_set_shows_none_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILCONN_OPS_PROXY_PASSWORD", password())
    connection = MailConnection(name="ops", server_host="mail.test", proxy_host="${NO_SUCH_VARIABLE}")
    assert "NO_SUCH_VARIABLE" in refused(connection, room="options.py").message


def test_a_session_class_of_its_own_goes_through_the_proxy(microsocks_open: Proxy, postfix: Postfix) -> None:
    there: Listens = microsocks_open
    with SMTPSession(connection=through(there, "SOCKS5", server_port=postfix.relay, **OPEN)) as smtp:
        assert smtp.noop()[0] == 250
