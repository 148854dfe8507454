"""Postfix and Dovecot for the time of a benchmark; as root, where they are installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.dovecot import run_dovecot
from tests.servers.postfix import Postfix, run_postfix
from tests.servers.state_folder import certified_folder

__all__ = ["mail_server"]


@contextmanager
def mail_server() -> Iterator[tuple[Postfix, Path]]:
    """Postfix, and a folder for what else a benchmark writes, which is deleted after it."""
    with (
        certified_folder() as (state, certificates),
        run_dovecot(state / "dovecot", certificates) as dovecot,
        run_postfix(state / "postfix", certificates, dovecot) as postfix,
    ):
        yield postfix, state
