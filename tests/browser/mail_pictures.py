"""Pictures of each kind of content, of mixed reports and of whole letters as mail programs show them, for looking at.

Run it with ``python -m tests.browser.mail_pictures FOLDER [NAME ...]``: each at 600 and 375 pixels, by day, by night, and
with its colours turned by programs with a dark mode, beside each other in one picture a content.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from PIL import Image

from tests.browser.dark_programs import DARK, PROGRAMS
from tests.browser.mail_page import page_of
from tests.browser.pages import chromium
from tests.browser.side_by_side import opened
from tests.support.letters import MESSAGES

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_WIDTHS: Final = (600, 375)
_WAYS: Final = ("light", "dark", *PROGRAMS)


def picture(browser: Browser, html: str, wide: int, way: str) -> Image.Image:
    """What a window of that width shows of the page."""
    scheme: Literal["light", "dark"] = "light" if way == "light" else "dark"
    context = browser.new_context(viewport={"width": wide, "height": 200}, color_scheme=scheme, offline=True)
    page = context.new_page()
    page.set_content(html, wait_until="load")
    if way in PROGRAMS:
        page.evaluate(DARK, way)
    shot = opened(page.screenshot(full_page=True))
    context.close()
    return shot


def main() -> None:
    warnings.simplefilter("ignore")
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for name, make in MESSAGES.items():
            if sys.argv[2:] and name not in sys.argv[2:]:
                continue
            html = page_of(make())
            shots = [picture(browser, html, wide, way) for wide in _WIDTHS for way in _WAYS]
            sheet = Image.new("RGB", (sum(s.width + 10 for s in shots), max(s.height for s in shots)), "#c020c0")
            left = 0
            for shot in shots:
                sheet.paste(shot, (left, 0))
                left += shot.width + 10
            sheet.save(target / f"{name.replace(' ', '-')}.png")


if __name__ == "__main__":
    main()
