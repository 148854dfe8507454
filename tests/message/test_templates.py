from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest
from hypothesis import given, settings, strategies
from matplotlib.figure import Figure

from mailconn_jupyter.errors import MessageError
from mailconn_jupyter.extras import install
from mailconn_jupyter.message.compiled import kept
from mailconn_jupyter.message.compose import compose
from mailconn_jupyter.message.template import Template
from tests.support.composed import ATTACKS, arrived, attached, harmless, html_of, tags_of, text_of, words_of

FRAME = pandas.DataFrame({"team": ["North"], "users": [1200]})


def test_subject_and_body_are_filled_in() -> None:
    message = arrived(
        Template("# Week {{ week }}\n\nHello {{ name }}: **{{ '%.1f' | format(share) }} %**"),
        subject="Churn, week {{ week }}",
        variables={"week": 47, "name": "Ana", "share": 3.14159},
    )
    assert message["Subject"] == "Churn, week 47"
    assert text_of(message) == "# Week 47\n\nHello Ana: **3.1 %**\n"
    assert "Hello Ana: <strong>3.1 %</strong>" in html_of(message)


@pytest.mark.filterwarnings("ignore:.*is sent as it stands")
def test_without_variables_braces_are_braces() -> None:
    assert arrived("{{ x }}", subject="{{ x }}")["Subject"] == "{{ x }}"
    assert text_of(arrived("{{ x }}", variables={})) == "{{ x }}\n"


@pytest.mark.parametrize("kind", ["text", "markdown", "html"])
def test_a_result_stands_where_its_variable_is(kind: Any) -> None:
    source = "before\n\n{{ table }}\n\nbetween {{ figure }}\n\nafter"
    if kind == "html":
        source = "<p>before</p>{{ table }}<p>between {{ figure }}</p><p>after</p>"
    message = arrived(Template(source, kind), variables={"table": FRAME, "figure": Figure(figsize=(2, 1))})
    page = html_of(message)
    tags = [tag for tag, _ in tags_of(page)]
    assert tags.index("table") < tags.index("img")
    assert (
        page.index("before")
        < page.index("<table cell")
        < page.index("between")
        < page.index("<img")
        < page.index("after")
    )
    assert "North   1200" in text_of(message)
    assert "<p style" not in page[page.index("before") + 12 : page.index("<table cell")].replace("</p>", "")
    assert sum(part.get_content_type() == "image/png" for part in message.walk()) == 1


def test_a_result_that_is_named_twice_is_rendered_once() -> None:
    message = arrived(Template("{{ t }}\n\n{{ t }}"), variables={"t": pandas.DataFrame({"a": range(300)})})
    assert list(attached(message)) == ["table.csv"]
    assert html_of(message).count("<table cell") == 2


@pytest.mark.parametrize(
    "attack", [*ATTACKS, "*not* [bold](https://evil.example) `x`", "# not a heading", "{{ 7 * 7 }}"]
)
@pytest.mark.parametrize("kind", ["text", "markdown", "html"])
def test_a_value_is_never_markup(kind: Any, attack: str) -> None:
    source = "<p>Hello {{ name }}.</p>" if kind == "html" else "Hello {{ name }}."
    message = arrived(Template(source, kind), FRAME, subject="For {{ name }}", variables={"name": attack})
    page = html_of(message)
    assert harmless(page)
    assert f"Hello {attack}." in words_of(page)
    assert "em" not in [tag for tag, _ in tags_of(page)]
    assert message["Subject"] == f"For {attack}"
    assert f"Hello {attack}." in text_of(message)


def test_an_address_in_a_template_must_be_one() -> None:
    for kind, source in (("markdown", "[x]({{ url }})"), ("html", '<a href="{{ url }}">x</a>')):
        good = arrived(Template(source, kind), FRAME, variables={"url": 'https://example.org/?a=1&b="2"'})  # type: ignore[arg-type]  # the kinds
        assert [a["href"] for tag, a in tags_of(html_of(good)) if tag == "a"] == ['https://example.org/?a=1&b="2"']
        bad = arrived(Template(source, kind), FRAME, variables={"url": "javascript:alert(1)"})  # type: ignore[arg-type]  # the kinds
        assert harmless(html_of(bad))


def test_a_result_in_an_attribute_is_its_text() -> None:
    message = arrived(Template('<p title="{{ t }}">x</p>', "html"), variables={"t": FRAME})
    titles = [attributes.get("title", "") for tag, attributes in tags_of(html_of(message)) if tag == "p"]
    assert any("North" in title for title in titles)
    assert "<table cell" not in html_of(message)


def test_a_name_that_is_not_given_is_named_with_its_nearest() -> None:
    with pytest.raises(MessageError) as caught:
        compose("ana@example.org", "x", Template("{{ nmae }}"), variables={"name": "Ana"})
    assert "'nmae'" in caught.value.message
    assert "Did you mean 'name'?" in caught.value.message
    with pytest.raises(MessageError, match="'week'"):
        compose("ana@example.org", "Week {{ week }}", "x", variables={})
    with pytest.raises(MessageError, match="no attribute 'nope'"):
        compose("ana@example.org", "x", Template("{{ a.nope }}"), variables={"a": {}})
    assert text_of(arrived(Template("{% if x is defined %}x{% else %}none{% endif %}"), variables={})) == "none\n"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ a", "an error in line 1"),
        ("ok\n{% if %}", "an error in line 2"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{% include 'x' %}", "cannot be filled in"),
        ("{{ range(10000000) | length }}", "OverflowError"),
    ],
)
def test_a_template_that_is_wrong_is_told_where_and_nothing_of_python_is_reached(source: str, message: str) -> None:
    with pytest.raises(MessageError, match=message):
        compose("ana@example.org", "x", Template(source), variables={"a": 1})


def test_loops_macros_and_conditions_work() -> None:
    source = (
        "{% macro line(item) %}- {{ item }}\n{% endmacro %}"
        "{% for one in items %}{{ line(one) }}{% endfor %}{{ items | join(', ') }}"
    )
    message = arrived(Template(source), FRAME, variables={"items": ["a", "<b>"]})
    assert text_of(message).startswith("- a\n- <b>\na, <b>")
    assert harmless(html_of(message))
    assert [tag for tag, _ in tags_of(html_of(message))].count("li") == 2


def test_a_file_says_by_its_suffix_what_it_is_and_may_include_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "foot.html").write_text("<p>Bye {{ name }}</p>")
    (tmp_path / "report.html.j2").write_text(
        "<style>p{color:#112233}</style><p>Hi {{ name }}</p>{% include 'foot.html' %}"
    )
    (tmp_path / "report.md").write_text("# Hi {{ name }}\n")
    (tmp_path / "report.txt").write_text("Hi {{ name }}\n")
    page = html_of(arrived(Template(tmp_path / "report.html.j2"), variables={"name": "<Ana>"}))
    assert '<p style="color:#112233">Hi &lt;Ana&gt;</p><p style="color:#112233">Bye &lt;Ana&gt;</p>' in page
    assert "<h1" in html_of(arrived(Template(tmp_path / "report.md"), variables={"name": "Ana"}))
    text = arrived(Template(tmp_path / "report.txt"), variables={"name": "Ana"})
    assert text.get_content_type() == "text/plain"
    with pytest.raises(MessageError, match="cannot be read"):
        compose("ana@example.org", "x", Template(tmp_path / "missing.md"), variables={})
    for nowhere in ("~nobody-of-that-name/x.md", "x\0.md"):
        with pytest.raises(MessageError, match="cannot be read"):
            compose("ana@example.org", "x", Template(Path(nowhere)), variables={})
    (tmp_path / "bad.md").write_text("{% include 'missing.md' %}")
    with pytest.raises(MessageError, match="not in the same folder"):
        compose("ana@example.org", "x", Template(tmp_path / "bad.md"), variables={})
    with pytest.raises(MessageError, match="no template kind 'rst'"):
        Template("x", "rst")  # type: ignore[arg-type]  # it is wrong on purpose


def test_the_subject_of_a_template_is_one_line() -> None:
    message = arrived("x", subject=Template("Week\n  {{ week }}\n", "text"), variables={"week": 47})  # type: ignore[arg-type]  # arrived says str
    assert message["Subject"] == "Week   47"
    with pytest.raises(MessageError, match="control character"):
        compose("ana@example.org", "Hi {{ name }}", variables={"name": "a\0b"})


def test_without_jinja2_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MessageError) as caught:
        compose("ana@example.org", "x", Template("y"), variables={})
    assert install("templates") in caught.value.hint


@pytest.mark.parametrize("kind", ["markdown", "text", "html"])
def test_a_table_in_running_text_stands_on_lines_of_its_own(kind: Any) -> None:
    source = "<p>Before {{ table }} after.</p>" if kind == "html" else "Before {{ table }} after."
    message = arrived(Template(source, kind), variables={"table": FRAME})
    text = text_of(message).split("\n")
    assert [line for line in text if line][:2] == ["Before", "team   users"]
    assert [line for line in text if line][-1] == "after."
    html = html_of(message)
    assert html.count("<p") == html.count("</p>") == 2
    assert html.index("</p>") < html.index("<table cell") < html.rindex("<p")


def test_a_table_inside_of_an_item_or_of_bold_text_leaves_the_page_whole() -> None:
    message = arrived(Template("- item {{ t }}\n\n**bold {{ t }} too**"), variables={"t": FRAME})
    assert "\nteam   users\n" in text_of(message)
    html = html_of(message)
    for tag in ("p", "li", "strong", "div"):
        assert len([name for name, _ in tags_of(html) if name == tag]) == html.count(f"</{tag}>")


def test_the_path_of_a_file_is_not_taken_for_a_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "report.md").write_text("# Hi")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MessageError, match=r"'report\.md' is the path of a file") as caught:
        Template("report.md")
    assert caught.value.hint == "Template(Path('report.md'))"
    assert Template("missing.md").source == "missing.md"


@given(strategies.text(strategies.characters(exclude_categories=["Cs"]), max_size=80))
@settings(max_examples=60)
def test_any_value_arrives_as_it_was(value: str) -> None:
    expected = value.replace("\r\n", "\n").replace("\r", "\n")
    message = arrived(Template("[{{ value }}]"), FRAME, variables={"value": value})
    assert text_of(message).startswith(f"[{expected}]")
    assert harmless(html_of(message))


@pytest.mark.parametrize("kind", ["text", "markdown", "html"])
@pytest.mark.parametrize(
    ("value", "said"),
    [
        (numpy.int64(47), "47"),
        (numpy.float64(0.25), "0.25"),
        (numpy.float32(0.1), "0.1"),
        (numpy.bool_(True), "True"),
        (numpy.str_("Ana"), "Ana"),
        (numpy.datetime64("2026-11-22T10:00", "ns"), "2026-11-22 10:00:00"),
        (numpy.datetime64("2026-11-22", "ns"), "2026-11-22"),
        (numpy.timedelta64(90, "m"), "1:30:00"),
        (pandas.Timestamp("2026-11-22"), "2026-11-22"),
        (pandas.Timestamp("2026-11-22", tz="UTC"), "2026-11-22 00:00:00+00:00"),
        (pandas.Timestamp("2026-11-22 10:00"), "2026-11-22 10:00:00"),
        (pandas.Timedelta("1h"), "1:00:00"),
        (datetime(2026, 11, 22), "2026-11-22 00:00:00"),  # noqa: DTZ001  # as people write it
        (date(2026, 11, 22), "2026-11-22"),
        (Decimal("1E+3"), "1000"),
        (Decimal("10.50"), "10.50"),
        (Decimal("1E+1000000"), "1E+1000000"),
        (Decimal("NaN"), "NaN"),
    ],
)
def test_numbers_and_times_read_as_people_write_them(kind: Any, value: Any, said: str) -> None:
    message = arrived(Template("[{{ v }}]", kind), subject="[{{ v }}]", variables={"v": value})
    assert text_of(message) == f"[{said}]\n"
    assert message["Subject"] == f"[{said}]"


def test_a_template_is_compiled_once_and_what_it_printed_before_is_forgotten(tmp_path: Path) -> None:
    (tmp_path / "macros.txt").write_text("{% macro shout(x) %}{{ x | upper }}!{% endmacro %}")
    (tmp_path / "letter.txt").write_text("{% import 'macros.txt' as m %}{{ m.shout(name) }} {{ 3 }} {{ t }}")
    path = tmp_path / "letter.txt"
    misses = []
    for name in ("Ana", "Bea", "Eve"):
        message = arrived(Template(path), variables={"name": name, "t": [name, name]})
        assert text_of(message) == f"{name.upper()}! 3\n['{name}', '{name}']\n"
        misses.append(kept.cache_info().misses)
    assert misses == misses[:1] * 3
    size = kept.cache_info().currsize
    assert text_of(arrived(Template(f"{'x' * 300_000}{{{{ n }}}}", "text"), subject="Hi", variables={"n": 1})).endswith(
        "x1\n"
    )
    assert kept.cache_info().currsize <= size + 1  # the subject's
    path.write_text("Changed, {{ name }}")
    assert text_of(arrived(Template(path), variables={"name": "Ana"})) == "Changed, Ana\n"
    path.write_text("{% import 'macros.txt' as m %}{{ m.shout(name) }}")
    (tmp_path / "macros.txt").write_text("{% macro shout(x) %}{{ x }}?{% endmacro %}  ")
    os.utime(tmp_path / "macros.txt", (1, 1))
    assert text_of(arrived(Template(path), variables={"name": "Ana"})) == "Ana?\n"


def test_templates_that_are_filled_in_at_once_do_not_meet() -> None:
    template = Template("{% for n in range(200) %}{{ name }} {% endfor %}{{ t }}", "text")

    def one(number: int) -> bool:
        text = text_of(arrived(template, variables={"name": f"n{number}", "t": [number, [number]]}))
        return text.split() == [f"n{number}"] * 200 + f"[{number}, [{number}]]".split()

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(one, range(100)))


class Nested:
    """An object whose HTML is made from a template, too."""

    def _repr_html_(self) -> str:
        body = html_of(arrived(Template("<p>inner {{ name }}</p>", "html"), variables={"name": "Bea"}))
        return body[body.index("<p") : body.index("</p>")] + "</p>"


def test_a_template_within_the_value_of_a_template_has_its_own_values() -> None:
    message = arrived(Template("{{ name }} {{ nested }} {{ name }}"), variables={"name": "Ana", "nested": Nested()})
    assert text_of(message).split() == ["Ana", "inner", "Bea", "Ana"]
