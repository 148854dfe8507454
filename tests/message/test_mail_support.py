from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import mail_support
from tests.support.composed import html_of, tags_of
from tests.support.letters import MESSAGES
from tests.support.mail_support import GRACEFUL, findings


@pytest.mark.parametrize("name", MESSAGES)
def test_every_message_uses_what_all_mail_programs_show(name: str) -> None:
    page = html_of(MESSAGES[name]())
    assert findings(page) == []
    # Outlook heeds no max-width: a picture is as wide as its attribute says.
    widths = [int(attributes["width"]) for tag, attributes in tags_of(page) if tag == "img"]
    assert [wide for wide in widths if wide > 572] == []


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ('<p style="margin:-6px 0">x</p>', "margin: '-6px 0' in <p> is less"),
        ('<div style="overflow-x:auto">x</div>', "overflow: 'auto' in <div> is nothing to outlook/windows"),
        ('<div style="padding:4px">x</div>', "padding: '4px' in <div> is less"),
        ('<img src="cid:a" alt="a" style="max-width:100%">', "max-width: '100%' in <img>"),
        ('<p style="display:flex">x</p>', "display:flex: 'flex' in <p> is nothing to outlook/windows"),
        ('<p style="font-size:1rem">x</p>', "rem unit: '1rem' in <p> is nothing to outlook/windows"),
        ('<p style="width:calc(1px + 2px)">x</p>', "CSS calc() function: 'calc(1px + 2px)' in <p> is nothing"),
        ("<svg></svg>", "<svg> element: nothing is known of it"),
        ("<video></video>", "<video> element: '' in <video> is nothing to gmail/desktop-webmail"),
        ('<p hidden="">x</p>', "hidden attribute: '' in <p> is nothing to gmail/desktop-webmail"),
        ('<p style="frobnicate:1">x</p>', "frobnicate property: nothing is known of it"),
    ],
)
def test_what_a_mail_program_does_not_show_is_found(html: str, said: str) -> None:
    assert [found for found in findings(html) if found.startswith(said)]


def test_whatever_is_allowed_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = [html_of(make()) for make in MESSAGES.values()]

    def without() -> Iterator[str]:
        for feature in list(GRACEFUL):
            with monkeypatch.context() as changed:
                changed.setattr(mail_support, "GRACEFUL", {k: v for k, v in GRACEFUL.items() if k != feature})
                if any(findings(page) for page in pages):
                    yield feature

    assert list(without()) == list(GRACEFUL)
