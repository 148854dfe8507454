"""A link that breaks anywhere while messages are moved, copied or deleted: none is lost, and none is there twice."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mailconn_jupyter import ActionReport, Messages, messages
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.errors import MailConnError
from mailconn_jupyter.mailbox.acting import act_by_imap
from mailconn_jupyter.session.connect_by_protocol import connect_imap
from mailconn_jupyter.session.imap.errors import LinkLost
from mailconn_jupyter.session.imap.session import IMAPSession
from tests.servers.certificates import Certificates
from tests.servers.relay import Cut, Relay
from tests.support.acting import KINDS, Acted, plain, run_kind, subjects_in

SEED = 20261126
OFFSETS = 6
#: Where it hurts, besides: the server has a command, or has begun to answer it.
MARKS = {
    "to_server": [b'UID COPY 1:3 "Archive"\r\n', b'UID MOVE 1:3 "Archive"\r\n', b"(\\Deleted)\r\n", b"UID EXPUNGE 1:3"],
    "to_client": [b"COPYUID", b" EXPUNGE\r\n", b"OK Store completed"],
}
NAMES = [f"number {number}" for number in range(1, 4)]

Act = Callable[[Messages], ActionReport]
ACTIONS: dict[str, Act] = {
    "move": lambda found: found.move("Archive"),
    "copy": lambda found: found.copy("Archive"),
    "expunge": lambda found: found.delete(expunge=True),
    "flag": Messages.flag,
}
#: Where it makes a difference.
CASES = [(kind, action) for kind in KINDS for action in ACTIONS if kind == "UIDPLUS" or action == "move"]


@pytest.fixture(scope="module")
def servers(server_state: Path, certificates: Certificates) -> Iterator[Callable[[str], Acted]]:
    """A server of each kind, started when it is asked for."""
    from contextlib import ExitStack  # noqa: PLC0415

    running: dict[str, Acted] = {}
    with ExitStack() as stack:

        def server(kind: str) -> Acted:
            if kind not in running:
                state = server_state / f"cutting{len(running)}"
                running[kind] = Acted(kind, stack.enter_context(run_kind(kind, state, certificates)), certificates)
            return running[kind]

        yield server


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server on this machine is done with what it has begun in less time."""
    monkeypatch.setattr(act_by_imap, "_PAUSE", 0.05)


def lengths(server: Acted, act: Act, direction: str) -> range:
    """The bytes of the conversation from where the session is open."""
    with Relay(server.dovecot.imap) as link:
        connection = plain(server.box().connection, link.port)
        with connect_imap(connection):
            start = link.bytes_from_client if direction == "to_server" else link.bytes_from_server
    with Relay(server.dovecot.imap) as link:
        act(messages(plain(server.box().connection, link.port)))
    return range(start, link.bytes_from_client if direction == "to_server" else link.bytes_from_server)


def cuts(server: Acted, act: Act, direction: str) -> list[Cut]:
    """Somewhere, and where it hurts."""
    print(f"seed {SEED}")  # noqa: T201  # shown when the test fails
    places = random.Random(SEED).sample(lengths(server, act, direction), OFFSETS)
    everywhere: list[int | bytes] = [*MARKS[direction], *places]
    return [Cut(after, reset=number % 2 == 0) for number, after in enumerate(everywhere)]


def outcome(
    server: Acted, act: Act, direction: str, cut: Cut, strikes: int | None
) -> tuple[MailConnection, ActionReport | MailConnError]:
    box = server.box()
    with Relay(server.dovecot.imap, strikes=strikes, **{direction: cut}) as link:  # type: ignore[arg-type]
        try:
            return box.connection, act(messages(plain(box.connection, link.port)))
        except MailConnError as error:
            return box.connection, error


def contents(connection: MailConnection) -> tuple[list[str], list[str]]:
    """What is in the two folders."""
    with connect_imap(connection, readonly=True) as session:
        return subjects_in(session, "INBOX"), subjects_in(session, "Archive")


@pytest.mark.parametrize("direction", ["to_server", "to_client"])
@pytest.mark.parametrize(("kind", "name"), CASES)
def test_what_a_cut_link_has_begun_is_finished_over_another_one(
    servers: Callable[[str], Acted], kind: str, name: str, direction: str
) -> None:
    server, act = servers(kind), ACTIONS[name]
    finished = 0
    for cut in cuts(server, act, direction):
        connection, met = outcome(server, act, direction, cut, strikes=1)
        here, there = contents(connection)
        if isinstance(met, MailConnError):
            # Nothing was begun, and nothing is changed.
            assert isinstance(met, LinkLost), (cut, met)
            assert (here, there) == (NAMES, []), (cut, met)
            continue
        assert met.count == 3
        assert there == (NAMES if name in {"move", "copy"} else []), (cut, met)
        assert here == ([] if name in {"move", "expunge"} else NAMES), (cut, met)
        finished += "over a new one" in str(met)
    assert finished


@pytest.mark.parametrize("direction", ["to_server", "to_client"])
@pytest.mark.parametrize("kind", KINDS)
def test_where_the_link_cannot_be_opened_again_no_message_is_lost_and_what_may_be_doubled_is_told(
    servers: Callable[[str], Acted], kind: str, direction: str
) -> None:
    server, act = servers(kind), ACTIONS["move"]
    for cut in cuts(server, act, direction):
        connection, met = outcome(server, act, direction, cut, strikes=None)
        here, there = contents(connection)
        assert set(here) | set(there) == set(NAMES), (cut, met)
        doubled = set(here) & set(there)
        if doubled:
            assert isinstance(met, LinkLost)
            assert "may be in 'Archive' as well" in str(met) or "are still in 'INBOX'" in str(met), (cut, met)
        if not isinstance(met, MailConnError):
            assert (here, there) == ([], NAMES), (cut, met)


@pytest.mark.parametrize(
    ("kind", "command"),
    [
        ("MOVE and UIDPLUS", "MOVE"),
        *((kind, command) for kind in ("UIDPLUS", "neither") for command in ("COPY", "STORE")),
    ],
)
def test_an_interrupt_leaves_no_message_in_two_places(
    servers: Callable[[str], Acted], kind: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    say = act_by_imap._say
    begun: list[str] = []

    def interrupted(session: IMAPSession, said: str, *arguments: Any) -> None:
        say(session, said, *arguments)
        if said == command and not begun:
            begun.append(said)
            # As the wire does when it is interrupted.
            session.client.shutdown()
            raise KeyboardInterrupt

    monkeypatch.setattr(act_by_imap, "_say", interrupted)
    box = servers(kind).box()
    with pytest.raises(KeyboardInterrupt):
        messages(box.connection).move("Archive")
    assert contents(box.connection) == ([], NAMES)
