"""A composed message as its reader gets it: serialised as a session would, and parsed by the standard library."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import numpy
import pandas

from mailconn_jupyter.message.compose import compose
from mailconn_jupyter.message.mime.wire_format import as_bytes

ATTACKS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "</td></table><iframe src=//evil.example>",
    "<b>bold</b> & <!-- comment -->",
    "&lt;script&gt;",
    "a<b",
)


def travelled(message: EmailMessage) -> EmailMessage:
    """The message after the wire; every line on it within RFC 5322's limit, and in ASCII."""
    data = as_bytes(message, utf8=False, eight_bit=False)
    assert data.isascii()
    assert max(map(len, data.split(b"\r\n"))) <= 998
    arrived = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(arrived, EmailMessage)
    return arrived


def arrived(*content: object, subject: str = "Results", **options: Any) -> EmailMessage:
    """A message to Ana with this content, after the wire."""
    return travelled(compose("ana@example.org", subject, *content, **({"sender": "bob@example.org"} | options)))


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    text: str = part.get_content()
    return text.replace("\r\n", "\n")


def text_of(message: EmailMessage) -> str:
    return _body(message, "plain")


def html_of(message: EmailMessage) -> str:
    return _body(message, "html")


def attached(message: EmailMessage) -> dict[str, bytes]:
    """The attachments by their names, images of the text not among them."""
    return {
        str(part.get_filename()): part.get_payload(decode=True)  # type: ignore[misc]  # bytes, when decoded
        for part in message.walk()
        if part.get_content_disposition() == "attachment"
    }


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.said: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

        self.said.append("")

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self.said:
            self.said[-1] += data.strip()


def tags_of(html: str) -> list[tuple[str, dict[str, str]]]:
    """The elements of a page, each with its attributes, as a parser sees them."""
    reader = _Tags()
    reader.feed(html)
    return reader.tags


def cells_of(html: str) -> list[tuple[str, dict[str, str], str]]:
    """The same, each with the words between it and the next element."""
    reader = _Tags()
    reader.feed(html)
    return [(tag, attributes, said) for (tag, attributes), said in zip(reader.tags, reader.said, strict=True)]


def words_of(html: str) -> str:
    """The text of a page."""
    reader = _Tags()
    reader.feed(html)
    return "".join(reader.words)


def harmless(html: str) -> bool:
    """Whether nothing in the page can act or load: no such element, no handler, no address but links and cid."""
    for tag, attributes in tags_of(html):
        if tag in {"script", "iframe", "object", "embed", "form", "input", "svg", "link", "base", "style", "button"}:
            return False
        for name, value in attributes.items():
            if name.startswith("on") or "javascript:" in value.lower() or "url(" in value.lower():
                return False
            if name in {"src", "background"} and not value.startswith("cid:"):
                return False
    return "<!--" not in html


def usual_frame(rows: int) -> pandas.DataFrame:
    """What reports are made of: names, dates, counts, amounts."""
    random = numpy.random.default_rng(47)
    frame = pandas.DataFrame(
        {
            "region": random.choice(["North", "South", "East", "West"], rows),
            "customer": [f"customer-{number:05}" for number in random.integers(0, 99999, rows)],
            "since": pandas.Timestamp("2024-01-01") + pandas.to_timedelta(random.integers(0, 700, rows), unit="D"),
            "active": random.random(rows) > 0.1,
        }
    )
    for number in range(3):
        frame[f"count{number}"] = random.integers(0, 5000, rows)
        frame[f"amount{number}"] = random.normal(100, 30, rows).round(2)
    return frame
