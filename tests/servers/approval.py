"""A person with a browser, scripted: signs in at oidc-provider's pages, and approves or denies."""

from __future__ import annotations

import html
import http.cookiejar
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

__all__ = ["Browser"]

_MOST_PAGES = 25


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Browser:
    """One person at one browser; every user name is known to the server, with any password."""

    def __init__(self, context: ssl.SSLContext, user: str) -> None:
        """Trust what *context* does, and sign in as *user*."""
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
            urllib.request.HTTPSHandler(context=context),
            urllib.request.ProxyHandler({}),
            _NoRedirect,
        )
        self._user = user

    def follow(self, link: str, *, deny: bool = False) -> str:
        """The address of the page on this machine that the sign-in ends at, which no browser could load."""
        return self._walk(link, {"login": self._user, "password": "any"}, deny=deny)

    def enter(self, page: str, code: str, *, deny: bool = False) -> str:
        """The words of the page at the end, after the device's code was entered at *page*."""
        return self._walk(page, {"login": self._user, "password": "any", "user_code": code}, deny=deny)

    def _walk(self, url: str, fields: dict[str, str], *, deny: bool) -> str:
        data: bytes | None = None
        for _ in range(_MOST_PAGES):
            if re.match(r"http://(127\.0\.0\.1|localhost)(:\d+)?/?\?", url):
                return url
            page, moved = self._open(url, data)
            form = re.search(r'(?s)<form[^>]*?action="([^"]*)"(.*?)</form>', page)
            abort = re.search(r'href="([^"]*/abort)"', page) if deny else None
            data = None
            if moved:
                url = urllib.parse.urljoin(url, moved)
            elif abort:
                url = urllib.parse.urljoin(url, html.unescape(abort[1]))
            elif form is None:
                return _words(page)
            else:
                filled = _inputs(form[2])
                if "confirm" in filled:
                    filled |= {"abort": "yes"} if deny else {}
                elif "user_code" in filled and "user_code" not in fields:
                    # It asks for a code once more, and says why.
                    return _words(page)
                filled.update({name: fields.pop(name) for name in filled.keys() & fields.keys()})
                url = urllib.parse.urljoin(url, html.unescape(form[1]))
                data = urllib.parse.urlencode(filled).encode()
        raise RuntimeError(f"the sign-in does not end within {_MOST_PAGES} pages")

    def _open(self, url: str, data: bytes | None) -> tuple[str, str]:
        """The page, and where it sends the browser on to."""
        try:
            with self._opener.open(urllib.request.Request(url, data), timeout=10) as answer:
                return answer.read().decode(), ""
        except urllib.error.HTTPError as error:
            return error.read().decode(), error.headers["Location"] or "" if error.code in {302, 303} else ""


def _inputs(form: str) -> dict[str, str]:
    filled: dict[str, str] = {}
    for field in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', field), re.search(r'value="([^"]*)"', field)
        if name:
            filled[name[1]] = html.unescape(value[1]) if value else ""
    return filled


def _words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<(style|script).*?</\1>", "", page)).split())
