"""How long Tab takes with 5,000 addresses in groups, beside reading them with ``json.load`` at each key.

Run it with ``python -m tests.benchmarks.bench_people``.
"""

from __future__ import annotations

import json
import os
import tempfile
from functools import partial
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

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


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        os.environ["JUPYTER_CONFIG_DIR"] = directory
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


if __name__ == "__main__":
    main()
