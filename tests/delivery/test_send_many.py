"""``send_many()``: what arrives, what is said of each message, what is tried again, and how a batch ends."""

from __future__ import annotations

import email.policy
import os
import random
import re
import signal
import smtplib
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter import DeliveryReport, MailConnection, connections
from mailconn_jupyter.delivery.kept_sessions import KEPT
from mailconn_jupyter.delivery.many import asked, batch as batch_module, courier
from mailconn_jupyter.delivery.many.advance import Progress
from mailconn_jupyter.delivery.many.many_report import Delivery
from mailconn_jupyter.discovery.sending_limits import SendingLimits
from mailconn_jupyter.errors import MailConnError, MailConnWarning, MessageError, OpenError, OptionError
from tests.servers.certificates import Certificates
from tests.servers.counting import CountingServer, Fickle, Moody, Watched
from tests.servers.pipelining import BOTH, GROUPED, PipeliningServer
from tests.servers.ports import free_ports
from tests.servers.postfix import Postfix
from tests.servers.relay import Cut, Drop, Relay
from tests.session.test_forks import ended
from tests.support.batches import arrived, judge, letter, letters, to
from tests.support.isolation import give_password
from tests.support.shells import Kernel, Shell, clean_up, interrupt_after, interrupt_when, kernel, shell

__all__ = ["clean_up", "kernel", "shell"]

send_many = mailconn.send_many
ALICE = "alice@example.test"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries after a hundredth of the time."""
    monkeypatch.setattr(batch_module, "_PAUSES", (0.01, 0.02, 0.05))
    monkeypatch.setattr(courier, "_PAUSES", (0.0, 0.01, 0.02, 0.05, 0.05, 0.05))


SEED, CUTS = 20251126, 8
#: What the server offers, the connections, and the window.
MODES: dict[str, tuple[tuple[str, ...], int, int]] = {
    "one at a time": ((), 2, 1),
    "grouped DATA": (GROUPED, 3, 1),
    "BDAT": (BOTH, 2, 8),
}


def outcomes(report: DeliveryReport) -> Counter[str]:
    return Counter(row.outcome for row in report.deliveries)


def of(report: DeliveryReport, index: int) -> list[tuple[str, str, int, int]]:
    """Recipient, outcome, code and tries of one message."""
    return [(row.recipient, row.outcome, row.code, row.tries) for row in report.deliveries if row.index == index]


# What arrives


def test_each_message_of_a_generator_arrives_once_over_several_sessions(
    postfix: Postfix, certificates: Certificates
) -> None:
    batch = uuid.uuid4().hex
    connection = to(
        postfix.smtps,
        use_authentication=True,
        username="alice",
        from_address="alice@example.test",
        use_secure_authentication=True,
        secure_authentication_type="SSL",
        ca_file=str(certificates.ca.pem),
    )
    give_password("ops", "s3cret")
    opened = threading.Event()

    def made() -> Iterator[EmailMessage]:
        for number in range(60):
            yield mailconn.compose("alice@example.test", f"{batch} {number}.", "." * 3000, sender="alice@example.test")
            opened.set()

    report = send_many(connection, made())
    assert report, report
    assert report.counts == {"accepted": 60}
    for number in range(60):
        postfix.wait_for("alice", f"Subject: {batch} {number}.\n")
    found = [raw for raw in postfix.mailbox("alice") if batch.encode() in raw]
    assert len(found) == 60
    ids = {re.search(rb"^Message-ID: (.*)$", raw, re.MULTILINE)[1].decode() for raw in found}  # type: ignore[index]
    assert ids == {row.message_id for row in report.deliveries}


def test_a_list_goes_over_as_many_sessions_as_asked_for_and_each_says_farewell() -> None:
    with Watched() as server, Relay(server.port, round_trip=0.02) as link:
        report = send_many(to(link.port), letters(60), connections=4)
        assert report.counts == {"accepted": 60}
        judge(report, server)
        assert 1 < server.opened <= 4
        assert server.quits == server.opened


def test_a_batch_that_everybody_has_is_a_line_and_no_empty_table() -> None:
    report = DeliveryReport([Delivery(0, "<a@b>", "x", "ana@example.test", "accepted", tries=1)])
    assert "<table" not in report._repr_html_()
    assert report.summary in report._repr_html_()
    report = DeliveryReport([Delivery(0, "<a@b>", "x", "ana@example.test", "refused", 550, "no <such>", tries=1)])
    assert "<table" in report._repr_html_()
    assert "no &lt;such&gt;" in report._repr_html_()


def test_nothing_to_send_opens_one_session_and_is_no_failure() -> None:
    with Watched() as server:
        report = send_many(to(server.port), [])
        assert report
        assert report.summary == "There was nothing to send."
        assert report.to_frame().shape == (0, 8)
        assert report.retry().deliveries == ()
        assert server.opened == 1


def test_bcc_is_in_no_header_and_the_message_that_was_given_stays_as_it_is() -> None:
    with CountingServer() as server:
        message = letter("ana@example.test", bcc="boss@example.test")
        before = message.as_bytes()
        report = send_many(to(server.port), [message])
        assert of(report, 0) == [("ana@example.test", "accepted", 250, 1), ("boss@example.test", "accepted", 250, 1)]
        assert b"boss" not in server.taken[0].content
        assert message.as_bytes() == before


def test_a_message_without_a_from_has_the_connections(postfix: Postfix) -> None:
    message = EmailMessage()
    message["To"] = "alice@example.test"
    message["Subject"] = token = uuid.uuid4().hex
    message.set_content("hello")
    assert send_many(to(postfix.relay), [message])
    assert b"\nFrom: Bob <bob@example.test>\n" in postfix.wait_for("alice", token)
    nobody = send_many(to(postfix.relay, from_address=""), [message])
    assert [row.outcome for row in nobody.failed] == ["not sent"]
    assert "no sender" in nobody.failed[0].words


def test_an_open_session_is_the_only_one_and_stays_open() -> None:
    with Watched() as server:
        with mailconn.connect_smtp(to(server.port)) as session:
            assert send_many(session, letters(10), connections=5)
            assert session.noop()[0] == 250
            assert server.opened == 1
        assert server.quits == 1


def test_a_batch_takes_the_session_that_waits_and_leaves_it() -> None:
    with Watched() as server:
        connections.save(to(server.port))
        assert mailconn.send("ops", "ana@example.test", "x", "y")
        assert send_many("ops", letters(3), connections=1)
        assert mailconn.send("ops", "ana@example.test", "x", "y")
        assert (len(server.taken), server.opened, server.quits) == (5, 1, 0)
        KEPT.close_all()


# What is said of each


def test_refused_greylisted_and_closing_recipients_amid_a_batch(postfix: Postfix) -> None:
    batch = uuid.uuid4().hex
    names = ["alice", "gone", "grey", "bob", "close", "carol", "alice"]
    messages = [
        mailconn.compose(f"{name}@example.test", f"{batch} {number}.", "x", sender="bob@example.test")
        for number, name in enumerate(names)
    ]
    report = send_many(to(postfix.relay), messages, connections=2)
    said = {row.index: (row.outcome, row.code, row.tries) for row in report.deliveries}
    assert {number for number in said if said[number][0] == "accepted"} == {0, 3, 5, 6}
    assert said[1] == ("refused", 550, 1)
    # Postfix never tires of it.
    assert said[2] == ("refused", 450, 4)
    assert said[4][0] == "not sent"
    for number in (0, 3, 5, 6):
        postfix.wait_for(names[number], f"{batch} {number}.")
    assert sum(batch.encode() in raw for raw in postfix.mailbox("alice")) == 2


def test_who_is_refused_for_the_moment_is_tried_again_and_nobody_else_of_the_message() -> None:
    with Moody() as server:
        message = letter("ana@example.test, grey1@example.test, gone1@example.test")
        report = send_many(to(server.port), [message, *letters(20)[1:]])
        assert of(report, 0) == [
            ("ana@example.test", "accepted", 250, 1),
            ("gone1@example.test", "refused", 550, 1),
            ("grey1@example.test", "accepted", 250, 2),
        ]
        judge(report, server)
        assert server.asked.count("gone1@example.test") == server.asked.count("ana@example.test") == 1


def test_what_is_greylisted_waits_while_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_module, "_PAUSES", (0.3,))
    with Moody() as server:
        report = send_many(to(server.port), [letter("grey0@example.test"), *letters(30)[1:]], connections=1)
        assert report.counts == {"accepted": 30}
        judge(report, server)
        assert server.asked[-1] == "grey0@example.test"


def test_a_421_in_the_midst_opens_again_and_loses_nothing() -> None:
    with Moody() as server:
        messages = letters(20)
        messages[7] = letter("close7@example.test", 7)
        report = send_many(to(server.port), messages, connections=1)
        judge(report, server)
        assert report.counts == {"not sent": 1, "accepted": 19}
        (row,) = report.failed
        assert (row.index, row.tries) == (7, 4)
        assert server.opened > 1


@pytest.mark.parametrize("mode", MODES)
def test_a_message_that_ends_each_link_is_sent_alone_after_the_first_time(mode: str) -> None:
    offers, _, window = MODES[mode]
    with PipeliningServer(offers) as server:
        messages = letters(40)
        messages[10] = letter("close@example.test", 10)
        report = send_many(to(server.port), messages, connections=2, window=window)
        server.wait()
        judge(report, server)
        assert of(report, 10) == [("close@example.test", "not sent", 421, 4)]
        others = [row for row in report.failed if row.index != 10]
        # The contents that were on their way the first time.
        assert {row.outcome for row in others} <= {"unknown"}
        assert len(others) < window


def test_a_session_that_ends_with_its_token_is_opened_anew_and_its_messages_are_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # RFC 4954, 6: 530 to MAIL. No server of the tests ends a session so, and signing in is not what this is about.
    mails: list[str] = []

    def answer(line: str) -> str | None:
        mails.extend([line] if line.upper().startswith("MAIL") else [])
        return "530 5.7.0 authentication required" if line.upper().startswith("MAIL") and len(mails) in {5, 6} else None

    monkeypatch.setattr(MailConnection, "signs_in", property(lambda _: True))
    with PipeliningServer(GROUPED, answer=answer) as server:
        report = send_many(to(server.port), letters(12), connections=1)
        server.wait()
        judge(report, server)
        assert report.counts == {"accepted": 12}
        assert sum(line.upper().startswith("EHLO") for line in server.lines) > 1


@pytest.mark.usefixtures("opened_once")
def test_a_server_that_has_too_many_connections_gets_fewer() -> None:
    with Moody(crowd=1) as server, Relay(server.port, round_trip=0.02) as link:
        report = send_many(to(link.port), letters(40), connections=4)
        judge(report, server)
        assert report.counts == {"accepted": 40}
        # How often a further one asks depends on how long the batch takes.
        assert server.opened == 1
        assert 3 <= server.turned_away <= 3 * (1 + len(courier._PAUSES))


def test_a_batch_that_is_done_does_not_wait_for_a_session_that_is_still_being_opened() -> None:
    turned: list[int] = []

    def told(progress: Progress) -> None:
        turned.append(server.turned_away)

    # Each opening is tried again after 1 and 5 seconds.
    with Moody(crowd=1) as server, Relay(server.port, round_trip=0.05) as link:
        assert send_many(to(link.port), letters(6), connections=3, on_progress=told)
        assert turned[-1] == server.turned_away < 6


def test_a_server_that_says_so_at_the_message_gets_fewer_and_the_message_by_another() -> None:
    with Moody(crowd=2, crowd_at_mail=True) as server, Relay(server.port, round_trip=0.02) as link:
        report = send_many(to(link.port), letters(60), connections=4)
        judge(report, server)
        assert report.counts == {"accepted": 60}
        assert 1 <= server.turned_away <= 2


def test_a_server_that_refuses_each_link_at_once_does_not_keep_it_busy() -> None:
    with Moody() as server:
        report = send_many(to(server.port), letters(300, "close"), connections=3)
        assert set(outcomes(report)) == {"not sent"}
        assert report.stopped.startswith("No connection could be kept: ")
        assert len(report.deliveries) == 300
        assert server.opened < 40


def cut_letters() -> list[EmailMessage]:
    """Small ones, a large one, and some that are refused, for good and for the moment."""
    found = letters(24)
    found[4] = letter("gone@example.test", 4)
    found[9] = letter("ana@example.test, grey@example.test", 9)
    found[13].set_content("x" * 70 + "\n" + "y" * 76 * 1000)
    return found


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("direction", ["to_server", "to_client"])
@pytest.mark.parametrize("mode", MODES)
def test_each_outcome_is_true_however_often_the_links_are_cut(
    mode: str, direction: str, tls: bool, certificates: Certificates
) -> None:
    offers, connections, window = MODES[mode]
    secure: dict[str, Any] = {"secure_authentication_type": "SSL", "ca_file": str(certificates.ca.pem)}
    options = secure | {"use_secure_authentication": True} if tls else {}
    print(f"seed {SEED}")  # noqa: T201  # shown when the test fails
    rng = random.Random(f"{SEED} {mode} {direction} {tls}")
    for _ in range(CUTS):
        offset = rng.randrange(500, 9000 if direction == "to_server" else 1500)
        cut: Any = {direction: Cut(after=offset, reset=rng.random() < 0.5)}
        context = certificates.good.server_context() if tls else None
        with PipeliningServer(offers, tls=context) as server:
            with Relay(server.port, **cut) as link:
                try:
                    report = send_many(to(link.port, **options), cut_letters(), connections=connections, window=window)
                except OpenError as error:
                    report = error.report  # type: ignore[attr-defined]
            server.wait()
            assert {row.index for row in report.deliveries} == set(range(24)), offset
            judge(report, server)


def test_a_window_goes_through_a_real_server_with_refused_and_greylisted_amid_it(postfix: Postfix) -> None:
    batch = uuid.uuid4().hex
    to_whom = ["alice@example.test"] * 40
    to_whom[11], to_whom[12], to_whom[30] = "gone@example.test", "grey@example.test", "gone@example.test"
    messages = [
        mailconn.compose(name, f"{batch} {number}.", f"This is {number}.", sender="bob@example.test")
        for number, name in enumerate(to_whom)
    ]
    report = send_many(to(postfix.relay), messages, connections=2, window=10)
    assert outcomes(report) == {"accepted": 37, "refused": 3}
    assert {row.index for row in report.failed} == {11, 12, 30}
    for number in set(range(40)) - {11, 12, 30}:
        raw = postfix.wait_for("alice", f"{batch} {number}.\n")
        assert f"\n\nThis is {number}.\n".encode() in raw
    assert sum(batch.encode() in raw for raw in postfix.mailbox("alice")) == 37


def test_an_international_recipient_is_named_in_the_report_as_it_is_written(postfix: Postfix, tmp_path: Path) -> None:
    token = uuid.uuid4().hex
    message = mailconn.compose("ünïcode@example.test", token, "x", sender="bob@example.test")
    report = send_many(to(postfix.relay), [("Ключ", message)], journal=tmp_path / "Ключ")
    assert of(report, 0) == [("ünïcode@example.test", "accepted", 250, 1)]
    postfix.wait_for("ünïcode", token)
    assert of(send_many(to(postfix.relay), [("Ключ", message)], journal=tmp_path / "Ключ"), 0)[0][3] == 0


def test_a_link_that_goes_silent_after_the_last_byte_leaves_its_message_unknown() -> None:
    with (
        CountingServer() as server,
        Relay(server.port, to_client=Drop(after=b"354 End data with <CR><LF>.<CR><LF>\r\n")) as link,
    ):
        report = send_many(to(link.port, timeout=0.3, deadline=1), letters(2), connections=1)
        judge(report, server)
        assert outcomes(report)["unknown"] >= 1


# What cannot be sent, and what is wrong with the call


def test_a_message_that_cannot_be_sent_is_reported_and_the_others_go_on() -> None:
    nobody, headers = EmailMessage(), letter("ana@example.test", 2)
    nobody["From"] = "bob@example.test"
    headers["X-Bad name"] = "x"
    with CountingServer() as server:
        messages = [*letters(1), nobody, headers, letter("ana@example.test", 3)]
        report = send_many(to(server.port), messages)
        assert [row.outcome for row in report.deliveries] == ["accepted", "not sent", "not sent", "accepted"]
        assert "no recipient" in report.deliveries[1].words
        assert "X-Bad name" in report.deliveries[2].words
        assert arrived(server).keys() == {(0, "user0@example.test"), (3, "ana@example.test")}


@pytest.mark.parametrize("wrong", ["ana@example.test", 5, None, ("a", "b", "c"), ("key", "text")])
def test_what_is_no_message_is_an_error_with_the_report_of_those_before_it(wrong: Any) -> None:
    with CountingServer() as server:
        with pytest.raises(MessageError, match=r"send_many\(\) sends messages, not") as caught:
            send_many(to(server.port), [*letters(3), wrong])
        report = caught.value.report  # type: ignore[attr-defined]
        judge(report, server)
        assert {row.index for row in report.deliveries if row.outcome == "accepted"} <= {0, 1, 2}


WRONG: dict[str, dict[str, Any]] = {
    "connections must be a whole number": {"connections": 0},
    "window must be a whole number": {"window": 1.5},
    "stop_after must be a whole number": {"stop_after": True},
    "Not a rate": {"rate": "fast"},
    "cannot be sent again": {"again": "unknown"},
    "Not a journal": {"journal": " "},
}


@pytest.mark.parametrize("words", WRONG)
def test_a_wrong_option_is_told_before_anything_is_opened(words: str) -> None:
    with pytest.raises(OptionError, match=words):
        send_many(to(free_ports(1)[0]), letters(1), **WRONG[words])


def test_what_cannot_send_is_no_target() -> None:
    with pytest.raises(OptionError, match="reads mail"):
        send_many(to(1, protocol="IMAP"), letters(1))
    graph = MailConnection(name="ops", protocol="GRAPH", username="ana@example.test")
    with pytest.raises(OptionError, match=r"send_many\(\) sends over SMTP alone, not over GRAPH"):
        send_many(graph, letters(1))
    with pytest.raises(OptionError, match=r"cannot send over an smtplib\.SMTP"):
        send_many(smtplib.SMTP(), letters(1))  # type: ignore[arg-type]


def test_where_no_session_can_be_opened_the_error_has_a_report_of_all() -> None:
    with pytest.raises(OpenError, match="connect failed") as caught:
        send_many(to(free_ports(1)[0]), letters(3))
    report = caught.value.report  # type: ignore[attr-defined]
    assert [(row.index, row.outcome, row.recipient) for row in report.deliveries] == [
        (number, "not sent", f"user{number}@example.test") for number in range(3)
    ]
    assert "connect failed" in report.stopped


def test_an_error_of_the_generator_comes_through_with_the_report() -> None:
    def made() -> Iterator[EmailMessage]:
        yield from letters(5)
        raise ZeroDivisionError

    with CountingServer() as server:
        with pytest.raises(ZeroDivisionError) as caught:
            send_many(to(server.port), made())
        report = caught.value.report  # type: ignore[attr-defined]
        judge(report, server)
        assert len(report.deliveries) == 5
        assert "send_many(), before that: 5 messages" in caught.value.__notes__[0]


# How a batch ends


def test_so_many_failures_end_it_and_the_rest_is_reported() -> None:
    with Moody() as server:
        messages = [*letters(200, "gone")]
        report = send_many(to(server.port), messages, stop_after=3, connections=1)
        assert report.stopped == "It stopped after 3 failures, as asked."
        assert not report
        assert len(report.deliveries) == 200
        judge(report, server)
        assert 3 <= outcomes(report)["refused"] < 30


def test_a_retry_sends_what_was_not_sent_and_what_was_refused_for_the_moment_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batch_module, "_PAUSES", ())
    with Moody() as server:
        message = letter("ana@example.test, grey1@example.test, gone1@example.test")
        report = send_many(to(server.port), [message, *letters(9)[1:]])
        assert outcomes(report) == {"accepted": 9, "refused": 2}
        second = report.retry()
        assert of(second, 0) == [("grey1@example.test", "accepted", 250, 2)]
        assert second.counts == {"accepted": 1}
        judge(second, server)
        assert [row.message_id for row in second.deliveries] == [str(message["Message-ID"])]
        assert report.retry().deliveries == second.retry().deliveries == ()


@pytest.mark.parametrize("generated", [False, True], ids=["a list", "a generator"])
def test_a_retry_of_a_batch_that_was_stopped_goes_on_with_its_rest(generated: bool) -> None:
    with Moody() as server:
        messages = [*letters(3), letter("gone3@example.test", 3), *letters(80)[4:]]
        given = (message for message in messages) if generated else messages
        first = send_many(to(server.port), given, stop_after=1, connections=1)
        assert first.stopped
        assert len(server.taken) < 79
        second = first.retry()
        assert not second.stopped
        judge(second, server)
        done = {row.index for row in (*first.deliveries, *second.deliveries) if row.outcome == "accepted"}
        assert done == set(range(80)) - {3}
        assert max(arrived(server).values()) == 1


def interrupting(messages: list[EmailMessage], after: int) -> Iterator[EmailMessage]:
    for number, message in enumerate(messages):
        if number == after:
            raise KeyboardInterrupt
        yield message


def test_an_interrupt_ends_it_with_a_report_of_everything() -> None:
    with CountingServer() as server:
        report = send_many(to(server.port), interrupting(letters(30), 20))
        assert report.stopped == "It was interrupted."
        assert {row.index for row in report.deliveries} == set(range(20))
        judge(report, server)


def test_an_interrupt_while_a_list_is_sent_reports_the_rest_as_not_sent() -> None:
    told: list[Progress] = []

    def interrupt(progress: Progress) -> None:
        told.append(progress)
        if len(told) == 1:
            raise KeyboardInterrupt

    with CountingServer() as server, Relay(server.port, round_trip=0.05) as link:
        report = send_many(to(link.port), letters(60), connections=2, on_progress=interrupt)
        assert report.stopped == "It was interrupted."
        assert len(report.deliveries) == 60
        judge(report, server)
        assert outcomes(report)["not sent"] > 20
        rest = report.retry()
        assert len(rest.deliveries) + outcomes(report)["accepted"] == 60


def test_the_stop_button_of_a_cell_gives_the_report(shell: Shell) -> None:
    with Watched() as server, Relay(server.port, round_trip=0.2) as link:
        connections.save(to(link.port))
        with interrupt_when(lambda: len(server.taken) > 0):
            ran = shell.ok(
                "import mailconn_jupyter as mailconn\nfrom tests.support.batches import letters\n"
                "report = mailconn.send_many('ops', letters(500))\nreport"
            )
        assert "It was interrupted." in ran.text
        judge(shell.ip.user_ns["report"], server)
        assert len(shell.ip.user_ns["report"].deliveries) == 500
        assert 0 < len(server.taken) < 500


@pytest.mark.skipif(os.name == "nt", reason="no SIGINT to one's own process there")
@pytest.mark.parametrize("count", [1, 5])
def test_what_is_on_its_way_at_an_interrupt_is_waited_for_also_when_all_are_taken_over(count: int) -> None:
    returned = threading.Event()

    def answer(line: str) -> str | None:
        if line == "." and not returned.is_set():
            os.kill(os.getpid(), signal.SIGINT)
            # Who does not wait for the answer returns before it comes.
            returned.wait(1)
        return None

    with PipeliningServer(GROUPED, answer=answer) as server:
        report = send_many(to(server.port), letters(count), connections=1)
        returned.set()
        assert report.stopped == "It was interrupted."
        assert len(report.deliveries) == count
        judge(report, server)
        assert outcomes(report)["accepted"] >= 1


def test_a_second_interrupt_cuts_what_is_on_its_way(shell: Shell) -> None:
    # The server never says what became of the message.
    with CountingServer() as server, Relay(server.port, to_client=Drop(after=b"354")) as link:
        connections.save(to(link.port, timeout=60, deadline=60))
        shell.ok("import mailconn_jupyter as mailconn\nfrom tests.support.batches import letters")
        with interrupt_after(0.5), interrupt_after(1.0):
            ran = shell.ok("report = mailconn.send_many('ops', letters(3), connections=1)\nreport")
        assert "It was interrupted." in ran.text
        judge(shell.ip.user_ns["report"], server)


@pytest.mark.skipif(os.name == "nt", reason="no SIGINT there")
def test_the_stop_button_of_a_kernel_gives_the_report(kernel: Kernel) -> None:
    with Watched() as server, Relay(server.port, round_trip=0.2) as link:
        connections.save(to(link.port))
        cell = (
            "import mailconn_jupyter as mailconn\nfrom tests.support.batches import letters\n"
            "report = mailconn.send_many('ops', letters(1000))\nprint(report.counts, report.stopped)"
        )
        said = kernel.run(cell, stop_when=lambda: len(server.taken) > 0)
        assert said.startswith("ok")
        assert "It was interrupted." in said
        counts = re.search(r"'not sent': (\d+), 'accepted': (\d+)", said)
        assert counts is not None
        assert int(counts[1]) + int(counts[2]) == 1000
        assert int(counts[2]) == len(server.taken) > 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_amid_a_batch_sends_nothing_twice_and_says_no_word_over_the_parents_links() -> None:
    children: list[int] = []
    with Watched() as server:

        def made() -> Iterator[EmailMessage]:
            for number, message in enumerate(letters(40)):
                if number in {5, 20}:
                    process = os.fork()
                    if not process:
                        # The child goes on with the generator, as one does that was copied amid a loop.
                        children.clear()
                    else:
                        children.append(process)
                yield message

        def batch() -> DeliveryReport:
            return send_many(to(server.port), made())

        here = os.getpid()
        try:
            report = batch()
        except MailConnError as error:
            if os.getpid() == here:
                raise
            os._exit(0 if "belongs to another process" in error.message else 1)
        finally:
            if os.getpid() != here:
                os._exit(2)
        assert ended(*children) == [0, 0]
        assert report.counts == {"accepted": 40}
        judge(report, server)
        assert server.quits == server.opened


# How fast, and who is told


class Given:
    """The limits of a provider whose server is this machine."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, limits: SendingLimits) -> None:
        monkeypatch.setattr(asked, "limits_of", lambda host, _username: {"localhost": limits}[host])


def test_the_limits_of_a_provider_are_kept_and_said_before_it_begins(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Given(monkeypatch, SendingLimits("Microsoft 365", connections=3, a_minute=6000, recipients_a_day=10))
    with Watched() as server:
        with pytest.warns(
            MailConnWarning, match="takes mail to 10 recipients a day from one mailbox, and these are 20"
        ):
            report = send_many(to(server.port), letters(20), connections=9)
        assert report
        said = r"20 messages at 6,000 messages a minute, the limit of Microsoft 365: about 0 s, until \d\d:\d\d\.\n"
        assert re.fullmatch(said, capsys.readouterr().out)
        assert server.opened <= 3


def test_a_rate_of_ones_own_comes_before_the_providers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Given(monkeypatch, SendingLimits("Microsoft 365", connections=3, a_minute=30))
    with Watched() as server:
        assert send_many(to(server.port), letters(10), rate="100/s", on_progress=True)
        said = r"10 messages at 100 messages a second: about 0 s, until \d\d:\d\d\.\n"
        assert re.fullmatch(said, capsys.readouterr().out)


def test_a_slow_rate_takes_one_connection() -> None:
    with Watched() as server:
        assert send_many(to(server.port), letters(2), rate="1/s", connections=3)
        assert server.opened == 1


def test_progress_tells_what_is_done_of_how_many_and_what_failed() -> None:
    told: list[Progress] = []
    with Moody() as server:
        messages = [*letters(5), letter("gone5@example.test", 5)]
        send_many(to(server.port), messages, on_progress=told.append)
    assert told[0].done == 0
    assert told[-1][:3] == (6, 6, 1)
    assert told[-1].left == 0
    assert str(told[-1]).startswith("6 of 6 messages sent, ")
    assert str(told[-1]).endswith(" a second, 0 s left, 1 failed")


def test_the_report_shows_as_a_table_in_which_nothing_is_markup() -> None:
    with Fickle(rcpt=("550 5.1.1 <b>no</b>",)) as server:
        message = letter("ana@example.test")
        message.replace_header("Subject", "<script>1</script>")
        report = send_many(to(server.port), [message])
        html = report._repr_html_()
        assert "<b>no" not in html
        assert "<script>" not in html
        assert "&lt;script&gt;" in html
        assert str(report).splitlines()[0] == "1 message in 0 s: 0 accepted, 1 refused."
        assert "550 5.1.1 <b>no</b>" in repr(report)
        frame = report.to_frame()
        assert list(frame) == ["index", "message_id", "subject", "recipient", "outcome", "code", "words", "tries"]
        assert frame.loc[0, "code"] == 550


def test_neither_report_nor_progress_has_the_password(
    postfix: Postfix, certificates: Certificates, tmp_path: Path
) -> None:
    give_password("ops", "s3cret")
    connection = to(
        postfix.submission,
        use_authentication=True,
        username="alice",
        from_address="alice@example.test",
        use_secure_authentication=True,
        ca_file=str(certificates.ca.pem),
    )
    told: list[Progress] = []
    messages = [(f"k{n}", letter("gone@example.test", n)) for n in range(3)]
    for _, message in messages:
        message.replace_header("From", "alice@example.test")
    journal = tmp_path / "batch"
    report = send_many(connection, messages, journal=journal, on_progress=told.append)
    assert outcomes(report) == {"refused": 3}
    assert "s3cret" not in repr(report) + report._repr_html_() + repr(report.deliveries) + repr(told)
    assert b"s3cret" not in journal.read_bytes()


# What nobody means to give


@pytest.mark.parametrize("header", ["From: <", "Message-ID: <", "From: .<>a", 'To: =?utf-8?q?=0A[\ta"\xff\t'])
def test_a_message_whose_headers_nobody_can_read_is_not_sent_and_the_others_are(header: str) -> None:
    raw = f"{header}\nSubject: number 1\n\nText".encode("latin-1")
    broken = message_from_bytes(raw, policy=email.policy.default)
    with Watched() as server:
        report = send_many(to(server.port), [letter(ALICE, 0), broken, letter(ALICE, 2)])
        assert [row.outcome for row in report.deliveries] == ["accepted", "not sent", "accepted"]
        judge(report, server)


def test_an_error_of_the_messages_has_the_report_whatever_the_headers_of_those_left_are() -> None:
    broken = message_from_bytes(b"From: <\nTo: <\nSubject: number 2\n\nText", policy=email.policy.default)
    given: Any = [letter(ALICE, 0), None, broken]
    with Watched() as server:
        with pytest.raises(MessageError, match="not NoneType") as caught:
            send_many(to(server.port), given)
        report: DeliveryReport = caught.value.report  # type: ignore[attr-defined]  # what an error of send_many() has
        assert [row.index for row in report.deliveries] == [0, 2]
        judge(report, server)


@pytest.mark.parametrize(
    "given", [None, 5, float("nan"), "ana@example.org", b"x", {"key": letter(ALICE)}, letter(ALICE)]
)
def test_what_are_no_several_messages_is_told_before_anything_is_opened(given: Any) -> None:
    with pytest.raises(MessageError, match="sends several messages"):
        send_many(to(1), given)


@pytest.mark.parametrize("given", [None, 5, True, ["unknown", []], ["x"], "x", float("nan")])
def test_what_is_not_sent_again_is_told(given: Any) -> None:
    with pytest.raises(OptionError, match="cannot be sent again"):
        send_many(to(1), [], again=given, journal="j")


@pytest.mark.parametrize(
    "given", [0, -1, 101, 10**9, True, "3", 3.0, float("nan"), None, numpy.int64(0), numpy.float64(3)]
)
def test_so_many_connections_are_told(given: Any) -> None:
    with pytest.raises(OptionError, match="connections must be a whole number, from 1 to 100"):
        send_many(to(1), [], connections=given)


@pytest.mark.parametrize("given", [0, 1001, 10**18, True, float("inf"), numpy.float64(3)])
def test_so_many_on_their_way_are_told(given: Any) -> None:
    with pytest.raises(OptionError, match="window must be a whole number, from 1 to 1000"):
        send_many(to(1), [], window=given)


def test_numbers_of_a_table_are_numbers() -> None:
    one: Any = numpy.int64(1)
    with Watched() as server:
        assert send_many(to(server.port), letters(2), connections=one, window=one, stop_after=pandas.Series([1])[0])
