"""The HTML of a message in Chromium, as a careful mail program shows it: no scripts, nothing from outside."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

import pytest

from mailconn_jupyter.message.compose import compose
from mailconn_jupyter.message.render.words import HTML, Markdown, MimeBundle, Preformatted
from tests.browser.dark_programs import DARK, PROGRAMS
from tests.browser.mail_page import page_of
from tests.support.composed import ATTACKS, arrived, html_of
from tests.support.letters import LETTERS, MESSAGES, customers
from tests.support.mixed_reports import REPORTS
from tests.support.results import KINDS, png, table

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page, Request

SHOWN = {name: kind for name, kind in KINDS.items() if kind.html}
PICTURES = {name: kind for name, kind in KINDS.items() if kind.pictures}

# The colours of each piece of text and of what lies behind it, and the contrast of the two (WCAG 2.2, 1.4.3).
_CONTRAST = """() => {
    const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
        .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) {
        const text = walker.currentNode.textContent.trim();
        if (!text) continue;
        let node = walker.currentNode.parentElement, ground = null;
        const ink = light(parse(getComputedStyle(node).color));
        for (; node; node = node.parentElement) {
            const colour = parse(getComputedStyle(node).backgroundColor);
            if (colour.length === 3 || colour[3] === 1) { ground = light(colour); break; }
        }
        if (ground === null) { found.push([text, 0]); continue; }
        const [high, low] = ink > ground ? [ink, ground] : [ground, ink];
        found.push([text, (high + 0.05) / (low + 0.05)]);
    }
    return found;
}"""


# What is wider than the box that it stands in, where that box cuts it off or scrolls.
_CUT = """() => [...document.querySelectorAll('*')]
    .filter(e => e.scrollWidth > e.clientWidth && e.clientWidth && getComputedStyle(e).overflowX !== 'visible')
    .map(e => e.outerHTML.slice(0, 80))"""


class Listener:
    """A server that only counts who comes."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.visits = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                visitor, _ = self._socket.accept()
            except OSError:
                return
            self.visits += 1
            visitor.close()

    def close(self) -> None:
        # A thread that waits in accept() is not woken by close() alone.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


@pytest.fixture
def listener() -> Iterator[Listener]:
    server = Listener()
    yield server
    server.close()


class Reader:
    """A mail program; ``requests`` is what it was made to ask for beside the message itself."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self.requests: list[str] = []
        self._contexts: list[Any] = []

    def open(self, message: EmailMessage, *, scripts: bool = False, **options: Any) -> Page:
        context = self._browser.new_context(
            java_script_enabled=scripts, **{"viewport": {"width": 1024, "height": 700}} | options
        )
        self._contexts.append(context)
        page = context.new_page()
        page.on("request", self._asked)
        page.on("dialog", self._spoken_to)
        page.set_content(page_of(message), wait_until="load")
        return page

    def _asked(self, request: Request) -> None:
        if not request.url.startswith("data:"):
            self.requests.append(request.url)

    def _spoken_to(self, dialog: Dialog) -> None:
        self.requests.append(f"dialog: {dialog.message}")
        dialog.dismiss()  # nobody else would, and the page would hang

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@pytest.fixture
def reader(browser: Browser) -> Iterator[Reader]:
    program = Reader(browser)
    yield program
    program.close()


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_is_loaded_and_has_the_size_that_is_said(name: str, reader: Reader) -> None:
    page = reader.open(arrived(PICTURES[name].make()))
    sizes = page.evaluate(
        "() => [...document.images].map(i => [i.complete, i.naturalWidth, i.naturalHeight, i.width, i.height, i.alt])"
    )
    assert len(sizes) == 1
    for complete, own_wide, own_high, wide, high, alt in sizes:
        assert complete
        assert alt
        # A retina image has twice the pixels; what has fewer is shown as it is.
        assert (own_wide, own_high) in {(wide, high), (wide * 2, high * 2), (wide * 2 - 1, high * 2 - 1)} or abs(
            own_wide / wide - own_high / high
        ) < 0.02
    assert (own_wide / wide == pytest.approx(2, abs=0.01)) == (name not in {"image", "object with PNG"})
    assert reader.requests == []


def test_numbers_stand_to_the_right_and_words_to_the_left(reader: Reader) -> None:
    page = reader.open(arrived(table()))
    sides = page.evaluate(
        "() => [...document.querySelectorAll('tbody tbody tr')].map(row => [...row.cells].map(c => getComputedStyle(c).textAlign))"
    )
    assert len(sides) == 6
    for row in sides:
        assert [side.replace("-webkit-", "").replace("start", "left") for side in row] == [
            "left",
            "right",
            "right",
            "left",
        ]
    heads = page.evaluate("() => [...document.querySelectorAll('th')].map(c => getComputedStyle(c).textAlign)")
    assert [side.replace("-webkit-", "").replace("start", "left") for side in heads] == [
        "left",
        "right",
        "right",
        "left",
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_on_its_ground_by_day_and_night(scheme: str, reader: Reader) -> None:
    content = [kind.make() for name, kind in SHOWN.items() if name not in {"plotly", "altair", "long dataframe"}]
    content += [table(200), Preformatted("printed"), Markdown("> quoted\n\n`code`\n\n| a | b |\n|---|---|\n| 1 | 2 |")]
    page = reader.open(arrived("A sentence.", *content), color_scheme=scheme)
    found = page.evaluate(_CONTRAST)
    assert len(found) > 100
    assert [(text, ratio) for text, ratio in found if ratio < 4.5] == []


def test_a_usual_table_needs_no_sideways_scrolling_on_a_telephone(reader: Reader) -> None:
    page = reader.open(arrived("A sentence.", table(), KINDS["figure"].make()), viewport={"width": 480, "height": 800})
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 480
    boxes = page.evaluate("() => [...document.querySelectorAll('div')].map(d => [d.scrollWidth, d.clientWidth])")
    assert [box for box in boxes if box[0] > box[1]] == []


@pytest.mark.parametrize("name", MESSAGES)
def test_nothing_is_wider_than_a_narrow_pane_of_a_mail_program(name: str, reader: Reader) -> None:
    page = reader.open(MESSAGES[name](), viewport={"width": 600, "height": 700})
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 600
    assert page.evaluate(_CUT) == []


@pytest.mark.parametrize("name", MESSAGES)
def test_on_a_telephone_nothing_is_cut_off(name: str, reader: Reader) -> None:
    telephone: dict[str, Any] = {"viewport": {"width": 375, "height": 700}, "is_mobile": True, "has_touch": True}
    page = reader.open(MESSAGES[name](), **telephone)
    # What is wider is shown smaller, as telephones do where a page names no scale; not so small that none can read it.
    wide, scale = page.evaluate("() => [visualViewport.width, visualViewport.scale]")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= wide + 1
    assert scale >= 0.62
    assert name not in SHOWN or scale == 1
    assert page.evaluate(_CUT) == []


def test_on_a_telephone_a_long_text_is_some_words_wide_beside_columns_that_cannot_be_broken(reader: Reader) -> None:
    page = reader.open(arrived(customers()), viewport={"width": 375, "height": 700})
    words, letter = page.evaluate(
        "() => [[...document.querySelectorAll('table table tr')].map(row => row.cells[2].getBoundingClientRect().width),"
        " document.querySelector('th').getBoundingClientRect().height]"
    )
    assert min(words) >= 100
    # Where there is room, it takes it: six lines are one.
    page.set_viewport_size({"width": 1024, "height": 700})
    assert (
        page.evaluate("() => document.querySelectorAll('table table tr')[1].getBoundingClientRect().height")
        < 2 * letter
    )


def test_beside_a_table_that_is_wider_than_a_telephone_the_words_are_not(reader: Reader) -> None:
    page = reader.open(arrived("A sentence. " * 20, *REPORTS["wide"]()), viewport={"width": 375, "height": 700})
    widths = page.evaluate("() => [...document.querySelectorAll('p,img')].map(e => e.getBoundingClientRect().right)")
    assert [wide for wide in widths if wide > 375] == []
    # All of the table is there for who zooms out, as telephones do.
    assert page.evaluate(_CUT) == []


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("name", [*REPORTS, *LETTERS])
def test_every_text_can_be_read_where_a_program_turns_the_colours(name: str, program: str, reader: Reader) -> None:
    page = reader.open(MESSAGES[name](), color_scheme="dark")
    by_day = page.evaluate(_CONTRAST)
    ground = "() => getComputedStyle(document.querySelector('td')).backgroundColor"
    before = page.evaluate(ground)
    page.evaluate(DARK, program)
    assert page.evaluate(ground) != before
    found = page.evaluate(_CONTRAST)
    assert len(found) > 5
    # The colours of a Styler are its author's: what they are by day, they may be by night.
    usual = [text for text, ratio in by_day if ratio >= 4.5]
    assert [(text, ratio) for text, ratio in found if ratio < (4.5 if text in usual else 3)] == []


def hostile(port: int) -> list[tuple[str, Any]]:
    """Attacks, each at every place where a result can hold a text."""
    pandas = pytest.importorskip("pandas")
    polars = pytest.importorskip("polars")
    fetches = (
        f'<img src="http://127.0.0.1:{port}/a"><link rel="stylesheet" href="http://127.0.0.1:{port}/b">',
        f"<style>@import url(http://127.0.0.1:{port}/c);td{{background:url(http://127.0.0.1:{port}/d)}}</style>",
        f'<iframe src="http://127.0.0.1:{port}/e"></iframe><object data="http://127.0.0.1:{port}/f"></object>',
        f'<div style="background:url(http://127.0.0.1:{port}/g)">x</div><meta http-equiv="refresh" content="0;http://127.0.0.1:{port}/h">',
        f'<table background="http://127.0.0.1:{port}/i"><video src="http://127.0.0.1:{port}/j" poster="http://127.0.0.1:{port}/k">',
        "<script>document.title='ran'</script>",
        "<img src=x onerror=\"document.title='ran'\">",
        "</title></style></textarea><svg onload=\"document.title='ran'\">",
    )
    found = []
    for attack in (*fetches, *ATTACKS):
        frame = pandas.DataFrame({attack: [attack, "b"], "n": [1, 2]}, index=pandas.Index([attack, "z"], name=attack))
        style = frame.style.set_caption(attack).format(lambda value: value, subset=[attack])
        deep = pandas.DataFrame(
            [[1, 2]], columns=pandas.MultiIndex.from_tuples([(attack, "a"), ("x", attack)], names=[attack, "l"])
        )
        try:
            raise ValueError(attack)
        except ValueError as error:
            raised = error
        found += [
            ("text", attack),
            ("frame", frame),
            ("hierarchy", deep),
            ("series", pandas.Series([attack], name=attack, index=[attack])),
            ("styler", style),
            ("unescaped styler", frame.style.format(str, escape=None)),
            ("polars", polars.DataFrame({attack: [attack]})),
            ("dict", {attack: attack}),
            ("exception", raised),
            ("markdown", Markdown(attack)),
            ("html", HTML(attack)),
            ("printed", Preformatted(attack)),
            ("bundle", MimeBundle({"text/html": attack, "text/plain": attack}, {}, attack)),
            ("picture", MimeBundle({"image/png": png()}, {"image/png": {"alt": attack}}, attack)),
        ]
    return found


@pytest.mark.filterwarnings("ignore::mailconn_jupyter.errors.MailConnWarning")
@pytest.mark.parametrize("scripts", [False, True], ids=["scripts off", "scripts on"])
def test_no_attack_runs_or_loads_anything_wherever_it_stands(
    scripts: bool, reader: Reader, listener: Listener
) -> None:  # a parameter of the test
    contents = hostile(listener.port)
    for start in range(0, len(contents), 14):
        batch = contents[start : start + 14]
        attack = batch[0][1]
        message = arrived(*(value for _, value in batch), subject=attack, attachments={f"{attack}.txt": b"x"})
        page = reader.open(message, scripts=scripts)
        page.wait_for_timeout(50)
        assert page.title() != "ran"
        assert (
            page.evaluate("() => document.querySelectorAll('script,iframe,object,svg,video,link,style,form').length")
            == 0
        )
        page.context.close()
    assert reader.requests == []
    assert listener.visits == 0


def test_a_reader_that_allows_it_would_have_been_caught(reader: Reader, listener: Listener) -> None:
    """The control of the test above: the same page with an attack put into it does call."""
    message = compose("ana@example.org", "x", {"a": 1}, sender="bob@example.org")
    attacked = html_of(message).replace("</body>", f'<img src="http://127.0.0.1:{listener.port}/"></body>')
    page = reader.open(arrived("x", {"a": 1}))
    page.set_content(attacked)
    page.wait_for_timeout(200)
    assert reader.requests
    assert listener.visits
