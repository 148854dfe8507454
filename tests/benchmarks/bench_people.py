"""How long Tab, and the form for a mail, take with 5,000 addresses in groups, beside reading them with ``json.load`` at each key.

The form also offers the recipients of the log, here 5,000 others. Its first answer, for which both are read, is told apart.

Run it with ``python -m tests.benchmarks.bench_people``.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from mailconn_jupyter.delivery.sent_log.log_entry import Fate, LogEntry
from mailconn_jupyter.delivery.sent_log.log_file import LogFile
from mailconn_jupyter.notebook.compose_page.offered import Offered
from tests.benchmarks.bench_store import fastest
from tests.support.shells import Shell

ADDRESSES = 5000


def fill(folder: Path) -> Path:
    """A file with groups of 500."""
    folder.mkdir(mode=0o700, parents=True)
    members = [f"Person {number} <person{number}@example.org>" for number in range(ADDRESSES)]
    groups = {f"group{start // 500}": members[start : start + 500] for start in range(0, ADDRESSES, 500)}
    path = folder / ".people.json"
    path.write_text(json.dumps({"groups": groups}), encoding="utf-8")
    return path


def plain(path: Path, typed: str) -> list[str]:
    """The plain loop that Tab is compared with."""
    with path.open(encoding="utf-8") as file:
        groups = json.load(file)["groups"]
    return [text for members in groups.values() for text in members if text.casefold().startswith(typed)]


def log(count: int = ADDRESSES) -> None:
    """Messages to a recipient each."""
    now = datetime.now(UTC)
    LogFile().add(
        LogEntry(now, "ops", "x", f"<{number}@x>", 1000, {f"earlier{number}@example.org": Fate("accepted")})
        for number in range(count)
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        os.environ["JUPYTER_CONFIG_DIR"] = os.environ["JUPYTER_DATA_DIR"] = directory
        path = fill(Path(directory, "mailconn"))
        config = Config()
        config.HistoryManager.enabled = False
        ip = InteractiveShell.instance(config=config)
        ip.run_cell("%load_ext mailconn_jupyter")  # type: ignore[no-untyped-call]
        shell = Shell(ip)
        for typed in ("person4", "Person 4999", "group"):
            line = f'%mailconn send --to "{typed}'
            count = len(shell.tab(line))
            tab = fastest(partial(shell.tab, line))
            loop = fastest(partial(plain, path, typed.casefold()))
            ratio = f"{tab * 1000:.1f} ms; json.load {loop * 1000:.1f} ms; {tab / loop:.2f} times"
            print(f"{typed!r}: {count} offered in {ratio}")  # noqa: T201  # what it is for
        log()
        offered = Offered()
        start = time.perf_counter()
        offered.recipients("p")
        first = time.perf_counter() - start
        log(1)
        start = time.perf_counter()
        offered.recipients("p")
        after = time.perf_counter() - start
        said = f"the form's first answer, with {ADDRESSES} more of the log: {first * 1000:.1f} ms (it is prepared in a thread)"
        print(f"{said}; after a mail: {after * 1000:.1f} ms")  # noqa: T201
        for typed in ("person4", "Person 4999", "earlier", "nobody"):
            form = fastest(partial(offered.recipients, typed))
            loop = fastest(partial(plain, path, typed.casefold()))
            ratio = f"{form * 1000:.1f} ms; json.load {loop * 1000:.1f} ms; {form / loop:.2f} times"
            print(f"{typed!r} in the form: {len(offered.recipients(typed))} offered in {ratio}")  # noqa: T201


if __name__ == "__main__":
    main()
