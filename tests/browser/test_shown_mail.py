"""A message that is shown in a notebook: no click on a link of it leads away, not even inside of its own frame."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from mailconn_jupyter.message.incoming.message_view import message_html
from mailconn_jupyter.message.incoming.parsed import ParsedMessage
from tests.servers.stranger import Stranger, stranger

LINKS = {
    "plain": '<a href="{url}">go</a>',
    "self": '<a href="{url}" target="_self">go</a>',
    "capitals": '<a TARGET=_SELF href="{url}">go</a>',
    "empty": '<a target="" href="{url}">go</a>',
    "without a value": '<a target href="{url}">go</a>',
    "after a slash": '<a/target=_self/href="{url}">go</a>',
    "after a quote": '<a title=">"target=_self href="{url}">go</a>',
    "over lines": '<a\ntarget\n=\n_self\nhref="{url}">go</a>',
    "beside a stray quote": '<a " target=_self href="{url}">go</a>',
    "behind a comment": '<!-- <a title=" --><a target=_self href="{url}">go</a>',
    "a base": '<base target="_self"><a href="{url}">go</a>',
    "a map": '<img usemap=#m width=50 height=50 src="{pixel}"><map name=m><area target=_self href="{url}" shape=default></map>',
    "a drawing": '<svg width=90 height=30><a target="_self" href="{url}"><text y=20>go</text></a></svg>',
    "a drawing's link": '<svg width=90 height=30><a xlink:href="{url}"><text y=20>go</text></a></svg>',
    "a formula's": '<math href="{url}"><mtext href="{url}">go</mtext></math><a>go</a>',
    "a drawing within": '<p><b><SVG\nwidth=90 height=30><a href="{url}"><text y=20>go</text></a></svg>',
    "a frame of its own": '<iframe srcdoc="<a target=_self href={url}>go</a>"></iframe>',
    "the parent": '<a target="_parent" href="{url}">go</a>',
    "the top": '<a target="_top" href="{url}">go</a>',
}
_PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


@pytest.fixture
def far() -> Iterator[Stranger]:
    with stranger() as server:
        yield server


@pytest.mark.parametrize("name", LINKS)
def test_no_link_of_a_shown_message_leads_anywhere(name: str, browser: Any, far: Stranger, tmp_path: Path) -> None:
    content = EmailMessage()
    link = LINKS[name].replace("{url}", f"{far.url}/link").replace("{pixel}", _PIXEL)
    content.set_content(f"<p>A target of 5 &amp; more.</p>{link}", subtype="html")
    file = tmp_path / "notebook.html"
    file.write_text(f"<!DOCTYPE html><meta charset=utf-8>{message_html(ParsedMessage(bytes(content)), ())}")
    page = browser.new_page()
    try:
        page.goto(file.as_uri())
        shown = page.frames[1]
        assert shown.locator("p").first.inner_text() == "A target of 5 & more."
        inner = page.frames[-1]
        inner.locator("img, mtext, text, a").first.click(force=True, no_wait_after=True)
        page.keyboard.press("Enter")
        page.wait_for_timeout(300)
        assert far.asked == []
        assert shown.url == "about:srcdoc"
        assert len(page.context.pages) == 1
        assert shown.locator("p").first.inner_text() == "A target of 5 & more."
    finally:
        page.close()
