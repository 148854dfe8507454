"""One Jupyter server and one Chromium for all tests, and the proof after each that no secret was left anywhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.pages import FormPage, chromium
from tests.browser.site import Site, run_site
from tests.servers.require import require_packages
from tests.support.form_driver import eventually

if TYPE_CHECKING:
    from playwright.sync_api import Browser

#: The passwords that the tests type: the right one of alice, and wrong ones.
SECRETS = ("s3cret", "wr0ng-Pa55", "busy-k3rnel")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    require_packages("playwright", "jupyterlab", "notebook", "voila", "axe_playwright_python")
    with chromium() as launched:
        yield launched


@pytest.fixture(scope="package")
def running_site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The Jupyter server."""
    with run_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture
def site(running_site: Site) -> Iterator[Site]:
    """The Jupyter server with no connection in it; afterwards no secret is in any file that it or a kernel wrote."""
    for path in running_site.store.folder.glob("*"):
        path.unlink()
    yield running_site
    # The kernel's log has the content of each message: that there was something to find.
    assert eventually(lambda: "*** MESSAGE TYPE:comm_msg***" in running_site.log, 20)
    assert running_site.places_of(*SECRETS) == []
    running_site.end_kernels()


@pytest.fixture
def visit(browser: Browser, site: Site, request: pytest.FixtureRequest) -> Iterator[Callable[..., FormPage]]:
    """Open a notebook with these cells; afterwards no script of the form has failed.

    Each page as it is at the end is put into the folder that BROWSER_PICTURES names, for whoever mends a test.
    """
    visited: list[FormPage] = []

    def go(name: str, *cells: str, path: str = "doc/tree", width: int = 1300) -> FormPage:
        if cells:
            site.notebook(name, *cells)
        page = FormPage(browser, site, width=width)
        visited.append(page)
        page.open(name, path)
        return page

    yield go
    if folder := os.environ.get("BROWSER_PICTURES"):
        for number, page in enumerate(visited):
            page.picture(Path(folder, f"{request.node.name}-{number}.png"))
    # Scripts of widgets are loaded from blobs; Notebook 7 has errors of its own.
    errors = [error for page in visited for error in page.errors if "blob:" in error]
    for page in visited:
        page.close()
    assert errors == []
