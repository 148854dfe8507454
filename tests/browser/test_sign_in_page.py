"""Signing in, in JupyterLab: both flows in the form and by the magic, by keyboard, in both themes; nothing of it is left."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mailconn_jupyter.connection import MailConnection
from tests.browser.test_manager_page import complaints
from tests.servers import Certificates, Postfix
from tests.servers.issuer import Issuer

if TYPE_CHECKING:
    from tests.browser.pages import FormPage
    from tests.browser.site import Site

FORM = "%load_ext mailconn_jupyter\n%mailconn form ops"


@pytest.fixture
def stored(site: Site, issuer: Issuer, certificates: Certificates, token_postfix: Postfix) -> None:
    site.store.save(
        MailConnection(
            name="ops",
            server_host="localhost",
            server_port=token_postfix.smtps,
            secure_authentication_type="SSL",
            username="alice",
            ca_file=str(certificates.ca.pem),
            oauth_issuer=issuer.url,
            oauth_client_id="mailconn",
        )
    )


def test_by_a_code_with_the_keyboard_alone(
    visit: Callable[..., FormPage], site: Site, stored: None, issuer: Issuer
) -> None:
    """The code is large, copied by a button, and gone at the end; from there on the magic connects."""
    page = visit("signin", FORM, "smtp = %mailconn connect ops\nsmtp.noop()")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site.url)
    page.run(0)
    page.button("Sign in").wait_for()
    page.button("Sign in").focus()
    page.page.keyboard.press("Enter")
    page.says("Waiting for your approval")
    shown = page.form().locator(".mailconn-prompt code")
    code = shown.inner_text()
    assert re.fullmatch(r"[A-Z]{4}-[A-Z]{4}", code)
    page.button("Copy the code").focus()
    page.page.keyboard.press("Enter")
    page.button("Copied").wait_for()
    assert page.page.evaluate("() => navigator.clipboard.readText()") == code
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        page.theme(theme)
        assert complaints(page) == []
        assert float(shown.evaluate("node => parseFloat(getComputedStyle(node).fontSize)")) >= 24
    page.save_notebook()
    if folder := os.environ.get("BROWSER_PICTURES"):
        page.picture(Path(folder, "sign-in-waiting.png"))
    issuer.browser().enter(f"{issuer.url}/device", code)
    page.says("Signed in for 'ops' as alice")
    shown.wait_for(state="detached")
    page.run(1)
    page.cell(1).get_by_text("(250,").wait_for()
    page.save_notebook()
    # That the code was on the screen while the notebook was saved made no difference.
    assert site.places_of(code, *issuer.secrets()) == []
    page.button("Sign out").click()
    page.says("Signed out.")


def test_by_a_link_whose_last_page_is_pasted(
    visit: Callable[..., FormPage], site: Site, stored: None, issuer: Issuer
) -> None:
    """The address goes into the field for passwords, and nowhere else; cancel ends the waiting."""
    page = visit("signin-link", FORM)
    page.run(0)
    page.button("Sign in by a link").click()
    page.says("Waiting for the address of the last page")
    page.button("Cancel").click()
    page.says("The sign-in was cancelled.")
    page.button("Sign in by a link").click()
    link = page.form().locator(".mailconn-prompt a").get_attribute("href")
    assert link is not None
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        page.theme(theme)
        assert complaints(page) == []
    address = issuer.browser().follow(link)
    page.field("Address of the last page").fill(address)
    # Leaving the field for the cell hands the address over: no Enter.
    page.save_notebook()
    page.says("Signed in for 'ops' as alice")
    page.save_notebook()
    codes = re.findall(r"code=([^&]+)", address)
    assert site.places_of(*codes, *issuer.secrets()) == []


def test_the_magic_shows_the_code_and_takes_it_away(
    visit: Callable[..., FormPage], site: Site, stored: None, issuer: Issuer
) -> None:
    """By keyboard, in both themes; what is saved after the sign-in holds nothing of it."""
    page = visit("signin-magic", "%load_ext mailconn_jupyter", "%mailconn signin ops")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site.url)
    page.run(0)
    page.run(1, wait=False)
    shown = page.cell(1).locator("code")
    shown.wait_for()
    code = shown.inner_text()
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        page.theme(theme)
        assert complaints(page, ".jp-RenderedHTML") == []
        assert float(shown.evaluate("node => parseFloat(getComputedStyle(node).fontSize)")) >= 24
    page.cell(1).get_by_role("button", name="Copy the code").focus()
    page.page.keyboard.press("Enter")
    page.cell(1).get_by_role("button", name="Copied").wait_for()
    assert page.page.evaluate("() => navigator.clipboard.readText()") == code
    issuer.browser().enter(f"{issuer.url}/device", code)
    page.cell(1).get_by_text("Signed in for 'ops' as alice").wait_for()
    shown.wait_for(state="detached")
    page.save_notebook()
    notebook = (site.folder / "notebooks" / "signin-magic.ipynb").read_text()
    assert code not in notebook
    assert "Signed in for 'ops'" in notebook
    assert site.places_of(*issuer.secrets()) == []


def test_the_magics_link_is_opened_and_its_last_address_pasted_by_keyboard(
    visit: Callable[..., FormPage], site: Site, stored: None, issuer: Issuer
) -> None:
    """The field is the notebook's own for passwords; nothing of the address is left."""
    page = visit("signin-magic-link", "%load_ext mailconn_jupyter", "%mailconn signin ops --flow link")
    page.run(0)
    page.run(1, wait=False)
    link = page.cell(1).get_by_role("link", name="open this page")
    link.wait_for()
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        page.theme(theme)
        assert complaints(page, ".jp-RenderedHTML") == []
    field = page.cell(1).locator("input[type=password]")
    field.wait_for()
    address = issuer.browser().follow(link.get_attribute("href") or "")
    field.focus()
    page.page.keyboard.insert_text(address)
    page.page.keyboard.press("Enter")
    page.cell(1).get_by_text("Signed in for 'ops' as alice").wait_for()
    link.wait_for(state="detached")
    page.save_notebook()
    codes = re.findall(r"code=([^&]+)", address)
    assert codes
    assert site.places_of(*codes, *issuer.secrets()) == []
