"""What a command has to say: tables, asides, questions. Each knows its text, a table its HTML, too; none shows itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from ..formatting import columns, prose, table

__all__ = ["Aside", "Passing", "Question", "View", "when_text"]


class View:
    """A table with a caption above and notes below, as text and as HTML.

    ``sound`` is whether all is well that it tells of; otherwise a shell's command ends with the code of a failure.
    """

    def __init__(
        self,
        rows: Iterable[Sequence[object]] = (),
        *,
        header: Sequence[str] = (),
        caption: str = "",
        notes: Iterable[str] = (),
        sound: bool = True,
    ) -> None:
        self.rows = [list(row) for row in rows]
        self.header = header
        self.caption = caption
        self.notes = list(notes)
        self.sound = sound

    def __repr__(self) -> str:
        body = columns(self.rows, header=self.header) if self.rows else ""
        return "\n".join(part for part in (self.caption, body, *self.notes) if part)

    def _repr_html_(self) -> str:
        # Without rows there is no table that would have the caption.
        lines = self.notes if self.rows or not self.caption else [self.caption, *self.notes]
        body = table(self.rows, header=self.header, caption=self.caption) if self.rows else ""
        return body + "".join(f"<p>{prose(line)}</p>" for line in lines)


class Passing:
    """What is shown until the next word, and then no more: it is gone from what is saved of the cell."""

    def __init__(self, shown: object) -> None:
        self.shown = shown


class Aside(str):
    """A line for the author, not in the way of results: it goes to stderr."""

    __slots__ = ()


class Question(str):
    """A question to a person. The answer is what they typed, or None where nobody can be asked."""

    __slots__ = ()


def when_text(moment: datetime) -> str:
    """A moment in the time of this machine."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M")
