"""Testing a connection: the same stages that open a session, recorded one by one."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from ..connection import MailConnection
from ..connection.trusted_hosts import pin_for
from ..errors import MailConnError, OpenError
from ..formatting import columns, table
from ..keywords import public
from ..store import connections, last_tests
from .connect import session_class
from .opening.run_stages import StagedOpening
from .opening.stages import STAGES, Listener, StageResult

__all__ = ["CheckReport", "CheckReports", "check", "check_all"]

_WORDS = {"ok": "passed", "failed": "FAILED", "skipped": "skipped", "not reached": "not reached", "running": "..."}
_MOST_AT_ONCE = 64


class CheckReport:
    """What a test of a connection found: ``stages`` in their order, each with outcome, time, facts, cause and hint.

    ``pin`` is what to add to ``trusted_hosts`` to accept exactly the certificate that the server showed; empty when it
    showed none. ``error`` is what :func:`~mailconn_jupyter.connect` would have raised. ``transcript`` is the
    conversation, each line after ``C:`` or ``S:``, with stars for every secret.
    """

    def __init__(
        self,
        connection: MailConnection,
        stages: Iterable[StageResult],
        *,
        pin: str = "",
        transcript: Iterable[str] = (),
        error: MailConnError | None = None,
    ) -> None:
        self.connection = connection
        self.name = connection.name
        self.stages = list(stages)
        self.pin = pin
        self._said = transcript
        self.error = error

    @cached_property
    def transcript(self) -> list[str]:
        """The conversation, made readable only for who looks at it."""
        return list(self._said)

    @property
    def failed(self) -> StageResult | None:
        """The stage that failed, if one did."""
        return next((stage for stage in self.stages if stage.outcome == "failed"), None)

    @property
    def ok(self) -> bool:
        """Whether every stage passed, or was not asked for."""
        return all(stage.outcome in {"ok", "skipped"} for stage in self.stages)

    @property
    def milliseconds(self) -> float:
        """The time of all stages together."""
        return sum(stage.milliseconds for stage in self.stages)

    @property
    def summary(self) -> str:
        """The outcome in one line."""
        failed = self.failed
        if failed is not None:
            return failed.message
        return f"{self.name}: works ({self.milliseconds:.0f} ms)"

    def __bool__(self) -> bool:
        return self.ok

    def rows(self, *, failure: bool = True) -> list[tuple[str, str, str, str]]:
        """Each stage with its outcome, its time and details; ``failure``: with why it failed and what to do."""
        rows = []
        for stage in self.stages:
            learnt = [f"{label}: {text}" for label, text in stage.facts.items()]
            learnt += [text for text in (stage.message, stage.hint) if text and failure]
            taken = f"{stage.milliseconds:.0f} ms" if stage.outcome in {"ok", "failed"} else ""
            rows.append((stage.name, _WORDS[stage.outcome], taken, "\n".join(learnt)))
        return rows

    def __str__(self) -> str:
        return f"{self.summary}\n{columns(self.rows(), header=('stage', 'outcome', 'time', 'details'))}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return table(self.rows(), header=("Stage", "Outcome", "Time", "Details"), caption=self.summary)


class CheckReports(list[CheckReport]):
    """The reports of several tests, in the order asked; shows as a table with a row for each."""

    _HEADER = ("Connection", "Outcome", "Time", "What was found")

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Each connection with its outcome, its time, why it failed and what to do."""
        return [
            (
                report.name,
                "passed" if report.ok else "FAILED",
                f"{report.milliseconds:.0f} ms",
                "\n".join(filter(None, (failed.message, failed.hint))) if (failed := report.failed) else "",
            )
            for report in self
        ]

    def __repr__(self) -> str:
        return columns(self.rows(), header=self._HEADER) if self else "There is no connection."

    def _repr_html_(self) -> str:
        return table(self.rows(), header=self._HEADER) if self else f"<p>{self!r}</p>"


@public
def check(
    target: str | MailConnection | None = None,
    *,
    listener: Listener | None = None,
    cancel: threading.Event | None = None,
    ask: bool = True,
    source_address: tuple[str, int] | None = None,
) -> CheckReport:
    """Open a session to ``target`` (a name, a connection, or None for the default), close it, and report each stage.

    A stage that fails is in the report, not raised. ``listener`` is called, in the calling thread, as each stage
    begins and ends; setting ``cancel`` ends the test at once. ``ask`` says whether a missing password may be asked
    for. Raises :class:`~mailconn_jupyter.errors.StoreError` for a name that is not stored.
    """
    report, outcome = _checked(
        connections.pick(target), listener=listener, cancel=cancel, ask=ask, source_address=source_address
    )
    last_tests.record_all(outcome)
    return report


def _checked(
    connection: MailConnection,
    *,
    listener: Listener | None = None,
    cancel: threading.Event | None,
    ask: bool,
    source_address: tuple[str, int] | None = None,
) -> tuple[CheckReport, dict[str, last_tests.Outcome]]:
    """The report of one test, and what is to be kept of it, by the connection's name; nothing of what is not stored."""
    started = time.monotonic()
    try:
        kind = session_class(connection)
    except OpenError as error:
        report = _not_begun(connection, error, listener)
    else:
        opening = kind.opening_class(
            connection, testing=True, listener=listener, cancel=cancel, ask=ask, source_address=source_address
        )
        report = _run(opening, kind())
    # What fails once it was called off says nothing of the server: the link may have been closed for that.
    called_off = cancel is not None and cancel.is_set()
    if connection.origin is None or called_off:
        return report, {}
    elapsed = (time.monotonic() - started) * 1000
    return report, {connection.name: last_tests.Outcome(report.ok, report.summary, datetime.now(UTC), elapsed)}


def _run(opening: StagedOpening[Any], session: Any) -> CheckReport:
    failure: MailConnError | None = None
    try:
        opening.run(session.adapter)
        with contextlib.suppress(MailConnError):
            session.quit()
    except MailConnError as error:
        failure = error
    connection, certificate = opening.given, opening.certificate
    if failure is None and connection.sends:
        opening.stages["ready"].facts["Sender"] = opening.given.sender or "none; set the option from_address"
    pin = pin_for(connection.server_host, certificate.sha256) if certificate else ""
    return CheckReport(connection, opening.stages.values(), pin=pin, transcript=session.transcript, error=failure)


def _not_begun(connection: MailConnection, error: OpenError, listener: Listener | None) -> CheckReport:
    """The report of what fails before it begins: what the session needs is not installed."""
    stages = [StageResult(name) for name in STAGES]
    failed = next(stage for stage in stages if stage.name == error.stage)
    failed.fail(error)
    if listener is not None:
        listener(failed)
    return CheckReport(connection, stages, error=error)


@public
def check_all(
    targets: Iterable[str | MailConnection] | None = None, *, cancel: threading.Event | None = None
) -> CheckReports:
    """Test many at the same time (None: all that are stored), in the time of the slowest; nobody is asked for a password."""
    chosen = connections.values() if targets is None else [connections.pick(target) for target in targets]
    if not chosen:
        return CheckReports()
    outcomes: dict[str, last_tests.Outcome] = {}

    def checked(connection: MailConnection) -> CheckReport:
        report, outcome = _checked(connection, cancel=cancel, ask=False)
        outcomes.update(outcome)
        return report

    try:
        with ThreadPoolExecutor(min(len(chosen), _MOST_AT_ONCE), thread_name_prefix="mailconn-check") as pool:
            return CheckReports(pool.map(checked, chosen))
    finally:
        last_tests.record_all(outcomes)
