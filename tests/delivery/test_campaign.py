"""A campaign: what it takes along, what a part says of its rows, and that whoever sends it sends nothing twice."""

from __future__ import annotations

import email
import json
import pickle
import re
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import polars as pl
import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter import Campaign, CampaignStopped, JournalError, MailConnection, connections
from mailconn_jupyter.delivery.journals import journal as file_journal, places
from mailconn_jupyter.delivery.journals.journal import Journal, using
from mailconn_jupyter.delivery.journals.journal_base import Intent, Known
from mailconn_jupyter.delivery.many import asked
from mailconn_jupyter.delivery.many.backlog import Backlog
from mailconn_jupyter.delivery.many.claims import Claims
from mailconn_jupyter.delivery.many.entry import Entry
from mailconn_jupyter.discovery.sending_limits import SendingLimits
from mailconn_jupyter.errors import CredentialError, MailConnWarning, MessageError, OpenError, OptionError
from mailconn_jupyter.message.mime.wire_format import Wire
from mailconn_jupyter.session.smtp.envelope import Envelope
from tests.servers import Certificates, Postfix
from tests.servers.counting import CountingServer, Moody
from tests.servers.dovecot import USERS
from tests.servers.relay import Drop, Relay
from tests.servers.require import require, require_packages
from tests.support.batches import arrived, to
from tests.support.campaigns import campaign_to, customers
from tests.support.isolation import give_password


def said(frame: pd.DataFrame) -> dict[str, str]:
    """The outcomes by key."""
    return dict(zip(frame["key"], frame["outcome"], strict=True))


# What it is


def test_a_campaign_is_small_and_goes_to_a_worker_with_its_options_and_no_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    give_password("ops", "hunter2-typed")
    monkeypatch.setenv("MAILCONN_OPS_PASSWORD", "hunter2-environment")
    monkeypatch.setenv("MAIL_HOST", "mail.example.org")
    ops = to(25, server_host="${MAIL_HOST}", use_authentication=True, username="ana@example.org")
    packed = pickle.dumps(campaign_to(ops, str(tmp_path / "j"), rate="30/min"))
    assert len(packed) < 3000
    assert b"hunter2" not in packed
    # A worker has a value of its own.
    assert b"mail.example.org" not in packed
    copy = pickle.loads(packed)
    assert copy._connection == ops
    assert "hunter2" not in repr(copy)
    assert str(copy) == f"Campaign('spring', 'ops', rate='30/min'): journal {tmp_path / 'j'}"
    assert copy.__dask_tokenize__() == pickle.loads(packed).__dask_tokenize__()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": " "}, "A campaign needs a name"),
        ({"key": None}, "has no key"),
        ({"rate": "30"}, "Not a rate"),
        ({"again": "accepted"}, "cannot be sent again"),
        ({"connections": 0}, "connections must be a whole number, from 1 to 100"),
        ({"subject": "{{ id"}, "template"),
        ({"journal": 3}, "Not a journal"),
    ],
)
def test_what_is_wrong_with_a_campaign_is_told_where_it_is_made(options: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {
        "name": "spring",
        "target": to(25),
        "to": "email",
        "subject": "x",
        "content": "y",
        "key": "id",
    } | options
    with pytest.raises((OptionError, MessageError), match=message):
        Campaign(given.pop("name"), given.pop("target"), **given)


def test_a_session_or_what_does_not_send_over_smtp_is_no_target_of_a_campaign() -> None:
    box = MailConnection(name="box", protocol="MBOX", server_host="/tmp/box")
    with pytest.raises(mailconn.MailConnError):
        Campaign("spring", box, to="email", subject="x", content="y", key="id")
    with (
        CountingServer() as server,
        mailconn.connect_smtp(to(server.port)) as session,
        pytest.raises(OptionError, match="A session cannot be sent to a worker"),
    ):
        Campaign("spring", session, to="email", subject="x", content="y", key="id")  # type: ignore[arg-type]


# Here


def test_all_rows_are_sent_here_and_the_second_time_none(capsys: pytest.CaptureFixture[str]) -> None:
    with CountingServer() as server:
        campaign = campaign_to(server.port)
        report = campaign.send(customers(20))
        assert report.counts == {"accepted": 20}
        assert campaign.send(customers(20)).counts == {"accepted": 20}
        # Another campaign of that name has the same journal.
        assert campaign_to(server.port).send(customers(21)).counts == {"accepted": 21}
        assert max(arrived(server).values()) == 1
        assert len(server.taken) == 21
    frame = campaign.outcomes()
    assert set(frame["outcome"]) == {"accepted"}
    assert frame["at"].notna().all()
    assert len(frame) == 21


def test_what_is_wrong_with_a_row_is_raised_here_before_anything_is_sent() -> None:
    rows = customers(5)
    rows.loc[3, "email"] = "nobody"
    with CountingServer() as server:
        with pytest.raises(mailconn.MergeError, match="row 3"):
            campaign_to(server.port).send(rows)
        assert server.taken == []


def test_a_message_can_be_looked_at_before() -> None:
    letters = campaign_to(25).letters(customers(3))
    assert letters[1]["Subject"] == "number 1"
    assert letters[1].key == "customer 1"


# A part


def test_a_part_has_a_row_for_each_recipient_and_the_reason_where_there_is_no_message() -> None:
    rows = customers(4)
    rows["email"] = ["ana@example.test, bea@example.test", "nobody", "gone1@example.test", "carl@example.test"]
    rows.loc[3, "id"] = ""
    with Moody() as server:
        campaign = campaign_to(server.port)
        frame = campaign.send_part(rows)
        assert list(frame["recipient"]) == ["ana@example.test", "bea@example.test", "", "gone1@example.test", ""]
        assert list(frame["outcome"]) == ["accepted", "accepted", "not sent", "refused", "not sent"]
        assert list(frame["key"]) == ["customer 0", "customer 0", "customer 1", "customer 2", ""]
        assert frame["code"].tolist()[3] == 550
        assert "nobody" in frame["words"][2]
        assert "The key is empty" in frame["words"][4]
        assert frame.dtypes.to_dict() == campaign.meta.dtypes.to_dict()
        again = campaign.send_part(rows)
        assert list(again["outcome"]) == list(frame["outcome"])
        assert list(again["tries"]) == [0] * 5
        assert len(server.taken) == 1


@pytest.mark.parametrize("table", [pd.DataFrame, pl.DataFrame, lambda rows: pd.DataFrame(rows).to_dict("records")])
def test_a_part_is_a_table_of_whatever_library(table: Any) -> None:
    rows = customers(3).to_dict("list")
    with CountingServer() as server:
        assert said(campaign_to(server.port).send_part(table(rows))) == {f"customer {n}": "accepted" for n in range(3)}


def test_an_empty_part_opens_nothing_and_has_the_columns() -> None:
    campaign = campaign_to(1)
    frame = campaign.send_part(customers(0))
    assert list(frame.columns) == list(campaign.meta.columns)
    assert len(frame) == 0
    assert [name.split()[0] for name in campaign.schema.split(", ")] == list(frame.columns)


def test_one_part_after_the_other_gives_one_table_after_the_other() -> None:
    rows = customers(7)
    with CountingServer() as server:
        frames = list(campaign_to(server.port).send_batches([rows[:3], rows[3:]]))
        assert [len(frame) for frame in frames] == [3, 4]
        assert len(server.taken) == 7


def test_a_key_counts_in_whatever_part_or_place_it_comes() -> None:
    rows = pd.concat([customers(3), customers(3), customers(2)], ignore_index=True)
    with CountingServer() as server:
        campaign = campaign_to(server.port)
        frame = campaign.send_part(rows)
        assert list(frame["outcome"]) == ["accepted"] * 8
        campaign.send_part(customers(5)[::-1])
        assert sorted(arrived(server)) == [(number, f"user{number}@example.test") for number in range(5)]
        assert max(arrived(server).values()) == 1


def test_a_new_recipient_of_a_key_gets_it_and_the_others_not_again() -> None:
    with CountingServer() as server:
        campaign = campaign_to(server.port)
        campaign.send_part(customers(1))
        more = customers(1).assign(email="user0@example.test, new@example.test")
        frame = campaign.send_part(more)
        assert dict(zip(frame["recipient"], frame["tries"], strict=True)) == {
            "user0@example.test": 0,
            "new@example.test": 1,
        }
        assert [taken.recipients for taken in server.taken] == [("user0@example.test",), ("new@example.test",)]
        ids = {email.message_from_bytes(taken.content)["Message-ID"] for taken in server.taken}
        assert len(ids) == 1


def test_names_in_cyrillic_and_a_folder_of_that_name_are_as_good(tmp_path: Path) -> None:
    rows = customers(2).assign(id=["Ключ", "k'); DROP TABLE deliveries; --"])
    with CountingServer() as server:
        campaign = campaign_to(server.port, str(tmp_path / "джурнал"), name="весна")
        assert set(campaign.send_part(rows)["outcome"]) == {"accepted"}
        assert set(campaign.outcomes()["key"]) == set(rows["id"])


# At once


def test_parts_that_are_sent_by_several_at_the_same_time_are_sent_once() -> None:
    rows = customers(60)
    with CountingServer() as server:
        campaign = pickle.dumps(campaign_to(server.port))
        with ThreadPoolExecutor(4) as pool:
            frames = list(pool.map(lambda _: pickle.loads(campaign).send_part(rows), range(4)))
        assert set(arrived(server).values()) == {1}
        assert len(arrived(server)) == 60
        for frame in frames:
            assert set(frame["key"]) == set(rows["id"])
            assert set(frame["outcome"]) <= {"accepted", "unknown"}
        assert set(said(campaign_to(server.port).send_part(rows)).values()) == {"accepted"}


def test_what_another_has_begun_or_sent_meanwhile_is_left_to_it(tmp_path: Path) -> None:
    with using(tmp_path / "j", shared=True) as one, using(tmp_path / "j", shared=True) as another:
        names = ["ana@example.test", "bea@example.test"]
        assert one.intend(Intent("a", "<a@x>", names)) == {}
        lost = another.intend(Intent("a", "<a@x>", [*names, "carl@example.test"]), Intent("b", "<b@x>", names[:1]))
        assert {key: set(found) for key, found in lost.items()} == {"a": set(names)}
        one.settle("a", "<a@x>", {names[0]: ("accepted", 250, "ok"), names[1]: ("refused", 450, "grey")})
        one.flush()
        # What was refused for the moment anybody may try; then it is theirs.
        assert set(another.intend(Intent("a", "<a@x>", names))["a"]) == {names[0]}
        assert set(one.intend(Intent("a", "<a@x>", names[1:]))["a"]) == {names[1]}
        another.settle("a", "<a@x>", {names[1]: ("accepted", 250, "ok")})
        another.flush()
        # Whoever comes late does not write over it.
        one.settle("a", "<a@x>", {names[1]: ("refused", 550, "no")})
        one.flush()
        assert {row.outcome for row in one.every() if row.recipient in names and row.key == "a"} == {"accepted"}


def test_a_batch_that_uses_a_journal_alone_and_those_that_share_it_keep_apart(tmp_path: Path) -> None:
    with using(tmp_path / "j", shared=True), pytest.raises(JournalError, match="is in use"), using(tmp_path / "j"):
        pass
    with using(tmp_path / "j"), pytest.raises(JournalError, match="is in use"), using(tmp_path / "j", shared=True):
        pass


def test_what_is_unknown_is_sent_again_by_another_run_that_asks_for_it_and_by_none_of_this_one() -> None:
    with CountingServer() as server:
        silent = Drop(after=b"354 End data with <CR><LF>.<CR><LF>\r\n")
        with Relay(server.port, to_client=silent) as link:
            first = campaign_to(to(link.port, timeout=0.3, deadline=1), again="unknown")
            assert said(first.send_part(customers(1))) == {"customer 0": "unknown"}
        copy = pickle.loads(pickle.dumps(first))
        copy._connection = to(server.port)
        assert said(copy.send_part(customers(1))) == {"customer 0": "unknown"}
        assert said(campaign_to(server.port).send_part(customers(1))) == {"customer 0": "unknown"}
        # It had arrived, which only the server knows.
        assert len(server.taken) == 1
        frame = campaign_to(server.port, again="unknown").send_part(customers(1))
        assert said(frame) == {"customer 0": "accepted"}
        assert len(server.taken) == 2


def test_a_journal_of_the_time_before_campaigns_is_taken_up(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.touch(0o600)
    old = sqlite3.connect(path)
    old.executescript(
        "PRAGMA application_id = 0x6D636A31; CREATE TABLE journal (id TEXT NOT NULL);"
        "CREATE TABLE deliveries (key TEXT NOT NULL, recipient TEXT NOT NULL, message_id TEXT NOT NULL, outcome TEXT NOT NULL,"
        "code INTEGER NOT NULL, words TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (key, recipient)) WITHOUT ROWID;"
        "INSERT INTO journal VALUES ('abc');"
        "INSERT INTO deliveries VALUES ('customer 0', 'user0@example.test', '<a@x>', 'accepted', 250, 'ok', '2026-01-01T00:00:00');"
    )
    old.close()
    with CountingServer() as server:
        assert set(campaign_to(server.port, str(path)).send_part(customers(2))["outcome"]) == {"accepted"}
        assert len(server.taken) == 1
    with using(path) as journal:
        assert journal.id == "abc"


# The intents of several messages in one transaction


class Slow(Journal):
    """Takes its time for a transaction, and counts them."""

    transactions = 0

    def _transact(self, noted: Any, wanted: Any) -> list[Known]:
        type(self).transactions += bool(wanted)
        time.sleep(0.02)
        return super()._transact(noted, wanted)


def queued(backlog: Backlog, count: int) -> list[Entry]:
    envelopes = [Envelope.of("a@example.test", [f"u{number}@example.test"]) for number in range(count)]
    entries = [
        Entry(number, str(number), "<x@y>", "", envelope, Wire(b"", international=False))
        for number, envelope in enumerate(envelopes)
    ]
    for entry in entries:
        assert backlog.put(entry, bool)
    return entries


def test_intents_go_to_the_disk_in_groups_where_that_takes_the_time_and_before_anything_is_sent(tmp_path: Path) -> None:
    (tmp_path / "j").touch(0o600)
    journal, backlog = Slow(tmp_path / "j"), Backlog(100)
    entries = queued(backlog, 100)
    claims = Claims(journal, backlog, most_ahead=64)
    for entry in entries:
        assert backlog.take() is entry
        assert claims.of(entry) == {}
        assert entry.key in {row.key for row in journal.every()}
    assert Slow.transactions <= 10
    journal.close()


def test_what_was_claimed_with_another_is_claimed_once_and_not_again_while_it_is_sent(tmp_path: Path) -> None:
    (tmp_path / "j").touch(0o600)
    journal, backlog = Slow(tmp_path / "j"), Backlog(100)
    first, second, third = queued(backlog, 3)
    claims = Claims(journal, backlog, most_ahead=64)
    claims._ahead = 1
    assert [backlog.take(), backlog.take()] == [first, second]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(claims.of, (first, second)))
    for entry in (first, second):
        journal.settle(entry.key, entry.message_id, dict.fromkeys(entry.recipients, ("accepted", 250, "ok")))
    assert backlog.take() is third
    claims.of(third)
    journal.flush()
    assert [row.outcome for row in journal.every() if row.key in {"0", "1"}] == ["accepted", "accepted"]
    journal.close()


def test_what_was_claimed_and_not_sent_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailconn_jupyter.delivery.many.claims._PART", 1e9)

    def stop(progress: Any) -> None:
        if progress.done > 5:
            raise KeyboardInterrupt

    with CountingServer() as server, Relay(server.port, round_trip=0.01) as link:
        monkeypatch.setattr("mailconn_jupyter.delivery.many.advance._PAUSE", 0.0)
        report = campaign_to(link.port).send(customers(200), on_progress=stop)
        assert report.stopped
        sent = len(server.taken)
        assert sent < 200
        frame = campaign_to(server.port).outcomes()
        assert Counter(frame["outcome"])["accepted"] == sent
        assert set(frame["outcome"]) <= {"accepted", "not sent"}
        assert set(campaign_to(server.port).send_part(customers(200))["outcome"]) == {"accepted"}
        assert set(arrived(server).values()) == {1}
        assert len(arrived(server)) == 200


# In a worker


def in_a_worker(campaign: Campaign, code: str = "", **environment: str) -> str:
    """What it prints when two rows are sent in a process of its own, which has nothing but the environment."""
    whole = (
        "import pickle, sys\n"
        f"campaign = pickle.loads(bytes.fromhex({pickle.dumps(campaign).hex()!r}))\n"
        "from tests.support.campaigns import customers\n"
        f"{code}\n"
        "try:\n"
        "    print(list(campaign.send_part(customers(2))['outcome']))\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, pickle.loads(pickle.dumps(error)))\n"
    )
    import os  # noqa: PLC0415  # as it is now

    done = subprocess.run(
        [sys.executable, "-c", whole],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env=os.environ | {"JUPYTER_CONFIG_DIR": "/nowhere"} | environment,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def with_login(postfix: Postfix, certificates: Certificates) -> MailConnection:
    return MailConnection(
        name="ops",
        server_host="localhost",
        server_port=postfix.submission,
        ca_file=str(certificates.ca.pem),
        username="alice",
        from_address="alice@example.test",
    )


def test_a_worker_finds_the_password_by_the_environment_and_says_how_where_it_does_not(
    postfix: Postfix, certificates: Certificates, tmp_path: Path
) -> None:
    ops = with_login(postfix, certificates)
    give_password("ops", "typed here")
    campaign = campaign_to(ops, str(tmp_path / "j"), to="{{ number }}@sink.test")
    missing = in_a_worker(campaign)
    assert "No password is kept for 'ops'." in missing
    assert "set MAILCONN_OPS_PASSWORD (or MAILCONN_OPS_PASSWORD_FILE)" in missing
    assert in_a_worker(campaign, MAILCONN_OPS_PASSWORD=USERS["alice"]) == "['accepted', 'accepted']"


def test_a_password_command_goes_along_where_it_would_be_run_here(
    postfix: Postfix, certificates: Certificates, tmp_path: Path
) -> None:
    command = tmp_path / "password"
    command.write_text(f"#!/bin/sh\necho {USERS['alice']}\n", encoding="utf-8")
    command.chmod(0o700)
    given = with_login(postfix, certificates).copy(password_command=str(command))
    unsaved = campaign_to(given, str(tmp_path / "j"), to="{{ number }}@sink.test")
    assert "its password_command is not run, for it is not saved" in in_a_worker(unsaved)
    connections.save(given)
    assert (
        in_a_worker(campaign_to("ops", str(tmp_path / "j"), to="{{ number }}@sink.test")) == "['accepted', 'accepted']"
    )


def test_a_file_is_no_journal_for_a_worker_on_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with CountingServer() as server:
        campaign = pickle.dumps(campaign_to(server.port))
        monkeypatch.setattr(places, "_this_machine", lambda: ("node-7", "another start"))
        with pytest.raises(JournalError, match=r"is a file on .*, and this is node-7") as caught:
            pickle.loads(campaign).send_part(customers(2))
        assert "a database that all of them reach" in caught.value.hint
        assert server.taken == []


def test_a_part_that_cannot_go_on_raises_and_goes_on_where_it_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailconn_jupyter.delivery.many.courier._PAUSES", (0.0, 0.01))
    with CountingServer() as server:
        with ThreadPoolExecutor(1) as pool, Relay(server.port, round_trip=0.02) as link:
            campaign = campaign_to(to(link.port, timeout=2, deadline=2))
            part = pool.submit(campaign.send_part, customers(500))
            while len(server.taken) < 20 and not part.done():
                time.sleep(0.001)
        with pytest.raises(
            CampaignStopped, match="The campaign 'spring' stopped in the middle of a part: No connection could be kept"
        ) as caught:
            part.result()
        copy = pickle.loads(pickle.dumps(caught.value))
        assert str(copy) == str(caught.value)
        assert copy.report.counts == caught.value.report.counts  # type: ignore[union-attr]  # it has one
        whole = campaign_to(server.port).send_part(customers(100))
        assert set(whole["outcome"]) <= {"accepted", "unknown"}
        assert set(arrived(server).values()) == {1}
        gone = campaign_to(to(link.port, timeout=2, deadline=2))
    with pytest.raises(OpenError):
        gone.send_part(customers(501))


@pytest.mark.parametrize(
    "error",
    [
        OpenError("No.", stage="connect", cause="refused", hint="Look."),
        CredentialError("None.", hint="Give one."),
        OptionError("Bad.", trait="rate", hint="Mend it."),
        CampaignStopped("Stopped.", hint="Again."),
    ],
)
def test_an_error_comes_back_from_a_worker_as_it_was(error: mailconn.MailConnError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert (str(copy), vars(copy)) == (str(error), vars(error))


# Pace and plan


def test_all_who_send_by_a_journal_have_one_pace(tmp_path: Path) -> None:
    with CountingServer() as server:
        campaign = pickle.dumps(campaign_to(server.port, str(tmp_path / "j"), rate="40/s"))
        rows = customers(120)
        started = time.monotonic()
        with ThreadPoolExecutor(4) as pool:
            parts = [rows[start : start + 30] for start in range(0, 120, 30)]
            list(pool.map(lambda part: pickle.loads(campaign).send_part(part), parts))
        # It may be slower where the machine is; faster than it says it is never.
        assert time.monotonic() - started >= 119 / 40
        assert len(server.taken) == 120


def test_turns_are_by_the_machines_clock_and_begin_anew_with_its_next_start(tmp_path: Path) -> None:
    with using(tmp_path / "j", shared=True) as one, using(tmp_path / "j", shared=True) as another:
        assert one.turns(2, 10.0) == 0.0
        assert another.turns(1, 10.0) == pytest.approx(20.0, abs=1.0)
        assert one.turns(1, 10.0) == pytest.approx(30.0, abs=1.0)
    changed = sqlite3.connect(tmp_path / "j")
    changed.execute("UPDATE pace SET booted = booted - 86400")
    changed.commit()
    changed.close()
    with using(tmp_path / "j", shared=True) as one:
        assert one.turns(1, 10.0) == 0.0


def test_a_plan_says_how_many_at_which_rate_until_when_and_what_is_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    with CountingServer() as server:
        campaign = campaign_to(server.port, rate="30/min")
        said = r"4,000 messages at 30 messages a minute: about 2 h 13 min, until (\d{4}-\d\d-\d\d )?\d\d:\d\d\."
        assert re.fullmatch(said, str(campaign.plan(4000)))
        assert str(campaign_to(server.port).plan(customers(1))) == "1 message, as fast as the server takes them."
        assert (
            str(campaign_to(server.port).plan(iter(())))
            == "However many messages come, as fast as the server takes them."
        )
        campaign_to(server.port).send_part(customers(3))
        assert "2 messages at" in str(campaign.plan(5))
        assert "(3 more were sent before)" in str(campaign.plan(5))
        gmail = SendingLimits("Gmail", messages_a_day=500)
        monkeypatch.setattr(asked, "limits_of", lambda _host, _user: gmail)
        with pytest.warns(
            MailConnWarning, match="Gmail takes 500 messages a day from one mailbox, and these are 4,000"
        ):
            campaign_to(server.port, name="other").plan(4000)
        # Spread over days it is not.
        campaign_to(server.port, name="other", rate="500/day").plan(4000)
        microsoft = SendingLimits("Microsoft 365", connections=3, a_minute=30, recipients_a_day=10_000)
        monkeypatch.setattr(asked, "limits_of", lambda _host, _user: microsoft)
        with pytest.warns(MailConnWarning, match="takes mail to 10,000 recipients a day"):
            plan = campaign_to(server.port, name="other").plan(20_000)
        assert "at 30 messages a minute, the limit of Microsoft 365" in str(plan)


class Asked(Journal):
    """Counts the questions for what it has."""

    questions = 0

    def _rows(self, keys: Sequence[str]) -> list[Known]:
        type(self).questions += 1
        return super()._rows(keys)


def test_a_journal_that_is_shared_is_asked_once_for_a_hundred_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_journal, "Journal", Asked)
    with CountingServer() as server:
        assert campaign_to(server.port).send(customers(250), on_progress=False).ok
        assert Asked.questions == 3
        report = campaign_to(server.port).send(customers(300), on_progress=False)
        assert Asked.questions == 6
        assert [row.index for row in report.deliveries if row.tries] == list(range(250, 300))
        assert len(arrived(server)) == 300


# Processes of Dask


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_dask_sends_4000_rows_once_though_a_worker_is_killed_and_the_frame_is_counted_twice(tmp_path: Path) -> None:
    import os  # noqa: PLC0415  # where there is a kill
    import signal  # noqa: PLC0415  # the same

    require_packages("dask", "distributed")
    with CountingServer() as server:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.dask_campaign", str(server.port), str(tmp_path / "j"), "4000"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        assert process.stdout is not None
        workers = json.loads(process.stdout.readline())
        while len(server.taken) < 500 and process.poll() is None:
            time.sleep(0.01)
        os.kill(workers[0], signal.SIGKILL)
        out, err = process.communicate()
        assert process.returncode == 0, err
        said = json.loads(out)
        there = arrived(server)
    assert set(there.values()) == {1}
    assert said["keys"] == 4000
    assert sum(said["first"].values()) == sum(said["again"].values()) == 4000
    assert said["again"] == said["journal"]
    assert said["again"].keys() <= {"accepted", "unknown"}
    assert said["again"]["accepted"] <= len(there)
    # What one worker had in hand.
    assert said["again"].get("unknown", 0) <= 20


# Spark


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_spark_sends_4000_rows_once_though_a_worker_is_killed_and_the_frame_is_counted_three_times(
    tmp_path: Path,
) -> None:
    require_packages("pyspark")
    require("java")
    doomed = tmp_path / "doomed"
    with CountingServer() as server:
        command = [
            sys.executable,
            "-m",
            "tests.support.spark_campaign",
            str(server.port),
            str(tmp_path / "j"),
            "4000",
            str(doomed),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout.splitlines()[-1])
        there = arrived(server)
    assert doomed.exists()
    assert set(there.values()) == {1}
    assert said["first"] == said["keys"] == 4000
    assert said["again"] == said["journal"]
    assert sum(said["again"].values()) == 4000
    assert said["again"].keys() <= {"accepted", "unknown"}
    assert said["again"]["accepted"] <= len(there)
    assert said["again"].get("unknown", 0) <= 20


def test_processes_of_joblib_send_their_parts_once(tmp_path: Path) -> None:
    with CountingServer() as server:
        campaign, rows = campaign_to(server.port, str(tmp_path / "j")), customers(60)
        parts = [rows[start : start + 20] for start in (0, 20, 40, 40, 20)]
        frames = joblib.Parallel(2)(joblib.delayed(campaign.send_part)(part) for part in parts)
        assert len(pd.concat(frames)) == 100
        assert set(arrived(server).values()) == {1}
        assert len(arrived(server)) == 60
