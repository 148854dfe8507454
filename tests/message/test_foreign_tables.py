"""Tables that come as HTML look like those that we make ourselves."""

from __future__ import annotations

import pandas
import polars
import pytest

from mailconn_jupyter.message.render import HTML, Part, render
from tests.support.composed import cells_of, tags_of, words_of

FRAME = pandas.DataFrame({"city": ["Łódź", "東京", "A & B"], "people": [670, 14_000, 3]})


KINDS = pandas.DataFrame(
    {
        "words": ["north", "A & B", ""],
        "numbers": [1.5, -2e-9, 1200.0],
        "dates": pandas.date_range("2026-01-01", periods=3),
        "gaps": [1.0, None, 3.0],
        "yes": [True, False, True],
        "codes": ["47", "N8", "1,200"],
    }
)
BOTH = pandas.DataFrame(
    [[1.25, -2.0, "a<b"], [3.5, 4.0, "é"]],
    index=pandas.MultiIndex.from_tuples([("x", 1), ("x", 2)], names=["out", "in"]),
    columns=pandas.MultiIndex.from_tuples([("p", "a"), ("p", "b"), ("q", "c")], names=["top", None]),
)


def sides(part: Part) -> list[tuple[str, str]]:
    """Where the cells stand, those of the headers that hold nothing left out, and each span as one."""
    found, row = [], ""
    for tag, attributes, words in cells_of(str(part.html)):
        if tag == "tr":
            row = attributes.get("align", "left")
        elif words:
            found.append((words, attributes.get("align", row)))
    return found


@pytest.mark.parametrize("frame", [KINDS, KINDS.set_index("words"), BOTH, KINDS.set_index("numbers")])
def test_words_stand_left_and_numbers_right_whoever_wrote_the_table(frame: pandas.DataFrame) -> None:
    own = dict(sides(render(frame)))
    named = {name for level in range(frame.columns.nlevels) for name in frame.columns.get_level_values(level)}
    for other in (frame.style, frame.style.set_table_styles([{"selector": "td", "props": "color: #123456"}])):
        heads = {words: side for words, side in sides(render(other)) if words in named}
        assert heads == {words: side for words, side in own.items() if words in named}
    shown = {words: side for words, side in sides(render(HTML(frame.to_html()))) if words in named}
    assert shown == {words: side for words, side in own.items() if words in named}


def test_a_styler_stands_where_its_author_says() -> None:
    style = KINDS.style.set_properties(subset=["words"], **{"text-align": "center"})
    page = str(render(style).html)
    assert page.count("text-align:center") == len(KINDS)
    assert '<td style="text-align:center" align' not in page


def test_a_number_in_words_stands_as_a_number_in_a_styler() -> None:
    style = KINDS.style.format({"numbers": "about {:.0f} kg"})
    assert ("about 1200 kg", "right") in sides(render(style))
    under = KINDS[["words", "numbers"]].style.concat(KINDS[["words", "numbers"]].agg(["max"]).style)
    assert {side for words, side in sides(render(under)) if words == "north"} == {"left"}


@pytest.mark.parametrize("html", [FRAME._repr_html_(), FRAME.to_html(), polars.from_pandas(FRAME)._repr_html_()])
def test_a_table_of_a_notebook_has_header_stripes_and_numbers_to_the_right(html: str) -> None:
    part = render(HTML(html))
    tags = tags_of(str(part.html))
    (table,) = [attributes for tag, attributes in tags if tag == "table"]
    assert "border-collapse:collapse" in table["style"]
    rows = [attributes for tag, attributes in tags if tag == "tr"]
    assert {attributes.get("align") for attributes in rows} == {"right"}
    assert [attributes.get("bgcolor") for attributes in rows][-3:] == [None, "#f4f6f8", None]
    assert rows[0]["bgcolor"] == "#e6eaf0"
    assert "A & B" in words_of(str(part.html))
    lines = part.text.split("\n")
    assert lines[-1].endswith("    3")
    assert len({len(line) for line in lines[-3:] if line.isascii()}) == 1


def test_other_tables_stay_as_their_author_made_them() -> None:
    part = render(HTML('<table class="mine" border="1"><tr><td>dataframe</td></tr></table>'))
    assert [attributes for tag, attributes in tags_of(str(part.html)) if tag == "table"] == [{"border": "1"}]
