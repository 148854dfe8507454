"""Fields of the caller's own: what a mail program must read as it is stays as it is, and what it could not is refused."""

from __future__ import annotations

import email
import email.policy
import smtplib
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from mailconn_jupyter.errors import MessageError
from mailconn_jupyter.message.compose import compose
from mailconn_jupyter.message.mime.wire_format import as_bytes
from tests.servers.counting import CountingServer
from tests.support.composed import travelled

LINK = f"<https://example.org/unsubscribe?u={'0' * 60}&x==?utf-8?q?>"
ID = f"<{'y' * 70}@example.org>"


def with_header(name: str, value: Any) -> EmailMessage:
    return compose("ana@example.org", "s", "t", sender="bob@example.org", headers={name: value})


def field(message: EmailMessage, name: str, *, utf8: bool = False, eight_bit: bool = False) -> list[str]:
    """The lines of the field, as they travel."""
    data = as_bytes(message, utf8=utf8, eight_bit=eight_bit).decode()
    found = data[data.index(f"\r\n{name}: ") + 2 :].split("\r\n")
    end = next(number for number, line in enumerate(found) if number and line[:1] not in {" ", "\t"})
    return found[:end]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("List-Unsubscribe", LINK),
        ("In-Reply-To", ID),
        ("References", ID),
        ("Message-ID", ID),
        ("Message-ID", f"<{'y' * 900}@example.org>"),
        ("X-Trace", "z" * 900),
        ("List-Id", "Churn <churn.example.org>"),
        ("Auto-Submitted", "auto-generated"),
    ],
)
@pytest.mark.parametrize("utf8", [True, False])
@pytest.mark.parametrize("eight_bit", [True, False])
def test_a_long_word_of_ascii_travels_as_it_is(name: str, value: str, utf8: bool, eight_bit: bool) -> None:
    message = with_header(name, value)
    assert field(message, name, utf8=utf8, eight_bit=eight_bit) == [f"{name}: {value}"]
    assert message[name] == value


def test_a_field_is_folded_at_its_spaces_and_no_word_is_split() -> None:
    ids = [f"<{letter * 50}@example.org>" for letter in "abc"] + [ID]
    message = with_header("References", "  ".join(ids))
    assert field(message, "References") == [f"References: {ids[0]}", *(f" {each}" for each in ids[1:])]
    both = f"<mailto:leave@example.org>, {LINK}"
    lines = field(with_header("List-Unsubscribe", both), "List-Unsubscribe")
    assert lines == ["List-Unsubscribe: <mailto:leave@example.org>,", f" {LINK}"]


def test_a_session_of_the_standard_library_does_not_encode_them_either() -> None:
    message = with_header("List-Unsubscribe", LINK)
    with CountingServer() as server:
        with smtplib.SMTP(server.host, server.port) as smtp:
            smtp.send_message(message)
        assert f"\r\nList-Unsubscribe: {LINK}\r\n".encode() in server.taken[0].content
    assert f"\nList-Unsubscribe: {LINK}\n".encode() in message.as_bytes()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("Message-ID", "bad id", "Message-ID 'bad id' is malformed"),
        ("Message-ID", "no-brackets@example.org", "is malformed"),
        ("Message-ID", "<a@b.c> <d@e.f>", "is malformed"),
        ("Message-ID", "<größe@example.org>", "is malformed"),
        ("Message-ID", f"<{'y' * 1000}@example.org>", "a word of 1014 characters"),
        ("Message-ID", "", "is malformed"),
        ("Message-ID", ["<a@b.c>", "<d@e.f>"], "one Message-ID"),
        ("Date", "nonsense", "Date 'nonsense' is not in the format of mail"),
        ("Date", "2024-01-01 10:00", "is not in the format of mail"),
        ("Date", "Mon, 32 Jan 2024 10:00:00 +0100", "is not in the format of mail"),
        ("Date", "", "is not in the format of mail"),
        ("In-Reply-To", "<größe@example.org>", "In-Reply-To cannot hold 'ö'"),
        ("List-Unsubscribe", f"<https://example.org/{'ü' * 3}>", "List-Unsubscribe cannot hold 'ü'"),
        ("List-Unsubscribe", f"<https://example.org/{'u' * 1000}>", "a word of 1022 characters"),
        ("Sender", "nobody", "Sender 'nobody' is not a valid mail address"),
        ("Resent-To", "other@example.org", "Resent-To"),
        ("resent-date", "Mon, 20 Nov 2023 09:00:00 +0100", "forwarded unchanged"),
        ("Return-Path", "<bounces@example.org>", "written where the message arrives"),
        ("X-Note", 47, "needs a text"),
        ("Sender", "a@example.org, b@example.org", "Sender 'a@example.org, b@example.org' names several mailboxes"),
        ("Priority", "urgent", "Priority is not set through headers="),
        ("Sender", "", "Sender is empty"),
        ("Errors-To", " , ", "Errors-To is empty"),
        ("Disposition-Notification-To", "", "Disposition-Notification-To is empty"),
        ("References", " ", "References is empty"),
        ("List-Id", "", "List-Id is empty"),
    ],
)
def test_what_its_readers_could_not_read_is_refused_by_name(name: str, value: Any, words: str) -> None:
    with pytest.raises(MessageError, match=words):
        with_header(name, value)


@pytest.mark.parametrize("name", ["References", "In-Reply-To"])
def test_a_list_of_identifiers_is_one_field(name: str) -> None:
    ids = ["<a@example.org>", "<b@example.org>", ID]
    assert travelled(with_header(name, ids)).get_all(name) == [" ".join(ids)]
    message = compose("ana@example.org", "s", "t", headers={name: ids[0], name.lower(): ids[1]})
    assert message.get_all(name) == [f"{ids[0]} {ids[1]}"]


@pytest.mark.parametrize(
    "date",
    [
        "Mon, 20 Nov 2023 09:00:00 +0100",
        "20 Nov 2023 09:00 GMT",
        "Mon, 20 Nov 2023 09:00:00 +0100 (CET)",
        "Thu, 01 Jan 1970 00:00:00 -0000",
    ],
)
def test_a_date_of_a_mail_is_taken(date: str) -> None:
    assert field(with_header("Date", date), "Date") == [f"Date: {date}"]


def test_a_field_of_addresses_has_names_in_any_language_and_addresses_as_they_are() -> None:
    message = with_header("Errors-To", "Übergrößenträger <ana@bücher.example>")
    (line,) = (line for line in field(message, "Errors-To") if "@" in line)
    assert line.endswith("<ana@xn--bcher-kva.example>")
    assert message["Errors-To"] == "Übergrößenträger <ana@xn--bcher-kva.example>"


def test_free_text_in_another_language_is_encoded_as_before() -> None:
    message = with_header("Comments", "Größe " * 30)
    assert travelled(message)["Comments"] == "Größe " * 30
    assert all(len(line) <= 76 for line in field(message, "Comments"))


@pytest.mark.parametrize("length", range(44, 61))
@pytest.mark.parametrize("text", ["größe" * 20, "日本" * 20, "🎉" * 20, "a" * 40 + "ö"])
def test_a_line_with_an_encoded_word_has_76_characters_however_long_the_name(length: int, text: str) -> None:
    name = "X-" + "n" * (length - 2)
    message = with_header(name, text)
    assert max(map(len, field(message, name))) <= 76
    assert travelled(message)[name].strip() == text


NAMES = st.sampled_from(["References", "In-Reply-To", "List-Unsubscribe", "Message-ID", "Date", "Sender", "X-Any"])
VALUES = st.text(
    st.one_of(st.sampled_from('\r\n\t \0<>@"\\,;:=?é\x85\u2028'), st.characters(codec="ascii")), max_size=99
)


@settings(max_examples=300)
@given(NAMES, VALUES, st.integers(1, 30))
def test_any_value_of_any_field_is_one_field_or_refused(name: str, value: str, times: int) -> None:
    try:
        message = with_header(name, value * times)
    except MessageError:
        return
    data = as_bytes(message, utf8=False, eight_bit=False)
    assert data.isascii()
    assert max(map(len, data.split(b"\r\n"))) <= 998
    read = email.message_from_bytes(data, policy=email.policy.compat32)
    assert [key for key in read if key == name] == [name]
    assert set(read.keys()) <= {*message.keys(), name}
    assert len(read.keys()) == len(message.keys())
