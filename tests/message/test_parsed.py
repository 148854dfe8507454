"""Messages that came from somewhere: what can be read is read, what cannot is said, and nothing is raised."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import given, strategies

from mailconn_jupyter import ParsedMessage
from mailconn_jupyter.message.incoming.charsets import text_of
from mailconn_jupyter.message.incoming.encoded_words import decoded
from mailconn_jupyter.message.incoming.header import Header
from mailconn_jupyter.message.incoming.uuencoded import take_files
from tests.support.broken_mail import ANY, BROKEN, Broken
from tests.support.mailboxes import mail


def everything(message: ParsedMessage) -> object:
    """All that can be asked of a message."""
    names = ("From", "To", "Cc", "Subject", "Date", "Message-ID", "Received", "X-Nothing")
    asked = message.date, message.sender, message.to, message.cc, message.subject, message.message_id, message.text
    return *asked, message.html, message.attachments, message.problems, [message.header(name) for name in names]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["LF", "CR LF"])
def test_a_broken_message_yields_what_can_be_read_and_says_what_cannot(broken: Broken, line_end: bytes) -> None:
    start = time.monotonic()
    message = ParsedMessage(broken.raw.replace(b"\n", line_end))
    everything(message)
    assert time.monotonic() - start < 30
    for sentence in broken.said:
        assert any(sentence in problem for problem in message.problems), message.problems
    if not broken.said:
        assert message.problems == ()
    assert message.subject.startswith(broken.subject)
    if len(broken.subject) < 100 and "over 100000" not in str(broken.said):
        assert message.subject == broken.subject
    if broken.text != ANY:
        assert message.text == broken.text
    assert (message.date is not None) == broken.dated
    if broken.files:
        assert len(message.attachments) == len(broken.files)
    for attachment, (name, data) in zip(message.attachments, broken.files, strict=False):
        assert name in (ANY, attachment.name)
        assert attachment.data.replace(b"\r\n", b"\n") == data
    assert message.raw == broken.raw.replace(b"\n", line_end)
    # What is shown or put into a table can be encoded.
    assert str(everything(message)).encode("utf-8")


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_the_header_alone_says_the_same_of_the_header(broken: Broken) -> None:
    whole = ParsedMessage(broken.raw)
    end = len(broken.raw) - len(broken.raw.partition(b"\n\n")[2])
    alone = ParsedMessage(broken.raw[:end], complete=False)
    assert (alone.subject, alone.date, alone.sender) == (whole.subject, whole.date, whole.sender)
    assert (alone.text, alone.html, alone.attachments) == ("", "", ())
    assert set(alone.problems) <= set(whole.problems)


@given(strategies.binary(max_size=400), strategies.binary(max_size=80))
def test_whatever_the_bytes_nothing_is_raised(raw: bytes, value: bytes) -> None:
    for names in (b"Subject", b"From", b"Date", b"Content-Type", b"Content-Disposition", b"Content-Transfer-Encoding"):
        everything(ParsedMessage(names + b": " + value + b"\r\n" + raw))
    everything(ParsedMessage(raw))
    kind = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n'
    everything(ParsedMessage(kind + b"Content-Disposition: attachment; filename*=" + value + b"\r\n\r\n" + raw))


def test_a_sound_message_has_no_problems() -> None:
    message = ParsedMessage(mail("Grüße", sender="Jürg <j@example.org>", file="zahlen.csv").raw)
    assert message.problems == ()
    assert (message.subject, message.sender, message.text) == ("Grüße", "Jürg <j@example.org>", "Hello.\n")
    assert message.attachments[0].name == "zahlen.csv"


def test_the_date_keeps_its_zone_and_one_without_is_utc() -> None:
    message = ParsedMessage(b"Date: Sun, 22 Nov 2026 08:30:00 -0500\n\n")
    assert message.date is not None
    assert message.date.isoformat() == "2026-11-22T08:30:00-05:00"
    assert ParsedMessage(b"Date: 22 Nov 2026 08:30:00 -0000\n\n").date == datetime(2026, 11, 22, 8, 30, tzinfo=UTC)


def test_a_name_that_looks_like_an_address_stays_in_quotes() -> None:
    message = ParsedMessage(b"From: =?utf-8?q?boss=40example=2Eorg?= <eve@example.net>\n\n")
    assert message.sender == '"boss@example.org" <eve@example.net>'


def test_everybody_that_a_message_goes_to_can_be_had() -> None:
    message = ParsedMessage(b"To: Ana\n <ana@example.org>,\n\tbob@example.org\nCc: carl@example.org\n\n")
    assert message.to == "Ana <ana@example.org>, bob@example.org"
    assert message.cc == "carl@example.org"


def test_of_two_texts_the_first_is_the_body_and_the_html_stands_beside_it() -> None:
    made = EmailMessage()
    made.set_content("plain")
    made.add_alternative("<p>rich</p>", subtype="html")
    made.add_attachment("second", filename="second.txt")
    message = ParsedMessage(made.as_bytes())
    assert (message.text, message.html) == ("plain\n", "<p>rich</p>\n")
    assert [attachment.name for attachment in message.attachments] == ["second.txt"]


def test_flags_say_whether_it_was_read_where_the_mailbox_knows() -> None:
    assert ParsedMessage(b"").seen is None
    assert ParsedMessage(b"", flags=()).seen is False
    assert ParsedMessage(b"", flags=["\\SEEN", "\\Flagged"]).seen is True


def test_a_header_of_many_megabytes_costs_no_more_than_to_look_through_it() -> None:
    raw = b"Subject: " + b"x\r\n " * 2_500_000 + b"\r\nFrom: ana@example.org\r\n\r\nbody"
    start = time.monotonic()
    header = Header(raw)
    assert header.text("From") == "ana@example.org"
    assert len(header.text("Subject")) <= 100_000
    assert time.monotonic() - start < 30


@pytest.mark.parametrize("text", ["=?a?q?" * 50_000, "=?utf-8?b?" + "A" * 300_000, "=?utf-8?q?x?= " * 20_000])
def test_decoding_hostile_words_takes_no_longer_than_their_length(text: str) -> None:
    start = time.monotonic()
    decoded(text)
    assert time.monotonic() - start < 30


@pytest.mark.parametrize("text", ["begin 644 a\n" * 50_000 + "\nend.", "begin 644 a\n" + "M\n" * 100_000 + "\nend."])
def test_looking_for_files_in_a_hostile_text_takes_no_longer_than_its_length(text: str) -> None:
    start = time.monotonic()
    assert take_files(text)[1] == []
    assert time.monotonic() - start < 30


@pytest.mark.parametrize(
    ("data", "charset", "text", "sound"),
    [
        (b"gr\xfc\xdfe", "iso-8859-1", "grüße", True),
        ("grüße".encode(), "us-ascii", "grüße", False),
        (b"gr\xfc\xdfe", "us-ascii", "grüße", False),
        ("日本".encode("shift_jis"), "X-SJIS", "日本", True),
        ("简体".encode("gb18030"), "GB2312", "简体", True),
        (b"abc", "rot13", "abc", False),
        (b"abc", "", "abc", False),
        (b"abc", "a\x00b", "abc", False),
        (b"abc", "../../x", "abc", False),
        (b"abc", "punycode", "abc", False),
    ],
)
def test_a_text_is_read_in_its_charset_or_in_the_one_that_it_is_in(
    data: bytes, charset: str, text: str, sound: bool
) -> None:
    assert text_of(data, charset) == (text, sound)
