"""How long a result takes on its way into a message, and how much memory, beside redmail and yagmail.

Run it with ``python -m tests.benchmarks.bench_render``. Ratios are to redmail's figure for the same result; below 1 is
less. Each figure is for the whole message, serialised.
"""

from __future__ import annotations

import base64
import gc
import lzma
import time
import tracemalloc
import warnings
from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import Any

import numpy
import pandas
from redmail.email.sender import EmailSender
from yagmail.message import prepare_message

from mailconn_jupyter.message.compose import compose
from mailconn_jupyter.message.mime.wire_format import as_bytes
from tests.support.composed import usual_frame
from tests.support.results import figure

ROWS, COLUMNS = 1000, 10
ROUNDS = 9
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


def redmails_figure(figure: Any) -> bytes:
    """As redmail draws it: at its plain resolution, with the empty margin."""
    sender = EmailSender(host="localhost", port=25)
    message = sender.get_message(
        subject="Figure", sender=SENDER, receivers=[RECIPIENT], html="{{ it }}", body_images={"it": figure}
    )
    return bytes(message.as_bytes())


def redmails_sharp_figure(figure: Any) -> bytes:
    """With the picture that ours sends: twice the resolution, without the margin."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=figure.dpi * 2, bbox_inches="tight")
    return redmails_figure(buffer.getvalue())


def yagmails(content: Any) -> bytes:
    message = prepare_message(SENDER, SENDER, {"To": RECIPIENT}, "Table", [content], None, None, "utf-8")
    return bytes(message.as_bytes())


def measured(make: Callable[[], Any], works: dict[str, Callable[[Any], bytes]]) -> dict[str, tuple[float, int, int]]:
    """Of each way: CPU seconds (the shortest of several), the peak of memory in bytes, and the size of the message.

    The ways take turns, so that a slow moment of the machine is everybody's. What is sent is made before the clock
    starts, anew each time: a Styler and a figure compute when they are shown.
    """
    sizes = {name: len(send(make())) for name, send in works.items()}
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, send in works.items():
            content = make()
            gc.collect()
            start = time.process_time()
            send(content)
            times[name].append(time.process_time() - start)
    peaks = {}
    for name, send in works.items():
        content = make()
        tracemalloc.start()
        try:
            send(content)
            peaks[name] = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    return {name: (min(times[name]), peaks[name], sizes[name]) for name in works}


def report(title: str, make: Callable[[], Any], works: dict[str, Callable[[Any], bytes]]) -> None:
    print(f"\n{title}")  # noqa: T201  # the figures are its output
    found = measured(make, works)
    first = next(iter(found.values()))
    for name, (seconds, peak, size) in found.items():
        print(  # noqa: T201  # the same
            f"  {name:34} {seconds * 1000:8.1f} ms  x{seconds / first[0]:<7.3f} "
            f"{peak / 1e6:7.2f} MB  x{peak / first[1]:<7.3f} message {size / 1000:8.1f} kB"
        )


def highlighted() -> Any:
    return random_frame().style.highlight_max(color="#ffe08a").format("{:.2f}")


def shaded() -> Any:
    bold = random_frame().style.map(lambda value: "font-weight:bold" if value > 1 else "")
    return bold.background_gradient(cmap="viridis").format("{:.2f}")


def main() -> None:
    warnings.simplefilter("ignore")
    every_row = partial(ours, rows=ROWS)
    frames: dict[str, Callable[[], Any]] = {
        f"numbers, {ROWS} x {COLUMNS}": random_frame,
        f"numbers of four decimals, {ROWS} x {COLUMNS}": lambda: random_frame().round(4),
        f"usual columns, {ROWS} x {COLUMNS}": partial(usual_frame, ROWS),
    }
    for title, frame in frames.items():
        report(
            f"DataFrame of {title}",
            frame,
            {
                "redmail": redmails,
                "yagmail": yagmails,
                "ours (first rows, all as CSV)": ours,
                "ours (first rows, all as CSV, zip)": partial(ours, zip=True),
                "ours (first rows, all as Parquet)": partial(ours, table_as="parquet"),
                "ours (every row shown)": every_row,
            },
        )
    # No file can be smaller than what the numbers themselves say: this is what a mail of 100 kB cannot hold in full.
    columns = random_frame().to_numpy().T.copy().view(numpy.uint8).reshape(-1, 8).T.tobytes()
    floor = len(base64.encodebytes(lzma.compress(columns)))
    print(f"  (the doubles alone, their bytes sorted by weight, by xz and in base64: {floor / 1000:.1f} kB)")  # noqa: T201  # the same
    report("DataFrame of 20 x 10", partial(random_frame, 20), {"redmail": redmails, "ours": ours})
    report(
        "Matplotlib figure",
        figure,
        {"redmail": redmails_figure, "redmail, the same picture": redmails_sharp_figure, "ours": ours},
    )
    for title, styled in {"highlight_max": highlighted, "map and background_gradient": shaded}.items():
        report(
            f"Styler ({title}) of {ROWS} x {COLUMNS}",
            styled,
            {"redmail": redmails, "ours (first rows, all as CSV)": ours, "ours (every row shown)": every_row},
        )


if __name__ == "__main__":
    main()
