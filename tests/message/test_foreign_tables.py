"""Tables that come as HTML look like those that we make ourselves."""

from __future__ import annotations

import pandas
import polars
import pytest

from mailconn_jupyter.message.render import HTML, render
from tests.support.composed import tags_of, words_of

FRAME = pandas.DataFrame({"city": ["Łódź", "東京", "A & B"], "people": [670, 14_000, 3]})


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
