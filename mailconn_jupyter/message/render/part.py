"""What a renderer makes of an object, and what it is told about how."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal

from .image.dimensions import dimensions

__all__ = ["PAGE", "File", "Formulas", "Options", "Part", "Picture", "TableFormat", "fitted", "joined", "unique"]

TableFormat = Literal["csv", "xlsx", "parquet"]
Formulas = Literal["keep", "quote"]

#: Gmail cuts a message whose HTML is longer than about 102 kB; what surrounds the content is counted off.
ROOM: Final = 96_000
#: Rows of a table that are shown at most, unless the author says how many.
ROWS: Final = 50
#: Pixels across of the widest picture.
WIDEST: Final = 960
#: Pixels across of what stands in a mail that is read in a narrow pane, 600 of them, within its margins.
PAGE: Final = 572


@dataclass(frozen=True)
class Options:
    """How objects are to be rendered; ``compose`` fills it from its own arguments."""

    #: Rows of a table that are shown; None: as many as fit, at most 50.
    rows: int | None = None
    #: Whether a table's index is shown; None: when it says something (it has a name, or is more than row numbers).
    index: bool | None = None
    #: What a table of which not all is shown is attached as.
    table_as: TableFormat = "csv"
    #: Texts of a CSV file that a spreadsheet would compute: kept as they are, or with an apostrophe before each.
    formulas: Formulas = "keep"
    #: Bytes of HTML that this object may take, so that the whole stays under what Gmail shows.
    room: int = ROOM
    #: The names of the message's attachments so far; :meth:`own_name` adds to them.
    names: set[str] = field(default_factory=set)

    def own_name(self, name: str) -> str:
        """A name for an attachment that no other has: ``table.csv``, then ``table-2.csv``."""
        return unique(name, self.names)


@dataclass(frozen=True)
class File:
    """An attachment; an empty ``content_type`` is found from the name.

    ``as_lines``: it is lines of text, so it need not grow by the third that base64 adds. Lines end as the mailbox ends
    them then: CR LF in IMAP, LF in the files of many servers. Any other file arrives byte for byte.
    """

    name: str
    data: bytes
    content_type: str = ""
    as_lines: bool = False


@dataclass(frozen=True)
class Picture:
    """An image inside the text. ``scale`` 2 is a retina image: it is shown at half its pixels."""

    data: bytes
    alt: str
    subtype: str = "png"
    scale: float = 1
    #: Where the size to show is known (a notebook's metadata), pixels; else the image's own, over ``scale``.
    shown: tuple[int, int] | None = None

    @cached_property
    def cid(self) -> str:
        """The Content-ID: the same for the same image, so that it is sent once."""
        return f"{hashlib.sha256(self.data).hexdigest()[:32]}@mailconn"

    @cached_property
    def size(self) -> tuple[int, int] | None:
        """Width and height to show, in pixels, at most 960 wide; None when unknown."""
        if self.shown is not None:
            wide, high = self.shown
        elif (own := dimensions(self.data)) is not None:
            wide, high = round(own[0] / self.scale), round(own[1] / self.scale)
        else:
            return None
        if wide > WIDEST:
            wide, high = WIDEST, round(high * WIDEST / wide)
        return max(wide, 1), max(high, 1)


def fitted(size: tuple[int, int] | None, style: str = "") -> str:
    """The attributes of an image of that size, its ``style`` among them: never wider than the pane that it is read in.

    Outlook heeds no max-width: it takes the width of the attribute, and every other program that of the style.
    """
    if size is None:
        return f' style="{style}max-width:100%;height:auto"'
    wide, high = size
    said = f"{style}max-width:100%;height:auto"
    if wide > PAGE:
        wide, high, said = PAGE, max(round(high * PAGE / wide), 1), f"width:{wide}px;{said}"
    return f' width="{wide}" height="{high}" style="{said}"'


@dataclass(frozen=True)
class Part:
    """One piece of a message, in each of the forms that it may be read in.

    ``text`` is its plain text. ``html`` is an HTML fragment in which everything foreign is escaped or sanitised; None
    when the plain text says it all. The fragment shows a picture by ``cid:`` and its :attr:`Picture.cid`.
    ``warnings`` are for the author, not for the reader: what was lost, and what would help.
    """

    text: str
    html: str | None = None
    pictures: tuple[Picture, ...] = ()
    files: tuple[File, ...] = ()
    warnings: tuple[str, ...] = field(default=())
    #: Meetings, whose calendar part is made when the people of the message are known.
    invitations: tuple[Any, ...] = ()


def unique(name: str, taken: set[str]) -> str:
    """``name``, with a number before its suffix when it is taken; without regard to case, as file systems see it."""
    stem, dot, suffix = name.rpartition(".")
    if not stem:
        stem, dot, suffix = name, "", ""
    candidate, number = name, 2
    while candidate.casefold() in taken:
        candidate, number = f"{stem}-{number}{dot}{suffix}", number + 1
    taken.add(candidate.casefold())
    return candidate


def joined(parts: Iterable[Part], text: str, html: str | None) -> Part:
    """A part with the pictures, files and warnings of all ``parts``."""
    parts = list(parts)
    return Part(
        text,
        html,
        tuple(picture for part in parts for picture in part.pictures),
        tuple(file for part in parts for file in part.files),
        tuple(warning for part in parts for warning in part.warnings),
        tuple(meeting for part in parts for meeting in part.invitations),
    )
