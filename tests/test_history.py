from __future__ import annotations

import json
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailconn_jupyter import history


def test_what_was_recorded_is_read_back_for_the_name_in_any_case() -> None:
    history.record("Ops", ok=True, summary="Ready in 12 ms: schön", milliseconds=12.5)
    outcome = history.last("oPS")
    assert outcome is not None
    assert (outcome.ok, outcome.summary, outcome.milliseconds) == (True, "Ready in 12 ms: schön", 12.5)
    assert outcome.when.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - outcome.when) < timedelta(minutes=1)
    history.record("ops", ok=False, summary="refused", milliseconds=1)
    later = history.last("Ops")
    assert later is not None
    assert not later.ok


def test_it_is_kept_under_the_data_directory_for_the_owner_alone() -> None:
    history.record("a/b", ok=True, summary="", milliseconds=0)
    path = Path(os.environ["JUPYTER_DATA_DIR"], "mailconn", "checks", "a%2Fb.json")
    assert json.loads(path.read_text())["name"] == "a/b"
    assert os.name == "nt" or stat.S_IMODE(path.stat().st_mode) == 0o600


def test_asking_and_forgetting_make_no_folder() -> None:
    assert history.last("ops") is None
    history.forget("ops")
    history.move("ops", "new")
    assert not history.folder().exists()


def test_an_outcome_follows_a_rename_and_is_forgotten() -> None:
    history.record("ops", ok=True, summary="good", milliseconds=1)
    history.record("new", ok=False, summary="old one of that name", milliseconds=1)
    history.move("ops", "New")
    assert history.last("ops") is None
    moved = history.last("new")
    assert moved is not None
    assert moved.summary == "good"
    history.move("new", "NEW")
    assert history.last("new") == moved
    history.forget("NEW")
    assert history.last("new") is None


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
    history.folder().mkdir(parents=True)
    (history.folder() / "ops.json").write_text(content)
    assert history.last("ops") is None
    history.record("ops", ok=True, summary="good", milliseconds=1)
    assert history.last("ops") is not None


def test_where_nothing_can_be_kept_nothing_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "file"))
    history.record("ops", ok=True, summary="", milliseconds=1)
    history.move("ops", "new")
    history.forget("ops")
    assert history.last("ops") is None
    assert (tmp_path / "file").read_bytes() == b""


def test_a_folder_in_the_place_of_the_file_raises_nothing() -> None:
    (history.folder() / "ops.json" / "x").mkdir(parents=True)
    history.record("ops", ok=True, summary="", milliseconds=1)
    history.forget("ops")
    assert history.last("ops") is None


def test_a_long_summary_is_cut() -> None:
    history.record("ops", ok=False, summary="x" * 5000, milliseconds=1)
    outcome = history.last("ops")
    assert outcome is not None
    assert len(outcome.summary) == 500
