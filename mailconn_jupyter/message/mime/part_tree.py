"""The tree of a message: which part stands in which, and how each is encoded on the way."""

from __future__ import annotations

import binascii
import re
import secrets
from collections.abc import Sequence
from email.message import MIMEPart
from typing import Final

from ..file_names import content_type, file_name
from ..render.part import File, Picture
from ..texts import mended
from .encoded_part import EncodedPart, lines_of
from .headers import parameter

__all__ = ["build", "encoded_size"]

# RFC 5322, 2.1.1: 998. Some relays count differently; nobody is helped by the last few.
_LONGEST: Final = 900
_CONTROLS: Final = bytes({*range(0x20), 0x7F} - {*b"\t\n"})


def build(  # noqa: PLR0917  # the parts in their order
    root: MIMEPart,
    text: str,
    html: str | None,
    pictures: Sequence[Picture],
    files: Sequence[File],
    calendar: tuple[str, str] | None = None,
) -> None:
    """Put a message together: mixed(related(alternative(text, HTML), images), attachments), without what is not there.

    ``calendar``, the method and the text of an invitation, is the last alternative, where Outlook, Gmail and Apple Mail
    look for it (RFC 6047, 2.4).
    """
    body: list[MIMEPart] = [_text(text, "plain")]
    if html is not None:
        body.append(_text(html, "html"))
    if calendar is not None:
        body.append(_text(calendar[1], "calendar", f"; method={calendar[0]}"))
    if len(body) > 1:
        body = [_multipart("alternative", body)]
    images = {picture.cid: picture for picture in pictures}
    if images:
        body = [
            _multipart("related", [*body, *map(_picture, images.values())], f'; type="{body[0].get_content_type()}"')
        ]
    if files:
        body = [_multipart("mixed", [*body, *map(_file, files)])]
    (top,) = body
    for name, value in top.raw_items():
        root.set_raw(name, value)
    root.set_payload(top.get_payload())


def encoded_size(data: int) -> int:
    """About how many bytes an attachment of so many takes in a message."""
    return data * 78 // 57 + 300


def _multipart(subtype: str, parts: Sequence[MIMEPart], more: str = "") -> MIMEPart:
    part = MIMEPart()
    # A boundary that no encoded line can be (RFC 2045, 6.7), so that nobody needs to search the parts for it.
    boundary = f"=_{secrets.token_hex(16)}"
    part.set_raw("Content-Type", f'multipart/{subtype}{more};\n boundary="{boundary}"')
    part.set_payload(list(parts))
    return part


def _leaf(kind: str, encoding: str, payload: str | bytes, disposition: str = "", cid: str = "") -> MIMEPart:
    part = EncodedPart(payload, as_lines=encoding != "base64") if isinstance(payload, bytes) else MIMEPart()
    part.set_raw("Content-Type", kind)
    part.set_raw("Content-Transfer-Encoding", encoding)
    if cid:
        part.set_raw("Content-ID", f"<{cid}>")
    if disposition:
        part.set_raw("Content-Disposition", disposition)
    if isinstance(payload, str):
        part.set_payload(payload)
    return part


def _text(text: str, subtype: str, more: str = "") -> MIMEPart:
    text = mended(text)
    kind = f'text/{subtype}; charset="utf-8"{more}'
    # HTML can say any character in ASCII, and then needs no encoding at all.
    plain = text.encode("ascii", "xmlcharrefreplace") if subtype == "html" else text.encode()
    ways = [("7bit", plain.decode("ascii"))] if _as_it_is(plain) else []
    if not ways or not text.isascii():
        ways += [_quoted(text), _base64(text.replace("\n", "\r\n").encode())]
    encoding, payload = min(ways, key=lambda way: len(way[1]))
    return _leaf(kind, encoding, payload)


def _as_it_is(data: bytes) -> bool:
    """Whether the lines can travel unencoded, and arrive as they were."""
    return (
        data.isascii()
        and len(data.translate(None, _CONTROLS)) == len(data)
        # Mailboxes of the mbox format put a > before such a line, and the file is not the same any more.
        and not data.startswith(b"From ")
        and b"\nFrom " not in data
        and max(map(len, data.split(b"\n"))) <= _LONGEST
    )


def _quoted(text: str) -> tuple[str, str]:
    data = binascii.b2a_qp(text.encode(), istext=True).decode("ascii")
    return "quoted-printable", re.sub(r"^From ", "=46rom ", data, flags=re.MULTILINE)


def _base64(data: bytes) -> tuple[str, str]:
    return "base64", b"".join(lines_of(data, b"\n")).decode("ascii")


def _picture(picture: Picture) -> MIMEPart:
    name = f"image-{picture.cid[:8]}.{picture.subtype.replace('jpeg', 'jpg')}"
    kind = f"image/{picture.subtype}{parameter('name', name)}"
    return _leaf(kind, "base64", bytes(picture.data), f"inline{parameter('filename', name)}", picture.cid)


def _file(file: File) -> MIMEPart:
    name = file_name(file.name)
    kind = file.content_type or content_type(name, file.data)
    if kind.startswith("text/") and "charset=" not in kind and _is_utf8(file.data):
        kind = f'{kind}; charset="utf-8"'
    disposition = f"attachment{parameter('filename', name)}"
    if file.as_lines:
        ends = file.data.count(b"\r\n")
        whole = ends == file.data.count(b"\r") == file.data.count(b"\n")
        if whole and _as_it_is(file.data.replace(b"\r\n", b"\n")):
            return _leaf(kind, "7bit", bytes(file.data), disposition)
    return _leaf(kind, "base64", bytes(file.data), disposition)


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
