"""Using a connection: ``test``, ``connect``, ``form``, ``sandbox``."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...errors import MailConnError
from ...store import connections
from ..display import reports_view, say, show
from ..usage_error import UsageError

if TYPE_CHECKING:
    from ...connection import MailConnection
    from ...sandbox import Inbox
    from ...session.check import CheckReport

__all__ = ["connect", "form", "sandbox", "test"]


def test(arguments: argparse.Namespace) -> None:
    """Test one connection, or several side by side; when one fails the cell fails, after the report is shown."""
    names = arguments.targets
    if arguments.all and names:
        raise UsageError("%mailconn test: a NAME and --all contradict each other.")
    if arguments.all:
        targets = connections.values() or [connections.pick()]
        _test_many(targets)
    elif len(names) > 1:
        # Each once, however often it is named; an unknown one before any is tested.
        found = {connection.name: connection for connection in map(connections.pick, names)}
        _test_many(list(found.values()))
    else:
        _test_one(connections.pick(names[0] if names else None), verbose=arguments.verbose)


def _test_one(connection: MailConnection, *, verbose: bool) -> None:
    from ...session.check import check  # noqa: PLC0415  # nothing else here needs a socket

    try:
        report = check(connection)
    except KeyboardInterrupt as interrupt:
        raise MailConnError(f"The test of {connection.name!r} was interrupted.") from interrupt
    show(report)
    if verbose:
        say(*report.transcript)
    if report.error is not None:
        raise report.error


def _test_many(targets: Sequence[MailConnection]) -> None:
    reports = _check_all(targets)
    show(reports_view(reports))
    failed = [report.name for report in reports if not report.ok]
    if failed:
        raise MailConnError(
            f"{len(failed)} of {len(reports)} tests failed: {', '.join(failed)}.",
            hint="%mailconn test NAME says more of one.",
        )


def _check_all(targets: Sequence[MailConnection]) -> list[CheckReport]:
    """Test them in a thread, while this one stays ready for an interrupt and hands it on."""
    from ...session.check import check_all  # noqa: PLC0415  # a socket

    cancel = threading.Event()
    reports: list[CheckReport] = []
    failures: list[BaseException] = []

    def work() -> None:
        try:
            reports.extend(check_all(targets, cancel=cancel))
        except BaseException as error:  # noqa: BLE001  # raised below, where the cell can see it
            failures.append(error)

    worker = threading.Thread(target=work, name="mailconn-test", daemon=True)
    worker.start()
    try:
        # Without a timeout an interrupt would wait for the end on some systems.
        while worker.is_alive():
            worker.join(0.1)
    except KeyboardInterrupt as interrupt:
        cancel.set()
        worker.join(5)
        raise MailConnError(f"The tests of {len(targets)} connections were interrupted.") from interrupt
    for failure in failures:
        raise failure
    return reports


def connect(arguments: argparse.Namespace) -> Any:
    """An open session."""
    from ...session.connect import connect as open_session  # noqa: PLC0415  # a socket

    connection = connections.pick(arguments.target)
    try:
        return open_session(connection)
    except KeyboardInterrupt as interrupt:
        raise MailConnError(f"Opening {connection.name!r} was interrupted.") from interrupt


def form(arguments: argparse.Namespace) -> Any:
    """The widget, which shows itself as the value of the cell."""
    from ..form.form import form as make  # noqa: PLC0415  # widgets take their time

    return make(arguments.target)


def sandbox(arguments: argparse.Namespace) -> Inbox | None:
    """The mail server inside this kernel: started and tested if it does not run; its inbox. Or stopped."""
    from ...sandbox import running, start  # noqa: PLC0415  # its server is an extra
    from ...session.check import check  # noqa: PLC0415  # nothing else here needs a socket

    found = running()
    if arguments.stop:
        if found is not None:
            found.stop()
        say("The sandbox is stopped." if found is not None else "No sandbox is running in this kernel.")
        return None
    started = start(arguments.name)
    if started is not found:
        report = check(started.name)
        say(f"The sandbox is running; its connection is called {started.name!r}.", report.summary)
        if report.error is not None:
            raise report.error
    return started.inbox
