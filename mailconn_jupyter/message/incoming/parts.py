"""The body of a message that came from somewhere: its texts and its attachments, as far as they can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from email.utils import decode_rfc2231
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from .charsets import text_of
from .header import decoded, one_line
from .uuencoded import take_files

__all__ = ["NO_NAME", "Attachment", "Parts", "parts_of"]

NO_NAME: Final = "(no name)"

_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")
_CHARSET: Final = re.compile(r"""charset\*?\s*=\s*["']?([\w.:+-]+)""", re.IGNORECASE)
_NAME: Final = re.compile(r"""\b(?:file)?name(?:\*0?)?\*?\s*=\s*("[^"]*"|[^;\s]+)""", re.IGNORECASE)
_FOLDERS: Final = re.compile(r"[/\\]")

# What the parser finds wrong, for a person; None: something else says it better.
_DEFECTS: Final[dict[str, str | None]] = {
    "NoBoundaryInMultipartDefect": "It names no boundary for its parts, so they are shown as one text.",
    "StartBoundaryNotFoundDefect": "The boundary of its parts is nowhere in it, so they are shown as one text.",
    "CloseBoundaryNotFoundDefect": "The end of its last part is missing: it may be cut off.",
    "MultipartInvariantViolationDefect": None,
    "MissingHeaderBodySeparatorDefect": "A line of a header is none; the rest of that header is taken for text.",
    "FirstHeaderLineIsContinuationDefect": "Its first line continues a header that is missing.",
    "MisplacedEnvelopeHeaderDefect": "The envelope line of a mailbox file stands among its headers.",
    "InvalidBase64PaddingDefect": "The end of a part in Base64 is missing.",
    "InvalidBase64CharactersDefect": "A part in Base64 holds other characters, which are passed over.",
    "InvalidBase64LengthDefect": "A part in Base64 cannot be decoded, and is shown as it came.",
    "InvalidMultipartContentTransferEncodingDefect": "Its parts are encoded as a whole, which no standard allows.",
    "UndecodableBytesDefect": None,
}


@dataclass(frozen=True)
class Attachment:
    """A part of a message beside its body; ``inline`` says that the body shows it (``cid:``).

    ``name`` is what the sender calls it, without folders: still a name to look at before a file is called so.
    """

    name: str
    content_type: str
    data: bytes = field(repr=False)
    content_id: str = ""
    inline: bool = False


@dataclass(frozen=True)
class Parts:
    """What a message holds below its header, and what of it could not be read, in sentences."""

    text: str = ""
    html: str = ""
    attachments: tuple[Attachment, ...] = ()
    problems: tuple[str, ...] = ()


def parts_of(message: Message[Any, Any]) -> Parts:
    """Read every part. It does not raise, whatever the message holds."""
    bodies: dict[str, str] = {}
    attached: list[tuple[Message[Any, Any], str]] = []
    found: list[tuple[str, bytes]] = []
    problems: list[str] = []
    for part in _leaves(message, problems):
        kind = _content_type(part)
        # A multipart without parts is a text whose parts could not be told apart.
        body = "text/plain" if kind.startswith("multipart/") else kind
        if body in {"text/plain", "text/html"} and body not in bodies and not _is_attached(part):
            bodies[body] = _text(part, problems)
        else:
            attached.append((part, kind))
        problems += _said(part)
    if "text/plain" in bodies:
        bodies["text/plain"], found = take_files(bodies["text/plain"])
    html = bodies.get("text/html", "")
    attachments = [_attachment(part, kind, html, problems) for part, kind in attached]
    attachments += [Attachment(_shown(name), "application/octet-stream", data) for name, data in found]
    for part, _ in attached:
        problems += _said(part)
    if "\x00" in "".join(bodies.values()):
        problems.append("Its text holds NUL characters, which no mail may.")
    return Parts(bodies.get("text/plain", ""), html, tuple(attachments), tuple(dict.fromkeys(problems)))


def _leaves(message: Message[Any, Any], problems: list[str]) -> Iterator[Message[Any, Any]]:
    """The parts that hold something, in their order; a message in a message is one of them."""
    waiting = [message]
    while waiting:
        part = waiting.pop()
        inner = part.get_payload()
        if isinstance(inner, list) and _content_type(part).startswith("multipart/"):
            problems += _said(part)
            waiting += [each for each in reversed(inner) if isinstance(each, Message)]
        else:
            yield part


def _said(part: Message[Any, Any]) -> Iterator[str]:
    """What the parser has found wrong so far."""
    for defect in part.defects:
        name = type(defect).__name__
        words = re.sub(r"(?<!^)([A-Z])", r" \1", name.removesuffix("Defect")).lower()
        if sentence := _DEFECTS.get(name, f"It is malformed: {words}."):
            yield sentence


def _content_type(part: Message[Any, Any]) -> str:
    try:
        found = part.get_content_type()
    except Exception:  # noqa: BLE001  # a malformed header
        found = ""
    return found if _TYPE.fullmatch(found) else "application/octet-stream"


def _raw_field(part: Message[Any, Any], name: str) -> str:
    """A field as it came, for where the parser fails on it."""
    return next((str(value) for key, value in part.raw_items() if key.lower() == name), "")


def _is_attached(part: Message[Any, Any]) -> bool:
    try:
        return part.get_content_disposition() == "attachment" or part.get_filename() is not None
    except Exception:  # noqa: BLE001  # a malformed header
        return "attachment" in _raw_field(part, "content-disposition").lower()


def _text(part: Message[Any, Any], problems: list[str]) -> str:
    data = _bytes(part, problems)
    try:
        charset = part.get_content_charset()
    except Exception:  # noqa: BLE001  # a malformed header
        named = _CHARSET.search(_raw_field(part, "content-type"))
        charset = named[1] if named else "unreadable"
    # RFC 2045, 5.2 says US-ASCII, and 8 bits in it are UTF-8 these days.
    text, sound = text_of(data, charset or "utf-8")
    if not sound:
        problems.append(f"The text is not in the charset that it names ({one_line(charset or 'none')[:40]}).")
    return text.replace("\r\n", "\n")


def _bytes(part: Message[Any, Any], problems: list[str]) -> bytes:
    inner = part.get_payload()
    if isinstance(inner, list):
        try:
            return b"".join(each.as_bytes() for each in inner if isinstance(each, Message))
        except Exception:  # noqa: BLE001  # a malformed message within
            problems.append("A message within it cannot be taken out of it.")
            return b""
    try:
        data = part.get_payload(decode=True)
    except Exception:  # noqa: BLE001  # a malformed part
        data = None
    if isinstance(data, bytes):
        return data
    problems.append("A part cannot be decoded, and is shown as it came.")
    return str(inner or "").encode("utf-8", "surrogateescape")


def _attachment(part: Message[Any, Any], kind: str, html: str, problems: list[str]) -> Attachment:
    try:
        content_id = one_line(str(part.get("Content-ID") or "")).strip("<> ")
    except Exception:  # noqa: BLE001  # a malformed header
        content_id = ""
    inline = bool(content_id) and f"cid:{content_id}" in html
    return Attachment(_name(part, problems), kind, _bytes(part, problems), content_id, inline)


def _name(part: Message[Any, Any], problems: list[str]) -> str:
    try:
        name = part.get_filename() or ""
    except Exception:  # noqa: BLE001  # a malformed header
        problems.append("The name of an attachment is malformed.")
        name = _guessed_name(part)
    if "\ufffd" in name:
        # The parser knew no charset for it.
        name = _guessed_name(part) or name
    if "=?" in name:
        # Many programs put encoded words where RFC 2231 is meant to be.
        name = decoded(name)[0]
    return _shown(name)


def _guessed_name(part: Message[Any, Any]) -> str:
    for field_name in ("content-disposition", "content-type"):
        if found := _NAME.search(_raw_field(part, field_name)):
            value = found[1].strip('"')
            if "'" in value and "*" in found[0]:
                charset, _, value = decode_rfc2231(value)
                return text_of(unquote_to_bytes(value), charset or "utf-8")[0]
            return value
    return ""


def _shown(name: str) -> str:
    """The name alone: a path would lead out of the folder that somebody saves it in."""
    name = one_line(_FOLDERS.split(name)[-1].encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    return name if name.strip(".") else NO_NAME
