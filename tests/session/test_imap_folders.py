"""Folders in any script: listed, made, renamed and subscribed to on a real server, and what hostile ones are called."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from imap_tools.errors import MailboxFolderCreateError, MailboxFolderRenameError

from mailconn_jupyter.session.connect_by_protocol import connect_imap
from mailconn_jupyter.session.imap.client import IMAPClient
from mailconn_jupyter.session.imap.errors import FolderRefused, Refused
from mailconn_jupyter.session.imap.folder_list import MailFolder, folders_of
from tests.servers.certificates import Certificates
from tests.support.acting import TRASH, Acted, run_kind


@pytest.fixture(scope="module", params=["MOVE and UIDPLUS", "neither"])
def server(request: pytest.FixtureRequest, server_state: Path, certificates: Certificates) -> Iterator[Acted]:
    with run_kind(request.param, server_state / f"folders{len(request.param)}", certificates) as dovecot:
        yield Acted(request.param, dovecot, certificates)


def test_the_folders_are_listed_with_their_use(server: Acted) -> None:
    with connect_imap(server.box(2).connection) as session:
        found = session.folders()
        assert set(found.names) == {"INBOX", "Archive", TRASH}
        assert found.used_for("trash") == TRASH
        assert found.used_for("junk") == ""
        counts = {folder.name: (folder.messages, folder.unseen) for folder in found}
        assert counts["INBOX"] == ((2, 2) if "LIST-STATUS" in session.client.capabilities else (None, None))
        assert TRASH in repr(found)
        assert session.folders("Arch*").names == ["Archive"]
        assert repr(session.folders("nothing*")) == "There are no folders."


@pytest.mark.parametrize("name", ["Отчёты", "日本語 & co", 'a "b" \\ c', "$x$ <b>", "a [b]", "(x)", "{5}x"])
def test_a_folder_is_made_renamed_and_subscribed_to_by_its_name(server: Acted, name: str) -> None:
    with connect_imap(server.box(0).connection) as session:
        session.folder.create(name)
        session.folder.subscribe(name)
        (made,) = (folder for folder in session.folders() if folder.name == name)
        assert made.subscribed
        session.folder.subscribe(name, False)
        session.folder.rename(name, f"{name} 2026")
        (made,) = (folder for folder in session.folders() if folder.name == f"{name} 2026")
        assert not made.subscribed
        session.folder.delete(f"{name} 2026")
        assert set(session.folders().names) == {"INBOX", "Archive", TRASH}
        assert "<b>" not in session.folders()._repr_html_()


def test_what_the_server_refuses_is_said_in_its_words_and_is_the_error_of_imap_tools_too(server: Acted) -> None:
    with connect_imap(server.box(0).connection) as session:
        session.folder.create("Work")
        with pytest.raises(MailboxFolderCreateError) as caught:
            session.folder.create("Work")
        assert isinstance(caught.value, FolderRefused)
        assert str(caught.value).startswith("The server did not create the folder 'Work': NO [ALREADYEXISTS]")
        with pytest.raises(MailboxFolderRenameError, match="did not rename the folder 'nothing'"):
            session.folder.rename("nothing", "something")
        with pytest.raises(Refused, match="did not open the folder 'nothing'"):
            session.folder.set("nothing")
        assert session.noop()[0] == "OK"


class Says(IMAPClient):
    """A client of a server that says this, whatever it is asked."""

    def __init__(self, **said: list[Any]) -> None:
        super().__init__()
        self.capabilities = ("IMAP4REV1",)
        self._said = said

    def pipeline(self, *_: tuple[str, ...]) -> list[tuple[str, list[object]]]:
        self.untagged_responses.update(self._said)
        return [("OK", [b"done"])] * 2


def test_names_are_read_however_they_are_written() -> None:
    client = Says(
        LIST=[
            rb'(\HasNoChildren \TRASH) "/" "a \"b\" \\ c"',
            rb"() NIL atom",
            (rb'(\Noselect) "." {5}', b"x(y)z"),
            b"",
            b"&BBo- broken",
            rb'() "/" &Jjo',
            rb'() "/" "&BB8EMAQ,BDoEMA-"',
            rb'(\Sent) "\\" "up\\down" ("CHILDINFO" ("SUBSCRIBED"))',
        ],
        LSUB=[rb'() "/" atom'],
        STATUS=[b"atom (MESSAGES 3 UNSEEN 1)", (b"{5}", b"x(y)z"), b" (MESSAGES 99999999999999999999)"],
    )
    found = {folder.name: folder for folder in folders_of(client)}
    assert found['a "b" \\ c'].use == "trash"
    assert found["atom"] == MailFolder("atom", subscribed=True, messages=3, unseen=1)
    assert found["x(y)z"] == MailFolder("x(y)z", selectable=False, delimiter=".")
    assert found["up\\down"] == MailFolder("up\\down", use="sent", delimiter="\\")
    assert len(found) == 6


@pytest.mark.parametrize("size", [10, 20])
def test_a_hostile_listing_takes_no_longer_than_its_length(size: int) -> None:
    line = b"(" + b"\\x " * 2**size + b') "/" "' + b"\\" * 2**size
    assert folders_of(Says(LIST=[line], STATUS=[b'"' + b"\\a" * 2**size])) == ()
