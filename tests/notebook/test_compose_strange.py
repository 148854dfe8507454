"""What is kept survives what is strange: in its folder, in its file, in what a page says and where the kernel runs."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter import MailConnection, connections
from mailconn_jupyter.notebook.compose_page.composer_words import restored
from mailconn_jupyter.notebook.compose_page.typed_mail import TypedMail
from mailconn_jupyter.notebook.compose_page.unsent import Kept, Unsent, place
from tests.support import shells
from tests.support.compose_driver import Front
from tests.support.shells import Shell

shell = shells.shell
clean_up = shells.clean_up

HERE = ("report.ipynb", "c1")
#: No counts of a page.
WRONG: list[Any] = ["abc", [], None, float("inf"), 2.5, 10**30, -1]


@pytest.fixture
def folder(own_config: Path) -> Path:
    return own_config.parent / "data" / "mailconn" / "unsent"


@pytest.fixture
def page(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Iterator[Front]:
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ana/report.ipynb")
    for name in ("ops", "work"):
        connections.save(MailConnection(name=name, server_host="h.example.org", from_address=f"{name}@example.org"))
    page = Front(mailconn.compose_form("ops"))
    yield page
    page.form.close()


def keep(subject: str, rev: int = 1) -> Path:
    unsent = Unsent(HERE)
    unsent.write(Kept(TypedMail(subject=subject), rev))
    unsent.release()
    return unsent.path


def found() -> Kept:
    unsent = Unsent(HERE)
    unsent.release()
    return unsent.kept


def changed(path: Path, name: str, value: str) -> None:
    """Put JSON into the file that ``json`` itself would not write."""
    content = json.loads(path.read_text()) | {name: "HERE"}
    path.write_text(json.dumps(content).replace('"HERE"', value))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rev", "1e999"),
        ("rev", "NaN"),
        ("written", '"0001-01-01T00:00:00+14:00"'),
        ("written", '"9999-12-31T23:59:59-14:00"'),
    ],
)
def test_a_file_with_a_number_or_a_time_that_is_none_is_left_as_it_is(folder: Path, name: str, value: str) -> None:
    path = keep("strange")
    changed(path, name, value)
    before = path.read_bytes()
    assert found() == Kept(TypedMail())
    assert keep("new") != path
    assert path.read_bytes() == before
    assert found().mail.subject == "new"


@pytest.mark.parametrize("rev", [-5, 2**53, 10**30])
def test_a_mail_from_a_file_can_be_edited_whatever_its_count_was(folder: Path, rev: int) -> None:
    keep("strange", rev)
    assert found().mail.subject == "strange"
    assert 0 <= found().rev < 2**53 - 1


@pytest.mark.parametrize("year", [1, 9999])
@pytest.mark.parametrize("zone", ["Etc/GMT+12", "Etc/GMT-14"])
def test_a_mail_of_either_end_of_the_calendar_is_told_as_restored(
    year: int, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        written = datetime(year, 1 if year == 1 else 12, 1 if year == 1 else 31, 12 if year > 1 else 0, tzinfo=UTC)
        assert restored(Kept(TypedMail(), written=written)).startswith("This is the unsent mail")
    finally:
        monkeypatch.undo()
        time.tzset()


def test_what_is_no_file_among_those_that_are_kept_keeps_no_form_from_its_own(folder: Path) -> None:
    path = keep("mine")
    # The names of the lock and of the mail of other forms of that cell.
    start = path.stem.removesuffix("1")
    (folder / f"{start}2.json").write_text("{}")
    (folder / f"{start}2.lock").mkdir()
    (folder / f"{start}3.json").mkdir()
    (folder / f"{start}4.json").symlink_to(folder / "nowhere")
    (folder / f"{start}5.json").write_text("{}")
    (folder / f"{start}5.lock").symlink_to(folder)
    (folder / "a-b-1.json").mkdir()
    (folder / "a-b-2.lock").mkdir()
    (folder / "a-b-3.lock").symlink_to(folder / "nowhere" / "nothing")
    now = time.time()
    for each in folder.glob("*-*-*.*"):
        if each != path and each.exists():
            os.utime(each, (now, now + 60))
    for old in ("a-b-1.json", "a-b-2.lock"):
        os.utime(folder / old, (0, now - 93 * 86400))
    assert found().mail.subject == "mine"
    assert (folder / "a-b-1.json").is_dir()


@pytest.mark.parametrize(
    "said",
    [
        {"rev": 2},
        {"rev": 2, "mail": "text"},
        {"rev": 2, "mail": []},
        {"mail": {"subject": "new"}},
        *({"mail": {"subject": "new"}, "rev": rev} for rev in WRONG),
    ],
)
def test_an_edit_of_another_shape_changes_nothing_and_the_next_is_taken(page: Front, said: dict[str, Any]) -> None:
    page.type(subject="Churn")
    page.statuses.clear()
    page.say("edit", **said)
    assert page.mail["subject"] == "Churn"
    assert page.form.composer.unsent is not None
    assert json.loads(page.form.composer.unsent.path.read_text())["mail"]["subject"] == "Churn"
    assert page.statuses == []
    page.type(subject="Churn, week 47")
    assert page.mail["subject"] == "Churn, week 47"


def test_a_mail_that_is_too_large_to_be_read_again_is_not_kept_and_that_is_said(page: Front) -> None:
    page.type(subject="Churn", body="x" * 20_000_000)
    notice = page.told["taken"]["notice"]
    assert notice == ["warn", "If the kernel ends, what you type is lost: The mail is larger than 20 MB."]
    page.type(body="x")
    assert page.told["taken"]["notice"] == ["", ""]


def test_a_restored_mail_goes_through_the_connection_that_is_named_now_else_its_own(page: Front) -> None:
    page.type(subject="Churn")
    for name, meant in ((None, "ops"), ("work", "work")):
        again = Front(mailconn.compose_form(name))
        assert again.mail["subject"] == "Churn"
        assert again.mail["connection"] == again.told["all"]["mail"]["connection"] == meant
        again.form.close()
    # The same where another kernel has kept it.
    again = Front(mailconn.compose_form("work"))
    assert again.mail["connection"] == "work"
    again.form.close()


def test_a_kernel_whose_directory_is_gone_has_a_place_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert place()[0] == ""
