"""What the form offers while somebody types: groups, people, earlier recipients, and files."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter.delivery.sent_log import recent_recipients
from mailconn_jupyter.delivery.sent_log.log_entry import Fate, LogEntry
from mailconn_jupyter.delivery.sent_log.log_file import LogFile
from mailconn_jupyter.delivery.sent_log.recent_recipients import RecentRecipients
from mailconn_jupyter.notebook.compose_page.offered import Offered, files
from mailconn_jupyter.store.people import Group, People

pytestmark = pytest.mark.usefixtures("own_config")


def sent(*addresses: str, subject: str = "x") -> None:
    entry = LogEntry(datetime.now(UTC), "ops", subject, "<1@x>", 1, {one: Fate("accepted") for one in addresses})
    LogFile().add([entry])


def offered(offer: Offered, typed: str) -> list[str]:
    return [text for text, _ in offer.recipients(typed)]


def test_groups_come_first_then_who_was_written_to_most_then_others() -> None:
    mailconn.people["anas"] = ["Ana Berg <ana.berg@example.org>", "anabel@example.org", "bea@example.org"]
    sent("anton@example.org", "ana.berg@example.org")
    sent("ana.berg@example.org")
    offer = Offered()
    assert offer.recipients("an") == [
        ("anas", "group, 3 addresses"),
        ("Ana Berg <ana.berg@example.org>", "written to before"),
        ("anton@example.org", "written to before"),
        ("anabel@example.org", ""),
    ]


def test_each_word_of_a_name_and_of_an_address_is_looked_for_without_regard_to_case() -> None:
    mailconn.people["x"] = ["Ana Größer <a.berg@example.org>"]
    offer = Offered()
    for typed in ("ana", "GRÖSSER", "größ", "berg", "ana g", "a.b", "A.BERG@EXAM", "example"):
        assert offered(offer, typed) == ["Ana Größer <a.berg@example.org>"], typed
    for typed in ("", " ", "rößer", "erg", "ana b", "@", "<"):
        assert offered(offer, typed) == [], typed


def test_who_is_written_to_and_who_comes_into_a_group_meanwhile_is_offered() -> None:
    offer = Offered()
    assert offered(offer, "cy") == []
    sent("cy@example.org")
    assert offered(offer, "cy") == ["cy@example.org"]
    mailconn.people["x"] = ["Cyd <cyd@example.org>"]
    assert offered(offer, "cy") == ["cy@example.org", "Cyd <cyd@example.org>"]
    LogFile().clear()
    assert offered(offer, "cy") == ["Cyd <cyd@example.org>"]


def test_of_a_long_log_the_end_is_read_and_after_that_what_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent_recipients, "_MOST_BYTES", 1500)
    for number in range(20):
        sent(f"user{number}@example.org")
    recent = RecentRecipients()
    counts = recent.counts()
    assert 5 < len(counts) < 15
    assert list(counts)[-1] == "user19@example.org"
    assert recent.counts() is counts
    sent("user19@example.org")
    assert recent.counts()["user19@example.org"] == 2
    # Half a line, as a crash leaves it, and one that goes on.
    with LogFile().path.open("ab") as file:
        file.write(b'{"when": "2026')
    assert recent.counts()["user19@example.org"] == 2
    sent("late@example.org")
    assert recent.counts()["late@example.org"] == 1


def test_as_long_as_nothing_is_added_the_counts_are_the_same_object() -> None:
    LogFile().path.parent.mkdir(parents=True)
    recent = RecentRecipients()
    for beginning in (b"", b'{"when": "2026'):
        LogFile().path.write_bytes(beginning)
        counts = recent.counts()
        assert recent.counts() is counts


@pytest.mark.skipif(os.name != "posix", reason="Windows has no FIFO of that kind")
def test_what_is_no_file_is_not_waited_for() -> None:
    path = LogFile().path
    path.parent.mkdir(parents=True)
    recent = RecentRecipients()
    os.mkfifo(path)
    assert recent.counts() == {}
    path.unlink()
    path.symlink_to("/dev/zero")
    assert recent.counts() == {}
    path.unlink()
    path.mkdir()
    assert recent.counts() == {}


def test_groups_are_read_once_however_many_there_are(own_config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = mailconn.people._path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"groups": {f"group{n}": [f"a{n}@example.org"] for n in range(50)}}), encoding="utf-8")
    asked: list[People] = []
    groups = People.groups

    def counted(self: People) -> dict[str, Group]:
        asked.append(self)
        return groups(self)

    monkeypatch.setattr(People, "groups", counted)
    offer = Offered()
    assert offer.recipients("group7") == [("group7", "group, 1 address")]
    assert len(asked) < 4


def test_a_file_of_groups_that_cannot_be_read_is_not_worked_on_at_each_letter() -> None:
    sent("ana@example.org")
    path = mailconn.people._path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{", encoding="utf-8")
    offer = Offered()
    assert offered(offer, "a") == ["ana@example.org"]
    before = offer._all
    assert offered(offer, "an") == ["ana@example.org"]
    assert offer._all is before


def test_files_and_folders_are_offered_as_they_are_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "out").mkdir()
    for name in ("out/a.csv", "out/.hidden", "over.txt", "b.csv"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert files("o") == [("out/", "folder"), ("over.txt", "")]
    assert files("out/") == [("out/a.csv", "")]
    assert files("out/.") == [("out/.hidden", "")]
    assert files(f"{tmp_path}/b") == [(f"{tmp_path}/b.csv", "")]
    monkeypatch.setenv("HOME", str(tmp_path))
    if os.name == "posix":
        assert files("~/b") == [("~/b.csv", "")]
    for typed in ("none/x", "\0", "~nobody-at-all/x", "x" * 5000):
        assert files(typed) == []
