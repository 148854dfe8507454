"""A mail as a file that mail programs open as a draft."""

from __future__ import annotations

import os
from email.message import EmailMessage
from pathlib import Path

from ...errors import MessageError
from ...message.mime.wire_format import as_bytes
from ...paths import expanded
from ...store import atomic_files

__all__ = ["write_draft"]


def write_draft(message: EmailMessage, path: str) -> Path:
    """Put it into a new file, with its Bcc, for its owner alone; returns its path. No file is overwritten.

    Outlook knows a draft by its ``X-Unsent``. Raises :class:`MessageError` where the file cannot be made.
    """
    if not _names_a_file(path := path.strip()):
        none = f", and {path!r} is not one" if path else ""
        raise MessageError(f"The draft needs the name of a file{none}.", hint="For example: draft.eml")
    file = expanded(path)
    file = file if file.suffix.lower() == ".eml" else file.with_name(f"{file.name}.eml")
    message["X-Unsent"] = "1"
    data = as_bytes(message, utf8=False, eight_bit=True, bcc=True)
    try:
        atomic_files.create(file, data)
    except FileExistsError:
        raise MessageError(f"{atomic_files.show(file)} already exists.", hint="Choose another name.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MessageError(f"{atomic_files.show(file)} cannot be written: {reason}.") from error
    return file


def _names_a_file(path: str) -> bool:
    try:
        strange = b"\0" in os.fsencode(path)
    except UnicodeEncodeError:
        return False
    # What ends in a separator, or in a dot that stands for a folder, is lost in a Path.
    return not strange and os.path.basename(path) not in {"", ".", "..", "~"}  # noqa: PTH119
