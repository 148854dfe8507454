from __future__ import annotations

import csv
import io
import sys

import numpy
import pandas
import pytest
from hypothesis import given, strategies as st

from mailconn_jupyter.message.render.table.csv_text import csv_text

DOUBLES = st.floats(allow_nan=True, allow_infinity=True)


@given(st.lists(st.tuples(DOUBLES, DOUBLES, st.integers(-(2**63), 2**63 - 1)), min_size=1))
def test_every_number_reads_back_as_it_was(rows: list[tuple[float, float, int]]) -> None:
    frame = pandas.DataFrame(rows, columns=["a", "b", "n"]).astype({"a": float, "b": float, "n": "int64"})
    names, *lines = csv.reader(io.StringIO(csv_text(frame, index=False, header=True)))
    assert names == ["a", "b", "n"]
    back = [tuple(float(text or "nan") for text in line[:2]) for line in lines]
    assert (
        numpy.array(back).tobytes() == numpy.where(frame[["a", "b"]].isna(), float("nan"), frame[["a", "b"]]).tobytes()
    )
    assert [int(line[2]) for line in lines] == [number for *_, number in rows]


FRAMES = {
    "doubles": pandas.DataFrame({"a": [0.1, -2.5, float("nan")], "b": [1e-300, 3.0, 1e22]}),
    "whole doubles": pandas.DataFrame({"a": [1.0, -0.0], "b": [float("inf"), 2.0**60]}),
    "integers": pandas.DataFrame({"a": [1, -2], "b": numpy.array([2**64 - 1, 0], dtype="uint64")}),
    "the other order of bytes": pandas.DataFrame(
        {"a": numpy.array([1, 2], dtype=">i4"), "b": numpy.array([0.5, 1e-9], dtype=">f8")}
    ),
    "single precision": pandas.DataFrame({"a": numpy.array([0.1, 0.2], dtype="float32"), "b": [1, 2]}),
    "one column": pandas.DataFrame({"a": [0.5, float("nan")]}),
    "booleans": pandas.DataFrame({"a": [True, False], "b": [1, 2]}),
    "words": pandas.DataFrame({"a,b": ['say "x"', "two\nlines"], "b": [0.25, float("nan")]}),
    "nullable": pandas.DataFrame({"a": pandas.array([1, None], dtype="Int64"), "b": [0.5, 1.5]}),
    "two of a name": pandas.DataFrame([[0.5, 1.5], [2.5, 3.5]], columns=["a", "a"]),
    "odd names": pandas.DataFrame([[0.5, 1.5]], columns=['x,"y"', ("t", 1)]),
    "names in levels": pandas.DataFrame([[0.5, 1.5]], columns=pandas.MultiIndex.from_tuples([("p", "a"), ("p", "b")])),
    "no rows": pandas.DataFrame({"a": [0.5], "b": [1.5]}).iloc[:0],
    "no columns": pandas.DataFrame(index=[1, 2]),
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=list(FRAMES))
@pytest.mark.parametrize("index", [False, True])
@pytest.mark.parametrize("header", [False, True])
def test_the_csv_says_what_that_of_pandas_says(frame: pandas.DataFrame, index: bool, header: bool) -> None:
    ours = csv_text(frame, index=index, header=header)
    assert ours == frame.to_csv(index=index, header=header, lineterminator="\r\n")


def test_without_arrow_pandas_writes_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "pyarrow", raising=False)
    frame = pandas.DataFrame({"a": [1e-7, 2.5], "b": [1, 2]})
    assert csv_text(frame, index=False, header=True) == "a,b\r\n1e-07,1\r\n2.5,2\r\n"
