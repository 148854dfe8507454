"""``send()`` to a name without a domain: refused, with the address that it may stand for."""

from __future__ import annotations

import smtplib
from typing import Any

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.delivery.own_domain import own_domain
from mailconn_jupyter.errors import MessageError
from mailconn_jupyter.session.smtp.session import SMTPSession

OPTIONS = {
    "from_address": ({"from_address": "Ana <ana@example.org>", "username": "a@other.test"}, "example.org"),
    "username": ({"username": "ana@example.org"}, "example.org"),
    "server": ({"username": "ana", "server_host": "smtp.example.org"}, "example.org"),
    "server of two words": ({"server_host": "example.org"}, "example.org"),
    "server of mail": ({"server_host": "smtp-relay.example.org"}, "example.org"),
    "server of no mail": ({"server_host": "hub.example.org"}, "hub.example.org"),
    "mail.org": ({"server_host": "mail.org"}, "mail.org"),
    "this machine": ({"server_host": "localhost"}, ""),
    "address": ({"server_host": "192.0.2.7"}, ""),
    "IPv6 address": ({"server_host": "2001:db8::7"}, ""),
}


def connection(**options: Any) -> MailConnection:
    return MailConnection(**{"name": "ops", "server_host": "localhost", "from_address": "", **options})


@pytest.mark.parametrize(("options", "domain"), OPTIONS.values(), ids=OPTIONS)
def test_the_domain_is_that_of_the_sender_the_user_or_the_server(options: dict[str, str], domain: str) -> None:
    assert own_domain("", connection(**options)) == domain
    assert own_domain("Bob <bob@own.test>", connection(**options)) == "own.test"
    assert own_domain("Bob <bob@own.test>", None) == "own.test"
    assert own_domain("", None) == ""


@pytest.mark.parametrize("field", ["to", "cc", "bcc", "reply_to", "sender"])
def test_a_name_without_a_domain_is_refused_with_the_address_that_was_meant(field: str) -> None:
    fields: dict[str, Any] = {"to": "bea@example.test", field: "root"}
    with pytest.raises(MessageError, match="'root' is not a valid mail address") as caught:
        mailconn.send(connection(from_address="ana@example.org"), fields.pop("to"), "x", "y", **fields)
    assert caught.value.hint == "Did you mean root@example.org?"


@pytest.mark.parametrize("given", ["root", ["bea@example.test", "root"], "Root <root>", "bea@example.test, root"])
def test_so_it_is_among_others_and_with_a_name_before_it(given: Any) -> None:
    with pytest.raises(MessageError) as caught:
        mailconn.send(connection(username="ana@example.org"), given, "x", "y", dry_run=True)
    assert caught.value.hint == "Did you mean root@example.org?"


def test_where_no_domain_is_known_an_address_is_shown() -> None:
    with pytest.raises(MessageError) as caught:
        mailconn.send(connection(), "root", "x", "y", sender="root")
    assert caught.value.hint == "For example: ana@example.org"


def test_an_open_session_refuses_it_too_though_its_own_methods_would_not() -> None:
    for session in (SMTPSession(), smtplib.SMTP()):
        with pytest.raises(MessageError) as caught:
            mailconn.send(session, "root", "x", "y", sender="ana@example.org")
        assert caught.value.hint == "Did you mean root@example.org?"
