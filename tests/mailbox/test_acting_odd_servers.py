"""IMAP servers that are not as they should be: nothing is done that was not asked for, and the error says why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from mailconn_jupyter import Messages, messages
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.errors import MailConnError, OptionError
from mailconn_jupyter.mailbox.acting import imap_folder
from mailconn_jupyter.mailbox.acting.imap_folder import identities
from mailconn_jupyter.session.connect_by_protocol import connect_imap
from mailconn_jupyter.session.imap.errors import LinkLost, MailboxChanged, NotUnderstood, Refused
from tests.contract.imap import IMAPKit
from tests.contract.kit import Do
from tests.servers.conversation import Conversation
from tests.servers.script import ScriptServer
from tests.support.isolation import give_password
from tests.support.reading import to_script

SOUND = {
    "CAPABILITY": "* CAPABILITY IMAP4rev1 MOVE UIDPLUS SPECIAL-USE",
    "SELECT": "* 2 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [PERMANENTFLAGS (\\Seen \\Deleted)] ok",
    "EXAMINE": "* 2 EXISTS\r\n* OK [UIDVALIDITY 7] ok",
    "UID SEARCH": "* SEARCH 1 2",
    "UID FETCH": "* 1 FETCH (UID 1 BODY[HEADER.FIELDS (DATE FROM SUBJECT)] {14}\r\nSubject: one\r\n)",
    "STATUS": '* STATUS "Archive" (UIDNEXT 5 UIDVALIDITY 9)',
    "LIST": '* LIST (\\Trash) "/" "Bin"\r\n* LIST () "/" "Archive"',
    "LSUB": "",
}


@contextmanager
def server(**unlike: str) -> Iterator[tuple[MailConnection, list[str]]]:
    """A connection to a server that says this, and what is asked of it; an answer that begins with NO refuses."""
    answers: Mapping[str, str] = {**SOUND, **{name.replace("_", " "): said for name, said in unlike.items()}}
    asked: list[str] = []
    kit = IMAPKit()

    def serve(talk: Conversation) -> None:
        while True:
            tag, _, command = talk.line().decode().partition(" ")
            asked.append(command)
            name = next((name for name in answers if command.startswith(name)), "")
            said = answers.get(name, "")
            before, end = ("", said) if said.startswith("NO") else (f"{said}\r\n" if said else "", "OK done")
            talk.send(f"{before}{tag} {end}\r\n".encode())
            if command == "LOGOUT":
                return

    def accept(talk: Conversation) -> None:
        kit._end(talk, f"OK [{answers['CAPABILITY'].removeprefix('* ')}] welcome".encode())

    give_password("ops", "s3cret-s3cret")
    script = [*kit.offer("PLAIN"), Do(lambda talk: kit.login(talk, "PLAIN")), Do(accept), Do(serve)]
    with ScriptServer(*[script] * 9, strict=False) as running:
        yield to_script("IMAP", running.port, username="alice"), asked


CHANGES = ("UID MOVE", "UID COPY", "UID STORE", "UID EXPUNGE", "EXPUNGE", "CLOSE")


def changes(asked: list[str]) -> list[str]:
    return [line for line in asked if line.startswith(CHANGES)]


def test_the_server_itself_is_sound() -> None:
    with server() as (connection, asked):
        assert messages(connection).move("Archive").uids == ("2", "1")
        assert changes(asked) == ['UID MOVE 1:2 "Archive"']
        report = messages(connection).delete()
        assert report.to == "Bin"
        assert "one" in str(report)


def test_without_uidvalidity_nothing_is_changed() -> None:
    with server(SELECT="* 2 EXISTS") as (connection, asked):
        with pytest.raises(MailboxChanged, match="gives no UIDVALIDITY"):
            messages(connection).delete()
        assert changes(asked) == []


def test_a_flag_that_the_folder_does_not_keep_is_not_set_and_nothing_is_copied_that_could_not_be_removed() -> None:
    limited = "* 2 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [PERMANENTFLAGS (\\Seen)] ok"
    with server(SELECT=limited, CAPABILITY="* CAPABILITY IMAP4rev1 UIDPLUS") as (connection, asked):
        for act in (Messages.flag, lambda found: found.move("Archive"), lambda found: found.flag("$Work")):
            with pytest.raises(OptionError, match="Nothing was changed"):
                act(messages(connection))
        assert changes(asked) == []
        assert messages(connection).mark_seen().count == 2
        assert messages(connection).copy("Archive").count == 2


def test_a_folder_that_the_server_opens_only_to_be_read_is_not_changed() -> None:
    readonly = f"{SOUND['SELECT']}\r\n* OK [READ-ONLY] ok"
    with server(SELECT=readonly) as (connection, asked):
        with pytest.raises(MailConnError, match="only to be read"):
            messages(connection).delete(expunge=True)
        assert changes(asked) == []


def test_messages_that_were_not_asked_for_are_not_acted_on() -> None:
    with server() as (connection, asked):
        found = messages(connection, limit=1)
        assert found.flag(dry_run=True).uids == ("2",)
        # It finds both, whatever it is asked.
        assert found.delete(expunge=True).uids == ("2",)
        assert changes(asked) == [r"UID STORE 2 +FLAGS.SILENT (\Deleted)", "UID EXPUNGE 2"]


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        (
            {"UID_MOVE": "NO [OVERQUOTA] full"},
            Refused,
            r"refused MOVE: NO \[OVERQUOTA\] full\nDone with 0 of 2 messages",
        ),
        ({"STATUS": "NO [NONEXISTENT] no"}, Refused, "cannot hold messages"),
        ({"STATUS": '* STATUS "Archive" (MESSAGES 5)'}, NotUnderstood, "does not say which UIDs are next"),
        ({"STATUS": "NO no", "LIST": '* LIST () "/" "Archives"'}, OptionError, "Did you mean 'Archives'"),
        ({"LIST": "", "STATUS": "NO no"}, OptionError, "There is no folder 'Archive'"),
        ({"UID_SEARCH": "NO no"}, Refused, "did not search for that"),
    ],
)
def test_what_the_server_refuses_is_said_in_its_words(said: dict[str, str], kind: type[Exception], words: str) -> None:
    with server(**said) as (connection, asked):
        with pytest.raises(kind, match=words):
            messages(connection).move("Archive")
        assert [line for line in changes(asked) if not line.startswith("UID MOVE")] == []


def test_without_a_trash_nothing_is_deleted_for_good_unasked() -> None:
    with server(LIST='* LIST () "/" "Trash"') as (connection, asked):
        with pytest.raises(OptionError, match=r"names no folder as its trash. Nothing was deleted.\n.*move"):
            messages(connection).delete()
        assert changes(asked) == []


def selected(asked: list[str]) -> list[str]:
    return [line for line in asked if line.startswith(("SELECT", "EXAMINE"))]


@pytest.mark.parametrize("since", [None, "2020-01-01"])
def test_a_session_of_ones_own_selects_no_folder_twice(since: str | None) -> None:
    dated = SOUND["UID FETCH"].replace(
        "{14}\r\nSubject: one", "{53}\r\nSubject: one\r\nDate: Sun, 22 Nov 2026 08:30:00 +0000"
    )
    with server(UID_FETCH=dated) as (connection, asked):
        messages(connection, since=since).copy("Archive")
        assert selected(asked) == ['SELECT "INBOX"']
        asked.clear()
        messages(connection, folder="Archive", since=since).mark_seen()
        assert selected(asked) == ['SELECT "INBOX"', 'SELECT "Archive"']
        asked.clear()
        list(messages(connection, folder="Archive"))
        assert selected(asked) == ['EXAMINE "INBOX"', 'EXAMINE "Archive"']


def test_an_action_asks_for_no_counts_of_other_folders() -> None:
    listing = "* CAPABILITY IMAP4rev1 MOVE UIDPLUS SPECIAL-USE LIST-EXTENDED LIST-STATUS"
    with server(CAPABILITY=listing) as (connection, asked):
        messages(connection).delete()
        (listed,) = [line for line in asked if line.startswith("LIST")]
        assert "SPECIAL-USE" in listed
        assert "STATUS" not in listed


def test_news_of_a_flag_does_not_make_one_message_look_like_another() -> None:
    news = "* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n* 2 FETCH (UID 2 FLAGS (\\Seen))"
    said = (
        '* 1 FETCH (UID 1 INTERNALDATE "22-Nov-2026 08:30:00 +0000" RFC822.SIZE 120 '
        f"BODY[HEADER.FIELDS (MESSAGE-ID)] {{23}}\r\nMessage-ID: <a@b.c>\r\n\r\n)\r\n{news}"
    )
    with server(UID_FETCH=said) as (connection, _), connect_imap(connection) as session:
        known = identities(session, "1:2")
    assert known == {1: ("22-Nov-2026 08:30:00 +0000", 120, b"Message-ID: <a@b.c>\r\n\r\n")}


def test_a_server_that_tells_of_messages_without_end_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap_folder, "_MOST_HELD", 20_000)
    many = "\r\n".join(f"* 1 FETCH (UID {number} RFC822.SIZE 1)" for number in range(1, 1000))
    with server(UID_FETCH=many) as (connection, asked):
        with pytest.raises(LinkLost, match="sends more than it was asked for"):
            messages(connection).move("Archive")
        assert changes(asked) == []
