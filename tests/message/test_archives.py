"""``zip=``: when the attachments go as one archive, and how large they may be then."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest

from mailconn_jupyter.errors import MailConnWarning, MessageError
from mailconn_jupyter.message.attach.archive import packing
from mailconn_jupyter.message.compose import compose
from tests.support.composed import arrived, attached


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with two small files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    for name in ("out/a.csv", "out/b.csv"):
        (tmp_path / name).write_text(f"from {name}\n")
    return tmp_path


def zeros(path: Path, count: int) -> Path:
    """A file that takes no room on the disk."""
    with path.open("wb") as file:
        file.truncate(count)
    return path


def test_one_archive_holds_them_all_when_it_is_asked_for(folder: Path) -> None:
    files = {"a.txt": "x" * 10_000, "ü/../b.txt": "y"}
    for wanted, name in ((True, "attachments.zip"), ("week 47", "week 47.zip"), (5_000, "attachments.zip")):
        found = attached(arrived("x", attachments=[files, "out/*.csv"], zip=wanted))
        assert list(found) == [name]
        with zipfile.ZipFile(io.BytesIO(found[name])) as archive:
            assert archive.testzip() is None
            assert archive.namelist() == ["a.txt", "b.txt", "a.csv", "b.csv"]
            assert archive.read("a.txt") == b"x" * 10_000
    assert list(attached(arrived("x", attachments=files, zip=20_000))) == ["a.txt", "b.txt"]
    assert attached(arrived("x", zip=True)) == {}
    assert attached(arrived("x", zip=numpy.bool_(True))) == {}


def test_an_archive_that_is_named_and_has_nothing_in_it_is_told_of() -> None:
    for name in "lots", Path("out/lots.zip"):
        with pytest.warns(MailConnWarning, match=r"^No lots\.zip was made: nothing is attached\.$"):
            assert attached(arrived("x", zip=name)) == {}


def test_what_is_no_answer_to_zip_is_refused_without_attachments_too() -> None:
    wrong: tuple[Any, ...] = ("", -1, [])
    for given in wrong:
        with pytest.raises(MessageError, match=r"^zip= must be"):
            compose("ana@example.org", "x", "x", zip=given, limit=None)


def test_the_rows_of_a_table_are_zipped_with_the_rest() -> None:
    found = attached(arrived(pandas.DataFrame({"a": range(5000)}), zip=True))
    with zipfile.ZipFile(io.BytesIO(found["attachments.zip"])) as archive:
        assert archive.namelist() == ["table.csv"]


@pytest.mark.parametrize("given", [None, False, float("inf")])
def test_without_a_wish_there_is_no_archive(given: Any) -> None:
    assert not packing(given).wanted
    assert list(attached(arrived("x", attachments={"a.txt": "x"}, zip=given))) == ["a.txt"]


@pytest.mark.parametrize(
    ("given", "above"),
    [
        (0, 0),
        (1.5, 1.5),
        (10_000_000, 10e6),
        (numpy.int64(5), 5),
        ("10MB", 10e6),
        ("500 kB", 5e5),
        (" 1.5 GB ", 1.5e9),
        ("2 MiB", 2**21),
        ("7 bytes", 7),
    ],
)
def test_a_number_or_a_size_is_how_much_may_go_without_an_archive(given: Any, above: float) -> None:
    assert packing(given).above == above
    assert packing(given).name == "attachments.zip"


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (True, "attachments.zip"),
        ("week 47", "week 47.zip"),
        ("2026", "2026.zip"),
        ("MB", "MB.zip"),
        ("Results.ZIP", "Results.ZIP"),
        (Path("out/x.zip"), "x.zip"),
        (Path("10MB"), "10MB.zip"),
    ],
)
def test_a_name_is_the_name_of_the_archive(given: Any, name: str) -> None:
    assert packing(given).name == name
    assert list(attached(arrived("x", attachments={"a.txt": "x"}, zip=given))) == [name]


@pytest.mark.parametrize("given", ["", " ", -1, float("nan"), [], {}, b"x.zip", object()])
def test_what_says_nothing_about_an_archive_is_told(given: Any) -> None:
    with pytest.raises(MessageError, match=r"^zip= must be True, a file name or a size, not ") as caught:
        compose("ana@example.org", "x", attachments={"a.txt": "x"}, zip=given)
    assert "10 MB" in caught.value.hint


def test_a_large_file_on_disk_is_sent_as_the_small_archive_that_it_becomes(folder: Path) -> None:
    path = zeros(folder / "zeros.bin", 30_000_000)
    for wanted in (True, "1 MB"):
        found = attached(arrived("x", attachments=["out/*.csv", path], zip=wanted))
        with zipfile.ZipFile(io.BytesIO(found["attachments.zip"])) as archive:
            assert archive.namelist() == ["a.csv", "b.csv", "zeros.bin"]
            assert archive.read("zeros.bin") == bytes(30_000_000)
    with pytest.raises(MessageError, match=r"would take 41\.1 MB") as caught:
        compose("ana@example.org", "x", attachments=path)
    assert "zip=True" in caught.value.hint
    with pytest.raises(MessageError, match=r"would take 41\.1 MB"):
        compose("ana@example.org", "x", attachments=path, zip="100 MB")


def test_what_no_archive_can_hold_is_told_before_it_is_read(folder: Path) -> None:
    path = zeros(folder / "huge.bin", 80_000_000_000)
    with pytest.raises(MessageError, match=r"80\.0 GB: no archive of them fits into the 25\.0 MB"):
        # The content would be an error, too: it is not looked at.
        compose("ana@example.org", "x", None, attachments=path, zip=True)


def test_packing_stops_where_the_archive_is_over_the_limit(folder: Path) -> None:
    noise = folder / "noise.bin"
    noise.write_bytes(os.urandom(3_000_000))
    # What comes after it is not read.
    zeros(folder / "zeros.bin", 500_000_000)
    with pytest.raises(MessageError, match=r"even as an archive: attachments\.zip .* as far as noise\.bin"):
        compose("ana@example.org", "x", attachments=[noise, "zeros.bin"], zip=True, limit=2_000_000)
    with pytest.raises(MessageError, match=r"even as an archive: week\.zip"):
        compose("ana@example.org", "x", attachments={"a": os.urandom(3_000_000)}, zip="week", limit=2_000_000)


def test_an_archive_that_fills_the_limit_is_within_it(folder: Path) -> None:
    data = os.urandom(1_000_000)
    found = attached(arrived("x", attachments={"a": data}, zip=True, limit=1_375_000))
    with zipfile.ZipFile(io.BytesIO(found["attachments.zip"])) as archive:
        assert archive.read("a") == data


def test_without_a_limit_every_archive_is_made(folder: Path) -> None:
    path = zeros(folder / "zeros.bin", 30_000_000)
    assert list(attached(arrived("x", attachments=path, zip=True, limit=None))) == ["attachments.zip"]


def test_a_file_that_is_gone_when_it_is_packed_is_told(folder: Path) -> None:
    class Removing:
        def _repr_html_(self) -> str:
            (folder / "out" / "a.csv").unlink(missing_ok=True)
            return "<p>x</p>"

    for wanted in (True, False):
        (folder / "out" / "a.csv").write_text("a")
        with pytest.raises(MessageError, match=r"a\.csv' cannot be read: No such file"):
            compose("ana@example.org", "x", Removing(), attachments="out/a.csv", zip=wanted)
