"""The main path where JupyterLab is not: in Notebook 7 and in Voila."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.servers.certificates import Certificates
from tests.servers.postfix import Postfix

if TYPE_CHECKING:
    from tests.browser.pages import FormPage
    from tests.browser.site import Site

FORM = "import mailconn_jupyter as mailconn\nmailconn.form()"


@pytest.mark.parametrize("path", ["notebooks", "voila/render"])
def test_a_connection_is_made_tested_and_saved(
    visit: Callable[..., FormPage], site: Site, postfix: Postfix, certificates: Certificates, path: str
) -> None:
    """anywidget, containers and threads work there too, and no secret stays behind."""
    page = visit(path.partition("/")[0], FORM, path=path)
    if path == "notebooks":
        page.run(0)
    page.field("Connection name").wait_for(timeout=60_000)
    page.fill(Connection_name="ops", Server_host="localhost", Server_port=str(postfix.submission))
    page.fill(Use_authentication=True)
    page.fill(Username="alice")
    page.unfold()
    page.fill(Authority_file=str(certificates.ca.pem))
    page.field("Password").fill("s3cret")
    page.field("Password").press("Enter")
    page.says("Typed, not kept yet")
    page.button("Test").click()
    page.says("The connection works")
    page.button("Save").click()
    page.says("Saved as 'ops'")
    page.says("Kept in the keyring")
    assert list(site.store) == ["ops"]
    page.button("All connections").click()
    page.form().get_by_role("radio", name="ops").wait_for()
    if path == "notebooks":
        page.save_notebook()
