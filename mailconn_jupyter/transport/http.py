"""HTTP as signing in needs it: one question, one small answer in JSON, over TLS and by the connection's own way out.

urllib3 speaks HTTP. The link below it is a :class:`~mailconn_jupyter.transport.channel.Channel`, as that of the mail
protocols is: so the deadline, a cancel, every kind of proxy and the rules for certificates hold here as they do there.
No redirect is followed: what is asked here carries secrets, which are for nobody else. Import it where it is used.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import urlsplit

from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError

from ..secret import Secret
from .certificate import Certificate
from .channel import Channel
from .deadline import Limit
from .dial import a_label, is_loopback
from .link import find, open_link
from .proxy import ProxyRoute
from .tls import TLSPolicy, explain
from .transport_errors import TransportError, readable

__all__ = ["HTTP", "Fields", "Place", "Reply", "WayOut"]

_MOST: Final = 256 * 1024  # bytes of an answer; tokens and metadata have some kilobytes
_LONGEST: Final = 10 * 365 * 86400.0  # seconds of a time that a server gives: what is longer has no end
_ABOUT_CERTIFICATE: Final = {"unknown-authority", "name-mismatch", "expired", "bad-certificate"}


@dataclass(frozen=True)
class Place:
    """A URL, taken apart: ``https``, or plain ``http`` to this machine alone."""

    secure: bool
    host: str
    port: int
    path: str

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
            raise ValueError("holds a sign that no URL has")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise ValueError("is not a URL as https://login.example.org") from None
        if parts.scheme not in {"https", "http"} or not host or parts.username is not None or parts.fragment:
            raise ValueError("is not a URL as https://login.example.org")
        secure = parts.scheme == "https"
        if not secure and host != "localhost" and not is_loopback(host):
            raise ValueError("is not https, so what is sent there could be read on the way")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(secure, host, port or (443 if secure else 80), path)


@dataclass(frozen=True)
class WayOut:
    """How a link leaves this machine, by the host that it is for: through which proxy, and by which rules of TLS.

    ``timeout`` is for each answer, ``deadline`` for a whole question, in seconds.
    """

    route: Callable[[str], ProxyRoute | None]
    policy: Callable[[str], TLSPolicy]
    timeout: float = 20.0
    deadline: float = 60.0


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


class HTTP:
    """Asks questions, each within its deadline and all within one limit.

    The frames below hold what is sent and what comes back: the caller sees to it that no traceback shows them.
    """

    def __init__(self, way: WayOut, limit: Limit) -> None:
        self.way = way
        self.limit = limit

    def get(self, url: str) -> Reply:
        """Ask for a document. Raises :class:`TransportError`, or :class:`ValueError` for a URL that is not used."""
        return self._ask("GET", Place.parse(url), None)

    def post(self, url: str, form: Secret, login: Secret | None = None) -> Reply:
        """Send a form (``application/x-www-form-urlencoded``); raises as :meth:`get`. ``login`` is for HTTP Basic."""
        return self._ask("POST", Place.parse(url), form, login)

    def _ask(self, method: str, place: Place, form: Secret | None, login: Secret | None = None) -> Reply:
        headers = {"Host": place.authority, "Accept": "application/json", "Connection": "close"}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if login is not None:
            headers["Authorization"] = f"Basic {base64.b64encode(login.reveal().encode()).decode()}"
        channel = self._open(place)
        try:
            link = _Link(channel, place)
            body = None if form is None else form.reveal().encode()
            # As it comes: nothing was asked for that is to be unpacked, and a kilobyte may unpack to gigabytes.
            link.request(method, place.path, body=body, headers=headers, preload_content=False, decode_content=False)
            channel.begin_answer()
            response = link.getresponse()
            data = b""
            # To its end: only there is it told whether the answer is whole.
            while len(data) <= _MOST and (part := response.read(_MOST + 1 - len(data))):
                data += part
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            raise _failure(error) from None
        finally:
            channel.close()
        if len(data) > _MOST:
            raise TransportError(f"The server's answer has over {_MOST // 1024} kB.", cause="too-long")
        said = response.headers
        later = said.get("Retry-After", "")
        return Reply(
            response.status,
            readable(said.get("Content-Type", "").partition(";")[0], 60),
            _parse(data),
            readable(said.get("Location", "")),
            float(later) if re.fullmatch(r"[0-9]{1,6}", later) else None,
        )

    def _open(self, place: Place) -> Channel:
        # To this machine there is no way through a proxy, which would read what is plain text.
        route = self.way.route(place.host) if place.secure else None
        limit = self.limit.within(self.way.deadline)
        addresses = find(place.host, place.port, route, limit)

        def link() -> Channel:
            return open_link(addresses, place.host, place.port, route, timeout=self.way.timeout, limit=limit)

        channel = link()
        if not place.secure:
            return channel
        host = a_label(place.host)
        try:
            channel.start_tls(self.way.policy(place.host), host)
        except TransportError as error:
            if error.cause in _ABOUT_CERTIFICATE and error.certificate is None:
                error.certificate = _look_at_certificate(link, host)
                if isinstance(error.__cause__, OSError):
                    error.message = explain(error.__cause__, host, error.certificate).message
            raise
        return channel


class _Link(HTTPConnection):
    """urllib3's connection over a link that is open already."""

    def __init__(self, channel: Channel, place: Place) -> None:
        super().__init__(place.host, place.port, timeout=channel.timeout)
        self._channel = channel

    def connect(self) -> None:
        self.sock = self._channel  # it stands where a socket stands

    def close(self) -> None:
        # It is called before the answer is read; a socket would wait for the end of its file.
        self.sock = None


def _failure(error: BaseException) -> TransportError:
    """What went wrong on the link, from under urllib3's own error, whose words may hold what was sent."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, TransportError):
            return inner
        if isinstance(inner, ConnectionError):
            return TransportError("The server closed the link without an answer.", cause="closed")
        inner = inner.__cause__ or inner.__context__
    return TransportError(f"The server's answer is not one of HTTP ({type(error).__name__}).", cause="bad-reply")


def _look_at_certificate(link: Callable[[], Channel], host: str) -> Certificate | None:
    """The certificate that was refused, fetched on a link of its own that is closed at once, to say what it is."""
    try:
        channel = link()
        try:
            return channel.start_tls(TLSPolicy(inspect=True), host).certificate
        finally:
            channel.close()
    except OSError:
        return None


def _parse(data: bytes) -> Fields | None:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return Fields(found) if isinstance(found, dict) else None
