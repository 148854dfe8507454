"""Proxies that break the rules: each step of the opening through them ends in time, and nothing leaves that should not."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from hypothesis import given, settings, strategies

from mailconn_jupyter.session.check import check
from mailconn_jupyter.transport.channel import Channel
from mailconn_jupyter.transport.proxy import ProxyRoute, tunnel
from mailconn_jupyter.transport.transport_errors import TransportError
from tests.servers import Certificates
from tests.servers.script import Close, Dribble, Expect, ExpectBytes, ExpectUntil, ScriptServer, Send, Silence, StartTLS
from tests.servers.steps import Step
from tests.support import proxied
from tests.support.isolation import give_password
from tests.support.proxied import failure, through
from tests.support.scripted_proxies import (
    ASKED,
    BANNER,
    GRANTED,
    HELLO,
    HOST,
    PLAIN,
    PORT,
    SESSION,
    SOCKS4_REQUEST,
    SOCKS5_REQUEST,
    failed,
)

no_password_is_left = proxied.no_password_is_left


# What is odd, and allowed


@pytest.mark.parametrize("kind", GRANTED)
@pytest.mark.parametrize("apart", [False, True], ids=["in one segment", "byte by byte"])
def test_a_greeting_right_behind_the_proxys_answer_is_not_lost(kind: str, apart: bool) -> None:
    answer = GRANTED[kind] + BANNER
    steps: list[Step] = [Dribble(answer, interval=0.002)] if apart else [Send(answer)]
    with ScriptServer([*ASKED[kind], *steps, *SESSION]) as proxy:
        assert check(through(proxy, kind, **PLAIN | {"timeout": 5})).ok


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("HTTP", b"HTTP/1.1 200\r\n\r\n"),
        ("HTTP", b"HTTP/1.1 200 \r\n\r\n"),
        ("HTTP", b"HTTP/1.0 200 OK\n\n"),
        # RFC 9110, 9.3.6: what these say of a body does not count for CONNECT.
        ("HTTP", b"HTTP/1.1 204 No Content\r\nContent-Length: 20\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("SOCKS5", b"\x05\x00\x00\x03\xff" + b"x" * 257),
        ("SOCKS5", b"\x05\x00\x00\x03\x00\x00\x00"),
        ("SOCKS5", b"\x05\x00\x00\x04" + b"\0" * 18),
        ("SOCKS4", b"\x00\x5a\xff\xff\xff\xff\xff\xff"),
    ],
)
def test_each_form_of_a_good_answer_opens_the_way(kind: str, answer: bytes) -> None:
    with ScriptServer([*ASKED[kind], Send(answer + BANNER), *SESSION]) as proxy:
        assert check(through(proxy, kind, **PLAIN | {"timeout": 5})).ok


def test_the_proxy_is_asked_for_the_name_and_for_nothing_else() -> None:
    with ScriptServer([ExpectUntil(b"\r\n\r\n"), Close()]) as proxy:
        failure(through(proxy, "HTTP", **PLAIN))
    assert proxy.lines == [b"CONNECT mail.test:2525 HTTP/1.1", b"Host: mail.test:2525", b""]


def test_a_name_in_another_script_goes_to_the_proxy_in_its_ascii_form() -> None:
    with ScriptServer([ExpectUntil(b"\r\n\r\n"), Close()]) as proxy:
        failure(through(proxy, "HTTP", **PLAIN | {"server_host": "bücher.test"}))
    assert proxy.lines[0] == b"CONNECT xn--bcher-kva.test:2525 HTTP/1.1"


# Answers that are none


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (b"\x04\x00", "proxy-bad-reply"),
        (b"220 mail.test\r\n", "proxy-bad-reply"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "proxy-bad-reply"),
        (b"\x05\xff", "proxy-login"),
        (b"\x05\x01", "proxy-login"),
        (b"\x05\x02", "proxy-login"),
        (b"\x05", "proxy-hung-up"),
        (b"", "proxy-hung-up"),
    ],
)
def test_a_bad_answer_to_the_first_word_of_socks5_ends_it(answer: bytes, cause: str) -> None:
    assert failed("SOCKS5", ExpectBytes(3), Send(answer), Close())[:2] == ("connect", cause)


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (b"\x04\x00\x00\x01" + b"\0" * 6, "proxy-bad-reply"),
        (b"\x05\x00\x00\x02" + b"\0" * 6, "proxy-bad-reply"),
        (b"\x05\x00\x00\x00" + b"\0" * 6, "proxy-bad-reply"),
        (b"\x05\x00\x00", "proxy-hung-up"),
        (b"\x05\x00\x00\x01\0\0", "proxy-hung-up"),
        (b"\x05\x00\x00\x03", "proxy-hung-up"),
        (b"\x05\x00\x00\x03\xff" + b"x" * 50, "proxy-hung-up"),
        (b"\x05\x01\x00\x01", "target-unreachable"),
        (b"\x05\x02\x00\x01", "proxy-rules"),
        (b"\x05\x03\x00\x01", "target-unreachable"),
        (b"\x05\x04\x00\x01", "target-unreachable"),
        (b"\x05\x05\x00\x01", "target-unreachable"),
        (b"\x05\x06\x00\x01", "target-unreachable"),
        (b"\x05\x07\x00\x01", "target-unreachable"),
        (b"\x05\xff\x00\x01", "target-unreachable"),
        (b"", "proxy-hung-up"),
    ],
)
def test_a_bad_answer_to_the_request_of_socks5_ends_it(answer: bytes, cause: str) -> None:
    assert failed("SOCKS5", *HELLO, Send(answer), Close())[:2] == ("connect", cause)


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (b"\x04\x5a" + b"\0" * 6, "proxy-bad-reply"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "proxy-bad-reply"),
        (b"\x00\x5a\0\0", "proxy-hung-up"),
        (b"\x00\x5b" + b"\0" * 6, "target-unreachable"),
        (b"\x00\x5c" + b"\0" * 6, "proxy-login"),
        (b"\x00\x5d" + b"\0" * 6, "proxy-login"),
        (b"\x00\x00" + b"\0" * 6, "target-unreachable"),
        (b"", "proxy-hung-up"),
    ],
)
def test_a_bad_answer_of_socks4_ends_it(answer: bytes, cause: str) -> None:
    assert failed("SOCKS4", *ASKED["SOCKS4"], Send(answer), Close())[:2] == ("connect", cause)


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "proxy-login"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "proxy-rules"),
        (b"HTTP/1.1 405\r\n\r\n", "proxy-rules"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "target-unreachable"),
        (b"HTTP/1.1 301 Moved\r\nLocation: http://elsewhere.test/\r\n\r\n", "target-unreachable"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "target-unreachable"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "proxy-bad-reply"),
        (b"HTTP/1.1 20\r\n\r\n", "proxy-bad-reply"),
        (b"HTTP/2 200 OK\r\n\r\n", "proxy-bad-reply"),
        (b"HTTP/1.1 200\rX: y\r\n\r\n", "proxy-bad-reply"),
        (b"\r\n\r\n", "proxy-bad-reply"),
        (b"220 mail.test\r\n", "proxy-bad-reply"),
        (b"HTTP/1.1 200 OK\r\n", "proxy-hung-up"),
        (b"HTTP/1.1 200 OK\r\nX: y", "proxy-hung-up"),
        (b"HTTP/1.1 2", "proxy-hung-up"),
        (b"", "proxy-hung-up"),
        # More than any proxy sends, in one line and in many.
        (b"HTTP/1.1 200 " + b"x" * 100_000, "proxy-bad-reply"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000, "proxy-bad-reply"),
        (b"HTTP/1.1 200 OK\r\n" + b"X-Filler: yes\r\n" * 10_000, "proxy-bad-reply"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_bad_answer_to_connect_ends_it(answer: bytes, cause: str) -> None:
    # It may hang up while the filler is still on its way: what the script cannot send is not looked at.
    with ScriptServer([*ASKED["HTTP"], Send(answer), Close()], strict=len(answer) < 1000) as proxy:
        stage, found, _ = failure(through(proxy, "HTTP", **PLAIN))
    assert (stage, found) == ("connect", cause)
    assert len(proxy.lines) == 3


@pytest.mark.parametrize("kind", GRANTED)
@pytest.mark.parametrize("reset", [False, True], ids=["closes", "resets"])
def test_a_proxy_that_hangs_up_is_told_from_a_server_that_does(kind: str, reset: bool) -> None:
    last = ASKED[kind]
    for steps in ([], last[:1], last[:2], last):
        stage, cause, report = failed(kind, *steps, Close(reset=reset))
        assert stage == "connect"
        # A reset that comes before the connection was seen to be there looks as one that was refused.
        assert cause == "proxy-hung-up" or (reset and not steps and cause == "proxy-unreachable")
        assert "Check the proxy's" in report
    stage, cause, _ = failed(kind, *last, Send(GRANTED[kind]), Close(reset=reset))
    assert (stage, cause) == ("greet", "closed")


def test_a_proxy_that_hangs_up_at_the_login_is_told_from_one_that_refuses_it() -> None:
    give_password("ops", "hunter2", kind="proxy")
    login: list[Step] = [ExpectBytes(4), Send(b"\x05\x02"), ExpectBytes(3 + 3 + 7)]
    for end, cause in (
        ([Send(b"\x01\x01"), Silence()], "proxy-login"),
        ([Send(b"\x01"), Close()], "proxy-hung-up"),
        ([Close()], "proxy-hung-up"),
        ([Silence()], "proxy-silent"),
    ):
        with ScriptServer([*login, *end]) as proxy:
            assert failure(through(proxy, "SOCKS5", "ana", **PLAIN))[:2] == ("connect", cause)


@settings(max_examples=300)
@given(
    kind=strategies.sampled_from(sorted(GRANTED)), cut=strategies.integers(0, 12), noise=strategies.binary(max_size=60)
)
def test_whatever_bytes_come_from_a_proxy_the_way_opens_or_an_error_says_why(kind: str, cut: int, noise: bytes) -> None:
    here, there = socket.socketpair()
    with here, there:
        hello = b"\x05\x00" if kind == "SOCKS5" else b""
        there.sendall((hello + GRANTED[kind])[:cut] + noise)
        there.shutdown(socket.SHUT_WR)
        channel = Channel(here, timeout=5)
        try:
            tunnel(channel, ProxyRoute(kind, "proxy.test", 1), HOST, PORT)
        except TransportError as error:
            cause = error.cause
        else:
            cause = ""
        assert cause in {"", "proxy-hung-up", "proxy-bad-reply", "proxy-login", "proxy-rules", "target-unreachable"}
        if not cause:
            asked = there.recv(1000).removeprefix(b"\x05\x01\x00")
            assert asked in {SOCKS5_REQUEST, SOCKS4_REQUEST} or asked.startswith(b"CONNECT mail.test:2525 ")


# What a proxy puts in between


@pytest.mark.parametrize("kind", GRANTED)
def test_what_a_proxy_says_in_the_servers_place_before_tls_ends_it(kind: str, certificates: Certificates) -> None:
    give_password("ops", "s3cret")
    context = certificates.good.server_context()
    tls: dict[str, Any] = {"use_secure_authentication": True, "username": "alice", "ca_file": str(certificates.ca.pem)}
    starttls: list[Step] = [Expect(rb"ehlo .*"), Send(b"250-mail.test\r\n250 STARTTLS\r\n"), Expect(rb"STARTTLS")]
    way: list[Step] = [*ASKED[kind], Send(GRANTED[kind] + BANNER)]
    # The reply to a command that was not sent yet, together with the last of plain text.
    with ScriptServer([*way, *starttls, Send(b"220 go\r\n250 AUTH PLAIN\r\n")]) as proxy:
        stage, cause, report = failure(through(proxy, kind, **PLAIN | tls))
    assert (stage, cause) == ("secure", "injected")
    assert "tampering" in str(report)
    # In front of TLS from the first byte.
    ssl = {"secure_authentication_type": "SSL"}
    assert failed(kind, *way, **tls | ssl)[:2] == ("secure", "wrong-tls-type")
    # And the same without it.
    session: list[Step] = [StartTLS(context), Expect(rb"ehlo .*"), Send(b"250 AUTH PLAIN\r\n"), Silence()]
    with ScriptServer([*way, *starttls, Send(b"220 go\r\n"), *session]) as proxy:
        assert failure(through(proxy, kind, **PLAIN | tls))[0] == "authenticate"


def test_a_proxy_with_another_certificate_is_found_out(certificates: Certificates) -> None:
    give_password("ops", "s3cret")
    context = certificates.self_signed.server_context()
    way: list[Step] = [*ASKED["HTTP"], Send(GRANTED["HTTP"])]
    with ScriptServer([*way, StartTLS(context, refused=True)], [*way, StartTLS(context)]) as proxy:
        options: dict[str, Any] = {"secure_authentication_type": "SSL", "username": "alice"}
        stage, cause, _ = failure(through(proxy, "HTTP", **PLAIN | {"use_secure_authentication": True} | options))
    assert (stage, cause) == ("secure", "unknown-authority")


def test_the_words_of_a_proxy_move_no_cursor_and_are_no_markup() -> None:
    answer = b"HTTP/1.1 502 \x1b[2J<b>gone</b>\x07\r\n\r\n"
    with ScriptServer([*ASKED["HTTP"], Send(answer)]) as proxy:
        report = failure(through(proxy, "HTTP", **PLAIN))[2]
    assert report.summary.endswith("(502 [2J<b>gone</b>).")
    assert "&lt;b&gt;gone" in report._repr_html_()
