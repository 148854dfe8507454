"""A page as a PDF, printed by Chromium: the page is not one of a file's, so nothing in it can read one."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

__all__ = ["printed_page"]

# A name that nobody can have (RFC 6761). A page from a file, as nbconvert prints it, may show every other file.
_ADDRESS: Final = "http://notebook.invalid/"
#: Milliseconds that scripts get to draw after all is loaded, as nbconvert gives them.
_DRAWING: Final = 100


def printed_page(html: str, *, acts: bool) -> bytes:
    """The PDF of the page. ``acts``: its scripts run and it may load from the network; else it is all that there is.

    Raises what Playwright raises, ImportError where it is not installed.
    """
    # In a notebook this thread has a loop that runs already.
    with ThreadPoolExecutor(1, thread_name_prefix="mailconn-print") as pool:
        return pool.submit(asyncio.run, _printed(html, acts=acts)).result()


async def _printed(html: str, *, acts: bool) -> bytes:
    from playwright.async_api import async_playwright  # noqa: PLC0415  # an extra

    async def answer(route: Any) -> None:
        url = route.request.url
        if url == _ADDRESS:
            await route.fulfill(body=html, content_type="text/html; charset=utf-8")
        elif acts and url.startswith(("http://", "https://")):
            await route.continue_()
        else:
            await route.abort()

    async with async_playwright() as playwright:
        # Signals are the kernel's.
        browser = await playwright.chromium.launch(handle_sigint=False, handle_sigterm=False, handle_sighup=False)
        try:
            context = await browser.new_context(java_script_enabled=acts, service_workers="block")
            await context.route("**/*", answer)
            page = await context.new_page()
            await page.emulate_media(media="print")
            await page.goto(_ADDRESS, wait_until="networkidle")
            if acts:
                await page.wait_for_timeout(_DRAWING)
            return await page.pdf(print_background=True)
        finally:
            await browser.close()
