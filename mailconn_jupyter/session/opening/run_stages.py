"""Running the stages of an opening: in their order, timed, told to a listener, and explained where one fails.

``connect()`` and ``check()`` run the very same; a test only has a listener, and is curious at the last stage. What a server
refuses for the moment is tried again after a pause, within the deadline, as a message is.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Generic, TypeVar

from ...connection import MailConnection
from ...errors import CredentialError, MailConnError, OpenError, OptionError, SignInError
from ...transport.certificate import Certificate
from ...transport.deadline import Limit
from ...transport.transport_errors import TransportError
from .adapter import Openable
from .hints import hint_for
from .stages import STAGES, Listener, StageResult

__all__ = ["PAUSES", "StagedOpening", "Step"]

Step = Callable[[StageResult], None]

#: Seconds before the second and the third try of what a server refused for the moment.
PAUSES: Final = (1.0, 5.0)


A = TypeVar("A", bound=Openable)


class StagedOpening(ABC, Generic[A]):
    """One opening of one session. ``run`` raises :class:`~mailconn_jupyter.errors.OpenError` at the stage that fails.

    ``testing`` is for ``check()``: the last stage makes sure of the server, looks around, and changes nothing. Without
    ``patient`` there is one try, for a caller that tries again by itself.
    """

    adapter: A

    def __init__(
        self,
        connection: MailConnection,
        *,
        testing: bool = False,
        listener: Listener | None = None,
        cancel: threading.Event | None = None,
        ask: bool = True,
        source_address: tuple[str, int] | None = None,
        patient: bool = True,
    ) -> None:
        self.given = connection
        #: With the values of its variables, from the first stage on.
        self.options = connection
        self.testing, self.ask, self.source = testing, ask, source_address
        self._pauses = PAUSES if patient else ()
        self.limit = Limit(connection.deadline, cancel=cancel)
        self.certificate: Certificate | None = None
        self.stages = {name: StageResult(name) for name in STAGES}
        self._listener = listener
        # Why it is tried again, and how long to wait before.
        self._refusal, self._pause = "", 0.0

    @abstractmethod
    def steps(self) -> Sequence[Step]:
        """What is done at each of :data:`~mailconn_jupyter.session.opening.stages.STAGES`."""

    def run(self, adapter: A) -> None:
        """Open it. On failure the session is closed, and the error says which stage failed and what to do."""
        self.adapter, given = adapter, self.given
        try:
            if given.protocol != adapter.protocol:
                raise OptionError(
                    f"{given.name}: the protocol is {given.protocol}, not {adapter.protocol}.", trait="protocol"
                )
            first, *others = zip(STAGES, self.steps(), strict=True)
            self._run(*first)
            for pause in (*self._pauses, None):
                try:
                    for name, step in others:
                        self._run(name, step)
                    break
                except OpenError as error:
                    if pause is None or not self._may_pass(error, pause):
                        raise
                    self._begin_again(error, pause)
        except BaseException:
            self.close()
            raise

    def _run(self, name: str, step: Step) -> None:
        with self._stage(name) as result:
            if name == "connect" and self._refusal:
                result.facts["Tried again"] = self._refusal
                self.limit.sleep(self._pause)
            step(result)

    def _may_pass(self, error: OpenError, pause: float) -> bool:
        """Whether the same may succeed after the pause, and there is time for it. To try again too early can lock an account."""
        return error.temporary and error.cause != "rate-limited" and self.limit.end - time.monotonic() > pause

    def _begin_again(self, error: OpenError, pause: float) -> None:
        self.close()
        self._pause, self._refusal = pause, f"after {pause:g} s, as {error.message}"
        for name in STAGES[1:]:
            self.stages[name] = StageResult(name)
            self._tell(self.stages[name])

    def close(self) -> None:
        """Close what was opened so far."""
        self.adapter.close()

    @contextmanager
    def _stage(self, name: str) -> Iterator[StageResult]:
        result = self.stages[name]
        result.outcome = "running"
        self._tell(result)
        started = time.monotonic()
        try:
            yield result
        except (MailConnError, OSError) as error:
            self.options.veil.error(error)
            failure = self.adapter.failure(self._explained(name, error), error)
            result.fail(failure)
            raise failure from error
        except BaseException:
            result.outcome = "failed"
            raise
        else:
            if result.outcome == "running":
                result.outcome = "ok"
        finally:
            result.milliseconds = (time.monotonic() - started) * 1000
            veil = self.options.veil
            result.facts = {label: veil.text(fact) for label, fact in result.facts.items()}
            self._tell(result)

    def _tell(self, result: StageResult) -> None:
        if self._listener is not None:
            self._listener(result)

    def _explained(self, stage: str, error: MailConnError | OSError) -> OpenError:
        words, hint = f"The link broke ({error}).", ""
        if isinstance(error, MailConnError):
            words, hint = error.message, error.hint
        if isinstance(error, TransportError):
            self.certificate = error.certificate or self.certificate
        cause = _cause(error)
        hint = hint or self.options.veil.text(hint_for(cause, self.options, self.certificate))
        where = f"{self.given.name}: " if self.given.name else ""
        return OpenError(f"{where}{stage} failed. {words}", stage=stage, cause=cause, hint=hint)


def _cause(error: Exception) -> str:
    if isinstance(error, OpenError | TransportError | SignInError):
        return error.cause
    if isinstance(error, OptionError):
        return "option"
    return "no-secret" if isinstance(error, CredentialError) else "closed"
