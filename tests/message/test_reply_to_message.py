"""``reply_to_message=``: a new message stands in the thread of another one, whatever that one says, and goes to whom its author names."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from types import SimpleNamespace
from typing import Any

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter.delivery.sent_log.log_entry import Fate, LogEntry
from mailconn_jupyter.delivery.sent_log.log_file import LogFile
from mailconn_jupyter.errors import MailConnWarning, MessageError
from mailconn_jupyter.message.incoming.parsed import ParsedMessage

PLAIN = b"From: ana@example.org\nTo: bea@example.org\nSubject: Churn\nMessage-ID: <3@example.org>\n\nThree things.\n"
NO_THREAD = "no valid Message-ID, so the answer will not appear in its thread"


def answer(given: Any, subject: str = "", **options: Any) -> EmailMessage:
    return mailconn.compose("eve@example.org", subject, "x", reply_to_message=given, **options)


def thread(message: EmailMessage) -> tuple[str | None, list[str]]:
    return message["In-Reply-To"], str(message["References"] or "").split()


def noted(subject: str = "Churn", message_id: str = "<47@example.org>") -> LogEntry:
    entry = LogEntry(datetime.now(UTC), "ops", subject, message_id, 1000, {"ana@example.org": Fate("accepted")})
    LogFile().add([entry])
    return entry


def test_a_message_that_was_read_gives_the_thread_and_the_subject_and_no_recipient() -> None:
    raw = PLAIN.replace(b"Message-ID", b"References: <1@example.org>\n <2@example.org>\nMessage-ID")
    made = answer(ParsedMessage(raw))
    assert thread(made) == ("<3@example.org>", ["<1@example.org>", "<2@example.org>", "<3@example.org>"])
    assert (made["Subject"], made["To"], made["Cc"]) == ("Re: Churn", "eve@example.org", None)
    assert answer(ParsedMessage(raw), "Something else")["Subject"] == "Something else"


def test_of_its_header_alone_it_can_be_answered() -> None:
    assert answer(ParsedMessage(PLAIN).without_body())["In-Reply-To"] == "<3@example.org>"


@pytest.mark.parametrize("subject", ["Re: Churn", "RE: Churn", "AW: Churn", "Sv: Churn", "Re[2]: Churn", "Antw: Churn"])
def test_a_subject_that_says_already_that_it_is_an_answer_stays_as_it_is(subject: str) -> None:
    assert answer(ParsedMessage(PLAIN.replace(b"Churn", subject.encode())))["Subject"] == subject


def test_a_message_of_pythons_own_is_answered_as_it_is_written() -> None:
    for policy in (email.policy.default, email.policy.compat32):
        message: Any = email.message_from_bytes(PLAIN.replace(b"Churn", b"=?utf-8?q?Gr=C3=B6=C3=9Fe?="), policy=policy)
        made = answer(message)
        assert (made["In-Reply-To"], made["Subject"]) == ("<3@example.org>", "Re: Größe")
    first = mailconn.compose("ana@example.org", "Größe", "x", sender="me@example.org")
    assert thread(answer(first)) == (first["Message-ID"], [first["Message-ID"]])


def test_what_follows_an_answer_stands_in_the_same_thread() -> None:
    first = mailconn.compose("ana@example.org", "Churn", "x", sender="me@example.org")
    second = answer(first, sender="me@example.org")
    third = answer(second)
    assert thread(third) == (second["Message-ID"], [first["Message-ID"], second["Message-ID"]])
    assert third["Subject"] == "Re: Churn"


# What was sent


def test_a_row_of_the_log_an_entry_and_a_report_are_answered() -> None:
    entry = noted()
    (row,) = mailconn.sent().to_dict("records")
    report = SimpleNamespace(message_id="<47@example.org>", subject="Churn")
    for given in (row, mailconn.sent().iloc[0], next(mailconn.sent().itertuples()), entry, report):
        made = answer(given)
        assert (made["In-Reply-To"], made["Subject"]) == ("<47@example.org>", "Re: Churn")


def test_a_message_id_is_looked_up_in_the_log_for_its_subject() -> None:
    entry = noted("Größe: 5")
    for name in ("<47@example.org>", "47@example.org", " <47@example.org> ", entry.key, entry.key[:5].upper()):
        made = answer(name)
        assert (made["In-Reply-To"], made["Subject"]) == ("<47@example.org>", "Re: Größe: 5")


def test_a_message_id_that_the_log_does_not_have_needs_a_subject() -> None:
    assert thread(answer("<9@example.org>", "Churn")) == ("<9@example.org>", ["<9@example.org>"])
    with pytest.raises(MessageError, match=r"The subject of <9@example\.org> is not known") as info:
        answer("<9@example.org>")
    assert info.value.hint == "Give the subject, or the message itself, as it was read."


@pytest.mark.parametrize("given", ["", "nothing", "<>", "<a b@c>", "abc123", "x" * 1_000_000])
def test_a_text_that_names_no_message_is_told(given: str) -> None:
    with pytest.raises(MessageError, match="is not a Message-ID, nor the ID of a message in the log") as info:
        answer(given, "Churn")
    assert len(str(info.value)) < 400


@pytest.mark.parametrize("given", [3, b"<3@example.org>", [], {}, {"message_id": "<3@example.org>"}, object()])
def test_what_is_no_message_is_told(given: object) -> None:
    with pytest.raises(MessageError, match="is not a message"):
        answer(given)


def test_of_a_table_one_row_is_asked_for() -> None:
    noted()
    with pytest.raises(MessageError) as info:
        answer(mailconn.sent())
    assert info.value.hint == "Name one row of the table: table.iloc[0]"


# What a stranger writes


@pytest.mark.parametrize(
    "written",
    [
        b"nothing",
        b"<a b@c>",
        b"",
        b"<\x00@example.org>",
        b"<" + b"a" * 5_000_000 + b"@b>",
        b"<" * 3_000_000,
        b"<a\n b@c>",
    ],
)
def test_without_an_identifier_that_is_one_there_is_no_thread_and_a_warning(written: bytes) -> None:
    with pytest.warns(MailConnWarning, match=NO_THREAD):
        made = answer(ParsedMessage(PLAIN.replace(b"<3@example.org>", written)))
    assert thread(made) == (None, [])
    assert made["Subject"] == "Re: Churn"
    assert made.as_bytes()


def test_without_any_there_is_a_warning_too_and_the_thread_so_far_stays() -> None:
    with pytest.warns(MailConnWarning, match=NO_THREAD):
        made = answer(ParsedMessage(PLAIN.replace(b"Message-ID: <3@example.org>", b"References: <1@example.org>")))
    assert thread(made) == (None, ["<1@example.org>"])


@pytest.mark.parametrize(
    "written", [b"\n <3@example.org>", b"<3@example.org> <4@example.org>", b"junk <3@example.org>"]
)
def test_an_identifier_is_found_among_what_stands_around_it(written: bytes) -> None:
    assert answer(ParsedMessage(PLAIN.replace(b"<3@example.org>", written)))["In-Reply-To"] == "<3@example.org>"


def test_of_thousands_of_references_the_ends_are_kept() -> None:
    many = b"\n ".join(b"<%d@example.org>" % number for number in range(3000))
    _, found = thread(answer(ParsedMessage(PLAIN.replace(b"Message-ID", b"References: " + many + b"\nMessage-ID"))))
    assert (found[0], found[-1], len(found)) == ("<0@example.org>", "<3@example.org>", 30)


@pytest.mark.parametrize(
    ("message_id", "subject"),
    [("<3@example.org>\r\nBcc: eve@example.net", "Churn"), ("<3@example.org>", "Churn\r\nBcc: eve@example.net")],
)
def test_nothing_is_smuggled_into_the_header(message_id: str, subject: str) -> None:
    given: Mapping[str, str] = {"message_id": message_id, "subject": subject}
    made = answer(given)
    assert made["Bcc"] is None
    again = email.message_from_bytes(made.as_bytes(), policy=email.policy.default)
    assert (again["Bcc"], again["In-Reply-To"]) == (None, "<3@example.org>")


def test_a_subject_of_megabytes_is_cut() -> None:
    made = answer(ParsedMessage(PLAIN.replace(b"Churn", b"word " * 1_000_000)))
    assert len(made["Subject"]) < 2100


# Beside the others


def test_the_authors_own_references_stay_beside_those_of_the_thread() -> None:
    made = answer(ParsedMessage(PLAIN), headers={"References": "<0@example.org>"})
    assert thread(made) == ("<3@example.org>", ["<0@example.org>", "<3@example.org>"])


def test_a_template_without_a_word_gets_the_subject_of_the_thread() -> None:
    made = answer(ParsedMessage(PLAIN), "{{ word }}", variables={"word": ""})
    assert made["Subject"] == "Re: Churn"


def test_send_answers_too() -> None:
    server = mailconn.sandbox.start()
    report = mailconn.send("sandbox", "eve@example.org", "", "x", reply_to_message=ParsedMessage(PLAIN))
    server.stop()
    assert (report.subject, report.message["In-Reply-To"]) == ("Re: Churn", "<3@example.org>")


def test_a_message_answers_one_other() -> None:
    with pytest.raises(MessageError, match="reply_to_message sets In-Reply-To") as caught:
        answer(ParsedMessage(PLAIN), headers={"in-reply-to": "<other@example.org>"})
    assert caught.value.hint == "Leave it out of headers."
