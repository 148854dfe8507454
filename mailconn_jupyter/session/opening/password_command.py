"""A password or a token that a program prints: with it every existing tool for tokens works."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from contextlib import suppress
from typing import Final

from ...errors import CredentialError
from ...secret import Secret
from ...transport.deadline import Limit
from ...transport.transport_errors import TransportError

__all__ = ["run"]

_MOST_BYTES: Final = 64 * 1024
_TICK: Final = 0.02


def run(command: str, limit: Limit) -> Secret:
    """What the command prints, without its line end; it is run without a shell, and ended with the limit.

    Raises :class:`~mailconn_jupyter.errors.CredentialError`; what the program said is in no error, for it may be secret.
    """
    hint = "Run it in a terminal: it must print the password or the token alone, and ask nothing."
    problem = ""
    try:
        words = shlex.split(command, posix=os.name != "nt")
        process = subprocess.Popen(  # noqa: S603  # the user's own program, in words and without a shell
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError, IndexError) as error:
        problem = f"could not be run ({getattr(error, 'strerror', None) or 'not a command'})"
    if problem:
        raise CredentialError(f"password_command {problem}.", hint=hint)
    assert process.stdout is not None
    with process, process.stdout:
        os.set_blocking(process.stdout.fileno(), False)
        secret, problem = _printed(process, limit)
    if secret is None:
        raise CredentialError(f"password_command {problem}.", hint=hint)
    if flaw := secret.flaw():
        raise CredentialError(f"What password_command prints {flaw}.", hint=hint)
    return secret


def _printed(process: subprocess.Popen[bytes], limit: Limit) -> tuple[Secret | None, str]:
    """What it printed, or the end of a sentence that says why nothing is used."""
    said = bytearray()
    assert process.stdout is not None
    try:
        while True:
            code = process.poll()
            with suppress(BlockingIOError):
                while part := os.read(process.stdout.fileno(), _MOST_BYTES):
                    said += part
                    if len(said) > _MOST_BYTES:
                        return None, f"prints more than {_MOST_BYTES} bytes"
            if code is not None:
                break
            limit.sleep(_TICK)
    except TransportError as error:
        if error.cause == "cancelled":
            raise
        return None, f"did not end within {limit.seconds:.3g} seconds"
    finally:
        # With all that it started, whatever happens here.
        with suppress(ProcessLookupError, PermissionError, AttributeError):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
    if code:
        return None, f"ended with {code}"
    secret = Secret.decode(bytes(said).removesuffix(b"\n").removesuffix(b"\r"))
    return secret, "prints what is not UTF-8"
