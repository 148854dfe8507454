"""A campaign of a million rows by its journal alone, whole parts to a server that answers at once, and its pace.

Run it with ``python -m tests.benchmarks.bench_campaign [ROWS]``. Times are seconds of the clock, and ratios within one run
count; memory is the most that the process had at once (Linux).
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import mailconn_jupyter as mailconn
from mailconn_jupyter import Campaign
from mailconn_jupyter.delivery.journals.journal_base import BaseJournal, Intent
from mailconn_jupyter.delivery.journals.places import place_of
from tests.servers.counting import CountingServer
from tests.servers.loop_thread import LoopServer
from tests.servers.postgresql import run_postgresql
from tests.servers.state_folder import state_folder
from tests.support.batches import letter, to
from tests.support.campaigns import campaign_to, customers
from tests.support.peak import peak_megabytes

ROWS, GROUP, PART, WHOLE, PACED = 1_000_000, 64, 1000, 6000, 2000


class _Answering(asyncio.Protocol):
    """Takes what comes, group by group, and answers at once."""

    def connection_made(self, transport: Any) -> None:
        self._transport, self._data, self._rest = transport, False, b""
        transport.write(b"220 answers\r\n")

    def data_received(self, data: bytes) -> None:
        self._rest += data
        while True:
            end = b"\r\n.\r\n" if self._data else b"\r\n"
            line, found, rest = self._rest.partition(end)
            if not found:
                return
            self._rest = rest
            said = b"250 ok"
            if line[:4].upper() == b"EHLO":
                said = b"250-answers\r\n250 PIPELINING"
            elif not self._data and line[:4].upper() == b"DATA":
                said, self._data = b"354 go on", True
                self._transport.write(said + b"\r\n")
                continue
            self._data = False
            self._transport.write(said + b"\r\n")


class Answering(LoopServer):
    """It keeps nothing."""

    def __init__(self) -> None:
        super().__init__("answering")

    async def _listen(self) -> asyncio.Server:
        return await self._loop.create_server(_Answering, self.host, 0)


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # its output


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def fill(journal: BaseJournal, start: int, end: int, group: int) -> None:
    """Each row's intent, and then its outcome, which is on the disk with the next intents."""
    for first in range(start, end, group):
        keys = [f"customer {number}" for number in range(first, min(first + group, end))]
        journal.intend(*(Intent(key, f"<{key}@example.test>", [f"{key}@example.test"]) for key in keys))
        for key in keys:
            journal.settle(key, f"<{key}@example.test>", {f"{key}@example.test": ("accepted", 250, "2.0.0 Ok: queued")})
    journal.flush()


def by_journal(where: str, rows: int) -> None:
    place, tenth = place_of(where, "bench"), rows // 10
    with place.opened(frozenset(), "run") as journal:
        single = timed(lambda: fill(journal, 0, 200, 1)) / 200
        first = timed(lambda: fill(journal, 200, tenth, GROUP))
        memory = peak_megabytes()
        timed(lambda: fill(journal, tenth, rows - tenth, GROUP))
        last = timed(lambda: fill(journal, rows - tenth, rows, GROUP))
        grown = peak_megabytes() - memory
        known = timed(
            lambda: [journal.look_up([f"customer {n}" for n in range(at, at + PART)]) for at in range(0, tenth, PART)]
        )
        assert journal.sent() == rows
    say(
        f"  {rows:,} rows in groups of {GROUP}: {tenth / first:,.0f} a second at first, {tenth / last:,.0f} at last "
        f"(ratio {first / last:.2f}), {single * tenth / first:.1f} times as fast as one by one; {grown:.1f} MB more from the "
        f"first tenth on; looked up again: {tenth / known:,.0f} a second"
    )


def whole(port: int, folder: Path) -> None:
    rows = customers(WHOLE)
    plain = (
        timed(
            lambda: mailconn.send_many(
                to(port), (letter("a@example.test", n) for n in range(WHOLE // 4)), connections=1
            )
        )
        * 4
    )
    campaign = campaign_to(port, str(folder / "whole"))
    parts = [rows[at : at + PART] for at in range(0, WHOLE, PART)]
    campaign.send_part(parts[0])
    memory = peak_megabytes()
    sending = timed(lambda: [campaign.send_part(part) for part in parts[1:]]) * WHOLE / (WHOLE - PART)
    grown = peak_megabytes() - memory
    again = timed(lambda: [campaign.send_part(part) for part in parts])
    say(
        f"whole parts of {PART:,} to a server that answers at once: {WHOLE / sending:,.0f} messages a second, "
        f"{plain / sending:.2f} of send_many without a journal; {grown:.1f} MB more from the second part on; "
        f"counted again: {WHOLE / again:,.0f} rows a second"
    )


def _send(campaign: Campaign, part: Any) -> int:
    return len(campaign.send_part(part))


def paced(port: int, where: str, rate: int) -> None:
    campaign = campaign_to(port, where, name=f"paced {rate}", rate=f"{rate}/s")
    rows = customers(min(PACED, rate * 20))
    plan = campaign.plan(rows)
    parts = [rows[at : at + 50] for at in range(0, len(rows), 50)]
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("spawn")) as pool:
        # They are there, and have imported all, before the clock runs.
        warm = campaign_to(port, where if "://" in where else f"{where}-warm", name=f"warm {rate}")
        list(pool.map(_send, [warm] * 8, [rows[at : at + 5] for at in range(0, 40, 5)]))
        taken = timed(lambda: list(pool.map(_send, [campaign] * len(parts), parts)))
    assert plan.seconds is not None
    say(
        f"  {rate} a second by 4 processes: told {plan.seconds:.1f} s, taken {taken:.1f} s, ratio {taken / plan.seconds:.3f}"
    )


def main(rows: int = ROWS) -> None:
    with state_folder() as state:
        say("the journal in a file:")
        by_journal(str(state / "journal"), rows)
        with Answering() as server:
            whole(server.port, state)
        with CountingServer() as server, run_postgresql(state / "postgresql") as database:
            os.environ["PGPASSWORD"] = database.password
            say("the journal in PostgreSQL:")
            by_journal(database.url, max(rows // 10, 20_000))
            for name, where in (("a file", str(state / "pace")), ("PostgreSQL", database.url)):
                say(f"the pace by {name}:")
                for rate in (20, 100):
                    paced(server.port, f"{where}{rate}" if name == "a file" else where, rate)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
