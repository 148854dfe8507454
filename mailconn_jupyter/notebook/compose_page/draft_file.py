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

    ``X-Unsent`` is by what Outlook knows a draft. Raises :class:`MessageError` where the file cannot be made.
    """
    if not path.strip():
        raise MessageError("The draft needs the name of a file.", hint="For example: draft.eml")
    file = expanded(path.strip())
    file = file if file.suffix == ".eml" else file.with_name(f"{file.name}.eml")
    message["X-Unsent"] = "1"
    data = as_bytes(message, utf8=False, eight_bit=True, bcc=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(file, flags, 0o600), "wb") as opened:
            opened.write(data)
    except FileExistsError:
        raise MessageError(f"{atomic_files.show(file)} is there already.", hint="Choose another name.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MessageError(f"{atomic_files.show(file)} cannot be written: {reason}.") from error
    return file
