"""Start a server, know that it listens, and end it with everything it started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any


@contextmanager
def running(
    command: Sequence[str],
    *,
    port: int,
    log: Path,
    stop: signal.Signals = signal.SIGTERM,
    seconds: float = 10.0,
    **other: Any,
) -> Iterator[None]:
    """Run *command* until the block ends; enter the block once *port* accepts connections. *other* is for Popen.

    Standard output and error go to *log*. *stop* is the signal sent at the end; whatever is
    left of the process group after *seconds* is killed.

    Raises:
        RuntimeError: the server ended or did not listen in *seconds*; holds the log's end.
    """
    with log.open("ab") as output:
        # A session of its own: Ctrl+C must reach pytest alone, which then ends the servers in
        # order, and the group can be ended whole.
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **other,
        )
    try:
        _wait_until_listening(process, port, log, seconds)
        yield
    finally:
        process.send_signal(stop)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        # The group outlives its leader while a helper lives.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_until_listening(process: subprocess.Popen[bytes], port: int, log: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.005)
        else:
            return
    end = log.read_text(errors="replace")[-2000:]
    state = "does not listen" if process.returncode is None else f"ended ({process.returncode})"
    raise RuntimeError(f"{process.args!r} {state}; its log ends with:\n{end}")
