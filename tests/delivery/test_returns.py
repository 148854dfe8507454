"""What comes back of a message, and to whom: the envelope's sender, and the notices that were asked for (RFC 3461)."""

from __future__ import annotations

import re
import smtplib
import uuid
import warnings
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import numpy
import pytest
from hypothesis import given, strategies as st

import mailconn_jupyter as mailconn
from mailconn_jupyter import MailConnection
from mailconn_jupyter.errors import MailConnWarning, MessageError, OptionError
from mailconn_jupyter.message.addresses import Address
from mailconn_jupyter.session.smtp.envelope import parameters
from mailconn_jupyter.session.smtp.status_request import StatusRequest
from tests.servers.pipelining import BOTH, PipeliningServer
from tests.servers.postfix import Postfix
from tests.support.batches import letters, to

WITH_DSN = (*BOTH, "DSN")
ASKED: dict[str, Any] = {"notify": ["success", "delay"], "ret": "headers", "envid": "run 47+1=48"}


def to_postfix(postfix: Postfix) -> MailConnection:
    return to(postfix.plain)


def envelopes(server: PipeliningServer) -> list[str]:
    return [line for line in server.lines if line.upper().startswith(("MAIL", "RCPT"))]


def notice_of(postfix: Postfix, user: str, token: str) -> tuple[EmailMessage, dict[str, str]]:
    """The notice in a mailbox, and the fields of its machine-readable part."""
    found = message_from_bytes(postfix.wait_for(user, token, 15), policy=policy.default)
    assert isinstance(found, EmailMessage)
    assert found.get_content_type() == "multipart/report"
    (status,) = (part for part in found.walk() if part.get_content_type() == "message/delivery-status")
    fields = {name: str(value) for block in status.iter_parts() for name, value in block.items()}
    return found, fields


# A real server


def test_a_notice_of_success_comes_to_whom_bounces_go_and_names_what_was_asked_for(postfix: Postfix) -> None:
    token = uuid.uuid4().hex
    report = mailconn.send(
        to_postfix(postfix),
        "Alice <alice@example.test>",
        "x",
        "y",
        sender="Bob <bob@example.test>",
        bounce_to="carol@example.test",
        notify="success",
        ret="headers",
        envid=f"run+{token}",
    )
    assert report.ok
    notice, fields = notice_of(postfix, "carol", token)
    assert notice["To"] == "carol@example.test"
    assert fields["Original-Envelope-Id"] == f"run+{token}"
    assert fields["Original-Recipient"] == "rfc822;alice@example.test"
    assert fields["Action"] in {"delivered", "relayed"}
    assert report.message_id in notice.as_string()
    (arrived,) = (raw for raw in postfix.mailbox("alice") if report.message_id.encode() in raw)
    assert b"Return-Path: <carol@example.test>" in arrived
    assert b"From: Bob <bob@example.test>" in arrived


def test_each_message_of_a_merge_has_its_own_address_for_bounces_and_its_own_name(postfix: Postfix) -> None:
    token = uuid.uuid4().hex
    rows = [{"email": "alice@example.test", "id": "carol"}, {"email": "dave@example.test", "id": "bob"}]
    messages = mailconn.merge(
        rows,
        to="email",
        subject="Invoice",
        content="Dear you.",
        sender="bob@example.test",
        bounce_to="{{ id }}@example.test",
        notify=["success", "failure"],
        envid=f"{{{{ id }}}}-{token}",
    )
    assert mailconn.send_many(to_postfix(postfix), messages).ok
    for row in rows:
        _, fields = notice_of(postfix, row["id"], f"{row['id']}-{token}")
        assert fields["Original-Recipient"] == f"rfc822;{row['email']}"


def test_an_address_beyond_ascii_is_named_in_the_notice(postfix: Postfix) -> None:
    token = uuid.uuid4().hex
    assert mailconn.send(
        to_postfix(postfix), "ünïcode@example.test", "x", "y", sender="bob@example.test", notify="success", envid=token
    ).ok
    # RFC 6533, 3: of a message that travels by SMTPUTF8 the notice is one that the parser does not know.
    notice = postfix.wait_for("bob", token, 15)
    assert "Original-Recipient: utf-8;ünïcode@example.test".encode() in notice


def test_an_empty_address_for_bounces_is_the_empty_sender(postfix: Postfix) -> None:
    report = mailconn.send(to_postfix(postfix), "alice@example.test", "x", "y", sender="bob@example.test", bounce_to="")
    arrived = postfix.wait_for("alice", report.message_id, 15)
    assert b"Return-Path: <>" in arrived


# What is said to the server


def test_what_was_asked_for_is_in_the_envelope_of_each_recipient() -> None:
    with PipeliningServer(WITH_DSN) as server:
        people = ["ana+x=y@example.test", "bea@example.test"]
        assert mailconn.send(to(server.port), people, "x", "y", **ASKED)
    mail, first, second = envelopes(server)
    assert re.fullmatch(r"mail from:<bob@example.test> size=\d+ RET=HDRS ENVID=run\+2047\+2B1\+3D48", mail)
    assert first == ("rcpt to:<ana+x=y@example.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;ana+2Bx+3Dy@example.test")
    assert second == "rcpt to:<bea@example.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;bea@example.test"


def test_nothing_is_asked_where_nobody_asked() -> None:
    with PipeliningServer(WITH_DSN) as server:
        assert mailconn.send(to(server.port), "ana@example.test", "x", "y")
    assert not any(word in line for line in envelopes(server) for word in ("NOTIFY", "RET", "ENVID", "ORCPT"))


def test_a_batch_asks_for_all_and_what_a_message_asks_for_comes_first() -> None:
    merged = mailconn.merge(
        [{"email": "ana@example.test"}], to="email", subject="x", content="y", sender="bob@example.test", envid="own"
    )
    with PipeliningServer(WITH_DSN) as server:
        assert mailconn.send_many(to(server.port), [*letters(1), *merged], connections=1, bounce_to="b@c.test", **ASKED)
    mails = [line for line in envelopes(server) if line.startswith("mail")]
    assert all(line.startswith("mail from:<b@c.test>") for line in mails)
    assert ["ENVID=own" in line for line in mails] == [False, True]
    assert ["RET=HDRS" in line for line in mails] == [True, False]


def test_what_is_tried_again_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailconn_jupyter.delivery.send._PAUSES", (0.0, 0.0))
    greyed: list[str] = []

    def answer(line: str) -> str | None:
        if line.startswith("rcpt") and not greyed:
            greyed.append(line)
            return "450 4.2.0 later"
        return None

    with PipeliningServer(WITH_DSN, answer=answer) as server:
        assert mailconn.send(to(server.port), "ana@example.test", "x", "y", bounce_to="b@c.test", **ASKED)
    first, second = (line for line in envelopes(server) if line.startswith("mail"))
    assert first == second
    assert "<b@c.test>" in first


def test_a_session_of_the_standard_library_asks_for_the_same_but_for_the_first_recipient() -> None:
    with PipeliningServer(WITH_DSN) as server, smtplib.SMTP("127.0.0.1", server.port) as theirs:
        assert mailconn.send(
            theirs, "ana@example.test", "x", "y", sender="bob@example.test", bounce_to="b@c.test", **ASKED
        )
    mail, rcpt = envelopes(server)
    assert mail.lower().startswith("mail from:<b@c.test>")
    assert "RET=HDRS ENVID=run+2047+2B1+3D48" in mail
    assert "NOTIFY=SUCCESS,DELAY" in rcpt


# A server that does not offer it


def test_a_server_without_it_gets_the_message_all_the_same_and_it_is_said_once() -> None:
    with PipeliningServer(BOTH) as server:
        with pytest.warns(MailConnWarning, match="no delivery status notifications") as said:
            mailconn.send(to(server.port), "ana@example.test", "x", "y", **ASKED)
        assert len(said) == 1
        with pytest.warns(MailConnWarning, match="no delivery status notifications") as said:
            mailconn.send_many(to(server.port), letters(5), **ASKED)
        assert len(said) == 1
        with smtplib.SMTP("127.0.0.1", server.port) as theirs, pytest.warns(MailConnWarning, match="no delivery"):
            assert mailconn.send(theirs, "ana@example.test", "x", "y", sender="bob@example.test", **ASKED)
    assert not any(word in line for line in envelopes(server) for word in ("NOTIFY", "RET", "ENVID", "ORCPT"))


def test_bounces_go_to_another_address_without_it_too() -> None:
    with PipeliningServer(BOTH) as server, warnings.catch_warnings():
        warnings.simplefilter("error")
        assert mailconn.send(to(server.port), "ana@example.test", "x", "y", bounce_to="Bounces <b@c.test>")
    assert envelopes(server)[0].startswith("mail from:<b@c.test>")


# What cannot be asked for


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"notify": "sucess"}, "Did you mean 'success'"),
        ({"notify": ["never", "success"]}, "never cannot be combined"),
        ({"notify": [1]}, "not one of success"),
        ({"ret": "all"}, "not one of full, headers"),
        ({"envid": "größer"}, "printable ASCII"),
        ({"envid": "a\r\nRCPT TO:<eve@evil.test>"}, "printable ASCII"),
        ({"envid": "+" * 40}, "too long"),
        ({"bounce_to": "nobody"}, "address for bounces|not a column, an address"),
        ({"bounce_to": "a@b.test\r\nDATA"}, "address for bounces"),
        ({"bounce_to": "a@b.test, c@d.test"}, "address for bounces"),
    ],
)
def test_what_cannot_be_asked_for_is_told_before_anything_is_opened(asked: dict[str, Any], words: str) -> None:
    nowhere = to(1)
    for sending in (
        lambda: mailconn.send(nowhere, "ana@example.test", "x", "y", **asked),
        lambda: mailconn.send_many(nowhere, letters(1), **asked),
        lambda: mailconn.merge([{"e": "ana@example.test"}], to="e", subject="x", content="y", **asked),
    ):
        with pytest.raises((OptionError, MessageError), match=words):
            sending()


def test_a_row_without_an_address_for_bounces_is_told_with_the_others() -> None:
    rows = [{"email": "a@x.test", "back": None}, {"email": "b@x.test", "back": "c@x.test, d@x.test"}]
    with pytest.raises(mailconn.MergeError) as caught:
        mailconn.merge(rows, to="email", subject="x", content="y", bounce_to="back")
    assert len(caught.value.faults) == 2


def test_words_of_numpy_are_words() -> None:
    assert StatusRequest.of(numpy.array(["Success"]), numpy.str_("FULL"), numpy.str_("x")) == StatusRequest(
        ("success",), "full", "x"
    )
    assert StatusRequest.of((), None, None) is None


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S", "Zs"]), max_size=30), st.booleans())
def test_whatever_is_asked_for_is_one_parameter(text: str, international: bool) -> None:
    request = StatusRequest(("failure",), "full", text)
    address = Address(f"{text}{'ü' if international else ''}@example.test", international)
    assert parameters(request.for_mail) == request.for_mail
    of_each = request.for_recipient(address)
    assert parameters(of_each) == of_each
    assert all(each.isascii() for each in of_each)
    if text:
        xtext = request.for_mail[-1].removeprefix("ENVID=")
        assert re.sub(r"\+([0-9A-F]{2})", lambda sign: chr(int(sign[1], 16)), xtext) == text
