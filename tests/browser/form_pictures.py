"""Pictures of the form and of the inbox, wide and narrow, by day and by night, and the two that the README shows.

Run it with ``python -m tests.browser.form_pictures FOLDER``, as root, where Dovecot and Chromium are installed. For looking
at; ``form-light.png`` and ``form-dark.png`` are what ``notebooks/images`` holds.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.browser.pages import FormPage, chromium
from tests.browser.site import Site, run_site
from tests.servers.state_folder import certified_folder
from tests.support.acting import Acted, run_kind
from tests.support.mailboxes import mail

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_SIZES: Final = ((1300, 800), (480, 800))
_THEMES: Final = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
_STORED: Final = """\
%load_ext mailconn_jupyter
import mailconn_jupyter as mailconn
from mailconn_jupyter.store import last_tests
mailconn.sandbox.start("ops")
for options in (
    {"name": "archive", "protocol": "MBOX", "server_host": "/srv/mail/archive.mbox"},
    {"name": "inbox", "protocol": "IMAP", "server_host": "imap.example.org", "username": "ana@example.org"},
    {"name": "news", "server_host": "mail.example.org", "secure_authentication_type": "SSL", "username": "news@example.org"},
):
    mailconn.connections.save(mailconn.MailConnection(**options), replace=True)
last_tests.record("inbox", ok=True, summary="inbox: works", milliseconds=41)
last_tests.record("ops", ok=True, summary="ops: works", milliseconds=12)
last_tests.record("news", ok=False, summary="news: Log in failed. The server refuses the password.", milliseconds=87)
"""
_INBOX: Final = (
    "import os; os.environ['MAILCONN_WORK_PASSWORD'] = {!r}\n%load_ext mailconn_jupyter\n%mailconn inbox work"
)
# The folders of this run are nobody's.
_ANA: Final = """home => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode())
        walker.currentNode.textContent = walker.currentNode.textContent.replaceAll(home, '/home/ana');
}"""


def _page(browser: Browser, site: Site) -> FormPage:
    page = FormPage(browser, site)
    page.page.set_default_timeout(120_000)
    return page


def _form(browser: Browser, site: Site, target: Path) -> None:
    page = _page(browser, site)
    site.notebook("form", _STORED, "%mailconn default ops", "%mailconn form")
    page.open("form")
    for number in range(3):
        page.run(number)
    page.form().get_by_role("radio", name="news").check()
    page.says("Its last test failed")
    _all(page, target, "list")
    page.button("Delete").click()
    page.says("Delete 'news'")
    _all(page, target, "question")
    page.button("Keep").click()
    page.theme(_THEMES["dark"])
    _readme(page, site, target / "form-dark.png")
    page.theme(_THEMES["light"])
    page.form().get_by_role("radio", name="ops").check()
    page.button("Edit").click()
    page.field("Server host").wait_for()
    page.button("Test").click()
    page.says("The connection works")
    _readme(page, site, target / "form-light.png")
    _all(page, target, "tested")
    page.unfold()
    page.fill(Server_port="70000", Use_proxy=True)
    page.says("70000 is not a port")
    _all(page, target, "unfolded")
    page.close()


def _inbox(browser: Browser, site: Site, server: Acted, target: Path) -> None:
    subjects = (
        "Invoice 47",
        "Re: the minutes of Monday's meeting, and what follows from them for the second half of the year",
    )
    box = server.box(
        [mail(subjects[0], file="47.pdf"), mail("Здравствуйте, Ana", seen=True), mail(subjects[1]), mail("שלום")]
    )
    site.store.save(box.connection.copy(name="work"))
    page = _page(browser, site)
    site.notebook("inbox", _INBOX.format(server.dovecot.master[1]))
    page.open("inbox")
    page.run(0)
    page.form().get_by_role("checkbox", name="Invoice 47").check()
    page.says("1 selected")
    page.form().locator("option", has_text="Archive").wait_for(state="attached")
    _all(page, target, "inbox")
    page.button("Delete").click()
    page.says("Move 1 message to the trash")
    _all(page, target, "inbox-question")
    page.close()


def _all(page: FormPage, target: Path, name: str) -> None:
    """In each theme and size, all that there is of it: a page does not end where the window does."""
    for theme, called in _THEMES.items():
        page.theme(called)
        for wide, high in _SIZES:
            page.page.set_viewport_size({"width": wide, "height": high})
            page.page.wait_for_timeout(400)
            page.form().scroll_into_view_if_needed()
            page.picture(target / f"{name}-{wide}-{theme}.png")
            needed = int(page.form().evaluate("node => node.getBoundingClientRect().height"))
            page.page.set_viewport_size({"width": wide, "height": max(needed + 400, high)})
            page.page.wait_for_timeout(300)
            page.form().screenshot(path=target / f"{name}-{wide}-{theme}-whole.png")
    page.theme(_THEMES["light"])
    page.page.set_viewport_size({"width": 1300, "height": 1000})


def _readme(page: FormPage, site: Site, path: Path) -> None:
    page.page.evaluate(_ANA, str(site.folder / "home"))
    page.page.evaluate("document.activeElement.blur()")
    page.form().evaluate("node => { node.style.width = '992px'; }")
    page.page.set_viewport_size({"width": 1300, "height": 1600})
    page.page.wait_for_timeout(500)
    page.page.mouse.move(0, 0)
    page.form().screenshot(path=path)
    page.form().evaluate("node => { node.style.width = ''; }")
    page.page.set_viewport_size({"width": 1300, "height": 1000})


def main() -> None:
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    with (
        certified_folder() as (state, certificates),
        chromium() as browser,
        run_site(state / "site") as site,
        run_kind("MOVE and UIDPLUS", state / "dovecot", certificates) as dovecot,
    ):
        _form(browser, site, target)
        _inbox(browser, site, Acted("MOVE and UIDPLUS", dovecot, certificates), target)


if __name__ == "__main__":
    main()
