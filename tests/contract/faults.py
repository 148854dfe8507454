"""How a fault is met: once by ``connect()`` and once by ``check()``, which must tell the same."""

from __future__ import annotations

import base64
import contextlib
import gc
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.errors import OpenError
from mailconn_jupyter.session.check import CheckReport, check
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.opening.stages import STAGES
from tests.contract.kit import ProtocolKit
from tests.servers.script import ScriptServer
from tests.servers.steps import Step
from tests.support.isolation import give_password

__all__ = ["SECRET", "USER", "Contract", "Met", "no_credential_in"]

USER = "alice"
SECRET = "c0rrect-horse"


@contextlib.contextmanager
def no_collection() -> Iterator[None]:
    """Nothing is collected meanwhile: in a process with the objects of a thousand tests that takes over a second."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@dataclass(frozen=True)
class Met:
    """A fault that was met."""

    error: OpenError
    report: CheckReport
    #: What the client said, both times.
    lines: Sequence[bytes]
    #: How long each took, in seconds.
    seconds: tuple[float, ...]


@pytest.mark.usefixtures("opened_once")
class Contract:
    """What the parts of the catalogue share; the protocol's own class sets ``kit``."""

    kit: ClassVar[ProtocolKit]

    def connection(self, port: int, **options: Any) -> MailConnection:
        """A connection to the scripted server: plain text and a login, if the fault does not need it otherwise."""
        given = {
            "name": "ops",
            "protocol": self.kit.protocol,
            "server_host": "localhost",
            "server_port": port,
            "username": USER,
            "timeout": 5,
            "use_secure_authentication": False,
            **options,
        }
        return MailConnection(**given)

    def meet(
        self, *scripts: Sequence[Step], stage: str, cause: str | set[str], secret: str = SECRET, **options: Any
    ) -> Met:
        """Open and check a connection to a server that plays the scripts (to each of the two), and judge both errors.

        At the last stage only what asks there meets the fault. The scripted server itself fails the test if the client
        says more than a script has.
        """
        give_password("ops", secret)
        both = stage != "ready" or self.kit.connect_asks_last
        with ScriptServer(*scripts, *(scripts if both else ())) as server:
            connection = self.connection(server.port, **options)
            with no_collection():
                times = [time.monotonic()]
                raised: OpenError | None = None
                if both:
                    with pytest.raises(OpenError) as caught:
                        connect(connection)
                    raised = caught.value
                    times.append(time.monotonic())
                report = check(connection)
                times.append(time.monotonic())
        error, failed = raised or report.error, report.failed
        assert isinstance(error, OpenError)
        assert failed is not None
        causes = {cause} if isinstance(cause, str) else cause
        assert isinstance(error, self.kit.error)
        assert error.stage == failed.name == stage
        assert {error.cause, failed.cause} <= causes
        # The time that was left of the deadline is in the words.
        assert error.message == failed.message or "seconds" in error.message or error.cause != failed.cause
        assert error.hint
        assert failed.hint
        assert [result.outcome for result in report.stages[STAGES.index(stage) + 1 :]] == ["not reached"] * (
            len(STAGES) - STAGES.index(stage) - 1
        )
        said = [error.message, error.hint, str(report), report._repr_html_(), *report.transcript]
        no_credential_in([text.encode() for text in said], secret)
        return Met(error, report, list(server.lines), tuple(end - start for start, end in itertools.pairwise(times)))


def no_credential_in(lines: Sequence[bytes], secret: str = SECRET) -> None:
    """Neither the secret nor anything that it can be read from."""
    plain = [secret.encode(), f"\0{USER}\0{secret}".encode()]
    forms = list(itertools.chain(plain, (base64.b64encode(form) for form in plain)))
    for line in lines:
        assert not any(form in line for form in forms), line
