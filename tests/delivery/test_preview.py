"""The preview: what will arrive, shown so that nothing in it can act."""

from __future__ import annotations

import html
from email.parser import BytesParser
from html.parser import HTMLParser
from typing import Any

import pandas as pd
import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.delivery.preview import Preview
from mailconn_jupyter.errors import MessageError
from mailconn_jupyter.formatting import how_large
from mailconn_jupyter.message.render import HTML
from tests.support.composed import ATTACKS

OPS = MailConnection(name="ops", server_host="mail.example.org", from_address="Bob <bob@example.org>")


def preview(*content: Any, subject: str = "Churn", **options: Any) -> Preview:
    report = mailconn.send(OPS, "Ana <ana@example.org>", subject, *content, **options, dry_run=True)
    shown = mailconn.preview(report.message)
    assert f"{how_large(report.size)}, to {len(report.outcomes)} " in dict(shown.rows())["Size"]
    return shown


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def elements(page: str) -> list[tuple[str, dict[str, str | None]]]:
    reader = _Elements()
    reader.feed(page)
    return reader.found


def frame(page: str) -> str:
    (attributes,) = [attributes for tag, attributes in elements(page) if tag == "iframe"]
    assert attributes["sandbox"] == ""
    assert attributes["referrerpolicy"] == "no-referrer"
    return attributes["srcdoc"] or ""


def test_it_names_the_people_the_size_and_the_attachments() -> None:
    shown = preview("See the table.", pd.DataFrame({"n": range(300)}), cc="cy@example.org", bcc="eve@example.org")
    for form in (repr(shown), html.unescape(shown._repr_html_())):
        for words in (
            "nothing was sent",
            "Bob <bob@example.org>",
            "Ana <ana@example.org>",
            "cy@example.org",
            "eve@example.org (hidden from the others)",
            " kB, to 3 recipients",
            "table.csv",
            "See the table.",
            "the first 50 of 300 rows",
        ):
            assert words in form


def test_it_is_read_from_the_bytes_that_would_travel() -> None:
    shown = preview("Größe", subject="Grüße")
    assert BytesParser().parsebytes(shown.message.raw)["Bcc"] is None
    assert ("Subject", "Grüße") in list(shown.rows())


def test_an_image_is_shown_inside_the_frame_that_loads_nothing() -> None:
    pillow = pytest.importorskip("PIL.Image")
    page = frame(preview(pillow.new("RGB", (20, 10)))._repr_html_())
    assert "default-src 'none'" in page
    assert '<img src="data:image/png;base64,' in page
    assert "cid:" not in page


def test_the_sender_is_the_connections_own_address_where_none_is_given() -> None:
    connection = MailConnection(name="x", server_host="h", from_address="Ana <ana@example.org>")
    report = mailconn.send(connection, "bob@example.org", "x", "y", dry_run=True)
    assert "Ana <ana@example.org>" in repr(mailconn.preview(report.message))


def test_a_composed_message_is_shown_before_there_is_a_connection() -> None:
    shown = mailconn.preview(mailconn.compose("ana@example.org", "Churn", "Three things moved:", bcc="eve@example.org"))
    assert "To       ana@example.org" in repr(shown)
    assert "to 2 recipients" in repr(shown)


def test_what_is_no_message_is_told() -> None:
    call: Any = mailconn.preview
    for value in "ops", mailconn.send(OPS, "ana@example.org", "Churn", "x", dry_run=True):
        with pytest.raises(MessageError, match=r"preview\(\) shows a message, not (str|SendReport)"):
            call(value)


@pytest.mark.filterwarnings("ignore:.* of the HTML .* not sent:mailconn_jupyter.errors.MailConnWarning")
@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_of_the_message_is_markup_outside_of_its_frame(attack: str) -> None:
    shown = preview(
        pd.DataFrame({attack: [attack]}),
        HTML(f"<p>{attack}</p>"),
        ValueError(attack),
        subject=attack,
        attachments={f"{attack.replace('/', '_')}.txt": b"x"},
    )
    page = shown._repr_html_()
    assert {tag for tag, _ in elements(page)} <= {
        "p",
        "div",
        "span",
        "bdi",
        "iframe",
        "pre",
        "ul",
        "li",
        "details",
        "summary",
    }
    for _, attributes in elements(page):
        assert not [name for name in attributes if name.startswith("on") or name in {"src", "href"}]
    assert not [name for _, attributes in elements(frame(page)) for name in attributes if name.startswith("on")]
    assert "script" not in {tag for tag, _ in elements(frame(page))}
