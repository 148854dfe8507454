"""The journal of a campaign in PostgreSQL: for workers on any number of machines, each row once at most."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mailconn_jupyter import JournalError
from mailconn_jupyter.delivery.journals import places
from mailconn_jupyter.delivery.journals.journal_base import Intent
from mailconn_jupyter.errors import OptionError
from tests.servers.counting import CountingServer, Moody
from tests.servers.postgresql import PostgreSQL
from tests.servers.relay import Relay
from tests.servers.require import require_packages
from tests.support.batches import arrived
from tests.support.campaigns import campaign_to, customers

ROOT = Path(__file__).parents[2]


@pytest.fixture
def url(postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PGPASSWORD", postgresql.password)
    return postgresql.url


def process(campaign: Path, start: int, end: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.support.campaigns_at_once", str(campaign), str(start), str(end)]
    begun = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert begun.stdout is not None
    assert begun.stdout.readline() == "begun\n"
    return begun


def test_parts_are_sent_once_whoever_sends_them_and_the_journal_has_them_all(url: str) -> None:
    with Moody() as server:
        campaign = campaign_to(server.port, url, name="once")
        rows = customers(40)
        rows.loc[7, "email"] = "gone1@example.test"
        with ThreadPoolExecutor(3) as pool:
            frames = list(pool.map(lambda _: pickle.loads(pickle.dumps(campaign)).send_part(rows), range(3)))
        assert all(set(frame["key"]) == set(rows["id"]) for frame in frames)
        assert set(arrived(server).values()) == {1}
        assert len(arrived(server)) == 39
        again = campaign.send_part(rows)
        assert again["outcome"].value_counts().to_dict() == {"accepted": 39, "refused": 1}
        assert campaign.outcomes()["outcome"].value_counts().to_dict() == {"accepted": 39, "refused": 1}
        assert campaign.plan(rows).messages == 1
        assert campaign_to(server.port, url, name="another").plan(rows).messages == 40


def test_a_campaign_goes_to_another_machine_without_the_databases_password(
    url: str, postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    with CountingServer() as server:
        campaign = campaign_to(server.port, url, name="elsewhere")
        packed = pickle.dumps(campaign)
        assert postgresql.password.encode() not in packed
        monkeypatch.setattr(places, "_this_machine", lambda: ("node-7", "another start"))
        assert set(pickle.loads(packed).send_part(customers(2))["outcome"]) == {"accepted"}
        assert postgresql.password not in repr(campaign)
        monkeypatch.delenv("PGPASSWORD")
        with pytest.raises(JournalError, match="no password supplied") as caught:
            pickle.loads(packed).send_part(customers(3))
        assert "PGPASSWORD" in caught.value.hint
        assert len(server.taken) == 2


@pytest.mark.parametrize(
    "given",
    [
        "postgresql+psycopg://mail:hunter2@127.0.0.1/x",
        "postgresql+psycopg://127.0.0.1/x?password=hunter2",
        "mysql://mail@127.0.0.1/hunter2",
        "sqlite:///tmp/hunter2",
        "postgresql+asyncpg://mail@127.0.0.1/hunter2",
        "https://hunter2@example.org/",
        "postgresql://mail:hun/ter2@[/x",
    ],
)
def test_what_cannot_be_a_journal_for_all_machines_is_told_and_shows_no_password(given: str) -> None:
    with pytest.raises(OptionError) as caught:
        campaign_to(25, given)
    text = "".join(str(error) for error in (caught.value, caught.value.__cause__, caught.value.__context__))
    assert "hunter2" not in text
    assert caught.value.trait == "journal"


def test_what_another_has_begun_or_sent_meanwhile_is_left_to_it(url: str) -> None:
    place = places.place_of(url, "meanwhile")
    with place.opened(frozenset(), "run") as one, place.opened(frozenset(), "run") as another:
        names = ["ana@example.test", "bea@example.test"]
        assert one.intend(Intent("a", "<a@x>", names)) == {}
        assert one.intend(Intent("a", "<a@x>", names)) == {}
        lost = another.intend(Intent("a", "<a@x>", [*names, "carl@example.test"]), Intent("b", "<b@x>", names[:1]))
        assert {key: set(found) for key, found in lost.items()} == {"a": set(names)}
        one.settle("a", "<a@x>", {names[0]: ("accepted", 250, "ok\0"), names[1]: ("not sent", 0, "")})
        one.settle("a", "<a@x>", {names[1]: ("refused", 450, "grey")})
        one.flush()
        assert set(another.intend(Intent("a", "<a@x>", names))["a"]) == {names[0]}
        assert set(one.intend(Intent("a", "<a@x>", names[1:]))["a"]) == {names[1]}
        another.settle("a", "<a@x>", {names[1]: ("accepted", 250, "ok")})
        another.flush()
        one.settle("a", "<a@x>", {names[1]: ("refused", 550, "no")})
        one.flush()
        assert {row.outcome for row in one.every() if row.recipient in names and row.key == "a"} == {"accepted"}
        assert one.sent() == 1
        assert one.id == another.id


def test_two_who_want_the_same_messages_in_another_order_do_not_wait_for_each_other(url: str) -> None:
    place = places.place_of(url, "deadlock")
    intents = [Intent(f"{number}", "<x@y>", [f"u{number}@example.test"]) for number in range(200)]

    def take(order: int) -> int:
        with place.opened(frozenset(), "run") as journal:
            return 200 - len(journal.intend(*intents[::order]))

    for _ in range(3):
        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(take, (1, -1, 1, -1))) in {0, 200}


def test_links_to_the_database_that_are_lost_amid_a_part_are_opened_again(url: str, postgresql: PostgreSQL) -> None:
    with CountingServer() as server, Relay(server.port, round_trip=0.01) as link:
        campaign = campaign_to(link.port, url, name="restarted")
        with ThreadPoolExecutor(1) as pool:
            part = pool.submit(campaign.send_part, customers(150))
            for _ in range(5):
                time.sleep(0.2)
                postgresql.end_links()
            frame = part.result()
        assert set(frame["outcome"]) == {"accepted"}
        assert set(arrived(server).values()) == {1}
        assert len(arrived(server)) == 150


def test_a_database_that_cannot_be_reached_is_told_before_anything_is_sent(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailconn_jupyter.delivery.journals.database_journal._PAUSES", ())
    with CountingServer() as server:
        campaign = campaign_to(server.port, "postgresql+psycopg://mail@127.0.0.1:1/postgres")
        with pytest.raises(JournalError, match="The journal of the campaign 'spring' at postgresql"):
            campaign.send_part(customers(1))
        with pytest.raises(JournalError):
            campaign.plan(5)
        assert server.taken == []


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL there")
def test_workers_that_are_killed_leave_what_they_had_in_hand_unknown_and_nothing_twice(
    url: str, tmp_path: Path
) -> None:
    with CountingServer() as server:
        campaign = campaign_to(server.port, url, name="killed")
        packed = tmp_path / "campaign"
        packed.write_bytes(pickle.dumps(campaign))
        for taken in (50, 150):
            worker = process(packed, 0, 400)
            while len(server.taken) < taken and worker.poll() is None:
                time.sleep(0.001)
            worker.send_signal(signal.SIGKILL)
            worker.communicate()
        workers = [process(packed, 0, 400), process(packed, 0, 400)]
        for worker in workers:
            out, err = worker.communicate()
            assert worker.returncode == 0, err
            assert sum(json.loads(out).values()) == 400
        assert set(arrived(server).values()) == {1}
        outcomes = campaign.outcomes()["outcome"].value_counts().to_dict()
        assert sum(outcomes.values()) == 400
        assert outcomes.keys() <= {"accepted", "unknown"}
        assert outcomes.get("unknown", 0) <= 2 * 20
        assert set(
            campaign_to(server.port, url, name="killed", again="unknown").send_part(customers(400))["outcome"]
        ) == {"accepted"}


def test_all_who_send_by_a_database_have_one_pace(url: str) -> None:
    place = places.place_of(url, "pace")
    with place.opened(frozenset(), "run") as one, place.opened(frozenset(), "run") as another:
        assert one.turns(2, 10.0) == 0.0
        assert another.turns(1, 10.0) == pytest.approx(20.0, abs=1.0)
        assert one.turns(1, 10.0) == pytest.approx(30.0, abs=1.0)
    with CountingServer() as server:
        campaign = pickle.dumps(campaign_to(server.port, url, name="paced", rate="40/s"))
        rows = customers(80)
        started = time.monotonic()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda at: pickle.loads(campaign).send_part(rows[at : at + 20]), range(0, 80, 20)))
        assert time.monotonic() - started >= 79 / 40
        assert len(server.taken) == 80


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_leaves_the_link_to_its_parent(url: str) -> None:
    with places.place_of(url, "forked").opened(frozenset(), "run") as journal:
        journal.intend(Intent("a", "<a@x>", ["ana@example.test"]))
        child = os.fork()
        if not child:
            try:
                journal.close()
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        assert set(journal.look_up(["a"])) == {"a"}
        assert journal.known("a")


def test_dask_sends_each_row_once_by_a_database(url: str, tmp_path: Path) -> None:
    require_packages("dask", "distributed")
    with CountingServer() as server:
        command = [sys.executable, "-m", "tests.support.dask_campaign", str(server.port), url, "1000"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout.splitlines()[-1])
        assert said["first"] == said["again"] == said["journal"] == {"accepted": 1000}
        assert set(arrived(server).values()) == {1}
        assert len(arrived(server)) == 1000
