"""What is read from the right: it says so itself, as not all mail programs find it out."""

from __future__ import annotations

import pandas
import pytest

from mailconn_jupyter.message.render.words import Markdown
from mailconn_jupyter.message.template import Template
from mailconn_jupyter.message.texts import from_right
from tests.support.composed import arrived, html_of, tags_of

HELLO = "שלום"


def turned(html: str) -> list[str]:
    """The elements that are read from the right."""
    return [tag for tag, attributes in tags_of(html) if attributes.get("dir") == "rtl"]


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("", False),
        ("Ana", False),
        (HELLO, True),
        ("12 % مصر Ana", True),
        (f"Ana, {HELLO}", False),
        ("Łódź 東京", False),
    ],
)
def test_the_first_letter_of_a_text_says_from_where_it_is_read(text: str, right: bool) -> None:
    assert from_right(text) == right


def test_paragraphs_headings_lists_and_cells_say_it_each_for_itself() -> None:
    source = f"# {HELLO}\n\n{HELLO} Ana.\n\nHello.\n\n- {HELLO}\n\n| {HELLO} | b |\n|---|---|\n| a | {HELLO} |\n"
    html = html_of(arrived(f"{HELLO}!\n\nHello.", Markdown(source)))
    assert turned(html) == ["p", "h1", "p", "ul", "th", "td"]
    # The bullets stand at the right, where there is room for them.
    assert 'style="margin:0 24px 12px 0;padding:0"' in html


def test_of_a_table_the_cells_that_are_read_from_the_right_say_so_and_no_others() -> None:
    frame = pandas.DataFrame({"a": [f"{HELLO}!", "Ana <x>"], "n": [1, 2], "long": ["x" * 40, HELLO]})
    html = html_of(arrived(frame))
    assert turned(html) == ["td", "td"]
    assert "Ana &lt;x&gt;</td>" in html


def test_a_name_that_is_filled_in_does_not_turn_its_sentence() -> None:
    letter = Template(f"{{{{ name }}}}, {HELLO}!\n\n{{{{ name }}}}, good morning.")
    for name in "Ana", HELLO:
        assert turned(html_of(arrived(letter, variables={"name": name}))) == ["p"]
