"""Pictures of each kind of result: as JupyterLab shows it, and as our mail, redmail's and yagmail's show it to their reader.

And of whole letters, as ours and as redmail's. Run it with ``python -m tests.browser.side_by_side FOLDER [NAME ...]``, as root, where Postfix, Dovecot and Chromium are installed. Each
mail goes through a real Postfix and is opened as it lay in the mailbox, scripts and the network off. For looking at.
"""

from __future__ import annotations

import contextlib
import email
import email.policy
import io
import sys
import uuid
import warnings
from collections.abc import Callable, Iterable
from email.message import EmailMessage
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.session.connect import connect
from tests.benchmarks.bench_peers import by_redmail, by_yagmail, ours
from tests.browser.mail_page import page_of
from tests.browser.pages import FormPage, chromium
from tests.browser.peer_letters import letter_by_redmail
from tests.browser.site import run_site
from tests.servers.dovecot import run_dovecot
from tests.servers.postfix import Postfix, run_postfix
from tests.servers.state_folder import certified_folder
from tests.support.letters import LETTERS
from tests.support.results import KINDS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_WIDE, _HIGH, _LETTER_HIGH = 640, 700, 2000


def notebook_pictures(browser: Browser, folder: Path, kinds: Iterable[str]) -> dict[str, Image.Image]:
    """What JupyterLab shows of each of these kinds."""
    found = {}
    with run_site(folder) as site:
        cells = ["%matplotlib inline\nfrom IPython.display import HTML\nfrom tests.support.results import KINDS"]
        # JupyterLab's own Vega is older than Altair's, so the chart brings its own.
        cells += [
            "HTML(KINDS['altair'].make().to_html(inline=True))" if name == "altair" else f"KINDS[{name!r}].make()"
            for name in kinds
        ]
        site.notebook("kinds", *cells)
        page = FormPage(browser, site, width=_WIDE + 380)
        page.open("kinds")
        page.run(0)
        for number, name in enumerate(kinds, 1):
            page.run(number)
            page.page.wait_for_timeout(1500 if name in {"plotly", "altair"} else 300)
            output = page.cell(number).locator(".jp-Cell-outputWrapper")
            output.scroll_into_view_if_needed()
            found[name] = opened(output.screenshot())
        page.close()
    return found


def mail_picture(browser: Browser, raw: bytes | None, why: str = "") -> Image.Image:
    """What the reader of a message sees: its HTML, or else its text."""
    html = f"<p style='color:#a01515'>{escape(why)}</p>"
    if raw is not None:
        message = email.message_from_bytes(raw, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        text = message.get_body(("plain",))
        html = (
            page_of(message)
            if message.get_body(("html",))
            else f"<pre>{escape(text.get_content() if text else '')}</pre>"
        )
    context = browser.new_context(java_script_enabled=False, offline=True, viewport={"width": _WIDE, "height": 200})
    page = context.new_page()
    page.set_content(html, wait_until="load")
    shot = opened(page.screenshot(full_page=True))
    context.close()
    return shot


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def beside(titled: dict[str, Image.Image], most: int = _HIGH) -> Image.Image:
    """The pictures in a row, each under its name; ``most`` pixels of each from its top."""
    high = min(max(image.height for image in titled.values()), most) + 24
    sheet = Image.new("RGB", ((_WIDE + 10) * len(titled), high), "#dddddd")
    for number, (title, image) in enumerate(titled.items()):
        left = number * (_WIDE + 10)
        ImageDraw.Draw(sheet).text((left + 4, 6), title, fill="black")
        sheet.paste(image.crop((0, 0, min(image.width, _WIDE), min(image.height, most))), (left, 24))
    return sheet


def sent(postfix: Postfix, send: Callable[[str], None]) -> tuple[bytes | None, str]:
    """The message as it lay in the mailbox; where it was not sent, why."""
    subject = uuid.uuid4().hex
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            send(subject)
    except Exception as error:  # noqa: BLE001  # that it fails is the finding
        return None, f"{type(error).__name__}: {error}"
    return postfix.wait_for("alice", subject), ""


def main() -> None:
    warnings.simplefilter("ignore")
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    asked = sys.argv[2:]
    with certified_folder() as (state, certificates), chromium() as browser:
        kinds = {name: what for name, what in KINDS.items() if not asked or name in asked}
        shown = notebook_pictures(browser, state / "site", kinds) if kinds else {}
        with (
            run_dovecot(state / "dovecot", certificates) as dovecot,
            run_postfix(state / "postfix", certificates, dovecot) as postfix,
        ):
            connection = MailConnection(
                name="beside", server_host="127.0.0.1", server_port=postfix.big, use_secure_authentication=False
            )
            with connect(connection) as session:
                for kind, what in kinds.items():
                    ways: dict[str, Callable[[str, Any], None]] = {
                        "ours": lambda subject, value: ours(session, subject, value),
                        "redmail": lambda subject, value, kind=kind: by_redmail(postfix, subject, kind, value),  # type: ignore[misc]  # bound now
                        "yagmail": lambda subject, value, kind=kind: by_yagmail(postfix, subject, kind, value),  # type: ignore[misc]  # the same
                    }
                    titled = {"JupyterLab": shown[kind]}
                    for way, send in ways.items():
                        raw, why = sent(postfix, lambda subject, send=send, what=what: send(subject, what.make()))  # type: ignore[misc]  # the same
                        titled[f"{way}, {len(raw or b'')} bytes"] = mail_picture(browser, raw, why)
                    beside(titled).save(target / f"{kind.replace(' ', '-')}.png")
            for name, make in LETTERS.items():
                if not asked or name in asked:
                    raw, why = sent(postfix, lambda subject, name=name: letter_by_redmail(postfix, subject, name))  # type: ignore[misc]  # the same
                    theirs = mail_picture(browser, raw, why)
                    titled = {"ours": mail_picture(browser, bytes(make())), f"redmail, {len(raw or b'')} bytes": theirs}
                    beside(titled, _LETTER_HIGH).save(target / f"{name.replace(' ', '-')}.png")


if __name__ == "__main__":
    main()
