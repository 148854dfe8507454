"""What goes along of a connection when a campaign goes to a worker: its options, and no secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...connection import MailConnection
from ...names import fold
from ...session.opening.login_secret import refusal_of_command
from ...store.layer import Origin

__all__ = ["packed", "unpacked"]


def packed(connection: MailConnection) -> dict[str, Any]:
    """The options as they are written, with the names of their variables, which each worker has of its own.

    Whether a ``password_command`` may be run is decided here, where the file of the connection is.
    """
    return {
        "options": connection.as_dict(),
        "unknown": dict(connection.unknown),
        "shared": connection.shared,
        "runs_command": bool(connection.as_dict().get("password_command")) and refusal_of_command(connection) is None,
    }


def unpacked(state: dict[str, Any]) -> MailConnection:
    """The connection in the worker."""
    connection = MailConnection(**state["options"])
    connection.unknown, connection.shared = state["unknown"], state["shared"]
    if state["runs_command"]:
        connection.origin = Origin(Path(), "", "user", fold(connection.name))
    return connection
