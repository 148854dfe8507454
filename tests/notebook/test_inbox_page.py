"""The inbox's page, driven as a front end would: what is chosen is acted on, once it is certain, and nothing else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from ipywidgets import Button

from mailconn_jupyter import MailConnection, connections, messages
from mailconn_jupyter.commands.reading import Inbox, read_inbox
from mailconn_jupyter.notebook.inbox.inbox_page import InboxPage
from tests.servers.certificates import Certificates
from tests.support.acting import TRASH, Acted, run_kind, subjects
from tests.support.form_driver import eventually, nothing_typed
from tests.support.mailboxes import fill_file, mail

__all__ = ["nothing_typed"]

Open = Callable[[MailConnection], InboxPage]


@pytest.fixture
def opened(own_config: Path) -> Iterator[Open]:
    pages: list[InboxPage] = []

    def page(connection: MailConnection) -> InboxPage:
        connections.save(connection, replace=True)
        again = partial(read_inbox, target=connection.name, progress=False)
        pages.append(InboxPage(again(), again))
        idle(pages[-1])
        return pages[-1]

    yield page
    for each in pages:
        each.worker.wait(10)
        each.close()


@pytest.fixture(scope="module")
def server(server_state: Path, certificates: Certificates) -> Iterator[Acted]:
    with run_kind("MOVE and UIDPLUS", server_state / "page", certificates) as dovecot:
        yield Acted("MOVE and UIDPLUS", dovecot, certificates)


def file_of(folder: Path, count: int = 3) -> MailConnection:
    fill_file(folder / "box", [mail(f"number {number}", file=f"{number}.csv") for number in range(1, count + 1)])
    return MailConnection(name="box", protocol="MBOX", server_host=str(folder / "box"))


def idle(page: InboxPage) -> None:
    eventually(lambda: not page.worker.running)


def choose(page: InboxPage, *subjects: str) -> None:
    page.table.set_state({"chosen": [row["key"] for row in page.table.rows if row["subject"] in subjects]})


def click(button: Button) -> None:
    assert not button.disabled
    button.click()


def shown(page: InboxPage) -> list[str]:
    return [row["subject"] for row in page.table.rows]


def test_what_a_file_has_is_deleted_for_good_once_that_is_certain(tmp_path: Path, opened: Open) -> None:
    connection = file_of(tmp_path)
    page = opened(connection)
    assert page.delete.disabled
    assert page.delete.button_style == "danger"
    choose(page, "number 2")
    click(page.delete)
    assert "Delete 1 message for good? This cannot be undone." in page.question.text.value
    click(page.question.no)
    assert shown(page) == ["number 3", "number 2", "number 1"]
    click(page.delete)
    click(page.question.yes)
    idle(page)
    assert "Deleted 1 message from" in page.status.value
    assert shown(page) == ["number 3", "number 1"]
    assert [message.subject for message in messages(connection)] == ["number 3", "number 1"]
    assert page.table.chosen == []
    assert page.delete.disabled


def test_its_caption_says_in_sentences_that_there_are_older_ones(tmp_path: Path, own_config: Path) -> None:
    connections.save(file_of(tmp_path))
    again = partial(read_inbox, target="box", limit=2, progress=False)
    page = InboxPage(again(), again)
    assert page.table.caption == "box: the newest 2. Older ones are not shown; --limit 10 shows more."
    page.close()
    again = partial(read_inbox, target="box", progress=False)
    page = InboxPage(again(), again)
    assert page.table.caption == "box: 3 messages"
    page.close()


def test_what_was_deleted_elsewhere_meanwhile_is_told_and_nothing_else_is_touched(tmp_path: Path, opened: Open) -> None:
    connection = file_of(tmp_path)
    page = opened(connection)
    choose(page, "number 1")
    messages(connection, subject="number 1").delete(expunge=True)
    click(page.delete)
    click(page.question.yes)
    idle(page)
    assert "1 message was no longer there." in page.status.value
    assert shown(page) == ["number 3", "number 2"]


def test_a_question_about_one_message_never_deletes_others_that_are_chosen_meanwhile(
    tmp_path: Path, opened: Open
) -> None:
    page = opened(file_of(tmp_path))
    choose(page, "number 2")
    click(page.delete)
    asked = page.question._act
    choose(page, "number 1", "number 2", "number 3")
    assert page.question.text.value == ""
    # An answer that was on its way already.
    asked("")
    idle(page)
    assert "Deleted 1 message from" in page.status.value
    assert shown(page) == ["number 3", "number 1"]


def test_attachments_are_saved_of_what_was_chosen_when_it_was_asked_where(
    tmp_path: Path, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened(file_of(tmp_path))
    monkeypatch.chdir(tmp_path)
    choose(page, "number 1")
    click(page.delete)
    click(page.save)
    choose(page, "number 2", "number 3")
    click(page.question.yes)
    idle(page)
    assert [path.name for path in (tmp_path / "attachments").iterdir()] == ["1.csv"]


def test_what_was_done_is_said_also_where_the_list_cannot_be_read_again(tmp_path: Path, opened: Open) -> None:
    page = opened(file_of(tmp_path))
    read = page._again

    def gone() -> Inbox:
        (tmp_path / "box").unlink()
        return read()

    page._again = gone
    choose(page, "number 1")
    click(page.delete)
    click(page.question.yes)
    idle(page)
    assert "Deleted 1 message from" in page.status.value
    assert "The list could not be read again: " in page.status.value
    assert "There is no file" in page.status.value
    assert not page.refresh.disabled


def test_attachments_are_saved_where_it_is_said(tmp_path: Path, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened(file_of(tmp_path))
    monkeypatch.chdir(tmp_path)
    choose(page, "number 1", "number 3")
    click(page.save)
    page.question.entry.set_state({"value": "files"})
    click(page.question.yes)
    idle(page)
    assert "Saved 2 attachments" in page.status.value
    assert sorted(path.name for path in (tmp_path / "files").iterdir()) == ["1.csv", "3.csv"]


def test_an_error_is_said_and_the_page_goes_on(tmp_path: Path, opened: Open) -> None:
    page = opened(file_of(tmp_path))
    choose(page, "number 1")
    (tmp_path / "box").unlink()
    click(page.delete)
    click(page.question.yes)
    idle(page)
    assert 'role="alert"' in page.status.value
    assert "There is no file" in page.status.value
    assert not page.refresh.disabled
    file_of(tmp_path, 4)
    click(page.refresh)
    idle(page)
    assert len(shown(page)) == 4


def test_on_a_server_there_are_marks_folders_and_a_trash(server: Acted, opened: Open) -> None:
    box = server.box(4)
    page = opened(box.connection)
    assert set(page.folder.options) == {TRASH, "Archive"}
    assert page.folder.value == "Archive"
    choose(page, "number 1", "number 2")
    click(page.flag)
    idle(page)
    assert [row["subject"] for row in page.table.rows if row["flagged"]] == ["number 2", "number 1"]
    click(page.read)
    idle(page)
    click(page.unflag)
    idle(page)
    click(page.copy)
    idle(page)
    click(page.unread)
    idle(page)
    assert [row["seen"] for row in page.table.rows] == [False] * 4
    choose(page, "number 3")
    click(page.move)
    idle(page)
    choose(page, "number 4")
    click(page.delete)
    assert f"Move 1 message to the trash ({TRASH})?" in page.question.text.value
    click(page.question.yes)
    idle(page)
    assert subjects(box.connection) == ["number 1", "number 2"]
    assert subjects(box.connection, "Archive") == ["number 1", "number 2", "number 3"]
    assert subjects(box.connection, TRASH) == ["number 4"]


def test_what_ends_while_a_click_is_heard_holds_nothing_that_the_click_wants(tmp_path: Path, opened: Open) -> None:
    page = opened(file_of(tmp_path))
    ended = threading.Event()

    def work() -> tuple[str, str]:
        ended.set()
        return "good", "Done."

    with page._guard:
        page.worker.start(lambda _: page._run(work))
        assert ended.wait(10)
        for _ in range(20):
            assert page.worker.lock.acquire(timeout=5)
            page.worker.lock.release()
            time.sleep(0.02)
    idle(page)
    assert "Done." in page.status.value
