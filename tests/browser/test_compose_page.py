"""The form for a mail in JupyterLab: from empty to a mailbox, by keyboard, in both themes, over a restart, and no address saved."""

from __future__ import annotations

import email
import email.policy
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.store.people import People
from tests.browser.test_manager_page import complaints
from tests.servers.postfix import Postfix
from tests.support.form_driver import eventually

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.browser.pages import FormPage
    from tests.browser.site import Site

COMPOSE = "%load_ext mailconn_jupyter\n%mailconn compose"
RESULTS = """
import pandas
from matplotlib.figure import Figure
churn = pandas.DataFrame({"week": [46, 47], "churn": [2.1, 3.4]})
fig = Figure(figsize=(5, 3))
fig.subplots().plot([46, 47], [2.1, 3.4])
"""
READY = "() => document.querySelector('.mailconn-mail textarea')?.readOnly === false"
#: What is typed into the forms, and must be in no notebook.
TEXTS = ("@example.test", "Three things", "Churn-47")


@pytest.fixture
def ops(site: Site, postfix: Postfix) -> MailConnection:
    made = MailConnection(
        name="ops",
        server_host="localhost",
        server_port=postfix.relay,
        use_secure_authentication=False,
        from_address="carol@example.test",
        signature="**Carol**, Churn team",
    )
    site.store.save(made)
    People(site.store)["team"] = ["Alice Ames <alice@example.test>", "Bob Berg <bob@example.test>"]
    for path in (*(site.folder / "data").rglob("unsent/*"), *(site.folder / "notebooks").glob("*.eml")):
        path.unlink()
    return made


def field(page: FormPage, label: str, number: int = 0) -> Locator:
    return page.form(number).get_by_label(label, exact=True).locator("visible=true")


def started(page: FormPage, cell: int = 0) -> None:
    page.run(cell)
    page.page.wait_for_function(READY)


def saved(site: Site) -> set[str]:
    """Where the texts are, beside what the person has stored: no notebook, no checkpoint, no log, no history."""
    own = ("home/.jupyter/mailconn/", "data/mailconn/")
    return {place for place in site.places_of(*TEXTS) if not place.startswith(own)}


def picture(page: FormPage, name: str) -> None:
    if folder := os.environ.get("BROWSER_PICTURES"):
        page.picture(Path(folder, f"compose-{name}.png"))


def _write_by_keyboard(page: FormPage) -> None:
    keys = page.page.keyboard
    field(page, "To").focus()
    keys.type("ali")
    page.form().get_by_role("option", name="Alice Ames <alice@example.test>").wait_for()
    keys.press("ArrowDown")
    keys.press("Enter")
    assert field(page, "To").input_value() == "Alice Ames <alice@example.test>, "
    keys.type("te")
    page.form().get_by_role("option", name="team group, 2 addresses").wait_for()
    # Escape closes what is offered, and nothing else.
    keys.press("Escape")
    page.form().locator(".mailconn-offered li").first.wait_for(state="detached")
    assert page.focused() == "To"
    keys.type("am")
    keys.press("Tab")
    assert page.focused() == "Cc"
    keys.press("Tab")
    keys.press("Tab")
    keys.type("Churn-47")
    keys.press("Tab")
    keys.type("Three things **moved**:")
    keys.press("Tab")
    assert page.focused() == "Attach a file"
    keys.press("Tab")
    assert page.page.evaluate("() => document.activeElement.value") == "fig"
    keys.press("Tab")
    keys.press("Space")
    page.form().get_by_role("checkbox", name="churn DataFrame, 2 rows, 2 columns", checked=True).wait_for()
    keys.press("Shift+Tab")
    keys.press("Space")
    page.form().get_by_text("2.", exact=True).wait_for()


def test_from_an_empty_form_to_a_mailbox_by_the_keyboard_alone(
    visit: Callable[..., FormPage], site: Site, ops: MailConnection, postfix: Postfix
) -> None:
    page = visit("compose", COMPOSE, RESULTS)
    page.run(1)
    started(page)
    keys = page.page.keyboard
    _write_by_keyboard(page)
    keys.press("Tab")
    keys.press("Tab")
    assert page.tab_through(4)[:2] == ["Send", "Preview"]
    page.button("Preview").focus()
    keys.press("Enter")
    frame = page.form().frame_locator(".mailconn-page-shown iframe")
    frame.get_by_text("Carol").wait_for()
    assert page.focused() == "Close"
    keys.press("Escape")
    assert page.focused() == "Preview"
    page.button("Send").focus()
    keys.press("Enter")
    page.says("Sent: 'Churn-47', ")
    page.form().get_by_role("row", name="bob@example.test").get_by_text("accepted").wait_for()
    assert field(page, "To").input_value() == ""
    raw = postfix.wait_for("bob", "Churn-47")
    message = email.message_from_bytes(raw, policy=email.policy.default)
    html = message.get_body(("html",)).get_content()  # type: ignore[union-attr]  # it has one
    assert message["To"] == "Alice Ames <alice@example.test>, Bob Berg <bob@example.test>"
    assert "<strong>moved</strong>" in html
    assert html.index("3.4") < html.index("<img") < html.index("Carol")
    page.save_notebook()
    assert saved(site) == set()


def test_nothing_typed_is_lost_when_the_kernel_is_restarted_amid_it_and_no_notebook_has_it(
    visit: Callable[..., FormPage], site: Site, ops: MailConnection
) -> None:
    page = visit("restarted", COMPOSE, "%mailconn compose", "import time\ntime.sleep(600)")
    started(page)
    field(page, "To").fill("alice@example.test")
    field(page, "Subject").fill("Churn-47")
    field(page, "Message").fill("Three things")
    page.page.wait_for_timeout(1000)
    # The last letters come while the kernel is busy.
    page.run(2, wait=False)
    field(page, "Message").press("End")
    page.page.keyboard.type(" moved: ünï")
    page.save_notebook()
    page.restart()
    page.page.get_by_text("Run the cell again: what you typed is there.").locator("visible=true").first.wait_for()
    started(page)
    page.says("Discard begins a new")
    assert field(page, "To").input_value() == "alice@example.test"
    assert field(page, "Subject").input_value() == "Churn-47"
    assert field(page, "Message").input_value() == "Three things moved: ünï"
    page.save_notebook()
    assert saved(site) == set()
    assert site.places_of("Three things")[0].startswith("data/mailconn/unsent/")
    # Another form in the notebook has a mail of its own.
    page.run(1)
    page.page.wait_for_function(
        "() => document.querySelectorAll('.mailconn-mail textarea:not([readonly])').length === 2"
    )
    assert field(page, "Subject", 1).input_value() == ""
    field(page, "Subject", 1).fill("another")
    page.save_notebook()
    page.page.reload()
    page.page.wait_for_function(
        "() => document.querySelectorAll('.mailconn-mail textarea:not([readonly])').length === 2"
    )
    assert field(page, "Subject", 1).input_value() == "another"
    assert field(page, "Message").input_value() == "Three things moved: ünï"
    page.button("Discard").click()
    page.says("Discard this mail? This cannot be undone.")
    assert page.focused() == "Keep"
    page.page.keyboard.press("Escape")
    page.form().locator(".mailconn-question").wait_for(state="hidden")
    page.button("Discard").click()
    page.form().locator(".mailconn-question").get_by_role("button", name="Discard").click()
    page.says("Discarded.")
    assert field(page, "Message").input_value() == ""
    assert site.places_of("Three things") == []


#: Elements out of which something hangs that can be seen.
OVERFLOWING = """() => [...document.querySelectorAll('.mailconn-mail, .mailconn-main *')].filter(node => node.clientWidth
    && node.scrollWidth > node.clientWidth + 1 && getComputedStyle(node).overflowX === 'visible').map(node => node.outerHTML)"""


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
@pytest.mark.parametrize("width", [1300, 480])
def test_it_is_fit_for_everybody_in_both_themes_and_at_any_width(
    theme: str, width: int, visit: Callable[..., FormPage], site: Site, ops: MailConnection
) -> None:
    page = visit("themes", COMPOSE, RESULTS)
    page.page.set_viewport_size({"width": width, "height": 800})
    page.run(1)
    started(page)
    page.theme(theme)

    def fit(what: str) -> None:
        assert complaints(page) == []
        assert page.page.evaluate(OVERFLOWING) == []
        picture(page, f"{theme.rsplit(maxsplit=1)[-1].lower()}-{width}-{what}")

    try:
        fit("empty")
        _write(page)
        fit("wrong")
        _show(page, fit)
        _save(page, fit)
        page.page.evaluate("() => document.querySelector('.mailconn-form').scrollIntoView()")
        fit("written")
        assert (site.folder / "notebooks" / "Churn-47.eml").is_file()
    finally:
        page.theme("JupyterLab Light")


def _write(page: FormPage) -> None:
    field(page, "To").fill("nobody")
    field(page, "Subject").fill("Churn-47")
    field(page, "Message").fill("Three things **moved**:\n\n- one\n- two")
    page.form().get_by_role("checkbox", name="fig Figure").check()
    page.form().get_by_role("checkbox", name="churn DataFrame, 2 rows, 2 columns").check()
    page.form().locator(".mailconn-look img").wait_for()
    field(page, "Attach a file").fill("none.csv")
    page.button("Attach").click()
    page.says("The attachment 'none.csv' does not exist.")
    page.button("Send").click()
    page.says("Nothing was sent: see the fields that are marked.")
    assert page.focused() == "To"


def _show(page: FormPage, fit: Callable[[str], None]) -> None:
    page.button("Remove none.csv").click()
    field(page, "To").fill("Alice Ames <alice@example.test>")
    page.button("Preview").click()
    page.form().frame_locator(".mailconn-page-shown iframe").get_by_text("Three things").wait_for()
    fit("preview")
    page.button("Dark").click()
    page.button("Phone, 375 px").click()
    page.says("Roughly as mail programs that invert colours")
    assert page.form().locator(".mailconn-page-shown").bounding_box()["width"] == 375  # type: ignore[index]  # it has one
    page.page.wait_for_timeout(500)
    fit("preview-dark")
    page.button("Close").click()
    page.button("Show the code").click()
    page.says("The cell that sends the same.")
    fit("code")
    page.button("Close").click()


def _save(page: FormPage, fit: Callable[[str], None]) -> None:
    page.button("Save as draft").click()
    page.says("Where should the draft be saved?")
    fit("draft")
    assert field(page, "File").input_value() == "Churn-47.eml"
    page.form().locator(".mailconn-question").get_by_role("button", name="Save").click()
    page.says("Nothing was sent.")


def test_pasted_lines_become_a_list_and_a_path_is_completed_and_attached_by_enter(
    visit: Callable[..., FormPage], site: Site, ops: MailConnection
) -> None:
    folder = site.folder / "notebooks" / "out"
    folder.mkdir(exist_ok=True)
    (folder / "churn.csv").write_text("a,b\n", encoding="utf-8")
    page = visit("pasted", COMPOSE)
    started(page)
    field(page, "To").evaluate(
        """(node, text) => { const data = new DataTransfer(); data.setData("text/plain", text); node.focus();
        node.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true})); }""",
        "alice@example.test\r\nBob <bob@example.test>;\n",
    )
    assert field(page, "To").input_value() == "alice@example.test, Bob <bob@example.test>;"
    keys = page.page.keyboard
    field(page, "Attach a file").focus()
    for typed in ("ou", "chu"):
        keys.type(typed)
        page.form().locator(".mailconn-offered:visible li").first.wait_for()
        keys.press("ArrowDown")
        keys.press("Enter")
    page.form().get_by_role("list", name="Attached files").get_by_text("out/churn.csv").wait_for()
    assert page.focused() == "Attach a file"
    assert field(page, "Attach a file").input_value() == ""
    # What was left is looked at; a semicolon is no comma.
    field(page, "Subject").focus()
    page.says("Separate addresses by commas, not by semicolons.")


@pytest.mark.parametrize("path", ["notebooks", "voila/render"])
def test_it_works_where_jupyterlab_is_not(
    visit: Callable[..., FormPage], site: Site, ops: MailConnection, postfix: Postfix, path: str
) -> None:
    subject = f"elsewhere-{path.partition('/')[0]}"
    page = visit("elsewhere", "import mailconn_jupyter as mailconn\nmailconn.compose_form('ops')", path=path)
    if path == "notebooks":
        page.run(0)
    page.page.wait_for_function(READY, timeout=60_000)
    field(page, "To").fill("alice@example.test")
    field(page, "Subject").fill(subject)
    field(page, "Message").fill("Three things")
    page.button("Preview").click()
    page.form().frame_locator(".mailconn-page-shown iframe").get_by_text("Three things").wait_for()
    picture(page, path.partition("/")[0])
    page.button("Send").click()
    page.says(f"Sent: '{subject}', ")
    postfix.wait_for("alice", subject)
    if path == "notebooks":
        page.save_notebook()
    assert saved(site) == set()


@pytest.fixture(params=["perCommTarget", "disabled"])
def comms(request: pytest.FixtureRequest, site: Site) -> Iterator[str]:
    """Whether a kernel hears of a form while a cell runs, by a thread of its own (a subshell), or only after it."""
    plugin = "@jupyterlab/apputils-extension/kernels-settings"
    site.setting(plugin, commsOverSubshells=request.param)
    yield request.param
    site.setting(plugin)


def test_what_is_clicked_twice_while_the_kernel_is_busy_is_sent_once(
    visit: Callable[..., FormPage], comms: str, site: Site, ops: MailConnection, postfix: Postfix
) -> None:
    page = visit("twice", COMPOSE, "import time\ntime.sleep(6)\nprint('done')")
    started(page)
    subject = f"twice-{comms}"
    field(page, "To").fill("alice@example.test")
    field(page, "Subject").fill(subject)
    field(page, "Message").fill("x")
    page.run(1, wait=False)
    page.button("Send").dblclick()
    if comms == "disabled":
        page.says("The kernel is busy. It goes on when the cell that is running has ended.")
        assert page.button("Send").is_disabled()
    page.says(f"Sent: '{subject}', ")
    page.idle()
    postfix.wait_for("alice", subject)
    page.page.wait_for_timeout(500)
    # What the fixture looks for comes late from a kernel that was busy.
    site.wait_for_log("*** MESSAGE TYPE:comm_msg***")
    assert sum(subject.encode() in raw for raw in postfix._maildirs.messages("alice")) == 1


def test_what_a_kernel_never_heard_of_is_there_after_its_restart(
    visit: Callable[..., FormPage], comms: str, site: Site, ops: MailConnection
) -> None:
    # Words that no log has of another test's mail.
    heard, subject = f"heard-{comms}", f"unheard-{comms}"
    page = visit("unheard", COMPOSE, "import time\ntime.sleep(600)")
    started(page)
    # A subshell of ipykernel 7.4 can stay deaf whose first message comes while a cell runs.
    field(page, "Subject").fill(heard)
    assert eventually(lambda: site.places_of(heard) != [], 20)
    page.run(1, wait=False)
    field(page, "Subject").fill(subject)
    field(page, "Message").fill("Three things moved: ünï")
    if comms == "disabled":
        page.page.wait_for_timeout(1500)
        assert site.places_of(subject) == []
    else:
        assert eventually(lambda: site.places_of(subject) != [], 20)
    page.restart()
    started(page)
    page.says("Discard begins a new")
    assert field(page, "Subject").input_value() == subject
    assert field(page, "Message").input_value() == "Three things moved: ünï"
    assert eventually(lambda: len(site.places_of(subject)) == 1, 20)
    assert saved(site) == set()
    # Another restart later it is the kernel's own memory that has it.
    page.restart()
    page.page.reload()
    page.page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    page.idle()
    started(page)
    assert field(page, "Subject").input_value() == subject
