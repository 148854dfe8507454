"""How long a table takes on its way into a message, and how much memory, beside redmail and yagmail.

Run it with ``python -m tests.benchmarks.bench_render``. Ratios are to redmail's figure for the same table; below 1 is
less. Each figure is for the whole message, serialised.
"""

from __future__ import annotations

import time
import tracemalloc
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy
import pandas
from redmail.email.sender import EmailSender
from yagmail.message import prepare_message

from mailconn_jupyter.message.compose import compose
from mailconn_jupyter.message.wire import as_bytes
from tests.composed import usual_frame

ROWS, COLUMNS = 1000, 10
SENDER, RECIPIENT = "ana@example.org", "bob@example.org"


def random_frame(rows: int = ROWS) -> pandas.DataFrame:
    """Numbers of full precision: the largest that such a table can be."""
    values = numpy.random.default_rng(47).normal(size=(rows, COLUMNS))
    return pandas.DataFrame(values, columns=[f"value{number}" for number in range(COLUMNS)])


def ours(content: Any, **options: Any) -> bytes:
    return as_bytes(compose(RECIPIENT, "Table", content, sender=SENDER, **options), utf8=False, eight_bit=True)


def redmails(content: Any) -> bytes:
    sender = EmailSender(host="localhost", port=25)
    message = sender.get_message(
        subject="Table", sender=SENDER, receivers=[RECIPIENT], html="{{ table }}", body_tables={"table": content}
    )
    return bytes(message.as_bytes())


def yagmails(content: Any) -> bytes:
    message = prepare_message(SENDER, SENDER, {"To": RECIPIENT}, "Table", [content], None, None, "utf-8")
    return bytes(message.as_bytes())


def measured(work: Callable[[], bytes], rounds: int = 5) -> tuple[float, int, int]:
    """CPU seconds (the shortest of several), the peak of memory in bytes, and the size of the message."""
    size = len(work())
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    tracemalloc.start()
    try:
        work()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return min(times), peak, size


def report(title: str, works: dict[str, Callable[[], bytes]]) -> None:
    print(f"\n{title}")  # noqa: T201  # the figures are its output
    first: tuple[float, int, int] | None = None
    for name, work in works.items():
        seconds, peak, size = measured(work)
        first = first or (seconds, peak, size)
        print(  # noqa: T201  # the same
            f"  {name:34} {seconds * 1000:8.1f} ms  x{seconds / first[0]:<7.3f} "
            f"{peak / 1e6:7.2f} MB  x{peak / first[1]:<7.3f} message {size / 1000:8.1f} kB"
        )


def main() -> None:
    warnings.simplefilter("ignore")
    frames = {f"numbers, {ROWS} x {COLUMNS}": random_frame(), f"usual columns, {ROWS} x {COLUMNS}": usual_frame(ROWS)}
    for title, frame in frames.items():
        report(
            f"DataFrame of {title}",
            {
                "redmail": partial(redmails, frame),
                "yagmail": partial(yagmails, frame),
                "ours (100 rows, all as CSV)": partial(ours, frame),
                "ours (100 rows, all as CSV, zip)": partial(ours, frame, zip=True),
                "ours (100 rows, all as Parquet)": partial(ours, frame, table_as="parquet"),
                "ours (every row shown)": partial(ours, frame, rows=ROWS),
            },
        )
    small = random_frame(20)
    report("DataFrame of 20 x 10", {"redmail": lambda: redmails(small), "ours": lambda: ours(small)})

    def highlighted() -> Any:
        return random_frame().style.highlight_max(color="#ffe08a").format("{:.2f}")

    def shaded() -> Any:
        bold = random_frame().style.map(lambda value: "font-weight:bold" if value > 1 else "")
        return bold.background_gradient(cmap="viridis").format("{:.2f}")

    # redmail sends a Styler's own page, whose styles stay outside of its cells: Gmail and Outlook drop many of them.
    for title, styled in {"highlight_max": highlighted, "map and background_gradient": shaded}.items():
        report(
            f"Styler ({title}) of {ROWS} x {COLUMNS}",
            {
                "redmail": partial(_each, redmails, styled),
                "ours (100 rows, all as CSV)": partial(_each, ours, styled),
                "ours (every row shown)": partial(_each, partial(ours, rows=ROWS), styled),
            },
        )


def _each(send: Callable[[Any], bytes], made: Callable[[], Any]) -> bytes:
    """A Styler computes its styles when it is shown: a new one each time."""
    return send(made())


if __name__ == "__main__":
    main()
