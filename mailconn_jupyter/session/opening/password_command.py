"""A password or a token that a program prints: with it every existing tool for tokens works."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import threading
from contextlib import suppress
from typing import IO, Final

from ...credentials.without_traceback import sealed
from ...errors import CredentialError
from ...program_path import program_path
from ...secret import Secret
from ...transport.deadline import Limit
from ...transport.transport_errors import TransportError

__all__ = ["run"]

_MOST_BYTES: Final = 64 * 1024
_TICK: Final = 0.02
_LAST: Final = 1.0  # seconds for what a program has printed and nobody has read


def run(command: str, limit: Limit) -> Secret:
    """What the command prints, without its line end; it is run without a shell, and ended with the limit.

    The program is found by ``PATH``, or named by its full path: a notebook's folder may be anybody's.

    Raises :class:`~mailconn_jupyter.errors.CredentialError`; what the program said is in no error, for it may be secret.
    """
    hint = "Run it in a terminal: it must print the password or the token alone, and ask nothing."
    problem = ""
    try:
        words = shlex.split(command, posix=os.name != "nt")
        process = subprocess.Popen(  # noqa: S603  # the user's own program, in words and without a shell
            [_program(words[0]), *words[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError, IndexError) as error:
        problem = f"could not be run ({getattr(error, 'strerror', None) or 'not a command'})"
    if problem:
        raise CredentialError(f"password_command {problem}.", hint=hint)
    # Until it is a Secret no frame may show what was printed.
    secret, problem = sealed(lambda: _printed(process, limit))
    if secret is None:
        raise CredentialError(f"password_command {problem}.", hint=hint)
    if flaw := secret.flaw():
        raise CredentialError(f"What password_command prints {flaw}.", hint=hint)
    return secret


def _program(word: str) -> str:
    """Its full path."""
    if os.path.dirname(word):  # noqa: PTH120  # a Path would lose the dot of ./program
        if not os.path.isabs(word):  # noqa: PTH117  # as above
            raise CredentialError(
                f"password_command is not run: {word} is not an absolute path.",
                hint="Give the full path, for example /usr/local/bin/token, or the name of a program in PATH.",
            )
        return word
    found = program_path(word)
    if found is None:
        raise FileNotFoundError(2, "No such file or directory")
    return found


def _printed(process: subprocess.Popen[bytes], limit: Limit) -> tuple[Secret | None, str]:
    """What it printed, or the end of a sentence that says why nothing is used."""
    said = bytearray()
    assert process.stdout is not None
    # In a thread: not everywhere is a pipe asked without waiting for it.
    reader = threading.Thread(target=_read, args=(process.stdout, said), name="mailconn-command", daemon=True)
    reader.start()
    try:
        while process.poll() is None and len(said) <= _MOST_BYTES:
            limit.sleep(_TICK)
    except TransportError as error:
        if error.cause == "cancelled":
            raise
        return None, f"did not end within {limit.seconds:.3g} seconds"
    finally:
        _end(process)
    # What it has left behind may hold the pipe for as long as it likes.
    reader.join(_LAST)
    if len(said) > _MOST_BYTES:
        return None, f"prints more than {_MOST_BYTES} bytes"
    if process.returncode < 0:
        return None, f"was killed by signal {-process.returncode}"
    if process.returncode:
        return None, f"exited with status {process.returncode}"
    secret = Secret.decode(bytes(said).removesuffix(b"\n").removesuffix(b"\r"))
    return secret, "prints bytes that are not UTF-8"


def _read(stream: IO[bytes], said: bytearray) -> None:
    """All that comes, as soon as it comes, and little more than may be."""
    with stream, suppress(OSError):
        while len(said) <= _MOST_BYTES and (part := os.read(stream.fileno(), _MOST_BYTES)):
            said += part


def _end(process: subprocess.Popen[bytes]) -> None:
    """With all that it started, whatever happened."""
    with suppress(ProcessLookupError, PermissionError, AttributeError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
