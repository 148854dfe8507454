"""What an inbox holds and shows, above all of messages that mean no good."""

from __future__ import annotations

import base64
import http.server
import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies

from mailconn_jupyter.errors import MailConnError
from mailconn_jupyter.sandbox import Inbox, Received
from mailconn_jupyter.sandbox.received import one_line
from tests.servers.require import require

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    "</summary></details></pre><iframe srcdoc='x'>",
    '"></iframe><script>alert(1)</script>',
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&quot;&gt;&lt;img src=x onerror=alert(1)&gt;",
]


def message(subject: str = "Hello", text: str | None = "text", html: str | None = None) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "Ana <ana@example.org>", "bob@example.org", subject
    made["Date"] = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
    if text is not None:
        made.set_content(text)
    if html is not None:
        if text is None:
            made.set_content(html, subtype="html")
        else:
            made.add_alternative(html, subtype="html")
    return made


def received(content: EmailMessage | bytes, recipients: tuple[str, ...] = ("bob@example.org",)) -> Received:
    raw = content if isinstance(content, bytes) else content.as_bytes()
    return Received("ana@example.org", recipients, raw, datetime.now(UTC))


def filled(*contents: EmailMessage | bytes) -> Inbox:
    inbox = Inbox()
    for content in contents:
        raw = content if isinstance(content, bytes) else content.as_bytes()
        assert inbox.deliver("ana@example.org", ("bob@example.org",), raw)
    return inbox


class Page(HTMLParser):
    """The elements of a page, the attributes of its frames, and whether every element that was opened was closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.frames: list[dict[str, str | None]] = []
        self.handlers: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        if tag == "iframe":
            self.frames.append(dict(attrs))
        if tag not in {"br", "meta", "img"}:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def srcdoc(self) -> str:
        """The page in the only frame."""
        (frame,) = self.frames
        return frame["srcdoc"] or ""


OURS = {"table", "caption", "thead", "tbody", "tr", "th", "td", "p", "details", "summary", "div", "span", "bdi", "pre"}
OURS |= {"ul", "li", "iframe", "br"}


def page_of(html: str) -> Page:
    """The page, of which only elements of our own are expected, and no handlers of events."""
    page = Page(html)
    assert set(page.tags) <= OURS
    assert page.handlers == []
    return page


def test_the_newest_message_is_the_last_and_each_can_be_had() -> None:
    inbox = filled(message("one"), message("two"), message("three"))
    assert len(inbox) == 3
    assert inbox[-1].subject == "three"
    assert [each.subject for each in inbox] == ["one", "two", "three"]
    assert [each.subject for each in inbox[1:]] == ["two", "three"]
    assert inbox[0] in inbox
    with pytest.raises(IndexError, match="it contains 3 messages"):
        inbox[3]


def test_a_message_gives_its_headers_bodies_and_attachments() -> None:
    content = message("Zahlen für Woche 47", "plain", "<p>rich</p>")
    content.add_attachment(b"a,b\r\n", maintype="text", subtype="csv", filename="größe.csv")
    got = received(content)
    assert got.subject == "Zahlen für Woche 47"
    assert got.header("from") == "Ana <ana@example.org>"
    assert got.date == datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
    assert (got.text, got.html) == ("plain\n", "<p>rich</p>\n")
    (attachment,) = got.attachments
    assert (attachment.name, attachment.content_type, attachment.data) == ("größe.csv", "text/csv", b"a,b\r\n")
    assert isinstance(got.message, EmailMessage)
    assert got.raw == content.as_bytes()


def test_a_message_in_a_message_and_a_second_text_are_attachments() -> None:
    content = message("outer")
    content.add_attachment(message("inner"))
    content.add_attachment("notes", filename="notes.txt")
    types = [attachment.content_type for attachment in received(content).attachments]
    assert types == ["message/rfc822", "text/plain"]
    assert b"Subject: inner" in received(content).attachments[0].data


def test_waiting_ends_when_the_messages_are_there() -> None:
    inbox = Inbox()

    def deliver() -> None:
        for _ in range(2):
            time.sleep(0.05)
            inbox.deliver("a@example.org", ("b@example.org",), b"Subject: x\r\n\r\n")

    thread = threading.Thread(target=deliver)
    thread.start()
    assert inbox.wait(2, timeout=5) is inbox
    assert len(inbox) == 2
    thread.join()


def test_waiting_in_vain_says_how_many_came() -> None:
    with pytest.raises(MailConnError, match=r"1 of 2 messages arrived within 0\.05 s"):
        filled(message()).wait(2, timeout=0.05)


def test_an_inbox_takes_no_more_than_it_may_until_it_is_cleared() -> None:
    inbox = Inbox(most_bytes=10)
    assert inbox.deliver("a@example.org", (), b"123456")
    assert not inbox.deliver("a@example.org", (), b"123456")
    inbox.clear()
    assert len(inbox) == 0
    assert inbox.deliver("a@example.org", (), b"123456")


def test_the_list_as_text_says_who_wrote_to_whom_about_what() -> None:
    lines = repr(filled(message("one"), message("two"))).splitlines()
    assert lines[0] == "Inbox: 2 messages"
    assert re.match(r"Index +From +To +Subject +Arrived", lines[1])
    assert re.match(r"1 +Ana <ana@example.org> +bob@example.org +two +\d\d:\d\d:\d\d", lines[3])
    assert repr(Inbox()) == "Inbox: nothing has arrived yet."


def test_recipients_that_no_header_names_are_shown() -> None:
    html = received(message(), ("bob@example.org", "hidden@example.org"))._repr_html_()
    assert "ana@example.org to bob@example.org, hidden@example.org" in page_of(html).text


def test_the_newest_is_open_and_older_ones_can_be_opened() -> None:
    page = filled(message("one"), message("two"))._repr_html_()
    assert page.count("<details open") == 1
    assert page.index("1: two") < page.index("0: one")


def test_of_many_messages_the_newest_are_shown_and_the_rest_counted() -> None:
    inbox = filled(*[message(f"number {number}", html="<p>x</p>") for number in range(120)])
    html = inbox._repr_html_()
    assert "Before these: 70 messages, inbox[0] to inbox[69]." in page_of(html).text
    assert html.count("<iframe") == 10
    assert len(repr(inbox).splitlines()) == 2 + 50 + 1


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_markup_of_a_header_an_address_or_a_file_name_becomes_markup_of_the_page(attack: str) -> None:
    content = message(attack, attack)
    content.replace_header("From", f"{json.dumps(attack)} <evil@example.org>")
    content.add_attachment(b"x", maintype="application", subtype="pdf", filename=attack)
    inbox = Inbox()
    inbox.deliver(attack, (attack,), content.as_bytes())
    text = page_of(inbox._repr_html_()).text
    # List, summary and headers for the subject; the text; the file's name; the envelope twice.
    assert text.count(attack) >= 6


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_markup_of_an_html_body_leaves_its_frame(attack: str) -> None:
    page = page_of(received(message(html=attack))._repr_html_())
    assert attack.replace("<svg", "<x-svg") in page.srcdoc()


def test_the_frame_may_do_nothing_and_loads_nothing() -> None:
    page = page_of(received(message(html="<p>body</p>"))._repr_html_())
    (frame,) = page.frames
    assert frame["sandbox"] == ""
    assert frame["title"] == "Hello"
    policy = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', page.srcdoc())
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy.group(1).split(";"))
    assert rules["default-src"] == rules["form-action"] == rules["base-uri"] == "'none'"
    assert rules["img-src"] == "data:"
    assert "script-src" not in rules
    assert page.srcdoc().index("Content-Security-Policy") < page.srcdoc().index("<p>body</p>")


def test_what_a_policy_does_not_rule_is_taken_out_of_the_frame() -> None:
    html = '<META http-equiv=refresh content=0><base href="//x.test/"><link rel=preconnect href="//x.test"><linked>'
    inner = page_of(received(message(html=html))._repr_html_()).srcdoc().partition("<body>")[2]
    assert not re.search(r"<(meta|base|link)\b", inner, re.IGNORECASE)
    assert "<linked>" in inner


def test_a_picture_of_the_message_is_shown_in_its_text() -> None:
    content = message(html="<img src=\"cid:plot@here\"><img src='cid:plot%40here'> see cid:plot@here")
    content.get_payload(1).add_related(PIXEL, "image", "png", cid="<plot@here>")  # type: ignore[union-attr]
    got = received(content)
    page = page_of(got._repr_html_())
    assert page.srcdoc().count(f"data:image/png;base64,{base64.b64encode(PIXEL).decode()}") >= 2
    assert got.attachments[0].inline
    assert "shown in the text" in page.text


@pytest.mark.parametrize("kind", ["text/html", 'image/svg+xml"onerror="alert(1)', "application/javascript"])
def test_only_a_picture_is_put_into_the_text(kind: str) -> None:
    raw = (
        'MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="b"\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n'
        f'<img src="cid:x">\r\n--b\r\nContent-Type: {kind}\r\nContent-ID: <x>\r\n\r\n<script>1</script>\r\n--b--\r\n'
    )
    assert 'src="cid:x"' in page_of(received(raw.encode())._repr_html_()).srcdoc()


def test_what_is_too_large_for_an_output_is_told_and_not_shown() -> None:
    content = message(text="t" * 900_000, html=f"<p>{'h' * 1_100_000}</p>")
    html = received(content)._repr_html_()
    assert len(html) < 1_100_000
    text = page_of(html).text
    assert "The HTML text is too large to be shown here" in text
    assert "Cut: the text has 900000 characters." in text


def test_pictures_too_large_for_an_output_are_told_and_not_shown() -> None:
    content = message(html='<img src="cid:plot@here">')
    content.get_payload(1).add_related(b"x" * 2_000_000, "image", "png", cid="<plot@here>")  # type: ignore[union-attr]
    html = received(content)._repr_html_()
    assert len(html) < 10_000
    assert "Its pictures are too large to be shown here." in page_of(html).text


def test_a_picture_named_many_times_is_measured_as_often_as_it_is_shown() -> None:
    content = message(html='<img src="cid:plot@here">' * 3_000)
    content.get_payload(1).add_related(b"x" * 300_000, "image", "png", cid="<plot@here>")  # type: ignore[union-attr]
    html = received(content)._repr_html_()
    assert len(html) < 300_000
    assert "Its pictures are too large to be shown here." in page_of(html).text
    twice = message(html='<img src="cid:plot@here">' * 2)
    twice.get_payload(1).add_related(PIXEL, "image", "png", cid="<plot@here>")  # type: ignore[union-attr]
    assert page_of(received(twice)._repr_html_()).srcdoc().count(base64.b64encode(PIXEL).decode()) == 2


@pytest.mark.parametrize("character", ["&", '"', "<", "'"])
def test_the_finished_page_is_what_is_measured(character: str) -> None:
    for asked in ({"text": character * 900_000}, {"html": character * 900_000}, {"html": character * 150_000}):
        html = received(message(**asked))._repr_html_()
        assert len(html) < 1_010_000
        page_of(html)
    both = received(message(text=character * 900_000, html=character * 150_000))._repr_html_()
    assert len(both) < 1_010_000


def test_many_large_messages_do_not_swell_the_notebook() -> None:
    inbox = filled(*[message(text="t" * 300_000)] * 10)
    assert len(inbox._repr_html_()) < 1_400_000


def test_what_turns_the_reading_direction_or_breaks_the_line_is_made_visible() -> None:
    assert one_line("report\u202egpj.exe") == "report\ufffdgpj.exe"
    assert one_line("a\r\nBcc: b\tc\x00\x1b[1m") == "a Bcc: b c\ufffd\ufffd[1m"
    raw = b"Subject: =?utf-8?q?one=0D=0ABcc=3A_evil=40example.org?=\r\n\r\n"
    assert received(raw).subject == "one Bcc: evil@example.org"


BROKEN = [
    b"",
    b"\x00\xff\xfe",
    b"Subject",
    b"Content-Type: multipart/mixed\r\n\r\nno boundary",
    b'Content-Type: multipart/mixed; boundary=""\r\n\r\n--\r\n',
    b"Content-Type: text/plain; charset=hex\r\n\r\nabc",
    b"Content-Type: text/plain; charset*=x''%FF\r\n\r\nabc",
    b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!",
    b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nQQ==",
    b"Content-Type: x\r\nContent-Disposition: =?x\r\nContent-ID: <\r\n\r\n",
    b"From: =?utf-8?q?\r\nTo: <<>>,,\r\nDate: yesterday\r\nSubject: =?x?y?z?=\r\n\r\nabc",
    b'From: "\r\nTo: @\r\nCc: ;:<\r\nDate: \xff\r\nSubject: \xff\r\n\r\n\xff',
    b"Message-ID: <[>\r\nContent-Type: ;\r\n\r\n",
    b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(3000)),
]


@pytest.mark.parametrize("raw", BROKEN)
def test_a_broken_message_is_shown_as_far_as_it_can_be_read(raw: bytes) -> None:
    inbox = filled(message("good"), raw)
    page_of(inbox._repr_html_())
    assert "good" in repr(inbox)
    assert inbox[-1].raw == raw
    _ = inbox[-1].date, inbox[-1].attachments


@given(strategies.binary(max_size=300), strategies.text(max_size=60))
def test_whatever_arrives_can_be_shown(raw: bytes, header: str) -> None:
    inbox = Inbox()
    inbox.deliver(header, (header,), header.encode("utf-8", "replace") + raw)
    inbox.deliver("a", (), b"Subject: " + raw + b"\r\nContent-Type: " + raw + b"\r\n\r\n" + raw)
    inbox.deliver("a", (), b"Content-Type: text/html\r\n\r\n" + raw)
    page_of(inbox._repr_html_())
    assert len(repr(inbox).splitlines()) == 5


def test_showing_hostile_html_takes_no_longer_than_its_size() -> None:
    for part in ("<", "<style>", "<p <", "cid:", "&", "<!--", '"cid:'):
        started = time.monotonic()
        received(message(text=None, html=(part * 500_000)[:500_000] + "\n"))._repr_html_()
        assert time.monotonic() - started < 30


@contextmanager
def web() -> Iterator[tuple[str, list[str]]]:
    """A web server's address, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name that the base class has
            """Keep quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def in_browser(html: str, folder: Path) -> str:
    """Next page a browser has shown it and run what it runs."""
    chromium = require("chromium")
    file = folder / "page.html"
    file.write_text(f"<!DOCTYPE html><meta charset=utf-8><body>{html}</body>", encoding="utf-8")
    quiet = "--no-first-run --disable-background-networking --disable-component-update --disable-sync --disable-quic"
    done = subprocess.run(
        [
            *(chromium, "--headless", "--no-sandbox", "--disable-gpu", *quiet.split()),
            *("--timeout=3000", "--virtual-time-budget=3000", f"--user-data-dir={folder}/profile"),
            *("--dump-dom", file.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


def test_in_a_browser_a_hostile_message_runs_nothing_and_calls_nobody(tmp_path: Path) -> None:
    change = "parent.document.body.title='owned';top.document.body.title='owned'"
    with web() as (address, asked):
        hostile = (
            f'"></iframe><script>{change}</script><img src="{address}/img" onerror="{change}"><svg onload="{change}">'
            f'</svg><link rel=stylesheet href="{address}/css"><style>@import url({address}/import);body{{background:'
            f'url({address}/background)}}</style><meta http-equiv=refresh content="0;url={address}/refresh">'
            f'<iframe src="{address}/frame"></iframe><object data="{address}/object"></object>'
            f'<video src="{address}/video" autoplay></video><script src="{address}/script"></script>'
        )
        content = message(hostile, hostile, hostile)
        content.add_attachment(b"x", maintype="application", subtype="pdf", filename=hostile)
        dom = in_browser(filled(content)._repr_html_(), tmp_path)
        assert "owned" not in re.findall(r"<body[^>]*>", dom)[0]
        assert asked == []
        # The same browser does run and load what stands outside of a frame, so the test can fail.
        dom = in_browser(f"<img src='{address}/control'><script>{change}</script>", tmp_path)
        assert "owned" in re.findall(r"<body[^>]*>", dom)[0]
        assert asked == ["/control"]
