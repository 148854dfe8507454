"""What is written in the form outlives its kernel: owner-only, of each form its own, and gone once it is sent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter import sandbox
from mailconn_jupyter.notebook.compose_page.compose_form import ComposeForm
from mailconn_jupyter.notebook.compose_page.typed_mail import TypedMail
from mailconn_jupyter.notebook.compose_page.unsent import Kept, Unsent
from mailconn_jupyter.store import atomic_files
from tests.support import shells
from tests.support.compose_driver import Front
from tests.support.shells import Shell

shell = shells.shell
clean_up = shells.clean_up

HERE = ("report.ipynb", "c1")
ELSEWHERE = ("other.ipynb", "c1")

#: Another kernel, with a form in the same cell; it keeps a mail and waits to be killed.
OTHER = """
import sys
from mailconn_jupyter.notebook.compose_page.unsent import *
from mailconn_jupyter.notebook.compose_page.typed_mail import TypedMail
unsent = Unsent(("report.ipynb", "c1"))
print(unsent.kept.mail.subject, unsent.elsewhere, flush=True)
unsent.write(Kept(TypedMail(subject=sys.argv[1]), 1))
print(unsent.name, flush=True)
if sys.argv[2:]:
    import os, time
    if os.fork() == 0:
        os.close(0), os.close(1)
        time.sleep(30)
        os._exit(0)
sys.stdin.read()
"""


@pytest.fixture
def folder(own_config: Path) -> Path:
    return own_config.parent / "data" / "mailconn" / "unsent"


def keep(subject: str, where: tuple[str, str] = HERE) -> None:
    """As a form does whose kernel ends then."""
    unsent = Unsent(where)
    unsent.write(Kept(TypedMail(subject=subject), 1))
    unsent.release()


def found(where: tuple[str, str] = HERE) -> str:
    """What the next form finds, and leaves as it is."""
    unsent = Unsent(where)
    unsent.release()
    return unsent.kept.mail.subject


def test_a_mail_is_kept_for_its_owner_alone_until_it_is_sent_or_emptied(folder: Path) -> None:
    unsent = Unsent(HERE)
    assert list(folder.glob("*.json")) == []
    unsent.write(Kept(TypedMail(to="ana@example.org", body="x"), 1))
    assert unsent.path.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert "report" not in unsent.name
    unsent.write(Kept(TypedMail(connection="ops"), 2))
    assert list(folder.glob("*.json")) == []
    unsent.clear()
    unsent.release()


def test_the_mail_of_a_cell_is_there_in_the_next_kernel_and_that_of_another_notebook_is_not(folder: Path) -> None:
    keep("mine")
    assert found(ELSEWHERE) == ""
    assert found() == "mine"
    keep("theirs", ELSEWHERE)
    assert found() == "mine"
    # The cell that it was written in is gone, and its notebook has another.
    assert found((HERE[0], "c2")) == "mine"


def test_kernels_at_one_cell_have_a_file_each_and_what_a_killed_one_leaves_is_found(own_config: Path) -> None:
    first, second = (
        subprocess.Popen(
            [sys.executable, "-c", OTHER, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env=os.environ | {"PYTHONPATH": str(Path(mailconn.__file__).parents[1])},
        )
        for name in ("first", "second")
    )
    try:
        names = set()
        for each in (first, second):
            assert each.stdout is not None
            assert each.stdout.readline().strip() in {"False", "True"}
            names.add(each.stdout.readline())
        assert len(names) == 2
        here = Unsent(HERE)
        assert here.elsewhere
        assert here.kept == Kept(TypedMail())
        here.release()
        second.kill()
        second.wait()
        assert found() == "second"
        first.kill()
        first.wait()
        assert {found(), _taken_after(found())} == {"first", "second"}
    finally:
        for each in (first, second):
            each.kill()
            each.communicate()


def _taken_after(_: str) -> str:
    one = Unsent(HERE)
    other = found()
    one.release()
    return other


def test_a_child_that_a_kernel_has_forked_does_not_keep_its_mail_from_the_next(own_config: Path) -> None:
    kernel = subprocess.Popen(
        [sys.executable, "-c", OTHER, "mine", "fork"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
        env=os.environ | {"PYTHONPATH": str(Path(mailconn.__file__).parents[1])},
    )
    try:
        assert kernel.stdout is not None
        assert kernel.stdout.readline().strip() == "False"
        kernel.stdout.readline()
        time.sleep(1)
        kernel.kill()
        kernel.wait()
        assert found() == "mine"
    finally:
        os.killpg(kernel.pid, signal.SIGKILL)
        kernel.communicate()


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b'{"rev": 1}', b"{" * 100_000])
def test_a_file_that_cannot_be_read_is_left_as_it_is(folder: Path, content: bytes) -> None:
    keep("broken")
    (path,) = folder.glob("*.json")
    path.write_bytes(content)
    unsent = Unsent(HERE)
    unsent.write(Kept(TypedMail(subject="new"), 1))
    unsent.release()
    assert path.read_bytes() == content
    assert found() == "new"


def test_what_nobody_has_touched_for_three_months_goes(folder: Path) -> None:
    keep("old")
    for path in folder.glob("*-*"):
        os.utime(path, (0, time.time() - 93 * 86400))
    assert found() == ""
    assert list(folder.glob("*.json")) == []


class _Restarted:
    """A form in a cell, and what its kernel's end leaves of it."""

    def __init__(self) -> None:
        self.form: ComposeForm | None = None

    def open(self) -> Front:
        self.form = mailconn.compose_form()
        return Front(self.form)

    def end(self) -> None:
        """The locks go with the process."""
        assert self.form is not None
        assert self.form.composer.unsent is not None
        self.form.composer.unsent.release()
        self.form.composer.unsent = None
        self.form.close()


@pytest.fixture
def restarted(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Restarted]:
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ana/report.ipynb")
    cell = _Restarted()
    yield cell
    if cell.form is not None:
        cell.form.close()


def test_a_restored_mail_is_told_and_can_be_discarded(restarted: _Restarted, folder: Path) -> None:
    page = restarted.open()
    assert page.told["all"]["notice"] == ["", ""]
    page.type(to="ana@example.org", subject="Churn", body="Three things", results=["table"], files=["a.csv"])
    written = page.mail
    restarted.end()
    page = restarted.open()
    assert page.mail == page.told["all"]["mail"] == written
    assert page.told["all"]["notice"][1].startswith("This is the unsent mail of ")
    assert page.told["all"]["notice"][1].endswith("; Discard begins a new one.")
    page.say("discard")
    assert page.form.composer.kept.mail == TypedMail()
    assert page.told["all"]["notice"] == ["", ""]
    assert list(folder.glob("*.json")) == []
    restarted.end()
    assert restarted.open().told["all"]["notice"] == ["", ""]


def test_what_is_sent_is_kept_no_longer(restarted: _Restarted, folder: Path) -> None:
    sandbox.start()
    page = restarted.open()
    page.type(to="ana@example.org", subject="Churn", body="x")
    assert len(list(folder.glob("*.json"))) == 1
    assert page.act("send").startswith("Sent: ")
    assert list(folder.glob("*.json")) == []


def test_who_finds_a_mail_that_was_being_sent_is_told_to_look_first(restarted: _Restarted) -> None:
    page = restarted.open()
    page.type(to="ana@example.org", subject="Churn", body="x")
    page.form.composer.set_sending(True)
    restarted.end()
    said = restarted.open().told["all"]["notice"][1]
    assert said.endswith("The kernel ended while it was being sent: see %mailconn sent before you send it again.")


def test_a_cell_that_is_run_again_goes_on_with_its_mail_and_the_form_before_is_closed(restarted: _Restarted) -> None:
    first = restarted.open()
    first.type(subject="Churn")
    second = restarted.open()
    assert second.mail["subject"] == "Churn"
    assert first.form.comm is None
    second.type(subject="Churn, week 47")
    assert second.told["taken"]["notice"][1].startswith("This is the unsent mail")


def test_where_nothing_can_be_kept_that_is_said_and_the_form_works(
    restarted: _Restarted, own_config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own_config.parent / "data").mkdir(exist_ok=True)
    (own_config.parent / "data" / "mailconn").write_text("no folder", encoding="utf-8")
    sandbox.start()
    page = restarted.open()
    assert page.told["all"]["notice"][0] == "warn"
    assert page.told["all"]["notice"][1].startswith("If the kernel ends, what you type is lost: ")
    page.type(to="ana@example.org", subject="Churn", body="x")
    # Run again, it still has it.
    page = restarted.open()
    assert page.mail["subject"] == "Churn"
    assert page.act("send").startswith("Sent: ")


def test_a_disk_that_is_full_in_between_is_told(
    restarted: _Restarted, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    page = restarted.open()
    page.type(subject="one")
    # A mock: no disk is filled for a test.
    with monkeypatch.context() as filled:
        filled.setattr(atomic_files, "write", full)
        page.type(subject="two")
    assert page.told["taken"]["notice"][0] == "warn"
    assert "No space left on device" in page.told["taken"]["notice"][1]
    (path,) = folder.glob("*.json")
    assert json.loads(path.read_text())["mail"]["subject"] == "one"
    page.type(subject="three")
    assert page.told["taken"]["notice"] == ["", ""]
