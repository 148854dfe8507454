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

from mailconn_jupyter import sandbox
from mailconn_jupyter.delivery.send_notebook import send_notebook
from tests.saved_notebooks import code, keep, printed, shown, weekly, words
from tests.servers.require import require, require_packages

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
        (file,) = [part for part in message.attachments if not part.inline]
        assert (file.name, file.content_type) == (f"{path.stem}.pdf", "application/pdf")
        return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(file.data)).pages)

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
