"""Deleting in a mailbox file: under its lock, while others append to it, and when the program ends in between."""

from __future__ import annotations

import itertools
import mailbox
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from mailconn_jupyter import MailConnection, Messages, messages
from mailconn_jupyter.errors import MailConnError, OptionError
from mailconn_jupyter.session.connect_by_protocol import open_mbox
from mailconn_jupyter.session.mbox import rewrite
from mailconn_jupyter.session.mbox.errors import FileChanged
from tests.support.counted_files import counted_files, large_file
from tests.support.mailboxes import fill_file, mail

APPENDER = """
import mailbox, sys, time
# Opened before it is locked, as Python's own does: what replaces the file meanwhile would lose what is appended.
box = mailbox.mbox(sys.argv[1], create=False)
print("ready", flush=True)
for number in range(int(sys.argv[2])):
    while True:
        try:
            box.lock()
            break
        except mailbox.ExternalClashError:
            time.sleep(0.001)
    box.add(b"From: eve@example.org\\nSubject: appended %d\\n\\nHello.\\n" % number)
    box.flush()
    box.unlock()
    time.sleep(0.002)
"""


def names(path: Path) -> list[str]:
    """What is in the file, asked for by other means."""
    box = mailbox.mbox(path, create=False)
    try:
        return [str(message["Subject"]) for message in box]
    finally:
        box.close()


def filled(path: Path, count: int) -> MailConnection:
    fill_file(path, [mail(f"number {number}", text=f"{number}\n" * (number + 1)) for number in range(1, count + 1)])
    return MailConnection(name="box", protocol="MBOX", server_host=str(path))


def test_messages_are_deleted_wherever_they_lie_and_the_rest_stays_byte_for_byte(tmp_path: Path) -> None:
    for number, gone in enumerate(itertools.chain(*(itertools.combinations(range(1, 5), n) for n in range(5)))):
        path = tmp_path / f"{number}.mbox"
        connection = filled(path, 4)
        inode = path.stat().st_ino
        whole = path.read_bytes()
        chosen = [m for m in messages(connection) if int(m.subject.split()[1]) in gone]
        assert Messages(chosen).delete(expunge=True, dry_run=True).count == len(gone)
        assert path.read_bytes() == whole
        report = Messages(chosen).delete(expunge=True)
        assert report.count == len(gone)
        pieces = [b"From ana" + piece for piece in whole.split(b"From ana")[1:]]
        assert path.read_bytes() == b"".join(piece for n, piece in enumerate(pieces, 1) if n not in gone)
        assert path.stat().st_ino == inode
        assert list(tmp_path.glob("*rest*")) == []


def test_a_message_is_known_when_others_before_it_are_gone(tmp_path: Path) -> None:
    path = tmp_path / "box"
    connection = filled(path, 4)
    newest, *_, oldest = list(messages(connection))
    assert oldest.delete(expunge=True).count == 1
    path.write_bytes(path.read_bytes().replace(b"Status: O\n", b"Status: RO\nX-Keywords: x\n"))
    assert newest.delete(expunge=True).count == 1
    assert names(path) == ["number 2", "number 3"]
    assert newest.delete(expunge=True).gone == (newest.uid,)
    for message in messages(connection):
        message.delete(expunge=True)
    assert path.read_bytes() == b""


def test_which_of_two_equal_messages_is_meant_is_not_guessed(tmp_path: Path) -> None:
    path = tmp_path / "box"
    connection = filled(path, 1)
    fill_file(path, [mail("twice"), mail("twice")])
    first, *_ = list(messages(connection))
    messages(connection, subject="number 1").delete(expunge=True)
    with pytest.raises(FileChanged, match="several messages like one of these"):
        first.delete(expunge=True)
    assert names(path) == ["twice", "twice"]


def test_what_another_process_appends_meanwhile_is_neither_lost_nor_doubled(tmp_path: Path) -> None:
    path = tmp_path / "box"
    connection = filled(path, 60)
    count = 150
    with subprocess.Popen(
        [sys.executable, "-c", APPENDER, str(path), str(count)], stdout=subprocess.PIPE, text=True
    ) as appender:
        assert appender.stdout is not None
        assert appender.stdout.readline() == "ready\n"
        for number in range(1, 31):
            (message,) = [m for m in messages(connection, body=False) if m.subject == f"number {number}"]
            assert message.delete(expunge=True).count == 1
            if appender.poll() is not None:
                break
        assert appender.wait(60) == 0
    left = names(path)
    appended = [name for name in left if name.startswith("appended")]
    assert appended == [f"appended {number}" for number in range(count)]
    assert len(left) == len(set(left))


def test_what_is_appended_without_a_lock_stays_too(tmp_path: Path) -> None:
    path = tmp_path / "box"
    connection = filled(path, 3)
    with open_mbox(connection, readonly=False) as session:
        found = messages(session, subject="number 2")
        found.delete(expunge=True, dry_run=True)
        session.keys()
        fill_file(path, [mail("appended")])
        found.delete(expunge=True)
    assert names(path) == ["number 1", "number 3", "appended"]


def test_a_session_that_only_reads_deletes_nothing(tmp_path: Path) -> None:
    connection = filled(tmp_path / "box", 2)
    with open_mbox(connection) as session:
        with pytest.raises(MailConnError, match=r"read-only. Nothing was changed.\n.*readonly=False"):
            messages(session).delete(expunge=True)
        assert messages(session).delete(expunge=True, dry_run=True).count == 2
    with pytest.raises(OptionError, match="MBOX has no trash"):
        messages(connection).delete()
    assert len(names(tmp_path / "box")) == 2


KILLED = """
import os, sys
from mailconn_jupyter import MailConnection, messages
from mailconn_jupyter.session.mbox import rewrite
rewrite._CHUNK = 64
left = int(sys.argv[2])
def dying(name):
    whole = getattr(os, name)
    def call(*args):
        global left
        left -= 1
        if left == 0:
            os._exit(9)
        return whole(*args)
    return call
os.fsync = dying("fsync")
import io
class Dying:
    pass
connection = MailConnection(name="box", protocol="MBOX", server_host=sys.argv[1])
messages(connection, subject="number 2").delete(expunge=True)
"""


@pytest.mark.parametrize("appended", [False, True], ids=["", "and something was appended since"])
@pytest.mark.parametrize("after", range(1, 5))
def test_what_a_program_was_ended_in_is_finished_by_the_next_one(after: int, appended: bool, tmp_path: Path) -> None:
    path = tmp_path / "box"
    connection = filled(path, 4)
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(KILLED), str(path), str(after)], check=False)
    assert done.returncode == 9
    # The lock is left, as that of every program that is killed.
    Path(f"{path}.lock").unlink()
    if appended:
        fill_file(path, [mail("appended")])
    with open_mbox(connection, readonly=False):
        pass
    rest = ["number 1", "number 3", "number 4"] if after > 1 else [f"number {n}" for n in range(1, 5)]
    assert names(path) == rest + ["appended"] * appended
    assert list(tmp_path.glob("*rest*")) == []


def test_each_state_of_a_file_in_between_is_finished(tmp_path: Path) -> None:
    path = tmp_path / "box"
    filled(path, 5)
    whole = path.read_bytes()
    starts = [n for n in range(len(whole)) if whole.startswith(b"From ana", n)]
    spans = {key: (start, stop - 1) for key, (start, stop) in enumerate(itertools.pairwise([*starts, len(whole)]))}
    del spans[1], spans[3]
    with path.open("rb+") as file:
        rewrite.rewrite(file, str(path), spans)
    wanted = path.read_bytes()
    rest = Path(f"{path}.mailconn-rest")
    kept: list[bytes] = []

    def keep(_file: object, beside: Path) -> None:
        kept.append(beside.read_bytes())

    path.write_bytes(whole)
    with pytest.MonkeyPatch.context() as patch, path.open("rb+") as file:
        patch.setattr(rewrite, "_put_in_place", keep)
        rewrite.rewrite(file, str(path), spans)
    start = int(kept[0].split()[2])
    moved = len(wanted) - start
    for added in (b"", b"From eve@example.org Sun Nov 22 08:30:00 2026\n\nNew.\n\n" * 9):
        for written in range(0, moved + 1, 37):
            path.write_bytes(whole[:start] + wanted[start : start + written] + whole[start + written :] + added)
            rest.write_bytes(kept[0])
            with path.open("rb+") as file:
                assert rewrite.finish_interrupted(file, str(path))
            assert path.read_bytes() == wanted + added
        path.write_bytes(wanted + added)
        rest.write_bytes(kept[0])
        with path.open("rb+") as file:
            assert not rewrite.finish_interrupted(file, str(path))
        assert path.read_bytes() == wanted + added
    for cut in range(0, len(kept[0]), 41):
        path.write_bytes(whole)
        rest.write_bytes(kept[0][:cut])
        with path.open("rb+") as file:
            assert not rewrite.finish_interrupted(file, str(path))
        assert path.read_bytes() == whole
        assert not rest.exists()


@pytest.mark.skipif(os.name != "posix", reason="links and owners of POSIX")
def test_what_somebody_else_has_put_beside_the_file_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "box"
    filled(path, 2)
    secret = tmp_path / "secret"
    secret.write_text("mine")
    Path(f"{path}.mailconn-rest").symlink_to(secret)
    with path.open("rb+") as file:
        assert not rewrite.finish_interrupted(file, str(path))
    messages(MailConnection(name="box", protocol="MBOX", server_host=str(path)), limit=1).delete(expunge=True)
    assert (secret.read_text(), names(path)) == ("mine", ["number 1"])


@pytest.mark.parametrize("taken", [False, True])
def test_a_dry_run_on_the_newest_messages_of_a_large_file_does_not_read_it_all(taken: bool, tmp_path: Path) -> None:
    path = tmp_path / "large"
    large_file(path, 50)
    connection = MailConnection(name="large", protocol="MBOX", server_host=str(path))
    with counted_files() as files:
        found = messages(connection, limit=1)
        if taken:
            next(found)
            found.close()
        report = found.delete(expunge=True, dry_run=True)
    assert (report.count, report.shown[0][2]) == (1, "last")
    assert all(0 < file.count < 3 * 2**20 for file in files)


def test_a_dry_run_finds_messages_that_have_moved_and_none_that_are_gone(tmp_path: Path) -> None:
    path = tmp_path / "box"
    connection = filled(path, 3)
    newest, middle, oldest = list(messages(connection))
    assert oldest.delete(expunge=True).count == 1
    report = Messages([newest, middle, oldest]).delete(expunge=True, dry_run=True)
    assert (report.count, report.gone) == (2, (oldest.uid,))
    with open_mbox(connection) as session:
        (again, *_) = list(messages(session))
        assert again.delete(expunge=True, dry_run=True).uids == (again.uid,)
    assert names(path) == ["number 2", "number 3"]


@pytest.mark.parametrize("also", [b"", b"From eve@example.org Sun Nov 22 08:30:00 2026\nSubject: appended\n\nBye.\n\n"])
def test_the_rest_of_a_message_that_comes_without_a_lock_stays_with_its_beginning(also: bytes, tmp_path: Path) -> None:
    path = tmp_path / "box"
    connection = filled(path, 3)
    whole = path.read_bytes()
    rest = b"And so on.\n\n"
    path.write_bytes(whole[:-20])
    with open_mbox(connection, readonly=False) as session:
        found = messages(session, subject="number 2")
        found.delete(expunge=True, dry_run=True)
        session.keys()
        with path.open("ab") as file:
            file.write(whole[-20:-1] + rest + also)
        found.delete(expunge=True)
    first, _, third = (b"From ana" + piece for piece in whole.split(b"From ana")[1:])
    assert path.read_bytes() == first + third[:-1] + rest + also
