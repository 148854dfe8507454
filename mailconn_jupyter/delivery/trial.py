"""A mail that shows that a connection works, to whoever made it."""

from __future__ import annotations

from ..connection import MailConnection
from ..session.connect import open_session
from .report import SendReport
from .send import require_sending, send

__all__ = ["send_trial"]


def send_trial(connection: MailConnection, address: str, *, ask: bool = True) -> SendReport:
    """Send it; ``ask`` says whether a missing password may be asked for. Returns and raises as ``send()``."""
    require_sending(connection)
    with open_session(connection, ask=ask) as session:
        said = f"The connection {connection.name!r} works: this message came through it."
        return send(session, address, "A test of your mail connection", said)
