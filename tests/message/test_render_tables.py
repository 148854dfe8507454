from __future__ import annotations

import datetime
import decimal
import io
import sys
from typing import Any

import numpy
import openpyxl
import pandas
import polars
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings, strategies

from mailconn_jupyter.errors import MessageError
from mailconn_jupyter.message.compose import compose
from mailconn_jupyter.message.mime.wire_format import as_bytes
from mailconn_jupyter.message.render import HTML, Markdown, Options, render
from mailconn_jupyter.message.texts import width
from tests.support.composed import (
    ATTACKS,
    arrived,
    attached,
    harmless,
    html_of,
    tags_of,
    text_of,
    usual_frame,
    words_of,
)

CELLS = strategies.text(strategies.characters(exclude_categories=["Cs"]), max_size=30)


def lines(value: Any, **options: Any) -> list[str]:
    return render(value, Options(**options)).text.split("\n")


def html(value: Any, **options: Any) -> str:
    rendered = render(value, Options(**options)).html
    assert rendered is not None
    return rendered


def numbers(rows: int = 1000, columns: int = 10) -> pandas.DataFrame:
    return pandas.DataFrame(numpy.random.default_rng(47).normal(size=(rows, columns))).add_prefix("v")


def test_numbers_stand_to_the_right_and_words_to_the_left() -> None:
    frame = pandas.DataFrame({"team": ["North", "S"], "users": [1200, 7], "share": [0.25, 0.5]})
    assert lines(frame) == ["team   users  share", "-----  -----  -----", "North   1200   0.25", "S          7   0.50"]
    assert '<tr align="right"><td align="left">North</td><td>1200</td><td>0.25</td></tr>' in html(frame)


def test_a_column_of_floats_has_the_decimals_of_a_notebook() -> None:
    frame = pandas.DataFrame(
        {"a": [1.0, 2.5], "b": [1 / 3, 2.0], "c": [1e-9, 1.0], "d": [1e20, numpy.inf], "e": [0.0, -0.5]}
    )
    assert lines(frame)[2:] == [
        "1.0  0.333333  1.000000e-09  1.000000e+20   0.0",
        "2.5  2.000000  1.000000e+00           inf  -0.5",
    ]


def test_the_float_format_of_pandas_is_kept() -> None:
    frame = pandas.DataFrame({"a": [1234.5678]})
    with pandas.option_context("display.precision", 2):
        assert lines(frame)[-1] == "1234.57"
    with pandas.option_context("display.float_format", "<{:,.1f}>".format):
        assert lines(frame)[-1] == "<1,234.6>"
        assert "&lt;1,234.6&gt;" in html(frame)


def test_what_is_missing_is_a_dash_whatever_its_kind() -> None:
    frame = pandas.DataFrame(
        {
            "float": [1.5, numpy.nan],
            "text": ["x", None],
            "date": [pandas.Timestamp("2024-05-06"), pandas.NaT],
            "integer": pandas.array([1, None], dtype="Int64"),
            "flag": pandas.array([True, None], dtype="boolean"),
            "kind": pandas.Categorical(["a", None]),
        }
    )
    assert lines(frame)[2].split() == ["1.5", "x", "2024-05-06", "1", "True", "a"]
    assert lines(frame)[3].split() == ["\N{EN DASH}"] * 6


def test_dates_have_their_times_only_where_one_is_not_midnight() -> None:
    days = pandas.DataFrame({"d": pandas.to_datetime(["2024-01-01", "2024-02-03"])})
    assert lines(days)[2:] == ["2024-01-01", "2024-02-03"]
    times = pandas.DataFrame({"d": pandas.to_datetime(["2024-01-01 00:00", "2024-02-03 04:05"])})
    assert lines(times)[2:] == ["2024-01-01 00:00:00", "2024-02-03 04:05:00"]
    zoned = pandas.DataFrame({"d": pandas.to_datetime(["2024-01-01"]).tz_localize("Europe/Berlin")})
    assert lines(zoned)[2:] == ["2024-01-01 00:00:00+01:00"]


def test_an_index_is_shown_when_it_says_something() -> None:
    frame = pandas.DataFrame({"a": [1, 2]})
    assert lines(frame)[0] == "a"
    # Row numbers say nothing, until a filter or a sort has left some of them, or in another order.
    assert lines(frame[frame["a"] > 1])[2:] == ["1  2"]
    assert lines(frame.sort_values("a", ascending=False))[2:] == ["1  2", "0  1"]
    assert lines(pandas.Series({2023: 1.5, 2024: 2.5}))[2:] == ["2023  1.5", "2024  2.5"]
    assert lines(frame.set_index(pandas.Index(["x", "y"])))[2:] == ["x  1", "y  2"]
    assert lines(frame.rename_axis("row"))[0] == "row  a"
    assert lines(frame, index=True)[2:] == ["0  1", "1  2"]
    assert lines(frame.set_index(pandas.Index(["x", "y"])), index=False)[2:] == ["1", "2"]


def test_several_levels_are_said_once_and_stand_over_their_columns() -> None:
    frame = pandas.DataFrame(
        [[1, 2, 3], [4, 5, 6], [7, 8, 9]],
        index=pandas.MultiIndex.from_tuples([("N", "Q1"), ("N", "Q2"), ("S", "Q1")], names=["region", "quarter"]),
        columns=pandas.MultiIndex.from_tuples([("A", "x"), ("A", "y"), ("B", "x")], names=["shop", None]),
    )
    assert lines(frame) == [
        "        shop     A     B",
        "region  quarter  x  y  x",
        "------  -------  -  -  -",
        "N       Q1       1  2  3",
        "        Q2       4  5  6",
        "S       Q1       7  8  9",
    ]
    assert '<th align="center" colspan="2">A</th><th align="center">B</th>' in html(frame)


def test_columns_of_the_same_name_are_all_shown() -> None:
    frame = pandas.DataFrame([[1, "x"]], columns=["a", "a"])
    assert lines(frame) == ["a  a", "-  -", "1  x"]


def test_a_series_is_a_table_of_one_column() -> None:
    assert lines(pandas.Series([1, 2], name="n")) == ["n", "-", "1", "2"]
    assert lines(pandas.Series([3, 1], index=["x", "y"]))[2:] == ["x  3", "y  1"]


def test_wide_characters_keep_the_columns_of_the_text_aligned() -> None:
    frame = pandas.DataFrame({"名前": ["東京チーム", "x", "é́"], "n": [1, 22, 3]})
    shown = lines(frame)
    assert len({width(line) for line in shown}) == 1
    assert shown[2] == "東京チーム   1"


def test_a_thousand_rows_show_the_first_fifty_and_attach_them_all() -> None:
    frame = numbers()
    message = arrived("All of it:", frame)
    assert len(html_of(message)) < 100_000
    assert html_of(message).count("<tr ") == 51
    said = "... the first 50 of 1,000 rows and the first 6 of 10 columns; table.csv holds all of them."
    assert said in text_of(message)
    assert said in words_of(html_of(message))
    pandas.testing.assert_frame_equal(pandas.read_csv(io.BytesIO(attached(message)["table.csv"])), frame)


@pytest.mark.parametrize("noise", [False, True], ids=["usual columns", "noise of four decimals"])
def test_a_message_with_all_of_a_thousand_rows_is_under_100_kb(noise: bool) -> None:
    frame = numbers().round(4) if noise else usual_frame(1000)
    message = compose("ana@example.org", "Churn", frame, sender="bob@example.org")
    assert len(as_bytes(message, utf8=False, eight_bit=True)) < 100_000
    dates = [name for name in frame.columns if name == "since"]
    read = pandas.read_csv(io.BytesIO(attached(message)["table.csv"]), parse_dates=dates)
    pandas.testing.assert_frame_equal(read, frame, check_dtype=False)


def test_rows_that_are_asked_for_are_shown() -> None:
    assert html(numbers(), rows=1000).count("<tr ") == 1001
    assert html(numbers(), rows=7).count("<tr ") == 8
    assert "1,000 rows, none shown" in render(numbers(), Options(rows=0)).text
    with pytest.raises(MessageError, match="rows=-1"):
        render(numbers(), Options(rows=-1))


def test_wide_rows_are_fewer_so_that_the_page_stays_under_what_gmail_shows() -> None:
    frame = pandas.DataFrame({f"c{number}": ["& " * 100] * 100 for number in range(3)})
    message = arrived(frame)
    assert 50_000 < len(html_of(message)) < 100_000
    assert "table.csv" in attached(message)


def test_several_tables_share_the_room_and_have_names_of_their_own() -> None:
    frame = pandas.DataFrame({f"c{number}": ["word " * 10] * 200 for number in range(10)})
    message = arrived(frame, frame, "x", frame)
    assert len(html_of(message)) < 100_000
    assert set(attached(message)) == {"table.csv", "table-2.csv", "table-3.csv"}
    assert "table-3.csv holds all of them" in text_of(message)


def test_too_many_columns_are_attached() -> None:
    message = arrived(numbers(3, 80))
    assert "the first 6 of 80 columns" in text_of(message)
    assert pandas.read_csv(io.BytesIO(attached(message)["table.csv"])).shape == (3, 80)


def test_a_long_cell_is_cut_and_the_whole_attached() -> None:
    message = arrived(pandas.DataFrame({"a": ["x" * 5000]}))
    assert "Long cells are cut; table.csv holds all of them." in text_of(message)
    assert b"x" * 5000 in attached(message)["table.csv"]


def test_a_table_without_rows_or_columns_says_so() -> None:
    assert lines(pandas.DataFrame({"a": []})) == ["a", "-"]
    assert "no columns" in render(pandas.DataFrame(index=[1, 2])).text


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
def test_all_rows_arrive_in_each_format(kind: str) -> None:
    frame = pandas.DataFrame(
        {"name": [f"naïve-{n}" for n in range(300)], "n": range(300), "x": numpy.linspace(0, 1, 300)}
    )
    data = attached(arrived(frame, table_as=kind))[f"table.{kind}"]
    readers: dict[str, Any] = {"csv": pandas.read_csv, "xlsx": pandas.read_excel, "parquet": pandas.read_parquet}
    pandas.testing.assert_frame_equal(readers[kind](io.BytesIO(data)), frame)


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(MessageError) as caught:
        arrived(numbers(), table_as="xls")
    assert "parquet" in caught.value.hint


def test_csv_has_a_byte_order_mark_only_where_excel_needs_one() -> None:
    plain = pandas.DataFrame({"a": range(200)})
    foreign = pandas.DataFrame({"a": ["ü"] * 200})
    assert not attached(arrived(plain))["table.csv"].startswith(b"\xef\xbb\xbf")
    assert attached(arrived(foreign))["table.csv"].startswith(b"\xef\xbb\xbf")


def test_csv_with_line_breaks_in_its_cells_arrives_byte_for_byte() -> None:
    frame = pandas.DataFrame({"a": ["one\ntwo", "three\r\nfour", "From me"] * 50})
    read = pandas.read_csv(io.BytesIO(attached(arrived(frame))["table.csv"]), lineterminator=None)
    assert read["a"].tolist()[0] == "one\ntwo"
    assert len(read) == 150


def test_no_cell_of_a_sheet_is_a_formula() -> None:
    frame = pandas.DataFrame({"=1+1": ['=HYPERLINK("http://evil.example")', "+1", "\x01x"] * 50})
    book = openpyxl.load_workbook(io.BytesIO(attached(arrived(frame, table_as="xlsx"))["table.xlsx"]))
    assert {cell.data_type for row in book["table"].iter_rows() for cell in row} == {"s"}


def test_a_sheet_holds_what_excel_has_no_type_for_as_text() -> None:
    frame = pandas.DataFrame(
        {
            "zone": [pandas.Timestamp("2024-01-01", tz="UTC")] * 150,
            "big": [2**60] * 150,
            "decimal": [decimal.Decimal("1.10")] * 150,
            "missing": [numpy.nan] * 150,
            "naive": [pandas.Timestamp("2024-01-01 10:00")] * 150,
            "odd": [{"a": 1}] * 150,
        }
    )
    book = openpyxl.load_workbook(io.BytesIO(attached(arrived(frame, table_as="xlsx"))["table.xlsx"]))
    row = [cell.value for cell in list(book["table"].iter_rows())[1]]
    assert row == [
        "2024-01-01 00:00:00+00:00", str(2**60), 1.1, None, pandas.Timestamp("2024-01-01 10:00"), "{'a': 1}"
    ]  # fmt: skip


def test_polars_frames_and_series_are_tables() -> None:
    frame = polars.DataFrame(
        {
            "a": [1, None],
            "b": ["x", "y"],
            "c": [1.25, float("nan")],
            "d": [datetime.datetime(2024, 1, 2), None],  # noqa: DTZ001  # one without a zone
            "e": [[1, 2], None],
        }
    )
    assert lines(frame)[2].split("  ")[0:4] == ["1", "x", "1.25", "2024-01-02"]
    assert lines(frame)[3].split() == ["\N{EN DASH}", "y", *["\N{EN DASH}"] * 3]
    assert lines(frame["b"]) == ["b", "-", "x", "y"]


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
def test_all_rows_of_a_polars_frame_arrive_in_each_format(kind: str) -> None:
    frame = polars.DataFrame({"a": range(300), "b": [f"ü{n}" for n in range(300)]})
    data = attached(arrived(frame, table_as=kind))[f"table.{kind}"]
    readers: dict[str, Any] = {"csv": pandas.read_csv, "xlsx": pandas.read_excel, "parquet": polars.read_parquet}
    assert readers[kind](io.BytesIO(data))["b"].to_list() == frame["b"].to_list()


class _Stream:
    """A table of a library that nobody knows, which hands out its columns as Arrow does."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._table.__arrow_c_stream__(requested_schema)


class _Interchange:
    """The same, by the older protocol."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __dataframe__(self, nan_as_null: bool = False, allow_copy: bool = True) -> Any:
        return self._table.__dataframe__(nan_as_null, allow_copy)


@pytest.mark.parametrize("wrapped", [lambda table: table, _Stream, _Interchange])
def test_whatever_hands_out_its_columns_is_a_table(wrapped: Any) -> None:
    table = pyarrow.table({"a": [1, 2], "b": ["x", None], "c": [0.5, 1.0]})
    assert lines(wrapped(table)) == ["a  b    c", "-  -  ---", "1  x  0.5", "2  \N{EN DASH}  1.0"]
    many = pyarrow.table({"a": list(range(300))})
    assert attached(arrived(wrapped(many)))["table.csv"].count(b"\r\n") == 301
    data = attached(arrived(wrapped(many), table_as="parquet"))["table.parquet"]
    assert pyarrow.parquet.read_table(io.BytesIO(data)).num_rows == 300


def test_a_table_of_a_protocol_that_cannot_be_read_here_and_has_no_other_form_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MessageError, match="_Stream shows nothing but"):
        render(_Stream(None))


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_in_a_table_is_shown_and_not_obeyed(attack: str) -> None:
    frame = pandas.DataFrame({attack: [attack, "x"]}, index=pandas.Index([attack, "y"], name=attack))
    wide = frame.copy()
    wide.columns = pandas.MultiIndex.from_tuples([(attack, attack)], names=[attack, attack])
    for value in (frame, wide, frame[attack], polars.DataFrame({attack: [attack]}), {attack: attack, "a": 1}):
        page = html_of(arrived(value))
        assert harmless(page)
        assert attack in words_of(page)


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_in_a_styled_table_is_shown_and_not_obeyed(attack: str) -> None:
    frame = pandas.DataFrame({attack: [attack, "x"]}, index=pandas.Index([attack, "y"], name=attack))
    for styler in (
        frame.style,
        frame.style.format("{} €"),
        frame.style.set_caption(attack),
        frame.style.concat(frame.style),
    ):
        page = html_of(arrived(styler))
        assert harmless(page)
        assert words_of(page).count(attack) >= 4


@given(strategies.lists(strategies.tuples(CELLS, CELLS), min_size=1, max_size=8), CELLS)
@settings(max_examples=60)
def test_any_cells_give_one_cell_each_and_lines_of_one_width(rows: list[tuple[str, str]], name: str) -> None:
    frame = pandas.DataFrame(rows, columns=[name, f"{name}2"])
    page = html(frame)
    assert harmless(page)
    assert [tag for tag, _ in tags_of(page)].count("td") == 2 * len(rows)
    assert len(render(frame).text.split("\n")) == len(rows) + 2


def test_the_name_of_the_columns_stands_in_the_header_as_pandas_shows_it() -> None:
    frame = pandas.DataFrame({"plan": ["Free", "Team", "Free"], "region": ["N", "S", "S"], "n": [1, 2, 3]})
    part = render(pandas.crosstab(frame.plan, frame.region))
    assert part.text.splitlines() == ["region  N  S", "plan", "------  -  -", "Free    1  1", "Team    0  1"]
    assert '<th align="left">region</th><th align="right">N</th>' in (part.html or "")
    pivot = frame.assign(m=frame.n).pivot_table(index=["plan", "n"], columns=["region"], values=["m"], aggfunc="sum")
    assert [line.split() for line in render(pivot).text.splitlines()[:3]] == [
        ["m"],
        ["region", "N", "S"],
        ["plan", "n"],
    ]
    # A name that no two columns share is no line of its own.
    named = render(pandas.crosstab(frame.plan, frame.region).rename_axis(index=None)).text
    assert named.splitlines()[0] == "region  N  S"


def test_the_names_of_the_columns_levels_are_shown_without_an_index_too() -> None:
    frame = pandas.DataFrame({"plan": ["Free", "Team"], "region": ["N", "S"], "n": [1, 2]})
    flat = frame.pivot_table(index="plan", columns="region", values="n").reset_index()
    assert render(flat).text.splitlines()[0] == "region  plan    N    S"
    levels = pandas.DataFrame(
        [[1, 2]], columns=pandas.MultiIndex.from_tuples([("a", "x"), ("a", "y")], names=["k", "l"])
    )
    for index in (None, False):
        assert render(levels, Options(index=index)).text.splitlines()[:2] == ["k  a", "l  x  y"]
    assert "th align" in (render(levels).html or "")


def test_a_float_among_other_things_is_written_as_pandas_was_told_too() -> None:
    mixed = pandas.DataFrame({"value": [1037.7190661, "many", 3]}, dtype=object)
    with pandas.option_context("display.float_format", "{:,.1f}".format):
        assert lines(mixed)[2:] == ["1,037.7", "many", "3"]
        assert lines({"mean": 1037.7190661, "rows": 3}) == ["mean  1,037.7", "rows        3"]
    with pandas.option_context("display.precision", 2):
        assert lines(mixed)[2:] == ["1037.72", "many", "3"]


def test_the_number_format_of_polars_is_kept() -> None:
    frame = polars.DataFrame({"mean": [1037.7190661, -0.25, None, 12345678.0], "n": [1_000_000, -2, 30_000, None]})
    with polars.Config(float_precision=1, thousands_separator=True):
        assert [line.split() for line in lines(frame)[2:]] == [
            ["1,037.7", "1,000,000"],
            ["-0.2", "-2"],
            ["\N{EN DASH}", "30,000"],
            ["12,345,678.0", "\N{EN DASH}"],
        ]
    with polars.Config(thousands_separator=".", decimal_separator=","):
        assert lines(polars.DataFrame({"a": [1234.5, float("inf")]}))[2:] == ["1.234,5", "    inf"]
    assert lines(frame)[3].split() == ["-0.250000", "-2"]


def test_of_a_wide_table_the_columns_that_fit_a_page_are_shown_and_all_attached() -> None:
    frame = pandas.DataFrame({f"c{number}": range(10_000, 10_003) for number in range(40)})
    message = arrived(frame)
    said = "... the first 11 of 40 columns; table.csv holds all of them."
    assert said in text_of(message)
    assert said in words_of(html_of(message))
    assert [tag for tag, _ in tags_of(html(frame))].count("td") == 3 * 11
    assert text_of(message).splitlines()[0].split() == [f"c{number}" for number in range(11)]
    pandas.testing.assert_frame_equal(pandas.read_csv(io.BytesIO(attached(message)["table.csv"])), frame)


def test_a_styled_table_is_cut_by_the_same_columns() -> None:
    frame = pandas.DataFrame({f"c{number}": range(10_000, 10_003) for number in range(40)})
    message = arrived(frame.style.highlight_max(color="#ffe08a"))
    assert "... the first 11 of 40 columns; table.csv holds all of them, without the styles." in text_of(message)
    assert text_of(message).splitlines()[0].split() == [f"c{number}" for number in range(11)]
    short = arrived(frame.add(0.123456).style.format("{:.0f}"))
    assert "the first 11 of 40 columns" in text_of(short)
    pandas.testing.assert_frame_equal(pandas.read_csv(io.BytesIO(attached(message)["table.csv"])), frame)


def test_one_column_is_shown_however_wide_it_and_its_index_are() -> None:
    frame = pandas.DataFrame({"n" * 300: [1], "m": [2]}, index=pandas.Index(["x" * 150], name="i" * 100))
    for value in (frame, frame.style):
        assert "the first 1 of 2 columns" in render(value).text
        assert "n" * 100 in render(value).text


def test_a_table_whose_sentences_can_wrap_is_shown_in_full() -> None:
    frame = pandas.DataFrame({f"said {number}": ["the quick brown fox jumps over it"] * 3 for number in range(2)})
    frame = frame.assign(day=pandas.Timestamp("2026-01-02"), amount=1234.5, share=-0.25)
    part = render(frame)
    assert not part.files
    # No date is broken at its hyphens, and no number after its sign.
    assert '<td align="left" nowrap>2026-01-02</td>' in (part.html or "") or "<td nowrap>2026-01-02</td>" in (
        part.html or ""
    )


def test_a_word_that_no_column_has_room_for_may_be_broken() -> None:
    shown = html(pandas.DataFrame({"key": ["a" * 60, "short"], "n": [1, 2]}))
    assert f'<td style="word-break:break-all;word-break:break-word">{"a" * 60}</td>' in shown
    assert "<td>short</td>" in shown


def test_row_numbers_are_left_out_of_a_styled_table_as_they_are_of_a_plain_one() -> None:
    frame = pandas.DataFrame({"a": [2, 1], "b": [3, 4]})
    for value in (frame, frame.style):
        assert lines(value)[-1].split() == ["1", "4"]
        assert lines(value, index=True)[-1].split() == ["1", "1", "4"]
    for value in (frame.sort_values("a"), frame.sort_values("a").style):
        assert lines(value)[-1].split() == ["0", "2", "3"]
    for value in (frame.set_index("a"), frame.set_index("a").style):
        assert lines(value, index=False)[-1].split() == ["4"]


def test_tables_have_one_look_whatever_they_are_made_of() -> None:
    frame = pandas.DataFrame({"a": [1, 2, 3], "b": [4, 5, 6]})
    written = frame.to_html(classes="dataframe", index=False)
    markdown = Markdown("| a | b |\n|---|---|\n| 1 | 4 |\n| 2 | 5 |\n| 3 | 6 |\n")
    looks = []
    for value in (frame, frame.style, polars.DataFrame({"a": [1, 2, 3], "b": [4, 5, 6]}), markdown, HTML(written)):
        tags = tags_of(html(value))
        table = next(attributes for tag, attributes in tags if tag == "table")
        looks.append((table, [attributes.get("bgcolor") for tag, attributes in tags if tag == "tr"]))
    assert looks == [looks[0]] * len(looks)
    assert looks[0][1] == ["#e6eaf0", None, "#f4f6f8", None]
    pairs = tags_of(html({"a": 1, "b": 2}))
    assert next(attributes for tag, attributes in pairs if tag == "table") == looks[0][0]
