"""``connect_smtp()`` and its like: ``connect()`` where the protocol is known, and with it the type of the session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..connection import MailConnection
from ..connection.declarations import SENDING, Protocol
from ..errors import OptionError
from ..keywords import public
from ..store import connections
from .connect import open_session

if TYPE_CHECKING:
    from .graph.session import GraphSession
    from .imap.session import IMAPSession
    from .mbox.session import MBOXSession
    from .pop3.session import POP3Session
    from .smtp.session import SMTPSession

__all__ = ["connect_graph", "connect_imap", "connect_pop3", "connect_smtp", "open_mbox"]

_OPENED_BY: Final[dict[Protocol, str]] = {
    "SMTP": "connect_smtp",
    "IMAP": "connect_imap",
    "POP3": "connect_pop3",
    "MBOX": "open_mbox",
    "GRAPH": "connect_graph",
}


@public
def connect_smtp(
    target: str | MailConnection | None = None, *, ask: bool = True, source_address: tuple[str, int] | None = None
) -> SMTPSession:
    """An open session that sends: an ``smtplib.SMTP``, connected, secured, logged in; also a context manager.

    As :func:`~mailconn_jupyter.session.connect.connect`, for connections with the protocol SMTP alone; any other raises
    :class:`~mailconn_jupyter.errors.OptionError`.
    """
    return open_session(_of("SMTP", target), ask=ask, source_address=source_address)


@public
def connect_imap(
    target: str | MailConnection | None = None,
    *,
    readonly: bool = False,
    ask: bool = True,
    source_address: tuple[str, int] | None = None,
) -> IMAPSession:
    """An open session with a mailbox: an ``imap_tools.BaseMailBox``, with INBOX selected, or with ``readonly`` examined.

    As :func:`~mailconn_jupyter.session.connect.connect`, for connections with the protocol IMAP alone; any other raises
    :class:`~mailconn_jupyter.errors.OptionError`. Needs the extra ``imap``.
    """
    return open_session(_of("IMAP", target), readonly=readonly, ask=ask, source_address=source_address)


@public
def connect_pop3(
    target: str | MailConnection | None = None, *, ask: bool = True, source_address: tuple[str, int] | None = None
) -> POP3Session:
    """An open session with a mailbox: a ``poplib.POP3``, which deletes what was marked when it ends with ``quit()``.

    As :func:`~mailconn_jupyter.session.connect.connect`, for connections with the protocol POP3 alone; any other raises
    :class:`~mailconn_jupyter.errors.OptionError`.
    """
    return open_session(_of("POP3", target), ask=ask, source_address=source_address)


@public
def open_mbox(target: str | MailConnection | None = None, *, readonly: bool = True) -> MBOXSession:
    """A mailbox file as a ``mailbox.mbox``: only read, or without ``readonly`` locked and written; also a context manager.

    As :func:`~mailconn_jupyter.session.connect.connect`, for connections with the protocol MBOX alone; any other raises
    :class:`~mailconn_jupyter.errors.OptionError`.
    """
    return open_session(_of("MBOX", target), readonly=readonly)


@public
def connect_graph(
    target: str | MailConnection | None = None, *, ask: bool = True, source_address: tuple[str, int] | None = None
) -> GraphSession:
    """An open session that sends by Microsoft Graph: it has ``send_message`` and ``sendmail``, and is no ``smtplib.SMTP``.

    As :func:`~mailconn_jupyter.session.connect.connect`, for connections with the protocol GRAPH alone; any other raises
    :class:`~mailconn_jupyter.errors.OptionError`. Needs the extra ``oauth``.
    """
    return open_session(_of("GRAPH", target), ask=ask, source_address=source_address)


def _of(protocol: Protocol, target: str | MailConnection | None) -> MailConnection:
    connection = connections.pick(target, sends=protocol in SENDING)
    if connection.protocol != protocol:
        no_smtp = " Its session sends, but is not an smtplib.SMTP." if connection.protocol == "GRAPH" else ""
        raise OptionError(
            f"{connection.name}: the protocol is {connection.protocol}, not {protocol}.",
            trait="protocol",
            hint=f"{_OPENED_BY[connection.protocol]}() opens it.{no_smtp}",
        )
    return connection
