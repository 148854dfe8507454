"""Addresses that are not ASCII before their @: sent with SMTPUTF8, refused in one sentence where that is not offered."""

from __future__ import annotations

import email
import email.policy
import smtplib
import uuid
from email.message import EmailMessage
from typing import Any

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.message.mime.wire_format import as_bytes, wired
from mailconn_jupyter.session.smtp.errors import NotSupported
from tests.servers.counting import CountingServer
from tests.servers.ports import free_ports
from tests.servers.postfix import Postfix
from tests.servers.script import Expect, ScriptServer, Send
from tests.servers.steps import Step

BOB, ALICE, INTERNATIONAL = "bob@example.test", "alice@example.test", "ünïcode@example.test"
ANA = "añá@example.org"
FIELDS: list[dict[str, Any]] = [
    {"to": ANA},
    {"to": f"Ünal <{ANA}>"},
    {"cc": ANA},
    {"bcc": ANA},
    {"reply_to": ANA},
    {"sender": ANA},
]


def to(port: int, **options: Any) -> MailConnection:
    plain = {"use_secure_authentication": False, "use_authentication": False, "timeout": 5, "from_address": BOB}
    return MailConnection(**{"name": "ops", "server_host": "localhost", "server_port": port, **plain, **options})


def sent(target: Any, options: dict[str, Any]) -> mailconn.SendReport:
    return mailconn.send(
        target,
        options.get("to", ALICE),
        "Größe",
        "y",
        **{"sender": BOB} | {name: value for name, value in options.items() if name != "to"},
    )


@pytest.mark.parametrize("field", ["to", "cc", "bcc"])
def test_a_real_server_delivers_what_send_sends_to_an_international_mailbox(field: str, postfix: Postfix) -> None:
    subject = f"Größe {uuid.uuid4().hex}"
    people: dict[str, Any] = {"to": ALICE, field: f"Ünal <{INTERNATIONAL}>"}
    report = mailconn.send(to(postfix.relay), people.pop("to"), subject, "Three things moved:", **people)
    assert INTERNATIONAL in report.accepted
    raw = postfix.wait_for("ünïcode", report.message_id)
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert message["Subject"] == subject
    assert message["Bcc"] is None
    if field != "bcc":
        # The address stands in its header as it is, not in an encoded word, which is no address.
        assert f"<{INTERNATIONAL}>".encode() in raw.partition(b"\n\n")[0].split(f"\n{field.title()}: ".encode())[1]


def test_a_session_of_the_standard_library_sends_to_an_international_mailbox(postfix: Postfix) -> None:
    with smtplib.SMTP(postfix.host, postfix.relay, timeout=5) as smtp:
        report = mailconn.send(smtp, INTERNATIONAL, "x", "y", sender=BOB, reply_to=ANA)
        assert report.accepted == (INTERNATIONAL,)
        assert mailconn.send(smtp, ALICE, "x", "y", sender=BOB).accepted == (ALICE,)
    assert f"Reply-To: {ANA}".encode() in postfix.wait_for("ünïcode", report.message_id)


@pytest.mark.parametrize("options", FIELDS)
def test_an_international_address_in_any_field_is_sent_and_the_size_is_that_of_what_travelled(
    options: dict[str, Any],
) -> None:
    with CountingServer() as server:
        report = sent(to(server.port), options)
        (taken,) = server.taken
    assert report.ok
    assert report.size == len(taken.content)


@pytest.mark.parametrize("options", FIELDS)
def test_a_dry_run_shows_a_message_with_an_international_address(options: dict[str, Any]) -> None:
    nowhere = to(free_ports(1)[0])
    report = sent(nowhere, {**options, "dry_run": True})
    assert report.size > 100
    assert report.message.as_bytes()
    travels = as_bytes(report.message, utf8=False, eight_bit=True)
    assert (ANA.encode() in travels) == ("bcc" not in options)


@pytest.mark.parametrize("options", FIELDS)
@pytest.mark.parametrize("kind", ["connection", "smtplib"])
def test_a_server_without_smtputf8_gets_nothing_and_one_sentence_says_why(options: dict[str, Any], kind: str) -> None:
    hello: list[Step] = [Send(b"220 mail.test\r\n"), Expect(rb"(?i)ehlo .*"), Send(b"250 mail.test\r\n")]
    with ScriptServer([*hello, Expect(rb"(?i)quit"), Send(b"221 bye\r\n")]) as server:
        target = to(server.port) if kind == "connection" else smtplib.SMTP(server.host, server.port, timeout=5)
        with pytest.raises(NotSupported, match="the server does not offer SMTPUTF8") as caught:
            sent(target, options)
        if isinstance(target, smtplib.SMTP):
            target.quit()
    assert "reply_to" in options or ANA in caught.value.message
    assert "Nothing was sent" in caught.value.hint


def test_an_address_in_a_header_alone_asks_for_smtputf8_too() -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Reply-To"] = BOB, ALICE, f"Ünal <{ANA}>"
    message.set_content("hello")
    wire = wired(message, utf8=False, eight_bit=False)
    assert wire.international
    assert f"Reply-To: Ünal <{ANA}>\r\n".encode() in bytes(wire)
    with CountingServer() as server, mailconn.connect(to(server.port)) as smtp:
        smtp.send_message(message)
        assert [line for line in smtp.transcript if "mail from" in str(line) and "SMTPUTF8" in str(line)]


@pytest.mark.parametrize(
    "name",
    ["Sender", "Disposition-Notification-To", "Errors-To", "Mail-Followup-To", "Mail-Reply-To", "Return-Receipt-To"],
)
def test_an_international_address_in_a_field_of_ones_own_is_sent(name: str) -> None:
    with CountingServer() as server:
        report = mailconn.send(to(server.port), ALICE, "x", "y", headers={name: f"Ünal <{ANA}>"})
        (taken,) = server.taken
    assert report.ok
    assert f"<{ANA}>\r\n".encode() in taken.content.split(f"\r\n{name}: ".encode())[1]


@pytest.mark.parametrize("name", ["Resent-From", "Resent-Sender", "Resent-To", "Resent-Cc"])
def test_an_international_address_of_a_resent_message_asks_for_smtputf8(name: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message[name] = BOB, ALICE, ANA
    message.set_content("hello")
    wire = wired(message, utf8=False, eight_bit=False)
    assert wire.international
    assert f"{name}: {ANA}\r\n".encode() in bytes(wire)


def test_a_name_in_any_language_and_an_international_bcc_ask_for_nothing() -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Bcc"] = f"Ünal <{BOB}>", f"Größe <{ALICE}>", ANA
    message.set_content("hello")
    wire = wired(message, utf8=False, eight_bit=False)
    assert not wire.international
    assert wire.isascii()
