from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import pandas
import pytest

from mailconn_jupyter.message.render import Options, render, styler as styler_module
from mailconn_jupyter.message.render.styled.styler_rows import last_shown

LONG = 120
Style = Callable[[Any], Any]


def frame() -> pandas.DataFrame:
    values = numpy.random.default_rng(6).normal(size=(LONG, 4))
    values[::7, 1] = numpy.nan
    made = pandas.DataFrame(values, columns=list("abcd"), index=[f"row {number:03}" for number in range(LONG)])
    return made.assign(count=range(LONG), word=["x", "y", "z"] * (LONG // 3))


def bold(value: Any, limit: float = 0.5) -> str:
    return "font-weight: bold; color: red" if isinstance(value, float) and value > limit else ""


def by_place(data: Any) -> Any:
    return [f"color:#{number % 256:02x}0000" if number % 3 else None for number in range(len(data))]


NUMBERS = ["a", "b", "c"]
STYLES: dict[str, Style] = {
    "map": lambda style: style.map(bold),
    "map with options": lambda style: style.map(bold, limit=1.5),
    "map of columns": lambda style: style.map(bold, subset=NUMBERS),
    "map of one column": lambda style: style.map(bold, subset="b"),
    "map of rows and columns": lambda style: style.map(bold, subset=pandas.IndexSlice["row 010":"row 100", ["a", "c"]]),
    "map of chosen rows": lambda style: style.map(bold, subset=(style.data["a"] > 0, ["b"])),
    "map of one row": lambda style: style.map(lambda _: "color:blue", subset=pandas.IndexSlice["row 004", :]),
    "map of columns by a mask": lambda style: style.map(bold, subset=style.data.columns.isin(["a", "d"])),
    "apply by column": lambda style: style.apply(by_place),
    "apply by row": lambda style: style.apply(by_place, axis=1),
    "apply by row, in words": lambda style: style.apply(by_place, axis="columns", subset=NUMBERS),
    "apply to rows out of order": lambda style: style.apply(
        by_place, subset=(["row 110", "row 003", "row 001"], ["a"])
    ),
    "apply to the table": lambda style: style.apply(
        lambda data: numpy.where(data > data.mean(), "color:green", ""), axis=None, subset=NUMBERS
    ),
    "apply that says something of few rows": lambda style: style.apply(
        lambda column: pandas.Series("color:red", index=column.index[[2, 117]])
    ),
    "highlights": lambda style: (
        style.highlight_max(subset=NUMBERS)
        .highlight_null(color="#eee")
        .highlight_quantile(subset=["c", "d"], q_left=0.9)
    ),
    "properties": lambda style: style.set_properties(color="navy", subset=["d"]),
    "gradient": lambda style: style.background_gradient(cmap="viridis"),
    "gradient with bounds": lambda style: style.background_gradient(low=0.2, high=0.1, vmin=-1, subset=NUMBERS),
    "gradient of the table": lambda style: style.background_gradient(axis=None, subset=NUMBERS),
    "gradient by row": lambda style: style.background_gradient(axis=1, subset=NUMBERS),
    "gradient by another column": lambda style: style.background_gradient(gmap=style.data["d"], subset=["a"]),
    "gradient of text in some rows": lambda style: style.text_gradient(
        subset=pandas.IndexSlice["row 020":, ["a", "c"]]
    ),
    "bars": lambda style: style.bar(subset=["a"], align="mid", color=["#d65f5f", "#5fba7d"]),
    "one over the other": lambda style: (
        style.background_gradient(subset=["a"]).map(bold).highlight_min(props="color:red")
    ),
    "hidden rows and columns": lambda style: (
        style.hide(["row 002", "row 005", "row 117"]).hide(["b"], axis=1).map(bold)
    ),
    "index styles": lambda style: style.map_index(lambda label: "color:red" if label.endswith("1") else "").map(bold),
    "a foot": lambda style: style.map(bold).concat(
        style.data.iloc[[4]].rename(index={"row 004": "foot"}).style.map(bold)
    ),
}


@pytest.mark.parametrize("style", STYLES.values(), ids=list(STYLES))
@pytest.mark.parametrize("rows", [1, 20, LONG])
def test_the_shown_rows_look_as_if_every_row_had_been_styled(
    style: Style, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = render(style(frame().style), Options(rows=rows))
    monkeypatch.setattr(styler_module, "showing", lambda copied, _rows: copied)
    pandas_own = render(style(frame().style), Options(rows=rows))
    assert ours.html == pandas_own.html
    assert ours.text == pandas_own.text


def test_hierarchies_look_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    places = pandas.MultiIndex.from_product([range(30), ["x", "y"]], names=["n", "l"])
    values = numpy.arange(240.0).reshape(60, 4)
    columns = pandas.MultiIndex.from_product([["p", "q"], [1, 2]])

    def styled() -> Any:
        made = pandas.DataFrame(values, index=places, columns=columns).style
        return made.background_gradient(subset=[("p", 1)]).map(bold, limit=20, subset=[("q", 2)])

    ours = render(styled(), Options(rows=9))
    monkeypatch.setattr(styler_module, "showing", lambda copied, _rows: copied)
    assert ours == render(styled(), Options(rows=9))


def test_no_cell_and_no_row_that_is_not_shown_is_styled() -> None:
    asked: list[str] = []
    table = frame()

    def of_cell(_: Any) -> str:
        asked.append("cell")
        return ""

    def of_row(row: Any) -> list[str]:
        asked.append(row.name)
        return [""] * len(row)

    render(table.style.map(of_cell, subset=["a"]).apply(of_row, axis=1), Options(rows=10))
    assert asked.count("cell") == 10
    assert [name for name in asked if name != "cell"] == list(table.index[:10])


def test_the_users_own_styler_stays_as_it_was() -> None:
    style = frame().style.map(bold)
    kind = type(style)
    render(style, Options(rows=5))
    assert type(style) is kind
    assert len(style.data) == LONG
    assert style.to_html().count("<tr>") == LONG + 1


def test_labels_that_are_not_unique_are_the_error_that_pandas_has_for_them() -> None:
    doubled = pandas.DataFrame({"a": [1.0, 2.0]}, index=["x", "x"])
    with pytest.raises(KeyError, match="non-unique"):
        render(doubled.style.map(bold))


def test_hidden_rows_count_towards_the_last_row_and_not_towards_the_shown_ones() -> None:
    style = frame().style
    assert last_shown(style, 10) == 10
    style.hide(["row 000", "row 009", "row 011", "row 013"])
    assert last_shown(style, 10) == 13
    assert last_shown(style, LONG) == LONG


def test_where_pandas_reads_css_elsewhere_every_row_is_styled_by_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = render(frame().style.map(bold), Options(rows=5))
    monkeypatch.delattr("pandas.io.formats.style_render.maybe_convert_css_to_tuples")
    assert render(frame().style.map(bold), Options(rows=5)) == expected
