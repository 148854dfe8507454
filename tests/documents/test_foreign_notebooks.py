"""A notebook that somebody else has filled: in text, page and file it is data, and what was lost is told."""

from __future__ import annotations

import io
import json
import warnings
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import nbformat
import pytest
from nbformat.sign import NotebookNotary
from PIL import Image

import mailconn_jupyter as mailconn
from mailconn_jupyter.delivery.send_notebook import send_notebook
from mailconn_jupyter.documents.inert import inert
from mailconn_jupyter.documents.notebook_trust import is_trusted
from mailconn_jupyter.errors import MailConnWarning
from mailconn_jupyter.message.render.cell_outputs import PLOTLY
from tests.support import shells
from tests.support.composed import attached, harmless, html_of, tags_of, text_of, travelled
from tests.support.foreign_notebooks import RAN, Hostile, hostile
from tests.support.saved_notebooks import PIXEL, code, keep, printed, shown, trust, weekly, words
from tests.support.shells import Shell, keep as keep_connection

shell = shells.shell
clean_up = shells.clean_up

OPS = mailconn.MailConnection(name="ops", server_host="mail.example.org", from_address="bob@example.org")
FAR = "https://stranger.example"
LOST = "Scripts, frames and drawings of the HTML in the notebook are not sent"


@pytest.fixture
def theirs(tmp_path: Path) -> Hostile:
    return hostile(tmp_path, FAR)


def sent(path: Path, **options: Any) -> tuple[EmailMessage, list[str]]:
    """The message that the notebook would be, and what its sender is told."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", MailConnWarning)
        report = send_notebook(OPS, "ana@example.org", path, dry_run=True, **options)
    return travelled(report.message), [str(said.message) for said in caught]


class _Styles(HTMLParser):
    """The style sheets of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.sheets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "style":
            self.sheets.append("")

    def handle_data(self, data: str) -> None:
        if self.lasttag == "style":
            self.sheets[-1] += data


def reaches_out(page: str) -> list[str]:
    """What in the page could act or load, whatever its policy says."""
    found = []
    for tag, attributes in tags_of(page):
        if tag in {"script", "iframe", "object", "embed", "link", "base", "svg", "form", "video", "template", "math"}:
            found.append(tag)
        for name, value in attributes.items():
            said = value.lower()
            named = name.startswith("on") or name in {
                "srcdoc",
                "srcset",
                "background",
                "poster",
                "action",
                "http-equiv",
            }
            if named and said != "content-security-policy":
                found.append(f"{tag} {name}")
            if name in {"src", "href", "data"} and not said.startswith(("data:image/", "http", "mailto:")):
                found.append(f"{tag} {name}={said}")
            if name == "src" and said.startswith("http"):
                found.append(f"{tag} {name}={said}")
            if name == "style" and "url(" in said:
                found.append(f"{tag} style")
    return found


def test_nothing_in_the_page_of_a_strangers_notebook_acts_or_loads(theirs: Hostile, tmp_path: Path) -> None:
    path = theirs.keep(tmp_path, title=f"<script>{RAN}</script>", widgets={"x": "</script><script>"})
    message, said = sent(path, code=True)
    files = attached(message)
    page = files["report.html"].decode()
    assert reaches_out(page) == []
    assert "default-src 'none'; img-src data:" in page
    assert FAR not in "".join(_sheets(page))
    for name in theirs.cells:
        kind, _, rest = name.partition(" ")
        if kind == "html":
            assert f"kept {rest}".replace("'", "&#x27;") in page or f"kept {rest}" in page
    assert sum(line.startswith(LOST) for line in said) == 1
    assert "execute=True" in " ".join(said)
    assert "jupyter trust" in " ".join(said)


def _sheets(page: str) -> list[str]:
    reader = _Styles()
    reader.feed(page)
    return reader.sheets


def test_nothing_of_a_strangers_notebook_acts_in_the_mail_and_no_page_of_theirs_is_attached(
    theirs: Hostile, tmp_path: Path
) -> None:
    message, said = sent(theirs.keep(tmp_path), attach=None, code=True)
    assert harmless(html_of(message))
    assert FAR not in "".join(
        value for tag, named in tags_of(html_of(message)) if tag != "a" for value in named.values()
    )
    assert attached(message) == {}
    assert any(line.startswith(LOST) for line in said)


def test_a_notebook_that_is_attached_itself_is_as_it_was_and_the_scripts_in_it_are_told(
    theirs: Hostile, tmp_path: Path
) -> None:
    message, said = sent(theirs.keep(tmp_path), attach="ipynb")
    assert RAN in attached(message)["report.ipynb"].decode()
    assert "report.ipynb is attached unchanged, with its scripts and frames; none of them was run here." in said
    message, said = sent(weekly(tmp_path), attach="ipynb")
    assert said == []
    assert json.loads(attached(message)["churn.ipynb"])["cells"][2]["outputs"][1]["data"]


def test_a_notebook_without_anything_that_acts_looks_as_ever_and_nothing_is_said(tmp_path: Path) -> None:
    html = '<table class="dataframe"><thead><tr><th>a</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>'
    path = keep(
        tmp_path,
        words(
            "# Report\n\n- one\n- `two`\n\n```python\nf(1)\n```\n\n![a](attachment:a.png)",
            {"a.png": {"image/png": PIXEL}},
        ),
        code("df", shown({"text/html": html, "text/plain": "a"})),
        code("fig", shown({"image/png": PIXEL}, metadata={"image/png": {"width": 20, "height": 10}})),
        code("print(1)", printed("1 < 2\n")),
    )
    message, said = sent(path, code=True)
    assert said == []
    page = attached(message)["churn.html"].decode().partition("<main>")[2]
    assert "<li>one</li>" in page
    assert page.count("data:image/png;base64") == 2
    assert "bgcolor" in page  # the table's own look
    assert '<span class="nb">print</span>' in page  # and that of the code
    assert "1 &lt; 2" in page
    assert ("img", "20") in {(tag, named.get("width")) for tag, named in tags_of(page)}
    own, _ = sent(path, code=True, attach=None)
    trust(path)
    as_ever, _ = sent(path, code=True, attach=None)
    assert html_of(own) == html_of(as_ever)
    assert text_of(own) == text_of(as_ever)


def test_what_jupyter_trusts_keeps_its_scripts(tmp_path: Path) -> None:
    path = keep(tmp_path, words("# Own"), code("show()", shown({"text/html": f"<p>map</p><script>{RAN}</script>"})))
    trust(path)
    message, said = sent(path)
    assert said == []
    assert all(RAN in page.decode() for page in attached(message).values())
    assert set(attached(message)) == {"churn.html", "output.html"}
    # A byte more, and it is a stranger's.
    path.write_text(path.read_text().replace("map", "mop"))
    message, said = sent(path)
    assert RAN not in attached(message)["churn.html"].decode()
    assert said


def test_a_notary_of_before_nbformat_5_11_which_cannot_be_closed_is_asked_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = keep(tmp_path, words("# Own"))
    trust(path)
    monkeypatch.delattr(NotebookNotary, "close", raising=False)
    assert is_trusted(nbformat.read(path, as_version=4))  # type: ignore[no-untyped-call]


def test_nothing_is_made_where_jupyter_has_signed_nothing(tmp_path: Path, own_config: Path) -> None:
    sent(weekly(tmp_path))
    data = own_config.parent / "data"
    assert not list(data.rglob("*nbsignatures*")) + list(data.rglob("notebook_secret"))
    data.mkdir(exist_ok=True)
    (data / "nbsignatures.db").write_text("no database")
    (data / "notebook_secret").write_text("x")
    assert not is_trusted({"nbformat": 4, "cells": [], "metadata": {}})


@pytest.mark.parametrize("variable", ["", "JUPYTER_PATH", "JUPYTER_DATA_DIR"])
def test_what_lies_beside_a_notebook_is_no_template_of_its_page(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "nbconvert" / "templates" / "lab" if variable else tmp_path / "lab"
    folder.mkdir(parents=True)
    (folder / "index.html.j2").write_text("<script>theirs()</script>")
    theirs = {"type": "theirs.Preprocessor", "enabled": True}
    (folder / "conf.json").write_text(json.dumps({"base_template": "base", "preprocessors": {"500-x": theirs}}))
    monkeypatch.chdir(tmp_path)
    if variable:
        monkeypatch.setenv(variable, ".")
    path = weekly(tmp_path)
    theirs_as_data = sent(path)[0]
    trust(path)
    for message in (theirs_as_data, sent(path)[0]):
        page = attached(message)["churn.html"].decode()
        assert "theirs()" not in page
        assert "Three things moved." in page


def test_what_was_run_just_here_keeps_its_scripts_and_what_it_left_alone_does_not(tmp_path: Path) -> None:
    shows = "from IPython.display import HTML, display\ndisplay(HTML('<p>p</p><script>mine()</script>'))"
    theirs = shown({"text/html": "<p>old</p><script>theirs()</script>"})
    path = keep(tmp_path, words("# R"), code(shows, theirs), code("x", theirs, tags=("skip-execution",)))
    message, _ = sent(path, execute=True)
    page = attached(message)["churn.html"].decode()
    assert "mine()" in page
    assert "theirs()" not in page
    assert page.count("<p>old</p>") == 1


def test_without_what_sanitises_there_is_no_html_of_a_stranger(
    theirs: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "nh3", None)
    message, said = sent(theirs.keep(tmp_path))
    assert reaches_out(attached(message)["report.html"].decode()) == []
    assert any("nh3 is not installed" in line for line in said)


SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="5" height="5">{}</svg>'


@pytest.mark.parametrize(
    "inside",
    [
        "<script>1</script>",
        "<svg:script>1</svg:script>",
        '<g onload="1"/>',
        "<g\nonclick='1'/>",
        '<image href="file:///etc/passwd"/>',
        '<use href="https://x.example/a.svg#b"/>',
        '<a href="javascript:1"><rect/></a>',
        "<foreignObject><p>1</p></foreignObject>",
        "<animate attributeName='href' to='javascript:1'/>",
        '<rect style="fill:url(https://x.example)"/>',
        '<rect fill="&#117;rl(https://x.example)"/>',
        "<style>@import 'https://x.example'</style>",
        "<style>*{fill:u\\72l(https://x.example)}</style>",
    ],
)
def test_a_drawing_that_acts_or_reaches_out_is_not_attached(tmp_path: Path, inside: str) -> None:
    drawing = shown({"image/svg+xml": SVG.format(inside), "text/plain": "a drawing"})
    message, said = sent(keep(tmp_path, words("# R"), code("f()", drawing)))
    assert set(attached(message)) == {"churn.html"}
    assert "a drawing" in text_of(message)
    assert said[0].startswith(LOST)


def test_a_drawing_of_matplotlib_is_shown(tmp_path: Path) -> None:
    figure, axes = plt.subplots()
    axes.set_title("$x_1$")
    axes.plot([1, 2])
    figure.savefig(tmp_path / "a.svg")
    plt.close(figure)
    drawing = shown({"image/svg+xml": (tmp_path / "a.svg").read_text()})
    message, said = sent(keep(tmp_path, words("# R"), code("f()", drawing)))
    [image] = [part for part in message.walk() if part.get_content_type() == "image/png"]
    assert Image.open(io.BytesIO(image.get_content())).width > 600
    assert said == []


@pytest.mark.parametrize(
    "figure",
    [
        {"layout": {"images": [{"source": "file:///etc/passwd"}]}},
        {"layout": {"images": [{"source": "/etc/passwd"}]}},
        {"layout": {"template": {"layout": {"images": [{"source": "https://x.example/a.png"}]}}}},
        {"data": [{"type": "image", "source": "../a.png"}]},
        {"data": [{"type": "choropleth", "geojson": "https://x.example/a.json"}]},
        {"data": [{"type": "scattermap"}]},
        {"layout": {"title": {"text": '<span style="background:url(https://x.example)">t</span>'}}},
        {"layout": {"title": {"text": '<b style="background:url(https://x.example)">t</b>'}}},
    ],
    ids=str,
)
def test_a_chart_that_would_fetch_something_is_not_drawn(figure: dict[str, Any]) -> None:
    notebook, said = inert(_notebook({PLOTLY: {"data": [], **figure}, "text/plain": "a chart"}))
    assert notebook.cells[0].outputs[0].data == {"text/plain": "a chart"}
    assert "would fetch" in said[0]


@pytest.mark.parametrize(
    "figure",
    [
        {"data": [{"type": "bar", "y": {"dtype": "f8", "bdata": "//8="}}]},
        {"data": [{"type": "heatmap"}, {"type": "treemap"}, {"type": "scatter"}]},
        {"layout": {"title": {"text": 'a < b<br><b>x</b> <a href="https://x.example">y</a> C:\\z'}}},
        {"layout": {"images": [{"source": f"data:image/png;base64,{PIXEL}"}]}},
        {"layout": {"font": {"style": "italic"}}},
    ],
    ids=str,
)
def test_a_chart_of_its_own_data_stays(figure: dict[str, Any]) -> None:
    notebook, said = inert(_notebook({PLOTLY: figure}))
    assert notebook.cells[0].outputs[0].data == {PLOTLY: figure}
    assert said == []


def _notebook(data: dict[str, Any]) -> Any:
    import nbformat  # noqa: PLC0415

    return nbformat.v4.new_notebook(cells=[code("f()", shown(data))])  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("made", "attached_as"),
    [
        ("HTML('<p>a page</p><script>theirs()</script>')", "html.html"),
        ("SVG(data='<svg><script>theirs()</script></svg>')", "image.svg"),
    ],
)
def test_who_shows_a_text_of_html_in_a_cell_is_told_of_the_scripts_that_go_along(
    shell: Shell, made: str, attached_as: str
) -> None:
    keep_connection("ops", from_address="bob@example.org")
    line = "send ops --to ana@example.org --subject S --preview"
    shell.ok("from IPython.display import HTML, SVG")
    said = f"{attached_as} is attached with everything active in it, such as scripts: whoever opens it runs them."
    for cell in (f"%%mailconn {line}\n{made}", f"%mailconn {line} {{{made}}}"):
        ran = shell.ok(cell)
        assert said in ran.text
        assert "theirs()" not in ran.html
    assert said not in shell.ok(f"%%mailconn {line}\nHTML('<p>a page</p>')").text
