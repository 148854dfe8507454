"""``send_notebook(..., attach="pdf")``: the PDF that nbconvert makes with a browser, as it arrives.

Playwright looks for a Chromium that it has downloaded itself. Here the system's stands in that place.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mailconn_jupyter import MailConnection, sandbox
from mailconn_jupyter.delivery.send_notebook import NotebookError, send_notebook
from mailconn_jupyter.message.render.cell_outputs import PLOTLY
from tests.servers.require import require, require_packages
from tests.servers.stranger import Stranger, stranger
from tests.support.composed import text_of
from tests.support.foreign_notebooks import RAN, WIDE, Hostile, hostile
from tests.support.saved_notebooks import code, keep, printed, shown, trust, weekly, words

# In a process of its own: this one may have Playwright's event loop running.
_ASKING = """
from playwright.sync_api import Error, sync_playwright
with sync_playwright() as playwright:
    try:
        playwright.chromium.launch().close()
    except Error as error:
        print(error)
"""

Reader = Callable[..., str]

pytestmark = pytest.mark.filterwarnings("ignore::mailconn_jupyter.errors.MailConnWarning")


@pytest.fixture(scope="module")
def browsers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of Playwright's browsers in which the system's Chromium is."""
    require_packages("nbconvert", "playwright", "pypdf")
    program = require("chromium")
    folder = tmp_path_factory.mktemp("browsers")
    asked = subprocess.run(
        [sys.executable, "-c", _ASKING],
        env=os.environ | {"PLAYWRIGHT_BROWSERS_PATH": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"Executable doesn't exist at (.+?)\s*$", asked.stdout, re.MULTILINE)
    assert found is not None, asked.stdout
    place = Path(found[1])
    assert place.is_relative_to(folder)
    place.parent.mkdir(parents=True)
    place.symlink_to(program)
    return folder


@pytest.fixture
def pdf_of(browsers: Path, own_config: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    """The text of the PDF that arrives when the notebook is sent."""
    import pypdf  # noqa: PLC0415  # an extra

    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(browsers))
    own_config.parent.mkdir(exist_ok=True)
    server = sandbox.start()

    def send(path: Path, **options: Any) -> str:
        send_notebook("sandbox", "ana@example.org", path, attach="pdf", **options)
        (message,) = server.inbox
        (file,) = [part for part in message.attachments if part.content_type == "application/pdf"]
        assert file.name == f"{path.stem}.pdf"
        pages = pypdf.PdfReader(io.BytesIO(file.data)).pages
        images = [image for page in pages for image in page.images]
        assert not any(image.image is not None and image.image.width == WIDE for image in images), "the local image"
        return "\n".join(page.extract_text() for page in pages)

    yield send
    server.stop()


def test_the_pdf_says_what_the_notebook_says_without_its_code(pdf_of: Reader, tmp_path: Path) -> None:
    text = pdf_of(weekly(tmp_path))
    places = [text.index(said) for said in ("Churn, week 47", "Three things moved.", "first", "2.1")]
    assert places == sorted(places)
    for absent in ("print(", "hidden output", "hidden = 1", "drop me", "import secrets"):
        assert absent not in text


def test_the_code_is_in_the_pdf_when_asked_for_but_for_what_is_tagged(pdf_of: Reader, tmp_path: Path) -> None:
    path = keep(
        tmp_path,
        words("# Churn"),
        code("first = 1", printed("one\n")),
        code("second = 2", printed("two\n"), tags=("remove_input",)),
        code("third = 3", printed("three\n"), tags=("remove_output",)),
        code("fourth = 4", shown({"text/plain": "four"}), tags=("remove_cell",)),
    )
    text = pdf_of(path, code=True)
    for said in ("Churn", "first = 1", "one", "two", "third = 3"):
        assert said in text
    for absent in ("second = 2", "three", "fourth", "four"):
        assert absent not in text


# What a stranger's notebook reaches for. Without a guard, these tests have shown: the file in the PDF, scripts that ran.


@pytest.fixture
def far() -> Iterator[Stranger]:
    with stranger() as server:
        yield server


@pytest.fixture
def theirs(tmp_path: Path, far: Stranger) -> Hostile:
    return hostile(tmp_path, far.url)


def test_no_local_file_and_no_script_gets_into_the_pdf_of_a_saved_notebook_and_no_request_leaves(
    pdf_of: Reader, theirs: Hostile, far: Stranger, tmp_path: Path
) -> None:
    text = pdf_of(theirs.keep(tmp_path, title=f"<script>{RAN}</script>"))
    assert "LOCAL-SECRET" not in text
    assert RAN not in text.replace(f"('{RAN}')", "")  # as words, where it is a text
    assert far.asked == []
    shown = " ".join(text.split())
    for name in theirs.cells:
        kind, _, rest = name.partition(" ")
        if kind == "html":
            assert f"kept {rest}" in shown


@pytest.mark.parametrize("target", ["file", "server"])
@pytest.mark.parametrize("place", ["html", "markdown"])
def test_a_page_that_wants_to_be_another_one_stays(
    pdf_of: Reader, theirs: Hostile, far: Stranger, tmp_path: Path, place: str, target: str
) -> None:
    url = theirs.secret.as_uri() if target == "file" else f"{far.url}/refresh"
    html = f'<meta http-equiv="refresh" content="0;url={url}">'
    cell = (
        words(f"Hello\n\n{html}")
        if place == "markdown"
        else code("show()", shown({"text/html": f"<p>Hello</p>{html}"}))
    )
    text = pdf_of(keep(tmp_path, words("# Report"), cell))
    assert "Hello" in text
    assert "LOCAL-SECRET" not in text
    assert far.asked == []


def test_what_was_run_just_here_may_run_its_scripts_but_reads_no_file(
    pdf_of: Reader, theirs: Hostile, tmp_path: Path
) -> None:
    html = (
        f"<p id=told>still</p><script>document.getElementById('told').append(' {RAN}')</script>"
        f'<iframe src="{theirs.secret.as_uri()}"></iframe><img src="{theirs.picture.as_uri()}">'
        f"<script>setTimeout(() => location.href = '{theirs.secret.as_uri()}', 10)</script>"
    )
    text = pdf_of(keep(tmp_path, code(f"from IPython.display import HTML\nHTML({html!r})")), execute=True)
    assert f"still {RAN}" in text
    assert "LOCAL-SECRET" not in text


def test_what_jupyter_trusts_may_run_its_scripts(pdf_of: Reader, theirs: Hostile, tmp_path: Path) -> None:
    html = f"<p id=told>still</p><script>document.getElementById('told').append(' {RAN}')</script>"
    path = keep(tmp_path, words("# Own"), code("show()", shown({"text/html": html})))
    trust(path)
    assert f"still {RAN}" in pdf_of(path)


@pytest.mark.parametrize("place", ["file", "server"])
def test_a_chart_of_a_stranger_shows_no_file_of_this_disk_and_fetches_nothing(
    browsers: Path, theirs: Hostile, far: Stranger, tmp_path: Path, place: str
) -> None:
    require_packages("kaleido", "plotly")
    source = theirs.picture.as_uri() if place == "file" else f"{far.url}/picture.png"
    image = {"source": source, "xref": "paper", "yref": "paper", "x": 0, "y": 1, "sizex": 1, "sizey": 1}
    chart = {"data": [{"type": "scatter", "x": [1, 2], "y": [1, 2]}], "layout": {"images": [image]}}
    path = keep(tmp_path, words("# Report"), code("figure", shown({PLOTLY: chart, "text/plain": "the chart"})))
    ops = MailConnection(name="ops", server_host="mail.example.org", from_address="bob@example.org")
    message = send_notebook(ops, "ana@example.org", path, attach=None, dry_run=True).message
    assert "the chart" in text_of(message)
    assert not [part for part in message.walk() if part.get_content_maintype() == "image"]
    assert far.asked == []


def test_no_password_gets_into_the_pdf_of_a_notebook_that_was_run(
    browsers: Path, own_config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pypdf  # noqa: PLC0415  # an extra

    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(browsers))
    monkeypatch.setenv("MAILCONN_OPS_PASSWORD", "correct-horse-battery")
    own_config.parent.mkdir(exist_ok=True)
    path = keep(
        tmp_path,
        code("%load_ext mailconn_jupyter\n%xmode Verbose"),
        code("%mailconn new ops --host 127.0.0.1 --port 1 --username ana"),
        code("%mailconn show ops\n%mailconn doctor"),
        code("try:\n    import mailconn_jupyter\n    mailconn_jupyter.connect('ops')\nfinally:\n    print('tried')"),
    )
    server = sandbox.start()
    try:
        with pytest.raises(NotebookError, match=r"churn\.ipynb failed in cell \d+: \w+: ops: connect failed"):
            send_notebook("sandbox", "ana@example.org", path, attach="pdf", execute=True, on_error="send", code=True)
        (message,) = server.inbox
    finally:
        server.stop()
    (file,) = [part for part in message.attachments if part.content_type == "application/pdf"]
    reader = pypdf.PdfReader(io.BytesIO(file.data))
    text = "\n".join(page.extract_text() for page in reader.pages)
    assert "MAILCONN_OPS_PASSWORD" in text  # the name of the variable is told
    assert "tried" in text
    said = [message.text, message.html, text, *(str(value) for value in (reader.metadata or {}).values())]
    assert not any("correct-horse" in one for one in said)
    assert b"correct-horse" not in message.raw
