"""A session for a test: not open yet, changing nothing, and curious at the last stage."""

from __future__ import annotations

from typing import Any

from ...connection import MailConnection
from ...errors import OpenError
from ..connect import session_class
from .run_stages import Opening

__all__ = ["opening_class", "surveyor"]


def surveyor(connection: MailConnection, opening: Opening) -> Any:
    """The session; where what it needs is not installed, the opening's first stage fails, and it is raised."""
    try:
        return session_class(connection)()
    except OpenError as error:
        opening.refuse(error)
        raise


def opening_class(connection: MailConnection) -> type[Opening]:
    """What opens the connection: over the network, or for MBOX a file, by the same stages."""
    if connection.protocol == "MBOX":
        from ..mbox.file_stages import FileOpening  # noqa: PLC0415  # nothing else needs it

        return FileOpening
    return Opening
