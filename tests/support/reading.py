"""Connections for reading: to Dovecot, and to a scripted server."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.session.connect import connect
from tests.servers import Certificates, Dovecot, Postfix
from tests.support.isolation import give_password

#: Each kind of security with the part of Dovecot's port name behind the protocol, and the options.
SECURITY: dict[str, tuple[str, dict[str, Any]]] = {
    "SSL": ("s", {"secure_authentication_type": "SSL"}),
    "TLS": ("", {"secure_authentication_type": "TLS"}),
    "TLS1.2": ("", {"secure_authentication_type": "TLS1.2"}),
    "plain text": ("", {"use_secure_authentication": False}),
}
PASSWORD_MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN", "CRAM-MD5")
TOKENS = ("XOAUTH2", "OAUTHBEARER")


def to_dovecot(
    protocol: str, dovecot: Dovecot, certificates: Certificates, security: str = "TLS", **options: Any
) -> MailConnection:
    """Alice's connection, with her password, unless the options say otherwise."""
    suffix, secured = SECURITY[security]
    given = {
        "name": "ops",
        "protocol": protocol,
        "server_host": "localhost",
        "server_port": getattr(dovecot, f"{protocol.lower()}{suffix}"),
        "username": "alice",
        "ca_file": str(certificates.ca.pem),
        **secured,
        **options,
    }
    give_password("ops", dovecot.users.get(given["username"], ""))
    return MailConnection(**given)


def to_script(protocol: str, port: int, **options: Any) -> MailConnection:
    """A connection to a scripted server, in plain text and without a login unless the options say otherwise."""
    given = {
        "name": "ops",
        "protocol": protocol,
        "server_host": "localhost",
        "server_port": port,
        "use_secure_authentication": False,
        "timeout": 5,
        **options,
    }
    return MailConnection(**given)


def fact(session: Any, stage: str, label: str) -> str:
    """Details when the session was opened."""
    found: dict[str, str] = session.opening.stages[stage].facts
    return found[label]


def sent(postfix: Postfix, to: str) -> tuple[str, bytes]:
    """Send a mail that is easy to damage by our SMTP session; returns the word in its subject, and all its bytes."""
    token = uuid.uuid4().hex
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = "bob@example.test", f"{to}@example.test", f"Größe {token}"
    # Postfix would add these, too, and not before the others.
    message["Date"], message["Message-ID"] = format_datetime(datetime.now(UTC)), f"<{token}@example.test>"
    lines = ["Three things moved:", ".", "..", ".dot", "", "\ttab   and spaces  ", "Änderung → ✓", "x" * 900]
    message.set_content("\n".join(lines), cte="8bit")
    message.add_attachment(bytes(range(256)) * 8, maintype="application", subtype="octet-stream", filename="all.bin")
    raw = message.as_bytes()
    outgoing = MailConnection(
        name="out", server_host="localhost", server_port=postfix.relay, use_secure_authentication=False
    )
    with connect(outgoing) as smtp:
        assert smtp.sendmail("bob@example.test", [f"{to}@example.test"], raw) == {}
    return token, raw


def added(read: bytes, raw: bytes) -> set[str]:
    """The mail ends with all the bytes that were sent; returns the names of the headers that delivery has added."""
    assert read.endswith(raw)
    return set(message_from_bytes(read[: -len(raw)] + b"\r\n").keys())


#: What Postfix adds.
DELIVERY = {"Return-Path", "X-Original-To", "Delivered-To", "Received"}
