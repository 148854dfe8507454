"""Messages as a DataFrame: what is known in each column, what is not known missing."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mailconn_jupyter import MailConnection, messages, sandbox, to_frame
from mailconn_jupyter.errors import MailConnError, OptionError
from mailconn_jupyter.message.incoming.parsed import ParsedMessage
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.store import connections
from tests.support.broken_mail import BROKEN
from tests.support.mailboxes import fill_file, mail

COLUMNS = ["date", "from", "to", "subject", "size", "seen", "attachments", "uid"]


@pytest.fixture
def box(tmp_path: Path) -> MailConnection:
    path = tmp_path / "box.mbox"
    fill_file(path, [mail("one", seen=True, date="Sun, 22 Nov 2026 23:30:00 -0500"), mail("two", file="a.csv")])
    connection = MailConnection(name="box", protocol="MBOX", server_host=str(path))
    connections.save(connection)
    return connection


def test_a_mailbox_becomes_a_frame_by_the_name_of_its_connection(box: MailConnection) -> None:
    frame = to_frame("box")
    assert list(frame.columns) == COLUMNS
    assert list(frame["subject"]) == ["two", "one"]
    assert list(frame["from"]) == ["Ana <ana@example.org>"] * 2
    assert list(frame["to"]) == ["bob@example.org"] * 2
    assert list(frame["seen"]) == [False, True]
    assert frame["date"].dt.tz is UTC or str(frame["date"].dt.tz) == "UTC"
    assert frame["date"][1] == pd.Timestamp("2026-11-23 04:30", tz="UTC")
    assert list(frame["size"]) == [message.size for message in messages("box")]
    # Only headers were read.
    assert frame["attachments"].isna().all()
    assert list(to_frame("box", limit=1, subject="one")["subject"]) == ["one"]


def test_with_the_body_attachments_are_counted_and_the_text_can_be_a_column(box: MailConnection) -> None:
    assert list(to_frame(box, body=True)["attachments"]) == [1, 0]
    frame = to_frame(box, text=True)
    assert list(frame.columns) == [*COLUMNS, "text"]
    assert list(frame["text"].str.strip()) == ["Hello.", "Hello."]
    assert list(frame["attachments"]) == [1, 0]


def test_an_open_session_and_messages_that_are_there_already_become_a_frame(box: MailConnection) -> None:
    with connect(box) as session:
        assert list(to_frame(session)["subject"]) == ["two", "one"]
    pd.testing.assert_frame_equal(to_frame(messages(box, body=False)), to_frame(box))
    inbox = sandbox.Inbox()
    inbox.deliver("ana@example.org", ("bob@example.org",), mail("three").raw)
    frame = to_frame(inbox)
    assert list(frame["subject"]) == ["three"]
    assert frame["seen"].isna().all()


def kinds(frame: pd.DataFrame) -> dict[str, str]:
    return {name: str(kind).partition("[")[0] for name, kind in frame.dtypes.items()}


def test_a_frame_without_rows_has_the_same_columns_of_the_same_kinds(box: MailConnection) -> None:
    assert kinds(to_frame([])) == kinds(to_frame(box))
    assert len(to_frame([])) == 0


def test_what_cannot_be_read_is_missing_and_fails_nothing() -> None:
    far = [
        ParsedMessage(f"Date: {date}\n\n".encode()) for date in ("31 Dec 9999 23:59 -1200", "1 Jan 0100 00:00 +0000")
    ]
    frame = to_frame([*far, *(ParsedMessage(broken.raw) for broken in BROKEN)], text=True)
    assert len(frame) == len(BROKEN) + 2
    assert pd.isna(frame["date"][0])
    assert datetime(2026, 11, 22, 8, 30, tzinfo=UTC) in list(frame["date"])
    assert frame.to_json(date_format="iso")
    assert frame.to_csv().encode("utf-8")


@pytest.mark.parametrize(
    ("source", "asked", "complaint"),
    [
        ([], {"limit": 3}, "limit: only for messages that are still to be read"),
        (7, {}, "not int"),
        (["a"], {}, "not str"),
    ],
)
def test_what_is_no_mail_is_an_error_in_words(source: Any, asked: dict[str, Any], complaint: str) -> None:
    with pytest.raises(OptionError, match=complaint):
        to_frame(source, **asked)


def test_without_pandas_the_error_says_what_to_install(box: MailConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MailConnError, match="pandas, which is not installed"):
        to_frame(box)


def test_reading_without_a_frame_imports_no_pandas() -> None:
    code = (
        "import sys, mailconn_jupyter as m; m.messages, m.to_frame, m.ParsedMessage; sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
