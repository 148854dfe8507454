"""One received message: its envelope, its parts, and the bytes as they came.

Anything may be in a message, also what no standard allows, and Python's parser fails on some of it in its own ways. What
cannot be read is shown as it came, or left out; ``raw`` always has it all.
"""

from __future__ import annotations

import email.policy
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage, Message
from email.parser import BytesParser
from functools import cached_property
from typing import Any, Final

__all__ = ["Attachment", "Received", "one_line"]

_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")
# They turn the reading direction, so that "gpj.exe" reads "exe.jpg".
_TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def one_line(text: str) -> str:
    """``text`` in one line, with a visible sign in place of what could change how the rest is shown."""
    shown = "".join(
        "\ufffd" if character in _TURNING or unicodedata.category(character) in {"Cc", "Cs"} else character
        for character in " ".join(text.split())
    )
    return shown.strip()


@dataclass(frozen=True)
class Attachment:
    """A part of a message beside its body; ``inline`` says that the body shows it (``cid:``)."""

    name: str
    content_type: str
    data: bytes = field(repr=False)
    content_id: str = ""
    inline: bool = False


@dataclass(frozen=True)
class _Parts:
    text: str | None
    html: str | None
    attachments: tuple[Attachment, ...]


class Received:
    """A message as the server got it.

    ``sender`` and ``recipients`` are the envelope's (so Bcc is among them), ``raw`` the bytes, ``arrived`` the time.
    """

    def __init__(self, sender: str, recipients: tuple[str, ...], raw: bytes, arrived: datetime) -> None:
        self.sender = sender
        self.recipients = recipients
        self.raw = raw
        self.arrived = arrived

    @cached_property
    def message(self) -> EmailMessage:
        """The message, parsed (:data:`email.policy.default`); its headers alone where the parser fails on the rest."""
        parser = BytesParser(policy=email.policy.default)
        try:
            return parser.parsebytes(self.raw)
        except Exception:  # noqa: BLE001  # such as a RecursionError for parts within parts
            return parser.parsebytes(self.raw, headersonly=True)

    def header(self, name: str) -> str:
        """A header, decoded, in one line; empty when there is none."""
        try:
            value = str(self.message.get(name) or "")
        except Exception:  # noqa: BLE001  # the parser fails in its own ways on a malformed header
            raw = (str(value) for key, value in self.message.raw_items() if key.casefold() == name.casefold())
            value = next(raw, "")
        return one_line(value.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))

    @property
    def subject(self) -> str:
        return self.header("Subject")

    @property
    def date(self) -> datetime | None:
        """What the Date header says; None when it says no date."""
        try:
            value = getattr(self.message["Date"], "datetime", None)
        except Exception:  # noqa: BLE001  # as above
            return None
        return value if isinstance(value, datetime) else None

    @property
    def text(self) -> str | None:
        """The body as plain text; None when the message has none."""
        return self._parts.text

    @property
    def html(self) -> str | None:
        """The body as HTML, as the sender wrote it, so not safe to show as it is; None when there is none."""
        return self._parts.html

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """Every part beside the body, the images in it among them."""
        return self._parts.attachments

    @cached_property
    def _parts(self) -> _Parts:
        bodies: dict[str, str] = {}
        attachments = []
        for part in _leaves(self.message):
            kind = _content_type(part)
            body = kind in {"text/plain", "text/html"} and not _is_attached(part)
            if body and kind not in bodies:
                bodies[kind] = _decoded(part)
            else:
                attachments.append((part, kind))
        html = bodies.get("text/html")
        return _Parts(
            bodies.get("text/plain"), html, tuple(_attachment(part, kind, html or "") for part, kind in attachments)
        )

    def __repr__(self) -> str:
        return f"<Received {self.subject!r} from {one_line(self.sender)} to {one_line(', '.join(self.recipients))}>"

    def _repr_html_(self) -> str:
        from .view import received_html  # noqa: PLC0415  # only what is shown needs it

        return received_html(self)


def _leaves(message: Message[Any, Any]) -> Iterator[Message[Any, Any]]:
    """The parts that hold something, in their order; a message in a message is one of them."""
    waiting = [message]
    while waiting:
        part = waiting.pop()
        inner = part.get_payload()
        if isinstance(inner, list) and _content_type(part).startswith("multipart/"):
            waiting += [each for each in reversed(inner) if isinstance(each, Message)]
        else:
            yield part


def _content_type(part: Message[Any, Any]) -> str:
    try:
        found = part.get_content_type()
    except Exception:  # noqa: BLE001  # a malformed header
        found = ""
    return found if _TYPE.fullmatch(found) else "application/octet-stream"


def _is_attached(part: Message[Any, Any]) -> bool:
    try:
        return part.get_content_disposition() == "attachment" or part.get_filename() is not None
    except Exception:  # noqa: BLE001  # a malformed header
        return True


def _bytes(part: Message[Any, Any]) -> bytes:
    try:
        inner = part.get_payload()
        if isinstance(inner, list):
            return b"".join(each.as_bytes() for each in inner if isinstance(each, Message))
        data = part.get_payload(decode=True)
    except Exception:  # noqa: BLE001  # a malformed part
        return b""
    return data if isinstance(data, bytes) else b""


def _decoded(part: Message[Any, Any]) -> str:
    data = _bytes(part)
    try:
        text = data.decode(part.get_content_charset() or "utf-8", "replace")
    except Exception:  # noqa: BLE001  # an unknown or malformed charset
        text = data.decode("utf-8", "replace")
    return text.replace("\r\n", "\n")


def _attachment(part: Message[Any, Any], kind: str, html: str) -> Attachment:
    try:
        name = one_line(part.get_filename() or "")
        content_id = one_line(str(part.get("Content-ID") or "")).strip("<> ")
    except Exception:  # noqa: BLE001  # a malformed header
        name = content_id = ""
    inline = bool(content_id) and f"cid:{content_id}" in html
    return Attachment(name or "(no name)", kind, _bytes(part), content_id, inline)
