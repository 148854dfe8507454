"""What was sent: noted for its owner alone, without content, whatever two kernels, a crash or a full disk do."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter import sandbox
from mailconn_jupyter.delivery.report import DeliveryError
from mailconn_jupyter.delivery.sent_log import log_file, noting
from mailconn_jupyter.delivery.sent_log.log_file import LogFile
from mailconn_jupyter.errors import MailConnWarning, OptionError
from mailconn_jupyter.sandbox import Sandbox
from tests.servers.counting import Moody
from tests.support.batches import to
from tests.support.sent_entries import entry
from tests.support.shells import Shell, clean_up, shell

__all__ = ["clean_up", "shell"]

ANA, BOB = "ana@example.org", "bob@example.org"


@pytest.fixture
def server() -> Iterator[Sandbox]:
    started = sandbox.start()
    yield started
    started.stop()


@pytest.fixture(autouse=True)
def swept_anew() -> None:
    """As in a process that has just begun."""
    log_file._swept.clear()


# What is noted


def test_a_message_is_noted_with_its_connection_recipients_size_and_outcome(server: Sandbox) -> None:
    report = mailconn.send("sandbox", [ANA, BOB], "Churn, Woche 47", "Grüße")
    table = mailconn.sent()
    assert list(table.columns) == [
        *("when", "connection", "recipient", "subject", "size", "outcome", "code", "words", "message_id", "tries")
    ]
    assert table["recipient"].tolist() == [ANA, BOB]
    first = table.iloc[0]
    assert (first["connection"], first["subject"], first["outcome"]) == ("sandbox", "Churn, Woche 47", "accepted")
    assert (first["size"], first["message_id"]) == (report.size, report.message_id)
    assert abs(first["when"] - datetime.now(UTC)) < timedelta(minutes=1)


def test_no_word_of_the_content_is_in_the_log_and_only_its_owner_can_read_it(server: Sandbox) -> None:
    mailconn.send("sandbox", ANA, "Churn", "the secret figure", attachments=[("salaries.csv", b"a,b")])
    path = LogFile().path
    assert b"secret figure" not in path.read_bytes()
    assert b"salaries" not in path.read_bytes()
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_many_messages_are_noted_each(server: Sandbox) -> None:
    messages = [mailconn.compose(f"user{number}@example.org", f"Report {number}", "x") for number in range(30)]
    report = mailconn.send_many("sandbox", messages, on_progress=False)
    table = mailconn.sent()
    assert sorted(table["message_id"]) == sorted(row.message_id for row in report.deliveries)
    assert set(table["outcome"]) == {"accepted"}
    assert (table["size"] > 100).all()


def test_what_was_refused_is_noted_with_the_servers_words() -> None:
    with Moody() as refusing, pytest.raises(DeliveryError):
        mailconn.send(to(refusing.port), ["gone@example.test"], "Churn", "x")
    (row,) = mailconn.sent().to_dict("records")
    assert (row["outcome"], row["code"], bool(row["words"])) == ("refused", 550, True)


def test_a_dry_run_is_not_noted(server: Sandbox) -> None:
    mailconn.send("sandbox", ANA, "Churn", "x", dry_run=True)
    assert mailconn.sent().empty


def test_what_went_to_some_later_is_one_message(tmp_path: Path) -> None:
    LogFile().add([entry(1, ana="accepted", bob="refused"), entry(2), entry(1, bob="accepted")])
    table = mailconn.sent()
    assert table["subject"].tolist() == ["Report 2", "Report 1", "Report 1"]
    assert table["outcome"].tolist() == ["accepted"] * 3
    assert table["tries"].tolist() == [1, 1, 2]


# Looking


def test_it_is_looked_through_by_time_recipient_subject_and_connection() -> None:
    LogFile().add([entry(1, days=10), entry(2, days=2, bob="accepted"), entry(3)])
    assert mailconn.sent(since="3 days")["subject"].tolist() == ["Report 3", "Report 2"]
    assert mailconn.sent(before="3 days")["subject"].tolist() == ["Report 1"]
    assert mailconn.sent(to="BOB@")["subject"].tolist() == ["Report 2"]
    assert mailconn.sent(subject="report 3")["recipient"].tolist() == [ANA]
    assert mailconn.sent(connection="OPS", limit=1)["subject"].tolist() == ["Report 3"]
    assert mailconn.sent(connection="other").empty
    with pytest.raises(OptionError, match="limit must be a whole number of messages"):
        mailconn.sent(limit=-1)


def test_the_magic_shows_a_line_a_message_with_what_somebody_has_to_see_to(shell: Shell) -> None:
    LogFile().add([entry(1, ana="accepted", bob="refused"), entry(2)])
    shown = shell.ok("%mailconn sent").text
    assert "1 accepted, 1 REFUSED" in shown
    assert "ana@example.org, bob@example.org" in shown
    assert "Report 2" not in shell.ok("%mailconn sent --to bob").text
    assert "No sent message matches." in shell.ok("%mailconn sent --subject nothing").text
    assert "--limit 5 shows more" in shell.ok("%mailconn sent --limit 1").text


# Not noting


def test_one_setting_turns_it_off_and_on_again(shell: Shell, server: Sandbox) -> None:
    assert "Nothing more is logged" in shell.ok("%mailconn sent --off").text
    mailconn.send("sandbox", ANA, "Churn", "x")
    assert (
        "The log of sent mail is empty.\nNothing is being logged; to turn that on: %mailconn sent --on"
        in shell.ok("%mailconn sent").text
    )
    shell.ok("%mailconn sent --on")
    mailconn.send("sandbox", ANA, "Churn", "x")
    assert len(mailconn.sent()) == 1
    shell.ok("%mailconn sent --forget")
    assert mailconn.sent().empty
    assert "not allowed with argument" in shell.fails("%mailconn sent --on --off")


def test_settings_that_cannot_be_read_note_nothing(server: Sandbox) -> None:
    path = mailconn.connections.folder / ".settings.json"
    path.write_text("{", encoding="utf-8")
    assert not noting.keeps()


def test_a_path_that_is_no_file_is_told_and_the_mail_goes(server: Sandbox) -> None:
    LogFile().path.mkdir(parents=True)
    words = r"The sent message could not be logged: .*\. To turn the log off, run: %mailconn sent --off"
    with pytest.warns(MailConnWarning, match=words):
        assert mailconn.send("sandbox", ANA, "Churn", "x").ok


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_neither_a_fifo_nor_a_link_holds_anything_up(server: Sandbox, tmp_path: Path) -> None:
    path = LogFile().path
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    with pytest.warns(MailConnWarning, match="The sent message could not be logged"):
        assert mailconn.send("sandbox", ANA, "Churn", "x").ok
    path.unlink()
    victim = tmp_path / "victim"
    victim.write_text("keep me", encoding="utf-8")
    path.symlink_to(victim)
    with pytest.warns(MailConnWarning, match="The sent message could not be logged"):
        mailconn.send("sandbox", ANA, "Churn", "x")
    assert victim.read_text(encoding="utf-8") == "keep me"


# What happens to the file


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"when":"2026-01-01T00:00:00+00:00"}',
        b'{"when":"2026-01-01","connection":"","subject":"","message_id":"","size":1,"to":{}}',
        b'{"when":1,"connection":"","subject":"","message_id":"","size":1,"to":{}}',
        b'{"when":"2026-01-01T00:00:00+00:00","connection":"","subject":"","message_id":"","size":"1","to":{}}',
        b'{"when":"2026-01-01T00:00:00+00:00","connection":"","subject":"","message_id":"","size":1,"to":{"a":["x"]}}',
        b'{"when":"2026-01-01T00:00:00+00:00","connection":"","subject":"","message_id":"","size":1,"to":{"a":[]}}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_a_line_that_is_no_entry_is_passed_over(line: bytes) -> None:
    LogFile().add([entry(1)])
    with LogFile().path.open("ab") as file:
        file.write(line + b"\n")
    LogFile().add([entry(2)])
    assert mailconn.sent()["subject"].tolist() == ["Report 2", "Report 1"]


def test_half_a_line_of_a_crash_spoils_neither_what_is_before_it_nor_what_comes_after() -> None:
    LogFile().add([entry(1)])
    with LogFile().path.open("ab") as file:
        file.write(entry(2).line()[:40])
    LogFile().add([entry(3)])
    assert mailconn.sent()["subject"].tolist() == ["Report 3", "Report 1"]


def test_what_is_older_than_a_year_goes_and_the_rest_stays() -> None:
    LogFile().add([entry(1, days=800), entry(2, days=370), entry(3, days=300), entry(4)])
    log_file._swept.clear()
    LogFile().add([entry(5)])
    assert mailconn.sent()["subject"].tolist() == ["Report 5", "Report 4", "Report 3"]


def test_a_log_that_grows_too_large_loses_its_oldest_half(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "_MOST_BYTES", 20_000)
    LogFile().add(entry(number) for number in range(200))
    log_file._swept.clear()
    LogFile().add([entry(200)])
    assert LogFile().path.stat().st_size < 11_000
    assert mailconn.sent()["subject"].tolist()[0] == "Report 200"


_WRITER = """
import sys
from tests.support.sent_entries import entry
from mailconn_jupyter.delivery.sent_log import log_file
from mailconn_jupyter.delivery.sent_log.log_file import LogFile
if len(sys.argv) > 3:
    log_file._MOST_BYTES, log_file._BETWEEN_SWEEPS = int(sys.argv[3]), 0
print("begun", flush=True)
for number in range(int(sys.argv[1]), int(sys.argv[2])):
    LogFile().add([entry(number)])
"""


def writer(start: int, stop: int, most_bytes: int | None = None) -> subprocess.Popen[bytes]:
    """A process that notes so many; where the log grows over ``most_bytes``, it is swept each time."""
    command = [sys.executable, "-c", _WRITER, str(start), str(stop), *([] if most_bytes is None else [str(most_bytes)])]
    begun = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    assert begun.stdout is not None
    assert begun.stdout.readline() == b"begun\n"
    return begun


def test_two_kernels_that_note_at_once_lose_nothing() -> None:
    writers = [writer(0, 150), writer(150, 300)]
    for each in writers:
        assert each.wait(60) == 0
        assert each.stdout is not None
        each.stdout.close()
    assert len(LogFile().entries()) == 300
    assert LogFile().path.read_bytes().count(b"\n") == 300


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_a_kernel_that_is_killed_while_it_notes_leaves_a_log_that_is_whole() -> None:
    for _ in range(3):
        killed = writer(0, 100_000)
        time.sleep(0.2)
        killed.send_signal(signal.SIGKILL)
        killed.wait(30)
        assert killed.stdout is not None
        killed.stdout.close()
        LogFile().add([entry(7)])
    lines = LogFile().path.read_bytes().splitlines()
    assert all(json.loads(line)["connection"] == "ops" for line in lines)
    assert LogFile().entries()[-1].subject == "Report 7"


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_a_kernel_that_is_killed_while_it_sweeps_loses_nothing_of_what_is_new() -> None:
    last = 0
    for _ in range(3):
        killed = writer(last + 1, 100_000, 3000)
        while (newest := _newest()) < last + 20:
            time.sleep(0.01)
        killed.send_signal(signal.SIGKILL)
        killed.wait(30)
        assert killed.stdout is not None
        killed.stdout.close()
        assert _newest() >= newest
        last = newest
        LogFile().add([entry(last)])
    lines = LogFile().path.read_bytes().splitlines()
    assert all(json.loads(line)["connection"] == "ops" for line in lines)
    assert [path.name for path in LogFile().path.parent.iterdir() if path.suffix == ".tmp"] == []


def _newest() -> int:
    return max((each.size - 1000 for each in LogFile().entries()), default=0)
