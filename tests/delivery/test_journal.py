"""The journal of a batch: what is sent when it is taken up again, after whatever ended it, and who may have it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter import DeliveryReport, JournalError
from mailconn_jupyter.delivery.journals import journal as journal_module
from mailconn_jupyter.delivery.journals.journal import Journal, journal_path, using
from mailconn_jupyter.delivery.journals.journal_base import Intent
from mailconn_jupyter.delivery.many import batch as batch_module, courier
from mailconn_jupyter.errors import MessageError, OptionError, StoreError
from tests.servers.counting import CountingServer, Moody
from tests.servers.relay import Cut, Drop, Relay
from tests.servers.require import is_root
from tests.session.test_forks import child, ended
from tests.support.batch_process import keyed
from tests.support.batches import arrived, judge, letter, to
from tests.support.shells import Shell, clean_up, shell

__all__ = ["clean_up", "shell"]

send_many = mailconn.send_many


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries after a hundredth of the time."""
    monkeypatch.setattr(batch_module, "_PAUSES", ())
    monkeypatch.setattr(courier, "_PAUSES", (0.0, 0.01, 0.02, 0.05, 0.05, 0.05))


def said(report: DeliveryReport) -> dict[str, tuple[str, int]]:
    """Outcome and tries by recipient."""
    return {row.recipient.partition("@")[0]: (row.outcome, row.tries) for row in report.deliveries}


def names(*recipients: str) -> list[tuple[str, EmailMessage]]:
    return [(name, letter(f"{name}@example.test", number)) for number, name in enumerate(recipients)]


# Taken up again


def test_what_was_accepted_is_skipped_what_was_refused_is_reported_and_the_rest_is_sent() -> None:
    with Moody() as server:
        first = send_many(to(server.port), names("ana", "gone1", "grey1"), journal="churn-47")
        assert said(first) == {"ana": ("accepted", 1), "gone1": ("refused", 1), "grey1": ("refused", 1)}
        second = send_many(to(server.port), names("ana", "gone1", "grey1", "bob"), journal="churn-47")
        assert said(second) == {
            "ana": ("accepted", 0),
            "gone1": ("refused", 0),
            "grey1": ("accepted", 1),
            "bob": ("accepted", 1),
        }
        by_name = {row.recipient: row for row in second.deliveries}
        assert re.fullmatch(r".*\(an earlier batch, 20\d\d-.*\)", by_name["ana@example.test"].words)
        assert by_name["gone1@example.test"].code == 550
        assert "nobody of that name" in by_name["gone1@example.test"].words
        assert max(arrived(server).values()) == 1
        third = send_many(to(server.port), names("ana", "gone1"), journal="churn-47", again="refused")
        assert said(third) == {"ana": ("accepted", 0), "gone1": ("refused", 1)}


def test_of_a_message_to_several_only_those_who_did_not_get_it_are_sent_it_again() -> None:
    with Moody() as server:
        message = letter("ana@example.test, grey1@example.test, gone1@example.test")
        send_many(to(server.port), [("k", message)], journal="x")
        again = send_many(to(server.port), [("k", message)], journal="x")
        assert said(again) == {"ana": ("accepted", 0), "grey1": ("accepted", 1), "gone1": ("refused", 0)}
        assert [taken.recipients for taken in server.taken] == [("ana@example.test",), ("grey1@example.test",)]
        ids = {re.search(rb"Message-ID: (\S+)", taken.content)[1] for taken in server.taken}  # type: ignore[index]
        assert len(ids) == 1


def test_what_is_unknown_is_reported_and_not_sent_unless_it_is_asked_for() -> None:
    with CountingServer() as server:
        silent = Drop(after=b"354 End data with <CR><LF>.<CR><LF>\r\n")
        with Relay(server.port, to_client=silent) as link:
            first = send_many(to(link.port, timeout=0.3, deadline=1), names("ana"), journal="x")
        assert said(first) == {"ana": ("unknown", 1)}
        second = send_many(to(server.port), names("ana"), journal="x")
        assert said(second) == {"ana": ("unknown", 0)}
        assert not second
        third = send_many(to(server.port), names("ana"), journal="x", again="unknown")
        assert said(third) == {"ana": ("accepted", 1)}
        # With the same Message-ID, so that whoever has both can tell.
        ids = [re.search(rb"Message-ID: (\S+)", taken.content)[1] for taken in server.taken]  # type: ignore[index]
        assert len(set(ids)) == 1
        assert said(send_many(to(server.port), names("ana"), journal="x", again="unknown")) == {"ana": ("accepted", 0)}


def test_what_may_be_there_from_before_stays_in_doubt_when_it_was_not_sent_this_time() -> None:
    with using("x") as journal:
        journal.intend(Intent("close1", "<x@y>", ["close1@example.test"]))
        journal.intend(Intent("gone1", "<x@y>", ["gone1@example.test"]))
    given = names("close1", "gone1")
    with Moody() as server:
        asked = send_many(to(server.port), given, journal="x", again="unknown")
        assert {name: outcome for name, (outcome, _) in said(asked).items()} == {
            "close1": "not sent",
            "gone1": "refused",
        }
        before = len(server.asked)
        again = send_many(to(server.port), given, journal="x")
        assert said(again) == {"close1": ("unknown", 0), "gone1": ("unknown", 0)}
        assert len(server.asked) == before


def test_a_batch_that_is_stopped_says_of_its_rest_what_the_journal_knows() -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    given = list(keyed(20))
    with CountingServer() as server:
        assert send_many(to(server.port), given[:15], journal="x")
        report = send_many(to(server.port), given, journal="x", on_progress=interrupt)
        assert report.stopped == "It was interrupted."
        judge(report, server)
        assert len(report.deliveries) == 20
        assert report.counts["accepted"] >= 15
    server_gone = to(server.port)
    with pytest.raises(mailconn.OpenError) as caught:
        send_many(server_gone, given, journal="x")
    assert caught.value.report.counts["accepted"] >= 15  # type: ignore[attr-defined]


def test_a_message_id_comes_from_the_key_and_is_another_one_in_each_journal(tmp_path: Path) -> None:
    with CountingServer() as server:
        reports = [send_many(to(server.port), names("ana"), journal=tmp_path / name) for name in ("a", "a", "b")]
        ids = [report.deliveries[0].message_id for report in reports]
        assert ids[0] == ids[1] != ids[2]
        assert re.fullmatch(r"<[0-9a-f]{40}@example\.test>", ids[0])
        assert f"Message-ID: {ids[0]}\r\n".encode() in server.taken[0].content


def test_a_retry_goes_on_in_the_same_journal() -> None:
    with Moody() as server:
        report = send_many(to(server.port), names("grey1", "ana"), journal="x")
        assert said(report.retry()) == {"grey1": ("accepted", 2)}
        assert said(send_many(to(server.port), names("grey1", "ana"), journal="x")) == {
            "grey1": ("accepted", 0),
            "ana": ("accepted", 0),
        }


def test_a_retry_from_another_folder_goes_on_in_the_same_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)
    known = [f"user{number}" for number in range(40)]
    with Moody() as server:
        assert send_many(to(server.port), names(*known), journal="./x")
        report = send_many(to(server.port), names("gone", *known), journal="./x", again="refused", stop_after=1)
        assert report.stopped
        monkeypatch.chdir(tmp_path / "other")
        report.retry()
        assert max(arrived(server).values()) == 1
    assert list(Path().iterdir()) == []


# Keys


@pytest.mark.parametrize("given", [b"x", True, 3, float("nan"), "", "  ", Path("a\0b"), "a\0/b", object()])
def test_what_is_neither_a_name_nor_a_path_is_told(given: Any) -> None:
    with pytest.raises(OptionError, match="Not a journal"):
        send_many(to(1), [], journal=given)


@pytest.mark.parametrize("name", ["~nobody-of-that-name/j", "mit Leerzeichen/джурнал", "нет"])
def test_a_path_may_have_any_signs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if "/" in name:
        (tmp_path / name).parent.mkdir()
    with CountingServer() as server:
        assert send_many(to(server.port), names("ana", "bob"), journal=name)
        assert send_many(to(server.port), names("ana", "bob"), journal=name)
        assert len(server.taken) == 2


@pytest.mark.parametrize("key", [None, "", " ", float("nan"), pd.NaT])
def test_a_message_without_a_key_is_an_error_before_it_is_sent(key: Any) -> None:
    with CountingServer() as server:
        for given in [(key, letter("ana@example.test"))], [letter("ana@example.test")]:
            with pytest.raises(MessageError, match="Message 0 has no key"):
                send_many(to(server.port), given, journal="x")
        assert server.taken == []


@pytest.mark.parametrize("key", [1.0, True, b"x", ("a", 1), np.float64(2)])
def test_what_is_not_the_same_each_time_is_no_key(key: Any) -> None:
    with CountingServer() as server, pytest.raises(MessageError, match="Not a key"):
        send_many(to(server.port), [(key, letter("ana@example.test"))], journal="x")


def test_two_messages_of_one_key_are_an_error() -> None:
    with CountingServer() as server:
        with pytest.raises(MessageError, match="Message 1 has the same key as another message: 'a'") as caught:
            send_many(
                to(server.port), [("a", letter("ana@example.test")), ("a", letter("bob@example.test"))], journal="x"
            )
        judge(caught.value.report, server)  # type: ignore[attr-defined]


def test_numbers_of_a_table_are_the_keys_that_their_texts_are() -> None:
    with CountingServer() as server:
        number = UUID(int=5)
        given = [np.int64(7), number, "Ключ"]
        send_many(to(server.port), [(key, letter(f"u{n}@example.test", n)) for n, key in enumerate(given)], journal="x")
        again = ["7", str(number), " Ключ "]
        report = send_many(
            to(server.port), [(k, letter(f"u{n}@example.test", n)) for n, k in enumerate(again)], journal="x"
        )
        assert [row.tries for row in report.deliveries] == [0, 0, 0]
        assert len(server.taken) == 3


def test_the_messages_of_a_merge_have_the_keys_of_their_rows() -> None:
    def merged(rows: Any) -> Any:
        return mailconn.merge(
            rows, to="email", subject="number {{ id }}", content="Dear {{ name }},", sender="bob@example.test", key="id"
        )

    table = pd.DataFrame({"id": [0, 1, 2], "email": [f"u{n}@example.test" for n in range(3)], "name": ["a", "b", "c"]})
    with Moody() as server:
        assert send_many(to(server.port), merged(table.iloc[:2]), journal="x")
        # Read anew, and with a row more.
        report = send_many(to(server.port), merged(table.to_dict("records")), journal="x")
        assert [row.tries for row in report.deliveries] == [0, 0, 1]
        assert report.summary == "3 messages in 0 s: 3 accepted (2 of them earlier, according to the journal)."
        assert len(server.taken) == 3


# Killed, forked, two at once


@pytest.fixture
def environment(own_config: Path) -> dict[str, str]:
    return {**os.environ, "JUPYTER_CONFIG_DIR": str(own_config)}


def begun(server: CountingServer, journal: Path, count: int, port: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.support.batch_process", str(port or server.port), str(journal), str(count)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8")
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL there")
def test_a_batch_of_500_that_is_killed_is_taken_up_again_and_each_is_there_once_at_most(tmp_path: Path) -> None:
    journal = tmp_path / "batch"
    with CountingServer() as server:
        for taken in (60, 200, 350):
            process = begun(server, journal, 500)
            while len(server.taken) < taken and process.poll() is None:
                time.sleep(0.001)
            process.send_signal(signal.SIGKILL)
            process.communicate()
        report = send_many(to(server.port), keyed(500), journal=journal)
        assert {row.index for row in report.deliveries} == set(range(500))
        judge(report, server)
        unknown = [row for row in report.deliveries if row.outcome == "unknown"]
        assert report.counts.keys() <= {"accepted", "unknown"}
        # No more than what was on its way over three connections, each of the three times.
        assert len(unknown) <= 3 * 3 * 3
        assert "ended before the server had answered" in "".join(row.words for row in unknown) or not unknown
        whole = send_many(to(server.port), keyed(500), journal=journal, again="unknown")
        assert whole.counts == {"accepted": 500}
        assert set(arrived(server)) == {(number, f"user{number}@example.test") for number in range(500)}


def test_two_processes_with_one_journal_send_nothing_twice(tmp_path: Path) -> None:
    journal = tmp_path / "batch"
    with CountingServer() as server, Relay(server.port, round_trip=0.02) as link:
        processes = [begun(server, journal, 100, link.port) for _ in range(3)]
        said_by = [process.communicate()[0].strip() for process in processes]
        assert max(arrived(server).values()) == 1
        assert len(server.taken) == 100
        assert "{'accepted': 100}" in said_by
        for words in said_by:
            assert words == "{'accepted': 100}" or "is in use: another batch is being sent with it." in words


def test_a_second_batch_of_this_process_is_refused_while_the_first_goes_on(tmp_path: Path) -> None:
    with using(tmp_path / "x"), pytest.raises(JournalError, match="is in use"), using(tmp_path / "x"):
        pass
    with using(tmp_path / "x"):
        pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_neither_lets_the_lock_go_nor_rolls_anything_back(tmp_path: Path) -> None:
    path = tmp_path / "x"
    stop = threading.Event()
    with using(path) as held:

        def write() -> None:
            number = 0
            while not stop.is_set():
                held.intend(Intent(f"{number}", "<x@y>", ["ana@example.test"]))
                number += 1

        thread = threading.Thread(target=write)
        thread.start()

        def work() -> None:
            held.close()
            with pytest.raises(JournalError, match="is in use"), using(path):
                pass

        assert ended(*[child(work) for _ in range(10)]) == [0] * 10
        stop.set()
        thread.join()
        with pytest.raises(JournalError, match="is in use"), using(path):
            pass
        count = len(held.every())
    with using(path) as again:
        assert len(again.every()) == count > 0


@pytest.mark.parametrize("direction", ["to_server", "to_client"])
def test_after_cuts_a_second_batch_sends_what_is_missing_and_nothing_else(direction: str, tmp_path: Path) -> None:
    for number, offset in enumerate((300, 900, 1700, 2500)):
        journal = tmp_path / f"{number}"
        with CountingServer() as server:
            cut: Any = {direction: Cut(after=offset)}
            with Relay(server.port, **cut) as link:
                try:
                    first = send_many(to(link.port), keyed(10), journal=journal, connections=2)
                except mailconn.OpenError as error:
                    first = error.report  # type: ignore[attr-defined]
            judge(first, server)
            second = send_many(to(server.port), keyed(10), journal=journal)
            judge(second, server)
            assert second.counts.keys() <= {"accepted", "unknown"}


# The file


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.skipif(os.name == "nt", reason="Windows' modes say nothing of other users")
def test_a_journal_is_its_owners_alone_whatever_the_umask() -> None:
    before = os.umask(0)
    try:
        with CountingServer() as server:
            send_many(to(server.port), names("ana"), journal="Ключ / 47".replace("/", "-"))
    finally:
        os.umask(before)
    folder = Path(os.environ["JUPYTER_DATA_DIR"], "mailconn", "journals")
    assert mode(folder) == 0o700
    assert {mode(path) for path in folder.iterdir()} == {0o600}


@pytest.mark.skipif(os.name == "nt", reason="Windows' modes say nothing of other users")
def test_a_file_that_others_can_read_or_that_is_somebody_elses_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with using(path):
        pass
    path.chmod(0o644)
    with pytest.raises(JournalError, match="is not yours alone") as caught, using(path):
        pass
    assert caught.value.hint.startswith("Run: chmod 600 ")
    path.chmod(0o600)
    if is_root():
        os.chown(path, 12345, -1)
        with pytest.raises(JournalError, match="is not yours alone"), using(path):
            pass


def test_what_is_no_journal_is_left_as_it_is(tmp_path: Path) -> None:
    text, other, cut = tmp_path / "text", tmp_path / "other", tmp_path / "cut"
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "fifo", 0o600)
        with pytest.raises(JournalError, match="it is not a file"), using(tmp_path / "fifo"):
            pass
    text.write_bytes(b"a,b\n" * 1000)
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE mine (x)")
    database.close()
    with using(cut) as journal:
        journal.intend(Intent("k", "<x@y>", ["ana@example.test"]))
    whole = cut.read_bytes()
    cut.write_bytes(whole[:4096] + b"\0" * (len(whole) - 4096))
    for path in (text, other, cut):
        path.chmod(0o600)
        before = path.read_bytes()
        with pytest.raises(JournalError, match="cannot be used") as caught, using(path) as journal:
            journal.known("k")
        assert "left unchanged" in caught.value.hint
        assert path.read_bytes() == before


def test_a_place_that_cannot_be_written_to_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    with CountingServer() as server:
        for path in (tmp_path, tmp_path / "missing" / "x"):
            with pytest.raises(JournalError, match="cannot be used"):
                send_many(to(server.port), names("ana"), journal=path)
        data = Path(os.environ["JUPYTER_DATA_DIR"])
        data.parent.mkdir(exist_ok=True)
        data.write_text("a file")
        with pytest.raises(StoreError, match="cannot be written to"):
            send_many(to(server.port), names("ana"), journal="x")
        assert server.taken == []


def test_a_journal_that_another_program_has_locked_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "_LOCK_SECONDS", 0.05)
    path = tmp_path / "x"
    with using(path):
        pass
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("BEGIN EXCLUSIVE")
    with pytest.raises(JournalError, match="another program has locked it"), using(path) as journal:
        journal.known("k")
    database.close()


def full_after(monkeypatch: pytest.MonkeyPatch, pages: int) -> None:
    """Let SQLite find the disk full when the file has so many pages."""
    original = Journal.__init__

    def limited(self: Journal, path: Path, **options: Any) -> None:
        original(self, path, **options)
        self._db.execute(f"PRAGMA max_page_count = {pages}")

    monkeypatch.setattr(Journal, "__init__", limited)


def test_a_full_disk_ends_the_batch_with_an_error_that_has_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x"
    with CountingServer() as server:
        with monkeypatch.context() as patch:
            full_after(patch, 7)
            with pytest.raises(JournalError, match="database or disk is full") as caught:
                send_many(to(server.port), list(keyed(300)), journal=path, connections=1)
        report = caught.value.report
        judge(report, server)
        assert len(report.deliveries) == 300
        assert 0 < report.counts["accepted"] < 300
        # Nothing is lost: what was written is there, and what was sent without a word of it is in doubt.
        second = send_many(to(server.port), keyed(300), journal=path)
        judge(second, server)
        assert second.counts["accepted"] >= 298


@pytest.mark.skipif(shutil.which("unshare") is None or os.name == "nt", reason="no mount namespaces here")
def test_a_real_full_disk_is_told(own_config: Path) -> None:
    script = """if True:
        import sys
        import mailconn_jupyter as mailconn
        from tests.support.batch_process import keyed
        from tests.support.batches import to
        try:
            mailconn.send_many(to(int(sys.argv[1])), keyed(3000), journal="/mnt/x", connections=1)
        except mailconn.JournalError as error:
            print(error.message, error.report.counts)
    """
    probe = ["unshare", "--mount", "sh", "-c", "mount -t tmpfs none /mnt"]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("no mounts here")
    with CountingServer() as server:
        mount = 'mount -t tmpfs -o size=128k none /mnt; exec "$0" "$@"'
        command = ["unshare", "--mount", "sh", "-c", mount, sys.executable, "-c", script, str(server.port)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        accepted = re.search(r"The journal /mnt/x cannot be used: .*full.* \{.*'accepted': (\d+)", done.stdout)
        assert accepted is not None, done.stdout + done.stderr
        assert int(accepted[1]) == len(server.taken) > 0


# Looking at it


def test_the_journals_are_listed_and_shown(shell: Shell, tmp_path: Path) -> None:
    assert "There is no journal." in shell.ok("%mailconn journal").text
    with Moody() as server:
        send_many(to(server.port), names("ana", "gone1"), journal="churn-47")
        send_many(to(server.port), names("ana"), journal=tmp_path / "elsewhere")
    listed = shell.ok("%mailconn journal")
    assert re.search(r"churn-47 +2 +1 accepted, 1 refused +20\d\d-", listed.text)
    shown = shell.ok("%mailconn journal churn-47")
    assert "Journal 'churn-47', 2 recipients: 1 accepted, 1 refused" in shown.text
    assert "gone1@example.test" in shown.text
    assert "ana@example.test" not in shown.text
    assert "<th" in shown.html
    accepted = shell.ok(f"%mailconn journal {tmp_path / 'elsewhere'}")
    assert "Journal" in accepted.text
    assert "1 recipient: 1 accepted" in accepted.html
    assert "There is no journal 'churn47'. Did you mean 'churn-47'?" in shell.fails("%mailconn journal churn47")


def test_a_journal_that_cannot_be_read_is_named_beside_the_others(shell: Shell) -> None:
    with CountingServer() as server:
        send_many(to(server.port), names("ana"), journal="good")
    path = journal_path("bad")
    path.write_bytes(b"nothing of the kind" * 500)
    listed = shell.ok("%mailconn journal")
    assert "good" in listed.text
    assert "cannot be used" in listed.text


def test_what_is_in_doubt_is_shown_with_what_to_do(shell: Shell) -> None:
    with using("x") as journal:
        journal.intend(Intent("k", "<x@y>", ["ana@example.test"]))
    shown = shell.ok("%mailconn journal x")
    assert re.search(r"k +ana@example\.test +unknown", shown.text)
    assert 'again="unknown"' in shown.text


def test_the_keys_and_addresses_of_a_journal_are_shown_as_text(shell: Shell) -> None:
    with using("x") as journal:
        journal.intend(Intent("<script>", "<x@y>", ["<b>@example.test"]))
    assert "<script>" not in shell.ok("%mailconn journal x").html.replace("&lt;", "")


def test_a_generator_is_read_no_further_than_a_few_messages_ahead() -> None:
    made: list[int] = []

    def making() -> Iterator[tuple[str, EmailMessage]]:
        for number, pair in enumerate(keyed(100)):
            made.append(number)
            assert number - len(server.taken) < 30
            yield pair

    with CountingServer() as server:
        assert send_many(to(server.port), making(), journal="x")
        assert len(made) == 100
