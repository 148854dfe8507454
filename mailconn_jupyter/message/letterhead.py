"""What a connection adds to each of its messages: a signature below the content, or a frame around it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from html import unescape
from pathlib import Path
from typing import Final

from ..errors import MessageError
from ..formatting import how_large
from ..paths import expanded, relative
from .render.image.dimensions import image_type
from .render.part import Options, Part, joined
from .render.stack import fragment
from .template import Kind, Template, render_template, written
from .texts import clean

__all__ = ["framed", "in_frame"]

_frame: Final[ContextVar[str]] = ContextVar("frame", default="")

_KINDS: Final[dict[str, Kind]] = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".txt": "text",
}
_CONTENT: Final = re.compile(r"\{\{-? *content *-?\}\}")
_IMAGE: Final = re.compile(r"""(<img\b[^<>]*?\bsrc=)(["'])([^"'<>]*)\2""", re.IGNORECASE)
_ELSEWHERE: Final = re.compile(r"[a-z][a-z0-9+.-]*:|//|cid:", re.IGNORECASE)
_LINE_END: Final = re.compile(r"(?<=\S)\n(?=\S)")
#: Bytes of a signature and of a picture in it: every message has them.
_MOST: Final = 200_000
#: What parts the text of a message from a signature (RFC 3676, 4.3).
_RULE: Final = "-- "


@contextmanager
def framed(signature: str) -> Iterator[None]:
    """While messages are composed, give each this ``signature``: a line of Markdown, or the path of a file."""
    before = _frame.set(signature)
    try:
        yield
    finally:
        _frame.reset(before)


def in_frame(body: Part, options: Options) -> Part:
    """The body with the signature of :func:`framed`. Raises :class:`MessageError` for a file that cannot be read."""
    said = _frame.get().strip()
    if not said:
        return body
    kind, text, folder = _read(said)
    text = clean(text)
    if kind == "html" and folder is not None:
        text = _IMAGE.sub(lambda found: _with_picture(found, folder), text)
    if _CONTENT.search(text):
        return render_template(Template(text, kind), {"content": body}, options)
    signature = _signature(kind, text.strip("\n"), options)
    plain = f"{body.text}\n\n{_RULE}\n{signature.text}" if body.text else f"{_RULE}\n{signature.text}"
    if body.html is None and signature.html is None:
        return joined([body, signature], plain, None)
    html = "\n".join(fragment(part) for part in (body, signature) if part.text or part.html)
    return joined([body, signature], plain, html)


def _signature(kind: Kind, text: str, options: Options) -> Part:
    if kind != "markdown":
        return written(kind, text, options)
    # In a signature each line is one.
    made = written(kind, _LINE_END.sub("  \n", text), options)
    return Part(text, made.html, made.pictures, made.files, made.warnings)


def _read(said: str) -> tuple[Kind, str, Path | None]:
    """What it is written in, its text, and the folder of its file."""
    kind = _KINDS.get(Path(said).suffix.lower()) if len(said) < 1000 and "\n" not in said else None
    if kind is None:
        return ("html" if said.startswith("<") else "markdown"), said, None
    path = expanded(said)
    # In whatever folder a notebook is, somebody else may have put a file there.
    if flaw := relative("The signature", path):
        raise MessageError(f"{flaw}.", hint="Give its full path, for example ~/signature.html")
    return kind, _bytes_of(path, "signature").decode("utf-8-sig", errors="replace"), path.parent


def _with_picture(found: re.Match[str], folder: Path) -> str:
    """An image of the folder as one that is part of the message."""
    start, quote, source = found.groups()
    name = unescape(source).strip()
    if not name or _ELSEWHERE.match(name):
        return found[0]
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise MessageError(f"The picture {name!r} of the signature is not in the folder of its file.")
    data = _bytes_of(path, "picture of the signature")
    subtype = image_type(data)
    if not subtype:
        raise MessageError(f"The picture {name!r} of the signature is not an image that mail programs show.")
    return f"{start}{quote}data:image/{subtype};base64,{base64.b64encode(data).decode()}{quote}"


def _bytes_of(path: Path, what: str) -> bytes:
    try:
        if not path.is_file():
            raise MessageError(f"The {what} is not there: {path}")
        with path.open("rb") as file:
            data = file.read(_MOST + 1)
    except (OSError, ValueError) as error:
        raise MessageError(f"The {what} cannot be read: {path} ({error}).") from error
    if len(data) > _MOST:
        raise MessageError(f"The {what} is larger than {how_large(_MOST)}: {path}")
    return data
