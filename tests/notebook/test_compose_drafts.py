"""A mail that the form saves, into the Drafts of a real mailbox or as a file; and what is said where it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter import MailConnection, connections
from mailconn_jupyter.errors import MessageError
from mailconn_jupyter.notebook.compose_page.draft_file import write_draft
from tests.servers.certificates import Certificates
from tests.servers.dovecot import Dovecot
from tests.servers.pipelining import BOTH, PipeliningServer
from tests.support import shells
from tests.support.batches import to
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


def test_the_drafts_of_a_connection_that_sends_are_none_though_a_session_of_it_waits(page: Front) -> None:
    with PipeliningServer(BOTH) as server:
        connections.save(to(server.port, name="out"))
        for _ in range(2):
            page.type(connection="out", to="ana@example.org", subject="Churn", body="x")
            said = page.act("draft", where="out")
            assert said == "out: messages are saved by IMAP, not by SMTP. Name an IMAP connection."
            assert page.act("send").startswith("Sent: ")


def test_what_was_warned_of_is_said_where_the_mail_is_refused_too(page: Front) -> None:
    with PipeliningServer(BOTH) as server:
        connections.save(to(server.port, name="out"))
        page.type(connection="out", to="gone@example.org", body="x")
        said = page.act("send")
    assert "gone@example.org: refused (550" in said
    assert said.endswith(" The message has no subject.")


@pytest.mark.parametrize("path", ["/", ".", "..", "~", "a/", "a/.", "a/..", "~\0", "a\0b", "\ud800", "~\ud800"])
def test_a_draft_whose_path_names_no_file_is_refused(page: Front, path: str) -> None:
    page.type(to="ana@example.org", subject="Churn", body="x")
    said = page.act("draft", path=path)
    assert said == f"The draft needs the name of a file, and {path!r} is not one. For example: draft.eml"


def test_the_end_of_a_drafts_name_may_be_in_capitals(page: Front, tmp_path: Path) -> None:
    page.type(to="ana@example.org", subject="Churn", body="x")
    page.act("draft", path=str(tmp_path / "Churn.EML"))
    assert [each.name for each in tmp_path.glob("Churn*")] == ["Churn.EML"]


def test_a_draft_for_which_the_disk_has_no_room_leaves_nothing(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    message = mailconn.compose("ana@example.org", "Churn", "x" * 100_000, sender="me@example.org")
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(MessageError, match=r"churn\.eml cannot be written: File too large\."):
            write_draft(message, str(tmp_path / "churn.eml"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not (tmp_path / "churn.eml").exists()
