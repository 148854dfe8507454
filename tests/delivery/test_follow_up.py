"""What became of mail that was sent, joined with what Postfix, people and forgers have sent back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter import DeliveryReport, FollowUp, MailConnection, SendReport
from mailconn_jupyter.delivery.following.follow_up import _words
from mailconn_jupyter.delivery.many.many_report import Delivery
from mailconn_jupyter.delivery.report import Outcome
from mailconn_jupyter.errors import MailConnError, OptionError
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.store import connections
from tests.servers.bouncing import Bouncing, run_bouncing
from tests.servers.certificates import Certificates
from tests.servers.dovecot import Dovecot
from tests.support.batches import to
from tests.support.bounce_formats import FORMATS, ORIGINAL_ID, report as bounce_report
from tests.support.isolation import give_password
from tests.support.mailboxes import Mail, fill_file, mail


@pytest.fixture(scope="module")
def bouncing(server_state: Path, dovecot: Dovecot) -> Iterator[Bouncing]:
    with run_bouncing(server_state / "bouncing", dovecot) as server:
        yield server


def inbox_of(user: str, dovecot: Dovecot, certificates: Certificates, protocol: str = "IMAP") -> MailConnection:
    """The mailbox of a sender, by the master user."""
    give_password(user, dovecot.master[1])
    return MailConnection(
        name=user,
        protocol=protocol,
        server_host="localhost",
        server_port=dovecot.imap if protocol == "IMAP" else dovecot.pop3,
        ca_file=str(certificates.ca.pem),
        username=dovecot.master[0],
        authorization_id=user,
        sasl_mechanism="PLAIN",
    )


def out_of(user: str, bouncing: Bouncing) -> MailConnection:
    return to(bouncing.port, from_address=f"{user}@example.test")


def answer(original: SendReport | str, sender: str, to_user: str, **headers: str) -> EmailMessage:
    """What somebody who got the message sends back."""
    reply = EmailMessage()
    message_id = original if isinstance(original, str) else original.message_id
    reply["From"], reply["To"], reply["Subject"] = sender, f"{to_user}@example.test", "Re: it"
    reply["Date"], reply["In-Reply-To"], reply["References"] = (
        format_datetime(datetime.now(UTC)),
        message_id,
        message_id,
    )
    for name, value in headers.items():
        reply[name.replace("_", "-")] = value
    reply.set_content("Thank you.")
    return reply


# What real servers send back


@pytest.mark.parametrize(
    ("number", "recipient", "status", "words"),
    [
        (0, "gone@example.net", "5.1.1", "550 5.1.1 No such user here"),
        (1, "full@example.net", "5.2.2", "552 5.2.2 The mailbox is full"),
        (2, "spam+47=x@example.net", "5.7.1", "554 5.7.1 This content is refused"),
        (3, "nobody@example.test", "5.1.1", "unknown user"),
    ],
)
def test_what_postfix_sends_back_tells_whom_and_why(
    number: int,
    recipient: str,
    status: str,
    words: str,
    bouncing: Bouncing,
    dovecot: Dovecot,
    certificates: Certificates,
) -> None:
    user = f"sender{number}"
    report = mailconn.send(out_of(user, bouncing), recipient, f"Number {number}", "Hello.")
    bouncing.wait_for(user, report.message_id)
    inbox = inbox_of(user, dovecot, certificates)
    (row,) = mailconn.bounces(inbox).to_dict("records")
    assert (row["recipient"], row["action"], row["status"]) == (recipient, "failed", status)
    assert words in row["words"]
    assert row["message_id"] == report.message_id
    for protocol in ("IMAP", "POP3"):
        followed = report.follow_up(inbox_of(user, dovecot, certificates, protocol))
        (only,) = followed.bounced
        assert (only.recipient, only.status, only.subject) == (recipient, status, f"Number {number}")
        assert followed.doubtful == ()


def test_postfix_tells_of_a_delay_and_of_a_delivery_where_that_was_asked_for(
    bouncing: Bouncing, dovecot: Dovecot, certificates: Certificates
) -> None:
    user = "sender4"
    message = mailconn.compose(
        ["late@example.net", "ana@example.net"], "Number 4", "Hello.", sender=f"{user}@example.test"
    )
    with connect(out_of(user, bouncing)) as smtp:
        smtp.send_message(message, rcpt_options=["NOTIFY=SUCCESS,FAILURE,DELAY"])
    bouncing.wait_for(user, b"Action: delayed")
    bouncing.wait_for(user, b"Action: relayed")
    sent = SendReport(message, [Outcome(f"{name}@example.net", "accepted") for name in ("late", "ana")], size=1)
    late, relayed = sent.follow_up(inbox_of(user, dovecot, certificates)).rows
    assert (late.became, late.status) == ("delayed", "4.7.1")
    assert "Come later" in late.words
    assert (relayed.became, relayed.status[0]) == ("relayed", "2")


def test_a_campaign_of_fifty_with_five_bounces_two_delays_and_three_answers_is_shown_joined(
    bouncing: Bouncing, dovecot: Dovecot, certificates: Certificates, own_config: Path
) -> None:
    user = "sender5"
    names = [f"{'gone' if n % 10 == 3 else 'late' if n % 25 == 7 else 'customer'}{n}" for n in range(50)]
    out, inbox = out_of(user, bouncing), inbox_of(user, dovecot, certificates)
    letters = (
        (
            name,
            mailconn.compose(f"{name}@example.net", f"Invoice {name}", "Dear customer", sender=f"{user}@example.test"),
        )
        for name in names
    )
    report = mailconn.send_many(out, letters, journal="invoices-47", on_progress=False)
    assert report.counts == {"accepted": 50}
    rows = {row.recipient: row for row in report.deliveries}
    ids = [rows[f"customer{n}@example.net"].message_id for n in (1, 2, 4, 5)]
    with connect(out) as smtp:
        for message_id, n in zip(ids, (1, 2, 4), strict=False):
            smtp.send_message(answer(message_id, f"Customer <customer{n}@example.net>", user))
        smtp.send_message(answer(ids[3], "customer5@example.net", user, Auto_Submitted="auto-replied"))
    for name in names:
        if not name.startswith("customer"):
            bouncing.wait_for(user, rows[f"{name}@example.net"].message_id)
    bouncing.wait_for(user, b"Auto-Submitted: auto-replied\nMIME")
    counts = {"answered": 3, "bounced": 5, "auto-replied": 1, "delayed": 2, "accepted": 39}
    followed = report.follow_up(inbox)
    assert followed.counts == counts
    assert followed.doubtful == ()
    assert {row.recipient for row in followed.bounced} == {f"{name}@example.net" for name in names if name[0] == "g"}
    assert {row.subject for row in followed.of("delayed")} == {f"Invoice {name}" for name in names if name[0] == "l"}
    frame = followed.to_frame()
    assert list(frame.columns) == ["key", "message_id", "subject", "recipient", "became", "status", "words", "date"]
    assert frame["became"].value_counts().to_dict() == counts
    assert frame.loc[frame["became"] == "bounced", "status"].unique().tolist() == ["5.1.1"]
    assert str(frame["date"].dtype).endswith("UTC]")
    shown = str(followed)
    assert shown.splitlines()[0] == (
        "What came back in sender5: 3 answered, 5 bounced, 1 auto-replied, 2 delayed, 39 accepted."
    )
    assert "550 5.1.1 No such user here" in shown
    assert "<table>" in followed._repr_html_()
    # The journal knows as much, after a restart and in another notebook.
    of_journal = mailconn.follow_up("invoices-47", inbox)
    assert of_journal.counts == counts
    assert {row.key for row in of_journal.bounced} == {name for name in names if name[0] == "g"}


# What is believed


SINCE = "2026-11-01"
OTHER_ID = "<48.invoice@example.org>"


def sent(*recipients: str, message_id: str = ORIGINAL_ID, outcome: Any = "accepted", words: str = "") -> DeliveryReport:
    return DeliveryReport(
        Delivery(0, message_id, "Invoice 47", recipient, outcome, 250, words, tries=1) for recipient in recipients
    )


def followed(tmp_path: Path, report: DeliveryReport, *mails: Mail | EmailMessage) -> FollowUp:
    path = tmp_path / "back.mbox"
    path.unlink(missing_ok=True)
    fill_file(path, [each if isinstance(each, Mail) else Mail(each.as_bytes()) for each in mails])
    return report.follow_up(MailConnection(name="back", protocol="MBOX", server_host=str(path)), since=SINCE)


def back(
    recipient: str, *, action: str = "failed", status: str = "5.1.1", message_id: str = ORIGINAL_ID, day: int = 22
) -> Mail:
    raw = bounce_report(
        "Return-Path: <>\nFrom: MAILER-DAEMON@mail.example.org\nSubject: Undelivered\n",
        f"Final-Recipient: rfc822; {recipient}\nAction: {action}\nStatus: {status}\n",
    )
    return Mail(raw.replace(ORIGINAL_ID.encode(), message_id.encode()).replace(b"22 Nov", b"%d Nov" % day))


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_every_form_is_joined_with_what_was_sent(form: Any, tmp_path: Path) -> None:
    found = followed(tmp_path, sent(form.recipient, "ana@example.net"), Mail(form.raw))
    became = {"failed": "bounced"}.get(form.action, form.action)
    assert [(row.became, row.status) for row in found.rows] == [(became, form.status), ("accepted", "")]
    assert found.doubtful == ()


@pytest.mark.parametrize(
    ("forged", "doubtful"),
    [
        (back("ana@example.net", message_id=OTHER_ID), 1),
        (back("ana@example.net", message_id=""), 1),
        (back("zoe@example.net"), 1),
        (back("zoe@example.net", message_id=OTHER_ID), 0),
        (back("ana@example.net", message_id=ORIGINAL_ID.upper()), 1),
        (back("ana@example.net", message_id="<47.invoice@example.org.evil>"), 1),
        (
            Mail(
                b"From: MAILER-DAEMON@x.example\nDate: Sun, 22 Nov 2026 08:30:00 +0000\n\n<ana@example.net>:\nno such user\n"
            ),
            1,
        ),
    ],
)
def test_a_forged_bounce_marks_nobody_as_bounced(forged: Mail, doubtful: int, tmp_path: Path) -> None:
    found = followed(tmp_path, sent("ana@example.net", "bea@example.net"), forged)
    assert [row.became for row in found.rows] == ["accepted", "accepted"]
    assert len(found.doubtful) == doubtful
    assert ("not prove" in found.summary) == bool(doubtful)


@pytest.mark.parametrize(
    ("sender", "headers", "became"),
    [
        ("Ana <ana@example.net>", {}, "answered"),
        ("ANA@EXAMPLE.NET", {}, "answered"),
        ("a.nderson@example.net", {}, "answered"),
        ("ana@elsewhere.example", {}, "accepted"),
        ("ana@example.net", {"Auto_Submitted": "auto-replied"}, "auto-replied"),
        ("ana@example.net", {"Auto_Submitted": "no"}, "answered"),
        ("ana@example.net", {"X_Autoreply": "yes"}, "auto-replied"),
        ("ana@example.net", {"Precedence": "bulk"}, "auto-replied"),
        ("ana@example.net", {"Return_Path": "<>"}, "auto-replied"),
    ],
)
def test_a_reply_is_by_its_recipient_or_his_domain_and_automatic_by_its_headers(
    sender: str, headers: dict[str, str], became: str, tmp_path: Path
) -> None:
    reply = answer(ORIGINAL_ID, sender, "bob", **headers)
    (row,) = followed(tmp_path, sent("ana@example.net"), reply).rows
    assert row.became == became
    assert row.words == ("" if became == "accepted" else "Re: it")


def test_of_several_recipients_only_the_one_who_writes_has_answered(tmp_path: Path) -> None:
    found = followed(tmp_path, sent("ana@example.net", "bea@example.net"), answer(ORIGINAL_ID, "x@example.net", "bob"))
    assert [row.became for row in found.rows] == ["accepted", "accepted"]
    found = followed(
        tmp_path, sent("ana@example.net", "bea@example.net"), answer(ORIGINAL_ID, "bea@example.net", "bob")
    )
    assert [row.became for row in found.rows] == ["accepted", "answered"]


def test_a_thread_is_followed_by_its_references_and_other_mail_is_left_alone(tmp_path: Path) -> None:
    late = answer("<something.later@example.net>", "ana@example.net", "bob")
    del late["References"]
    late["References"] = f"{ORIGINAL_ID} <something.later@example.net>"
    assert followed(tmp_path, sent("ana@example.net"), late, mail("Hello")).counts == {"answered": 1}
    assert followed(tmp_path, sent("ana@example.net"), mail("Re: Invoice 47")).counts == {"accepted": 1}


def test_of_several_words_the_one_that_says_most_counts_whatever_their_order(tmp_path: Path) -> None:
    delay, bounce = back("ana@example.net", action="delayed", status="4.4.1"), back("ana@example.net")
    delivered = back("ana@example.net", action="delivered", status="2.0.0")
    reply = answer(ORIGINAL_ID, "ana@example.net", "bob")
    for mails, became in [
        ((delay, bounce), "bounced"),
        ((bounce, delay), "bounced"),
        ((delay, delivered), "delivered"),
        ((bounce, reply, delay), "answered"),
    ]:
        (row,) = followed(tmp_path, sent("ana@example.net"), *mails).rows
        assert row.became == became
    early, late = back("ana@example.net", status="5.2.2", day=20), back("ana@example.net", day=23)
    for mails in ((early, late), (late, early)):
        assert followed(tmp_path, sent("ana@example.net"), *mails).rows[0].status == "5.1.1"


def test_an_alias_is_known_by_the_original_recipient_and_a_domain_in_either_form(tmp_path: Path) -> None:
    alias = back("team@inner.example\nOriginal-Recipient: rfc822; Sales@Example.net")
    assert followed(tmp_path, sent("sales@example.net"), alias).counts == {"bounced": 1}
    assert followed(tmp_path, sent("ana@xn--bcher-kva.example"), back("ana@bücher.example")).counts == {"bounced": 1}


def test_amazon_ses_gives_a_message_another_id_which_its_reply_has_told(tmp_path: Path) -> None:
    ses = "0100018c1234abcd-0a1b2c3d-4e5f-6789-abcd-ef0123456789-000000"
    bounce = back("ana@example.net", message_id=f"<{ses}@email.amazonses.com>")
    assert followed(tmp_path, sent("ana@example.net", words=f"Ok {ses}"), bounce).counts == {"bounced": 1}
    assert followed(tmp_path, sent("ana@example.net", words="Ok"), bounce).counts == {"accepted": 1}


def test_what_was_not_accepted_stays_what_it_was_until_something_comes_back(tmp_path: Path) -> None:
    for outcome in ("refused", "unknown", "not sent"):
        report = sent("ana@example.net", outcome=outcome, words="the server's words")
        (row,) = followed(tmp_path, report, mail("Hello")).rows
        assert (row.became, row.words) == (outcome, "the server's words")
    assert followed(tmp_path, sent("ana@example.net", outcome="unknown"), back("ana@example.net")).counts == {
        "bounced": 1
    }


def test_a_report_of_nothing_and_an_empty_mailbox_say_so(tmp_path: Path) -> None:
    assert str(followed(tmp_path, sent(), mail("Hello"))) == "What came back in back: nothing was sent."
    found = followed(tmp_path, sent("ana@example.net"))
    assert str(found) == "What came back in back: 1 accepted."
    assert "1 accepted" in found._repr_html_()
    assert len(found.to_frame()) == 1


def test_a_report_is_followed_from_a_day_before_it_was_sent(tmp_path: Path) -> None:
    path = tmp_path / "back.mbox"
    days = {days: datetime.now(UTC) - timedelta(days=days) for days in (0, 3)}
    for days_ago, when in days.items():
        reply = answer(ORIGINAL_ID, f"d{days_ago}@example.net", "bob")
        reply.replace_header("Date", format_datetime(when))
        fill_file(path, [Mail(reply.as_bytes())])
    inbox = MailConnection(name="back", protocol="MBOX", server_host=str(path))
    report = sent("d0@example.net", "d3@example.net")
    assert [row.became for row in report.follow_up(inbox).rows] == ["answered", "accepted"]
    assert [row.became for row in report.follow_up(inbox, since="1 week").rows] == ["answered", "answered"]


def test_what_is_no_report_and_no_journal_is_an_error(own_config: Path) -> None:
    given: Any
    for given in (7, None, [sent("a@example.net")], pd.DataFrame()):
        with pytest.raises(OptionError, match="takes a report or the name of a journal"):
            mailconn.follow_up(given, "inbox")
    with pytest.raises(MailConnError, match="There is no journal 'invoices'"):
        mailconn.follow_up("invoices", "inbox")
    connections.save(MailConnection(name="ops", server_host="mail.example.org"))
    with pytest.raises(OptionError, match="SMTP sends mail"):
        sent("a@example.net").follow_up("ops")


def test_a_few_messages_are_asked_for_by_name_and_many_by_what_their_names_end_in() -> None:
    few, many = ([f"{n}@example.org" for n in range(count)] for count in (3, 10_000))
    assert b"2@example.org" in _words(few)
    assert b"@example.org" in _words(many)
    assert len(_words(many)) < 50
    # From a hundred domains: headers are read here.
    assert _words([f"{n}@example{n}.org" for n in range(100)]) == ()


def test_ten_thousand_rows_and_as_many_bounces_are_joined(tmp_path: Path) -> None:
    report = DeliveryReport(
        Delivery(n, f"<{n}@example.org>", "", f"u{n}@example.net", "accepted", tries=1) for n in range(10_000)
    )
    mails = [back(f"u{n}@example.net", message_id=f"<{n}@example.org>") for n in range(0, 10_000, 20)]
    found = followed(tmp_path, report, *mails)
    assert found.counts == {"bounced": 500, "accepted": 9_500}
    assert "and 480 more" in str(found)
