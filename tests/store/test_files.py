from __future__ import annotations

import os
import stat
import sys
import threading
import time
from pathlib import Path

import pytest

from mailconn_jupyter.errors import StoreError
from mailconn_jupyter.store import atomic_files


def test_a_write_takes_the_place_of_the_file_and_leaves_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "a"
    atomic_files.write(path, b"one")
    atomic_files.write(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
def test_a_file_that_was_open_to_others_is_the_owners_alone_after_a_write(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.touch(0o666)
    path.chmod(0o666)
    atomic_files.write(path, b"x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_write_that_fails_leaves_nothing_beside(tmp_path: Path) -> None:
    (tmp_path / "folder" / "full").mkdir(parents=True)
    with pytest.raises(OSError, match=r"folder"):
        atomic_files.write(tmp_path / "folder", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_read_takes_regular_files_up_to_a_size(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 2000)
    assert atomic_files.read(path, 2000) == b"x" * 2000
    with pytest.raises(OSError, match="larger than 1 kB"):
        atomic_files.read(path, 1999)
    with pytest.raises(FileNotFoundError):
        atomic_files.read(tmp_path / "b", 1)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs /proc")
def test_a_device_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "zero").symlink_to("/dev/zero")
    with pytest.raises(OSError, match="not a file"):
        atomic_files.read(tmp_path / "zero", 1000)


@pytest.mark.skipif(sys.platform == "win32", reason="links of POSIX")
def test_two_ways_to_one_folder_meet_at_one_lock(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with (
        atomic_files.locked(tmp_path / "real"),
        pytest.raises(StoreError, match="is locked"),
        atomic_files.locked(tmp_path / "link", 0.05),
    ):
        pass


def test_threads_of_one_process_wait_for_each_other(tmp_path: Path) -> None:
    path = tmp_path / "count"
    path.write_text("0")

    def count() -> None:
        for _ in range(20):
            with atomic_files.locked(tmp_path):
                atomic_files.write(path, str(int(path.read_text()) + 1).encode())

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_text() == "80"


def test_a_lock_is_free_again_after_an_error(tmp_path: Path) -> None:
    def fail() -> None:
        with atomic_files.locked(tmp_path):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with atomic_files.locked(tmp_path, 0.05):
        pass


def test_only_our_own_temporary_files_are_swept(tmp_path: Path) -> None:
    ours = tmp_path / ".mailconn-0123456789abcdef.tmp"
    others = [
        tmp_path / name for name in (".mailconn-x.tmp", "mailconn-0123456789abcdef.tmp", ".ops.json.swp", "a.tmp")
    ]
    for path in (ours, *others):
        path.touch()
    with atomic_files.locked(tmp_path):
        assert not ours.exists()
    assert all(path.exists() for path in others)


@pytest.mark.skipif(sys.platform == "win32", reason="links of POSIX")
def test_beside_a_linked_file_only_old_temporary_files_are_swept(tmp_path: Path) -> None:
    elsewhere, here = tmp_path / "elsewhere", tmp_path / "here"
    elsewhere.mkdir()
    here.mkdir()
    young, old = (elsewhere / f".mailconn-{digit * 16}.tmp" for digit in "ab")
    for path in (young, old, elsewhere / "real"):
        path.touch()
    long_ago = time.time() - 7200
    os.utime(old, (long_ago, long_ago))
    (here / "link").symlink_to(elsewhere / "real")
    atomic_files.write(here / "link", b"x")
    assert young.exists()
    assert not old.exists()
    assert (elsewhere / "real").read_bytes() == b"x"
