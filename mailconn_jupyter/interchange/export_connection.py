"""Writing a connection for another program, without its secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ..connection import MailConnection
from ..connection.expansion import has_variable
from ..formatting import did_you_mean, prose, shown
from ..keywords import public
from ..store import connections
from . import airflow, hop, mail_urls, msmtprc
from .import_draft import InterchangeError, trusts_anybody
from .load_connections import load_connections
from .programs import TARGETS, Target

__all__ = ["Exported", "export_connection"]

_WRITERS: Final[Mapping[str, Callable[[MailConnection], tuple[str, list[str]]]]] = {
    "hop": hop.written,
    "url": mail_urls.written,
    "msmtp": msmtprc.written,
    "airflow": airflow.written,
}


class Exported(str):
    """The text that the other program reads; ``notes`` are sentences: what is lost, and what differs there."""

    __slots__ = ("notes",)

    notes: tuple[str, ...]

    def _repr_html_(self) -> str:
        return f"<pre>{prose(self)}</pre>" + "".join(f"<p>{prose(note)}</p>" for note in self.notes)


@public
def export_connection(target: str | MailConnection, to: Target) -> Exported:
    """The connection, by its name, as another program has it: ``hop``, ``url``, ``msmtp`` or ``airflow``.

    No secret is in it. What the other program has no word for does not go along, and the ``notes`` say so. Raises
    :class:`~mailconn_jupyter.interchange.import_draft.InterchangeError` where it cannot be said there without another
    meaning.
    """
    if to not in TARGETS:
        raise InterchangeError(f"{shown(to)} is not one of {', '.join(TARGETS)}.{did_you_mean(str(to), TARGETS)}")
    connection = connections.pick(target)
    connection.require_complete()
    if connection.trusts_everything:
        raise trusts_anybody("The * in the trusted hosts")
    text, notes = _WRITERS[to](connection)
    lost = _lost(connection, text, to)
    if lost:
        notes.append(f"Not exported: {', '.join(lost)}.")
    varying = [name for name, value in connection.as_dict().items() if has_variable(value) and name not in lost]
    if varying and to != "hop":
        notes.append(f"{', '.join(varying)}: the other program does not expand ${{NAME}}.")
    if connection.is_on("use_authentication") and not (connection.password_command and to == "msmtp"):
        notes.append("It contains no secret: give the other program the password or token yourself.")
    exported = Exported(text)
    exported.notes = tuple(notes)
    return exported


def _lost(connection: MailConnection, text: str, to: Target) -> list[str]:
    """The options that would be others if the text were read back."""
    [found] = load_connections(text.encode(), to)
    # What a URL is called is its host; and a port that is usual need not be said.
    back = found.connection.copy(name=connection.name) if to == "url" else found.connection
    before, after = (each.as_dict() | {"server_port": each.port} for each in (connection, back))
    return [name for name in before | after if before.get(name) != after.get(name)]
