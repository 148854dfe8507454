"""The body of a message that came from somewhere: its texts and its attachments, as far as they can be read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from ..file_names import suffix_of
from .charsets import text_of
from .entities import Entity, entities
from .flowed import unbroken
from .header import Header, end_of_header, one_line
from .references import REFERENCE, reference
from .structured_field import MOST_PARAMETERS, StructuredField
from .transfer_encoding import decoded_body
from .uuencoded import take_files

__all__ = ["Attachment", "Parts", "parts_of"]

_BODIES: Final = frozenset({"text/plain", "text/html"})
_PLAIN_ENCODINGS: Final = frozenset({"", "7bit", "8bit", "binary"})
_LONGEST_MADE: Final = 100
_PRESCAN: Final = 4096
_COMMENT: Final = re.compile(rb"<!--.*?(?:-->|\Z)", re.DOTALL)
_META: Final = re.compile(rb"""<meta\b[^<>]*?\bcharset\s*+=[\s"']*+([a-z0-9_:.+-]{1,40})""", re.IGNORECASE)
_FOLDERS: Final = re.compile(r"[/\\]")


@dataclass(frozen=True)
class Attachment:
    """A part of a message beside its body; ``inline`` says that the body shows it (``cid:``).

    ``name`` is what the sender calls it, without folders, or made of its type: still a name to look at before a file is
    called so. ``data`` is what was sent, byte for byte.
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


def parts_of(raw: bytes) -> Parts:
    """Read every part. It does not raise, whatever the message holds."""
    problems: list[str] = []
    bodies: dict[str, list[str]] = {kind: [] for kind in _BODIES}
    attached: list[tuple[Entity, StructuredField]] = []
    taken: set[tuple[int, str]] = set()
    charset = ""
    for part in entities(raw, problems):
        disposition = part.header.field("Content-Disposition")
        # A multipart without parts is a text whose parts could not be told apart.
        kind = "text/plain" if part.kind.startswith("multipart/") else part.kind
        has_name = bool(disposition.text("filename")[0] or part.type.text("name")[0])
        # A text with a name of its own is the body, too, unless that is somewhere else.
        is_body = kind in _BODIES and disposition.word != "attachment"
        if part.alternative:
            is_body = is_body and (part.multipart, kind) not in taken
        elif has_name:
            is_body = is_body and not any(bodies.values())
        if is_body:
            taken.add((part.multipart, kind))
            charset = charset or part.type.token("charset")
            bodies[kind].append(_text(part, problems))
        else:
            attached.append((part, disposition))
        problems += part.header.problems()
        if not (part.type.complete and disposition.complete):
            problems.append(f"A header has over {MOST_PARAMETERS} parameters; the rest are left out.")
    text, files = take_files(_joined(bodies["text/plain"]))
    html = _joined(bodies["text/html"])
    shown = {reference(found) for found in REFERENCE.findall(html)}
    attachments = []
    for number, (part, disposition) in enumerate(attached, 1):
        content_id = part.header.text("Content-ID").strip("<> ")
        data = _bytes(part, problems)
        name = _name(part, disposition, charset, problems) or _made_name(part.kind, data, number)
        attachments.append(Attachment(name, part.kind, data, content_id, reference(content_id) in shown))
    for name, data in files:
        named = _without_folders(name) or _made_name("application/octet-stream", data, len(attachments) + 1)
        attachments.append(Attachment(named, "application/octet-stream", data))
    if "\x00" in text or "\x00" in html:
        problems.append("Its text contains NUL characters, which mail may not.")
    return Parts(text, html, tuple(attachments), tuple(dict.fromkeys(problems)))


def _joined(texts: list[str]) -> str:
    """Texts one after the other, each on lines of its own."""
    *before, last = [text for text in texts if text] or [""]
    return "".join(text if text.endswith("\n") else f"{text}\n" for text in before) + last


def _bytes(part: Entity, problems: list[str]) -> bytes:
    encoding = part.header.field("Content-Transfer-Encoding").word
    data, wrong = decoded_body(part.data, encoding)
    if part.kind.startswith("multipart/") and encoding not in _PLAIN_ENCODINGS:
        wrong = [*wrong, "Its parts are encoded as a whole, which no standard allows."]
    elif part.kind.startswith("message/") and wrong:
        # What no standard allows either, and what it does not even hold.
        return part.data
    problems += wrong
    return data


def _text(part: Entity, problems: list[str]) -> str:
    data = _bytes(part, problems)
    charset = part.type.token("charset")
    if not charset and part.kind == "text/html":
        charset = _charset_in(data)
    # RFC 2045, 5.2 says US-ASCII, and 8 bits in it are UTF-8 these days, or what was there before it.
    text, sound = text_of(data, charset or "utf-8")
    if not (sound or charset):
        text, _ = text_of(data, "")
        problems.append("The text names no charset and is not UTF-8; it is read as Windows-1252.")
    elif not sound:
        problems.append(f"The text is not in the charset that it names ({one_line(charset)[:40]}).")
    text = text.replace("\r\n", "\n")
    if part.kind == "text/plain" and part.type.token("format").lower() == "flowed":
        text = unbroken(text, delsp=part.type.token("delsp").lower() == "yes")
    return text


def _charset_in(html: bytes) -> str:
    """What HTML says of itself, where nothing else does, in its first bytes, as browsers look for it."""
    found = _META.search(_COMMENT.sub(b"", html[:_PRESCAN]))
    said = found[1].decode("ascii").lower() if found else ""
    # What can be read there is not in pairs of bytes; and what nobody wrote must not decide what markup is.
    return "" if said.startswith(("utf-16", "utf-32", "utf-7")) else said


def _name(part: Entity, disposition: StructuredField, charset: str, problems: list[str]) -> str:
    name, sound = disposition.text("filename", charset)
    if not name:
        name, sound = part.type.text("name", charset)
    if not sound:
        problems.append("The name of an attachment is malformed, and read as far as it can be.")
    return _without_folders(name)


def _without_folders(name: str) -> str:
    """The name alone: a path would lead out of the folder that somebody saves it in. Empty where nothing is left."""
    name = one_line(_FOLDERS.split(name)[-1])
    return name if name.strip(". ") else ""


def _made_name(kind: str, data: bytes, number: int) -> str:
    """A name for what has none: a message's is its subject, anything else's its type and its place."""
    if kind == "message/rfc822":
        subject = _FOLDERS.sub("_", Header(data[: end_of_header(data)]).text("Subject"))[:_LONGEST_MADE]
        if subject.strip(". "):
            return f"{subject}.eml"
    return f"{kind.partition('/')[0]}-{number}{suffix_of(kind)}"
