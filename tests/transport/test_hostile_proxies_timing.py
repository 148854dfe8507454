"""A proxy that is silent or slow ends at the time that was set, and the report says who kept it waiting."""

from __future__ import annotations

import threading
import time

import pytest

from mailconn_jupyter.session.check import check
from tests.servers.script import Dribble, ScriptServer, Send, Silence
from tests.servers.steps import Step
from tests.support import proxied
from tests.support.proxied import failure, through
from tests.support.scripted_proxies import ASKED, GRANTED, HELLO, PLAIN, failed

no_password_is_left = proxied.no_password_is_left


@pytest.mark.parametrize("kind", GRANTED)
def test_a_silent_proxy_ends_at_the_timeout_with_a_hint_at_its_type(kind: str) -> None:
    started = time.monotonic()
    stage, cause, report = failed(kind, Silence())
    assert (stage, cause) == ("connect", "proxy-silent")
    assert "Check the proxy's type" in report
    assert 0.45 < time.monotonic() - started < 10


def test_a_socks5_proxy_that_waits_for_the_server_is_not_blamed_itself() -> None:
    stage, cause, report = failed("SOCKS5", *HELLO, Silence())
    assert (stage, cause) == ("connect", "target-unreachable")
    assert "could not reach the server" in report


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("SOCKS5", GRANTED["SOCKS5"]),
        ("SOCKS5", b"\x05\x00\x00\x03\xff" + b"x" * 257),
        ("SOCKS4", GRANTED["SOCKS4"]),
        ("HTTP", b"HTTP/1.1 200 " + b"x" * 200),
        ("HTTP", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50),
    ],
    ids=lambda value: repr(value)[:30],
)
@pytest.mark.parametrize("which", ["timeout", "deadline"])
def test_a_proxy_that_dribbles_ends_at_the_time_that_was_set(kind: str, answer: bytes, which: str) -> None:
    set_to = 0.4
    limits = {"timeout": 5.0, "deadline": 5.0, which: set_to}
    with ScriptServer([*ASKED[kind], Dribble(answer, interval=0.13)], strict=False) as proxy:
        started = time.monotonic()
        stage, cause, _ = failure(through(proxy, kind, **PLAIN | limits))
        taken = time.monotonic() - started
    assert (stage, cause) == ("connect", "target-unreachable" if kind == "SOCKS5" else "proxy-silent")
    assert set_to * 0.9 < taken < set_to * 1.1 + 0.4


@pytest.mark.parametrize("kind", GRANTED)
@pytest.mark.parametrize("last", [Silence(), Dribble(b"\x05" * 300, interval=1.0)], ids=["silent", "dribbling"])
def test_a_test_through_a_silent_or_dribbling_proxy_can_be_cancelled(kind: str, last: Step) -> None:
    cancel = threading.Event()
    # The longest of all answers: a name that is coming.
    before: list[Step] = [*HELLO, Send(b"\x05\x00\x00\x03\xff")] if kind == "SOCKS5" else []
    with ScriptServer([*before, last] if isinstance(last, Dribble) else [last], strict=False) as proxy:
        threading.Timer(0.2, cancel.set).start()
        started = time.monotonic()
        report = check(through(proxy, kind, **PLAIN | {"timeout": 30}), cancel=cancel)
    assert report.failed is not None
    assert report.failed.cause == "cancelled"
    assert time.monotonic() - started < 10
