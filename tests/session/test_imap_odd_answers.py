"""Answers of an IMAP server that are none: an error of ours, and never an empty folder."""

from __future__ import annotations

import imaplib
from collections.abc import Callable
from typing import Any

import pytest
from imap_tools.folder import FolderInfo

from mailconn_jupyter import messages
from mailconn_jupyter.errors import MailConnError
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.imap.errors import LinkLost, Refused
from tests.contract.imap import IMAPKit
from tests.contract.kit import Do
from tests.servers.script import ScriptServer
from tests.servers.steps import Step
from tests.support.isolation import give_password
from tests.support.reading import to_script

kit = IMAPKit()


def answering(*answers: bytes) -> list[Step]:
    """A login, INBOX selected, and an answer to each command that follows."""
    steps: list[Step] = [*kit.offer("PLAIN"), Do(lambda talk: kit.login(talk, "PLAIN")), Do(kit.accept)]
    steps += [Do(kit.asked_whether_ready), Do(kit.ready)]
    for answer in answers:
        steps += [Do(lambda talk: kit._expect(talk, rb".*")), Do(lambda talk, a=answer: kit._end(talk, b"OK done", a))]  # type: ignore[misc]
    return [*steps, Do(kit.farewell)]


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        (lambda imap: imap.folder.status("INBOX"), b""),
        (lambda imap: imap.folder.status("INBOX"), b"* STATUS INBOX (MESSAGES)\r\n"),
        (lambda imap: imap.folder.status("INBOX"), b"* STATUS INBOX (MESSAGES %b)\r\n" % (b"9" * 5000)),
        (lambda imap: imap.folder.status("INBOX"), b"* STATUS \xff (MESSAGES 1)\r\n"),
        (lambda imap: imap.folder.list(), b'* LIST () "/" &AO\r\n'),
    ],
)
def test_an_answer_about_folders_that_is_none_is_an_error_of_ours_and_the_session_goes_on(
    ask: Callable[[Any], object], answer: bytes
) -> None:
    give_password("ops", "s3cret-s3cret")
    with (
        ScriptServer(answering(answer, b"* SEARCH 7\r\n")) as server,
        connect(to_script("IMAP", server.port, username="alice")) as imap,
    ):
        with pytest.raises(MailConnError, match="is not valid IMAP") as caught:
            ask(imap)
        assert isinstance(caught.value, imaplib.IMAP4.error)
        assert imap.uids() == ["7"]


@pytest.mark.parametrize("count", [b"9" * 5000, b"abc", b"-1", b""])
def test_a_count_that_is_no_number_is_no_answer_and_not_taken_for_an_empty_folder(count: bytes) -> None:
    give_password("ops", "s3cret-s3cret")
    answer = b"* %b EXISTS\r\n" % count if count.isdigit() else b"* EXISTS %b\r\n" % count
    with ScriptServer(answering(answer)[:-1], strict=False) as server:
        imap = connect(to_script("IMAP", server.port, username="alice"))
        with pytest.raises(LinkLost, match="not valid IMAP"):
            list(messages(imap))
        imap.close()


@pytest.mark.parametrize(
    "said", [b"7 %b 8" % (b"9" * 5000), "7 \N{SUPERSCRIPT TWO} 8".encode(), b"7 8 (MODSEQ 12)", b"7 x 8"]
)
def test_a_search_finds_numbers_and_nothing_else(said: bytes) -> None:
    give_password("ops", "s3cret-s3cret")
    with (
        ScriptServer(answering(b"* SEARCH %b\r\n" % said)) as server,
        connect(to_script("IMAP", server.port, username="alice")) as imap,
    ):
        assert imap.uids() == ["7", "8"]


def test_a_listing_that_is_no_listing_is_read_in_a_time_that_does_not_grow_faster_than_it() -> None:
    give_password("ops", "s3cret-s3cret")
    hostile = b"* LIST " + b"(" * 2**20 + b') "/" "a"\r\n* LIST (\\Marked) "/" "Archive"\r\n* LIST () NIL flat\r\n'
    with (
        ScriptServer(answering(hostile, b"* SEARCH 7\r\n")) as server,
        connect(to_script("IMAP", server.port, username="alice")) as imap,
    ):
        assert imap.folder.list() == [FolderInfo("Archive", "/", ("\\Marked",)), FolderInfo("flat", "NIL", ())]
        assert imap.uids() == ["7"]


@pytest.mark.parametrize("ask", [lambda imap: imap.folder.list(), lambda imap: imap.folder.status("INBOX")])
def test_what_is_refused_of_folders_is_an_error_of_ours_and_of_the_libraries(ask: Callable[[Any], object]) -> None:
    give_password("ops", "s3cret-s3cret")
    refusing = [
        *answering()[:-1],
        Do(lambda talk: kit._expect(talk, rb".*")),
        Do(lambda talk: kit._end(talk, b"NO [NOPERM] not you")),
        Do(kit.farewell),
    ]
    with (
        ScriptServer(refusing) as server,
        connect(to_script("IMAP", server.port, username="alice")) as imap,
        pytest.raises(Refused, match=r"NO \[NOPERM\] not you") as caught,
    ):
        ask(imap)
    assert isinstance(caught.value, imaplib.IMAP4.error)
