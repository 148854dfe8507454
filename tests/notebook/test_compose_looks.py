"""The small looks at results: had where they cost little, and others once a result has changed."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from matplotlib.figure import Figure
from PIL import Image

from mailconn_jupyter.message.render.table.cell_texts import MISSING
from mailconn_jupyter.notebook.compose_page.looks import look
from mailconn_jupyter.notebook.compose_page.notebook_results import results


def figure_of(kind: str, count: int) -> Figure:
    figure = Figure()
    if kind == "axes":
        figure.subplots(count, count)
        return figure
    if kind == "parts":
        for part in figure.subfigures(1, 2, squeeze=False).flat:
            part.subplots().plot(range(count))
        return figure
    axes = figure.subplots()
    numbers = np.arange(count)
    match kind:
        case "line":
            axes.plot(numbers)
        case "points":
            axes.scatter(numbers, numbers)
        case "coloured":
            axes.scatter(numbers, numbers, c=numbers)
        case "sized":
            axes.scatter(numbers, numbers, s=numbers)
        case "image":
            axes.imshow(np.zeros((count, count, 4)))
        case "mesh":
            axes.pcolormesh(np.zeros((count, count)))
        case "bars":
            axes.bar(numbers, numbers)
        case "area":
            axes.fill_between(numbers, numbers)
        case "texts":
            for _ in numbers:
                axes.text(0.5, 0.5, "x")
    return figure


@pytest.mark.parametrize(
    ("kind", "light", "heavy"),
    [
        ("axes", 2, 4),
        ("parts", 100, 300_000),
        ("line", 100_000, 600_000),
        ("points", 100_000, 600_000),
        ("coloured", 1000, 100_000),
        ("sized", 1000, 100_000),
        ("image", 300, 2000),
        ("mesh", 50, 300),
        ("bars", 50, 3000),
        ("area", 1000, 300_000),
        ("texts", 10, 200),
    ],
)
def test_a_figure_that_takes_long_to_be_drawn_has_no_look(kind: str, light: int, heavy: int) -> None:
    assert look(figure_of(kind, light))["png"].startswith("iVBOR")
    figure = figure_of(kind, heavy)
    assert look(figure) == {}
    assert look(figure.axes[0]) == {}


def test_a_large_image_has_no_look() -> None:
    assert look(Image.new("RGB", (600, 400)))["png"].startswith("iVBOR")
    assert look(Image.new("1", (20_000, 1001))) == {}


def test_a_look_warns_of_nothing() -> None:
    figure = Figure()
    figure.subplots().set_title("\N{CJK UNIFIED IDEOGRAPH-6F22}")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert look(figure)["png"].startswith("iVBOR")


def test_cells_are_cut_before_they_become_text() -> None:
    long = list(range(2_000_000))
    table = pd.DataFrame(
        {"a": [long, (long, {"x": long}), {1}], "b": ["x" * 5_000_000, "y  z", None], "a b": [1, 2, 3]}
    )
    before = table.copy()
    assert look(table)["rows"] == [
        ["a", "b", "a b"],
        ["[0, 1, 2, 3, 4, 5…", "xxxxxxxxxxxxxxxxx…", "1"],
        ["([0, 1, 2, 3, 4, …", "y z", "2"],
        ["{1}", MISSING, "3"],
    ]
    assert table["a"][0] is long
    assert table.equals(before)
    assert look(pd.Series([long], name="n"))["rows"] == [["n"], ["[0, 1, 2, 3, 4, 5…"]]
    twice = pd.DataFrame([[long, "x"]], columns=["a", "a"])
    assert look(twice)["rows"] == [["a", "a"], ["[0, 1, 2, 3, 4, 5…", "x"]]


@pytest.mark.parametrize("make", [pl.DataFrame, pa.table])
def test_of_other_tables_those_of_huge_cells_have_no_look(make: Any) -> None:
    assert look(make({"a": [[1, 2]], "b": ["x"]}))["rows"] == [["a", "b"], ["[1, 2]", "x"]]
    assert look(make({"a": [list(range(500_000))]})) == {}
    assert look(make({"a": ["x" * 2_000_000]})) == {}
    assert len(look(make({"a": list(range(500_000))}))["rows"]) == 4


def key(value: Any) -> str:
    (found,) = results({"value": value}, {})
    return found["key"]


def test_a_table_that_is_changed_in_place_has_another_key_and_else_the_same() -> None:
    table = pd.DataFrame({"a": [1, 2]})
    first = key(table)
    assert key(table) == first
    table["a"] = [3, 4]
    assert key(table) != first


def test_a_table_whose_cells_cannot_be_shown_is_offered_all_the_same() -> None:
    assert key(pd.DataFrame({"a": [object()]}))


def test_of_a_list_a_hundred_entries_are_asked_what_they_are() -> None:
    class Watched(list[Any]):
        asked = 0

        def __iter__(self) -> Any:
            for entry in super().__iter__():
                Watched.asked += 1
                yield entry

    assert results({"value": Watched([1] * 1000)}, {}) == []
    assert Watched.asked <= 100


def test_only_names_that_code_can_say_are_offered() -> None:
    table = pd.DataFrame({"a": [1]})
    namespace: dict[Any, Any] = dict.fromkeys(["class", "None", 3, None, "mailconn", "_a", "a b", "ok"], table)
    assert [one["name"] for one in results(namespace, {})] == ["ok"]
