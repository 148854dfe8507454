"""Acting by IMAP on a real server, with MOVE and UIDPLUS and without: what is said to be done is done, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailconn_jupyter import Messages, messages
from mailconn_jupyter.errors import MailConnError, OptionError
from mailconn_jupyter.session.connect_by_protocol import connect_imap
from mailconn_jupyter.session.imap.errors import MailboxChanged
from mailconn_jupyter.session.imap.wire import IMAPWire
from mailconn_jupyter.session.line_arguments import UnsafeArgument
from tests.servers.certificates import Certificates
from tests.support.acting import KINDS, TRASH, Acted, run_kind, subjects, subjects_in
from tests.support.mailboxes import mail


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, server_state: Path, certificates: Certificates) -> Iterator[Acted]:
    with run_kind(request.param, server_state / f"acting{list(KINDS).index(request.param)}", certificates) as dovecot:
        yield Acted(request.param, dovecot, certificates)


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every line that is sent from now on."""
    sent: list[bytes] = []
    say = IMAPWire.say

    def heard(wire: IMAPWire, data: bytes, shown: str = "") -> None:
        sent.append(data)
        say(wire, data, shown)

    monkeypatch.setattr(IMAPWire, "say", heard)
    return sent


def test_a_selection_is_moved_and_the_report_says_what_was_where(server: Acted) -> None:
    box = server.box()
    report = messages(box.connection, subject="number").move("Archive")
    assert subjects(box.connection) == []
    assert subjects(box.connection, "Archive") == ["number 1", "number 2", "number 3"]
    assert (report.count, report.uids, report.folder, report.to) == (3, ("3", "2", "1"), "INBOX", "Archive")
    assert str(report).startswith("Moved 3 messages from INBOX to Archive.")
    assert "number 2" in str(report)
    # Without UIDPLUS nothing is removed, as others' would be, too.
    assert subjects(box.connection, deleted=True) == ([] if server.removes else ["number 1", "number 2", "number 3"])
    assert ("marked as deleted: the server lacks UIDPLUS" in str(report)) is not server.removes


def test_what_others_have_marked_as_deleted_is_never_removed(server: Acted) -> None:
    box = server.box(4)
    with connect_imap(box.connection) as other:
        # imap_tools' own way to set a flag expunges, too.
        other.client.uid("STORE", "4", "+FLAGS", r"(\Deleted)")
        messages(box.connection, subject="number 2").delete(expunge=True)
        messages(box.connection, subject="number 1").move("Archive")
        there = subjects_in(other, "INBOX", deleted=True)
    assert there == (["number 3", "number 4"] if server.removes else [f"number {n}" for n in range(1, 5)])
    assert subjects(box.connection) == ["number 3"]


def test_a_message_is_moved_from_within_the_loop_that_reads(server: Acted) -> None:
    box = server.box(5)
    seen = []
    for message in messages(box.connection):
        seen.append(message.subject)
        if message.subject in {"number 2", "number 4"}:
            assert message.move("Archive").count == 1
    assert seen == [f"number {n}" for n in (5, 4, 3, 2, 1)]
    assert subjects(box.connection) == ["number 1", "number 3", "number 5"]
    assert subjects(box.connection, "Archive") == ["number 4", "number 2"]


@pytest.mark.parametrize("body", [False, True], ids=["headers", "bodies"])
def test_a_loop_over_an_open_session_moves_by_the_same_session(server: Acted, body: bool) -> None:
    box = server.box(150)
    seen = []
    with connect_imap(box.connection) as session:
        for message in messages(session, body=body):
            seen.append(message.subject)
            if len(seen) % 25 == 0:
                assert message.move("Archive").count == 1
    assert seen == [f"number {n}" for n in range(150, 0, -1)]
    assert subjects(box.connection, "Archive") == [f"number {n}" for n in range(126, 0, -25)]
    assert len(subjects(box.connection)) == 144


def test_copies_leave_the_messages_where_they_are(server: Acted) -> None:
    box = server.box()
    report = messages(box.connection, limit=2).copy("Archive")
    assert str(report).startswith("Copied 2 messages from INBOX to Archive.")
    assert subjects(box.connection) == ["number 1", "number 2", "number 3"]
    assert subjects(box.connection, "Archive") == ["number 2", "number 3"]


def test_delete_moves_to_the_folder_that_the_server_names_as_the_trash(server: Acted) -> None:
    box = server.box()
    report = messages(box.connection, subject="number 2").delete()
    assert subjects(box.connection) == ["number 1", "number 3"]
    assert subjects(box.connection, TRASH) == ["number 2"]
    assert report.summary == f"Moved 1 message from INBOX to the trash ({TRASH})."
    with pytest.raises(OptionError, match=r"already in the trash.*\n.*expunge=True"):
        messages(box.connection, folder=TRASH).delete()
    assert messages(box.connection, folder=TRASH).delete(expunge=True).count == 1
    assert subjects(box.connection, TRASH) == []


def test_flags_are_set_and_taken_off(server: Acted) -> None:
    box = server.box()
    found = messages(box.connection, subject="number 1")
    assert found.flag().summary == "Flagged 1 message in INBOX."
    assert found.flag("$Work").summary == "Marked 1 message in INBOX with $Work."
    assert found.mark_seen().summary == "Marked 1 message in INBOX as read."
    (message,) = messages(box.connection, subject="number 1")
    assert {r"\Seen", r"\Flagged", "$Work"} <= (message.flags or set())
    message.unflag()
    message.unflag("$work")
    message.mark_seen(False)
    (message,) = messages(box.connection, subject="number 1")
    assert message.flags is not None
    assert not {r"\Seen", r"\Flagged", "$Work"} & message.flags
    assert [each.flagged for each in messages(box.connection)] == [False, False, False]


def test_a_misspelt_keyword_is_named_with_the_one_that_was_meant() -> None:
    with pytest.raises(TypeError, match=r"delete\(\) has no keyword 'dryrun'. Did you mean 'dry_run'"):
        Messages().delete(dryrun=True)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"move\(\) is missing its folder"):
        Messages().move()  # type: ignore[call-arg]


@pytest.mark.parametrize(
    "flag", [r"\Deleted", r"\Recent", "a b", "(x)", "", "x\r\nA1 NOOP", 'q"', "{5}", "%", "é", None]
)
def test_what_is_no_flag_is_refused(flag: object) -> None:
    with pytest.raises(OptionError, match="A flag is one of"):
        Messages().flag(flag)  # type: ignore[arg-type]


def test_a_dry_run_says_what_would_be_done_and_does_nothing(server: Acted) -> None:
    box = server.box()
    before = box.state()
    found = messages(box.connection, subject="number")
    assert str(found.move("Archive", dry_run=True)).startswith(
        "Would move 3 messages from INBOX to Archive. Nothing was changed."
    )
    assert "Would delete 3 messages from INBOX for good." in str(found.delete(expunge=True, dry_run=True))
    assert "Would flag 3 messages in INBOX." in str(found.flag(dry_run=True))
    assert f"the trash ({TRASH})" in str(found.delete(dry_run=True))
    with pytest.raises(OptionError, match="There is no folder 'Archiv'"):
        found.move("Archiv", dry_run=True)
    assert box.state() == before


def test_what_comes_after_the_dry_run_is_not_acted_on(server: Acted) -> None:
    box = server.box(2)
    found = messages(box.connection)
    assert found.move("Archive", dry_run=True).count == 2
    with connect_imap(box.connection) as session:
        session.append(mail("late").raw, "INBOX")
    assert found.move("Archive").count == 2
    assert subjects(box.connection) == ["late"]


def test_only_what_was_taken_is_acted_on(server: Acted) -> None:
    box = server.box(4)
    found = messages(box.connection)
    next(found)
    next(found)
    assert found.move("Archive").uids == ("4", "3")
    assert [message.subject for message in found] == ["number 2", "number 1"]
    none = messages(box.connection, subject="nothing like that")
    assert list(none) == []
    assert none.delete(expunge=True).count == 0


def test_a_choice_of_ones_own_is_acted_on_as_a_whole(server: Acted) -> None:
    box = server.box(4)
    chosen = [message for message in messages(box.connection) if message.subject in {"number 1", "number 3"}]
    report = Messages(chosen).move("Archive")
    assert report.uids == ("3", "1")
    assert subjects(box.connection, "Archive") == ["number 1", "number 3"]
    assert Messages(chosen).move("Archive").gone == ("3", "1")
    assert Messages([]).move("Archive").summary == "There was no message to act on."


def test_an_empty_selection_is_acted_on_by_doing_nothing(server: Acted) -> None:
    box = server.box()
    for report in (
        messages(box.connection, subject="nothing like that").move("Archive"),
        messages(box.connection, limit=0).delete(),
    ):
        assert (report.count, str(report)) == (0, "There was no message to act on.")
    assert len(subjects(box.connection)) == 3


def test_a_folder_that_does_not_exist_is_named_with_what_was_meant(server: Acted) -> None:
    box = server.box()
    with pytest.raises(
        OptionError, match=r"There is no folder 'Archiv'\. Nothing was changed\. Did you mean 'Archive'"
    ):
        messages(box.connection).move("Archiv")
    with pytest.raises(UnsafeArgument, match="Nothing was sent"):
        messages(box.connection).move("a\r\nA1 DELETE INBOX")
    with pytest.raises(OptionError, match="already in the folder 'INBOX'"):
        messages(box.connection).move("inbox")
    assert len(subjects(box.connection)) == 3


def test_folders_in_any_script_are_moved_to(server: Acted) -> None:
    box = server.box()
    with connect_imap(box.connection) as session:
        names = ("Отчёты & «2026»", 'a "quoted" \\ name')
        for name, message in zip(names, list(messages(session, limit=2)), strict=True):
            session.folder.create(name)
            assert message.move(name).to == name
            assert subjects_in(session, name) == [message.subject]
            session.folder.set("INBOX")


def test_an_open_session_stays_open_in_its_folder(server: Acted) -> None:
    box = server.box()
    with connect_imap(box.connection) as session:
        session.folder.set("Archive", readonly=True)
        assert messages(session).move("Archive").count == 3
        assert (session.folder.get(), session.client.is_readonly) == ("Archive", True)
        assert session.noop()[0] == "OK"


def test_a_session_that_was_opened_to_read_only_changes_nothing(server: Acted) -> None:
    box = server.box()
    with connect_imap(box.connection, readonly=True) as session:
        for act in (
            Messages.delete,
            Messages.flag,
            lambda found: found.move("Archive"),
            lambda found: found.copy("Archive"),
        ):
            with pytest.raises(MailConnError, match=r"is read-only\. Nothing was changed"):
                act(messages(session))
        assert messages(session).move("Archive", dry_run=True).count == 3
    assert len(subjects(box.connection)) == 3


def test_a_message_that_is_gone_meanwhile_is_left_out_and_named(server: Acted) -> None:
    box = server.box()
    found = list(messages(box.connection))
    with connect_imap(box.connection) as session:
        session.delete("2")
    report = Messages(found).copy("Archive")
    assert (report.uids, report.gone) == (("3", "1"), ("2",))
    assert "1 message was no longer there." in str(report)


def test_a_folder_that_was_made_anew_is_not_the_one_that_was_read(server: Acted) -> None:
    box = server.box(0)
    with connect_imap(box.connection) as session:
        session.folder.create("Work")
        session.append(mail("old").raw, "Work")
        (old,) = messages(session, folder="Work")
        (old_by_name,) = messages(box.connection, folder="Work")
        session.folder.delete("Work")
        # By seconds, in Dovecot.
        session.folder.create("Work2")
        session.folder.rename("Work2", "Work")
        session.append(mail("new").raw, "Work")
        for message in (old, old_by_name):
            with pytest.raises(MailboxChanged, match="UIDVALIDITY"):
                message.delete(expunge=True)
        assert subjects_in(session, "Work") == ["new"]


def test_ten_thousand_messages_take_few_commands(server: Acted, commands: list[bytes]) -> None:
    box = server.box([mail("many")] * 10_000)
    with connect_imap(box.connection) as session:
        commands.clear()
        assert messages(session).flag().count == 10_000
        assert messages(session).copy("Archive").count == 10_000
        assert len(commands) < 40
        odd = [message for message in messages(session, body=False) if int(message.uid) % 2]
        commands.clear()
        report = Messages(odd).move("Archive")
    assert report.count == 5000
    assert max(map(len, commands)) < 8192
    assert len(commands) < 60
    assert len(str(report).splitlines()) < 15
