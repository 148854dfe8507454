"""The copy of a message that was sent, in the Sent folder of a mailbox."""

from __future__ import annotations

from ...mailbox.messages import taken
from ...mailbox.portions import MOST_MESSAGE, Reading
from ...mailbox.selection import Selection
from ...mailbox.sought import Sought, header_has
from ...message.incoming.parsed import ParsedMessage
from ...progress import teller
from ...store import connections
from ..kept_sessions import lent_session
from .filing_session import FilingSession

__all__ = ["found_copy"]


def found_copy(name: str, message_id: str) -> ParsedMessage | None:
    """The message of that Message-ID in the Sent folder of the IMAP connection of that name; None where it is not there.

    Nothing in the mailbox changes. Raises what opening and reading it raises.
    """
    sought = Sought(
        header_has("Message-ID", message_id),
        takes=lambda message: message.message_id == message_id,
        whole=lambda _: True,
        most=MOST_MESSAGE,
    )
    with lent_session(connections.pick(name), keep=True, opened=FilingSession.opened) as filing:
        folder = filing.folder("sent", make=False)
        if not folder:
            return None
        reading = Reading(
            selection=Selection(sought=sought), left=1, folder=folder, body=True, mark_seen=False, tell=teller(False)
        )
        with taken(filing.session, reading) as messages:
            found: ParsedMessage | None = next(messages, None)
    return found
