from __future__ import annotations

import json
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailconn_jupyter.store import last_tests


def test_what_was_recorded_is_read_back_for_the_name_in_any_case() -> None:
    last_tests.record("Ops", ok=True, summary="Ready in 12 ms: schön", milliseconds=12.5)
    outcome = last_tests.last("oPS")
    assert outcome is not None
    assert (outcome.ok, outcome.summary, outcome.milliseconds) == (True, "Ready in 12 ms: schön", 12.5)
    assert outcome.when.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - outcome.when) < timedelta(minutes=1)
    last_tests.record("ops", ok=False, summary="refused", milliseconds=1)
    later = last_tests.last("Ops")
    assert later is not None
    assert not later.ok


def test_it_is_kept_under_the_data_directory_for_the_owner_alone() -> None:
    last_tests.record("a/b", ok=True, summary="", milliseconds=0)
    path = Path(os.environ["JUPYTER_DATA_DIR"], "mailconn", "checks", "a%2Fb.json")
    assert json.loads(path.read_text())["name"] == "a/b"
    assert os.name == "nt" or stat.S_IMODE(path.stat().st_mode) == 0o600


def test_asking_and_forgetting_make_no_folder() -> None:
    assert last_tests.last("ops") is None
    last_tests.forget("ops")
    last_tests.move("ops", "new")
    assert not last_tests.folder().exists()


def test_an_outcome_follows_a_rename_and_is_forgotten() -> None:
    last_tests.record("ops", ok=True, summary="good", milliseconds=1)
    last_tests.record("new", ok=False, summary="old one of that name", milliseconds=1)
    last_tests.move("ops", "New")
    assert last_tests.last("ops") is None
    moved = last_tests.last("new")
    assert moved is not None
    assert moved.summary == "good"
    last_tests.move("new", "NEW")
    assert last_tests.last("new") == moved
    last_tests.forget("NEW")
    assert last_tests.last("new") is None


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "7",
        "{}",
        '{"ok": 1, "summary": "", "when": "2026-01-01T00:00:00+00:00", "milliseconds": 1}',
        '{"ok": true, "summary": null, "when": "2026-01-01T00:00:00+00:00", "milliseconds": 1}',
        '{"ok": true, "summary": "", "when": "2026-01-01T00:00:00", "milliseconds": 1}',
        '{"ok": true, "summary": "", "when": "0001-01-01T00:00:00+14:00", "milliseconds": 1}',
        '{"ok": true, "summary": "", "when": 5, "milliseconds": 1}',
        '{"ok": true, "summary": "", "when": "2026-01-01T00:00:00+00:00", "milliseconds": NaN}',
        '{"ok": true, "summary": "", "when": "2026-01-01T00:00:00+00:00", "milliseconds": 1' + "0" * 400 + "}",
        "[" * 9000,
        "x" * 20_000,
    ],
)
def test_a_broken_file_is_no_outcome_and_is_replaced_by_the_next(content: str) -> None:
    last_tests.folder().mkdir(parents=True)
    (last_tests.folder() / "ops.json").write_text(content)
    assert last_tests.last("ops") is None
    last_tests.record("ops", ok=True, summary="good", milliseconds=1)
    assert last_tests.last("ops") is not None


def test_where_nothing_can_be_kept_nothing_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "file"))
    last_tests.record("ops", ok=True, summary="", milliseconds=1)
    last_tests.move("ops", "new")
    last_tests.forget("ops")
    assert last_tests.last("ops") is None
    assert (tmp_path / "file").read_bytes() == b""


def test_a_folder_in_the_place_of_the_file_raises_nothing() -> None:
    (last_tests.folder() / "ops.json" / "x").mkdir(parents=True)
    last_tests.record("ops", ok=True, summary="", milliseconds=1)
    last_tests.forget("ops")
    assert last_tests.last("ops") is None


def test_a_long_summary_is_cut() -> None:
    last_tests.record("ops", ok=False, summary="x" * 5000, milliseconds=1)
    outcome = last_tests.last("ops")
    assert outcome is not None
    assert len(outcome.summary) == 500
