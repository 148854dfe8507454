from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies

from mailconn_jupyter.errors import MailConnWarning, MessageError
from mailconn_jupyter.message.attach.archive import unreadable
from mailconn_jupyter.message.compose import compose
from mailconn_jupyter.message.file_names import content_type, file_name
from tests.support.composed import ATTACKS, arrived, attached, harmless, html_of

NAMES = strategies.text(
    strategies.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="/\\"),
    min_size=1,
    max_size=120,
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a few files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out" / "deep").mkdir(parents=True)
    for name in ("out/b.csv", "out/a.csv", "out/note.txt", "out/deep/a.csv", "odd[1].csv"):
        (tmp_path / name).write_text(f"from {name}\n")
    return tmp_path


def types(message: Any) -> dict[str, str]:
    return {
        part.get_filename(): part.get_content_type()
        for part in message.walk()
        if part.get_content_disposition() == "attachment"
    }


@pytest.mark.parametrize(
    "given",
    [
        "out/a.csv",
        Path("out/a.csv"),
        ["out/a.csv"],
        [Path("out", "a.csv")],
        ("out/a.csv",),
        {"out/a.csv"},
        {"x": Path("out/a.csv")}.values(),
        (path for path in ["out/a.csv"]),
    ],
)
def test_a_path_is_attached_under_its_name(folder: Path, given: Any) -> None:
    assert attached(arrived("x", attachments=given)) == {"a.csv": b"from out/a.csv\n"}


def test_an_error_without_a_system_s_words_is_told_in_its_own() -> None:
    assert "cannot be read: no data today." in str(unreadable(Path("kmsg"), OSError("no data today")))
    assert "cannot be read: BlockingIOError." in str(unreadable(Path("kmsg"), BlockingIOError()))


def test_two_paths_in_a_tuple_are_two_files_and_a_name_with_bytes_is_one(folder: Path) -> None:
    assert list(attached(arrived("x", attachments=("out/a.csv", "out/b.csv")))) == ["a.csv", "b.csv"]
    assert list(attached(arrived("x", attachments=("out/a.csv", Path("out/b.csv"))))) == ["a.csv", "b.csv"]
    assert attached(arrived("x", attachments=("out/a.csv", b"data"))) == {"a.csv": b"data"}


def test_a_pattern_attaches_its_files_in_order_and_no_name_twice(folder: Path) -> None:
    assert list(attached(arrived("x", attachments="out/*.csv"))) == ["a.csv", "b.csv"]
    assert list(attached(arrived("x", attachments="out/**/*.csv"))) == ["a.csv", "b.csv", "a-2.csv"]
    assert list(attached(arrived("x", attachments=[str(folder / "out" / "*.txt")]))) == ["note.txt"]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(folder: Path) -> None:
    assert attached(arrived("x", attachments="odd[1].csv")) == {"odd[1].csv": b"from odd[1].csv\n"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("missing.csv", "'missing.csv' does not exist"),
        (Path("missing.csv"), "'missing.csv' does not exist"),
        ("~nobody-of-that-name/x.csv", "'~nobody-of-that-name/x.csv' does not exist"),
        (Path("~nobody-of-that-name/x.csv"), "'~nobody-of-that-name/x.csv' does not exist"),
        ("nowhere/missing.csv", "'nowhere/missing.csv' does not exist"),
        ("out/*.parquet", r"No file matches the attachment pattern 'out/\*\.parquet'"),
        ("out", "'out' is a folder"),
        ({"a.csv": Path("missing.csv")}, "'missing.csv' does not exist"),
        (b"data", "need a name"),
        (None, None),
        ([None], "is None"),
        ([io.BytesIO(b"x")], "needs a name"),
        ({7: b"x"}, "attachment name 7"),
        ({"a.csv": object()}, "type object cannot be attached as 'a.csv'"),
        ([3 + 4j], "needs a name"),
        ([["out/a.csv", "out/b.csv"]], "needs a name"),
        ({"a.parquet": {"a": 1}}, r"dict cannot be attached as 'a\.parquet'"),
        ({"a.json": {"a": {1: {2}}, (1,): 2}}, r"'a\.json' cannot be written"),
    ],
)
def test_what_cannot_be_attached_is_told_before_anything_else(folder: Path, given: Any, message: str | None) -> None:
    if message is None:
        assert attached(arrived("x", attachments=given)) == {}
        return
    with pytest.raises(MessageError, match=message):
        # The content would be an error too: it is not looked at.
        compose("ana@example.org", "x", None, attachments=given)


def test_a_file_that_is_missing_is_told_before_another_is_read(folder: Path) -> None:
    pipe = io.BytesIO(b"unread")
    with pytest.raises(MessageError, match="does not exist"):
        compose("ana@example.org", "x", attachments=[("a.bin", pipe), "missing.csv"])
    assert pipe.tell() == 0


def test_files_over_the_limit_are_told_before_they_are_read(folder: Path) -> None:
    with (folder / "huge.bin").open("wb") as file:
        file.truncate(80_000_000_000)  # a sparse one: reading it would take all memory
    with pytest.raises(MessageError, match=r"largest is huge\.bin \(80\.0 GB\)"):
        compose("ana@example.org", "x", attachments="huge.bin")


def test_bytes_texts_files_and_paths_go_under_the_name_that_they_are_given(folder: Path) -> None:
    with Path("out/a.csv").open("rb") as file, Path("out/b.csv").open(encoding="utf-8") as text:
        found = attached(
            arrived(
                "x",
                attachments=[
                    {"a.bin": b"\0\1", "b.txt": "naïve\r\n", "c.csv": Path("out/note.txt"), "d.csv": file},
                    ("e.bin", bytearray(b"e")),
                    ("f.txt", io.StringIO("f")),
                    text,
                ],
            )
        )
    assert found == {
        "a.bin": b"\0\1",
        "b.txt": "naïve\r\n".encode(),
        "c.csv": b"from out/note.txt\n",
        "d.csv": b"from out/a.csv\n",
        "e.bin": b"e",
        "f.txt": b"f",
        "b.csv": b"from out/b.csv\n",
    }


def test_a_closed_file_is_told(folder: Path) -> None:
    file = Path("out/a.csv").open("rb")  # noqa: SIM115  # closed is what it has to be
    file.close()
    with pytest.raises(MessageError, match=r"cannot be read: I/O operation on closed file"):
        compose("ana@example.org", "x", attachments=[file])


@pytest.mark.parametrize("stands", ["start", "middle", "end"])
def test_a_file_object_is_read_whole_wherever_it_stands_and_stands_there_again(folder: Path, stands: str) -> None:
    with Path("out/a.csv").open("rb") as file, Path("out/b.csv").open(encoding="utf-8") as text:
        objects = {"a": file, "b": text, "c": io.BytesIO(b"from bytes\n"), "d": io.StringIO("from text\n")}
        for each in objects.values():
            if stands != "start":
                each.read(5 if stands == "middle" else -1)
        places = [each.tell() for each in objects.values()]
        found = attached(arrived("x", attachments=objects))
        assert [each.tell() for each in objects.values()] == places
    assert list(found.values()) == [b"from out/a.csv\n", b"from out/b.csv\n", b"from bytes\n", b"from text\n"]


def test_what_was_just_written_into_a_buffer_is_attached() -> None:
    buffer = io.BytesIO()
    buffer.write(b"a,b\n")
    assert attached(arrived("x", attachments={"x.csv": buffer})) == {"x.csv": b"a,b\n"}
    assert attached(arrived("x", attachments={"x.csv": io.BytesIO()})) == {"x.csv": b""}


def test_a_stream_goes_as_far_as_it_is_not_read_and_one_that_is_read_is_told() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"head\nrest\n")
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        assert pipe.readline() == b"head\n"
        assert attached(arrived("x", attachments={"a.txt": pipe})) == {"a.txt": b"rest\n"}
        with pytest.raises(MessageError, match=r"There is nothing left to read for the attachment 'a\.txt'"):
            compose("ana@example.org", "x", attachments={"a.txt": pipe})


def test_a_file_that_is_open_for_writing_alone_is_told(folder: Path) -> None:
    with Path("new.csv").open("w", encoding="utf-8") as file, pytest.raises(MessageError, match="not readable"):
        compose("ana@example.org", "x", attachments=file)


@pytest.mark.parametrize("given", [{"c.csv": "out/a.csv"}, [("c.csv", "out/a.csv")]])
def test_a_text_that_is_the_path_of_a_file_stays_a_text_and_is_told(folder: Path, given: Any) -> None:
    with pytest.warns(MailConnWarning, match=r"text 'out/a\.csv', not the file .* give Path\('out/a\.csv'\)") as told:
        message = compose("ana@example.org", "x", attachments=given)
    assert told[0].filename == __file__
    assert attached(message) == {"c.csv": b"out/a.csv"}


def test_texts_that_are_no_paths_are_told_of_nothing(folder: Path) -> None:
    texts = ["no.csv", "out", "out/a.csv\n", "\0", "x" * 100_000, ""]
    found = attached(arrived("x", attachments={f"{number}.txt": text for number, text in enumerate(texts)}))
    assert [data.decode() for data in found.values()] == texts


def test_a_file_under_another_name_counts_for_the_limit(folder: Path) -> None:
    with (folder / "huge.bin").open("wb") as file:
        file.truncate(80_000_000_000)
    for renamed in ({"small.bin": Path("huge.bin")}, [("small.bin", Path("huge.bin"))]):
        with pytest.raises(MessageError, match=r"largest is small\.bin \(80\.0 GB\)") as caught:
            compose("ana@example.org", "x", attachments=renamed)
        assert "zip=True" in caught.value.hint


def test_types_are_true() -> None:
    names = [
        "a.parquet",
        "a.xlsx",
        "a.webp",
        "a.csv",
        "a.ipynb",
        "a.json",
        "a.pdf",
        "a.tar.gz",
        "a.eml",
        "a.md",
        "a.zst",
    ]
    assert [content_type(name) for name in names] == [
        "application/vnd.apache.parquet",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "image/webp",
        "text/csv",
        "application/x-ipynb+json",
        "application/json",
        "application/pdf",
        "application/gzip",
        "application/octet-stream",
        "text/markdown",
        "application/zstd",
    ]
    assert content_type("plot", b"\x89PNG\r\n\x1a\n...") == "image/png"
    assert content_type("unknown.qqq", b"%PDF-1.7") == "application/pdf"
    message = arrived("x", attachments={"a.csv": "ü", "b.txt": b"\xff\xfe"})
    charsets = [part.get_param("charset") for part in message.walk() if part.get_filename()]
    assert charsets == ["utf-8", None]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\report.xlsx", "report.xlsx"),
        ("a\r\nBcc: eve@example.org.txt", "aBcc: eve@example.org.txt"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("..", "attachment"),
        ("/", "attachment"),
        ("  spaced .txt ", "spaced .txt"),
        ("U\u0308ber.txt", "Über.txt"),
        ("x" * 300 + ".csv", "x" * 196 + ".csv"),
        ('quo"te;=\\.txt', ".txt"),
        ('quo"te;=.txt', 'quo"te;=.txt'),
    ],
)
def test_a_file_name_has_no_path_no_controls_and_no_tricks(given: str, name: str) -> None:
    assert file_name(given) == name
    assert list(attached(arrived("x", attachments={given: b"x"}))) == [name]


@given(NAMES)
def test_any_file_name_arrives_as_it_was(name: str) -> None:
    assert list(attached(arrived("x", attachments={name: b"x"}))) == [file_name(name)]


@given(strategies.binary(max_size=500))
def test_any_bytes_arrive_as_they_were(data: bytes) -> None:
    found = attached(arrived("x", attachments={"a.bin": data, "b.csv": data, "c.txt": data + b"\r\n", "d.html": data}))
    assert found == {"a.bin": data, "b.csv": data, "c.txt": data + b"\r\n", "d.html": data}


@given(strategies.lists(strategies.text("aA \t.\u00e9-", max_size=30)))
def test_any_lines_of_text_arrive_byte_for_byte(lines: list[str]) -> None:
    for end in ("\n", "\r\n"):
        data = "".join(f"{line}{end}" for line in lines).encode()
        assert attached(arrived("x", attachments={"a.csv": data})) == {"a.csv": data}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_in_a_file_name_is_a_file_name(attack: str) -> None:
    message = arrived({"a": 1}, attachments={f"{attack}.txt": b"x"})
    assert list(attached(message)) == [file_name(f"{attack}.txt")]
    assert harmless(html_of(message))


@contextmanager
def somebody_else() -> Iterator[None]:
    """A user who may not read everything, as root may."""
    if (was := os.geteuid()) == 0:
        os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(was)


@pytest.mark.skipif(os.name == "nt", reason="users of POSIX")
@pytest.mark.parametrize("closed", ["in/a.csv", "in"])
def test_a_file_that_may_not_be_read_is_told(closed: str) -> None:
    # The folder of the tests is closed to others, too.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "in").mkdir()
        (folder / "in/a.csv").write_text("x")
        (folder / closed).chmod(0)
        with somebody_else(), pytest.raises(MessageError, match=r"in/a\.csv' cannot be read: Permission denied\."):
            compose("ana@example.org", "x", attachments=folder / "in/a.csv")
        (folder / closed).chmod(0o700)
