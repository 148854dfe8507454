"""Copies of what was sent, and drafts, in the folders of a real mailbox; what goes wrong there hides nothing."""

from __future__ import annotations

import email
import email.policy
import itertools
import re
import warnings
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter import MailConnection, connections
from mailconn_jupyter.credentials.memory import memory
from mailconn_jupyter.delivery.filing import many_copies, sent_copy
from mailconn_jupyter.delivery.report import DeliveryError
from mailconn_jupyter.errors import MailConnError, MailConnWarning, MessageError, OptionError
from mailconn_jupyter.session.imap.appending import append_all
from mailconn_jupyter.session.imap.session import IMAPSession
from tests.servers.certificates import Certificates
from tests.servers.dovecot import Dovecot, run_dovecot
from tests.servers.pipelining import BOTH, PipeliningServer
from tests.servers.relay import Cut, Relay
from tests.support.batches import letter, letters, to
from tests.support.mailboxes import mailbox_of

_numbers = itertools.count()
#: A mailbox whose Sent folder the server names so, one that is nearly full, and one whose folders all begin with INBOX.
SETTINGS = {
    "named": """
namespace inbox {
  inbox = yes
  mailbox Gesendet {
    auto = create
    special_use = \\Sent
  }
  mailbox Entwürfe {
    auto = create
    special_use = \\Drafts
  }
}
""",
    "full": """
mail_plugins = quota
protocol imap {
  mail_plugins = quota imap_quota
}
plugin {
  quota = maildir:All
  quota_rule = *:bytes=3000
}
""",
    "below": """
namespace inbox {
  inbox = yes
  prefix = INBOX.
  separator = .
}
""",
}


Make = Callable[..., MailConnection]


@pytest.fixture
def make(dovecot: Dovecot, certificates: Certificates, tmp_path: Path) -> Make:
    """Makes an empty mailbox, and stores the connection that leads there."""

    def made(at: Dovecot = dovecot, **options: Any) -> MailConnection:
        user = f"filing{next(_numbers)}"
        box = mailbox_of("IMAP", user, [], dovecot=at, certificates=certificates, folder=tmp_path)
        connection = box.connection.copy(**options) if options else box.connection
        connections.save(connection)
        return connections[user]

    return made


@pytest.fixture
def special(server_state: Path, certificates: Certificates, request: pytest.FixtureRequest) -> Iterator[Dovecot]:
    """A Dovecot of its own."""
    name = request.param
    with run_dovecot(server_state / f"{name}{next(_numbers)}", certificates, settings=SETTINGS[name]) as server:
        yield server


@pytest.fixture
def smtp() -> Iterator[PipeliningServer]:
    with PipeliningServer(BOTH) as server:
        yield server


def through(server: PipeliningServer, box: MailConnection, name: str = "out") -> MailConnection:
    """A stored connection that sends, and saves what it sends to the mailbox."""
    connections.save(to(server.port, name=name, save_sent_to=box.name), replace=True)
    return connections[name]


def stored(box: MailConnection, folder: str) -> list[tuple[bytes, tuple[str, ...]]]:
    """The bytes and the flags of each message of a folder."""
    with mailconn.connect_imap(box) as session:
        session.folder.set(folder)
        return [(each.obj.as_bytes(policy=email.policy.SMTP), each.flags) for each in session.fetch(mark_seen=False)]


def raw_of(box: MailConnection, folder: str) -> list[bytes]:
    """The very bytes."""
    with mailconn.connect_imap(box) as session:
        session.folder.set(folder)
        uids = session.uids()
        return [part[1] for uid in uids for parts in session.stream(uid) for part in parts if isinstance(part, tuple)]


def folders_of(box: MailConnection) -> dict[str, str]:
    with mailconn.connect_imap(box) as session:
        return {folder.name: folder.use for folder in session.folders()}


def test_what_was_accepted_is_in_the_sent_folder_byte_for_byte_and_as_read(make: Make, smtp: PipeliningServer) -> None:
    box = make()
    through(smtp, box)
    report = mailconn.send(
        "out", ["Ана <ana@example.test>"], "größer", ".\n..\ngrößer", attachments={"a.bin": b"\0\xff" * 500}
    )
    assert report.ok
    (raw,) = raw_of(box, "Sent")
    assert raw == smtp.taken[0].content
    assert stored(box, "Sent")[0][1] == ("\\Seen",)
    assert report.message_id.encode() in raw


def test_who_was_in_bcc_stands_in_the_copy_and_in_nothing_else(make: Make, smtp: PipeliningServer) -> None:
    box = make()
    through(smtp, box)
    mailconn.send("out", "ana@example.test", "x", "y", bcc="Eve Größer <eve@example.test>")
    (raw,) = raw_of(box, "Sent")
    (taken,) = smtp.taken
    assert taken.recipients == ("ana@example.test", "eve@example.test")
    assert b"eve@" not in taken.content
    assert raw.endswith(taken.content)
    copy = email.message_from_bytes(raw, policy=email.policy.default)
    assert copy["Bcc"] == "Eve Größer <eve@example.test>"


def test_a_message_that_nobody_was_accepted_for_leaves_no_copy_and_one_for_some_does(
    make: Make, smtp: PipeliningServer
) -> None:
    box = make()
    through(smtp, box)
    with pytest.raises(DeliveryError):
        mailconn.send("out", "gone@example.test", "nobody", "y")
    with pytest.raises(DeliveryError) as caught:
        mailconn.send("out", ["gone@example.test", "ana@example.test"], "some", "y")
    assert caught.value.report.accepted == ("ana@example.test",)
    (raw,) = raw_of(box, "Sent")
    assert b"Subject: some" in raw


def test_the_session_with_the_mailbox_waits_for_the_next_message(make: Make, smtp: PipeliningServer) -> None:
    box = make()
    through(smtp, box)
    opened: list[object] = []
    opening = IMAPSession.__init__

    def counted(self: IMAPSession, **options: Any) -> None:
        opened.append(self)
        opening(self, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(IMAPSession, "__init__", counted)
        for number in range(3):
            mailconn.send("out", "ana@example.test", f"number {number}", "y")
    assert len(opened) == 1
    assert len(raw_of(box, "Sent")) == 3


def test_a_dry_run_and_a_connection_without_the_option_save_nothing(make: Make, smtp: PipeliningServer) -> None:
    box = make()
    through(smtp, box)
    mailconn.send("out", "ana@example.test", "x", "y", dry_run=True)
    connections.save(to(smtp.port, name="plain"))
    mailconn.send("plain", "ana@example.test", "x", "y")
    assert "Sent" not in folders_of(box)


# Which folder


@pytest.mark.parametrize("special", ["named"], indirect=True)
def test_the_folder_that_the_server_names_is_the_one(make: Make, special: Dovecot, smtp: PipeliningServer) -> None:
    box = make(special)
    through(smtp, box)
    mailconn.send("out", "ana@example.test", "x", "y")
    assert len(raw_of(box, "Gesendet")) == 1
    draft = mailconn.save_draft(box.name, "ana@example.test", "x", "y")
    assert draft.folder == "Entwürfe"
    assert "Sent" not in folders_of(box)


@pytest.mark.parametrize("special", ["below"], indirect=True)
def test_a_folder_that_is_missing_is_made_where_ones_own_folders_are(
    make: Make, special: Dovecot, smtp: PipeliningServer
) -> None:
    box = make(special)
    through(smtp, box)
    mailconn.send("out", "ana@example.test", "x", "y")
    assert "INBOX.Sent" in folders_of(box)
    assert len(raw_of(box, "INBOX.Sent")) == 1


@pytest.mark.parametrize("name", ["Sent Items", "sent"])
def test_a_folder_that_is_called_so_is_the_one_where_the_server_names_none(
    make: Make, smtp: PipeliningServer, name: str
) -> None:
    box = make()
    through(smtp, box)
    with mailconn.connect_imap(box) as session:
        session.folder.create(name)
        session.folder.create("Archive.Sent")
    mailconn.send("out", "ana@example.test", "x", "y")
    assert len(raw_of(box, name)) == 1
    assert set(folders_of(box)) == {"INBOX", name, "Archive", "Archive.Sent"}


def test_a_folder_that_is_deleted_meanwhile_is_made_again(make: Make, smtp: PipeliningServer) -> None:
    box = make()
    through(smtp, box)
    mailconn.send("out", "ana@example.test", "first", "y")
    with mailconn.connect_imap(box) as session:
        session.folder.delete("Sent")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mailconn.send("out", "ana@example.test", "second", "y")
    (raw,) = raw_of(box, "Sent")
    assert b"Subject: second" in raw


# What goes wrong


def not_saved(words: str) -> Any:
    return pytest.warns(MailConnWarning, match=f"(?s)The mail was sent, but no copy of it was saved to .*{words}")


@pytest.mark.parametrize("special", ["full"], indirect=True)
def test_a_full_mailbox_is_warned_of_and_the_mail_was_sent(
    make: Make, special: Dovecot, smtp: PipeliningServer
) -> None:
    box = make(special)
    through(smtp, box)
    with not_saved("OVERQUOTA.*Make room"):
        report = mailconn.send("out", "ana@example.test", "x", "y" * 5000)
    assert report.ok
    assert len(smtp.taken) == 1
    with pytest.raises(MailConnError, match="The draft was not saved"):
        mailconn.save_draft(box.name, "ana@example.test", "x", "y" * 5000)


def test_a_link_that_is_cut_amid_the_copy_is_warned_of_and_the_mail_was_sent(
    make: Make, dovecot: Dovecot, smtp: PipeliningServer
) -> None:
    with Relay(dovecot.imap, to_server=Cut(after=b"APPEND")) as link:
        box = make(server_port=link.port, use_secure_authentication=False, allow_plaintext_password=True)
        through(smtp, box)
        with not_saved("link"):
            report = mailconn.send("out", "ana@example.test", "x", "y" * 50_000)
        assert report.ok
        assert len(smtp.taken) == 1
        # What was there half is not there.
        direct = box.copy(server_port=dovecot.imap)
        with mailconn.connect_imap(direct) as session:
            assert all(folder.messages in {0, None} for folder in session.folders())


def test_a_password_that_is_missing_is_warned_of_and_nobody_is_asked(
    make: Make, smtp: PipeliningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getpass", pytest.fail)
    through(smtp, make())
    monkeypatch.setattr(memory, "_secrets", {})
    with not_saved("password"):
        assert mailconn.send("out", "ana@example.test", "x", "y").ok
    with pytest.warns(MailConnWarning, match="3 copies were not saved to .*password"):
        assert mailconn.send_many("out", letters(3)).ok


@pytest.mark.parametrize("target", ["nowhere", "out", "reads"])
def test_a_connection_that_cannot_keep_it_is_warned_of(smtp: PipeliningServer, target: str, tmp_path: Path) -> None:
    connections.save(MailConnection(name="reads", protocol="MBOX", server_host=str(tmp_path / "inbox")))
    connections.save(to(smtp.port, name="out", save_sent_to=target))
    with not_saved("nowhere|IMAP"):
        assert mailconn.send("out", "ana@example.test", "x", "y").ok


def test_an_interrupt_amid_the_copy_says_that_the_mail_was_sent_and_so_does_the_log(
    make: Make, smtp: PipeliningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mailconn_jupyter.session.imap.appending.append_all", interrupted)
    through(smtp, make())
    with pytest.raises(KeyboardInterrupt), pytest.warns(MailConnWarning, match="The mail was sent; saving its copy"):
        mailconn.send("out", "ana@example.test", "x", "y")
    assert mailconn.sent()["outcome"].tolist() == ["accepted"]


@pytest.mark.parametrize("host", ["smtp.gmail.com", "smtp.office365.com", "smtp-mail.outlook.com"])
def test_a_provider_that_keeps_it_by_itself_gets_no_second_copy_and_it_is_said_once(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sent_copy, "_TOLD", set())
    connection = MailConnection(name="big", server_host=host, save_sent_to="inbox")
    with pytest.warns(MailConnWarning, match="already keeps what is sent") as said:
        targets = [sent_copy.copy_target(connection), sent_copy.copy_target(connection)]
    assert targets == ["", ""]
    assert len(said) == 1


# Many


def test_each_message_of_a_batch_is_there_once_and_in_few_round_trips(make: Make, smtp: PipeliningServer) -> None:
    box = make()
    through(smtp, box)
    messages = [*letters(120), letter("gone@example.test", 120)]
    report = mailconn.send_many("out", messages, connections=3)
    assert report.counts == {"accepted": 120, "refused": 1}
    copies = raw_of(box, "Sent")
    assert sorted(copies) == sorted(taken.content for taken in smtp.taken)


def test_a_batch_says_how_many_copies_are_missing_and_is_as_it_was(
    make: Make, dovecot: Dovecot, smtp: PipeliningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many_copies, "_MOST_AT_ONCE", 10)
    with Relay(dovecot.imap, to_server=Cut(after=b"number 14")) as link:
        box = make(server_port=link.port, use_secure_authentication=False, allow_plaintext_password=True)
        through(smtp, box)
        with pytest.warns(MailConnWarning, match=r"([0-9]+) copies were not saved") as said:
            report = mailconn.send_many("out", letters(40), connections=1)
        assert report.ok
    (missing,) = (int(match[1]) for each in said if (match := re.search(r"(\d+) copies", str(each.message))))
    with mailconn.connect_imap(box.copy(server_port=dovecot.imap)) as session:
        there = next(folder.messages or 0 for folder in session.folders() if folder.name == "Sent")
    # What was on its way when the link was cut may be there, or not.
    assert 40 - missing <= there < 40


@pytest.mark.parametrize("special", ["full"], indirect=True)
def test_a_batch_to_a_full_mailbox_is_sent_and_the_rest_of_the_copies_given_up(
    make: Make, special: Dovecot, smtp: PipeliningServer
) -> None:
    through(smtp, make(special))
    with pytest.warns(MailConnWarning, match=r"copies were not saved to .*OVERQUOTA"):
        assert mailconn.send_many("out", letters(60)).ok


def test_a_batch_is_not_held_up_by_a_mailbox_that_does_not_answer(
    make: Make, dovecot: Dovecot, smtp: PipeliningServer
) -> None:
    """All is sent while the first copy still waits; the copies of the others are in the spool."""
    sent_at_finish: list[int] = []

    class Watching(many_copies.ManyCopies):
        def finish(self) -> None:
            sent_at_finish.append(len(smtp.taken))
            super().finish()

    with Relay(dovecot.imap, round_trip=0.3) as link:
        box = make(server_port=link.port, use_secure_authentication=False, allow_plaintext_password=True)
        through(smtp, box)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("mailconn_jupyter.delivery.many.mailing.ManyCopies", Watching)
            assert mailconn.send_many("out", letters(200)).ok
    assert sent_at_finish == [200]
    assert len(raw_of(box.copy(server_port=dovecot.imap), "Sent")) == 200


# With more extensions, and with fewer


@pytest.mark.parametrize("special", ["full"], indirect=True)
def test_of_several_that_do_not_fit_together_as_many_are_saved_as_fit(make: Make, special: Dovecot) -> None:
    box = make(special)
    messages = [b"Subject: %d\r\n\r\n%s\r\n" % (number, b"x" * size) for number, size in enumerate((500, 5000, 500))]
    with mailconn.connect_imap(box) as session:
        session.folder.create("Sent")
        assert "MULTIAPPEND" in session.client.capabilities
        said = append_all(session.client, "Sent", messages, "\\Seen")
    assert [each.ok for each in said] == [True, False, True]
    assert said[1].code == "OVERQUOTA"
    assert raw_of(box, "Sent") == [messages[0], messages[2]]


def test_several_go_by_one_command_where_the_server_takes_that(make: Make) -> None:
    box = make()
    messages = [b"Subject: %d\r\n\r\n.\r\n" % number for number in range(50)]
    with mailconn.connect_imap(box) as session:
        session.folder.create("Sent")
        assert all(each.ok for each in append_all(session.client, "Sent", messages, "\\Seen"))
        commands = [line for line in session.client.transcript if " APPEND " in line]
    assert len(commands) == 1
    assert raw_of(box, "Sent") == messages


def test_several_are_on_their_way_at_once_without_it_too(make: Make) -> None:
    box = make()
    messages = [b"Subject: %d\r\n\r\n.\r\n" % number for number in range(20)]
    with mailconn.connect_imap(box) as session:
        session.folder.create("Sent")
        session.client.capabilities = tuple(each for each in session.client.capabilities if each != "MULTIAPPEND")
        said = append_all(session.client, "Sent", messages, "\\Seen")
    assert [each.uid for each in said] == [str(number) for number in range(1, 21)]
    assert raw_of(box, "Sent") == messages


def test_a_server_that_takes_one_at_a_time_gets_them_so(make: Make) -> None:
    box = make()
    messages = [b"Subject: %d\r\n\r\n.\r\n" % number for number in range(3)]
    with mailconn.connect_imap(box) as session:
        session.folder.create("Sent")
        session.client.capabilities = tuple(
            each for each in session.client.capabilities if each not in {"LITERAL+", "LITERAL-"}
        )
        said = append_all(session.client, "Sent", messages, "\\Seen")
    assert [each.ok for each in said] == [True] * 3
    assert all(each.uid for each in said)
    assert raw_of(box, "Sent") == messages


def test_a_server_that_refuses_some_says_which(make: Make) -> None:
    box = make()
    with mailconn.connect_imap(box) as session:
        said = append_all(session.client, "nowhere", [b"a\r\n", b"b\r\n"], "\\Seen")
        assert [each.code for each in said] == ["TRYCREATE", "TRYCREATE"]
        session.noop()


# Drafts


def test_a_draft_is_in_drafts_marked_as_one_with_its_bcc_and_nothing_was_sent(
    make: Make, smtp: PipeliningServer
) -> None:
    box = make()
    draft = mailconn.save_draft(
        box.name, "Ана <ana@example.test>", "Größer", "Three things moved:", bcc="eve@example.test", sender="b@c.test"
    )
    ((raw, flags),) = stored(box, "Drafts")
    assert {*flags} - {"\\Recent"} == {"\\Draft", "\\Seen"}
    assert draft.uid == "1"
    assert str(draft).startswith("Saved in Drafts: 'Größer', ")
    found = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    assert (found["Subject"], found["Bcc"], found["Message-ID"]) == ("Größer", "eve@example.test", draft.message_id)
    assert smtp.taken == []


def test_a_draft_or_an_answer_goes_through_an_open_session_and_leaves_it_open(make: Make) -> None:
    box = make()
    with mailconn.connect_imap(box) as session:
        mailconn.save_draft(session, "ana@example.test", "x", "y")
        answered = {"message_id": "<1@example.test>", "subject": "x"}
        mailconn.save_draft(session, "ana@example.test", "", "y", reply_to_message=answered)
        session.noop()
    _, answer = raw_of(box, "Drafts")
    assert b"\r\nIn-Reply-To: <1@example.test>\r\n" in answer
    assert b"\r\nSubject: Re: x\r\n" in answer


def test_what_is_wrong_with_a_draft_is_told_before_anything_is_opened(smtp: PipeliningServer) -> None:
    connections.save(MailConnection(name="box", protocol="IMAP", server_host="localhost", server_port=1))
    with pytest.raises(MessageError, match="not a valid mail address"):
        mailconn.save_draft("box", "nobody", "x", "y")
    connections.save(to(smtp.port, name="out"))
    with pytest.raises(OptionError, match="by IMAP, not by SMTP"):
        mailconn.save_draft("out", "ana@example.test", "x", "y")


def test_a_folder_whose_name_would_be_another_command_is_refused(make: Make) -> None:
    with mailconn.connect_imap(make()) as session:
        with pytest.raises(MailConnError, match="Nothing was sent"):
            append_all(session.client, "Sent\r\nx DELETE INBOX", [b"x\r\n"], "\\Seen")
        session.noop()
