"""Connections and their tests as tables."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from ..names import fold
from .view import View, when_text

if TYPE_CHECKING:
    from ..connection import MailConnection
    from ..secret import Kind
    from ..session.check import CheckReport
    from ..store import ConnectionStore
    from ..store.last_tests import Outcome

__all__ = ["connection_view", "connections_view", "server_text", "stages_view"]


def connections_view(store: ConnectionStore) -> View:
    """Every connection with its last test, and below what a person should look at."""
    from ..store import last_tests  # noqa: PLC0415

    defaults = {*map(fold, store.defaults)}
    found, problems = store.survey()
    rows = [
        (
            connection.name,
            connection.protocol,
            server_text(connection),
            "" if connection.protocol == "MBOX" else connection.security or "none",
            connection.username if connection.applies("username") else "",
            ", ".join(_marks(store, connection, defaults)),
            outcome_text(last_tests.last(connection.name)),
        )
        for connection in found
    ]
    notes = [str(problem) for problem in problems]
    if not rows:
        notes.insert(
            0,
            "There is no mail server connection yet. Make one with %mailconn new NAME HOST, or with %mailconn form.",
        )
    return View(rows, header=("Name", "Protocol", "Server", "Security", "User", "Notes", "Last test"), notes=notes)


def server_text(connection: MailConnection) -> str:
    """Where the connection leads, in the shape of host:port."""
    host = str(connection.server_host)
    if connection.port is None:
        return host
    return f"[{host}]:{connection.port}" if ":" in host else f"{host}:{connection.port}"


def _marks(store: ConnectionStore, connection: MailConnection, defaults: Collection[str]) -> Iterable[str]:
    if fold(connection.name) in defaults:
        yield "default"
    if connection.origin.layer == "shared":
        yield "locked" if store.where(connection.name).locked else "shared"
    if connection.signs_in:
        from ..session.sign_in_state import signed_in_since  # noqa: PLC0415  # few sign in

        if since := signed_in_since(connection):
            yield since


def outcome_text(outcome: Outcome | None) -> str:
    """How the last test ended and when, in the time of this machine; empty when there was none."""
    if outcome is None:
        return ""
    when = when_text(outcome.when)
    return f"passed {when}" if outcome.ok else f"FAILED {when}: {_short(outcome.summary)}"


def _short(text: str, most: int = 100) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 3]}..."


def connection_view(store: ConnectionStore, connection: MailConnection) -> View:
    """The options of a stored connection that matter, where it is kept, and where its secrets are."""
    from .. import credentials  # noqa: PLC0415
    from ..store import atomic_files, last_tests  # noqa: PLC0415

    name = connection.name
    place = store.where(name)
    rows = list(connection.shown())
    if connection.applies("username"):
        rows += _login_rows(connection)
    if connection.applies("proxy_username") and connection.proxy_username:
        rows += _secret_rows(connection, "Proxy password", credentials.Kind.PROXY)
    layer = {"user": "", "shared": ", shared"}[place.layer] + (", locked" if place.locked else "")
    rows.append(("Kept in", f"{atomic_files.show(place.path)} ({when_text(place.modified)}{layer})"))
    rows.append(("Last test", outcome_text(last_tests.last(name)) or "none"))
    return View(rows, header=("Option", "Value"))


def _login_rows(connection: MailConnection) -> Iterable[tuple[str, str]]:
    """What it logs in with, and where that is."""
    from .. import credentials  # noqa: PLC0415

    if connection.signs_in:
        from ..credentials.variables import note  # noqa: PLC0415
        from ..session.sign_in_state import kind_of, state_of  # noqa: PLC0415  # few sign in

        yield "Signed in", state_of(connection)
        yield "Sign-in's variable", note(connection.name, kind_of(connection))
        return
    what = "Access token" if connection.is_on("use_xoauth2") else "Password"
    if connection.password_command:
        yield what, "what the password command prints"
        return
    yield from _secret_rows(connection, what, credentials.Kind.PASSWORD)


def _secret_rows(connection: MailConnection, what: str, kind: Kind) -> Iterable[tuple[str, str]]:
    from .. import credentials  # noqa: PLC0415
    from ..credentials.variables import note  # noqa: PLC0415

    kept = credentials.where(connection, kind=kind) or credentials.withheld(connection, kind=kind)
    yield what, kept or "not kept; asked for when a session opens"
    yield f"{what}'s variable", note(connection.name, kind)


def stages_view(report: CheckReport) -> View:
    """The stages of a test, without why it failed."""
    return View(report.rows(failure=False), header=("Stage", "Outcome", "Time", "Details"))
