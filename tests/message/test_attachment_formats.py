"""Results that are attached under a name: each is written in the format of the name's suffix."""

from __future__ import annotations

import collections
import datetime
import decimal
import functools
import gzip
import io
import itertools
import json
from pathlib import Path
from typing import Any

import numpy
import openpyxl
import pandas
import polars
import pyarrow.feather
import pytest

from mailconn_jupyter.errors import MessageError
from mailconn_jupyter.message.compose import compose
from tests.support.composed import arrived, attached


def written(name: str, value: Any, **options: Any) -> bytes:
    """What arrives of a result under this name."""
    (data,) = attached(arrived("x", attachments={name: value}, **options)).values()
    return data


def read(value: Any) -> Any:
    """What a strict reader finds in the JSON that a result is written as."""

    def refuse(word: str) -> None:
        raise AssertionError(word)

    return json.loads(written("a.json", value), parse_constant=refuse)


def test_results_are_written_in_the_format_of_their_name() -> None:
    frame = pandas.DataFrame({"a": [1, 2], "b": ["x", "ü"]})
    found = attached(
        arrived(
            "x",
            attachments=[
                {"t.csv": frame, "t.xlsx": frame, "t.parquet": frame["b"], "t.html": frame, "d.json": {"ü": [1]}},
                frame,
                frame.style,
            ],
            table_as="xlsx",
        )
    )
    assert list(found) == ["t.csv", "t.xlsx", "t.parquet", "t.html", "d.json", "table.xlsx", "table-2.xlsx"]
    pandas.testing.assert_frame_equal(pandas.read_csv(io.BytesIO(found["t.csv"])), frame)
    assert openpyxl.load_workbook(io.BytesIO(found["t.xlsx"]))["table"]["B3"].value == "ü"
    assert pandas.read_parquet(io.BytesIO(found["t.parquet"]))["b"].tolist() == ["x", "ü"]
    assert b"<table" in found["t.html"]
    assert json.loads(found["d.json"]) == {"ü": [1]}
    with pytest.raises(MessageError, match=r"DataFrame cannot be attached as 'a\.xls'"):
        arrived("x", attachments={"a.xls": frame})


def test_numbers_of_numpy_are_numbers_in_json_and_arrays_lists() -> None:
    value = {
        "i": numpy.int64(5),
        "f": numpy.float32(0.1),
        "b": numpy.bool_(True),
        "a": numpy.array([[1, 2], [3, 4]]),
        "x": numpy.array([1.5, numpy.nan]),
        "z": numpy.array(7),
        numpy.int64(3): (1, 2),
    }
    assert read(value) == {
        "i": 5,
        "f": 0.1,
        "b": True,
        "a": [[1, 2], [3, 4]],
        "x": [1.5, None],
        "z": 7,
        "3": [1, 2],
    }
    assert read(numpy.arange(3)) == [0, 1, 2]
    assert read(numpy.float64(2.5)) == 2.5


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_a_matrix_is_a_list_of_its_rows_in_json() -> None:
    assert read(numpy.matrix([[1, 2], [3, 4]])) == [[1, 2], [3, 4]]


def test_a_masked_value_of_an_array_is_null_in_json() -> None:
    masked: Any = numpy.ma.array([[0.1, 2.0]], mask=[[False, True]], dtype="float32")
    assert read({"a": masked, "none": numpy.ma.masked}) == {"a": [[0.1, None]], "none": None}
    assert read(numpy.ma.array([(1, 2)], mask=[(False, True)], dtype="i4,i4")) == [[1, None]]


def test_json_has_null_for_what_is_no_number_and_for_what_is_missing() -> None:
    value = [
        float("nan"),
        float("inf"),
        numpy.float64("-inf"),
        pandas.NaT,
        pandas.NA,
        None,
        numpy.datetime64("NaT", "s"),
    ]
    assert read(value) == [None] * 7
    assert read({float("nan"): 1, None: 2}) == {"nan": 1, "null": 2}


def test_dates_are_iso_8601_in_json() -> None:
    day = datetime.date(2026, 11, 20)
    moment = datetime.datetime(2026, 11, 20, 8, 30, tzinfo=datetime.UTC)
    value = {
        "days": [day, datetime.time(8, 30)],
        day: moment,
        pandas.Timestamp("2026-11-20 08:30"): numpy.datetime64("2026-11-20T08:30:00.000000001"),
        "array": numpy.array(["2026-11-20", "NaT"], "datetime64[D]"),
    }
    assert read(value) == {
        "days": ["2026-11-20", "08:30:00"],
        "2026-11-20": "2026-11-20T08:30:00+00:00",
        "2026-11-20T08:30:00": "2026-11-20T08:30:00.000000001",
        "array": ["2026-11-20", None],
    }


def test_what_else_results_hold_has_a_form_in_json() -> None:
    value = {
        "sum": decimal.Decimal("12.50"),
        "exact": decimal.Decimal("12345678901234567890.12"),
        "no sum": decimal.Decimal("NaN"),
        "path": Path("out/a.csv"),
        "set": {1},
        "series": pandas.Series([1, 2]),
        "frame": pandas.DataFrame({"a": [1, None]}),
        "polars": polars.Series([1, None]),
        "half": "\ud800",
    }
    assert read(value) == {
        "sum": 12.5,
        "exact": "12345678901234567890.12",
        "no sum": None,
        "path": str(Path("out/a.csv")),
        "set": [1],
        "series": [1, 2],
        "frame": [{"a": 1.0}, {"a": None}],
        "polars": [1, None],
        "half": "\ufffd",
    }


def test_what_holds_several_values_is_a_list_in_json() -> None:
    value = {"values": {"a": 1}.values(), "keys": {"a": 1}.keys(), "range": range(3), "queue": collections.deque([1])}
    assert read(value) == {"values": [1], "keys": ["a"], "range": [0, 1, 2], "queue": [1]}


@pytest.mark.parametrize("value", [itertools.count(), (number for number in range(2)), map(str, [1])])
def test_what_may_have_no_end_is_not_read_for_json(value: Any) -> None:
    with pytest.raises(MessageError, match=r"'a\.json' cannot be written: a \w+ may never end.* a list"):
        compose("ana@example.org", "x", attachments={"a.json": {"k": value}})


def test_two_keys_of_a_name_are_told_where_json_would_keep_one() -> None:
    for value, name in (({1: "a", "1": "b"}, "1"), ({True: 1, "true": 2}, "true"), ({None: 1, "null": 2}, "null")):
        with pytest.raises(MessageError, match=f"Two keys are called '{name}'"):
            compose("ana@example.org", "x", attachments={"a.json": [value]})


def test_a_table_has_the_same_form_in_json_alone_and_inside_of_something() -> None:
    series = pandas.Series([3, 1], index=["Free", "Team"])
    for table in (series, series.rename("n"), series.reset_index(drop=True), series.to_frame("n"), polars.Series([1])):
        for index in (None, True, False):
            alone = json.loads(written("a.json", table, index=index))
            assert json.loads(written("a.json", {"t": table}, index=index)) == {"t": alone}
    assert read({"t": series})["t"][0] == {"index": "Free", "value": 3}
    assert read(series.reset_index(drop=True)) == [3, 1]


@pytest.mark.parametrize(
    "value",
    [object(), b"bytes", int, {(1, 2): 3}, {object(): 1}, lambda: 1, functools.partial(print, object()), len, io],
)
def test_what_json_cannot_hold_is_told(value: Any) -> None:
    with pytest.raises(MessageError, match=r"'a\.json' cannot be written: an? .*JSON"):
        compose("ana@example.org", "x", attachments={"a.json": [value]})


def test_a_table_as_json_is_a_list_of_its_rows() -> None:
    frame = pandas.DataFrame(
        {"plan": ["Free", "Tëam"], "churn": [0.1, None], "since": pandas.to_datetime(["2026-11-20", None])}
    )
    rows = [
        {"plan": "Free", "churn": 0.1, "since": "2026-11-20T00:00:00"},
        {"plan": "Tëam", "churn": None, "since": None},
    ]
    assert read(frame) == rows
    lines = written("a.jsonl", frame).decode().splitlines()
    assert [json.loads(line) for line in lines] == rows
    assert written("a.ndjson", frame) == written("a.jsonl", frame)
    assert read(polars.DataFrame({"a": [1, None]})) == [{"a": 1}, {"a": None}]
    assert read(pandas.Series([3, 1], index=["Free", "Team"])) == [
        {"index": "Free", "value": 3},
        {"index": "Team", "value": 1},
    ]
    deep = pandas.DataFrame([[1, 2]], columns=pandas.MultiIndex.from_tuples([("a", "x"), ("a", "y")]))
    assert read(deep) == [{"a/x": 1, "a/y": 2}]


def test_a_table_with_two_columns_of_a_name_is_told_where_one_would_be_lost() -> None:
    frame = pandas.DataFrame([[1, 2]], columns=["a", "a"])
    with pytest.raises(MessageError, match="Two columns of the table are called 'a'"):
        compose("ana@example.org", "x", attachments={"a.json": frame})


def test_a_table_with_tabs_holds_what_the_one_with_commas_does() -> None:
    frame = pandas.DataFrame({"a": ['x, "y"', "z\tü\nv"], "b": [0.1, None]})
    found = pandas.read_csv(io.BytesIO(written("a.tsv", frame)), sep="\t")
    pandas.testing.assert_frame_equal(found, frame)
    assert written("a.tsv", frame).startswith(b"\xef\xbb\xbf")
    assert written("a.tsv", pandas.DataFrame({"a": [1], "b": [2]})) == b"a\tb\r\n1\t2\r\n"


@pytest.mark.parametrize("cell", ["x" * 200_000, '"' * 200_000, "\t" * 200_000, "", ",", "\r\n"])
def test_a_cell_of_any_length_stands_between_tabs(cell: str) -> None:
    frame = pandas.DataFrame({"a": [cell], "b": 1})
    found = pandas.read_csv(io.BytesIO(written("a.tsv", frame)), sep="\t", keep_default_na=False)
    pandas.testing.assert_frame_equal(found, frame)


@pytest.mark.parametrize("kind", ["csv", "tsv", "json", "jsonl", "xlsx", "feather", "json.gz"])
def test_an_index_that_its_author_has_hidden_is_in_no_file(kind: str) -> None:
    frame = pandas.DataFrame({"a": [1, 2]}, index=pandas.Index(["secret", "hidden"], name="who"))
    styled = frame.style.hide()
    without = frame.reset_index(drop=True)
    for index in (True, None):
        data = written(f"a.{kind}", styled, index=index)
        if kind == "xlsx":
            book = openpyxl.load_workbook(io.BytesIO(data))
            assert [row[0].value for row in book["table"].rows] == ["a", 1, 2]
            assert book["table"].max_column == 1
        elif kind == "feather":
            assert pyarrow.feather.read_table(io.BytesIO(data)).column_names == ["a"]
        else:
            assert data == written(f"a.{kind}", without)
    assert json.loads(written("a.json", {"t": styled}, index=True)) == {"t": [{"a": 1}, {"a": 2}]}


def test_a_table_as_feather_comes_back_as_it_was() -> None:
    frame = pandas.DataFrame(
        {"a": [1, 2], "b": pandas.Categorical(["x", "y"])}, index=pandas.Index(["p", "q"], name="plan")
    )
    pandas.testing.assert_frame_equal(pandas.read_feather(io.BytesIO(written("a.feather", frame))), frame)
    assert pyarrow.feather.read_table(io.BytesIO(written("a.arrow", polars.DataFrame({"a": [1]})))).to_pylist() == [
        {"a": 1}
    ]


def test_a_name_that_ends_with_gz_is_packed_and_bytes_are_left_alone() -> None:
    frame = pandas.DataFrame({"a": [1, 2]})
    assert gzip.decompress(written("a.csv.gz", frame)) == written("a.csv", frame)
    assert json.loads(gzip.decompress(written("a.json.gz", {"a": 1}))) == {"a": 1}
    assert gzip.decompress(written("a.txt.gz", "text")) == b"text"
    assert written("a.csv.gz", frame) == written("a.csv.gz", frame)
    assert written("a.bin.gz", b"packed already") == b"packed already"
    with pytest.raises(MessageError, match=r"dict cannot be attached as 'a\.csv'"):
        compose("ana@example.org", "x", attachments={"a.csv.gz": {"a": 1}})


def test_results_are_written_as_text_as_a_notebook_prints_them() -> None:
    assert written("a.txt", {"b": 1, "a": [1, 2]}) == b"{'b': 1, 'a': [1, 2]}\n"
    assert written("a.txt", decimal.Decimal("1.50")) == b"1.50"
    try:
        raise ValueError("no such plan")
    except ValueError as error:
        text = written("a.txt", error).decode()
    assert text.startswith("ValueError: no such plan")
    assert "raise ValueError" in text
    # Its repr would leave out the middle.
    for value in (numpy.arange(5000), object(), len, lambda: 1, iter([1])):
        with pytest.raises(MessageError, match=r"cannot be attached as 'a\.txt'"):
            compose("ana@example.org", "x", attachments={"a.txt": value})


def test_an_array_is_written_as_numpy_reads_it_and_never_as_a_pickle() -> None:
    array = numpy.arange(6.0).reshape(2, 3)
    assert (numpy.load(io.BytesIO(written("a.npy", array))) == array).all()
    with pytest.raises(MessageError, match=r"'a\.npy' cannot be written: Object arrays"):
        compose("ana@example.org", "x", attachments={"a.npy": numpy.array([object()])})
    with pytest.raises(MessageError, match=r"list cannot be attached as 'a\.npy'") as caught:
        compose("ana@example.org", "x", attachments={"a.npy": [1]})
    assert ".tsv" in caught.value.hint


def test_a_table_with_a_column_called_read_is_a_table() -> None:
    frame = pandas.DataFrame({"read": [1], "name": ["x"]})
    assert written("a.csv", frame) == b"read,name\r\n1,x\r\n"
    assert list(attached(arrived("x", attachments=[frame]))) == ["table.csv"]


def test_none_is_no_result() -> None:
    for name in ("a.json", "a.txt", "a.csv"):
        with pytest.raises(MessageError, match="NoneType cannot be attached"):
            compose("ana@example.org", "x", attachments={name: None})


def test_a_table_that_writes_itself_to_a_file_alone_is_written_as_parquet() -> None:
    class GeoLike(pandas.DataFrame):  # type: ignore[misc]  # pandas has no types
        """As geopandas has it."""

        @property
        def _constructor(self) -> Any:
            return GeoLike

        def to_parquet(self, path: Any, index: bool | None = None, **more: Any) -> Any:
            assert path is not None
            return pandas.DataFrame(self).to_parquet(path, index=index, **more)

    data = written("a.parquet", GeoLike({"a": [1, 2]}))
    assert pandas.read_parquet(io.BytesIO(data))["a"].tolist() == [1, 2]


@pytest.mark.parametrize("library", ["pandas", "pandas with gaps", "polars", "pyarrow"])
def test_a_narrow_number_is_written_as_its_table_shows_it(library: str) -> None:
    numbers = numpy.array([0.1, 16777216, numpy.nan], "float32")
    frames: dict[str, Any] = {
        "pandas": pandas.DataFrame({"n": numbers}),
        "pandas with gaps": pandas.DataFrame({"n": pandas.array([0.1, 16777216, None], "Float32")}),
        "polars": polars.DataFrame({"n": numbers}),
        "pyarrow": pyarrow.table({"n": numbers}),
    }
    (data,) = attached(arrived(attachments={"n.jsonl": frames[library]})).values()
    assert [json.loads(line)["n"] for line in data.splitlines()] == [0.1, 16777216, None]
