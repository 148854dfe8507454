from __future__ import annotations

import io
import sys
from typing import Any

import numpy
import pandas
import pytest

from mailconn_jupyter.errors import MessageError
from mailconn_jupyter.extras import install
from mailconn_jupyter.message.render import render
from mailconn_jupyter.message.render.styled.styled_html import InlineTemplate
from tests.support.composed import arrived, attached, harmless, html_of, tags_of, text_of, words_of


def html(styler: Any) -> str:
    rendered = render(styler).html
    assert rendered is not None
    return rendered


def test_a_styler_keeps_its_colours_and_formats() -> None:
    frame = pandas.DataFrame({"a": [1.234, 5.678], "b": [3.0, 1.0]})
    page = html(frame.style.highlight_max(color="#ffe08a").format("{:.1f} kg").hide(axis="index"))
    cells = [attributes.get("style", "") for tag, attributes in tags_of(page) if tag == "td"]
    assert ["#ffe08a" in style for style in cells] == [False, True, True, False]
    assert [word for word in words_of(page).split("\n") if word] == ["a", "b", "1.2 kg", "3.0 kg", "5.7 kg", "1.0 kg"]


def test_a_stylers_table_styles_and_links_are_kept_and_its_addresses_judged() -> None:
    frame = pandas.DataFrame({"u": ["https://example.org/a?b=1&c=2", "x"]})
    styler = frame.style.format(hyperlinks="html").set_table_styles([{"selector": "th", "props": "color: #123456"}])
    page = html(styler)
    assert "color:#123456" in page.replace(" ", "")
    assert [attributes["href"] for tag, attributes in tags_of(page) if tag == "a"] == ["https://example.org/a?b=1&c=2"]
    bad = frame.style.format(lambda _: '<a href="javascript:alert(1)" style="background:url(//evil)">x</a>')
    assert harmless(html(bad))


def test_a_long_styler_shows_what_fits_and_attaches_its_data() -> None:
    frame = pandas.DataFrame(numpy.random.default_rng(47).normal(size=(1000, 10))).add_prefix("v")
    message = arrived(
        frame.style.apply(lambda column: [f"background-color: #{n % 256:02x}8080" for n in range(len(column))])
    )
    assert len(html_of(message)) < 100_000
    assert "of 1,000 rows and the first 6 of 10 columns; table.csv holds all of them, without the styles." in text_of(
        message
    )
    pandas.testing.assert_frame_equal(pandas.read_csv(io.BytesIO(attached(message)["table.csv"])), frame)


def test_the_text_of_a_styler_is_aligned_also_over_spans() -> None:
    frame = pandas.DataFrame(
        [[1, 2], [3, 4]], index=pandas.MultiIndex.from_product([["N"], ["Q1", "Q2"]]), columns=pandas.Index(["a", "b"])
    )
    assert render(frame.style).text.split("\n")[-2:] == ["N  Q1  1  2", "   Q2  3  4"]


@pytest.mark.parametrize("missing", ["css_inline", "nh3"])
def test_without_the_extra_a_styler_is_an_error_that_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MessageError) as caught:
        render(pandas.DataFrame({"a": [1]}).style)
    assert install("report") in caught.value.hint


def test_a_styler_looks_as_pandas_own_template_and_an_inliner_make_it(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pandas.DataFrame(
        [[1.25, -2.0, "a<b"], [3.5, 4.0, "é"]],
        index=pandas.MultiIndex.from_tuples([("x", 1), ("x", 2)], names=["out", "in"]),
        columns=pandas.MultiIndex.from_tuples([("p", "a"), ("p", "b"), ("q", "c")], names=["top", None]),
    )
    foot = frame.iloc[:, :2].agg(["sum"])
    numbers = [("p", "a"), ("p", "b")]

    def stylers() -> list[Any]:
        flat = frame[numbers].reset_index(drop=True)
        return [
            frame.style.format("{:.1f}", subset=numbers).highlight_max(subset=numbers, color="#ffe08a"),
            frame.style.map(lambda value: "color:red;font-family:'Courier New'" if value < 0 else "", subset=numbers),
            frame.style.set_caption("Said <b>so</b>").hide(axis="index").set_td_classes(frame.map(lambda _: "big")),
            frame.style.set_caption(("Long", "Short")).map_index(
                lambda _: "font-weight:bold;text-align:center", axis="columns"
            ),
            flat.style.bar(subset=[("p", "a")], color="#9ecae1").map_index(lambda _: "color:blue"),
            flat.style.concat(flat.agg(["sum"]).style.format("{:.3f}").map(lambda _: "color:green")),
            frame.style.set_table_styles([{"selector": "td", "props": "color: #123456"}]),
            foot.style.hide(axis="columns", level=0),
        ]

    def looks(styler: Any) -> list[tuple[str, dict[str, str]]]:
        return [
            (
                tag,
                {
                    name: str(sorted(dict(part.split(":", 1) for part in value.split(";")).items()))
                    if name == "style"
                    else value
                    for name, value in attributes.items()
                },
            )
            for tag, attributes in tags_of(render(styler).html or "")
        ]

    ours = [(looks(styler), render(styler).text, words_of(render(styler).html or "").split()) for styler in stylers()]
    monkeypatch.setattr(InlineTemplate, "render", lambda self, **given: str(self._usual.render(**given)))
    usual = [(looks(styler), render(styler).text, words_of(render(styler).html or "").split()) for styler in stylers()]
    for here, there in zip(ours, usual, strict=True):
        assert here == there


def test_of_columns_that_are_left_out_nothing_stays_beside_the_name_of_the_index() -> None:
    frame = pandas.DataFrame(numpy.ones((2, 60)), index=pandas.Index(["a", "b"], name="account")).add_prefix("m")
    page = html(frame.style)
    rows = [row.count("<td") + row.count("<th") for row in page.split("<tr")[1:]]
    assert len(rows) == 4
    assert len(set(rows)) == 1
    # Numbers stand to the right from the first column on.
    assert [attributes.get("align") for tag, attributes in tags_of(page) if tag == "td"][:1] == [None]
