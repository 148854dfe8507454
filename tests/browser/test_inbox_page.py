"""The inbox in JupyterLab: its actions on a real server, the keyboard alone, both themes, and mail that means no good."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.session.connect_by_protocol import connect_imap
from tests.browser.test_manager_page import complaints
from tests.servers.certificates import Certificates
from tests.support.acting import TRASH, Acted, run_kind, subjects
from tests.support.mailboxes import Mailbox, fill_file, mail

if TYPE_CHECKING:
    from tests.browser.pages import FormPage
    from tests.browser.site import Site

#: What must stay text: markup, and every kind of formula that JupyterLab sets.
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "Price $x^2$ and $y$",
    "$$\\sum x$$",
    r"\(x^2\) and \[y\]",
    r"\begin{equation}x\end{equation}",
    "\u202etxt.exe",
)
#: What reaches beyond the right edge of the form.
_BEYOND = """form => { const edge = form.getBoundingClientRect().right + 0.5;
    return [...form.querySelectorAll('*')]
        .filter(one => one.getBoundingClientRect().right > edge && !one.closest('.mailconn-hidden, option'))
        .map(one => `${one.tagName} ${one.className} ${one.textContent.slice(0, 30)}`); }"""
FORMULAS = ".MathJax, mjx-container, .katex"


@pytest.fixture(scope="module")
def server(server_state: Path, certificates: Certificates) -> Iterator[Acted]:
    with run_kind("MOVE and UIDPLUS", server_state / "inboxpage", certificates) as dovecot:
        yield Acted("MOVE and UIDPLUS", dovecot, certificates)


def cells(server: Acted) -> tuple[str, ...]:
    """A notebook that shows the inbox."""
    password = f"import os; os.environ['MAILCONN_WORK_PASSWORD'] = {server.dovecot.master[1]!r}"
    return (f"{password}\n%load_ext mailconn_jupyter\n%mailconn inbox work", "1 + 1")


@pytest.fixture
def box(server: Acted, site: Site) -> Mailbox:
    made = server.box(
        [mail("Invoice 47", file="47.pdf"), mail("Hello", seen=True), *(mail(subject) for subject in HOSTILE)]
    )
    site.store.save(made.connection.copy(name="work"))
    return made


def choose(page: FormPage, subject: str) -> None:
    page.form().get_by_role("checkbox", name=subject).check()


def test_messages_are_marked_moved_saved_and_deleted_by_the_boxes_before_them(
    visit: Callable[..., FormPage], site: Site, server: Acted, box: Mailbox
) -> None:
    page = visit("inbox", *cells(server))
    page.run(0)
    page.form().get_by_role("checkbox", name="Invoice 47").wait_for()
    assert page.button("Delete").is_disabled()
    choose(page, "Invoice 47")
    page.says("1 selected")
    page.button("Mark as read").click()
    page.says("Marked 1 message in INBOX as read.")
    page.button("Flag").click()
    page.says("Flagged 1 message in INBOX.")
    page.form().get_by_role("checkbox", name="flagged, Invoice 47").wait_for()
    page.button("Save attachments").click()
    page.field("Save in").fill("files")
    page.form().locator(".mailconn-question").get_by_role("button", name="Save").click()
    page.says("Saved 1 attachment (10 bytes)")
    assert [path.name for path in (site.folder / "notebooks" / "files").iterdir()] == ["47.pdf"]
    page.field("Folder").select_option("Archive")
    page.button("Move").click()
    page.says("Moved 1 message from INBOX to Archive.")
    page.form().get_by_role("checkbox", name="Invoice 47").wait_for(state="detached")
    choose(page, "Hello")
    page.button("Delete").click()
    page.says(f"Move 1 message to the trash ({TRASH})?")
    page.button("Keep").click()
    page.form().locator(".mailconn-question").wait_for(state="hidden")
    page.button("Delete").click()
    page.form().locator(".mailconn-question").get_by_role("button", name="Delete").click()
    page.says(f"Moved 1 message from INBOX to the trash ({TRASH}).")
    connection = box.connection
    assert subjects(connection, "Archive") == ["Invoice 47"]
    assert subjects(connection, TRASH) == ["Hello"]
    assert sorted(subjects(connection)) == sorted(HOSTILE)


def test_the_keyboard_is_enough(visit: Callable[..., FormPage], server: Acted, box: Mailbox) -> None:
    page = visit("keyboard", *cells(server))
    page.run(0)
    everything = page.form().get_by_role("checkbox", name="Select all messages")
    everything.focus()
    page.page.keyboard.press("Space")
    page.says("8 selected")
    names = page.tab_through(14)
    assert names[:2] == ["Select all messages", f"•\nunread, \n{HOSTILE[-1]}"] or "unread" in names[1]
    assert [name for name in names if name in {"Save attachments", "Delete", "Refresh", "Mark as read"}] == [
        "Save attachments",
        "Delete",
        "Refresh",
        "Mark as read",
    ]
    page.button("Delete").focus()
    page.page.keyboard.press("Enter")
    page.says("Move 8 messages to the trash")
    assert page.focused() == "Keep"
    page.page.keyboard.press("Escape")
    page.form().locator(".mailconn-question").wait_for(state="hidden")
    # A cell's own shortcuts do not hear it.
    page.page.keyboard.press("d")
    page.page.keyboard.press("d")
    assert page.page.locator(".jp-Notebook .jp-Cell").count() == 2
    assert len(subjects(box.connection)) == 8


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_it_is_fit_for_everybody_in_both_themes(
    theme: str, visit: Callable[..., FormPage], server: Acted, box: Mailbox
) -> None:
    page = visit("themes", *cells(server))
    page.page.set_viewport_size({"width": 1300, "height": 800})
    page.run(0)
    page.form().get_by_role("checkbox", name="Invoice 47").wait_for()
    page.theme(theme)
    choose(page, "Invoice 47")
    page.says("1 selected")
    page.form().locator("option", has_text="Archive").wait_for(state="attached")
    assert complaints(page) == []
    page.button("Delete").click()
    page.says("Move 1 message to the trash")
    assert complaints(page) == []
    if folder := os.environ.get("BROWSER_PICTURES"):
        page.picture(Path(folder, f"inbox-{theme.rsplit(maxsplit=1)[-1].lower()}.png"))
    page.theme("JupyterLab Light")


def test_in_a_narrow_window_nothing_has_to_be_scrolled_sideways(
    visit: Callable[..., FormPage], server: Acted, box: Mailbox
) -> None:
    long = "The minutes of every meeting that there was in the second half of the year 2026"
    with connect_imap(box.connection) as session:
        session.folder.create(long)
    page = visit("narrow", *cells(server))
    page.run(0)
    page.form().locator("option", has_text="The minutes").wait_for(state="attached")
    choose(page, "Invoice 47")
    page.field("Folder").select_option(long)
    for wide in 480, 1300:
        page.page.set_viewport_size({"width": wide, "height": 800})
        page.page.wait_for_timeout(300)
        assert page.form().evaluate(_BEYOND) == [], f"{wide} pixels"
        # What is short stays in one line.
        high = "node => node.getBoundingClientRect().height / parseFloat(getComputedStyle(node).fontSize)"
        short = [page.form().locator("caption"), *page.form().locator("td.mailconn-time").all()]
        assert [one.inner_text() for one in short if one.evaluate(high) > 2.6] == [], f"{wide} pixels"
    page.page.set_viewport_size({"width": 480, "height": 800})
    page.button("Save attachments").click()
    page.field("Save in").wait_for()
    assert page.form().evaluate(_BEYOND) == []


def test_nothing_of_a_message_is_markup_or_a_formula(
    visit: Callable[..., FormPage], site: Site, server: Acted, box: Mailbox
) -> None:
    fill_file(
        site.folder / "hostile.mbox",
        [mail(subject, sender=f'"{subject}" <eve@example.org>') for subject in HOSTILE[:-1]],
    )
    file = MailConnection(name=r"$a$ \(b\)", protocol="MBOX", server_host=str(site.folder / "hostile.mbox"))
    site.store.save(file)
    page = visit(
        "formulas",
        "from IPython.display import HTML\nHTML('so $x^2$')",
        *cells(server)[:1],
        "import mailconn_jupyter as mailconn\nfound = mailconn.messages(r'$a$ \\(b\\)')\n"
        "message = next(found)\nmailconn.messages(r'$a$ \\(b\\)').delete(expunge=True, dry_run=True)",
        "%mailconn form",
        "%mailconn list",
        "mailconn.preview(message.forward('ana@example.org'))",
        "mailconn.to_frame(r'$a$ \\(b\\)') is None; mailconn.MailConnection(name=r'$a$ \\(b\\)')",
    )
    page.run(0)
    page.page.locator(FORMULAS).first.wait_for()
    for number in range(1, 6):
        page.run(number)
    page.form().get_by_role("checkbox", name="Price $x^2$ and $y$").wait_for()
    page.form(1).get_by_role("radio").first.wait_for()
    choose(page, "Price $x^2$ and $y$")
    page.button("Flag").click()
    page.says("Flagged 1 message in INBOX.")
    page.form(1).get_by_role("radio", name=r"$a$ \(b\)").check()
    page.button("Delete", 1).click()
    page.page.wait_for_timeout(1500)
    for number in range(1, 6):
        assert page.cell(number).locator(FORMULAS).count() == 0, f"cell {number}: {page.cell(number).inner_text()}"
    assert page.page.locator("img[src=x]").count() == 0


def test_a_notebook_that_is_opened_again_has_the_table(
    visit: Callable[..., FormPage], site: Site, server: Acted, box: Mailbox
) -> None:
    page = visit("again", *cells(server))
    page.run(0)
    page.form().get_by_role("checkbox", name="Invoice 47").wait_for()
    kept = page.page.locator(".mailconn-kept")
    assert kept.is_hidden()
    page.save_notebook()
    page.restart()
    page.page.reload()
    page.page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    kept.get_by_text("Invoice 47").wait_for()
    assert page.page.get_by_text("Loading widget").locator("visible=true").count() == 0
    assert page.page.get_by_text("Error displaying widget").locator("visible=true").count() == 0
