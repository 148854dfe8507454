"""``LogHandler``: what a program logs, in one mail when it is flushed, or at the end of the program."""

from __future__ import annotations

import logging
import sys
import threading
from collections import Counter, deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from ..connection import MailConnection
from ..connection.starred import starred
from ..errors import MailConnError, MessageError, OptionError
from ..forks import in_children
from ..keywords import public
from ..message.compose import compose
from ..message.render import Preformatted
from ..message.texts import clean, one_line
from ..scalars import count_of
from ..store import connections
from .kept_sessions import lent_session
from .report import DeliveryError, SendReport
from .send import require_sending, send_composed, sender_of

__all__ = ["LogHandler"]

#: Characters of one record; what is longer loses its middle.
_LONGEST: Final = 10_000
_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class LogHandler(logging.Handler):
    """Collects the records of a program, and sends them in one mail: at :meth:`send`, ``flush()``, or the end of the program.

    The latest ``most`` records are kept, as texts, with stars in place of what looks like a secret; the mail says how
    many earlier ones there were. What is logged while a mail is being sent, by whoever sends it, is not collected. A forked
    child has none of its parent's records. For :func:`logging.config.dictConfig` the class is
    ``mailconn_jupyter.LogHandler``.
    """

    @public
    def __init__(
        self,
        target: str | MailConnection | None,
        to: str | Iterable[str],
        subject: str | None = None,
        *,
        level: int | str = logging.WARNING,
        most: int = 1000,
        sender: str = "",
    ) -> None:
        """``subject`` is by default how many records of which level, and the program; ``level`` as :mod:`logging` has it.

        Nothing is opened, and nobody is asked for a password when it is sent. Raises
        :class:`~mailconn_jupyter.errors.MessageError` for what is no address, and
        :class:`~mailconn_jupyter.errors.OptionError`.
        """
        super().__init__(level)
        self.setFormatter(logging.Formatter(_FORMAT))
        number = count_of(most)
        if not number:
            raise OptionError(f"most must be a whole number, 1 or more, not {most!r}.", trait="most")
        self._target, self._subject, self._sender = target, subject, sender
        self._to = to if isinstance(to, str) else list(to)
        # What is wrong with the address is told now, when somebody is there to read it.
        compose(self._to, "x", sender=sender)
        self._records: deque[tuple[str, str]] = deque(maxlen=number)
        self._counts: Counter[str] = Counter()
        self._own = threading.local()
        #: Whether the last mail could not be sent, and nothing was logged since.
        self._failed = False
        in_children(self._let_go)

    def _let_go(self) -> None:
        self._records.clear()
        self._counts.clear()
        self._own = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        """Collect a record."""
        if getattr(self._own, "sending", False):
            return
        try:
            text = _shortened(starred(clean(self.format(record))))
        except Exception:  # noqa: BLE001  # as every handler does, whatever the arguments of a record are
            self.handleError(record)
            return
        self._records.append((record.levelname, text))
        self._counts[record.levelname] += 1
        self._failed = False

    def send(self) -> SendReport | None:
        """Send what was collected, and return the report; None where there is nothing. Raises as ``send``.

        What was not sent, and perhaps not to anybody, is kept for the next time.
        """
        # The lock is not held while it is sent: other threads log meanwhile.
        self.acquire()
        try:
            records, counts = list(self._records), self._counts
            self._records.clear()
            self._counts = Counter()
        finally:
            self.release()
        if not records:
            return None
        self._own.sending = True
        try:
            return self._sent(records, counts)
        except BaseException as error:
            if not (isinstance(error, DeliveryError) and (error.report.accepted or error.report.unknown)):
                self._take_back(records, counts)
            raise
        finally:
            self._own.sending = False

    def _take_back(self, records: list[tuple[str, str]], counts: Counter[str]) -> None:
        self.acquire()
        try:
            later = list(self._records)
            self._records.clear()
            self._records.extend([*records, *later])
            self._counts += counts
        finally:
            self.release()

    def _sent(self, records: list[tuple[str, str]], counts: Counter[str]) -> SendReport:
        connection = connections.pick(self._target, sends=True)
        require_sending(connection)
        said = _counted(counts)
        left_out = counts.total() - len(records)
        first = f"{said}, the latest {len(records):,} of them:" if left_out else f"{said}:"
        message = compose(
            self._to,
            self._subject or f"{said}: {_program()}",
            first,
            Preformatted("\n".join(text for _, text in records)),
            sender=self._sender or sender_of(connection),
        )
        if message["From"] is None:
            raise MessageError(
                "The message with the log has no sender.", hint="Give sender=, or the connection a from_address."
            )
        with lent_session(connection, keep=False, ask=False) as session:
            return send_composed(session, message)

    def flush(self) -> None:
        """Send what was collected. As with every handler, what goes wrong is told on stderr, and raises nothing."""
        try:
            self.send()
        except Exception as error:  # noqa: BLE001  # a program does not fail for its log
            self._failed = True
            if logging.raiseExceptions and sys.stderr is not None:
                said = error.message if isinstance(error, MailConnError) else f"{type(error).__name__}: {error}"
                sys.stderr.write(f"mailconn: the log was not mailed: {one_line(said, 300)}\n")

    def close(self) -> None:
        """Send what was collected, and take no part in the end of the program any more."""
        if not self._failed:
            self.flush()
        super().close()


def _shortened(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    half = _LONGEST // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half:,} characters ...]\n{text[-half:]}"


def _counted(counts: Counter[str]) -> str:
    """The levels, the worst first, as the logging module orders them."""
    known: dict[str, Any] = logging.getLevelNamesMapping()
    ordered = sorted(counts.items(), key=lambda one: (-known.get(one[0], 0), one[0]))
    return ", ".join(f"{count:,} {name}" for name, count in ordered)


def _program() -> str:
    name = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else ""
    return one_line(name, 60) or "Python"
