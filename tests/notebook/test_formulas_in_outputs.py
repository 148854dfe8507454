"""What mail, servers and names say is text in a notebook: no element of HTML, and no formula of JupyterLab's."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from mailconn_jupyter import MailConnection, connections, messages, preview
from mailconn_jupyter.commands.reading import read_inbox
from mailconn_jupyter.commands.view import View
from mailconn_jupyter.errors import MailConnError
from mailconn_jupyter.message.incoming.message_view import message_html
from mailconn_jupyter.message.incoming.parsed import ParsedMessage
from mailconn_jupyter.notebook.form import style
from mailconn_jupyter.session.check import check
from mailconn_jupyter.session.imap.folder_list import FolderList, MailFolder
from tests.support.mailboxes import fill_file, mail

#: Every way to begin a formula, and markup.
HOSTILE = r"$a$ $$b$$ \(c\) \[d\] \begin{equation}e\end{equation} <img src=x> &amp;"
#: Where JupyterLab sets none.
_LEFT_ALONE = {"script", "noscript", "style", "textarea", "pre", "code"}


class _Texts(HTMLParser):
    """The texts of a page that could be set as formulas, and its elements."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.elements: set[str] = set()
        self._within: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        if tag not in {"br", "img", "meta", "link", "input"}:
            self._within.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._within and self._within.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not _LEFT_ALONE.intersection(self._within):
            self.texts.append(data)


def formulas(page: str) -> list[str]:
    """The texts in which a formula could begin: a sign alone in its element begins none."""
    read = _Texts(page)
    assert "img" not in read.elements
    return [text for text in read.texts if len(text) > 1 and any(sign in text for sign in "$\\")]


@pytest.fixture
def box(tmp_path: Path, own_config: Path) -> MailConnection:
    fill_file(tmp_path / "box", [mail(HOSTILE, sender=f'"{HOSTILE}" <eve@example.org>', file=f"{HOSTILE}.txt")])
    made = MailConnection(name=HOSTILE, protocol="MBOX", server_host=str(tmp_path / "box"))
    connections.save(made)
    return made


def test_the_test_sees_a_formula() -> None:
    assert formulas(f"<p>{HOSTILE.partition('<')[0]}</p>") != []
    assert formulas("<p>a <span>$</span>b</p><code>$x$</code>") == []


def test_what_is_shown_of_mail_is_no_formula(box: MailConnection, tmp_path: Path) -> None:
    (message,) = messages(box)
    shown: list[Any] = [
        read_inbox(target=HOSTILE).view,
        messages(box).delete(expunge=True, dry_run=True),
        messages(box).save_attachments(tmp_path / "files", dry_run=True),
        preview(message.forward("ana@example.org", HOSTILE)),
        preview(message.reply(HOSTILE)),
        FolderList([MailFolder(HOSTILE)]),
        FolderList(),
        View([[HOSTILE]], header=[HOSTILE], caption=HOSTILE, notes=[HOSTILE]),
        check(box),
        check(MailConnection(name=HOSTILE, protocol="MBOX", server_host=f"/nowhere/{HOSTILE}")),
        box,
    ]
    for each in shown:
        assert formulas(each._repr_html_()) == [], type(each).__name__
    assert formulas(message_html(message, [(HOSTILE, HOSTILE)])) == []
    assert formulas(message_html(ParsedMessage(message.raw), [])) == []


@pytest.mark.parametrize("kind", ["good", "bad", "warn", "note"])
def test_what_the_form_says_is_no_formula(kind: str) -> None:
    for said in (
        style.heading(HOSTILE, level=3, beside=HOSTILE),
        style.help_text(HOSTILE),
        style.instead(HOSTILE, HOSTILE),
        style.message(kind, HOSTILE),
        style.status((kind, HOSTILE)),
        style.problem_text(MailConnError(HOSTILE, hint=HOSTILE)),
    ):
        assert formulas(said) == []
