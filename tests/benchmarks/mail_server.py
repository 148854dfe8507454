"""Postfix and Dovecot for the time of a benchmark; as root, where they are installed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.certificates import make_certificates
from tests.servers.dovecot import run_dovecot
from tests.servers.postfix import Postfix, run_postfix

__all__ = ["mail_server"]


@contextmanager
def mail_server() -> Iterator[tuple[Postfix, Path]]:
    """Postfix, and a folder for what else a benchmark writes, which is deleted after it."""
    with tempfile.TemporaryDirectory(prefix="mailconn-", dir="/tmp") as name:
        state = Path(name)
        state.chmod(0o755)
        (state / "certificates").mkdir()
        certificates = make_certificates(state / "certificates")
        with (
            run_dovecot(state / "dovecot", certificates) as dovecot,
            run_postfix(state / "postfix", certificates, dovecot) as postfix,
        ):
            yield postfix, state
