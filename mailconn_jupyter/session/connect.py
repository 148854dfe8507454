"""``connect()``: from a name to a session that is ready."""

from __future__ import annotations

import warnings

from ..connection import MailConnection
from ..errors import MailConnWarning, OptionError
from ..store import connections
from .smtp import SMTPSession

__all__ = ["connect", "session_class"]

_CLASSES = {"SMTP": SMTPSession}


def session_class(connection: MailConnection) -> type[SMTPSession]:
    """The class of session that the connection's protocol has."""
    try:
        return _CLASSES[connection.protocol]
    except KeyError:
        raise OptionError(f"{connection.name}: no session for {connection.protocol} yet.", trait="protocol") from None


def connect(
    target: str | MailConnection | None = None, *, ask: bool = True, source_address: tuple[str, int] | None = None
) -> SMTPSession:
    """An open session: connected, secured, logged in, ready; also a context manager that says QUIT.

    ``target`` is a name, a connection (it need not be stored), or None for the default. ``ask`` says whether a missing
    password may be asked for. Raises :class:`~mailconn_jupyter.errors.OpenError`, which names the stage that failed
    and what to do, and :class:`~mailconn_jupyter.errors.StoreError` for a name that is not stored.
    """
    connection = connections.pick(target)
    if connection.security and connection.trusts_everything:
        warnings.warn(
            f"{connection.name}: trusted_hosts is *, so anybody's certificate is accepted. Name the host, or pin it.",
            MailConnWarning,
            stacklevel=2,
        )
    return session_class(connection)(connection=connection, ask=ask, source_address=source_address)
