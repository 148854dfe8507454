"""A session that outlives its token, and a network that fails while it is renewed: the next message heals both."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest

from mailconn_jupyter import connections, send, sign_out
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.credentials import remember
from mailconn_jupyter.credentials.oauth import access_tokens, metadata
from mailconn_jupyter.delivery.kept_sessions import KEPT
from mailconn_jupyter.errors import OpenError
from mailconn_jupyter.message.compose import compose
from mailconn_jupyter.session.check import check
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.smtp.errors import SenderRefused
from tests.servers import ScriptServer
from tests.servers.odd_issuer import OddIssuer, page, said
from tests.servers.steps import Close, Expect, ExpectUntil, Send, Silence, Step


@pytest.fixture(autouse=True)
def cold_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_tokens, "_held", {})
    monkeypatch.setattr(metadata, "_known", {})
    monkeypatch.setattr("mailconn_jupyter.credentials.oauth.questions._PAUSES", (0.01, 0.01))


def tokens(number: int) -> dict[str, Any]:
    return {"access_token": f"at-{number}", "refresh_token": f"rt-{number}", "expires_in": 60, "token_type": "Bearer"}


def login(token: str) -> list[Step]:
    """A login with exactly this token."""
    response = base64.b64encode(f"user=ana\x01auth=Bearer {token}\x01\x01".encode())
    return [
        Send(b"220 mail.test\r\n"),
        Expect(rb"(?i)ehlo .*"),
        Send(b"250-mail.test\r\n250 AUTH XOAUTH2\r\n"),
        Expect(rb"AUTH XOAUTH2 " + response.replace(b"+", rb"\+")),
        Send(b"235 2.7.0 ok\r\n"),
    ]


DELIVERY: Sequence[Step] = (
    Expect(rb"(?i)mail from:.*"),
    Send(b"250 ok\r\n"),
    Expect(rb"(?i)rcpt to:.*"),
    Send(b"250 ok\r\n"),
    Expect(rb"(?i)data"),
    Send(b"354 go\r\n"),
    ExpectUntil(b"\r\n.\r\n"),
    Send(b"250 2.0.0 taken\r\n"),
)
FAREWELL: Sequence[Step] = (Expect(rb"(?i)quit"), Send(b"221 bye\r\n"), Close())


def connection(issuer: OddIssuer, port: int) -> MailConnection:
    remember("ops", "rt-0", kind="refresh")
    return MailConnection(
        name="ops",
        server_host="127.0.0.1",
        server_port=port,
        use_secure_authentication=False,
        username="ana",
        oauth_issuer=issuer.url,
        oauth_client_id="mailconn",
    )


def message() -> Any:
    return compose("bea@example.org", "Churn", "Three things moved.", sender="ana@example.org")


def test_a_server_that_wants_a_login_anew_gets_one_with_a_new_token() -> None:
    first = [*login("at-1"), *DELIVERY, Expect(rb"(?i)mail from:.*"), Send(b"530 5.7.57 Client not authenticated\r\n")]
    second = [*login("at-2"), *DELIVERY, *FAREWELL]
    with (
        OddIssuer(token=[said(**tokens(1)), said(**tokens(2))]) as issuer,
        ScriptServer([*first, Expect(rb"(?i)rset|quit"), Close()], second, strict=False) as server,
        connect(connection(issuer, server.port)) as smtp,
    ):
        for _ in range(2):
            smtp.send_message(message())
    assert server.connections == 2
    assert [fields["refresh_token"] for _, fields in issuer.asked] == ["rt-0", "rt-1"]
    assert sum(line.upper() == b"DATA" for line in server.lines) == 2


def test_who_signs_out_leaves_no_session_that_waits_for_the_next_message() -> None:
    script = [*login("at-1"), *DELIVERY, *DELIVERY, *FAREWELL]
    with OddIssuer(token=[said(**tokens(1))], revoke=[said()]) as issuer, ScriptServer(script) as server:
        connections.save(connection(issuer, server.port))
        for _ in range(2):
            assert send("ops", "bea@example.org", "Churn", "Three things moved.", sender="ana@example.org").ok
        sign_out("ops")
        assert server.lines[-1].upper() == b"QUIT"
        assert KEPT._idle == {}


def test_who_does_not_sign_in_is_told_at_once_that_a_login_is_wanted() -> None:
    script = [
        Send(b"220 mail.test\r\n"),
        Expect(rb"(?i)ehlo .*"),
        Send(b"250 mail.test\r\n"),
        Expect(rb"(?i)mail from:.*"),
        Send(b"530 5.7.0 Authentication required\r\n"),
    ]
    plain: dict[str, Any] = {"server_host": "127.0.0.1", "use_secure_authentication": False}
    with ScriptServer(script, strict=False) as server:
        smtp = connect(MailConnection(name="ops", server_port=server.port, **plain))
        with pytest.raises(SenderRefused):
            smtp.send_message(message())
        smtp.close()
    assert server.connections == 1


def test_a_network_that_failed_while_renewing_does_not_end_the_session() -> None:
    closing = [*login("at-1"), *DELIVERY, Close()]
    greeted = [*login("at-2")[:3], Close()]
    third = [*login("at-2"), *DELIVERY, *FAREWELL]
    with (
        OddIssuer(token=[said(**tokens(1)), page(503), page(503), page(503), said(**tokens(2))]) as issuer,
        ScriptServer(closing, greeted, third, strict=False) as server,
        connect(connection(issuer, server.port)) as smtp,
    ):
        smtp.send_message(message())
        _until_closed(smtp)
        with pytest.raises(OpenError) as caught:
            smtp.send_message(message())
        assert caught.value.cause == "sign-in-unreachable"
        smtp.send_message(message())
    assert server.connections == 3


@pytest.mark.parametrize("called_off", [False, True])
def test_an_issuer_that_never_answers_is_awaited_no_longer_than_the_opening_may_take(called_off: bool) -> None:
    cancel = threading.Event()
    with ScriptServer([ExpectUntil(b"\r\n\r\n"), Silence()], strict=False) as silent:
        metadata_of = OddIssuer({"token_endpoint": f"http://127.0.0.1:{silent.port}/token"})
        with metadata_of as issuer, ScriptServer(login("at-1")[:3], strict=False) as server:
            given = connection(issuer, server.port).copy(deadline=60 if called_off else 1.5, name="ops")
            timer = threading.Timer(1.0, cancel.set)
            if called_off:
                timer.start()
            report = check(given, cancel=cancel, ask=False)
            timer.cancel()
    failed = report.failed
    assert failed is not None
    assert (failed.name, failed.cause) == ("authenticate", "cancelled" if called_off else "sign-in-unreachable")
    assert "127.0.0.1" in failed.message or called_off


def _until_closed(smtp: object) -> None:
    end = time.monotonic() + 5
    while not smtp.link.sock.hung_up and time.monotonic() < end:  # type: ignore[attr-defined]
        time.sleep(0.01)
