"""The list of connections in JupyterLab: every action, two forms in step, the keyboard alone, and axe-core's judgement."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mailconn_jupyter.connection import MailConnection
from tests.servers.postfix import Postfix

if TYPE_CHECKING:
    from tests.browser.pages import FormPage
    from tests.browser.site import Site

FORM = "%load_ext mailconn_jupyter\n%mailconn form"


def stored(site: Site, *names: str, **options: Any) -> None:
    for name in names:
        site.store.save(MailConnection(**{"name": name, "server_host": "mail.example.org", **options}))


def complaints(page: FormPage, where: str = ".mailconn-form") -> list[str]:
    """What axe-core finds serious or critical there, by rule and element."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415  # an extra

    found = Axe().run(page.page, context=where).response["violations"]
    return [
        f"{one['impact']} {one['id']}: {node['html']}"
        for one in found
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]


def test_edit_rename_duplicate_delete_and_test_with_two_forms_in_step(
    visit: Callable[..., FormPage], site: Site, postfix: Postfix
) -> None:
    """Whatever is done in one form the other shows, and so does the magic."""
    stored(site, "ops", server_host="localhost", server_port=postfix.relay, use_secure_authentication=False)
    page = visit("manager", FORM, "%mailconn form ops", "%mailconn list")
    page.run(0)
    page.form(0).get_by_role("radio").first.wait_for()
    page.run(1)
    page.field("Server port", 1).wait_for()
    # Test
    page.button("Test").click()
    page.says("ops: works (")
    page.form(0).get_by_role("row", name="ops").get_by_text("passed").wait_for()
    # Edit, while the other form shows the same connection
    page.button("Edit").click()
    page.fill(From_address="Ana <ana@example.org>") if page.field("From address").count() else None
    page.fill(Server_port="2525")
    page.button("All connections").click()
    page.says("What was typed here is not saved.")
    page.button("Stay").click()
    page.button("Save").click()
    page.says("Saved as 'ops'")
    page.page.wait_for_function(
        "() => [...document.querySelectorAll('.mailconn-form input')].filter(i => i.value === '2525').length === 2"
    )
    page.button("All connections").click()
    # Rename: the other form has nothing typed and says what became of its connection
    page.button("Rename").click()
    page.field("New name").fill("nightly")
    page.page.keyboard.press("Enter")
    page.says("'ops' is now called 'nightly'.")
    page.says("'ops' has been deleted in the meantime", 1)
    # Duplicate
    page.button("Duplicate").click()
    page.button("Save").click()
    page.says("Saved as 'nightly copy'")
    page.button("All connections").click()
    assert sorted(site.store) == ["nightly", "nightly copy"]
    # Delete is asked once
    page.form(0).get_by_role("radio", name="nightly copy").check()
    page.button("Delete").click()
    page.says("Delete 'nightly copy' and its passwords?")
    page.form(0).locator(".mailconn-question").get_by_role("button", name="Delete").click()
    page.says("'nightly copy' is deleted.")
    # The magic makes one, and the list has it
    page.type_and_run(2, "%mailconn new extra --server-host mail.example.org")
    page.form(0).get_by_role("radio", name="extra").wait_for()
    assert sorted(site.store) == ["extra", "nightly"]


def test_axe_finds_nothing_serious_and_the_keyboard_alone_does_everything_in_order(
    visit: Callable[..., FormPage], site: Site
) -> None:
    """Tab reaches every control in the order of the page, arrows choose a row, Enter opens it; in both themes."""
    stored(site, "news", "ops", server_host="localhost", server_port=1)
    page = visit("keys", FORM)
    page.run(0)
    radio = page.form(0).get_by_role("radio", name="news")
    radio.wait_for()
    page.button("Test").click()
    page.says("The test of news failed.")
    page.button("Delete").click()
    page.says("Delete 'news' and its passwords?")
    # A question has the keyboard, on the answer that changes nothing; then it is back in the list.
    page.page.wait_for_function("() => document.activeElement.innerText === 'Keep'")
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        page.theme(theme)
        assert complaints(page) == []
    page.button("Keep").press("Enter")
    page.page.wait_for_function("() => document.activeElement.matches('.mailconn-table input:checked')")
    page.button("New").focus()
    keys = page.page.keyboard
    order = page.tab_through(9)
    assert order == ["New", "Test all", "Search", "news", "Edit", "Test", "Duplicate", "Rename", "Delete"]
    radio.focus()
    keys.press("ArrowDown")
    assert page.focused() == "ops"
    keys.press("Enter")
    page.field("Server host").wait_for()
    page.page.wait_for_function("() => document.activeElement.matches('.mailconn-main input')")
    assert page.focused() == "Connection name"
    # d d would delete the cell, were it not for the form.
    page.unfold()
    page.field("Use proxy?").focus()
    keys.press("d")
    keys.press("d")
    assert page.page.locator(".jp-Notebook .jp-Cell").count() == 1
    keys.press("Space")
    page.fill(Use_authentication=True)
    page.field("Proxy password").wait_for()
    page.unfold()
    page.field("Timeout").wait_for()
    # An error belongs to its field for those who cannot see it.
    page.field("Server port").fill("70000")
    page.says("70000 is not a port")
    port = page.field("Server port")
    page.page.wait_for_function("() => document.querySelector('[aria-invalid=true]') !== null")
    note = port.get_attribute("aria-describedby")
    assert "70000 is not a port" in page.page.locator(f"#{note}").inner_text()
    assert complaints(page) == []
    page.button("All connections").focus()
    labels = page.tab_through(70)
    wanted = page.labels()
    assert [label for label in labels if label in wanted][: len(wanted)] == wanted
    page.theme("JupyterLab Dark")
    assert complaints(page) == []


def test_500_connections_are_searched_and_paged(visit: Callable[..., FormPage], site: Site) -> None:
    """One page is drawn at a time, so the list stays quick."""
    folder = site.store.folder
    folder.mkdir(exist_ok=True)
    for number in range(500):
        (folder / f"c{number:03}.json").write_text(
            f'{{"name": "c{number:03}", "server_host": "mail{number}.example.org"}}'
        )
    page = visit("many", FORM)
    page.run(0)
    page.says("1 to 15 of 500")
    page.button("Next").click()
    page.says("16 to 30 of 500")
    page.field("Search").fill("mail499")
    page.form(0).get_by_role("radio", name="c499").wait_for()
    assert page.form(0).get_by_role("radio").count() == 1
