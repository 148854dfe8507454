"""``send()``: what arrives, what becomes of each recipient, and what is tried again."""

from __future__ import annotations

import email
import email.policy
import html
import smtplib
import time
import uuid
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

import mailconn_jupyter as mailconn
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.delivery import send as send_module
from mailconn_jupyter.delivery.report import DeliveryError, Outcome, SendReport
from mailconn_jupyter.errors import MailConnError, MailConnWarning, MessageError, OpenError, OptionError
from mailconn_jupyter.message.render import Markdown
from mailconn_jupyter.session.smtp.errors import MessageTooLarge
from tests.servers.counting import CountingServer, Fickle
from tests.servers.ports import free_ports
from tests.servers.postfix import Postfix
from tests.servers.script import Close, Expect, ExpectUntil, ScriptServer, Send
from tests.servers.steps import Step
from tests.support.composed import ATTACKS, text_of

ALICE, CAROL, GONE, GREY = (f"{name}@example.test" for name in ("alice", "carol", "gone", "grey"))


def to(port: int, **options: Any) -> MailConnection:
    plain = {"use_secure_authentication": False, "use_authentication": False, "timeout": 5}
    own = {"name": "ops", "server_host": "localhost", "server_port": port, "from_address": "Bob <bob@example.test>"}
    return MailConnection(**{**own, **plain, **options})


def token() -> str:
    return uuid.uuid4().hex


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A try after a hundredth of the time."""
    monkeypatch.setattr(send_module, "_PAUSES", (0.01, 0.05))


def received(postfix: Postfix, user: str, subject: str) -> EmailMessage:
    message = email.message_from_bytes(postfix.wait_for(user, subject), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


# What arrives


def test_text_a_table_and_a_file_arrive_in_every_mailbox_and_bcc_in_no_header(postfix: Postfix, tmp_path: Path) -> None:
    subject = token()
    (tmp_path / "notes.txt").write_text("notes")
    report = mailconn.send(
        to(postfix.relay),
        f"Alice <{ALICE}>",
        subject,
        "Three things moved:",
        pd.DataFrame({"churn": range(500)}),
        cc=CAROL,
        bcc="dave@example.test",
        attachments=tmp_path / "notes.txt",
    )
    assert report
    assert report.accepted == (ALICE, CAROL, "dave@example.test")
    for user in ("alice", "carol", "dave"):
        message = received(postfix, user, subject)
        assert message["Message-ID"] == report.message_id
        assert message["From"] == "Bob <bob@example.test>"
        assert message["Bcc"] is None
        assert text_of(message).startswith("Three things moved:\n\nchurn\n")
        names = [part.get_filename() for part in message.iter_attachments()]
        assert names == ["notes.txt", "table.csv"]


def test_the_report_shows_as_a_table_in_which_nothing_is_markup() -> None:
    for attack in ATTACKS:
        message = mailconn.compose("ana@example.org", "x" + attack, "y")
        outcomes = [Outcome("ana@example.org", "refused", 550, attack)]
        shown = SendReport(message, outcomes, size=10)._repr_html_()
        assert attack not in shown.replace(html.escape(attack), "")
        assert attack in str(DeliveryError(SendReport(message, outcomes, size=10)))


def test_a_dry_run_opens_nothing_and_gives_the_message() -> None:
    nowhere = to(free_ports(1)[0])
    report = mailconn.send(nowhere, ALICE, "x", "y", bcc=CAROL, dry_run=True)
    assert report
    assert report.accepted == ()
    assert [outcome.recipient for outcome in report.outcomes] == [ALICE, CAROL]
    assert report.message["Subject"] == "x"
    assert report.size > 100
    assert "Not sent, as asked" in str(report)


def test_an_open_session_is_used_and_stays_open() -> None:
    with CountingServer() as server:
        with mailconn.connect(to(server.port)) as smtp:
            for number in range(2):
                assert mailconn.send(smtp, ALICE, f"{number}", "y").ok
            assert smtp.noop()[0] == 250
        assert [taken.sender for taken in server.taken] == ["bob@example.test"] * 2


def test_a_session_of_the_standard_library_serves_as_well() -> None:
    with CountingServer() as server, smtplib.SMTP(server.host, server.port) as smtp:
        assert mailconn.send(smtp, ALICE, "x", "y", sender="bob@example.test").accepted == (ALICE,)
        assert smtp.noop()[0] == 250


def test_a_name_and_the_default_are_targets_too() -> None:
    with CountingServer() as server:
        mailconn.connections.save(to(server.port))
        mailconn.send("ops", ALICE, "x", "y")
        mailconn.send(None, ALICE, "x", "y")
        assert len(server.taken) == 2


# What is told before anything is sent


def test_what_is_wrong_with_the_message_is_told_before_a_connection_is_opened(tmp_path: Path) -> None:
    nowhere = to(free_ports(1)[0])
    wrong: dict[str, dict[str, Any]] = {
        "does not exist": {"attachments": tmp_path / "missing.csv"},
        "not a valid mail address": {"cc": "ana"},
        "priority": {"priority": "hihg"},
    }
    for words, call in wrong.items():
        with pytest.raises(MessageError, match=words):
            mailconn.send(nowhere, ALICE, "x", "y", **call)
    with pytest.raises(OpenError):
        mailconn.send(nowhere, ALICE, "x", "y")


def test_a_warning_points_at_the_line_that_sends() -> None:
    ops = MailConnection(name="ops", server_host="mail.test", from_address="me@example.org")
    with pytest.warns(MailConnWarning) as told:
        mailconn.send(ops, "ana@example.org", "", Markdown("![x](http://example.org/x.png)"), dry_run=True)
    assert [str(warning.message).partition(" ")[0] for warning in told] == ["An", "The"]
    assert [warning.filename for warning in told] == [__file__, __file__]


def test_a_message_without_a_sender_is_refused_before_a_session_is_opened() -> None:
    for dry_run in (True, False):
        with pytest.raises(MessageError, match="no sender") as caught:
            mailconn.send(MailConnection(name="x", server_host="host.invalid"), ALICE, "x", "y", dry_run=dry_run)
        assert "--from-address" in caught.value.hint


def test_a_connection_that_reads_mail_is_refused() -> None:
    with pytest.raises(OptionError, match="only SMTP and GRAPH send it"):
        mailconn.send(MailConnection(name="in", protocol="MBOX", server_host="/x"), ALICE, "x", "y", dry_run=True)


def test_a_message_over_the_servers_limit_is_refused_before_it_is_sent(postfix: Postfix) -> None:
    subject = token()
    with pytest.raises(MessageTooLarge, match=r"1\.4 MB; the server accepts at most 1\.0 MB") as caught:
        mailconn.send(to(postfix.relay), ALICE, subject, "y", attachments={"big.bin": bytes(1_000_000)})
    assert "Nothing was sent" in caught.value.hint
    time.sleep(0.1)
    assert not [message for message in postfix.mailbox("alice") if subject.encode() in message]


# Recipients that are refused


def test_one_refused_recipient_of_three_is_an_error_that_has_the_report_and_the_others_have_the_mail(
    postfix: Postfix,
) -> None:
    subject = token()
    with pytest.raises(DeliveryError, match=rf"{GONE}: refused \(550 .*no such user") as caught:
        mailconn.send(to(postfix.relay), [ALICE, GONE, CAROL], subject, "y")
    report = caught.value.report
    assert report.accepted == (ALICE, CAROL)
    assert [(outcome.recipient, outcome.code, outcome.temporary) for outcome in report.refused] == [(GONE, 550, False)]
    assert caught.value.hint == "The others have received it."
    for user in ("alice", "carol"):
        received(postfix, user, subject)
    assert "REFUSED" in str(report)
    assert isinstance(caught.value, MailConnError)


def test_a_temporary_refusal_is_tried_twice_again_and_then_given_up(postfix: Postfix) -> None:
    subject = token()
    before = postfix.log.read_text().count("450 4")
    with pytest.raises(DeliveryError, match=rf"{GREY}: refused \(450") as caught:
        mailconn.send(to(postfix.relay), [ALICE, GREY], subject, "y")
    assert caught.value.report.accepted == (ALICE,)
    received(postfix, "alice", subject)
    time.sleep(0.1)
    # The one who had it does not get it again.
    assert sum(subject.encode() in message for message in postfix.mailbox("alice")) == 1
    assert postfix.log.read_text().count("450 4") - before == 3


@pytest.mark.parametrize("stage", ["rcpt", "data"])
def test_a_451_and_then_a_250_is_one_message_and_no_error(stage: str) -> None:
    with Fickle(**{stage: ("451 4.7.1 try again later",)}) as server:
        assert mailconn.send(to(server.port), ALICE, "x", "y").accepted == (ALICE,)
        assert server.asked == [ALICE] * 2
        assert len(server.taken) == 1


def test_only_those_who_were_refused_for_the_moment_are_tried_again() -> None:
    with Fickle(rcpt=("250 ok", "451 4.7.1 later", "550 5.1.1 never")) as server:
        with pytest.raises(DeliveryError) as caught:
            mailconn.send(to(server.port), [ALICE, GREY, GONE], "x", "y")
        assert server.asked == [ALICE, GREY, GONE, GREY]
        assert [taken.recipients for taken in server.taken] == [(ALICE,), (GREY,)]
    assert caught.value.report.accepted == (ALICE, GREY)
    assert [outcome.words for outcome in caught.value.report.refused] == ["5.1.1 never"]


@pytest.mark.parametrize("stage", ["rcpt", "data"])
def test_a_550_is_not_tried_again(stage: str) -> None:
    with Fickle(**{stage: ("550 5.7.1 no",)}) as server:
        with pytest.raises(DeliveryError, match=r"550 5\.7\.1 no") as caught:
            mailconn.send(to(server.port), ALICE, "x", "y")
        assert server.asked == [ALICE]
        assert not server.taken
    assert caught.value.hint == "As far as is known, nobody has received it."


def test_what_may_have_been_delivered_is_told_and_not_sent_again() -> None:
    script: list[Step] = [
        Send(b"220 mail.test\r\n"),
        Expect(rb"ehlo .*"),
        Send(b"250-mail.test\r\n250 8BITMIME\r\n"),
        Expect(rb"mail from:.*"),
        Send(b"250 ok\r\n"),
        Expect(rb"rcpt to:.*"),
        Send(b"250 ok\r\n"),
        Expect(rb"rcpt to:.*"),
        Send(b"550 5.1.1 nobody\r\n"),
        Expect(rb"DATA"),
        Send(b"354 go\r\n"),
        ExpectUntil(),
        Close(),
    ]
    # A second connection would be one too many for the script.
    with ScriptServer(script) as server, pytest.raises(DeliveryError) as caught:
        mailconn.send(to(server.port), [ALICE, GONE], "x", "y")
    report = caught.value.report
    assert report.unknown == (ALICE,)
    assert [(outcome.recipient, outcome.code) for outcome in report.refused] == [(GONE, 550)]
    assert not report.ok
    assert f"Ask {ALICE} before you send again" in caught.value.hint


def test_a_failed_delivery_shows_as_two_lines_in_a_notebook() -> None:
    with Fickle(rcpt=("550 5.1.1 <b>no</b>\x1b[31m such user",)) as server, pytest.raises(DeliveryError) as caught:
        mailconn.send(to(server.port), ALICE, "x", "y")
    lines = caught.value._render_traceback_()
    assert len(lines) == 2
    assert "\x1b" not in lines[0]


# What somebody may have forgotten


def test_a_message_with_neither_content_nor_attachment_is_refused_unless_its_text_is_said_to_be_empty() -> None:
    nowhere = to(free_ports(1)[0])
    given: list[dict[str, Any]] = [{}, {"attachments": []}]
    for options in given:
        with pytest.raises(MessageError, match="no content and no attachment"):
            mailconn.send(nowhere, ALICE, "x", **options)
    assert mailconn.send(nowhere, ALICE, "x", "", dry_run=True)
    assert mailconn.send(nowhere, ALICE, "x", attachments={"a.txt": b"a"}, dry_run=True)


def test_an_empty_subject_is_warned_of_where_the_caller_stands() -> None:
    with pytest.warns(MailConnWarning, match="no subject") as caught:
        mailconn.send(to(free_ports(1)[0]), ALICE, " ", "y", dry_run=True)
    assert caught[0].filename == __file__


# A server that takes a few recipients at a time


class Roomy(Fickle):
    """Takes a hundred recipients for one message."""

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) == 100:
            return "452 4.5.3 Too many recipients"
        return await super().handle_RCPT(server, session, envelope, address, options)


def test_a_message_to_many_goes_on_while_each_try_reaches_somebody_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 5321, 4.5.3.1.10: a server that has enough recipients for one message answers 452 to each of the others."""
    monkeypatch.setattr(send_module, "_PAUSES", (pytest.fail,))
    people = [f"r{number}@example.test" for number in range(1000)]
    with Roomy() as server:
        report = mailconn.send(to(server.port), people, "x", "y")
    assert report.accepted == tuple(people)
    assert [len(message.recipients) for message in server.taken] == [100] * 10


def test_a_few_who_are_taken_give_the_others_new_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    later, ok = "450 4.2.1 later", "250 ok"
    # Four tries, of which the second takes one of two: three pauses, of which the second is the first one again.
    with Fickle(rcpt=(later, later, ok, later, later, later, later)) as server:
        with pytest.raises(DeliveryError) as caught:
            mailconn.send(to(server.port), [ALICE, CAROL], "x", "y")
        assert caught.value.report.accepted == (ALICE,)
    assert server.asked == [ALICE, CAROL] * 2 + [CAROL] * 2


# What a server says


LONG = "5.7.1 " + "Our policy is long and its link comes last. " * 8 + "https://example.test/why"


def test_words_that_are_cut_end_in_three_dots_and_the_report_has_all_of_them() -> None:
    with Fickle(rcpt=(f"550 {LONG}",)) as server, pytest.raises(DeliveryError) as caught:
        mailconn.send(to(server.port), ALICE, "x", "y")
    assert "..." in caught.value.message
    (outcome,) = caught.value.report.outcomes
    assert outcome.words == LONG
    assert "https://example.test/why" in str(caught.value.report)


@pytest.mark.parametrize(
    ("reply", "hint"),
    [
        ("530 5.7.0 Authentication required", "a login first"),
        ("530 not authenticated", "a login first"),
        ("530 no", "a login first"),
        ("550 5.7.1 Client was not authenticated", "a login first"),
        ("530 5.7.0 Must issue a STARTTLS command first", "TLS first"),
        ("504 5.5.2 <[10.0.0.7]>: Helo command rejected: need fully-qualified hostname", "helo_name"),
        ("550 5.1.1 nobody", "As far as is known, nobody has received it"),
    ],
)
def test_a_refusal_that_is_about_the_connection_says_what_to_change(reply: str, hint: str) -> None:
    """Postfix refuses a name of HELO at RCPT (smtpd_delay_reject), and so do servers that want a login or TLS."""
    with Fickle(rcpt=(reply,) * 2) as server:
        with pytest.raises(DeliveryError, match=hint):
            mailconn.send(to(server.port), ALICE, "x", "y")
        with mailconn.connect_smtp(to(server.port)) as smtp, pytest.raises(smtplib.SMTPException) as caught:
            smtp.sendmail("bob@example.test", [ALICE], b"Subject: x\r\n\r\ny\r\n")
        assert hint in str(caught.value) or hint == "As far as is known, nobody has received it"


def test_a_sender_who_has_to_log_in_is_told_so() -> None:
    hello = [Send(b"220 hi\r\n"), Expect(rb"ehlo .*"), Send(b"250 hi\r\n"), Expect(rb"mail .*")]
    no: list[Step] = [*hello, Send(b"530 5.7.1 Authentication required\r\n"), Expect(rb"rset"), Send(b"250 ok\r\n")]
    with ScriptServer([*no, Expect(rb"quit"), Send(b"221 bye\r\n")]) as server, pytest.raises(DeliveryError) as caught:
        mailconn.send(to(server.port), ALICE, "x", "y")
    assert "a login first" in caught.value.hint
