"""Attachments as files: under names that no sender can turn against this machine, and over nothing that is there."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from ...errors import MailConnError, OptionError
from ...formatting import columns, counted, how_large, prose, table
from ...message.file_names import file_name
from ...message.incoming.parsed import Attachment, ParsedMessage
from ...paths import expanded
from ...store import atomic_files

__all__ = ["SavedFile", "SavedFiles", "safe_name", "save"]

# What Windows has in no name, and the devices that it has under some, whatever the suffix.
_RESERVED: Final = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_DEVICE: Final = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3]) *(?:\.|\Z)", re.IGNORECASE
)
_LONGEST: Final = 200  # bytes: file systems have 255, and a number must fit, too
#: Of a new file, as any program makes it: less what the umask takes.
_MODE: Final = 0o666
_MOST_TRIES: Final = 10_000
_MOST_ROWS: Final = 20


@dataclass(frozen=True)
class SavedFile:
    """A file, its ``size`` in bytes, and the ``subject`` of the message that it came with."""

    path: Path
    size: int
    subject: str


class SavedFiles(tuple[SavedFile, ...]):
    """The files that were saved, or with a dry run would be; shows itself as a sentence and a table."""

    __slots__ = ()
    dry_run = False

    @property
    def paths(self) -> list[Path]:
        """Where they are."""
        return [file.path for file in self]

    @property
    def size(self) -> int:
        """Their bytes together."""
        return sum(file.size for file in self)

    @property
    def summary(self) -> str:
        """The sentence."""
        if not self:
            return "There was no attachment to save."
        where = self[0].path.parent
        done = "Would save" if self.dry_run else "Saved"
        return f"{done} {counted(len(self), 'attachment')} ({how_large(self.size)}) in {where}."

    def _rows(self) -> list[tuple[str, str, str]]:
        rows = [(file.path.name, how_large(file.size), file.subject) for file in self[:_MOST_ROWS]]
        more = len(self) - len(rows)
        return [*rows, *([(f"and {more} more", "", "")] if more else [])]

    def __repr__(self) -> str:
        return "\n".join([self.summary, *([columns(self._rows(), header=("file", "size", "from"))] if self else [])])

    def _repr_html_(self) -> str:
        return f"<p>{prose(self.summary)}</p>" + (table(self._rows(), header=("File", "Size", "From")) if self else "")


class _Planned(SavedFiles):
    __slots__ = ()
    dry_run = True


def safe_name(given: str) -> str:
    r"""A name that every file system takes for that of a plain file that shows.

    >>> safe_name("../../x.sh"), safe_name("NUL.txt"), safe_name(".bashrc"), safe_name('a"b|c.'), safe_name("..")
    ('x.sh', '_NUL.txt', '_.bashrc', 'a_b_c', 'attachment')
    """
    name = _RESERVED.sub("_", file_name(given)).rstrip(". ")
    if name.startswith((".", "-", "~")) or _DEVICE.match(name):
        name = f"_{name}"
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix) > 20:
        stem, dot, suffix = name, "", ""
    while len(f"{stem}{dot}{suffix}".encode("utf-8", "replace")) > _LONGEST:
        stem = stem[:-1]
    return f"{stem.rstrip()}{dot}{suffix}" or "attachment"


def save(
    messages: Iterable[ParsedMessage],
    folder: str | os.PathLike[str],
    *,
    pattern: str,
    inline: bool,
    overwrite: bool,
    dry_run: bool,
) -> SavedFiles:
    """Save what the messages have attached. Raises MailConnError where the folder takes no file."""
    if not isinstance(pattern, str):
        raise OptionError(f"pattern must be a text such as '*.pdf', not {type(pattern).__name__}.")
    try:
        where = Path(os.path.realpath(expanded(folder)))
        if not dry_run:
            where.mkdir(parents=True, exist_ok=True)
    except (TypeError, ValueError) as error:
        raise OptionError(f"folder is not the path of a folder ({error}).") from error
    except OSError as error:
        raise MailConnError(f"The folder {os.fspath(folder)!r} cannot be made ({error.strerror}).") from error
    done: list[SavedFile] = []
    taken: set[str] = set()
    for message in messages:
        if not message.complete:
            raise OptionError(
                "Only the header of the message was read, not its attachments.",
                hint="Read it with its body: messages(name), without body=False.",
            )
        for attachment in _chosen(message, pattern, inline=inline):
            path = _place(where, attachment, taken, overwrite=overwrite, dry_run=dry_run)
            done.append(SavedFile(path, len(attachment.data), message.subject))
    return _Planned(done) if dry_run else SavedFiles(done)


def _chosen(message: ParsedMessage, pattern: str, *, inline: bool) -> Iterator[Attachment]:
    for attachment in message.attachments:
        if (inline or not attachment.inline) and fnmatchcase(attachment.name.lower(), pattern.lower()):
            yield attachment


def _place(where: Path, attachment: Attachment, taken: set[str], *, overwrite: bool, dry_run: bool) -> Path:
    """Write the file under the first name that is free; ``taken`` are those of this call."""
    for name in _names(safe_name(attachment.name)):
        if name.casefold() in taken:
            continue
        path = where / name
        try:
            if dry_run:
                if not overwrite and os.path.lexists(path):
                    continue
            elif overwrite:
                _replace(path, attachment.data)
            else:
                atomic_files.create(path, attachment.data, _MODE)
        except FileExistsError:
            continue
        except OSError as error:
            raise MailConnError(f"{path} cannot be written ({error.strerror}).") from error
        taken.add(name.casefold())
        return path
    raise MailConnError(f"{where} has {_MOST_TRIES} files like {attachment.name!r}.")


def _names(name: str) -> Iterator[str]:
    stem, dot, suffix = name.rpartition(".") if "." in name[1:] else (name, "", "")
    yield name
    for number in range(2, _MOST_TRIES):
        yield f"{stem}-{number}{dot}{suffix}"


def _replace(path: Path, data: bytes) -> None:
    """The file in place of what has its name, a link for example; half of it is never there."""
    temporary = path.with_name(f".mailconn-{secrets.token_hex(8)}.tmp")
    atomic_files.create(temporary, data, _MODE)
    try:
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
