from __future__ import annotations

import base64
import datetime
import decimal
import io
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image

from mailconn_jupyter.errors import MailConnError, MailConnWarning, MessageError
from mailconn_jupyter.extras import install
from mailconn_jupyter.message.compose import compose
from mailconn_jupyter.message.render import HTML, Markdown, MimeBundle, Preformatted, render
from mailconn_jupyter.message.render.html.plain_text import plain_text
from mailconn_jupyter.message.render.html.sanitise import sanitised
from tests.support.composed import ATTACKS, arrived, attached, harmless, html_of, tags_of, text_of, travelled, words_of


def png(wide: int = 8, high: int = 6) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (wide, high), "red").save(buffer, "PNG")
    return buffer.getvalue()


class Shows:
    """An object with the representations that it is given."""

    def __new__(cls, **methods: Any) -> Any:
        members = {
            name: (lambda _self, said=said: said() if callable(said) else said) for name, said in methods.items()
        }
        return object.__new__(type("Shows", (), members))


def html(value: Any) -> str:
    rendered = render(value).html
    assert rendered is not None
    return rendered


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (42, "42"),
        (True, "True"),
        (1.5, "1.5"),
        (2j, "2j"),
        (decimal.Decimal("1.10"), "1.10"),
        (datetime.date(2024, 5, 6), "2024-05-06"),
        (datetime.timedelta(hours=1), "1:00:00"),
        (numpy.float64(0.1), "0.1"),
        (numpy.int8(3), "3"),
        (numpy.arange(3), "[0 1 2]"),
        ([1, "two"], "[1, 'two']"),
        ({"auc": 0.88, "n": 3}, "auc  0.88\nn       3"),
        ({}, "{}"),
        ({"a": [1]}, '{\n  "a": [\n    1\n  ]\n}'),
        (range(3), "range(0, 3)"),
    ],
)
def test_plain_values_are_shown_as_a_notebook_shows_them(value: Any, text: str) -> None:
    assert render(value).text == text


def test_what_a_cell_printed_keeps_its_columns_and_loses_its_colours() -> None:
    part = render(Preformatted("\x1b[1;31mred\x1b[0m   <b>\n  x\x08\n"))
    assert part.text == "red   <b>\n  x\N{REPLACEMENT CHARACTER}"
    assert part.html is not None
    assert "red   &lt;b&gt;\n" in part.html


def test_paragraphs_lines_and_spaces_of_a_text_are_kept_in_html() -> None:
    page = html_of(arrived("one\ntwo   three\n\n  four", {"a": 1}))
    assert "one<br>\ntwo&nbsp;&nbsp; three</p>" in page
    assert ">&nbsp; four</p>" in page
    assert " dir=rtl " in html_of(arrived("שלום", {"a": 1}))


def test_markdown_is_formatted_and_reads_as_it_was_written() -> None:
    source = (
        "# Week 47\n\n- *one* [two](https://example.org)\n\n| a | b |\n|---|--:|\n| x | 1 |\n\n```\nprint(1 < 2)\n```"
    )
    message = arrived(Markdown(source))
    assert text_of(message) == f"{source}\n"
    tags = [tag for tag, _ in tags_of(html_of(message))]
    assert {"h1", "li", "em", "a", "table", "pre"} <= set(tags)
    assert "print(1 &lt; 2)" in html_of(message)
    assert '<td style="text-align:right">1</td>' in html_of(message)


@pytest.mark.parametrize("attack", [*ATTACKS, "[x](javascript:alert(1))", "<a href='javascript:alert(1)'>x</a>"])
def test_an_attack_in_markdown_is_not_obeyed(attack: str) -> None:
    assert harmless(html(Markdown(attack)))
    assert harmless(html(Markdown(f"```{attack}\n{attack}\n```\n\n`{attack}`")))


def test_an_image_of_markdown_is_named_and_not_loaded() -> None:
    part = render(Markdown("![our logo](https://tracker.example/x.png)"))
    assert "[our logo]" in words_of(part.html or "")
    assert harmless(part.html or "")
    assert "An image of the Markdown is not sent" in part.warnings[0]


def test_without_a_markdown_library_it_goes_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "markdown_it", None)
    with pytest.warns(MailConnWarning, match="markdown-it-py"):
        message = travelled(compose("ana@example.org", "x", Markdown("*one*")))
    assert text_of(message) == "*one*\n"


HOSTILE = """
<html><head><title>t</title><base href="https://evil.example/"><meta http-equiv="refresh" content="0;url=//evil">
<link rel="stylesheet" href="https://evil.example/x.css"><style>p {color: red} .x {background: url(//evil.example/y)}
@import "https://evil.example/z.css";</style></head><body onload="alert(1)">
<script>alert(1)</script><p class="x" onclick="alert(1)">kept</p><iframe src="//evil"></iframe><object data="x"></object>
<form action="//evil"><input name="password"><button>go</button></form><svg><script>1</script></svg><math><mi></mi></math>
<a href="javascript:alert(1)">a</a><a href="JaVa&#10;Script:alert(1)">b</a><a href="data:text/html,x">c</a>
<a href="https://example.org/?a=1&b=2">d</a><img src="https://evil.example/t.png" alt="logo"><img src="x" onerror="1">
<div style="position:fixed;top:0;background:url('//evil');margin:-50px;color:blue;width:expression(1)">e</div>
<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript><!-- comment --><embed src="x"><video src="x">
<table background="//evil.example/b.png"><tr><td style="background-image:u\\rl(//evil)">f</td></tr></table>
</body></html>
"""


def test_foreign_html_keeps_its_looks_and_nothing_that_acts_or_loads() -> None:
    result = sanitised(HOSTILE)
    assert harmless(result.html)
    # An image of the web is a link, which loads nothing.
    assert "evil" not in result.html.replace('<a href="https://evil.example/t.png">[logo]</a>', "")
    assert "alert" not in result.html
    assert '<p style="color:red">kept</p>' in result.html
    assert "margin:50px;color:blue" in result.html
    assert 'href="https://example.org/?a=1&amp;b=2"' in result.html
    assert "[logo]" in result.html
    assert any("image" in warning for warning in result.warnings)


class _Counting(BaseHTTPRequestHandler):
    requests = 0

    def do_GET(self) -> None:
        type(self).requests += 1
        self.send_response(404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name of the standard library
        pass


@pytest.fixture
def web() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Counting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_inlining_styles_fetches_nothing_and_reads_no_file(web: str, tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("p { color: #abcdef }")
    page = (
        f'<link rel="stylesheet" href="{tmp_path}/a.css"><link rel="stylesheet" href="file://{tmp_path}/a.css">'
        f'<link rel="stylesheet" href="{web}/a.css"><link rel=stylesheet href={web}/b.css><style>@import "{web}/c.css";'
        f'@import url({web}/d.css); p {{background: url({web}/e.png)}}</style><p>x</p><img src="{web}/f.png">'
    )
    assert harmless(sanitised(page).html)
    assert "abcdef" not in sanitised(page).html
    assert _Counting.requests == 0


def test_an_image_inside_html_becomes_an_image_of_the_message() -> None:
    source = base64.b64encode(png(40, 20)).decode()
    message = arrived(HTML(f'<p>x</p><img src="data:image/png;base64,{source}">'))
    (image,) = [attributes for tag, attributes in tags_of(html_of(message)) if tag == "img"]
    assert (image["width"], image["height"], image["alt"]) == ("40", "20", "Image")
    assert image["src"].startswith("cid:")
    bad = render(HTML('<img src="data:image/png;base64,AAAA"><img src="data:image/svg+xml;base64,PHN2Zz4=">x'))
    assert not bad.pictures
    assert harmless(bad.html or "")


def test_html_of_ones_own_without_the_sanitiser_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nh3", None)
    with pytest.raises(MessageError) as caught:
        render(HTML("<p>x</p>"))
    assert install("report") in caught.value.hint


def test_an_object_without_the_sanitiser_is_shown_as_its_text_and_the_author_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "nh3", None)
    value = Shows(_repr_html_="<b>rich</b>", __repr__="<plain>")
    with pytest.warns(MailConnWarning, match="nh3 is not installed"):
        message = travelled(compose("ana@example.org", "x", value))
    assert text_of(message) == "<plain>\n"
    assert "<b>rich" not in html_of(message)


def test_styles_without_the_inliner_are_lost_and_the_author_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "css_inline", None)
    part = render(HTML("<style>p{color:red}</style><p>x</p>"))
    assert part.html == "<p>x</p>"
    assert "css-inline" in part.warnings[0]


def test_the_best_form_that_a_mail_can_hold_is_taken() -> None:
    image = Shows(_repr_png_=png())
    both = Shows(_repr_html_="<i>rich</i>", _repr_png_=png(), _repr_markdown_="*no*")
    scripted = Shows(_repr_html_="<div id=x></div><script>draw()</script>", _repr_png_=png())
    marked = Shows(_repr_markdown_="*yes*", _repr_latex_="$x$")
    latex = Shows(_repr_latex_="$x$", __repr__="plain")
    assert render(image).pictures
    assert (render(both).html, render(both).pictures) == ("<i>rich</i>", ())
    assert render(scripted).pictures
    assert not render(scripted).files
    assert "<em>yes</em>" in html(marked)
    assert render(latex).text == "plain"
    assert render(Shows(_repr_latex_="$x$")).text == "$x$"
    assert render(Shows(_repr_json_={"a": 1})).text == '{\n  "a": 1\n}'


def test_a_bundle_may_come_with_metadata_as_notebooks_keep_it() -> None:
    lines = [base64.b64encode(png(64, 32)).decode()]
    data = {"image/png": lines, "text/plain": ["<Figure>"]}
    for bundle in (
        MimeBundle(data, {"image/png": {"width": 32, "height": 16}}),
        Shows(_repr_mimebundle_=(data, {"image/png": {"width": 32, "height": 16}})),
    ):
        assert 'width="32" height="16"' in html(bundle)
    assert render(MimeBundle({"text/plain": ["a\n", "b"]})).text == "a\nb"
    assert render(MimeBundle({"application/x-unknown": 1}, name="Thing")).text == "(Thing)"


def test_what_needs_scripts_is_attached_as_a_page_and_said_so() -> None:
    value = Shows(_repr_html_='<p>still</p><iframe srcdoc="x"></iframe><script>go()</script>')
    message = arrived(value)
    assert attached(message)["shows.html"].endswith(b"<script>go()</script>")
    assert harmless(html_of(message))
    assert "still" in text_of(message)
    assert "The interactive version is attached: open shows.html in a browser." in text_of(message)


def test_a_drawing_is_attached_because_mail_programs_show_none() -> None:
    message = arrived(Shows(_repr_svg_="<svg><script>1</script></svg>"))
    assert attached(message) == {"image.svg": b"<svg><script>1</script></svg>"}
    assert harmless(html_of(message))


def test_a_form_that_fails_gives_way_to_the_next_and_the_author_is_told() -> None:
    def fails() -> Any:
        raise RuntimeError("broken")

    part = render(Shows(_repr_html_=fails, _repr_markdown_="*next*"))
    assert part.text == "*next*"
    assert part.warnings == ("Shows._repr_html_ failed: RuntimeError('broken')",)
    with pytest.raises(MessageError, match="its repr fails"):
        render(Shows(__repr__=fails))


def test_an_exception_is_what_it_says_and_then_where_it_came_from() -> None:
    secret = "hunter2"  # noqa: F841  # a local that no traceback may show
    try:
        try:
            dict[str, int]()["key"]
        except KeyError as error:
            raise ValueError("could not <load>\nthe table") from error
    except ValueError as error:
        message = arrived(error)
    text = text_of(message)
    assert text.startswith("ValueError: could not <load>\nthe table\n\nTraceback (most recent call last):")
    assert "KeyError: 'key'" in text
    assert "test_render_objects.py" in text
    assert "hunter2" not in text.replace('secret = "hunter2"', "")
    assert "~" not in text
    assert "could not &lt;load&gt;" in html_of(message)


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_in_an_exception_or_a_repr_is_shown_and_not_obeyed(attack: str) -> None:
    group = ExceptionGroup(attack, [ValueError(attack)])
    for value in (
        ValueError(attack),
        group,
        Shows(__repr__=attack),
        Preformatted(attack),
        [attack],
        {attack: {attack: 1}},
    ):
        page = html_of(arrived(value))
        assert harmless(page)
        assert (
            attack in words_of(page)
            or repr(attack)[1:-1] in words_of(page)
            or attack.replace('"', '\\"') in words_of(page)
        )


def test_our_own_errors_need_no_traceback() -> None:
    part = render(MailConnError("The server is gone.", hint="Try again."))
    assert part.text == "MailConnError: The server is gone.\nTry again."
    assert "Traceback" not in (part.html or "")


def test_a_very_deep_traceback_is_cut_in_its_middle() -> None:
    def down(number: int) -> None:
        if not number:
            raise RuntimeError("x" * 100_000)
        down(number - 1)

    with pytest.raises(RuntimeError) as caught:
        down(50)
    part = render(caught.value)
    assert len(part.html or "") < 250_000
    assert "\n  ...\n" in part.text


def test_frames_of_the_notebook_itself_are_left_out() -> None:
    code = compile("def run(f):\n    f()\n", "/lib/IPython/core/interactiveshell.py", "exec")
    space: dict[str, Any] = {}
    exec(code, space)
    outer = compile("run(cell)", "/lib/ipykernel/zmqshell.py", "exec")

    def cell() -> None:
        raise ValueError("in the cell")

    try:
        exec(outer, space | {"cell": cell})
    except ValueError as error:
        error.__traceback__ = error.__traceback__.tb_next if error.__traceback__ else None
        text = render(error).text
    assert "interactiveshell" not in text
    assert "zmqshell" not in text
    assert "in cell" in text


def test_html_reads_well_as_plain_text() -> None:
    source = (
        "<h2>Title</h2><p>One <b>two</b>\n three<br>four</p><ul><li>a</li><li>b</li></ul><pre>x   y\n z</pre>"
        '<p><a href="https://example.org">here</a></p><hr><table><caption>Cap</caption><tr><th rowspan=2>k<th>long name'
        '<tr><td style="text-align: right">1</table><img alt="Chart"><style>p{}</style>'
    )
    assert plain_text(source) == (
        "Title\n\nOne two three\nfour\n\n- a\n- b\n\nx   y\n z\n\nhere (https://example.org)\n\n--------------------\n\n"
        "Cap\nk  long name\n           1\n\n[Chart]"
    )


def test_an_object_of_which_no_form_works_says_why() -> None:
    class Broken:
        def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
            raise ValueError("no GPU")

    with pytest.raises(MessageError, match=r"Broken\._repr_mimebundle_ failed: ValueError\('no GPU'\)"):
        render(Broken())


@pytest.mark.parametrize(
    ("said", "looks"),
    [
        ("", 'width="572" height="143" style="width:800px;max-width:100%;height:auto"'),
        (' width="300"', 'width="300" style="max-width:100%;height:auto"'),
        (' style="width:320px"', 'width="320" style="width:320px;max-width:100%;height:auto"'),
        (' style="height:40px"', 'style="height:40px;max-width:100%"'),
        (' style="max-width:10em;border:0"', 'style="max-width:10em;border:0"'),
    ],
)
def test_an_image_within_html_has_its_width_as_an_attribute_and_fits_its_pane(said: str, looks: str) -> None:
    source = base64.b64encode(png(800, 200)).decode()
    shown = render(HTML(f'<p>x</p><img alt="a" src="data:image/png;base64,{source}"{said}>')).html or ""
    assert looks in shown


def test_a_number_has_the_decimals_that_a_cell_was_told() -> None:
    from IPython.core.interactiveshell import InteractiveShell  # noqa: PLC0415  # beside its only use

    shell = InteractiveShell.instance()
    try:
        assert render(1037.7190661).text == "1037.7190661"
        shell.run_line_magic("precision", "2")
        assert render(1037.7190661).text == "1037.72"
        assert render(numpy.float64(1037.7190661)).text == "1037.72"
        assert render(3).text == "3"
        shell.run_line_magic("precision", "")
        assert render(numpy.float64(0.5)).text == "0.5"
    finally:
        shell.run_line_magic("precision", "")
        InteractiveShell.clear_instance()
