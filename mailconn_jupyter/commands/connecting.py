"""Using a connection: ``test``, ``connect``, ``sandbox``."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from ..errors import MailConnError
from ..store import connections
from ..worker import Worker
from .connection_views import stages_view
from .wrong_usage import WrongUsage

if TYPE_CHECKING:
    from ..connection import MailConnection
    from ..sandbox import Inbox
    from ..session.check import CheckReports

__all__ = ["connect", "run_tests", "sandbox"]


def run_tests(
    *,
    targets: Sequence[str] = (),
    all: bool = False,  # noqa: A002  # the flag
    mail: str | None = None,
    verbose: bool = False,
) -> Iterator[object]:
    """Test one connection, or several side by side; when one fails the command fails, after the report is shown."""
    if all and targets:
        raise WrongUsage("%mailconn test: a NAME and --all cannot be combined.")
    if mail is not None and (all or len(targets) > 1):
        raise WrongUsage("%mailconn test: --mail is for testing a single connection.")
    if all:
        yield from _test_many(connections.values() or [connections.pick()])
    elif len(targets) > 1:
        # Each once, however often it is named; an unknown one before any is tested.
        found = {connection.name: connection for connection in map(connections.pick, targets)}
        yield from _test_many(list(found.values()))
    else:
        if mail is not None:
            from ..message.mime.mailboxes import mailboxes  # noqa: PLC0415  # only for this flag

            if not mailboxes(mail, "recipient"):
                raise WrongUsage("%mailconn test: --mail needs an address.")
        connection = connections.pick(targets[0] if targets else None, sends=None if mail is None else True)
        if mail is None:
            yield from _test_one(connection, verbose=verbose)
            return
        from ..delivery.send import require_sending  # noqa: PLC0415  # as above
        from ..delivery.trial import send_trial  # noqa: PLC0415  # as above

        require_sending(connection)
        yield from _test_one(connection, verbose=verbose)
        yield send_trial(connection, mail)


def _test_one(connection: MailConnection, *, verbose: bool) -> Iterator[object]:
    from ..session.check import check  # noqa: PLC0415  # nothing else here needs a socket

    try:
        report = check(connection)
    except KeyboardInterrupt as interrupt:
        raise MailConnError(f"The test of {connection.name!r} was interrupted.") from interrupt
    # Why it failed is what the command fails with: nobody has to read it twice.
    yield report if report.error is None else stages_view(report)
    if verbose:
        yield from report.transcript
    if report.error is not None:
        raise report.error


def _test_many(targets: Sequence[MailConnection]) -> Iterator[object]:
    reports = _check_all(targets)
    yield reports
    failed = [report.name for report in reports if not report.ok]
    if failed:
        raise MailConnError(
            f"{len(failed)} of {len(reports)} tests failed: {', '.join(failed)}.",
            hint="%mailconn test NAME says more about one.",
        )


def _check_all(targets: Sequence[MailConnection]) -> CheckReports:
    """Test them in a thread, while this one stays ready for an interrupt and hands it on."""
    from ..session.check import check_all  # noqa: PLC0415  # a socket

    found: Future[CheckReports] = Future()

    def work(cancel: threading.Event) -> None:
        try:
            found.set_result(check_all(targets, cancel=cancel))
        except BaseException as error:  # noqa: BLE001  # raised below, where the command's caller can see it
            found.set_exception(error)

    worker = Worker("mailconn-test")
    worker.start(work)
    try:
        # Without a timeout an interrupt would wait for the end on some systems.
        while not worker.wait(0.1):
            pass
    except KeyboardInterrupt as interrupt:
        worker.stop()
        worker.wait(5)
        raise MailConnError(f"The tests of {len(targets)} connections were interrupted.") from interrupt
    return found.result()


def connect(*, target: str | None = None) -> Any:
    """An open session."""
    from ..session.connect import connect as open_session  # noqa: PLC0415  # a socket

    connection = connections.pick(target)
    try:
        return open_session(connection)
    except KeyboardInterrupt as interrupt:
        raise MailConnError(f"Opening {connection.name!r} was interrupted.") from interrupt


def sandbox(*, stop: bool = False, name: str = "sandbox") -> Generator[str, None, Inbox | None]:
    """The mail server inside this process: started and tested if it does not run; its inbox. Or stopped."""
    from ..sandbox import running, start  # noqa: PLC0415  # its server is an extra
    from ..session.check import check  # noqa: PLC0415  # nothing else here needs a socket

    found = running()
    if stop:
        if found is not None:
            found.stop()
        yield "The sandbox is stopped." if found is not None else "No sandbox is running in this kernel."
        return None
    started = start(name)
    if started is not found:
        report = check(started.name)
        yield f"The sandbox is running; its connection is called {started.name!r}."
        yield report.summary
        if report.error is not None:
            raise report.error
    return started.inbox
