"""HTTP as signing in and Graph need it: one question, one answer in JSON, over TLS and by the connection's own way out.

urllib3 speaks HTTP. The link below it is a :class:`~mailconn_jupyter.transport.channel.Channel`, as that of the mail
protocols is: so the deadline, a cancel, every kind of proxy and the rules for certificates hold here as they do there.
No redirect is followed: what is asked here carries secrets, which are for nobody else. Import it where it is used.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import unquote

from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError

from ..secret import STARS, Secret
from .certificate import Certificate
from .channel import Channel
from .deadline import SLOWEST, Limit
from .dial import a_label
from .http_question import Content, Fields, Place, Question, Reply
from .link import find, open_link
from .proxy import ProxyRoute
from .tls import TLSPolicy, explain
from .transport_errors import TransportError, readable

__all__ = ["HTTP", "WayOut"]

_SHORT: Final = 6  # characters; a shorter secret could be any word
_ABOUT_CERTIFICATE: Final = {"unknown-authority", "name-mismatch", "expired", "bad-certificate", "not-by-the-rules"}


@dataclass(frozen=True)
class WayOut:
    """How a link leaves this machine, by the host that it is for: through which proxy, and by which rules of TLS.

    ``timeout`` is for each answer, ``deadline`` for a whole question, in seconds.
    """

    route: Callable[[str], ProxyRoute | None]
    policy: Callable[[str], TLSPolicy]
    timeout: float = 20.0
    deadline: float = 60.0
    #: This side's address, where it was chosen.
    source: tuple[str, int] | None = None


class HTTP:
    """Asks questions, each within its deadline and all within one limit.

    The frames below hold what is sent and what comes back: the caller sees to it that no traceback shows them.
    """

    def __init__(self, way: WayOut, limit: Limit) -> None:
        self.way = way
        self.limit = limit

    def get(self, url: str) -> Reply:
        """Ask for a document. Raises :class:`TransportError`, or :class:`ValueError` for a URL that is not used."""
        return self.ask(Question("GET", Place.parse(url)))

    def post(self, url: str, form: Secret, login: Secret | None = None) -> Reply:
        """Send a form (``application/x-www-form-urlencoded``); raises as :meth:`get`. ``login`` is for HTTP Basic."""
        content = Content("application/x-www-form-urlencoded", lambda: form.reveal().encode())
        return self.ask(
            Question("POST", Place.parse(url), content, None if login is None else lambda: _basic(login.reveal()))
        )

    def ask(self, question: Question, channel: Channel | None = None) -> Reply:
        """Ask, over a link of its own or one that is there; it is closed afterwards.

        Raises :class:`TransportError`; whether the whole question had left then is its ``whole_left``.
        """
        content, most = question.content, question.most
        headers = {"Host": question.place.authority, "Accept": "application/json", "Connection": "close"}
        if content is not None:
            headers |= {"Content-Type": content.kind} | ({"Content-Range": content.range} if content.range else {})
        # Some say in an error what they were given; the address of an upload is authorisation by itself.
        hidden = re.findall(rf"[?&][^=&]*=([^&]{{{_SHORT},}})", question.place.path)
        if question.authorization is not None:
            headers["Authorization"] = question.authorization()
            hidden += re.findall(rf" (.{{{_SHORT},}})", headers["Authorization"])
        channel = channel or self._open(question.place, content.size if content else 0)
        left = False
        try:
            link = _Link(channel, question.place)
            body = None if content is None else content.give()
            # As it comes: nothing was asked for that is to be unpacked, and a kilobyte may unpack to gigabytes. A server may
            # answer before it has read all, and hang up.
            with contextlib.suppress(ConnectionError):
                link.request(
                    question.method,
                    question.place.path,
                    body=body,
                    headers=headers,
                    preload_content=False,
                    decode_content=False,
                )
                left = True
            channel.begin_answer(question.patience)
            response = link.getresponse()
            data = b""
            # To its end: only there is it told whether the answer is whole.
            while len(data) <= most and (part := response.read(most + 1 - len(data))):
                data += part
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            failure = _failure(error)
            failure.whole_left = left
            raise failure from None
        finally:
            channel.close()
        if len(data) > most:
            failure = TransportError(f"The server's reply has more than {most // 1024} kB.", cause="too-long")
            failure.whole_left = True
            raise failure
        hide, said = _hiding(hidden), response.headers
        later = said.get("Retry-After", "")
        return Reply(
            response.status,
            readable(hide(said.get("Content-Type", "").partition(";")[0]), 60),
            _parse(data, hide),
            readable(hide(said.get("Location", ""))),
            float(later) if re.fullmatch(r"[0-9]{1,6}", later) else None,
        )

    def _open(self, place: Place, size: int = 0) -> Channel:
        # To this machine there is no way through a proxy, which would read what is plain text.
        route = self.way.route(place.host) if place.secure else None
        limit = self.limit.within(self.way.deadline + size / SLOWEST)
        addresses = find(place.host, place.port, route, limit)

        def link() -> Channel:
            way = self.way
            return open_link(
                addresses, place.host, place.port, route, timeout=way.timeout, limit=limit, source=way.source
            )

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


def _basic(login: str) -> str:
    return f"Basic {base64.b64encode(login.encode()).decode()}"


def _failure(error: BaseException) -> TransportError:
    """What went wrong on the link, from under urllib3's own error, whose words may hold what was sent."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, TransportError):
            return inner
        if isinstance(inner, ConnectionError):
            return TransportError("The server closed the link without an answer.", cause="closed")
        inner = inner.__cause__ or inner.__context__
    return TransportError(f"The server's reply is not valid HTTP ({type(error).__name__}).", cause="bad-reply")


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


def _hiding(secrets: Iterable[str]) -> Callable[[Any], Any]:
    """What puts stars in the place of secrets, in a text or in all that JSON has: there each sign may be written in two ways."""
    found = sorted({form for secret in secrets for form in (secret, unquote(secret))}, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, found))) if found else None

    def hide(value: Any) -> Any:
        match value:
            case str():
                return pattern.sub(STARS, value) if pattern is not None else value
            case list():
                return [hide(each) for each in value]
            case dict():
                return {hide(name): hide(each) for name, each in value.items()}
        return value

    return hide


def _parse(data: bytes, hide: Callable[[Any], Any]) -> Fields | None:
    try:
        found = hide(json.loads(data))
    except (ValueError, RecursionError):
        return None
    return Fields(found) if isinstance(found, dict) else None
