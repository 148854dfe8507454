"""Libraries that send by an ``smtplib.SMTP`` of their own making send by a connection, through its proxy."""

from __future__ import annotations

import functools
import logging
import logging.handlers
import smtplib
import uuid
from typing import Any

import pytest
from redmail.email.sender import EmailSender

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.smtp.session import SMTPSession
from tests.servers import Certificates, Postfix, Proxy
from tests.support import proxied
from tests.support.isolation import give_password
from tests.support.proxied import through, to_postfix

no_password_is_left = proxied.no_password_is_left


@pytest.fixture(params=["SSL", "TLS"])
def connection(
    request: pytest.FixtureRequest, squid: Proxy, postfix: Postfix, certificates: Certificates
) -> MailConnection:
    connection = through(squid, "HTTP", squid.username, server_host="mail.test")
    give_password("ops", squid.password or "", kind="proxy")
    to_postfix(connection, request.param, postfix, certificates)
    return connection


def test_redmail_sends_through_the_proxy_by_a_class_and_the_connection(
    connection: MailConnection, postfix: Postfix
) -> None:
    # The port is the connection's, as is the host.
    cls: Any = SMTPSession
    sender = EmailSender(host="mail.test", port=0, cls_smtp=cls, use_starttls=False, connection=connection)
    first, second, third = (uuid.uuid4().hex for _ in range(3))
    sender.send(subject=first, sender="bob@example.test", receivers=["alice@example.test"], text="Three things moved.")
    # Its block keeps one session for several messages.
    with sender:
        for subject in (second, third):
            html = "<p>Three <b>things</b> moved.</p>"
            # Several recipients are a list in the header, which the standard library keeps as texts.
            receivers = ["Carol <carol@example.test>", "alice@example.test"]
            sender.send(subject=subject, sender="bob@example.test", receivers=receivers, html=html)
    for subject in (first, second, third):
        assert b"Three" in postfix.wait_for("alice", subject)
    assert b"Three" in postfix.wait_for("carol", third)


def test_redmail_sends_by_a_session_that_is_open_already(connection: MailConnection, postfix: Postfix) -> None:
    sender: Any = EmailSender(host="", port=0)
    token = uuid.uuid4().hex
    with connect(connection) as smtp:
        sender.connection = smtp
        sender.send(
            subject=token, sender="bob@example.test", receivers=["alice@example.test"], text="Three things moved."
        )
    assert b"Three things moved." in postfix.wait_for("alice", token)


def test_the_log_handler_of_the_standard_library_sends_through_the_proxy(
    connection: MailConnection, postfix: Postfix, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = uuid.uuid4().hex
    handler = logging.handlers.SMTPHandler("mail.test", "bob@example.test", ["alice@example.test"], token)
    # It takes no class, and makes an smtplib.SMTP for each record.
    monkeypatch.setattr(smtplib, "SMTP", functools.partial(SMTPSession, connection=connection))
    monkeypatch.setattr(logging, "raiseExceptions", True)
    handler.emit(logging.LogRecord("ops", logging.ERROR, "", 0, "Three things moved.", None, None))
    assert b"Three things moved." in postfix.wait_for("alice", token)
