"""A page of a front end in Chromium, and what a person does there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.servers.require import require

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

    from tests.browser.site import Site

__all__ = ["FormPage", "chromium"]

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, as long as it is wanted."""
    program = require("chromium")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # an extra

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_FLAGS))
        yield browser
        browser.close()


_NAME = (
    "node => (node.labels?.[0]?.innerText || node.getAttribute('aria-label') || node.innerText || node.tagName).trim()"
)
_NAME_OF_FOCUSED = f"() => ({_NAME})(document.activeElement)"
_NAMES_OF_FIELDS = (
    "() => [...document.querySelectorAll('.mailconn-columns input, .mailconn-columns select')]"
    f".filter(node => node.getClientRects().length).map({_NAME})"
)


class FormPage:
    """A notebook with forms in it."""

    def __init__(self, browser: Browser, site: Site, *, width: int = 1300, height: int = 1000) -> None:
        self.site = site
        self.context = browser.new_context(viewport={"width": width, "height": height})
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        #: What scripts of the page complained of, and where.
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(f"{error} {error.stack}"))

    def open(self, name: str, path: str = "doc/tree") -> None:
        """Open a notebook and wait for its kernel."""
        self.page.goto(f"{self.site.url}/{path}/{name}.ipynb?token={self.site.token}&reset=")
        if not path.startswith("voila"):
            self.page.locator(".jp-Notebook .jp-Cell").first.wait_for()
            self.idle()

    def idle(self) -> None:
        """Wait until the kernel has nothing to do."""
        self.page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').first.wait_for(
            state="attached", timeout=60_000
        )

    def cell(self, number: int) -> Locator:
        """A cell of the notebook, from 0."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(number)

    def run(self, number: int, *, wait: bool = True) -> None:
        """Run a cell, and with ``wait`` until it has a number.

        A page that is not yet connected to its kernel for good takes the key, and forgets it.
        """
        prompt = self.cell(number).locator(".jp-InputArea-prompt")
        before = prompt.inner_text()
        end = time.monotonic() + 30
        self._press_run(number)
        while wait and prompt.inner_text() in {before, "[*]:", "[ ]:"}:
            assert time.monotonic() < end, "the cell did not run"
            self.page.wait_for_timeout(150)
            if prompt.inner_text() in {before, "[ ]:"}:
                self.page.wait_for_timeout(300)
                if prompt.inner_text() in {before, "[ ]:"}:
                    self._press_run(number)

    def _press_run(self, number: int) -> None:
        # A slow start makes JupyterLab ask for a kernel; the notebook's own is what it proposes.
        for accept in self.page.locator("dialog.jp-Dialog .jp-mod-accept").all():
            accept.click()
        self.cell(number).locator(".jp-InputArea-editor").click()
        self.page.keyboard.press("Control+Enter")
        self.page.wait_for_timeout(150)

    def form(self, number: int = 0) -> Locator:
        """A form that is on the page, from 0."""
        return self.page.locator(".mailconn-form").nth(number)

    def button(self, name: str, number: int = 0) -> Locator:
        """A button of the form, by what is on it."""
        return self.form(number).get_by_role("button", name=name, exact=True).locator("visible=true")

    def field(self, label: str, number: int = 0) -> Locator:
        """A field of the form, by its label."""
        return self.form(number).get_by_label(label, exact=True).locator("visible=true")

    def unfold(self, number: int = 0) -> None:
        """Open every section that is folded."""
        folded = (
            self.form(number)
            .locator(".widget-vbox:not(.mailconn-open) > .mailconn-fold button")
            .locator("visible=true")
        )
        while folded.count():
            before = folded.count()
            folded.first.click()
            self.page.wait_for_function(
                "([form, count]) => [...form.querySelectorAll('.widget-vbox:not(.mailconn-open) > .mailconn-fold button')]"
                ".filter(node => node.getClientRects().length).length < count",
                arg=[self.form(number).element_handle(), before],
            )

    def fill(self, number: int = 0, /, **values: str | bool) -> None:
        """Fill fields in by their labels, with _ for a space and without the question mark."""
        self.unfold(number)
        for name, value in values.items():
            label = name.replace("_", " ")
            if isinstance(value, bool):
                self.field(f"{label}?", number).set_checked(value)
            elif label in {"Connection protocol", "Secure authentication type", "Proxy type"}:
                self.field(label, number).select_option(value)
            else:
                self.field(label, number).fill(value)

    def says(self, text: str, number: int = 0) -> None:
        """Wait until the form says it somewhere."""
        from playwright.sync_api import TimeoutError as NotThereError  # noqa: PLC0415  # an extra

        try:
            self.form(number).get_by_text(text).locator("visible=true").first.wait_for()
        except NotThereError:
            raise AssertionError(f"{text!r} is not in the form, which says: {self.form(number).inner_text()}") from None

    def save_notebook(self) -> None:
        """Ctrl+S, which a form's field would swallow, and wait until it is on the disk."""
        self.page.locator(".jp-Notebook .jp-Cell").last.locator(".jp-InputArea-editor").click()
        self.page.keyboard.press("Control+s")
        self.page.wait_for_timeout(300)
        self.page.locator(".jp-mod-dirty").first.wait_for(state="detached")

    def restart(self) -> None:
        """Restart the kernel, as the menu does."""
        self.page.keyboard.press("Escape")
        self.page.get_by_role("button", name="Restart the kernel", exact=False).first.click()
        self.page.locator(".jp-Dialog").get_by_role("button", name="Confirm Kernel Restart").click()
        self.page.wait_for_timeout(500)
        self.idle()

    def type_and_run(self, number: int, source: str) -> None:
        """Put something else into a cell, and run it."""
        self.cell(number).locator(".jp-InputArea-editor").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(source)
        self.run(number)

    def theme(self, name: str) -> None:
        """Change JupyterLab's theme while the form is shown."""
        dark = "Dark" in name
        self.page.evaluate(
            "async name => { const app = window.jupyterapp; await app.commands.execute('apputils:change-theme', {theme: name}); }",
            name,
        )
        self.page.locator(f'body[data-jp-theme-light="{"false" if dark else "true"}"]').wait_for(state="attached")
        self.page.wait_for_timeout(300)

    def focused(self) -> str:
        """What a person would call the control that has the keyboard."""
        return str(self.page.evaluate(_NAME_OF_FOCUSED))

    def tab_through(self, count: int) -> list[str]:
        """The names of the next controls in the form as Tab reaches them, beginning with the one that has the focus."""
        names = []
        for _ in range(count):
            names.append(self.focused())
            self.page.keyboard.press("Tab")
        return names

    def labels(self) -> list[str]:
        """The names of the form's fields that can be seen, from the top to the bottom."""
        return [str(name) for name in self.page.evaluate(_NAMES_OF_FIELDS)]

    def picture(self, path: Path) -> None:
        """Keep what can be seen, if the page is still there."""
        if not self.page.is_closed():
            path.parent.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=path)

    def close(self) -> None:
        """Leave."""
        self.context.close()
