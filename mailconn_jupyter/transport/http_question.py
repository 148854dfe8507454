"""What is asked over HTTP, and what is answered: nothing in it shows a secret, and nothing here needs an extra."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from ..secret import Secret
from .dial import is_loopback

__all__ = ["Content", "Fields", "Place", "Question", "Reply"]

_MOST: Final = 256 * 1024  # bytes of an answer; tokens and metadata have some kilobytes
_LONGEST: Final = 10 * 365 * 86400.0  # seconds of a time that a server gives: what is longer has no end


@dataclass(frozen=True)
class Place:
    """A URL, taken apart: ``https``, or plain ``http`` to this machine alone."""

    secure: bool
    host: str
    port: int
    path: str = field(repr=False)  # an address can be a secret: who has it may write there

    @property
    def authority(self) -> str:
        """Host and port as the header ``Host`` has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"

    @classmethod
    def parse(cls, url: str) -> Place:
        """Take it apart; raises :class:`ValueError`, with the end of a sentence, for one that is not used.

        >>> Place.parse("https://login.example.org/token").port
        443
        """
        if re.search(r"[\x00-\x20\x7f\\]", url) or not url.isascii():
            raise ValueError("contains a character that no URL can have")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise ValueError("is not a URL such as https://login.example.org") from None
        if parts.scheme not in {"https", "http"} or not host or parts.username is not None or parts.fragment:
            raise ValueError("is not a URL such as https://login.example.org")
        secure = parts.scheme == "https"
        if not secure and host != "localhost" and not is_loopback(host):
            raise ValueError("is not https, so what is sent there could be read on the way")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(secure, host, port or (443 if secure else 80), path)


@dataclass(frozen=True)
class Content:
    """What a question carries: of which type, its bytes (as they leave, for there may be secrets in them), their number."""

    kind: str
    give: Callable[[], bytes] = field(repr=False)
    size: int = 0
    #: Which bytes of a file they are, as ``Content-Range`` says it.
    range: str = ""


@dataclass(frozen=True)
class Question:
    """One question: to whom, what it carries, and the secret that goes with it (of ``Authorization``, with its scheme).

    ``patience`` is how many seconds the answer may take, ``most`` how many bytes it may have.
    """

    method: str
    place: Place = field(repr=False)
    content: Content | None = None
    authorization: Callable[[], str] | None = field(default=None, repr=False)
    patience: float | None = None
    most: int = _MOST


class Fields:
    """The fields of an answer in JSON, which do not show: there are tokens among them."""

    # As of a Secret: a debugger's view of the attributes shows values, not closures.
    __slots__ = ("_give",)

    _give: Callable[[], Mapping[str, Any]]

    def __init__(self, found: Mapping[str, Any]) -> None:
        self._give = lambda: found

    def __contains__(self, name: str) -> bool:
        return name in self._give()

    def text(self, name: str) -> str:
        """What is no secret, such as an error or an address; empty where it is missing or no text."""
        value = self._give().get(name)
        return value if isinstance(value, str) else ""

    def texts(self, name: str) -> tuple[str, ...]:
        """The texts of a list."""
        value = self._give().get(name)
        return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()

    def secret(self, name: str) -> Secret | None:
        """What is one; None where it is missing, empty, or no text."""
        return Secret.of(self._give().get(name)) or None

    def seconds(self, name: str) -> float | None:
        """A time, which some servers give as a text, ten years at most; None where there is none that makes sense."""
        value = self._give().get(name)
        try:
            seconds = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else -1.0
        except ValueError:
            return None
        except OverflowError:
            seconds = math.inf
        return min(seconds, _LONGEST) if seconds >= 0 else None

    def inner(self, name: str) -> Fields:
        """The fields of the object of that name; none where it is no object."""
        value = self._give().get(name)
        return Fields(value if isinstance(value, dict) else {})

    def flag(self, name: str) -> bool:
        """Whether it is there and true."""
        return self._give().get(name) is True

    def __repr__(self) -> str:
        return f"<{len(self._give())} fields>"


@dataclass(frozen=True)
class Reply:
    """What a server answered: ``fields`` is None where that was no object in JSON, ``kind`` the content's type."""

    status: int
    kind: str
    fields: Fields | None
    location: str = ""
    #: Seconds to wait before asking again, where the server says so.
    retry_after: float | None = None
