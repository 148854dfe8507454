"""What ``%load_ext mailconn_jupyter`` adds to a running IPython, beside ``import redmail`` there.

Run it with ``python -m tests.benchmarks.bench_load``. Each measurement is a process of its own, in turn.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile

ROUNDS = 15

# Whatever IPython itself imports for its first cell and for %load_ext is there before the clock starts.
_CHILD = """if True:
    import json, sys, time
    from traitlets.config import Config
    from IPython.core.interactiveshell import InteractiveShell

    config = Config()
    config.HistoryManager.enabled = False
    ip = InteractiveShell.instance(config=config)
    ip.run_cell("%load_ext storemagic", silent=True)

    def timed(cell):
        start = time.perf_counter()
        ip.run_cell(cell, silent=True).raise_error()
        return (time.perf_counter() - start) * 1000

    idle = timed("pass")
    print(json.dumps([timed(cell) - idle for cell in sys.argv[1:]]))
"""


def measure(*cells: str) -> list[float]:
    """The milliseconds that each cell takes in one fresh IPython."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"IPYTHONDIR": folder, "JUPYTER_CONFIG_DIR": folder}
        command = [sys.executable, "-W", "ignore", "-c", _CHILD, *cells]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    figures: list[float] = json.loads(done.stdout.splitlines()[-1])
    return figures


# redmail imports these where they are installed; most of its time is theirs.
_ALONE = "import sys; sys.modules.update(dict.fromkeys(['pandas', 'matplotlib', 'PIL', 'css_inline'])); import redmail"


def median(*cells: str, rounds: int = ROUNDS) -> list[float]:
    """The median for each cell over several fresh processes."""
    return [statistics.median(column) for column in zip(*(measure(*cells) for _ in range(rounds)), strict=True)]


def main() -> None:
    measure("%load_ext mailconn_jupyter", "%mailconn default", "import redmail")  # the disk's cache
    load, first = median("%load_ext mailconn_jupyter", "%mailconn default")
    (redmail,), (alone,) = median("import redmail"), median(_ALONE)
    for what, figure in (
        ("%load_ext mailconn_jupyter", load),
        ("import redmail", redmail),
        ("import redmail, without pandas and matplotlib", alone),
        ("the first %mailconn command", first),
    ):
        print(f"{what:46} {figure:7.1f} ms   {figure / load:6.1f} times the load")  # noqa: T201  # its output


if __name__ == "__main__":
    main()
