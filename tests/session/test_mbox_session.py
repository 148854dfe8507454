from __future__ import annotations

import mailbox
import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.errors import MailConnError, OpenError, OptionError
from mailconn_jupyter.mailbox.messages import messages
from mailconn_jupyter.session.check import check
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.mbox import file_lock, index
from mailconn_jupyter.session.mbox.errors import FileChanged, FileLocked, MailboxMissing, NotAMailbox, ReadOnly
from mailconn_jupyter.session.mbox.index import MboxIndex
from mailconn_jupyter.session.mbox.session import MBOXSession
from tests.servers import Postfix
from tests.servers.require import is_root
from tests.support.reading import DELIVERY, added, sent

FROM = b"From ana@example.org Mon Jan  1 00:00:00 2024\n"


def to_file(path: Path | str) -> MailConnection:
    return MailConnection(name="box", protocol="MBOX", server_host=str(path))


def letters(count: int, body: bytes = b"body\n") -> bytes:
    return b"".join(FROM + b"Subject: number %d\n\n" % number + body + b"\n" for number in range(count))


def subjects(path: Path) -> list[str]:
    """What the standard library finds in the file."""
    with closing(mailbox.mbox(path)) as theirs:
        return [str(message["subject"]) for message in theirs]


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """A mailbox file with three messages."""
    path = tmp_path / "box"
    path.write_bytes(letters(3))
    return path


# Opening


def test_a_noop_says_when_another_program_has_replaced_or_removed_the_file(box: Path) -> None:
    with connect(to_file(box)) as session:
        session.noop()
        new = box.with_name("new")
        new.write_bytes(letters(1))
        new.replace(box)
        with pytest.raises(FileChanged, match="was replaced by another program"):
            session.noop()
        box.unlink()
        with pytest.raises(FileChanged, match="no longer there"):
            session.noop()


def test_a_session_is_a_mailbox_mbox_with_its_messages(box: Path) -> None:
    with connect(to_file(box)) as session:
        assert MBOXSession in type(session).__mro__
        assert mailbox.mbox in type(session).__mro__
        assert [message["subject"] for message in session] == ["number 0", "number 1", "number 2"]
        assert len(session) == 3
        assert session.keys() == [0, 1, 2]
        assert 2 in session
        assert 3 not in session
        assert session[1].get_payload() == "body\n"
        assert session[1].get_from() == "ana@example.org Mon Jan  1 00:00:00 2024"
        assert session.get_bytes(1) == b"Subject: number 1\n\nbody\n"
        assert session.get_file(2).readline() == b"Subject: number 2\n"
        assert session.get(7) is None
        with pytest.raises(KeyError):
            session[7]


def test_variables_and_the_home_folder_are_expanded_when_the_session_opens(
    box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(box.parent))
    monkeypatch.setenv("BOX", box.name)
    with connect(to_file("~/${BOX}")) as session:
        assert len(session) == 3
        assert session.opening.stages["resolve"].facts["File"] == str(box)


@pytest.mark.parametrize("readonly", [True, False])
def test_a_file_that_is_not_there_is_not_made(readonly: bool, tmp_path: Path) -> None:
    with pytest.raises(mailbox.NoSuchMailboxError) as caught:
        connect(to_file(tmp_path / "nowhere"), readonly=readonly)
    assert isinstance(caught.value, MailboxMissing)
    assert (caught.value.stage, caught.value.cause) == ("connect", "no-file")
    assert "never created" in caught.value.hint
    assert not list(tmp_path.glob("nowhere*"))


def test_what_is_not_a_file_is_said_to_be_something_else(tmp_path: Path) -> None:
    for name in ("Maildir/cur", "Maildir/new", "Maildir/tmp", "plain"):
        (tmp_path / name).mkdir(parents=True)
    kinds = [("Maildir", "a Maildir folder"), ("plain", "a folder")]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        kinds.append(("pipe", "not a regular file"))
    for name, words in kinds:
        with pytest.raises(NotAMailbox, match=words) as caught:
            connect(to_file(tmp_path / name))
        assert caught.value.cause == "no-regular-file"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x1f\x8b\x08\x00", r"compressed \(gzip\)"),
        (b"Subject: a message alone\n\nhi\n", "not a mailbox file"),
        (b"\x00" * 100, "not a mailbox file"),
        (b"Fromage\n", "not a mailbox file"),
        (b">From ana\n", "not a mailbox file"),
        (b"\n" * 5000 + FROM, "not a mailbox file"),
    ],
)
@pytest.mark.parametrize("readonly", [True, False])
def test_a_file_that_is_no_mailbox_is_refused(readonly: bool, content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "thing"
    path.write_bytes(content)
    with pytest.raises(mailbox.FormatError, match=words) as caught:
        connect(to_file(path), readonly=readonly)
    assert isinstance(caught.value, NotAMailbox)
    assert caught.value.cause == "not-a-mailbox"
    assert not Path(f"{path}.lock").exists()


def test_an_empty_file_is_an_empty_mailbox(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.touch()
    with connect(to_file(path)) as session:
        assert list(session) == []
    assert check(to_file(path)).stages[-1].facts["Messages"] == "0"


@contextmanager
def as_nobody() -> Iterator[None]:
    os.setegid(65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.mark.skipif(not is_root(), reason="only root can become another user")
@pytest.mark.parametrize(
    ("mode", "readonly", "cause"),
    [(0o600, True, "unreadable"), (0o600, False, "unreadable"), (0o644, False, "not-writable")],
)
def test_a_file_that_this_user_may_not_read_or_write_is_said_to_be(mode: int, readonly: bool, cause: str) -> None:
    # Pytest's own folders are closed to others.
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        path = Path(name) / "box"
        path.write_bytes(letters(1))
        path.chmod(mode)
        # What is imported when it is used, nobody could not read.
        connect(to_file(path)).close()
        with as_nobody(), pytest.raises(OpenError) as caught:
            connect(to_file(path), readonly=readonly)
    assert caught.value.cause == cause
    assert caught.value.hint


def test_a_link_to_a_mailbox_stays_a_link_when_the_mailbox_is_rewritten(box: Path) -> None:
    link = box.with_name("link")
    link.symlink_to(box)
    with connect(to_file(link), readonly=False) as session:
        session.remove(0)
    assert link.is_symlink()
    assert subjects(box) == ["number 1", "number 2"]


def test_another_protocols_connection_is_refused() -> None:
    with pytest.raises(OptionError, match="not MBOX"):
        MBOXSession(connection=MailConnection(name="ops", server_host="localhost"))


# Reading leaves no trace

WRITING = {
    "add": lambda session: session.add(b"Subject: new\n\nhi\n"),
    "remove": lambda session: session.remove(0),
    "del": lambda session: session.__delitem__(0),
    "discard": lambda session: session.discard(0),
    "set": lambda session: session.__setitem__(0, b"Subject: new\n\nhi\n"),
    "update": lambda session: session.update({0: b"Subject: new\n\nhi\n"}),
    "pop": lambda session: session.pop(0),
    "popitem": lambda session: session.popitem(),
    "clear": lambda session: session.clear(),
    "lock": lambda session: session.lock(),
}


@pytest.mark.parametrize("name", WRITING)
def test_a_session_is_read_only_unless_asked(name: str, box: Path) -> None:
    before = box.read_bytes()
    with connect(to_file(box)) as session, pytest.raises(ReadOnly, match="Nothing was changed") as caught:
        WRITING[name](session)
    assert isinstance(caught.value, mailbox.Error)
    assert "readonly=False" in caught.value.hint
    assert box.read_bytes() == before


def test_reading_changes_neither_the_file_nor_its_times_nor_its_folder(box: Path) -> None:
    # As after a delivery: not read since it was written to. By this, programs see new mail.
    os.utime(box, (1_000_000_000, 1_100_000_000))
    before, beside = box.stat(), sorted(box.parent.iterdir())
    with connect(to_file(box)) as session:
        assert len(list(session)) == 3
        assert sorted(box.parent.iterdir()) == beside
    assert check(to_file(box)).ok
    after = box.stat()
    assert (after.st_atime_ns, after.st_mtime_ns, after.st_ctime_ns) == (
        before.st_atime_ns,
        before.st_mtime_ns,
        before.st_ctime_ns,
    )


def test_a_session_for_smtp_takes_no_readonly() -> None:
    with pytest.raises(MailConnError, match="no read-only sessions"):
        connect(MailConnection(name="ops", server_host="localhost"), readonly=True)


# Writing, under a lock


def test_messages_are_added_replaced_and_removed_under_a_lock(box: Path) -> None:
    lock = box.with_name("box.lock")
    with connect(to_file(box), readonly=False) as session:
        assert lock.exists()
        key = session.add(b"Subject: new\n\nFrom the start\n")
        session.remove(0)
        session[1] = b"Subject: other\n\nhi\n"
        session.flush()
        assert key in session
        assert sorted(message["subject"] for message in session) == ["new", "number 2", "other"]
    assert not lock.exists()
    assert sorted(subjects(box)) == ["new", "number 2", "other"]
    assert b"\n>From the start\n" in box.read_bytes()


def test_removing_one_message_keeps_those_that_were_not_looked_at_yet(
    box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "_CHUNK", 64)
    box.write_bytes(letters(20))
    with connect(to_file(box), readonly=False) as session:
        assert next(iter(session))["subject"] == "number 0"
        del session[0]
    assert subjects(box) == [f"number {number}" for number in range(1, 20)]


def test_a_mailbox_that_another_program_has_locked_is_not_written(box: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_lock, "_PATIENCE", 0.3)
    before = box.read_bytes()
    with connect(to_file(box), readonly=False):
        with pytest.raises(mailbox.ExternalClashError, match=r"lock file box\.lock is from") as caught:
            connect(to_file(box), readonly=False)
        assert isinstance(caught.value, FileLocked)
        assert (caught.value.stage, caught.value.cause) == ("connect", "locked")
        # To read it is still possible, and a test says that it is locked.
        with connect(to_file(box)) as reader:
            assert len(reader) == 3
        report = check(to_file(box))
        assert report.ok
        assert report.stages[-1].facts["Locked"].startswith("its lock file box.lock is from")
    assert box.read_bytes() == before


HOLD = """
import fcntl, sys, time
file = open(sys.argv[1], "rb+")
fcntl.lockf(file, fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.readline()
"""


@pytest.mark.skipif(os.name == "nt", reason="no locks of POSIX")
def test_the_lock_of_another_process_is_seen_and_waited_for(box: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_lock, "_PATIENCE", 0.3)
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", HOLD, str(box)], stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "locked\n"
        with pytest.raises(FileLocked, match="another program has it open"):
            connect(to_file(box), readonly=False)
        assert check(to_file(box)).stages[-1].facts["Locked"] == "another program has it open"
        monkeypatch.setattr(file_lock, "_PATIENCE", 10.0)
        # The other program ends while its lock is waited for.
        monkeypatch.setattr("time.sleep", lambda _: holder.communicate("go\n"))
        with connect(to_file(box), readonly=False) as session:
            assert len(session) == 3


# Only as far as needed


def sparse(path: Path, size: int) -> None:
    """A mailbox of so many bytes that takes none of the disk: three messages, and a hole within the last one."""
    path.write_bytes(letters(2) + FROM + b"Subject: huge\n\n")
    with path.open("rb+") as file:
        file.truncate(size)


def test_the_first_message_of_a_gigabyte_is_shown_without_reading_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "huge"
    sparse(path, 10**9)
    tracemalloc.start()
    try:
        with connect(to_file(path)) as session:
            assert next(iter(session))["subject"] == "number 0"
            assert session[1]["subject"] == "number 1"
            assert session._index.position <= 2**20
            peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000


def test_all_messages_of_a_large_file_are_found_in_a_memory_that_does_not_grow_with_it(tmp_path: Path) -> None:
    path = tmp_path / "large"
    sparse(path, 10**8)
    with connect(to_file(path)) as session:
        tracemalloc.start()
        try:
            assert len(session) == 3
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert session.get_file(2).readline() == b"Subject: huge\n"
    assert peak < 10_000_000


LINES = st.lists(
    st.sampled_from(
        [b"From ana Mon Jan  1 00:00:00 2024\n", b"from x\n", b">From x\n", b"\n", b"text\n", b"Fro", b"From"]
    )
)


@given(lines=LINES, chunk=st.integers(1, 40))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_messages_begin_and_end_where_mailbox_says(lines: list[bytes], chunk: int, tmp_path: Path) -> None:
    path = tmp_path / "any"
    path.write_bytes(b"".join(lines))
    theirs: Any = mailbox.mbox(path)
    theirs._lookup()
    with path.open("rb") as file, pytest.MonkeyPatch.context() as patch:
        patch.setattr(index, "_CHUNK", chunk)
        found = MboxIndex(file)
        found.find()
        assert found.spans == theirs._toc
        assert index.count_messages(file, most_bytes=10**6)[0] == len(theirs)
    theirs.close()


FROM_LINES = [
    # As mail programs, servers, lists and exports write them.
    b"From ana@example.org Mon Jan  1 00:00:00 2024",
    b"From MAILER-DAEMON Fri Jul  8 12:08:34 2011",
    b"From - Thu Nov 26 08:30:00 2026",  # Thunderbird
    b"From ???@??? Thu Nov 26 08:30:00 2026",  # Eudora
    b"From 1598673415671923@xxx Thu Nov 26 08:30:00 +0000 2026",  # Google Takeout
    b"From ana at example.org  Thu Nov 26 08:30:00 2026",  # pipermail
    b"From ana@example.org Thu Nov 26 08:30:00 CET 2026",
    b"From ana@example.org Thu Nov 26 08:30 2026 remote from relay",
    b"From 0123456789abcdef Mon Sep 17 00:00:00 2001",  # git format-patch
    b"From ana@example.org Thu, 26 Nov 2026 08:30:00 +0100",
    b"From ana@example.org 2026-11-26 08:30:00",
]
NO_FROM_LINES = [
    b"From the desk of someone",
    b"From Monday on, in 2026, at 10:30, all is new",
    b"From ana",
    b"From what I saw on Thu 26 Nov, it was 08:30",
    b">From ana@example.org Mon Jan  1 00:00:00 2024",
    b"From " + b"x" * 2000 + b" Mon Jan  1 00:00:00 2024",
]


@pytest.mark.parametrize("chunk", [7, 2**20])
@pytest.mark.parametrize("line", [*FROM_LINES, *NO_FROM_LINES], ids=lambda line: line[:50].decode())
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_a_message_begins_with_a_line_that_has_a_date(
    line: bytes, end: bytes, chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "_CHUNK", chunk)
    monkeypatch.setattr("mailconn_jupyter.mailbox.by_mbox._CHUNK", chunk)
    path = tmp_path / "box"
    path.write_bytes(
        end.join([b"From x", b"Subject: first", b"", b"Hello.", b"", line, b"Subject: second", b"", b"Bye.", b""])
    )
    wanted = ["second", "first"] if line in FROM_LINES else ["first"]
    assert [message.subject for message in messages(to_file(path))] == wanted
    with connect(to_file(path)) as session:
        assert [message["subject"] for message in session] == wanted[::-1]
    assert check(to_file(path)).stages[-1].facts["Messages"] == str(len(wanted))


@pytest.mark.parametrize(
    "before", [b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n\n", b"\n"], ids=["BOM", "BOM and blanks", "blank"]
)
def test_a_mailbox_may_begin_with_a_byte_order_mark(before: bytes, box: Path) -> None:
    box.write_bytes(before + box.read_bytes())
    assert [message.subject for message in messages(to_file(box))] == ["number 2", "number 1", "number 0"]
    with connect(to_file(box)) as session:
        assert [message["subject"] for message in session] == ["number 0", "number 1", "number 2"]
    with connect(to_file(box), readonly=False) as session:
        session.remove(1)
    assert subjects(box) == ["number 0", "number 2"]


def test_a_file_that_was_rewritten_meanwhile_gives_no_half_messages(box: Path) -> None:
    with connect(to_file(box)) as session:
        assert len(session) == 3
        box.write_bytes(letters(3)[10:])
        with pytest.raises(FileChanged, match="changed by another program"):
            session[1]


def test_an_envelope_line_that_is_not_ascii_does_not_keep_a_message_from_being_read(box: Path) -> None:
    box.write_bytes("From änä@example.org\nSubject: x\n\nhi\n".encode())
    with connect(to_file(box)) as session:
        assert session[0]["subject"] == "x"


# Real mail, and the test


def test_a_mail_sent_by_our_smtp_session_is_read_back_byte_for_byte(postfix: Postfix) -> None:
    token, raw = sent(postfix, "archive")
    wait_for(postfix.file, token.encode())
    with connect(to_file(postfix.file)) as session:
        (message,) = [session.get_bytes(key) for key in session.iterkeys() if token.encode() in session.get_bytes(key)]
    # A mailbox file has the line ends of its system.
    assert added(message.replace(b"\n", b"\r\n"), raw) == DELIVERY


def wait_for(path: Path, word: bytes) -> None:
    deadline = time.monotonic() + 10
    while not (path.exists() and word in path.read_bytes()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_test_passes_the_same_stages_and_says_what_is_worth_knowing(box: Path) -> None:
    report = check(to_file(box))
    assert report.ok
    assert [(stage.name, stage.outcome) for stage in report.stages] == [
        ("resolve", "ok"),
        ("connect", "ok"),
        ("secure", "skipped"),
        ("greet", "skipped"),
        ("authenticate", "skipped"),
        ("ready", "ok"),
    ]
    assert all(stage.message for stage in report.stages if stage.outcome == "skipped")
    learnt = {label: text for stage in report.stages for label, text in stage.facts.items()}
    assert learnt["File"] == str(box)
    assert learnt["Size"] == f"{box.stat().st_size} bytes"
    assert learnt["Messages"] == "3"
    assert learnt["Locked"] == "no"
    assert learnt["Access"] == "read-only"


def test_a_test_of_a_very_large_file_counts_what_it_can(box: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailconn_jupyter.session.mbox.file_stages.MOST_COUNTED", 2**20)
    box.write_bytes(letters(2, b"x" * 2**20 + b"\n"))
    assert check(to_file(box)).stages[-1].facts["Messages"] == "at least 1 (in the first 1.0 MB)"


def test_a_test_of_what_is_no_mailbox_says_so(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("milk, eggs\n")
    report = check(to_file(tmp_path / "notes.txt"))
    assert report.failed is not None
    assert (report.failed.name, report.failed.cause) == ("connect", "not-a-mailbox")
    assert isinstance(report.error, OpenError)
    assert report.failed.hint
