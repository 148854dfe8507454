"""What a message of a merge costs beside what people write by hand: a template and a row, ten thousand of them, a text sent.

Run it with ``python -m tests.benchmarks.bench_merge``; where Postfix is installed, as root, with the sending, and where
kaleido and a browser are, with Plotly. Times are CPU seconds of this process, the shortest of several rounds in which the
ways take turns; ratios are to the first way of each table.
"""

from __future__ import annotations

import gc
import shutil
import smtplib
import time
import tracemalloc
from collections.abc import Callable
from email.message import EmailMessage
from functools import partial
from importlib.util import find_spec
from typing import Any

import jinja2
import pandas
from markdown_it import MarkdownIt

import mailconn_jupyter as mailconn
from mailconn_jupyter.message.mime.wire_format import as_bytes
from mailconn_jupyter.session.smtp.session import SMTPSession
from tests.benchmarks.mail_server import mail_server
from tests.servers.postfix import Postfix
from tests.support.peak import peak_megabytes

SENDER, RECIPIENT = "bob@example.test", "alice@example.test"
ROUNDS, TIMES = 7, 200
MESSAGES = 10_000
SUBJECT = "Churn, week {{ week }}"
SOURCE = "Dear {{ name }},\n\nin week {{ week }} **{{ '%.1f' | format(share) }} %** left us.\n\n{% if share > 3 %}Too many.{% endif %}\n"
ROW = {"name": "Ana", "week": 47, "share": 3.14159}
TEXT = "Three things moved, and here is what they were.\n" * 80


def by_hand(subject: str, text: str, html: str = "") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SENDER, RECIPIENT, subject
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message


def measured(ways: dict[str, Callable[[], Any]], times: int = TIMES) -> dict[str, float]:
    """CPU seconds of one call of each."""
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way()  # imports, and what is kept
    for _ in range(ROUNDS):
        for name, way in ways.items():
            gc.collect()
            start = time.process_time()
            for _ in range(times):
                way()
            spent[name].append((time.process_time() - start) / times)
    return {name: min(found) for name, found in spent.items()}


def report(title: str, found: dict[str, float], unit: float = 1000, said: str = "ms") -> None:
    print(f"\n{title}")  # noqa: T201  # the figures are its output
    first = next(iter(found.values()))
    for name, value in found.items():
        print(f"  {name:58} {value * unit:9.3f} {said}  x{value / first:.2f}")  # noqa: T201  # the same


def template_and_row() -> None:
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)  # as people write it, for a text
    subject, body = environment.from_string(SUBJECT), environment.from_string(SOURCE)
    markdown = MarkdownIt()
    text, formatted = mailconn.Template(SOURCE, "text"), mailconn.Template(SOURCE)
    merge = mailconn.merge([ROW], to=RECIPIENT, subject=SUBJECT, content=text, sender=SENDER)

    def anew() -> bytes:
        made = jinja2.Environment(undefined=jinja2.StrictUndefined)  # the same
        return bytes(by_hand(made.from_string(SUBJECT).render(ROW), made.from_string(SOURCE).render(ROW)))

    def kept() -> bytes:
        return bytes(by_hand(subject.render(ROW), body.render(ROW)))

    def kept_with_html() -> bytes:
        said = body.render(ROW)
        return bytes(by_hand(subject.render(ROW), said, markdown.render(said)))

    def ours(template: mailconn.Template) -> bytes:
        message = mailconn.compose(RECIPIENT, SUBJECT, template, sender=SENDER, variables=ROW)
        return as_bytes(message, utf8=False, eight_bit=True)

    report(
        "A template and a row, to the message's bytes",
        measured(
            {
                "jinja2 by hand, compiled once": kept,
                "jinja2 by hand, compiled for each": anew,
                "ours": partial(ours, text),
                "ours, of a merge": lambda: as_bytes(merge[0], utf8=False, eight_bit=True),
            }
        ),
    )
    report(
        "The same in Markdown, as text and HTML",
        measured({"jinja2 and markdown-it by hand, compiled once": kept_with_html, "ours": partial(ours, formatted)}),
    )


def ten_thousand() -> None:
    frame = pandas.DataFrame(
        {
            "email": [f"a{number}@example.test" for number in range(MESSAGES)],
            "name": [f"Ana {number}" for number in range(MESSAGES)],
            "week": 47,
            "share": [number / 1000 for number in range(MESSAGES)],
            "id": range(MESSAGES),
        }
    )
    given: dict[str, Any] = {
        "to": "{{ name }} <{{ email }}>",
        "subject": SUBJECT,
        "content": mailconn.Template(SOURCE),
        "key": "id",
        "sender": SENDER,
    }
    list(mailconn.merge(frame.head(2), **given))
    spent = {}
    start = time.process_time()
    merge = mailconn.merge(frame, **given)
    spent["the look at all rows before the first"] = (time.process_time() - start) / MESSAGES
    before = peak_megabytes()
    start = time.process_time()
    size = sum(len(as_bytes(message, utf8=False, eight_bit=True)) for message in merge)
    spent["each message, to its bytes"] = (time.process_time() - start) / MESSAGES
    grown = peak_megabytes() - before
    report(f"{MESSAGES} messages of a merge ({size / 1e6:.1f} MB), a message", spent)
    tracemalloc.start()
    rows = mailconn.merge(frame, **given)
    kept = tracemalloc.get_traced_memory()[0]
    for message in rows:
        as_bytes(message, utf8=False, eight_bit=True)
    peak = tracemalloc.get_traced_memory()[1] - kept
    tracemalloc.stop()
    print(f"  memory: rows {kept / 1e6:.1f} MB, above them {peak / 1e6:.2f} MB; the process grew by {grown:.1f} MB")  # noqa: T201  # the same


def a_text_sent(postfix: Postfix) -> None:
    def composed_and_sent(session: SMTPSession) -> None:
        session.send_message(mailconn.compose(RECIPIENT, "Churn", TEXT, sender=SENDER))

    connection = mailconn.MailConnection(
        name="bench", server_host=postfix.host, server_port=postfix.big, use_secure_authentication=False
    )
    with smtplib.SMTP(postfix.host, postfix.big) as plain, mailconn.connect_smtp(connection) as session:
        ways: dict[str, Callable[[], Any]] = {
            "EmailMessage and smtplib.send_message by hand": lambda: plain.send_message(by_hand("Churn", TEXT)),
            "compose() and session.send_message": lambda: composed_and_sent(session),
            "mailconn.send(session, ...)": lambda: mailconn.send(session, RECIPIENT, "Churn", TEXT, sender=SENDER),
        }
        report(f"A text of {len(TEXT)} characters, composed and sent on an open session", measured(ways, 30))


def figures() -> None:
    import plotly.graph_objects as go  # noqa: PLC0415  # where it is installed

    spent = {}
    for name in ("the first figure, a browser started", "the second", "the third"):
        figure = go.Figure(go.Bar(x=["a", "b", "c"], y=[3, 1, 2]), {"title": {"text": name}})
        start = time.perf_counter()
        mailconn.compose(RECIPIENT, "Churn", figure)
        spent[name] = time.perf_counter() - start
    report("Plotly's figures, by the clock", spent, 1, "s")


def main() -> None:
    template_and_row()
    ten_thousand()
    if shutil.which("postfix") is not None:
        with mail_server() as (postfix, _):
            a_text_sent(postfix)
    if find_spec("kaleido") is not None:
        figures()


if __name__ == "__main__":
    main()
