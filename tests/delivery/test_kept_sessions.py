"""The session that ``send("ops", ...)`` keeps for the next message: when there is one, and when there must be none."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter import connections
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.connection.changes import changed
from mailconn_jupyter.delivery import kept_sessions, send as send_module
from mailconn_jupyter.delivery.kept_sessions import KEPT
from mailconn_jupyter.delivery.report import DeliveryError
from mailconn_jupyter.errors import OpenError
from tests.servers.certificates import Certificates
from tests.servers.counting import CountingServer, Fickle, Watched
from tests.servers.ports import free_ports
from tests.servers.relay import Relay
from tests.session.test_forks import child, ended

ALICE = "alice@example.test"


def stored(port: int, name: str = "ops", **options: Any) -> MailConnection:
    plain: dict[str, Any] = {"use_secure_authentication": False, "use_authentication": False, "timeout": 5}
    own = {"name": name, "server_host": "localhost", "server_port": port, "from_address": "bob@example.test"}
    connection = MailConnection(**{**own, **plain, **options})
    connections.save(connection)
    return connection


@pytest.fixture
def server() -> Iterator[Watched]:
    with Watched() as running:
        stored(running.port)
        yield running
        KEPT.close_all()


def send(target: Any = "ops") -> None:
    assert mailconn.send(target, ALICE, "x", "y").ok


def test_messages_in_a_loop_go_over_one_session(server: Watched) -> None:
    for _ in range(5):
        send()
    send("OPS")
    assert (len(server.taken), server.opened, server.quits) == (6, 1, 0)


def test_the_session_of_a_connection_that_is_no_name_is_closed(server: Watched) -> None:
    send(connections["ops"])
    changed_here = connections["ops"]
    changed_here.timeout = 7
    send(changed_here)
    assert (server.opened, server.quits, KEPT._idle) == (2, 2, {})


CHANGES: dict[str, Callable[[], object]] = {
    "edited": lambda: connections.update("ops", timeout=6),
    "saved": lambda: connections.save(connections["ops"]),
    "renamed": lambda: connections.rename("ops", "other"),
    "deleted": lambda: connections.delete("Ops"),
    "given a password": lambda: mailconn.set_password("ops", "x" * 8),
    "given a proxy's password": lambda: mailconn.set_password("ops", "x" * 8, proxy=True),
    "to forget its password": lambda: mailconn.forget_password("OPS"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.filterwarnings("ignore:A password for:mailconn_jupyter.errors.MailConnWarning")
def test_the_session_is_closed_at_once_when_the_connection_is(change: Callable[[], object], server: Watched) -> None:
    send()
    assert server.quits == 0
    change()
    assert server.quits == 1
    assert KEPT._idle == {}
    if "ops" in connections:
        send()
        assert server.opened == 2


def test_a_change_of_another_connection_leaves_it_alone(server: Watched) -> None:
    send()
    stored(1, "another")
    mailconn.forget_password("another")
    send()
    assert server.opened == 1


def test_a_session_that_was_lent_when_the_connection_changed_is_not_kept(server: Watched) -> None:
    with kept_sessions.lent_session(connections["ops"], keep=True):
        changed("ops")
    assert (server.opened, server.quits) == (1, 1)


def test_what_another_process_has_saved_is_not_sent_over_the_old_session(server: Watched) -> None:
    send()
    path = connections.where("ops").path
    path.write_text(path.read_text().replace("localhost", "127.0.0.1"))
    send()
    assert (server.opened, server.quits) == (2, 1)


def test_a_variable_that_says_something_else_opens_anew(server: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    connections.update("ops", server_host="${THERE}")
    monkeypatch.setenv("THERE", "localhost")
    send()
    monkeypatch.setenv("THERE", "127.0.0.1")
    send()
    monkeypatch.setenv("MAILCONN_OPS_PASSWORD", "another-secret")
    send()
    assert (server.opened, server.quits) == (3, 2)


def test_a_proxy_of_the_environment_that_is_another_one_opens_anew(
    server: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "localhost")
    connections.update("ops", use_environment_proxy=True)
    send()
    send()
    assert server.opened == 1
    monkeypatch.setenv("ALL_PROXY", f"socks5://localhost:{free_ports(1)[0]}")
    send()
    assert server.opened == 2
    monkeypatch.delenv("NO_PROXY")
    with pytest.raises(OpenError, match="connect failed"):
        send()
    assert (len(server.taken), server.quits) == (3, 2)


@pytest.mark.parametrize("place", ["a file", "systemd's folder", "a folder"])
def test_a_secret_whose_file_is_another_one_opens_anew(
    place: str, server: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "MAILCONN_OPS_PASSWORD"
    if place == "a file":
        monkeypatch.setenv("MAILCONN_OPS_PASSWORD_FILE", str(file))
    else:
        monkeypatch.setenv("MAILCONN_SECRETS_DIR" if place == "a folder" else "CREDENTIALS_DIRECTORY", str(tmp_path))
    file.write_text("first-secret")
    send()
    send()
    assert server.opened == 1
    file.write_text("another-secret")
    send()
    file.unlink()
    send()
    assert (server.opened, server.quits) == (3, 2)


def test_another_authority_file_opens_anew(certificates: Certificates, tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_bytes(certificates.ca.pem.read_bytes())
    with Watched(certificates.good.server_context()) as server:
        stored(server.port, use_secure_authentication=True, secure_authentication_type="SSL", ca_file=str(authority))
        send()
        send()
        assert server.opened == 1
        authority.write_bytes(b"\n" + certificates.ca.pem.read_bytes())
        send()
        assert server.opened == 2
        authority.write_text("nothing")
        with pytest.raises(OpenError, match="secure failed"):
            send()


def test_a_proxy_that_is_set_is_used_for_the_next_message(server: Watched) -> None:
    send()
    connections.update("ops", use_proxy=True, proxy_host="localhost", proxy_port=1, proxy_type="SOCKS5")
    with pytest.raises(OpenError, match="connect failed"):
        send()
    assert (server.quits, len(server.taken)) == (1, 1)


# When something breaks


def test_a_server_that_has_hung_up_meanwhile_costs_an_opening_and_nothing_else(server: Watched) -> None:
    send()
    server.hang_up()
    send()
    assert (len(server.taken), server.opened) == (2, 2)


def test_a_server_that_is_gone_is_told_as_without_a_session_that_waits() -> None:
    with Watched() as server:
        stored(server.port)
        send()
        server.hang_up()
    with pytest.raises(OpenError, match="ops: connect failed"):
        send()


def test_a_refused_recipient_leaves_a_session_that_is_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send_module, "_PAUSES", ())
    with Fickle(rcpt=("550 5.1.1 nobody",)) as server, Relay(server.port) as link:
        stored(link.port)
        with pytest.raises(DeliveryError, match="nobody"):
            mailconn.send("ops", "gone@example.test", "x", "y")
        send()
        assert (len(server.taken), link.connections) == (1, 1)
        KEPT.close_all()


def test_an_interrupt_within_a_message_leaves_no_session(server: Watched) -> None:
    with pytest.raises(KeyboardInterrupt), kept_sessions.lent_session(connections["ops"], keep=True):
        raise KeyboardInterrupt
    assert KEPT._idle == {}
    assert server.quits == 1


# How long


def test_half_a_minute_later_it_is_closed(server: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kept_sessions._SECONDS == 30
    monkeypatch.setattr(kept_sessions, "_SECONDS", 0.05)
    send()
    assert server.left.wait(10)
    assert server.quits == 1
    send()
    assert server.opened == 2


def test_no_lock_is_held_while_it_waits(server: Watched) -> None:
    send()
    (idle,) = KEPT._idle.values()
    session: Any = idle.session
    free: list[bool] = []

    def look() -> None:
        free.extend(lock.acquire(blocking=False) for lock in (KEPT._lock, session._lock))
        KEPT._lock.release()
        session._lock.release()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert free == [True, True]


def test_threads_that_send_at_once_share_no_session_and_one_of_them_waits(server: Watched) -> None:
    together = threading.Barrier(6)

    def work() -> None:
        together.wait()
        for _ in range(5):
            send()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.taken) == 30
    assert server.opened - server.quits == 1 == len(KEPT._idle)


SCRIPT = """if True:
    import sys
    import mailconn_jupyter as mailconn
    mailconn.send("ops", "alice@example.test", "x", "y")
    mailconn.send("ops", "alice@example.test", "x", "y")
"""


def test_the_end_of_the_process_says_farewell(server: Watched) -> None:
    run = subprocess.run([sys.executable, "-c", SCRIPT], check=True, timeout=30, capture_output=True, text=True)
    assert (run.stdout, run.stderr) == ("", "")
    assert (len(server.taken), server.opened, server.quits) == (2, 1, 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_has_a_session_of_its_own_and_says_no_word_over_the_parents(server: Watched) -> None:
    send()

    def work() -> None:
        assert KEPT._idle == {}
        send()
        KEPT.close_all()

    assert ended(child(work), child(KEPT.close_all), child(lambda: connections.update("ops", timeout=9))) == [0] * 3
    # The child's own, and nothing over the parent's; what the last one has saved is seen here.
    assert (server.opened, server.quits) == (2, 1)
    send()
    assert (len(server.taken), server.opened, server.quits) == (3, 3, 2)


AT_THE_END = """if True:
    import atexit
    import mailconn_jupyter as mailconn

    def tell():
        report = mailconn.send("ops", "alice@example.test", "x", "y")
        print(report.summary)

    mailconn.send("ops", "alice@example.test", "x", "y")
    atexit.register(tell)
"""


def test_a_mail_that_the_end_of_a_process_sends_is_told_as_sent(server: Watched) -> None:
    run = subprocess.run([sys.executable, "-c", AT_THE_END], check=False, timeout=30, capture_output=True, text=True)
    assert (run.stderr, run.returncode) == ("", 0)
    assert run.stdout.startswith("Sent: 'x'")
    assert len(server.taken) == 2


def test_where_no_thread_can_be_started_the_session_is_closed_and_the_message_is_told_as_sent(
    server: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_: threading.Timer) -> None:
        # CPython's words, from 3.12 on at the end of the interpreter, before that where there are too many.
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Timer, "start", start)
    send()
    assert (len(server.taken), server.quits, KEPT._idle) == (1, 1, {})


def test_what_waits_shows_no_value_of_a_variable(server: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILCONN_OPS_PASSWORD", "correct-horse-battery")
    connections.update("ops", server_host="${THERE}")
    monkeypatch.setenv("THERE", "127.0.0.1")
    send()
    (idle,) = KEPT._idle.values()
    assert [word for word in ("127.0.0.1", "correct-horse") if word in repr(idle)] == []


def test_a_shown_pool_holds_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILCONN_OPS_PASSWORD", "correct-horse-battery")
    with CountingServer() as server:
        stored(server.port)
        send()
        assert "correct-horse" not in repr(vars(KEPT))
        KEPT.close_all()
