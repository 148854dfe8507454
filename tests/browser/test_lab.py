"""The form in JupyterLab: made, tested, pinned, saved, used after a restart; and nothing secret left on the disk."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.servers.postfix import Postfix
from tests.servers.script import ScriptServer, Silence

if TYPE_CHECKING:
    from tests.browser.pages import FormPage
    from tests.browser.site import Site

FORM = "%load_ext mailconn_jupyter\n%mailconn form"

SEND = """
from email.message import EmailMessage
import mailconn_jupyter as mailconn
message = EmailMessage()
message["From"], message["To"], message["Subject"] = "alice@example.test", "bob@example.test", "from the form"
message.set_content("{token}")
with mailconn.connect("ops") as smtp:
    print("refused", smtp.send_message(message))
"""


def test_from_an_empty_form_to_a_mail_after_a_restart(
    visit: Callable[..., FormPage], site: Site, postfix: Postfix
) -> None:
    """The main path: create, test, see the hint of a wrong password, pin, save, restart, connect by name, send.

    With "save widget state automatically" on, neither password is in the notebook, its checkpoint, the workspace, the
    debug log of server and kernel, or the history (the fixture ``site`` looks).
    """
    page = visit("main", FORM, SEND.replace("{token}", "token-of-lab"))
    page.run(0)
    page.fill(Connection_name="ops", Server_host="localhost", Server_port=str(postfix.submission))
    page.fill(Use_authentication=True)
    page.fill(Username="alice")
    page.field("Password").fill("wr0ng-Pa55")
    page.field("Password").press("Enter")
    assert page.field("Password").input_value() == ""
    page.says("Typed, not kept yet")
    page.button("Test").click()
    page.says("Failed at: Secure the link.")
    page.form().get_by_text("Details").last.click()
    page.says("SHA-256")
    page.button("Pin this certificate").click()
    page.says("The certificate is pinned in Trusted hosts")
    page.button("Test").click()
    page.says("Failed at: Log in.")
    page.says("set the password again")
    page.field("Password").fill("s3cret")
    # Leaving the field for the button hands it over: no Enter.
    page.button("Test").click()
    page.says("The connection works")
    # However soon it was over, the keyboard is where it was, or beside it.
    assert page.focused() in {"Test", "Save"}
    page.button("Save").click()
    page.says("Saved as 'ops'")
    page.says("Kept in the keyring")
    page.save_notebook()
    state = json.loads((site.folder / "notebooks" / "main.ipynb").read_text())["metadata"]["widgets"]
    assert len(state["application/vnd.jupyter.widget-state+json"]["state"]) > 100
    # That of the password's, too, which is why its text is not in the content.
    site.wait_for_log("'kind': 'typed'")
    page.restart()
    page.says("The form ended with its kernel.")
    page.run(1)
    page.cell(1).get_by_text("refused {}").wait_for()
    assert b"from the form" in postfix.wait_for("bob", "token-of-lab")
    page.save_notebook()
    assert "sha256:" in site.store["ops"].trusted_hosts


def test_a_password_typed_while_the_kernel_is_busy_is_not_in_the_notebook_that_is_saved_meanwhile(
    visit: Callable[..., FormPage], site: Site
) -> None:
    """A text in a widget's state would be saved with it until the kernel has time to empty the field."""
    page = visit("busy", FORM, "import time\ntime.sleep(4)")
    page.run(0)
    page.fill(Connection_name="ops", Server_host="localhost", Use_authentication=True)
    page.fill(Username="alice")
    page.field("Password").wait_for()
    page.run(1, wait=False)
    page.field("Password").fill("busy-k3rnel")
    page.field("Password").press("Enter")
    assert page.field("Password").input_value() == ""
    page.save_notebook()
    assert page.page.locator('[data-status="busy"]').count()
    assert site.places_of("busy-k3rnel") == []
    page.idle()
    page.says("Typed, not kept yet")
    page.save_notebook()


def test_cancel_ends_a_test_of_a_silent_server_while_other_cells_run(visit: Callable[..., FormPage]) -> None:
    """The test runs in a thread: a cell runs meanwhile, and Cancel is heard."""
    with ScriptServer([Silence(30)], strict=False) as server:
        page = visit("silent", FORM, "print(6 * 7)")
        page.run(0)
        page.fill(Connection_name="ops", Server_host="localhost", Server_port=str(server.port))
        page.fill(Use_authentication=False)
        page.button("Test").click()
        page.says("running …")
        page.run(1)
        page.cell(1).get_by_text("42").wait_for()
        page.button("Cancel").focus()
        page.page.keyboard.press("Enter")
        page.says("Cancelled at: Secure the link.")
        # The button that had the focus is gone: the keyboard goes on beside it.
        assert page.focused() in {"Save", "Test"}


@pytest.mark.parametrize("saved", [True, False])
def test_a_form_in_a_notebook_that_is_opened_again_is_a_sentence(
    visit: Callable[..., FormPage], site: Site, saved: bool
) -> None:
    """JupyterLab shows a dead form from the saved state, or without it "Error displaying widget: model not found"."""
    site.setting("@jupyter-widgets/jupyterlab-manager/plugin", saveState=saved)
    try:
        page = visit(f"again-{saved}", FORM, "")
        page.run(0)
        page.field("Connection name").wait_for()
        page.save_notebook()
        page.close()
        site.end_kernels()
        page = visit(f"again-{saved}")
        output = page.cell(0).locator(".jp-OutputArea").first
        sentence = '"The form ended with its kernel. Run the cell again to get it back."'
        if saved:
            page.says("The form ended with its kernel.")
            assert output.inner_text().strip().endswith("Run the cell again to get it back.")
        else:
            error = output.get_by_text("model not found")
            error.wait_for()
            assert error.evaluate("node => getComputedStyle(node, '::after').content") == sentence
            assert error.evaluate("node => getComputedStyle(node).fontSize") == "0px"
        assert page.page.locator(".mailconn-form input:visible").count() == 0
    finally:
        site.setting("@jupyter-widgets/jupyterlab-manager/plugin", saveState=True)
