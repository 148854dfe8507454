"""Dicts, lists and single values: results inside them are shown as results, and nothing of a text is lost."""

from __future__ import annotations

import datetime
import io
import json
from typing import Any

import matplotlib.pyplot as plt
import numpy
import openpyxl
import pandas
import polars
import pyarrow
import pytest

from mailconn_jupyter.errors import MessageError
from mailconn_jupyter.message.attach.writers import written
from mailconn_jupyter.message.render import Options, Part, register, render, unregister
from mailconn_jupyter.message.render.table.cell_texts import MISSING
from mailconn_jupyter.message.render.table.export import table_file
from mailconn_jupyter.message.render.table.frames import PandasFrame
from tests.support.results import figure, table


def test_results_in_a_list_are_shown_one_under_the_other() -> None:
    part = render([table(2), figure()])
    assert str(part.html).count("<table") == 1
    assert len(part.pictures) == 1
    assert render((table(2), table(2))).text == f"{render(table(2)).text}\n\n{render(table(2)).text}"


def test_results_in_a_list_may_have_words_between_them_and_be_in_lists_themselves() -> None:
    part = render(["Two tables:", [table(1), table(2)]])
    assert part.text.startswith("Two tables:\n\nregion")
    assert str(part.html).count("<table") == 2


def test_a_renderer_of_ones_own_serves_inside_of_a_list() -> None:
    class Model:
        pass

    def shown(_model: Any, _options: Options) -> Part:
        return Part("a model")

    register(Model, shown)
    try:
        assert render([Model()]).text == "a model"
        assert render({"best": Model()}).text == "best\n\na model"
    finally:
        unregister(shown)


def test_results_in_a_dict_are_shown_each_under_its_name() -> None:
    part = render({"north <1>": table(2), "south": figure()})
    assert part.text.startswith("north <1>\n\nregion")
    assert "north &lt;1&gt;" in str(part.html)
    assert len(part.pictures) == 1


@pytest.mark.parametrize("value", [[1, 2], (1, "a"), [], ["a", "b"], [None], [[1], [2]]])
def test_a_list_of_anything_else_is_shown_as_a_notebook_shows_it(value: Any) -> None:
    assert render(value).text.split("\n")[0] == repr(value).split("\n")[0]


def test_a_long_value_of_a_dict_is_whole() -> None:
    query = "select " + ", ".join(f"column{number}" for number in range(60))
    part = render({"query": query, "rows": 3})
    assert query in part.text
    assert query in str(part.html)
    assert "<table" in str(part.html)


def test_a_very_long_value_of_a_dict_is_attached() -> None:
    part = render({"log": "line\n" * 20_000})
    assert [len(file.data) > 100_000 for file in part.files] == [True]


def test_floats_are_as_short_in_a_dict_as_in_a_column_and_numbers_stand_right() -> None:
    part = render({"acc": 0.1 + 0.2, "n": numpy.int64(1000), "loss": 1e-9})
    assert part.text == "acc            0.3\nn             1000\nloss  1.000000e-09"
    mixed = pandas.DataFrame({"what": ["mean", "n"], "value": pandas.Series([0.1 * 3, numpy.int64(5)], dtype=object)})
    assert render(mixed).text.split("\n")[2:] == ["mean    0.3", "n         5"]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (polars.LazyFrame({"a": [1]}), "frame.collect()"),
        (
            table(3).groupby("region"),
            "A DataFrameGroupBy is a query plan: it has no rows to show.\nSend its result: groups.size()",
        ),
        (object(), "shows nothing but its memory address"),
    ],
)
def test_what_shows_nothing_of_itself_is_an_error_that_says_what_to_send(value: object, says: str) -> None:
    with pytest.raises(MessageError) as caught:
        render(value)
    assert says in str(caught.value)


def test_a_column_of_arrows_dates_is_shown() -> None:
    days = pandas.array([datetime.date(2026, 11, 25), None], dtype=pandas.ArrowDtype(pyarrow.date32()))
    assert render(pandas.DataFrame({"day": days})).text == f"day\n----------\n2026-11-25\n{MISSING}"


def test_a_long_polars_table_with_lists_and_objects_is_attached_with_their_texts() -> None:
    frame = polars.DataFrame({"id": range(60), "tags": [["a", "b"]] * 60, "pair": [{"x": 1}] * 60})
    frame = frame.with_columns(polars.Series("thing", [datetime.UTC] * 60, dtype=polars.Object))
    (file,) = render(frame).files
    assert file.data.split(b"\r\n")[1] == b"0,\"['a', 'b']\",{'x': 1},UTC"


def test_a_long_polars_table_with_durations_and_bytes_is_attached_with_their_texts() -> None:
    frame = polars.DataFrame(
        {"took": [datetime.timedelta(days=1, seconds=5), None] * 30, "key": [b"\x00\xff", None] * 30}
    )
    (file,) = render(frame).files
    assert file.data.split(b"\r\n")[1:3] == [b"\"1 day, 0:00:05\",b'\\x00\\xff'", b","]
    assert written("t.tsv", frame, Options()).split(b"\r\n")[1] == b"1 day, 0:00:05\tb'\\x00\\xff'"


def test_a_column_that_is_called_none_keeps_that_name() -> None:
    frame = pandas.DataFrame([[1, 2]], columns=[None, "b"])
    assert json.loads(written("t.json", frame, Options())) == [{"None": 1, "b": 2}]
    assert json.loads(written("t.json", frame.iloc[:, :1], Options())) == [{"None": 1}]
    assert json.loads(written("t.json", pandas.Series([1]), Options())) == [1]
    assert json.loads(written("t.json", pandas.Series([1], index=["x"]), Options())) == [{"index": "x", "value": 1}]
    assert json.loads(written("t.json", pandas.DataFrame({None: [1]}, index=["x"]), Options())) == [
        {"index": "x", "None": 1}
    ]


def test_what_cannot_be_feather_is_said_of_feather() -> None:
    for name in ("t.feather", "t.arrow"):
        with pytest.raises(MessageError, match=r"^The table cannot be written as Feather: "):
            written(name, pandas.DataFrame({"m": [1, "a"]}), Options())


def sheet(frame: pandas.DataFrame) -> list[tuple[Any, ...]]:
    book = openpyxl.load_workbook(io.BytesIO(table_file(PandasFrame(frame), "xlsx", index=None)))
    return list(book.worksheets[0].values)[1:]


def test_a_sheet_keeps_numbers_and_durations_as_such() -> None:
    mixed = pandas.Series([numpy.int64(5), numpy.bool_(True), numpy.float32(0.5)], dtype=object)  # a value
    took = pandas.to_timedelta([90, 3600, 86_400 * 2], unit="s")
    back = sheet(pandas.DataFrame({"mixed": mixed, "took": took}))
    assert [value for value, _ in back] == [5, True, 0.5]
    assert [type(value) for value, _ in back] == [int, bool, float]
    assert [value for _, value in back] == took.to_pytimedelta().tolist()


def test_a_text_that_no_cell_of_a_sheet_holds_is_an_error_and_no_loss() -> None:
    with pytest.raises(MessageError, match="has 40000 characters; a cell of a sheet holds 32767") as caught:
        sheet(pandas.DataFrame({"id": ["x" * 40_000]}))
    assert caught.value.hint == "Choose CSV or Parquet."


def test_an_object_that_asks_which_forms_are_wanted_is_told() -> None:
    class Strict:
        def _repr_mimebundle_(self, include: Any, exclude: Any) -> dict[str, str]:
            return {"text/plain": f"{include}, {exclude}"}

    assert render(Strict()).text == "None, None"
    assert render(Strict()).warnings == ()


@pytest.mark.parametrize("make", [
    lambda figure, axes: (figure, axes),
    lambda figure, axes: [figure, *axes],
    lambda _figure, axes: list(axes),
    lambda figure, _axes: [figure, figure],
])  # fmt: skip
def test_a_figure_is_shown_once_however_many_of_its_axes_are_there(make: Any) -> None:
    figure, axes = plt.subplots(1, 3)
    other = plt.figure()
    try:
        assert (render(make(figure, axes)).html or "").count("<img") == 1
        assert (render([*make(figure, axes), other]).html or "").count("<img") == 2
    finally:
        plt.close("all")


def test_what_is_wrong_with_one_of_several_results_says_which_it_is() -> None:
    frame = pandas.DataFrame({"a": [1]})
    with pytest.raises(MessageError, match="'chart': There is nothing to show: the value is None"):
        render({"table": frame, "chart": None})
    with pytest.raises(MessageError, match="entry 2: There is nothing to show: the value is None"):
        render([frame, None])


def test_a_series_of_axes_is_no_table() -> None:
    axes = plt.figure().add_subplot()
    try:
        with pytest.raises(MessageError, match="An Axes is a part of a Matplotlib figure"):
            render(pandas.Series([axes, axes]))
    finally:
        plt.close("all")
