"""Nothing that is put into a message or an envelope becomes another header, command, recipient or message."""

from __future__ import annotations

import email
import email.policy
import itertools
from collections.abc import Callable
from email.header import Header
from email.message import EmailMessage, Message
from email.mime.text import MIMEText
from typing import Any

import pytest

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.errors import MessageError
from mailconn_jupyter.message.mime.wire_format import as_bytes, normalised, stuffed
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.smtp.session import SMTPSession
from tests.servers.counting import CountingServer
from tests.servers.script import Expect, ExpectUntil, ScriptServer, Send

SENDER, ALICE, EVE = "bob@example.test", "alice@example.test", "eve@evil.test"
EVIL = f"Bcc: {EVE}"
BREAKS = ["\r\n", "\n", "\r", "\r\n ", "\n\n", "\r\n\r\n", "\x0b\n", "\x85", "\u2028"]


@pytest.fixture
def server() -> Any:
    with CountingServer() as counting:
        yield counting


def open_session(server: CountingServer) -> Any:
    plain: dict[str, Any] = {"use_secure_authentication": False, "use_authentication": False, "timeout": 5}
    return connect(MailConnection(name="ops", server_host="localhost", server_port=server.port, **plain))


def letter() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = SENDER, ALICE
    message.set_content("Three things moved.")
    return message


def with_subject(evil: str) -> Message[Any, Any]:
    message = MIMEText("Three things moved.")
    message["From"], message["To"], message["Subject"] = SENDER, ALICE, evil
    return message


def with_display_name(evil: str) -> Message[Any, Any]:
    message = MIMEText("Three things moved.")
    message["From"], message["To"] = SENDER, f'"{evil}" <{ALICE}>'
    return message


def with_header_name(evil: str) -> Message[Any, Any]:
    message = letter()
    message[f"X-Note: x{evil}"] = "x"
    return message


def with_attachment_name(evil: str) -> Message[Any, Any]:
    message = letter()
    message.add_attachment(b"x", maintype="text", subtype="plain", filename=f"x{evil}.txt")
    return message


def with_encoded_subject(evil: str) -> Message[Any, Any]:
    """CVE-2024-6923: a line break in an encoded word of a message that was received."""
    word = "".join(f"={byte:02X}" for byte in f"x{evil}".encode())
    raw = f"From: {SENDER}\r\nTo: {ALICE}\r\nSubject: =?utf-8?q?{word}?=\r\n\r\nThree things moved.\r\n".encode()
    return email.message_from_bytes(raw, policy=email.policy.default)


def with_raw_header_set(evil: str) -> Message[Any, Any]:
    message = letter()
    message._headers.append(("X-Note", f"x{evil}"))  # type: ignore[attr-defined]
    return message


def with_header_of_a_part(evil: str) -> Message[Any, Any]:
    message = letter()
    message.add_attachment(b"x", maintype="text", subtype="plain", filename="x.txt")
    part = next(message.iter_attachments())
    part._headers.append(("X-Note", f"x{evil}"))  # type: ignore[attr-defined]
    return message


def with_old_header_object(evil: str) -> Message[Any, Any]:
    message = MIMEText("Three things moved.")
    message["From"], message["To"] = SENDER, ALICE
    message["Subject"] = Header(f"x{evil}", "utf-8")  # type: ignore[assignment]
    return message


PLACES: list[Callable[[str], Message[Any, Any]]] = [
    with_subject,
    with_display_name,
    with_header_name,
    with_attachment_name,
    with_encoded_subject,
    with_raw_header_set,
    with_header_of_a_part,
    with_old_header_object,
]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_a_line_break_anywhere_in_a_message_begins_no_header(
    place: Callable[[str], Message[Any, Any]], server: CountingServer
) -> None:
    sent = 0
    with open_session(server) as smtp:
        for line_break in BREAKS:
            try:
                message = place(line_break + EVIL)
                smtp.send_message(message, SENDER, [ALICE])
            except ValueError:
                # Refused, here or by email itself: fine.
                continue
            sent += 1
    assert len(server.taken) == sent
    for taken in server.taken:
        assert taken.recipients == (ALICE,)
        for found in email.message_from_bytes(taken.content).walk():
            assert found["Bcc"] is None
        assert b"\nBcc" not in taken.content
        assert b"\rBcc" not in taken.content


@pytest.mark.parametrize("line_break", ["\r\n", "\n", "\r"])
def test_a_received_subject_with_an_encoded_line_break_is_refused_or_stays_one_field(line_break: str) -> None:
    message = with_encoded_subject(line_break + EVIL)
    try:
        data = as_bytes(message, utf8=False, eight_bit=True)
    except MessageError as error:
        assert "Subject" in str(error)  # noqa: PT017  # either is right, by version of Python
    else:
        assert b"\nBcc" not in data


def test_what_looks_like_two_addresses_after_decoding_is_one_recipient(server: CountingServer) -> None:
    word = "=?utf-8?q?eve=40evil.test=2C_Ana?="
    base64_word = "=?utf-8?b?PGV2ZUBldmlsLnRlc3Q+LA==?="
    with open_session(server) as smtp:
        for policy, name in itertools.product((email.policy.default, email.policy.compat32), (word, base64_word)):
            raw = f"From: {SENDER}\r\nTo: {name} <{ALICE}>\r\n\r\nhello\r\n".encode()
            smtp.send_message(email.message_from_bytes(raw, policy=policy))
    assert [taken.recipients for taken in server.taken] == [(ALICE,)] * 4


@pytest.mark.parametrize("header", [f"{ALICE})" + EVE, f"{ALICE}(<{EVE}>", f"{ALICE} <{EVE}> <", f"{ALICE}:{EVE}"])
@pytest.mark.parametrize("kind", [EmailMessage, Message])
def test_a_malformed_recipient_header_adds_no_recipient_that_a_reader_does_not_see(
    header: str, kind: type[Message[Any, Any]], server: CountingServer
) -> None:
    message = kind()
    message["From"], message["To"] = SENDER, header
    message.set_payload("hello\r\n")
    with open_session(server) as smtp:
        try:
            smtp.send_message(message)
        except MessageError:
            return
    for taken in server.taken:
        # CVE-2023-27043: both at once was the bug.
        assert len(taken.recipients) == 1


@pytest.mark.parametrize(
    "address",
    [
        f"{ALICE}\r\nRCPT TO:<{EVE}>",
        f"{ALICE}\nRCPT TO:<{EVE}>",
        f"{ALICE}\r",
        f"{ALICE}\x00",
        f"<{ALICE}> ORCPT=rfc822;{EVE}",
        f"{ALICE} NOTIFY=NEVER",
        f"{ALICE}>\r\nDATA",
        f"{ALICE}> NOTIFY=NEVER <x",
        f"{ALICE}, {EVE}",
        f"{EVE}, Ana <{ALICE}>",
        f"{EVE}; Ana <{ALICE}>",
        f'"{EVE}, Ana <{ALICE}>',
        f"<{ALICE}><{EVE}>",
        f"@evil.test:{ALICE}",
        "alice@[IPv6:::1%x SIZE=1]",
        "alice@[IPv6:::1%\x85]",
        "alice@example.test\u2028RCPT",
        "alice@example\uff0ctest",
        "alice@example.test\ufe64",
        "",
        " ",
        "@",
        "alice@",
        "@example.test",
        "a lice@example.test",
        "alice@exam ple.test",
        "alice@example..test",
        "alice@-example.test",
        "al..ice@example.test",
        ".alice@example.test",
        f"{'a' * 65}@example.test",
        f"alice@{'a' * 64}.test",
        "\udcffalice@example.test",
    ],
)
def test_what_is_not_exactly_one_mailbox_is_refused_before_a_byte_is_sent(address: str) -> None:
    hello = [Send(b"220 mail.test\r\n"), Expect(rb"ehlo .*"), Send(b"250 mail.test\r\n")]
    with ScriptServer(hello) as server:
        options: dict[str, Any] = {"use_secure_authentication": False, "use_authentication": False}
        smtp = connect(MailConnection(name="ops", server_host="localhost", server_port=server.port, **options))
        for sender, recipients in ((SENDER, [ALICE, address]), (address if address.strip(" ") else "@", [ALICE])):
            with pytest.raises(MessageError):
                smtp.sendmail(sender, recipients, b"hello\r\n")
            with pytest.raises(MessageError):
                smtp.send_message(letter(), sender, recipients)
        with pytest.raises(MessageError):
            smtp.rcpt(address)
        with pytest.raises(MessageError):
            smtp.mail(address if address.strip(" ") else "@")
        smtp.close()


@pytest.mark.parametrize(
    "option",
    ["X\r\nRCPT TO:<x>", "X\n", "A B", "", "\x00", "X=\x00", "NOTIFY=NEVER\r", "X=a=b", "=x", "X= y", "X=\x85", "<>"],
)
@pytest.mark.parametrize("which", ["mail_options", "rcpt_options"])
def test_a_parameter_that_is_not_one_word_is_refused_before_a_byte_is_sent(option: str, which: str) -> None:
    hello = [Send(b"220 mail.test\r\n"), Expect(rb"ehlo .*"), Send(b"250 mail.test\r\n")]
    with ScriptServer(hello) as server:
        options: dict[str, Any] = {"use_secure_authentication": False, "use_authentication": False}
        smtp: Any = connect(MailConnection(name="ops", server_host="localhost", server_port=server.port, **options))
        with pytest.raises(MessageError):
            smtp.sendmail(SENDER, [ALICE], b"hello\r\n", **{which: ["BODY=7BIT", option]})
        with pytest.raises(MessageError):
            smtp.send_message(letter(), **{which: [option]})
        for command in (smtp.mail, smtp.rcpt):
            # Also from a generator, which can be read only once.
            with pytest.raises(MessageError):
                command(ALICE, (each for each in [option]))
        smtp.close()


# Smuggling: a dot between two line ends of any kind, where one server sees the end of the message and another does not

ENDS = ["\r\n", "\n", "\r", "\r\r\n", "\n\r", "\r\n\r", ""]
SMUGGLED = f"MAIL FROM:<{EVE}>\r\nRCPT TO:<{ALICE}>\r\nDATA\r\nSubject: smuggled\r\n\r\nhello\r\n.\r\n"


def lines(data: bytes) -> list[bytes]:
    return normalised(data).split(b"\r\n")


@pytest.mark.parametrize("before", ENDS)
@pytest.mark.parametrize("after", ENDS)
@pytest.mark.parametrize("dots", [".", "..", ". "])
def test_a_dot_between_any_two_line_ends_smuggles_no_message(before: str, after: str, dots: str) -> None:
    data = f"Subject: one\r\n\r\nhello{before}{dots}{after}{SMUGGLED}".encode()
    wire = stuffed(normalised(data))
    for end in (b"\r\n.\r\n", b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\r", b"\r\n.\n", b"\n.\r", b"\r.\n", b"\r.\r\n"):
        # Once, and at the very end, for whoever takes this for the end of a message.
        assert wire.count(end) <= 1
        assert end not in wire[:-5]
    assert b"\r" not in wire.replace(b"\r\n", b"")
    assert b"\n" not in wire.replace(b"\r\n", b"")


def test_what_the_server_receives_is_one_message_with_the_same_lines(server: CountingServer) -> None:
    bodies = [
        f"Subject: one\r\n\r\nhello{before}.{after}{SMUGGLED}".encode() for before in ENDS for after in ENDS if before
    ]
    # Bare line ends at the borders of what is sent or read in one piece.
    bodies += [
        (b"Subject: one\r\n\r\n" + (b"x" * 62 + b"\r\n") * 1100)[: border + shift]
        + end
        + b"."
        + end
        + SMUGGLED.encode()
        for border in (4096, 8192, 65536)
        for shift in (-1, 0, 1)
        for end in (b"\r", b"\n", b"\r\n")
    ]
    with open_session(server) as smtp:
        for body in bodies:
            smtp.sendmail(SENDER, [ALICE], body)
    assert len(server.taken) == len(bodies)
    for taken, body in zip(server.taken, bodies, strict=True):
        assert taken.sender == SENDER
        assert lines(taken.content) == lines(body)


def test_the_lines_of_an_email_message_survive_with_their_dots(server: CountingServer) -> None:
    text = ".\n..\n. \n.\r.\n\n.leading\nFrom here\n"
    message = letter()
    message.set_content(text)
    with open_session(server) as smtp:
        smtp.send_message(message)
    (taken,) = server.taken
    received = email.message_from_bytes(taken.content, policy=email.policy.default)
    body = received.get_content()
    assert body.replace("\r\n", "\n").replace("\r", "\n") == text.replace("\r", "\n")


def test_the_raw_bytes_after_data_have_no_bare_line_end() -> None:
    received: list[bytes] = []

    class Keep(ExpectUntil):
        def play(self, talk: Any) -> bool:
            received.append(talk.until(self.terminator))
            return True

    script = [
        Send(b"220 mail.test\r\n"),
        Expect(rb"ehlo .*"),
        Send(b"250 mail.test\r\n"),
        Expect(rb"mail .*"),
        Send(b"250 ok\r\n"),
        Expect(rb"rcpt .*"),
        Send(b"250 ok\r\n"),
        Expect(rb"DATA"),
        Send(b"354 go\r\n"),
        Keep(),
        Send(b"250 ok\r\n"),
    ]
    with ScriptServer(script) as server:
        smtp = SMTPSession("localhost", server.port, timeout=5)
        smtp.ehlo()
        smtp.mail(SENDER)
        smtp.rcpt(ALICE)
        smtp.data(b".\nhello\r.\r\n\n.\n" + SMUGGLED.encode())
        smtp.close()
    (raw,) = received
    assert raw.count(b"\r\n.\r\n") == 1
    assert raw.startswith(b"..\r\n")
    assert b"\n" not in raw.replace(b"\r\n", b"")


def test_a_local_name_with_a_line_break_is_no_command() -> None:
    with ScriptServer([Send(b"220 mail.test\r\n")]) as server:
        smtp = SMTPSession("localhost", server.port, "x\r\nMAIL FROM:<>", timeout=5)
        with pytest.raises(ValueError, match="newline"):
            smtp.ehlo()
        smtp.close()
