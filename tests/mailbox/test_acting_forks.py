"""A fork while mail is acted on: a child acts over a link of its own, and the parent goes on."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailconn_jupyter import MailConnection, messages
from mailconn_jupyter.errors import MailConnError
from mailconn_jupyter.session.connect_by_protocol import connect_imap, open_mbox
from tests.servers.certificates import Certificates
from tests.session.test_forks import child, ended
from tests.support.acting import Acted, run_kind, subjects
from tests.support.mailboxes import fill_file, mail

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


@pytest.fixture(scope="module")
def server(server_state: Path, certificates: Certificates) -> Iterator[Acted]:
    with run_kind("UIDPLUS", server_state / "forked", certificates) as dovecot:
        yield Acted("UIDPLUS", dovecot, certificates)


def test_children_act_over_links_of_their_own_and_the_parents_session_goes_on(server: Acted) -> None:
    box = server.box(6)
    with connect_imap(box.connection) as session:
        found = list(messages(session))
        by_name = list(messages(box.connection))
        first = child(lambda: found[0].move("Archive"))
        second = child(lambda: by_name[1].move("Archive"))
        assert ended(first, second) == [0, 0]
        assert session.noop()[0] == "OK"
        assert found[2].move("Archive").count == 1
    assert sorted(subjects(box.connection, "Archive")) == ["number 4", "number 5", "number 6"]
    assert subjects(box.connection) == ["number 1", "number 2", "number 3"]


def test_a_loop_that_is_forked_within_goes_on_on_both_sides(server: Acted) -> None:
    box = server.box(6)
    for message in messages(box.connection):
        number = int(message.subject.split()[1])
        if number == 6:
            message.flag()
        elif number % 2:
            assert ended(child(message.flag)) == [0]
    assert [each.flagged for each in messages(box.connection)] == [True, True, False, True, False, True]


def test_a_child_writes_nothing_by_the_parents_mailbox_file_and_by_one_of_its_own(tmp_path: Path) -> None:
    fill_file(tmp_path / "box", [mail(f"number {number}") for number in range(3)])
    connection = MailConnection(name="box", protocol="MBOX", server_host=str(tmp_path / "box"))

    def refused() -> None:
        with pytest.raises(MailConnError, match="read-only"):
            found[0].delete(expunge=True)

    with open_mbox(connection, readonly=False) as session:
        found = list(messages(session))
        assert ended(child(refused)) == [0]
        assert found[0].delete(expunge=True).count == 1
    (newest, _) = list(messages(connection))
    assert ended(child(lambda: newest.delete(expunge=True))) == [0]
    assert [message.subject for message in messages(connection)] == ["number 0"]


def test_a_message_goes_to_another_process_with_its_place_and_no_session(server: Acted) -> None:
    box = server.box(2)
    with connect_imap(box.connection) as session:
        (newest, _) = list(messages(session))
        sent = pickle.dumps(newest)
    assert pickle.loads(sent).move("Archive").count == 1  # our own
    assert subjects(box.connection, "Archive") == ["number 2"]
    with pytest.raises(MailConnError, match="cannot be sent to another process"):
        pickle.dumps(messages(box.connection))
