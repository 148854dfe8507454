"""Long texts and long words on narrow pages: where a line ends, and how wide a column stays."""

from __future__ import annotations

import pandas

from mailconn_jupyter.message.render import render
from mailconn_jupyter.message.render.words import Markdown
from tests.support.composed import cells_of
from tests.support.letters import customers


def html(value: object) -> str:
    shown = render(value).html
    assert shown is not None
    return shown


def test_the_words_of_a_sentence_stay_whole_beside_one_that_may_be_broken() -> None:
    frame = pandas.DataFrame({"key": ["a" * 60, "Thursday, 2026-12-03 09:30 to 10:15 (Europe/Berlin)"]})
    styles = [attributes.get("style", "") for tag, attributes, _ in cells_of(html(frame)) if tag == "td"]
    # Who does not know the second takes the first.
    assert styles == ["word-break:break-all;word-break:break-word", ""]


def test_a_long_text_says_how_wide_it_stays_and_no_other_column_does() -> None:
    heads = {said: attributes.get("style", "") for tag, attributes, said in cells_of(html(customers())) if tag == "th"}
    assert heads == {"since": "", "amount": "", "said": "min-width:110px"}
    short = pandas.DataFrame({"team": ["North", "South-west"], "said": ["a" * 30, "b"]})
    assert "min-width" not in html(short)


def test_the_room_that_long_texts_keep_is_counted_where_columns_are_cut() -> None:
    text = "wants a call back on Monday, and an offer for the second half of the year, in writing and by mail"
    part = render(pandas.DataFrame({f"said {number}": [text] for number in range(5)}))
    assert "the first 3 of 5 columns" in part.text


def test_the_line_beside_a_quotation_is_as_long_as_the_quotation() -> None:
    shown = html(Markdown("> one\n>\n> two\n\nthree"))
    assert '<p style="margin:0 0 12px">one</p>' in shown
    assert '<p style="margin:0">two</p>' in shown
    assert shown.endswith('<p style="margin:0 0 12px">three</p>')
