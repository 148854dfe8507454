"""A copy of what was sent, in the Sent folder of a mailbox; whatever becomes of it, the mail has been sent."""

from __future__ import annotations

from collections.abc import Callable
from email.message import Message
from typing import TYPE_CHECKING, Any, Final

from ...connection import MailConnection
from ...errors import MailConnError, warn
from ...message.mime.wire_format import Wire, hidden_fields
from ...store import connections
from ...transport.transport_errors import readable
from ..kept_sessions import lent_session
from .filing_session import FilingSession

if TYPE_CHECKING:
    from ...session.imap.appending import Appended

__all__ = ["copy_of", "copy_target", "keep_copy", "said_of", "why_not"]

# Of whom it was said that its provider does it: once is enough.
_TOLD: Final[set[str]] = set()


def copy_target(connection: MailConnection | None) -> str:
    """The name of the connection to whose mailbox a copy goes; empty where none does.

    Where the provider has one there by itself, a warning says so, once.
    """
    if connection is None or not connection.save_sent_to:
        return ""
    from ...discovery.providers import keeper_of_sent  # noqa: PLC0415  # for those alone who save copies

    options = connection.resolved()
    if keeper := keeper_of_sent(str(options.server_host)):
        if connection.name not in _TOLD:
            _TOLD.add(connection.name)
            warn(f"{connection.name}: {keeper} already keeps what is sent, so save_sent_to saves no second copy.")
        return ""
    return str(options.save_sent_to)


def copy_of(message: Message[Any, Any], content: Wire) -> bytes:
    """What was accepted, byte for byte; above it stands who was in Bcc, as in the copies of mail programs."""
    return hidden_fields(message, utf8=content.international) + bytes(content.ended())


def keep_copy(name: str, message: Message[Any, Any], content: Wire) -> None:
    """Put what was accepted into the Sent folder; what goes wrong is warned of."""

    def kept() -> list[Appended]:
        with lent_session(connections.pick(name), keep=True, ask=False, opened=FilingSession.opened) as session:
            said: list[Appended] = session.put([copy_of(message, content)], "sent")
            return said

    try:
        if why := why_not(kept):
            warn(f"The mail was sent, but no copy of it was saved to {name}: {why}")
    except KeyboardInterrupt:
        warn(f"The mail was sent; saving its copy to {name} was interrupted.")
        raise


def why_not(kept: Callable[[], list[Appended]]) -> str:
    """Why a copy was not saved; empty where all were."""
    try:
        said = kept()
    except MailConnError as error:
        return error.in_one_line
    except Exception as error:  # noqa: BLE001  # of whatever kind: it must not look as if the mail had not been sent
        return f"{type(error).__name__}: {readable(str(error), 200)}"
    return next((said_of(each) for each in said if not each.ok), "")


def said_of(answer: Appended) -> str:
    """What the server said of a message that it did not take."""
    full = " Make room in the mailbox." if answer.code == "OVERQUOTA" else ""
    return f"The server refused it: {answer.status} {answer.words}{full}"
