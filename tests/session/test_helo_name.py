"""What an SMTP server is told of this machine: a true name or its address, and what another one takes."""

from __future__ import annotations

import smtplib
import socket
from typing import Any

import pytest

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.errors import OpenError, OptionError
from mailconn_jupyter.session.check import check
from mailconn_jupyter.session.connect_by_protocol import connect_smtp
from mailconn_jupyter.session.opening import run_stages
from mailconn_jupyter.session.smtp import helo_name
from mailconn_jupyter.session.smtp.session import SMTPSession
from tests.servers.proxies import Proxy
from tests.servers.script import Close, Expect, ScriptServer, Send
from tests.servers.steps import Step

GREETING = Send(b"220 mail.test\r\n")
HELLO = Send(b"250-mail.test\r\n250 8BITMIME\r\n")
BYE: list[Step] = [Expect(rb"quit"), Send(b"221 bye\r\n")]
LITERAL = rb"ehlo \[127\.0\.0\.1\]"


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> str:
    """A machine whose name is known to nobody else, as those of notebooks are."""
    monkeypatch.setattr(socket, "gethostname", lambda: "jupyter-ana")
    monkeypatch.setattr(run_stages, "PAUSES", (0.0, 0.0))
    helo_name._is_of.cache_clear()
    return "jupyter-ana"


def to(port: int, **options: Any) -> MailConnection:
    plain = {"use_secure_authentication": False, "timeout": 5}
    return MailConnection(**{"name": "ops", "server_host": "localhost", "server_port": port, **plain, **options})


def said(port_options: dict[str, Any], *scripts: list[Step]) -> list[bytes]:
    """Open a session, and return the names that the server was told."""
    with ScriptServer(*scripts) as server:
        connect_smtp(to(server.port, **port_options)).quit()
    return [line.partition(b" ")[2] for line in server.lines if line.startswith((b"ehlo", b"helo"))]


def any_name(*replies: Step) -> list[Step]:
    return [GREETING, *(step for reply in replies for step in (Expect(rb"(ehlo|helo) .*"), reply))]


# The option


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("notebook.example.org", b"notebook.example.org"),
        ("b\u00fccher.example", b"xn--bcher-kva.example"),
        ("192.0.2.7", b"[192.0.2.7]"),
        ("[2001:DB8::7]", b"[IPv6:2001:db8::7]"),
        ("${NODE}", b"node7.example.org"),
    ],
)
def test_the_name_that_a_connection_gives_is_told(given: str, told: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODE", "node7.example.org")
    assert said({"helo_name": given}, [*any_name(HELLO), *BYE]) == [told]


@pytest.mark.parametrize(
    "given", ["two words", "a\r\nMAIL FROM:<x@y>", "host:25", "[nobody]", "h\u200bost.example", "-", "a..b"]
)
def test_what_is_no_name_is_refused_when_it_is_set(given: str) -> None:
    with pytest.raises(OptionError, match="HELO name"):
        MailConnection(name="ops", helo_name=given)


def test_the_name_that_a_caller_of_smtplib_gives_comes_first() -> None:
    with ScriptServer([*any_name(HELLO), *BYE]) as server:
        connection = to(server.port, helo_name="notebook.example.org")
        SMTPSession(local_hostname="mine.example.org", connection=connection).quit()
    assert b"ehlo mine.example.org" in server.lines


# Without it


def test_a_machine_whose_name_is_not_known_says_its_address() -> None:
    assert said({}, [*any_name(HELLO), *BYE]) == [b"[127.0.0.1]"]


@pytest.mark.parametrize(
    ("addresses", "told"), [(["127.0.0.1"], b"vm.example.org"), (["192.0.2.7"], b"[127.0.0.1]"), ([], b"[127.0.0.1]")]
)
def test_a_full_name_is_said_where_it_is_that_of_this_end_of_the_link(
    addresses: list[str], told: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = socket.getaddrinfo

    def answer(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        if host != "vm.example.org":
            return asked(host, port, *args, **options)
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "gethostname", lambda: "vm.example.org")
    monkeypatch.setattr(socket, "getaddrinfo", answer)
    assert said({}, [*any_name(HELLO), *BYE]) == [told]


def test_a_server_behind_a_proxy_is_never_told_a_loopback_address(microsocks_open: Proxy) -> None:
    through = {"use_proxy": True, "proxy_host": "127.0.0.1", "proxy_port": microsocks_open.port}
    (told,) = said(through, [*any_name(HELLO), *BYE])
    assert not told.startswith((b"[127.", b"[IPv6:::1"))


def test_a_machine_without_a_way_out_tells_a_server_behind_a_proxy_its_name(
    microsocks_open: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(helo_name, "_ELSEWHERE", ("255.255.255.255", 9))
    through = {"use_proxy": True, "proxy_host": "127.0.0.1", "proxy_port": microsocks_open.port}
    assert said(through, [*any_name(HELLO), *BYE]) == [b"jupyter-ana"]


# A server that takes no address


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"from_address": "Ana <ana@example.org>"}, b"example.org"),
        ({"username": "ana@mail.example.org", "use_authentication": False}, b"mail.example.org"),
    ],
)
@pytest.mark.parametrize(
    "refusal", [b"501 5.5.4 Invalid domain name\r\n", b"550 Access denied - Invalid HELO name\r\n"]
)
def test_an_address_that_is_refused_is_followed_by_a_name_once(
    options: dict[str, Any], name: bytes, refusal: bytes
) -> None:
    """Exchange says 501 5.5.4, cPanel's Exim 550 "Invalid HELO name (See RFC2821 4.1.1.1)"."""
    assert said(options, [*any_name(Send(refusal), HELLO), *BYE]) == [b"[127.0.0.1]", name]


def test_a_machine_with_a_full_name_says_that_in_place_of_the_refused_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "vm.example.test")
    refused = Send(b"501 5.5.4 Invalid domain name\r\n")
    assert said({"from_address": "ana@example.org"}, [*any_name(refused, HELLO), *BYE])[1] == b"vm.example.test"


def test_a_server_that_hangs_up_on_an_address_gets_a_name_over_the_next_link() -> None:
    """smtp-relay.gmail.com answers EHLO [127.0.0.1] so (repoze/repoze.sendmail #50, twentyhq/twenty #24932)."""
    busy = Send(b"421-4.7.0 Try again later, closing connection. (EHLO)\r\n421 4.7.0 gsmtp\r\n")
    first, second = [*any_name(busy), Close()], [*any_name(HELLO), *BYE]
    assert said({"from_address": "ana@example.org"}, first, second) == [b"[127.0.0.1]", b"example.org"]


@pytest.mark.parametrize("local", ["mac.local", "vm.localdomain", "box.lan", "jupyter-ana"])
def test_a_name_that_nobody_can_look_up_is_not_said(local: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: local)
    with ScriptServer(any_name(Send(b"501 5.5.4 Invalid domain name\r\n"))) as server:
        with pytest.raises(smtplib.SMTPConnectError, match="Invalid domain name") as caught:
            connect_smtp(to(server.port))
        assert isinstance(caught.value, OpenError)
        assert "helo_name" in caught.value.hint


def test_a_name_that_was_given_is_the_only_one_that_is_tried() -> None:
    options = {"helo_name": "[192.0.2.7]", "from_address": "ana@example.org"}
    with (
        ScriptServer(any_name(Send(b"501 5.5.4 Invalid domain name\r\n"))) as server,
        pytest.raises(OpenError, match="Invalid domain name"),
    ):
        connect_smtp(to(server.port, **options))
    assert server.lines == [b"ehlo [192.0.2.7]"]


def test_a_refused_name_is_the_last_one() -> None:
    no = Send(b"550 Access denied\r\n")
    with ScriptServer(any_name(no, no)) as server, pytest.raises(OpenError, match="Access denied") as caught:
        connect_smtp(to(server.port, from_address="ana@example.org"))
    assert caught.value.cause == "helo-refused"


def test_a_test_says_as_whom_this_machine_came() -> None:
    with ScriptServer([*any_name(HELLO), Expect(rb"noop"), HELLO, *BYE]) as server:
        report = check(to(server.port, helo_name="notebook.example.org"))
    assert report.stages[3].facts["Introduced as"] == "notebook.example.org"
