"""Sending through Microsoft Graph: a token, a message, and what became of it."""

from __future__ import annotations

import os
import smtplib
import threading
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from typing import Any

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.credentials import resolve
from mailconn_jupyter.errors import OpenError, OptionError
from mailconn_jupyter.message.compose import compose
from mailconn_jupyter.message.mime.wire_format import as_bytes
from mailconn_jupyter.session.check import check
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.graph.errors import NoEnvelope, Refused
from mailconn_jupyter.session.graph.session import GraphSession
from tests.servers import Certificates
from tests.servers.graph import Answer, Cut, GraphServer, Wait, answer, error, html, options_for
from tests.support.isolation import give_password
from tests.support.leaks import holds_no_text

TOKEN = "eyJ0eXAiOiJKV1QiLCJub25jZSI6Ij.graph-test-token.c2lnbmF0dXJl"


@pytest.fixture
def graph(certificates: Certificates) -> Iterator[GraphServer]:
    with GraphServer(certificates.good.server_context(), TOKEN) as server:
        yield server


def to_graph(graph: GraphServer, certificates: Certificates, **options: Any) -> MailConnection:
    """A connection to it, with a token that was brought by hand."""
    give_password("ops", TOKEN)
    return MailConnection(**options_for(graph, certificates, **options))


def letter(**more: Any) -> EmailMessage:
    given: dict[str, Any] = {"to": "bea@example.org", "sender": "ana@company.example"} | more
    return compose(given.pop("to"), "Выручка, неделя 47", "Three things moved:", **given)


@pytest.fixture
def connection(graph: GraphServer, certificates: Certificates) -> MailConnection:
    return to_graph(graph, certificates)


# Opening


def test_a_test_goes_through_the_stages_and_sends_nothing(graph: GraphServer, connection: MailConnection) -> None:
    report = check(connection)
    assert report.ok, str(report)
    assert [(stage.name, stage.outcome) for stage in report.stages] == [
        ("resolve", "ok"),
        ("connect", "ok"),
        ("secure", "ok"),
        ("greet", "skipped"),
        ("authenticate", "ok"),
        ("ready", "ok"),
    ]
    assert report.stages[4].facts == {
        "Mechanism": "Bearer",
        "User": "ana@company.example",
        "Mailbox": "/me",
        "Secret from": "this kernel",
    }
    assert report.stages[5].facts["Largest message"].startswith("3.0 MB as it is")
    assert graph.sent == []
    assert len(graph.asked) == 1
    assert report.transcript == [
        "C: POST /v1.0/me/sendMail (no message: only whether one would be taken)",
        "S: 400 ErrorMimeContentInvalidBase64String: Invalid base64 string for MIME content.",
    ]


def test_a_server_that_hung_up_while_the_token_was_asked_for_is_asked_over_another_link(
    graph: GraphServer, connection: MailConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(*args: Any, **options: Any) -> Any:
        assert graph.gave_up.wait(30)
        graph.patience = None
        return resolve(*args, **options)

    graph.patience = 2
    monkeypatch.setattr("mailconn_jupyter.session.opening.login_secret.resolve", slowly)
    report = check(connection)
    assert report.ok, str(report)
    assert len(graph.asked) == 1


@pytest.mark.parametrize(
    ("change", "stage", "cause", "hint"),
    [
        ({"server_host": "nowhere.invalid"}, "resolve", "host-unknown", "Check the spelling"),
        ({"server_port": 1}, "connect", "refused", "usual: 443"),
        ({"ca_file": ""}, "secure", "unknown-authority", "localhost=sha256:"),
    ],
)
def test_each_stage_that_fails_says_why(
    change: dict[str, Any], stage: str, cause: str, hint: str, graph: GraphServer, certificates: Certificates
) -> None:
    report = check(to_graph(graph, certificates, **change))
    assert report.failed is not None
    assert (report.failed.name, report.failed.cause) == (stage, cause)
    assert hint in report.failed.hint
    assert graph.asked == []


def test_a_certificate_of_an_unknown_authority_can_be_pinned(graph: GraphServer, certificates: Certificates) -> None:
    report = check(to_graph(graph, certificates, ca_file=""))
    assert report.pin == f"localhost=sha256:{certificates.good.sha256}"
    assert check(to_graph(graph, certificates, ca_file="", trusted_hosts=report.pin)).ok


@pytest.mark.parametrize(
    ("said", "cause", "words"),
    [
        (error(401, "InvalidAuthenticationToken", "Access token has expired."), "token-refused", "has expired"),
        (error(403, "ErrorAccessDenied", "Access is denied."), "no-permission", "ErrorAccessDenied: Access is denied."),
        (error(403, "ErrorSendAsDenied", "No permission."), "foreign-sender", "ErrorSendAsDenied"),
        (error(404, "MailboxNotEnabledForRESTAPI", "Inactive."), "no-mailbox", "MailboxNotEnabledForRESTAPI"),
        (error(400, "BadRequest", "/me request is only valid with delegated authentication flow."), "app-only", "/me"),
        (html(200), "bad-reply", "200 text/html instead of Graph's reply"),
        (html(502), "bad-reply", "502 text/html instead of Graph's reply"),
        (answer(202), "bad-reply", "202 nothing instead of Graph's reply"),
        (answer(200, value=[]), "bad-reply", "200 application/json instead of Graph's reply"),
        (error(429, "ApplicationThrottled", "Too many.", Retry_After="3600"), "rate-limited", "ApplicationThrottled"),
    ],
)
def test_what_graph_says_to_the_token_is_told_with_what_helps(
    said: Any, cause: str, words: str, certificates: Certificates
) -> None:
    class Odd(GraphServer):
        def _scripted(self, asked: Any, data: bytes) -> Any:
            return said

    with Odd(certificates.good.server_context(), TOKEN) as graph:
        report = check(to_graph(graph, certificates))
    assert report.failed is not None
    assert (report.failed.name, report.failed.cause) == ("authenticate", cause)
    assert words in report.failed.message
    assert report.failed.hint or cause == "refused-by-server"
    assert len(graph.asked) == 1


def test_no_redirect_is_followed_with_the_token(graph: GraphServer, certificates: Certificates) -> None:
    moved = answer(307, headers={"Location": f"https://localhost:{graph.port}/v1.0/me/sendMail"})

    class Moved(GraphServer):
        def _scripted(self, asked: Any, data: bytes) -> Any:
            return moved

    with Moved(certificates.good.server_context(), TOKEN) as first:
        report = check(to_graph(first, certificates))
    assert report.failed is not None
    assert "no token is sent" in report.failed.message
    assert graph.asked == []


def test_an_app_without_a_user_sends_as_the_mailbox_that_the_username_names(
    graph: GraphServer, certificates: Certificates
) -> None:
    graph.app_only = True
    report = check(to_graph(graph, certificates))
    assert report.failed is not None
    assert report.failed.hint == "The token belongs to the app itself: set oauth_flow to client_credentials."
    with connect(to_graph(graph, certificates, oauth_flow="client_credentials")) as session:
        session.send_message(letter())
    assert [one.path for one in graph.asked[1:]] == ["/v1.0/users/ana@company.example/sendMail"] * 2


# Sending


def test_a_small_message_arrives_byte_for_byte(graph: GraphServer, connection: MailConnection) -> None:
    message = letter(cc="Ана <ana@bücher.example>", bcc="carl@example.org", attachments={"a.bin": bytes(range(256))})
    with connect(connection) as session:
        assert session.send_message(message) == {}
    (sent,) = graph.sent
    assert sent.mime == as_bytes(message, utf8=False, eight_bit=True, bcc=True)
    assert b"\r\nBcc: carl@example.org\r\n" in sent.mime
    assert b"xn--bcher-kva.example" in sent.mime
    # What was given keeps its Bcc, and by SMTP it would go without.
    assert b"Bcc" not in as_bytes(message, utf8=False, eight_bit=True)


def test_serialised_bytes_arrive_as_they_are(graph: GraphServer, connection: MailConnection) -> None:
    data = b"From: ana@company.example\r\nTo: bea@example.org\r\nSubject: x\r\n\r\n.\r\n\xc3\xa4 no end"
    with connect(connection) as session:
        session.sendmail("ana@company.example", ["bea@EXAMPLE.org"], data)
    assert graph.sent[0].mime == data


def test_the_largest_message_that_goes_whole_is_one_request(graph: GraphServer, connection: MailConnection) -> None:
    head = b"From: ana@company.example\r\nTo: bea@example.org\r\n\r\n"
    data = head + b"x" * (3_000_000 - len(head))
    with connect(connection) as session:
        session.sendmail("ana@company.example", "bea@example.org", data)
        assert graph.count("POST", "/sendMail") == 1
        assert graph.asked[-1].size == 4_000_000
        with pytest.raises(mailconn.MessageError, match=r"its text alone is 3\.0 MB"):
            session.sendmail("ana@company.example", "bea@example.org", data + b"x")
    assert len(graph.sent) == 1
    assert graph.drafts == {}


def test_send_reports_that_all_were_accepted_by_graph(graph: GraphServer, connection: MailConnection) -> None:
    report = mailconn.send(
        connection, ["bea@example.org", "carl@example.org"], "Churn", "Three things.", bcc="d@example.org"
    )
    assert [(one.recipient, one.outcome) for one in report.outcomes] == [
        ("bea@example.org", "accepted"),
        ("carl@example.org", "accepted"),
        ("d@example.org", "accepted"),
    ]
    assert report.summary.startswith("Sent by Graph: 'Churn', ")
    assert report.summary.endswith(
        ", to bea@example.org, carl@example.org, d@example.org (Graph answers for all at once)"
    )
    assert b"\r\nFrom: ana@company.example\r\n" in graph.sent[0].mime


def test_an_open_session_is_a_target_and_stays_open(graph: GraphServer, connection: MailConnection) -> None:
    with connect(connection) as session:
        for number in range(2):
            assert mailconn.send(session, "bea@example.org", f"Number {number}", "text")
        session.noop()
    assert len(graph.sent) == 2
    with pytest.raises(mailconn.DeliveryError, match="The session is not open"):
        mailconn.send(session, "bea@example.org", "Late", "text")
    assert repr(session) == "<session of 'ops' with Microsoft Graph, not an smtplib.SMTP, closed>"


# There is no envelope


@pytest.mark.parametrize(
    ("sender", "recipients", "words"),
    [
        (
            "ana@company.example",
            ["bea@example.org", "eve@example.org"],
            "eve@example.org is in none of To, Cc and Bcc.",
        ),
        (
            "ana@company.example",
            ["carl@example.org"],
            "bea@example.org is in the message's headers, and would receive it",
        ),
        (
            "ana@company.example",
            ["bea@example.org"],
            "carl@example.org is in the message's headers, and would receive it",
        ),
        (
            "bounces@company.example",
            ["bea@example.org", "carl@example.org"],
            "The sender bounces@company.example is not",
        ),
        ("", ["bea@example.org", "carl@example.org"], "The sender <> is not that of the message"),
    ],
)
def test_another_envelope_than_the_headers_is_refused_before_anything_is_sent(
    sender: str, recipients: list[str], words: str, graph: GraphServer, connection: MailConnection
) -> None:
    message = letter(to=["bea@example.org", "carl@example.org"])
    with connect(connection) as session:
        before = len(graph.asked)
        ways: list[Callable[[], object]] = [
            lambda: session.sendmail(sender, recipients, message.as_bytes()),
            lambda: session.send_message(message, sender, recipients),
        ]
        for send in ways:
            with pytest.raises(NoEnvelope) as caught:
                send()
            assert words in caught.value.message
            assert "there is no separate envelope" in caught.value.hint
        with pytest.raises(NoEnvelope, match="'NOTIFY=NEVER' is for an envelope"):
            session.send_message(message, rcpt_options=["NOTIFY=NEVER"])
    assert len(graph.asked) == before


def test_a_message_that_is_sent_again_does_not_go_to_those_who_have_it(
    graph: GraphServer, connection: MailConnection
) -> None:
    message = letter()
    message["Resent-Date"] = "Mon, 23 Nov 2026 10:00:00 +0000"
    message["Resent-From"] = "ana@company.example"
    message["Resent-To"] = "eve@example.org"
    with connect(connection) as session, pytest.raises(NoEnvelope, match="Resent-To"):
        session.send_message(message)
    assert graph.sent == []


def test_a_message_without_a_sender_gets_the_connections(graph: GraphServer, certificates: Certificates) -> None:
    message = EmailMessage()
    message["To"] = "bea@example.org"
    with connect(to_graph(graph, certificates, from_address="Ана <ana@company.example>")) as session:
        session.send_message(message)
    assert message["From"] is None
    assert b"<ana@company.example>" in graph.sent[0].mime


def test_a_message_to_nobody_is_refused(connection: MailConnection) -> None:
    message = EmailMessage()
    message["From"] = "ana@company.example"
    with connect(connection) as session, pytest.raises(mailconn.MessageError, match="has no recipient"):
        session.send_message(message)


# Outcomes


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        (
            error(400, "ErrorInvalidRecipients", "At least one recipient is not valid."),
            400,
            "ErrorInvalidRecipients: At",
        ),
        (error(403, "ErrorAccessDenied", "Access is denied."), 403, "ErrorAccessDenied: Access is denied."),
        (error(403, "ErrorSendAsDenied", "No permission to send as."), 403, "ErrorSendAsDenied: No permission"),
        (error(403, "ErrorMessageSubmissionBlocked", "Blocked."), 403, "ErrorMessageSubmissionBlocked: Blocked."),
        (html(403), 403, "text/html instead of Graph's reply"),
        (answer(400, error="a text"), 400, "application/json instead of Graph's reply"),
        (answer(308, headers={"Location": "https://eve.example/"}), 308, "no token is sent"),
    ],
)
def test_a_refusal_is_for_all_and_is_not_tried_again(
    said: Any, code: int, words: str, graph: GraphServer, connection: MailConnection
) -> None:
    graph.script["POST sendMail"] = [said]
    with pytest.raises(mailconn.DeliveryError) as caught:
        mailconn.send(connection, ["bea@example.org", "carl@example.org"], "Churn", "text")
    for outcome in caught.value.report.outcomes:
        assert (outcome.outcome, outcome.code, outcome.temporary) == ("refused", code, False)
        assert words in outcome.words
    assert graph.count("POST", "/sendMail") == 1
    assert graph.sent == []


@pytest.mark.parametrize("status", [429, 503])
def test_graph_is_left_alone_for_as_long_as_it_asks_and_then_asked_again(
    status: int, graph: GraphServer, connection: MailConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("mailconn_jupyter.transport.deadline.Limit.sleep", lambda _, seconds: slept.append(seconds))
    graph.script["POST sendMail"] = [
        error(status, "Busy", "Later.", Retry_After="7"),
        error(status, "Busy", "Later."),
        html(status),
    ]
    assert mailconn.send(connection, "bea@example.org", "Churn", "text")
    assert slept == [7.0, 2.0, 4.0]
    assert len(graph.sent) == 1


def test_a_server_that_wants_to_be_asked_again_at_once_is_not_asked_without_a_pause(
    graph: GraphServer, connection: MailConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("mailconn_jupyter.transport.deadline.Limit.sleep", lambda _, seconds: slept.append(seconds))
    graph.script["POST sendMail"] = [error(429, "Busy", "Later.", Retry_After="0")] * 100
    with pytest.raises(mailconn.DeliveryError):
        mailconn.send(connection, "bea@example.org", "Churn", "text")
    assert slept == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]


def test_a_wait_that_is_longer_than_the_deadline_is_a_refusal_for_the_moment(
    graph: GraphServer, certificates: Certificates
) -> None:
    graph.script["POST sendMail"] = [error(429, "ApplicationThrottled", "Too many.", Retry_After="300")]
    with pytest.raises(mailconn.DeliveryError) as caught:
        mailconn.send(to_graph(graph, certificates, deadline=30), "bea@example.org", "Churn", "text")
    (outcome,) = caught.value.report.outcomes
    assert (outcome.outcome, outcome.code, outcome.temporary) == ("refused", 429, True)
    assert graph.count("POST", "/sendMail") == 1


@pytest.mark.parametrize(
    "what", [Cut(), Cut(done=True), html(200), html(502), error(500, "ErrorInternalServerError", "?")]
)
def test_a_reply_that_got_lost_is_unknown_and_there_was_one_request_in_all(
    what: Any, graph: GraphServer, connection: MailConnection
) -> None:
    graph.script["POST sendMail"] = [what]
    with pytest.raises(mailconn.DeliveryError) as caught:
        mailconn.send(connection, ["bea@example.org", "carl@example.org"], "Churn", "text")
    assert caught.value.report.unknown == ("bea@example.org", "carl@example.org")
    assert "it may arrive twice" in caught.value.hint
    assert graph.count("POST", "/sendMail") == 1


def test_a_link_that_breaks_before_all_has_left_leaves_nobody_in_doubt(
    graph: GraphServer, connection: MailConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect(connection) as session:
        graph._server.shutdown()
        graph._server.server_close()
        with pytest.raises(mailconn.LinkLost) as caught:
            session.send_message(letter())
    assert not isinstance(caught.value, mailconn.DeliveryUnknown)
    assert graph.sent == []


def test_a_server_that_never_answers_is_bounded_by_the_deadline_and_a_cancel(
    graph: GraphServer, certificates: Certificates
) -> None:
    never = threading.Event()
    graph.script["POST sendMail"] = [Wait(never), Wait(never)]
    with (
        connect(to_graph(graph, certificates, timeout=3, deadline=3)) as session,
        pytest.raises(mailconn.DeliveryUnknown, match=r"no answer within"),
    ):
        session.send_message(letter())
    cancel = threading.Event()
    called_off = GraphSession(connection=to_graph(graph, certificates), cancel=cancel)
    timer = threading.Timer(0.2, cancel.set)
    timer.start()
    with pytest.raises(mailconn.DeliveryUnknown, match="cancelled"):
        called_off.send_message(letter())
    timer.join()
    with pytest.raises(mailconn.LinkLost, match="cancelled") as caught:
        called_off.send_message(letter())
    assert not isinstance(caught.value, mailconn.DeliveryUnknown)
    never.set()


def test_a_cancelled_test_ends_at_once(certificates: Certificates) -> None:
    never, cancel = threading.Event(), threading.Event()

    class Silent(GraphServer):
        def _scripted(self, asked: Any, data: bytes) -> Any:
            cancel.set()
            never.wait(60)

    with Silent(certificates.good.server_context(), TOKEN) as graph:
        report = check(to_graph(graph, certificates), cancel=cancel)
        never.set()
    assert report.failed is not None
    assert (report.failed.name, report.failed.cause) == ("authenticate", "cancelled")


# Many at once


def test_threads_share_a_session_and_ask_three_questions_at_once(
    graph: GraphServer, connection: MailConnection
) -> None:
    go = threading.Event()
    graph.script["POST sendMail"] = [Wait(go)] * 8
    with connect(connection) as session:
        threads = [threading.Thread(target=session.send_message, args=(letter(),)) for _ in range(8)]
        for thread in threads:
            thread.start()
        while graph.count("POST", "/sendMail") < 3:
            time.sleep(0.01)
        threads[-1].join(0.2)  # for others that would not wait for their turn
        go.set()
        for thread in threads:
            thread.join()
    assert len(graph.sent) == 8
    assert graph.most_at_once == 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_of_a_fork_sends_over_links_of_its_own(graph: GraphServer, connection: MailConnection) -> None:
    never = threading.Event()
    with connect(connection) as session:
        graph.script["POST sendMail"] = [Wait(never)] * 3
        busy = [threading.Thread(target=session.send_message, args=(letter(),)) for _ in range(3)]
        for thread in busy:
            thread.start()
        while graph.count("POST", "/sendMail") < 3:
            time.sleep(0.01)
        # All places of the parent's are taken; the child has its own.
        if (child := os.fork()) == 0:
            try:
                session.send_message(letter())
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert len(graph.sent) == 1
        never.set()
        for thread in busy:
            thread.join()
    assert len(graph.sent) == 4


# What it is not


def test_a_session_says_that_it_is_no_smtp_and_connect_smtp_refuses_it(connection: MailConnection) -> None:
    with connect(connection) as session:
        assert type(session) is GraphSession
        assert not isinstance(session, smtplib.SMTP)
        with pytest.raises(
            AttributeError, match=r"no attribute 'ehlo'. A session with Microsoft Graph is not an smtplib.SMTP."
        ):
            session.ehlo()
        with pytest.raises(AttributeError, match=r"no attribute 'sned_message'\.$"):
            session.sned_message  # noqa: B018  # that is what is told
    with pytest.raises(OptionError) as caught:
        mailconn.connect_smtp(connection)
    assert caught.value.hint == "connect_graph() opens it. Its session sends, but is not an smtplib.SMTP."
    with mailconn.connect_graph(connection) as mine:
        assert mine.client.ready
    with pytest.raises(OptionError, match="GRAPH sends mail; it cannot read any"):
        next(mailconn.messages(connection))


def test_connect_graph_without_a_name_means_the_connection_that_sends(connection: MailConnection) -> None:
    mailconn.connections.save(connection)
    mailconn.connections.save(MailConnection(name="inbox", protocol="IMAP", server_host="imap.example.org"))
    with mailconn.connect_graph() as mine:
        assert mine.connection is not None
        assert mine.connection.name == "ops"


# No token anywhere


def test_the_token_is_in_no_transcript_error_or_traceback(graph: GraphServer, connection: MailConnection) -> None:
    with connect(connection) as session:
        graph.script["POST sendMail"] = [
            error(400, "ErrorInvalid", "What is {token} for?"),
            Cut(),
            error(401, "InvalidAuthenticationToken", "Not {token}."),
            error(401, "InvalidAuthenticationToken", "Not {token}."),
        ]
        seen = [repr(session), repr(vars(session)), repr(vars(session.client))]
        for kind in (Refused, mailconn.DeliveryUnknown, Refused):
            with pytest.raises(kind) as caught:
                session.send_message(letter())
            holds_no_text(caught.value, TOKEN)
            seen += [str(caught.value), repr(caught.value.args), repr(vars(caught.value))]
        seen += session.transcript
    assert sum("What is Bearer ******** for?" in text for text in seen) > 1
    assert [text for text in seen if TOKEN in text] == []


@pytest.mark.parametrize("way", ["escaped", "escaped slashes", "as the content's type", "as a key", "deep"])
def test_a_token_that_a_server_says_back_in_whatever_form_is_shown_as_stars(
    way: str, graph: GraphServer, connection: MailConnection
) -> None:
    token = "EwB4A8l6BAAUkj1NuJYtTVha/Mogk+HEiPbQo04AAW0JHGhU9"
    give_password("ops", token)
    graph.tokens = {token}
    escaped = "".join(f"\\u{ord(sign):04x}" for sign in token)
    said = token.replace("/", "\\/") if way == "escaped slashes" else escaped
    body = f'{{"error": {{"code": "ErrorInvalid", "message": "What is {said} for?"}}}}'
    kind = "application/json"
    if way == "as the content's type":
        body, kind = "no JSON", token
    elif way == "as a key":
        body = f'{{"{said}": 1, "error": {{"code": "{said}", "message": ""}}}}'
    elif way == "deep":
        body = f'{{"error": {{"code": "ErrorInvalid", "message": "{said}", "more": {"[" * 50}"{said}"{"]" * 50}}}}}'
    with connect(connection) as session:
        graph.script["POST sendMail"] = [
            Answer(400, body.encode(), kind, {"Location": f"https://x.example/?t={token}"})
        ]
        with pytest.raises(Refused, match=r"\*{8}") as caught:
            session.send_message(letter())
        holds_no_text(caught.value, token)
        assert token not in f"{caught.value}{caught.value.args}{vars(caught.value)}{session.transcript}"


def test_a_token_that_no_header_can_carry_is_an_error_of_ours(connection: MailConnection) -> None:
    give_password("ops", "ключ-от-ящика")
    with pytest.raises(OpenError, match="contains a character that no token can have") as caught:
        connect(connection)
    assert (caught.value.stage, caught.value.cause) == ("authenticate", "token-refused")
    holds_no_text(caught.value, "ключ")
