"""A mail that the form saves into the Drafts of a real mailbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter import MailConnection, connections
from tests.servers.certificates import Certificates
from tests.servers.dovecot import Dovecot
from tests.support import shells
from tests.support.compose_driver import Front
from tests.support.mailboxes import mailbox_of
from tests.support.shells import Shell

shell = shells.shell
clean_up = shells.clean_up


@pytest.fixture
def inbox(dovecot: Dovecot, certificates: Certificates, tmp_path: Path) -> MailConnection:
    box = mailbox_of("IMAP", "composing", [], dovecot=dovecot, certificates=certificates, folder=tmp_path)
    connections.save(box.connection)
    return connections[box.connection.name]


@pytest.fixture
def page(shell: Shell) -> Iterator[Front]:
    connections.save(
        MailConnection(name="ops", server_host="h.example.org", from_address="me@example.org", signature="Me")
    )
    form = mailconn.compose_form("ops")
    yield Front(form)
    form.close()


def test_the_drafts_of_a_mailbox_have_it_with_the_sender_and_the_signature(page: Front, inbox: MailConnection) -> None:
    page.type(to="ana@example.org", bcc="eve@example.org", subject="Churn", body="x")
    said = page.act("draft", where=inbox.name)
    assert said.startswith("Saved in Drafts: 'Churn', ")
    assert said.endswith(" Nothing was sent.")
    with mailconn.connect_imap(inbox) as session:
        session.folder.set("Drafts")
        (found,) = list(session.fetch(mark_seen=False))
    assert found.from_ == "me@example.org"
    assert found.bcc == ("eve@example.org",)
    assert found.text.replace("\r\n", "\n") == "x\n\n-- \nMe\n"
    assert "\\Draft" in found.flags
    # It is still there to be sent.
    assert page.mail["subject"] == "Churn"


def test_a_mailbox_that_cannot_be_reached_is_said(page: Front, inbox: MailConnection) -> None:
    connections.update(inbox.name, server_port=1)
    page.type(to="ana@example.org", subject="Churn", body="x")
    page.act("draft", where=inbox.name)
    assert page.told["status"]["kind"] == "bad"
    assert page.told["busy"]["busy"] is False
