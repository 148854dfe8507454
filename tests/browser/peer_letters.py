"""The letters as redmail's manual has them sent: its templates, its tables and its pictures in the text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pandas
from redmail.email.sender import EmailSender

from tests.benchmarks.bench_peers import RECIPIENT, SENDER
from tests.servers.postfix import Postfix
from tests.support import letters

__all__ = ["PEER_LETTERS", "letter_by_redmail"]

_WEEKLY: Final = (
    "<p>Good morning,</p><p>week 47 in short:</p>{{ kpis }}{{ sales }}{{ trend }}<p>Questions? Just reply.</p>"
)


def _weekly() -> dict[str, Any]:
    kpis = pandas.Series(letters.KPIS).to_frame("")
    return {"body_tables": {"kpis": kpis, "sales": letters.sales()}, "body_images": {"trend": letters.trend()}}


def _scores() -> dict[str, Any]:
    import markdown_it  # noqa: PLC0415  # redmail has no Markdown of its own

    html = markdown_it.MarkdownIt().enable("table").render(letters.SCORES)
    styled = letters.confusion().to_html()
    return {"html": f"{html}{styled}{{{{ heat }}}}", "body_images": {"heat": letters.heat_map()}}


#: What is given to ``EmailSender.send``, by the letter.
PEER_LETTERS: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "sales report": lambda: {"html": _WEEKLY, **_weekly()},
    "model evaluation": _scores,
    "finance report": lambda: {
        "html": "<p>All figures in €, before taxes.</p>{{ accounts }}",
        "body_tables": {"accounts": letters.accounts()},
        "attachments": {"accounts.csv": letters.accounts(), "notes.txt": "None."},
    },
    "incident": lambda: {
        "html": "<h1>Reports are late</h1><pre>{{ error }}</pre>{{ table }}",
        "body_params": {"error": repr(letters.incident())},
        "body_tables": {"table": letters.customers()},
    },
    "merged letter": lambda: {
        "html": "<p>Dear {{ name }},</p><p>your account <b>{{ account }}</b> was used {{ uses }} times.</p><p>Ana</p>",
        "body_params": {"name": "Đorđe", "account": "A-00003", "uses": 1140},
    },
    "scripts": lambda: {
        "html": "<p>{{ arabic }}</p><p>{{ cyrillic }}</p>{{ table }}",
        "body_params": {"arabic": letters.ARABIC, "cyrillic": letters.CYRILLIC},
        "body_tables": {"table": letters.scripts()},
    },
    "invitation": lambda: {
        "html": "<p>Dear all,</p><p>please look at the table beforehand.</p>{{ table }}",
        "body_tables": {"table": letters.customers()},
    },
    "signed": lambda: {"html": f"{_WEEKLY}<p>--<br><b>Ana Kovač</b><br>Head of Analytics, Acme</p>", **_weekly()},
    "framed": lambda: {"html": letters.FRAME.replace("{{ content }}", _WEEKLY), **_weekly()},
}


def letter_by_redmail(postfix: Postfix, subject: str, name: str) -> None:
    sender = EmailSender(host=postfix.host, port=postfix.big, use_starttls=False)
    sender.send(subject=subject, sender=SENDER, receivers=[RECIPIENT], **PEER_LETTERS[name]())
