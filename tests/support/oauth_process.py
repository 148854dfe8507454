"""A process of its own that needs an access token: what the tests of several kernels start.

usage: python -m tests.support.oauth_process KEYRING_FOLDER CA_FILE MODE TOLD, where TOLD is the JSON of an identity. It waits for a
line. MODE is ``token`` (gets a token, says a digest of it), ``unlocked`` (the same without the lock), ``die`` (is killed
between the refresh and its storing), ``hold`` (takes the lock, says so, and keeps it until another line comes) or ``login``:
then TOLD is the JSON of a connection's options, and it opens a session.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keyring

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.credentials.oauth import access_tokens, token_files
from mailconn_jupyter.credentials.oauth.identity import Identity
from mailconn_jupyter.errors import MailConnError
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.transport.deadline import Limit
from mailconn_jupyter.transport.http import HTTP, WayOut
from mailconn_jupyter.transport.tls import TLSPolicy
from tests.support.keyring_backends import encrypted


@contextmanager
def no_lock(*_: Any) -> Iterator[None]:
    yield


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(folder: str, ca_file: str, mode: str, told: str) -> None:
    keyring.set_keyring(encrypted(Path(folder)))
    if mode == "unlocked":
        token_files.locked = no_lock  # type: ignore[assignment]  # takes anything
    if mode == "die":
        setattr(access_tokens, "stored", die)  # noqa: B010  # a name that the module does not export
    given = json.loads(told)
    http = HTTP(WayOut(lambda _: None, lambda _: TLSPolicy(ca_file=ca_file)), Limit(60))
    print("ready", flush=True)  # noqa: T201  # what the test waits for
    sys.stdin.readline()
    try:
        if mode == "login":
            with connect(MailConnection(**given), ask=False) as session:
                print(session.opening.stages["authenticate"].outcome, flush=True)  # noqa: T201
            return
        if mode == "hold":
            with token_files.locked(Identity(**given), Limit(60)):
                print("held", flush=True)  # noqa: T201
                sys.stdin.readline()
            return
        token = access_tokens.access_token(Identity(**given), lambda: http)
    except MailConnError as error:
        print(f"{type(error).__name__}: {error}", flush=True)  # noqa: T201
    else:
        print(hashlib.sha256(token.secret.reveal().encode()).hexdigest(), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
