"""One message of the log, by its Message-ID or by what ``%mailconn sent`` calls it."""

from __future__ import annotations

import re
from typing import Final

from ...errors import MessageError
from ...formatting import few
from .log_entry import LogEntry
from .sent import sent_messages

__all__ = ["named"]

_KEY: Final = re.compile("[0-9a-f]{4,64}")


def named(text: str) -> LogEntry | None:
    """The message that is called so; None where none is. The beginning of its ID is enough, as long as no other has it.

    Raises :class:`~mailconn_jupyter.errors.MessageError` where several have, and
    :class:`~mailconn_jupyter.errors.StoreError` where the log cannot be read.
    """
    entries = sent_messages()
    key = text.casefold() if _KEY.fullmatch(text.casefold()) else ""
    ids = {text, f"<{text}>"} - {""}
    found = [one for one in entries if one.message_id in ids or (key and one.key.startswith(key))]
    if len(found) > 1:
        raise MessageError(
            f"{text} may be one of {len(found)} messages: {few([one.message_id for one in found])}",
            hint="Give the whole Message-ID.",
        )
    return found[0] if found else None
