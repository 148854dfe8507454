"""Texts that a spreadsheet would compute in an attached CSV: told by their cells, or quoted; numbers stay as they are."""

from __future__ import annotations

import csv
import gzip
import io
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy
import pandas
import polars
import pyarrow
import pytest
from hypothesis import given, strategies

from mailconn_jupyter.errors import MailConnWarning, MessageError
from mailconn_jupyter.message.compose import compose
from mailconn_jupyter.message.render.table.formulas import quoted, told
from tests.support import shells
from tests.support.composed import attached, travelled
from tests.support.shells import Shell, keep

shell = shells.shell
clean_up = shells.clean_up

COMPUTED = [
    '=HYPERLINK("http://x.example","see")',
    "=cmd|'/C calc'!A0",
    "+cmd|'/C calc'!A0",
    "-2+3+cmd|'/C calc'!A0",
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
    "\r\n\t=1+1",
    "\tcmd",
    "=1,2",
    '="a"&"b"',
    "-A1",
    "\N{FULLWIDTH EQUALS SIGN}1+1",
    "\N{FULLWIDTH COMMERCIAL AT}SUM(1)",
]
PLAIN = [
    "-5", "+49 30 1234-56", "-", "--", "+1.5", "-1.5e-7", "-inf", "+Infinity", "-NaN", "-3 %", "-1,234.5", "-12:30",
    "-1 days +23:59:59.5", "-PT1H30M", "a=1", "\t", "\r\n", "a@b.example", "x-1", "'=1", " =1", "", "(=1)", "1-2",
]  # fmt: skip


def made(*content: Any, **options: Any) -> tuple[dict[str, bytes], list[str]]:
    """The attached files, and what the author is told."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", MailConnWarning)
        message = compose("ana@example.org", "Rows", *content, sender="bob@example.org", **options)
    return attached(travelled(message)), [str(one.message) for one in caught]


def cells_of(data: bytes, **options: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), **options))


FRAMES: dict[str, Callable[[list[str]], Any]] = {
    "pandas": lambda texts: pandas.DataFrame({"n": range(len(texts)), "text": texts}),
    "polars": lambda texts: polars.DataFrame({"n": range(len(texts)), "text": texts}),
    "arrow": lambda texts: pyarrow.table({"n": list(range(len(texts))), "text": texts}),
}


@pytest.mark.parametrize("library", FRAMES)
@pytest.mark.parametrize("name", ["rows.csv", "rows.tsv", "rows.csv.gz"])
def test_each_such_text_is_told_by_its_cell_and_kept(library: str, name: str) -> None:
    texts = ["fine", *COMPUTED]
    files, said = made("Rows:", attachments={name: FRAMES[library](texts)})
    data = gzip.decompress(files[name]) if name.endswith(".gz") else files[name]
    rows = cells_of(data, delimiter="\t" if "tsv" in name else ",")
    assert [row[1] for row in rows[1:]] == texts
    [line] = said
    assert line.startswith(
        f"{name.removesuffix('.gz')} has text that a spreadsheet will compute when it opens the file: B3 ("
    )
    assert "B4 (" in line
    assert f"and {len(COMPUTED) - 5} more" in line


@pytest.mark.parametrize("library", FRAMES)
@pytest.mark.parametrize("name", ["rows.csv", "rows.tsv"])
def test_with_an_apostrophe_before_each_nothing_is_left_to_tell(library: str, name: str) -> None:
    texts = ["fine", *COMPUTED, *PLAIN]
    files, said = made("Rows:", attachments={name: FRAMES[library](texts)}, formulas="quote")
    rows = cells_of(files[name], delimiter="\t" if "tsv" in name else ",")
    assert [row[1] for row in rows[1:]] == ["fine", *(f"'{text}" for text in COMPUTED), *PLAIN]
    assert [row[0] for row in rows[1:]] == [str(number) for number in range(len(texts))]
    assert said == []


@pytest.mark.parametrize("library", FRAMES)
def test_what_cannot_call_anything_is_not_told(library: str) -> None:
    assert made("Rows:", attachments={"rows.csv": FRAMES[library](PLAIN)})[1] == []


def test_numbers_stay_as_they_are_whatever_their_sign() -> None:
    frame = pandas.DataFrame(
        {
            "float": [-1.5, float("-inf"), numpy.nan],
            "int": [-1, -2, 3],
            "time": pandas.to_timedelta([-1, 2, -86400], unit="s"),
            "complex": [-1 + 2j, 0j, 1j],
        },
        index=[-3, -2, -1],
    )
    for formulas in ("keep", "quote"):
        files, said = made("Rows:", attachments={"rows.csv": frame}, formulas=formulas, index=True)
        assert said == []
        assert files["rows.csv"].decode().replace("\r\n", "\n") == frame.to_csv()


def test_headers_and_the_index_count_too() -> None:
    frame = pandas.DataFrame({"=A1": [1], "b": ["@x"]}, index=pandas.Index(["+a"], name="-i"))
    files, said = made("Rows:", attachments={"rows.csv": frame})
    assert all(cell in said[0] for cell in ("A1 ('-i')", "B1 ('=A1')", "A2 ('+a')", "C2 ('@x')"))
    files, said = made("Rows:", attachments={"rows.csv": frame}, formulas="quote")
    assert cells_of(files["rows.csv"]) == [["'-i", "'=A1", "b"], ["'+a", "1", "'@x"]]
    assert said == []
    levels = pandas.DataFrame([[1]], columns=pandas.MultiIndex.from_tuples([("=a", "@b")]))
    assert "B1 (" in made("Rows:", attachments={"rows.csv": levels}, index=True)[1][0]


@pytest.mark.parametrize("styled", [False, True])
def test_the_file_of_a_table_of_which_not_all_is_shown_is_looked_at_too(styled: bool) -> None:
    frame = pandas.DataFrame({"text": ["=1+cmd", *["fine"] * 60]})
    content = frame.style if styled else frame
    files, said = made(content)
    [line] = said
    assert line.startswith("table.csv has text that a spreadsheet will compute when it opens the file: A2 ('=1+cmd'). ")
    assert line.endswith('formulas="quote" puts an apostrophe before each; in XLSX they stay text.')
    files, said = made(content, formulas="quote")
    assert said == []
    assert cells_of(files["table.csv"])[1] == ["'=1+cmd"]
    assert made(content, table_as="xlsx")[1] == []
    # A result that is attached without a name.
    assert made("Rows:", attachments=[frame])[1][0].startswith("table.csv has text ")
    assert made("Rows:", attachments=[frame], formulas="quote")[1] == []


def test_other_formats_and_files_of_the_authors_own_are_nobodys_business(tmp_path: Any) -> None:
    frame = pandas.DataFrame({"text": ["=1+cmd"]})
    (tmp_path / "own.csv").write_text("=1\n")
    given = {"a.json": frame, "a.jsonl": frame, "a.xlsx": frame, "a.parquet": frame, "text.csv": "=1", "b.csv": b"=1"}
    assert made("Rows:", attachments=[given, tmp_path / "own.csv"])[1] == []


def test_a_word_that_is_neither_is_refused() -> None:
    with pytest.raises(MessageError, match=r"There is no handling of formulas 'quoted'\. Did you mean 'quote'\?"):
        compose("ana@example.org", "Rows", "x", formulas="quoted")  # type: ignore[arg-type]  # the mistake


def test_the_magic_tells_and_quotes_too(shell: Shell) -> None:
    keep("ops", from_address="bob@example.org")
    shell.ok("import pandas; df = pandas.DataFrame({'text': ['=1+cmd'] * 60})")
    line = "%mailconn send ops --to ana@example.org --subject Rows --preview df"
    assert "table.csv has text that a spreadsheet will compute" in shell.ok(line).text
    assert "table.csv has text " not in shell.ok(f"{line} --formulas quote").text


@given(
    strategies.lists(
        strategies.lists(strategies.text(alphabet="=+-@\t\r\n\"', ae1.", max_size=8), min_size=2, max_size=2),
        min_size=1,
    )
)
def test_whatever_the_cells_hold_what_is_quoted_reads_back_and_has_nothing_to_tell(rows: list[list[str]]) -> None:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\r\n").writerows(rows)
    text = quoted(buffer.getvalue())
    assert told("a.csv", text.encode()) == ()
    back = list(csv.reader(io.StringIO(text, newline="")))
    assert [[cell.removeprefix("'") for cell in row] for row in back] == [
        [cell.removeprefix("'") for cell in row] for row in csv.reader(io.StringIO(buffer.getvalue(), newline=""))
    ]


@pytest.mark.parametrize("piece", ["-1,", "-", '"', '""', "-1 ", "=\n", "+1e", "-1 day ", ",-1\r\n", '"-1,'])
def test_a_hostile_table_takes_no_longer_than_its_size(piece: str) -> None:
    text = (piece * 400_000)[:400_000]
    started = time.process_time()
    quoted(text)
    told("a.csv", text.encode())
    assert time.process_time() - started < 20
