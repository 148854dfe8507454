"""Pages that are long in an unlucky way: what reads them reads each character once, or these tests would not end.

Without that the smallest of them takes minutes; there is no clock in here.
"""

from __future__ import annotations

import re

import pytest

from mailconn_jupyter.message.block_elements import on_own_lines, out_of_paragraphs
from mailconn_jupyter.message.render import HTML, render
from mailconn_jupyter.message.render.html.foreign_tables import dressed
from mailconn_jupyter.message.render.table.text_table import table_text
from mailconn_jupyter.message.template import Template
from tests.support.composed import arrived, text_of
from tests.support.results import table

MANY = 100_000
BLOCK = re.compile("TABLE")


@pytest.mark.parametrize(
    "html",
    [
        "dataframe " + "<table " * MANY,
        '<table class="dataframe">' * MANY,
        "<table " + 'class="dataframe ' * MANY,
        '<table class="dataframe">' + "<tr>" * MANY,
        '<table class="dataframe">' + "<td " * MANY,
        '<table class="dataframe">' + '<td a="' * MANY,
        '<table class="dataframe">' + '<td a="" ' * MANY,
    ],
)
def test_html_that_claims_to_be_a_table_stays_as_it_is(html: str) -> None:
    assert dressed(html) == html


@pytest.mark.parametrize("html", ["<caption" * MANY, "<caption>" * MANY, "<table><tr><td" + " x" * MANY])
def test_html_that_is_no_plain_table_has_no_quick_text(html: str) -> None:
    assert table_text(html) == ""


@pytest.mark.parametrize(
    "html",
    ["<pre>" * MANY, "<p>" * MANY, f"<p>TABLE x{' ' * MANY}x</p>", f"<p>TABLE{'<br>' * MANY}x</p>", "<p " * MANY],
)
def test_paragraphs_are_parted_at_a_block_alone(html: str) -> None:
    parted = out_of_paragraphs(html, BLOCK)
    assert parted == html.replace("<p>TABLE", "TABLE<p>").replace("<p> x", "<p>x").replace(f"<p>{'<br>' * MANY}", "<p>")


def test_spaces_in_a_text_stay_beside_no_block() -> None:
    spaces = " " * MANY
    assert on_own_lines(f"a{spaces}b TABLE {spaces}c", BLOCK) == f"a{spaces}b\nTABLE\nc"


def test_a_template_may_hold_a_very_long_word() -> None:
    word = "x" * MANY
    assert word in text_of(arrived(Template(word + " {{ t }}"), variables={"t": table(1)}))


def test_a_span_of_thousands_of_digits_is_none() -> None:
    part = render(HTML(f'<table><tr><td colspan="{"9" * 5000}">x</td><td>y</td></tr></table>'))
    assert part.text == "x  y"


@pytest.mark.parametrize("kind", ["", ' class="dataframe"'])
def test_cells_that_span_more_than_there_is_are_all_told(kind: str) -> None:
    rows = "<tr><td colspan='999' rowspan='999'>x</td></tr>" * 2000
    part = render(HTML(f"<table{kind}>{rows}</table>"))
    assert part.text.split() == ["x"] * 2000
