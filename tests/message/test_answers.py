"""Replies and what is passed on: to the right people, in the right thread, whatever the message says."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest

from mailconn_jupyter import MailboxMessage, MailConnection, messages
from mailconn_jupyter.errors import MessageError
from tests.support.mailboxes import Mail, fill_file

PLAIN = (
    b"From: Ana <ana@example.org>\nTo: Bea <bea@example.org>, me@example.org\nCc: carl@example.org, ana@example.org\n"
    b"Date: Sun, 22 Nov 2026 08:30:00 +0100\nSubject: Churn\nMessage-ID: <3@example.org>\n"
    b"References: <1@example.org> <2@example.org>\n\nThree things.\n> earlier\n\nBest, Ana\n"
)


def received(folder: Path, raw: bytes, *, body: bool = True) -> MailboxMessage:
    path = folder / "box"
    path.unlink(missing_ok=True)
    fill_file(path, [Mail(raw)])
    connection = MailConnection(name="box", protocol="MBOX", server_host=str(path))
    connection.from_address = ""
    (message,) = messages(connection, body=body)
    return message


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_a_reply_goes_to_the_sender_in_the_thread_and_quotes(tmp_path: Path) -> None:
    made = received(tmp_path, PLAIN).reply("Thanks.")
    assert (made["To"], made["Cc"], made["Subject"]) == ("Ana <ana@example.org>", None, "Re: Churn")
    assert made["In-Reply-To"] == "<3@example.org>"
    assert made["References"].split() == ["<1@example.org>", "<2@example.org>", "<3@example.org>"]
    text = text_of(made)
    assert text.startswith("Thanks.")
    assert "On 2026-11-22 08:30, Ana <ana@example.org> wrote:\n> Three things.\n>> earlier\n>\n> Best, Ana" in text
    html = made.get_body(("html",))
    assert html is not None
    assert "<blockquote" in html.get_content()
    assert "Three things" not in text_of(received(tmp_path, PLAIN).reply("Thanks.", quote=False))
    assert made.as_bytes()


def test_everybody_gets_it_but_for_oneself_and_nobody_twice(tmp_path: Path) -> None:
    made = received(tmp_path, PLAIN).reply("Thanks.", everybody=True, sender="Me <me@example.org>")
    assert made["To"] == "Ana <ana@example.org>"
    assert made["Cc"] == "Bea <bea@example.org>, carl@example.org"


def test_reply_to_counts_before_from_and_a_subject_is_not_marked_twice(tmp_path: Path) -> None:
    for subject in (b"Re: Churn", b"RE: Churn", b"AW: Churn", b"Re[2]: Churn", b"Sv: Churn"):
        raw = PLAIN.replace(b"Subject: Churn", b"Subject: " + subject + b"\nReply-To: list@example.org")
        made = received(tmp_path, raw).reply("Thanks.")
        assert (made["To"], made["Subject"]) == ("list@example.org", subject.decode())
    assert received(tmp_path, PLAIN.replace(b"Churn", b"Rest: 5")).reply("x")["Subject"] == "Re: Rest: 5"


@pytest.mark.parametrize(
    ("field", "to"),
    [
        (b"From: =?utf-8?q?evil=40example.net=2C?= <ana@example.org>", '"evil@example.net," <ana@example.org>'),
        (b"From: =?utf-8?q?a=0D=0ABcc=3A_eve=40example.net?= <ana@example.org>", "<ana@example.org>"),
        (b'From: "a\\" <eve@example.net>, \\"b" <ana@example.org>', "<ana@example.org>"),
        (b"From: Ana <ana@example.org>\r\n", "<ana@example.org>"),
        (b"From: broken <@>, Ana <ana@example.org>", "<ana@example.org>"),
    ],
)
def test_nobody_is_smuggled_in(field: bytes, to: str, tmp_path: Path) -> None:
    made = received(tmp_path, PLAIN.replace(b"From: Ana <ana@example.org>", field)).reply("x")
    assert made["Bcc"] is None
    (person,) = made["To"].addresses
    assert person.addr_spec == "ana@example.org"
    assert made["To"].endswith(to.removeprefix('"').partition('" ')[2] or to)


def test_identifiers_that_are_none_are_left_out_and_of_thousands_the_ends_are_kept(tmp_path: Path) -> None:
    many = b"\n ".join(b"<%d@example.org>" % number for number in range(3000))
    raw = PLAIN.replace(b"<1@example.org> <2@example.org>", b"x <a b@c> <> \x01 " + many)
    thread = received(tmp_path, raw).reply("x")["References"].split()
    assert (thread[0], thread[-1]) == ("<0@example.org>", "<3@example.org>")
    assert len(thread) <= 30
    nameless = received(tmp_path, PLAIN.replace(b"<3@example.org>", b"nothing")).reply("x")
    assert nameless["In-Reply-To"] is None


def test_a_message_is_passed_on_with_its_text_and_its_files(tmp_path: Path) -> None:
    made = EmailMessage()
    made["From"], made["Subject"], made["Message-ID"] = "Ana <ana@example.org>", "Churn", "<3@example.org>"
    made.set_content("Three things <moved> $x$.\n")
    for name in ("a.csv", "../a.csv", "\x00", "x" * 300 + ".pdf"):
        made.add_attachment(name.encode(), maintype="application", subtype="octet-stream", filename=name)
    (tmp_path / "more.txt").write_text("more")
    passed = received(tmp_path, made.as_bytes()).forward(
        "bea@example.org", "See below.", attachments=str(tmp_path / "more.txt")
    )
    assert (passed["To"], passed["Subject"], passed["In-Reply-To"]) == ("bea@example.org", "Fwd: Churn", None)
    assert passed["References"] == "<3@example.org>"
    assert "From: Ana <ana@example.org>\nSubject: Churn\n\nThree things <moved> $x$." in text_of(passed)
    files = list(passed.iter_attachments())
    assert len(files) == 5
    assert [file.get_payload(decode=True) for file in files[:2]] == [b"a.csv", b"../a.csv"]
    assert passed.as_bytes()


def test_what_cannot_be_answered_is_said(tmp_path: Path) -> None:
    with pytest.raises(MessageError, match="names nobody to reply to"):
        received(tmp_path, PLAIN.replace(b"Ana <ana@example.org>", b"nobody", 1)).reply("x")
    header = received(tmp_path, PLAIN, body=False)
    with pytest.raises(MessageError, match="Only the header"):
        header.reply("x")
    assert header.reply("x", quote=False)["To"] == "Ana <ana@example.org>"
