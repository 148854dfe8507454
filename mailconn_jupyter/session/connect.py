"""``connect()``: from a name to a session that is ready."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..connection import MailConnection
from ..errors import MailConnError, OpenError, warn
from ..extras import install
from ..keywords import public
from ..store import connections

if TYPE_CHECKING:
    from .any_session import AnySession

__all__ = ["connect", "open_session", "protocol_of", "session_class"]

# Each is imported when it is used: IMAP needs an extra, and none needs another one's library.
_CLASSES = {
    "SMTP": ("smtp.session", "SMTPSession"),
    "IMAP": ("imap.session", "IMAPSession"),
    "POP3": ("pop3.session", "POP3Session"),
    "MBOX": ("mbox.session", "MBOXSession"),
    "GRAPH": ("graph.session", "GraphSession"),
}
#: What a protocol needs beside what is always there: the module, what it is needed for, and the extra that installs it.
_EXTRAS = {
    "IMAP": ("imap_tools", "reading by IMAP needs imap-tools", "imap"),
    "GRAPH": ("urllib3", "sending by Microsoft Graph needs urllib3", "oauth"),
}
_READ_ONLY = frozenset({"IMAP", "MBOX"})


def session_class(connection: MailConnection) -> type[Any]:
    """The class of session that the connection's protocol has.

    Raises :class:`~mailconn_jupyter.errors.OpenError` where the extra that it needs is not installed.
    """
    room, name = _CLASSES[connection.protocol]
    try:
        found: type[Any] = getattr(import_module(f".{room}", __package__), name)
    except ModuleNotFoundError as error:
        module, need, extra = _EXTRAS.get(connection.protocol, ("", "", ""))
        if (error.name or "").partition(".")[0] != module:
            raise
        raise OpenError(
            f"{connection.name}: {need}, which is not installed.",
            stage="resolve",
            cause="not-installed",
            hint=f"Run: %{install(extra)}",
        ) from error
    return found


def protocol_of(session: Any) -> str:
    """The protocol of an open session; empty for anything else."""
    for protocol, (room, name) in _CLASSES.items():
        # A class that was never imported has no sessions.
        module = sys.modules.get(f"{__package__}.{room}")
        if module is not None and isinstance(session, getattr(module, name)):
            return protocol
    return ""


@public
def connect(
    target: str | MailConnection | None = None,
    *,
    ask: bool = True,
    source_address: tuple[str, int] | None = None,
    readonly: bool | None = None,
) -> AnySession:
    """An open session: connected, secured, logged in, ready; also a context manager that says farewell.

    By the protocol of the connection it is a :class:`~mailconn_jupyter.session.smtp.session.SMTPSession` (an
    ``smtplib.SMTP``), an :class:`~mailconn_jupyter.session.imap.session.IMAPSession` (an ``imap_tools.BaseMailBox``), a
    :class:`~mailconn_jupyter.session.pop3.session.POP3Session` (a ``poplib.POP3``), an
    :class:`~mailconn_jupyter.session.mbox.session.MBOXSession` (a ``mailbox.mbox``) or a
    :class:`~mailconn_jupyter.session.graph.session.GraphSession`, which sends and is no ``smtplib.SMTP``. A type
    checker takes it for any of them; ``connect_smtp()``, ``connect_imap()``, ``connect_pop3()``, ``open_mbox()`` and
    ``connect_graph()`` say which.

    ``target`` is a name, a connection (it need not be stored), or None for the default. ``ask`` says whether a missing
    password may be asked for. ``readonly`` is for IMAP (INBOX is only examined; off by default) and MBOX (the file is
    only read; on by default). What a server refuses for the moment is tried again after 1 and 5 seconds, within the
    connection's deadline. Raises :class:`~mailconn_jupyter.errors.OpenError`, which names the stage that failed and what
    to do, and :class:`~mailconn_jupyter.errors.StoreError` for a name that is not stored.
    """
    return open_session(connections.pick(target), ask=ask, source_address=source_address, readonly=readonly)


def open_session(
    connection: MailConnection,
    *,
    ask: bool = True,
    source_address: tuple[str, int] | None = None,
    readonly: bool | None = None,
) -> AnySession:
    """:func:`connect` for a caller that has the connection already."""
    options: dict[str, Any] = {}
    if readonly is not None:
        if connection.protocol not in _READ_ONLY:
            raise MailConnError(
                f"{connection.name}: {connection.protocol} has no read-only sessions.",
                hint="readonly is for IMAP and MBOX.",
            )
        options["readonly"] = readonly
    if connection.security and connection.trusts_everything:
        warn(f"{connection.name}: trusted_hosts is *, so anybody's certificate is accepted. Name the host, or pin it.")
    opened: AnySession = session_class(connection)(
        connection=connection, ask=ask, source_address=source_address, **options
    )
    return opened
