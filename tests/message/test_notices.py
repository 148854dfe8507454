"""What servers say of mail that came back: read from the forms of the large systems, and from broken and hostile ones."""

from __future__ import annotations

import sys

import pytest

from mailconn_jupyter.message.incoming.parsed import ParsedMessage
from mailconn_jupyter.message.incoming.returned.notice import Notice
from mailconn_jupyter.message.incoming.returned.notices import notices_in
from mailconn_jupyter.message.incoming.returned.signs import is_automatic, may_be_returned
from tests.support.bounce_formats import FORMATS, ORIGINAL_ID, Format, report
from tests.support.broken_mail import BROKEN

SERVER = "Return-Path: <>\nFrom: MAILER-DAEMON@mail.example.org\nSubject: Undelivered\n"


def read(raw: bytes) -> tuple[Notice, ...]:
    return notices_in(ParsedMessage(raw)).notices


def only(status: str, **options: str) -> Notice:
    (notice,) = read(report(SERVER, status, **options))
    return notice


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["LF", "CR LF"])
def test_each_form_tells_whom_why_and_about_which_message(form: Format, line_end: bytes) -> None:
    (notice,) = read(form.raw.replace(b"\n", line_end))
    assert (notice.recipient, notice.action, notice.status) == (form.recipient, form.action, form.status)
    assert form.words in notice.words
    assert notice.message_id == ORIGINAL_ID
    assert notice.date is not None


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_the_header_alone_tells_that_it_may_be_one_so_that_it_is_found(form: Format) -> None:
    assert may_be_returned(ParsedMessage(form.raw).without_body())
    assert is_automatic(ParsedMessage(form.raw).without_body())


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_none_of_these_forms_needs_the_extra(form: Format, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "flufl.bounce", None)
    found = notices_in(ParsedMessage(form.raw))
    assert [notice.recipient for notice in found.notices] == [form.recipient]
    assert not found.more


def test_each_recipient_of_a_report_has_its_own_outcome() -> None:
    status = """\
        Reporting-MTA: dns; mail.example.org

        Final-Recipient: rfc822; a@example.net
        Action: failed
        Status: 5.1.1

        Final-Recipient: rfc822; b@example.net
        Action: delivered
        Status: 2.0.0
        Final-Recipient: rfc822; c@example.net
        Action: delayed
        Status: 4.2.2 (the mailbox is full)
        """
    found = read(report(SERVER, status))
    assert [(notice.recipient, notice.action) for notice in found] == [
        ("a@example.net", "failed"),
        ("b@example.net", "delivered"),
        ("c@example.net", "delayed"),
    ]
    assert found[2].words == "the mailbox is full"


@pytest.mark.parametrize(
    ("field", "address"),
    [
        ("Final-Recipient: rfc822; a@example.net", "a@example.net"),
        ("Final-Recipient: RFC822;<a@example.net>", "a@example.net"),
        ("Final-Recipient: a@example.net", "a@example.net"),
        ("Final-Recipient: rfc822; a@example.net (Ana)", "a@example.net"),
        ("final-recipient:\n rfc822;\n\ta@example.net", "a@example.net"),
        ("Final-Recipient: rfc822; b@example.net\nOriginal-Recipient: rfc822;a@example.net", "a@example.net"),
        (
            "Final-Recipient: rfc822; a+b=c@example.net\nOriginal-Recipient: rfc822;a+2Bb+3Dc@example.net",
            "a+b=c@example.net",
        ),
        ("Final-Recipient: rfc822; a@example.net\nOriginal-Recipient: unknown; none", "a@example.net"),
        ("Final-Recipient: X400; c=us;a= ;p=acme;s=ana", "c=us;a= ;p=acme;s=ana"),
        ("Final-Recipient: utf-8; gr\\x{FC}n@example.net", "grün@example.net"),
        ("Final-Recipient: utf-8; a\\x{D800}\\x{FFFFFF}@example.net", "a\ufffd\ufffd@example.net"),
        ("Final-Recipient: rfc822; a\x1b[2J@example.net", "a\ufffd[2J@example.net"),
    ],
)
def test_an_address_is_read_however_it_is_written(field: str, address: str) -> None:
    assert only(f"{field}\nAction: failed\nStatus: 5.1.1\n").recipient == address


@pytest.mark.parametrize(
    ("fields", "action", "status"),
    [
        ("Action: failed\nStatus: 5.1.1", "failed", "5.1.1"),
        ("Action: Failed (for good)\nStatus: 5.1.1", "failed", "5.1.1"),
        ("Status: 4.4.1", "delayed", "4.4.1"),
        ("Action: failed\nStatus: 4.4.7", "failed", "4.4.7"),
        ("Action: failed\nDiagnostic-Code: smtp; 550 no", "failed", "5.0.0"),
        ("Action: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 #5.1.0 Address rejected", "failed", "5.1.0"),
        ("Action: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 from 5.1.1.8", "failed", "5.0.0"),
        ("Action: failed\nStatus: 5.2.1\nDiagnostic-Code: smtp; 550 5.1.1 no", "failed", "5.2.1"),
        ("Action: nonsense\nStatus: none", "failed", ""),
        ("Action: relayed\nStatus: 2.1.9", "relayed", "2.1.9"),
    ],
)
def test_action_and_status_are_told_by_whichever_field_has_them(fields: str, action: str, status: str) -> None:
    notice = only(f"Final-Recipient: rfc822; a@example.net\n{fields}\n")
    assert (notice.action, notice.status) == (action, status)


def test_a_receipt_for_reading_a_complaint_about_spam_and_a_forwarded_bounce_are_none() -> None:
    bounce = FORMATS[0].raw
    for kind in ("disposition-notification", "feedback-report"):
        assert read(bounce.replace(b"delivery-status", kind.encode())) == ()
    head = b"From: ana@example.org\nTo: bob@example.org\nSubject: Fwd\nContent-Type: multipart/mixed; boundary=f\n\n"
    assert read(head + b"--f\nContent-Type: message/rfc822\n\n" + bounce + b"\n--f--\n") == ()


def test_an_automatic_reply_that_names_whom_to_turn_to_is_no_bounce() -> None:
    reply = (
        b"Return-Path: <>\nFrom: Ana <ana@example.org>\nAuto-Submitted: auto-replied\nSubject: Automatic reply: Hello\n"
        b"\nI have left. Please write to\n\nzoe@example.org\n\nor to <bob@example.org>:\nthey know.\n"
    )
    assert read(reply) == ()


def test_nothing_of_a_broken_message_raises_or_is_taken_for_a_bounce() -> None:
    for broken in BROKEN:
        assert read(broken.raw) == ()


def test_a_broken_bounce_is_read_wherever_it_is_cut_off_and_whatever_is_missing() -> None:
    for form in FORMATS:
        for end in range(0, len(form.raw), 7):
            for notice in read(form.raw[:end]):
                assert notice.recipient.isprintable()
                assert notice.words.isprintable()


HOSTILE = {
    "fields without end": b"Final-Recipient: rfc822; a@example.net\n" + b"Action: failed\n" * 300_000,
    "one endless field": b"Final-Recipient: rfc822; " + b"a" * 4_000_000,
    "folds without end": b"Diagnostic-Code: smtp;\n"
    + b" x\n" * 1_000_000
    + b"Final-Recipient: rfc822; a@example.net\n",
    "blanks without end": b"Final-Recipient:" + b" \t" * 2_000_000,
    "folded blanks": b"Final-Recipient: a\n" + (b" " * 1000 + b"\n") * 4000,
    "a million recipients": b"".join(b"Final-Recipient: rfc822; u%d@example.net\n\n" % n for n in range(200_000)),
    "colons": b":" * 4_000_000,
    "digits": b"Final-Recipient: a@example.net\nDiagnostic-Code: smtp; " + b"5.1.1." * 500_000,
    "unitext": b"Final-Recipient: utf-8; " + b"\\x{" * 1_000_000,
    "brackets": b"Final-Recipient: " + b"<" * 4_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("as_text", [False, True], ids=["report", "text"])
def test_a_hostile_bounce_is_looked_through_and_says_little(name: str, as_text: bool) -> None:
    # What each takes is a fraction of a second; a square of its length would be hours.
    body = HOSTILE[name]
    found = read(SERVER.encode() + b"\n" + body if as_text else report(SERVER, "HERE").replace(b"HERE", body))
    assert len(found) <= 10_000
    assert all(len(notice.words) <= 500 and len(notice.recipient) <= 320 for notice in found)


@pytest.mark.parametrize(
    "pattern", [b"- ", b"<a@", b"a@a.", b"> > ", b"550 ", b"to <a@b> ", b"a:", b"-copy ", b"will be "]
)
def test_a_text_of_the_same_few_signs_takes_no_longer(pattern: bytes) -> None:
    for count in (100, 5_000, 500_000):
        read(SERVER.encode() + b"\n" + pattern * count)
        read(SERVER.encode() + b"X-Failed-Recipients: " + pattern * count + b"\n\n" + pattern * count)
