"""Who a received message is from and to: the address is the one that an answer goes to, and nobody is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailconn_jupyter import MailConnection, ParsedMessage, messages
from mailconn_jupyter.message.incoming.address_list import address_list, as_read
from tests.support.mailboxes import Mail, fill_file

LOOSE = "is not a proper list of addresses; it is read as it seems to be meant"


def header(name: str, value: str | bytes) -> ParsedMessage:
    raw = value.encode() if isinstance(value, str) else value
    return ParsedMessage(f"{name}: ".encode() + raw + b"\nDate: Sun, 22 Nov 2026 08:30:00 +0000\n\n")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("noreply@github.example <real@lists.example>", '"noreply@github.example" <real@lists.example>'),
        ("'x@y' <x@y>", "\"'x@y'\" <x@y>"),
        ("Ana @ Work <ana@example.org>", '"Ana @ Work" <ana@example.org>'),
        ('"boss@bank.example" <eve@example.net>', '"boss@bank.example" <eve@example.net>'),
        ("=?utf-8?q?boss=40bank=2Eexample?= <eve@example.net>", '"boss@bank.example" <eve@example.net>'),
        ('"boss@bank.example <boss@bank.example>" <eve@x>', '"boss@bank.example <boss@bank.example>" <eve@x>'),
        ("boss\uff20bank.example <eve@example.net>", '"boss\uff20bank.example" <eve@example.net>'),
        ("(boss@bank.example) eve@example.net", '"boss@bank.example" <eve@example.net>'),
        ("eve@example.net (boss@bank.example)", '"boss@bank.example" <eve@example.net>'),
        ("boss@bank.example <<eve@example.net>>", '"boss@bank.example" <eve@example.net>'),
        ("boss@bank.example <eve@example.net", '"boss@bank.example" <eve@example.net>'),
        ("<@boss.example,@bank.example:eve@example.net>", "eve@example.net"),
    ],
)
def test_the_address_is_what_stands_in_brackets_and_a_name_that_looks_like_one_stands_in_quotes(
    value: str, shown: str
) -> None:
    message = header("From", value)
    assert message.sender == shown
    assert message.header("Reply-To") == ""
    assert header("Reply-To", value).header("Reply-To") == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("me@x; you@x", "me@x, you@x"),
        ("A <a@x>, boss@c <b@x>", 'A <a@x>, "boss@c" <b@x>'),
        ("a@x b@x", "a@x, b@x"),
        ("Ana <a@x> Bea <b@x>", "Ana <a@x>, Bea <b@x>"),
        ("Ana a@x Bea b@x", "Ana <a@x>, Bea <b@x>"),
        ("Ana <a@x, Bea <b@x>", "Ana <a@x>, Bea <b@x>"),
        ('"Ana <a@x>, b@x', "Ana <a@x>, b@x"),
        ("Ana (at work <a@x>, b@x", "Ana at work <a@x>, b@x"),
        ("a@x(Ana)b@x", "Ana <a@x>, b@x"),
        ("Team: a@x, B <b@x>; c@x", "Team: a@x, B <b@x>;, c@x"),
        ("Ana: a@x, b@x", '"Ana:" <a@x>, b@x'),
        (",, a@x ,,, b@x,", "a@x, b@x"),
    ],
)
def test_nobody_to_whom_a_message_goes_is_left_out(value: str, shown: str) -> None:
    assert header("To", value).to == shown
    assert header("Cc", value).cc == shown


@pytest.mark.parametrize(
    "value", ["me@x; you@x", "a@x <b@x>", "A <a@x>, boss@c <b@x>", "a@x b@x", '"Ana <a@x>, b@x', "Ana (work <a@x>"]
)
def test_a_list_that_is_not_as_it_should_be_is_told(value: str) -> None:
    assert header("To", value).problems == (f"The To header {LOOSE}.",)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("ana@example.org (Ana Example)", "Ana Example <ana@example.org>"),
        ("=?utf-8?b?5bGx?= =?utf-8?b?55Sw?= <yamada@example.jp>", "山田 <yamada@example.jp>"),
        ("=?utf-8?q?M=C3=BCller,_J=C3=B6rg?= <jm@example.org>", '"Müller, Jörg" <jm@example.org>'),
        ('"=?utf-8?q?J=C3=BCrg?=" <j@example.org>', "Jürg <j@example.org>"),
        ('"Dr. \\"J\\" M" <j@example.org>', '"Dr. \\"J\\" M" <j@example.org>'),
        ('"john doe"@example.org', '"john doe"@example.org'),
        ("ana@[IPv6:2001:db8::1], bob@example.org", "ana@[IPv6:2001:db8::1], bob@example.org"),
        ("undisclosed-recipients:;", "undisclosed-recipients:;"),
        ("MAILER-DAEMON <>", "MAILER-DAEMON <>"),
        ("Ana\n <ana@example.org>,\n\tbob@example.org", "Ana <ana@example.org>, bob@example.org"),
    ],
)
def test_what_is_legal_is_read_without_a_word(value: str, shown: str) -> None:
    message = header("From", value)
    assert message.sender == shown
    assert message.problems == ()


def test_a_name_in_the_bytes_of_another_charset_is_read_in_that_of_the_text() -> None:
    raw = b"From: " + "Жанна <zh@example.org>".encode("cp1251")
    raw += b"\nContent-Type: text/plain; charset=windows-1251\nDate: 22 Nov 2026 08:30 +0000\n\n"
    assert ParsedMessage(raw).sender == "Жанна <zh@example.org>"


def test_messages_to_somebody_are_found_whatever_stands_before_the_name(tmp_path: Path) -> None:
    head = b"Date: Sun, 22 Nov 2026 08:30:00 +0000\nSubject: "
    values = ("me@x.example; you@x.example", "A <a@x.example>, boss@c <you@x.example>", "me@x.example you@x.example")
    mails = [Mail(head + b"%d\nTo: " % number + value.encode() + b"\n\n") for number, value in enumerate(values)]
    fill_file(tmp_path / "box", mails)
    box = MailConnection(name="box", protocol="MBOX", server_host=str(tmp_path / "box"))
    assert len(list(messages(box, to="you@x.example"))) == len(values)


@pytest.mark.parametrize(
    ("unit", "begin", "end"),
    [
        *((each, "", "") for each in (",", '"', "(", ")", "<", ">", "()", "<>", "=?a?q?", "[", "a@ ", ":", ";", "\\")),
        ("a@x,", "", ""),
        ("a@x ", "<", ""),
        ('\\"', '"', ""),
        ('\\"', '<"> ', '"'),
        ('"a"@ ', "", ""),
        ('"<>"(),<', "", ""),
        (":", "", ";"),
    ],
)
def test_a_hostile_list_ends_to_be_read(unit: str, begin: str, end: str) -> None:
    # What looks at it again from each of its characters would take hours.
    value = begin + unit * (500_000 // len(unit)) + end
    as_read(address_list(value)[0])
