"""Whole messages as people send them in the course of a week, each with what belongs to it: files, a frame, a meeting."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from typing import Any, Final

import numpy
import pandas

import mailconn_jupyter as mailconn
from mailconn_jupyter.message.letterhead import framed
from mailconn_jupyter.message.render.words import Markdown, Preformatted
from tests.support.composed import arrived, travelled
from tests.support.mixed_reports import REPORTS
from tests.support.results import KINDS, png

__all__ = [
    "FRAME",
    "LETTERS",
    "MESSAGES",
    "accounts",
    "confusion",
    "customers",
    "heat_map",
    "incident",
    "sales",
    "scripts",
    "trend",
]

KPIS: Final = {"revenue": "€ 1,284,300", "orders": 4127, "new customers": 212, "returns": "2.1 %"}
SCORES: Final = """## Churn model 2026-11

The new model is **better on every segment**; the gain is largest for _trial_ customers.

| segment | AUC old | AUC new | remark |
|---------|--------:|--------:|--------|
| trial   | 0.712   | 0.781   | calls to the hotline are a feature now |
| monthly | 0.804   | 0.823   | |
| yearly  | 0.861   | 0.866   | within the noise of the test set |

1. Freeze the features by `2026-12-01`.
2. Shadow run until the end of the year.
"""
ARABIC: Final = "صباح الخير يا آنا،\nهذا تقرير الأسبوع 47: ارتفعت المبيعات بنسبة 12 %."  # noqa: RUF001  # its own letters
HEBREW: Final = "## דוח שבועי\n\nשלום Ana, המכירות עלו ב־12 %!\n\n- צפון: 1,200\n- דרום: 900 (ירידה)\n"  # noqa: RUF001  # its own letters
CYRILLIC: Final = "Коллеги, добрый день!\n\nВыручка за неделю выросла на 12 %, подробности в таблице."  # noqa: RUF001  # its own letters
FRAME: Final = """<table width="100%" cellpadding="0" cellspacing="0" border="0"><tr>
<td style="padding:12px 0"><img src="data:image/png;base64,{logo}" alt="Acme Analytics" width="120" height="40"></td></tr></table>
<h2>Weekly reports</h2>
<div>{{ content }}</div>
<hr>
<p style="color:#595f69;font-size:12px">Acme Analytics GmbH, Hafenstr. 1, Hamburg<br>
You receive this because you asked for it: <a href="https://example.org/reports">change it</a>.</p>
""".replace("{logo}", base64.b64encode(png(240, 80, "#b3261e")).decode())
SIGNATURE: Final = "**Ana Kovač**\nHead of Analytics, Acme\n[reports.example.org](https://reports.example.org)"
LETTER: Final = """Dear {{ name }},

your account **{{ account }}** was used {{ uses }} times in November; the plan _{{ plan }}_ has room for {{ room }}.

{{ table }}

{% if uses > room %}You are over it: from December on, each further use is 0.02 €.{% else %}Nothing changes for you.{% endif %}

Kind regards
Ana
"""


def sales() -> pandas.DataFrame:
    regions = ["North", "South", "East & West", "Überseegebiete"]
    plans = ["Free", "Team", "Pro"]
    index = pandas.MultiIndex.from_product([regions, plans], names=["region", "plan"])
    random = numpy.random.default_rng(47)
    frame = pandas.DataFrame({"orders": random.integers(10, 4000, 12), "revenue": random.normal(9e4, 4e4, 12)}, index)
    frame["against last week"] = random.normal(0, 0.1, 12).round(3)
    return frame.round(2)


def customers() -> pandas.DataFrame:
    """A long text beside columns of which none can be broken."""
    return pandas.DataFrame(
        {
            "since": pandas.to_datetime(["2024-01-31 08:15", "2025-06-02 17:40", "2026-11-20 09:05"]),
            "amount": [1_284_300.5, -42.25, 99_999.0],
            "said": [
                "wants a call back on Monday, and an offer for the second half of the year before that",
                "fine",
                "asks whether the price of the third plan is per user or per team, and from when on",
            ],
        }
    )


def trend() -> Any:
    from matplotlib.figure import Figure  # noqa: PLC0415  # slow to import

    drawn = Figure(figsize=(6.4, 3.2))
    axes = drawn.subplots()
    for region, slope in ("North", 3.0), ("South", 1.2), ("East & West", 2.1):
        axes.plot(range(40, 48), [60 + slope * week + (week * 7 % 5) for week in range(8)], marker="o", label=region)
    axes.set(xlabel="week", ylabel="k€", title="Revenue by region")
    axes.legend()
    return drawn


def heat_map() -> Any:
    from matplotlib.figure import Figure  # noqa: PLC0415  # slow to import

    drawn = Figure(figsize=(5, 4))
    axes = drawn.subplots()
    names = ["calls", "logins", "seats", "age", "plan"]
    values = numpy.corrcoef(numpy.random.default_rng(47).normal(size=(5, 12)))
    shown = axes.imshow(values, cmap="viridis", vmin=-1, vmax=1)
    axes.set_xticks(range(5), names)
    axes.set_yticks(range(5), names)
    for (row, column), value in numpy.ndenumerate(values):
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", color="white" if value < 0.5 else "black")
    drawn.colorbar(shown)
    axes.set_title("Correlation of the features")
    return drawn


def confusion() -> Any:
    names = pandas.Index(["stays", "leaves"], name="customer")
    frame = pandas.DataFrame([[9120, 341], [287, 1254]], index=names, columns=["said: stays", "said: leaves"])
    return frame.style.background_gradient(cmap="Blues").format("{:,}").set_caption("Test set, 11,002 customers")


def accounts() -> pandas.DataFrame:
    months = pandas.period_range("2026-01", periods=11, freq="M").astype(str)
    names = ["4000 Sales", "4400 Services", "5000 Cost of goods", "6000 Salaries", "6300 Rent and energy", "Result"]
    values = numpy.random.default_rng(47).normal(0, 250_000, (len(names), len(months))).round(2)
    return pandas.DataFrame(values, index=pandas.Index(names, name="account"), columns=months)


def incident() -> BaseException:
    def load(source: str) -> None:
        raise ConnectionError(f"could not connect to {source}: timed out after 30 s")

    def refresh(tables: list[str]) -> None:
        for table in tables:
            load(f"postgresql://warehouse.internal.example.org:5432/reporting?sslmode=verify-full/{table}")

    try:
        try:
            refresh(["fact_orders"])
        except ConnectionError as error:
            raise RuntimeError("The nightly refresh has stopped at table 1 of 14.") from error
    except RuntimeError as error:
        return error
    raise AssertionError


def scripts() -> pandas.DataFrame:
    return pandas.DataFrame(
        {
            "город": ["Санкт-Петербург", "القاهرة (مصر)", "תל אביב!", "東京都", "서울특별시", "Αθήνα"],
            "население": [5_600_000, 10_200_000, 474_000, 14_000_000, 9_400_000, 643_000],
            "備考": ["растёт", "العاصمة، منذ 1922.", "על חוף הים.", "人口は減少しています。", "수도", "🎉"],
        }
    )


def _under(signature: str, *content: object, **options: Any) -> EmailMessage:
    with framed(signature):
        return arrived(*content, **options)


def _weekly() -> tuple[object, ...]:
    return ("Good morning,\n\nweek 47 in short:", KPIS, sales(), trend(), "Questions? Just reply.")


def _merged() -> EmailMessage:
    uses = pandas.DataFrame({"day": pandas.date_range("2026-11-02", periods=4, freq="W"), "uses": [120, 431, 512, 77]})
    rows = [
        {
            "email": f"a{number}@example.org",
            "name": name,
            "account": f"A-{number:05}",
            "plan": "Team",
            "room": 1000,
        }
        for number, name in enumerate(["Ana", "Béa", "Çağla", "Đorđe"])
    ]
    letters = mailconn.merge(
        [row | {"uses": 1140, "table": uses} for row in rows],
        to="{{ name }} <{{ email }}>",
        subject="{{ name }}, your November",
        content=mailconn.Template(LETTER),
        sender="ana@example.org",
    )
    return travelled(letters[3])


def _invitation() -> EmailMessage:
    meeting = mailconn.Invitation(
        "Churn review, week 47",
        "2026-12-03 09:30",
        minutes=45,
        timezone="Europe/Berlin",
        place="Room 4.12, or https://meet.example.org/churn",
    )
    return arrived("Dear all,\n\nplease look at the table beforehand.", meeting, customers())


LETTERS: Final[Mapping[str, Callable[[], EmailMessage]]] = {
    "sales report": lambda: arrived(*_weekly()),
    "model evaluation": lambda: arrived(Markdown(SCORES), confusion(), heat_map(), {"features": 41, "trees": 600}),
    "finance report": lambda: arrived(
        "All figures in €, before taxes.",
        accounts(),
        accounts().style.format("{:,.0f}").map(lambda value: "color:#b00020" if value < 0 else ""),
        attachments={"accounts.xlsx": accounts(), "notes.txt": "None.", "trend.pdf": trend()},
        zip="2026-11",
    ),
    "incident": lambda: arrived(
        Markdown(
            "# Reports are late\n\n**Since 02:14** the warehouse cannot be reached. What was tried:\n\n"
            "```bash\npg_isready -h warehouse.internal.example.org -p 5432\n```\n\n"
            "> no response\n\nNext: `ops` restarts the proxy."
        ),
        incident(),
        Preformatted(
            "\n".join(f"02:{minute}:07 WARN pool  retry {minute - 13} of 5 in 30 s" for minute in range(14, 19))
        ),
        customers(),
        priority="high",
    ),
    "merged letter": _merged,
    "scripts": lambda: arrived(ARABIC, Markdown(HEBREW), CYRILLIC, scripts(), {"合計": 47, "סך הכול": 12}),
    "invitation": _invitation,
    "signed": lambda: _under(SIGNATURE, *_weekly()),
    "framed": lambda: _under(FRAME, *_weekly()),
}

#: Every message that is looked at: of each kind that is more than text, of mixed reports, and whole letters.
MESSAGES: Final[Mapping[str, Callable[[], EmailMessage]]] = {
    **{name: lambda kind=kind: arrived(kind.make()) for name, kind in KINDS.items() if kind.html},  # type: ignore[misc]  # bound now
    **{name: lambda report=report: arrived(*report()) for name, report in REPORTS.items()},  # type: ignore[misc]  # the same
    **LETTERS,
}
