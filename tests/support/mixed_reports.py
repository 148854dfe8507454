"""Reports as people send them: several kinds of content in one message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy
import pandas

from mailconn_jupyter.message.render.words import HTML, Markdown, Preformatted
from tests.support.results import axes, failure, figure, image, polars, styler, table

__all__ = ["REPORTS"]

_MARKDOWN: Final = """## Churn, week 47

> Three things moved; **two** of them up.

1. `north` is at 12 %
2. ~~south~~ west, see [the board](https://example.org/board)

| plan | users | said |
|------|------:|------|
| Free | 1200 | nobody asked for anything at all this week |
| Team | 37 | a few did |
| Pro | 4 | |

```python
churn = lost / before
```

---
"""


def _usual() -> pandas.DataFrame:
    """Five columns, as most tables have them."""
    return pandas.DataFrame(
        {
            "customer": [
                "Nørth & Sons",
                "Grüße GmbH",
                "Łódź Transport Spółka",
                "東京チーム",
                "a_rather_long_identifier",
            ],
            "since": pandas.date_range("2024-01-31", periods=5),
            "orders": [12, 1200, 7, 31000, 5],
            "revenue": [1037.719066, 12.5, 99999.25, 0.0, -42.125],
            "remark": ["wants a call back on Monday, and an offer for the second half of the year", "", "new", "", "?"],
        }
    )


def _wide() -> pandas.DataFrame:
    values = numpy.random.default_rng(47).normal(1000, 100, size=(6, 40))
    return pandas.DataFrame(values).add_prefix("value")


def _dashboard() -> Any:
    from matplotlib.figure import Figure  # noqa: PLC0415  # slow to import

    drawn = Figure(figsize=(14, 4))
    for number, part in enumerate(drawn.subplots(1, 3)):
        part.plot([1, 4, 2, number])
        part.set_title(f"Plant {number}")
    return drawn


def _shaded() -> Any:
    frame = _usual()[["orders", "revenue"]].assign(share=[0.1, 0.5, 0.25, 0.9, 0.05])
    gradient = frame.style.background_gradient(cmap="viridis", subset=["share"]).format("{:,.1f}", subset=["revenue"])
    return gradient.set_caption("By customer").set_table_styles([{"selector": "th", "props": "font-style: italic"}])


REPORTS: Final[dict[str, Callable[[], tuple[Any, ...]]]] = {
    "weekly": lambda: ("Good morning,\n\nthree things moved:", _usual(), figure(), "Regards\nAna"),
    "Markdown": lambda: (Markdown(_MARKDOWN), _usual(), {"accuracy": 0.93, "model": "größte", "trained": True}),
    "wide": lambda: (
        "All plants:",
        _wide(),
        _dashboard(),
        _wide().style.format("{:,.1f}").highlight_max(color="#ffe08a"),
    ),
    "styled": lambda: (_shaded(), styler(), polars(), table(200)),
    "failed run": lambda: (
        "The run has failed:",
        failure(),
        Preformatted(
            f"epoch   loss\n{'-' * 90}\n    1  0.123\n    2  0.120\n\nsaved to s3://bucket/{'deep/' * 30}model.bin"
        ),
        {"step": "train", "at": "2026-01-02 03:04"},
    ),
    "foreign HTML": lambda: (
        HTML(f"<style>.k{{color:#b00020}}</style><h2>KPI</h2><p class=k>Down by 3 %</p>{_usual().to_html()}"),
        axes(),
        image().resize((1400, 500)),
    ),
}
