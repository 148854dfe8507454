"""A message stays under what Gmail shows where it can, and says so where it cannot."""

from __future__ import annotations

import warnings

import pandas
import pytest

from mailconn_jupyter.errors import MailConnWarning
from mailconn_jupyter.message.compose import compose
from mailconn_jupyter.message.render import Preformatted, render
from tests.support.composed import arrived, attached, html_of, text_of


def test_several_long_outputs_share_the_room_and_each_is_attached_whole() -> None:
    outputs = [Preformatted(f"line {number}\n" * 4000) for number in range(10)]
    message = arrived(*outputs)
    assert len(html_of(message)) < 102_000
    assert sorted(len(data) for data in attached(message).values()) == sorted(len(text) - 1 for text in outputs)
    assert text_of(message).count("... cut here; the whole text") == 10


def test_an_exception_that_says_very_much_is_cut() -> None:
    part = render(ValueError("x" * 100_000))
    assert len(part.html or "") < 30_000
    assert part.text.startswith("ValueError: xxx")


def test_the_author_is_told_of_a_page_that_gmail_would_cut() -> None:
    wide = pandas.DataFrame({f"column {number}": range(1000) for number in range(12)})
    with pytest.warns(MailConnWarning, match=r"is \d+\.\d kB: Gmail shows the first 102\.0 kB"):
        compose("ana@example.org", "Rows", wide, rows=1000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compose("ana@example.org", "Rows", wide)
