"""How long the form takes to appear, on the kernel's side, in a warm kernel; and its list of 500 connections.

Run it with ``python -m tests.benchmarks.bench_form``.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.bench_store import fill

CONNECTIONS = 500


def fastest_and_slowest(work: Callable[[], Callable[[], None]], rounds: int = 7) -> tuple[float, float]:
    """The shortest and the longest of several times, in milliseconds; what ``work`` returns tidies up, untimed."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        tidy = work()
        times.append((time.perf_counter() - start) * 1000)
        tidy()
    return min(times), max(times)


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        os.environ |= {
            "JUPYTER_CONFIG_DIR": directory,
            "JUPYTER_DATA_DIR": directory,
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        }
        from mailconn_jupyter.notebook.form.form import form  # noqa: PLC0415  # after the folders are set

        form().close()
        lines = [("a new connection", *fastest_and_slowest(lambda: form().close))]
        fill(Path(directory, "mailconn"), CONNECTIONS)
        lines.append(("a stored connection", *fastest_and_slowest(lambda: form("connection-0123").close)))
        lines.append((f"the list of {CONNECTIONS}", *fastest_and_slowest(lambda: form().close)))
        shown = form()
        manager = shown.manager
        assert manager is not None

        def type_a_letter(text: str) -> Callable[[], None]:
            manager.search.value = text
            return lambda: setattr(manager.search, "value", "")

        def back() -> None:
            manager.back.click()

        def turn_a_page() -> Callable[[], None]:
            manager.next.click()
            return back

        def refresh() -> Callable[[], None]:
            manager.refresh()
            return lambda: None

        lines.append((f"a search in {CONNECTIONS}", *fastest_and_slowest(lambda: type_a_letter("mail12"))))
        lines.append((f"a page of {CONNECTIONS}", *fastest_and_slowest(turn_a_page)))
        lines.append((f"a refresh of {CONNECTIONS}", *fastest_and_slowest(refresh)))
        shown.close()
    for what, least, most in lines:
        print(f"{what:24} {least:7.1f} to {most:6.1f} ms")  # noqa: T201  # the figures are its output


if __name__ == "__main__":
    main()
