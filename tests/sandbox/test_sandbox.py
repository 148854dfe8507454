"""The sandbox: a real server in this process, spoken to by real sessions."""

from __future__ import annotations

import contextlib
import json
import os
import smtplib
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from mailconn_jupyter import sandbox, send
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.credentials import remember, resolve, where
from mailconn_jupyter.errors import MailConnError, OptionError, StoreError
from mailconn_jupyter.extras import install
from mailconn_jupyter.sandbox import server as server_module
from mailconn_jupyter.sandbox.server import HOST, MailServer
from mailconn_jupyter.session.check import check
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.smtp.errors import LoginRefused
from mailconn_jupyter.store import connections
from tests.servers.counting import Watched


@pytest.fixture(autouse=True)
def stopped() -> Iterator[None]:
    """No sandbox outlives its test, nor does its thread."""
    yield
    running = sandbox.running()
    if running is not None:
        running.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "mailconn-sandbox"]


def note(subject: str = "Hello", to: str = "bob@example.org") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "ana@example.org", to, subject
    message.set_content("first line\n.second line\n")
    return message


def plain_client(port: int) -> smtplib.SMTP:
    return smtplib.SMTP(HOST, port, "client.test", timeout=5)


class OtherKernel:
    """A sandbox in a process of its own, with this one's configuration."""

    def __init__(self, then: str = "sys.stdin.read()", *, name: str = "sandbox") -> None:
        code = (
            f"import sys; from mailconn_jupyter import sandbox; print(sandbox.start({name!r}).port, flush=True); {then}"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def end(self) -> int:
        """Let it come to its end, as a kernel that is shut down."""
        self.process.communicate(timeout=20)
        return self.process.returncode

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=20)


def test_a_message_that_is_sent_is_in_the_inbox_as_it_was_sent() -> None:
    started = sandbox.start()
    with connect("sandbox") as smtp:
        smtp.send_message(note("Zahlen für Woche 47"), to_addrs=["bob@example.org", "hidden@example.org"])
    received = started.inbox.wait(1)[-1]
    assert (received.sender, received.recipients) == ("ana@example.org", ("bob@example.org", "hidden@example.org"))
    assert received.subject == "Zahlen für Woche 47"
    assert received.text == "first line\n.second line\n"
    assert b"\r\n.second line\r\n" in received.raw


def test_the_check_of_its_connection_passes_every_stage() -> None:
    sandbox.start()
    report = check("sandbox")
    assert report.ok, str(report)
    learnt = {label: text for stage in report.stages for label, text in stage.facts.items()}
    assert "(pinned)" in learnt["Certificate"]
    assert (learnt["User"], learnt["Secret from"]) == ("sandbox", "this kernel")
    assert learnt["Largest message"] == "35.0 MB"
    assert {"8BITMIME", "SMTPUTF8", "SIZE"} <= set(learnt["Capabilities"].split(", "))


def test_an_address_and_a_text_beyond_ascii_arrive_as_they_are() -> None:
    started = sandbox.start()
    message = note(to="josé@example.org")
    message.set_content("Grüße")
    with connect("sandbox") as smtp:
        smtp.send_message(message)
    assert started.inbox[0].recipients == ("josé@example.org",)
    assert str(started.inbox[0].text).strip() == "Grüße"


def test_no_mail_and_no_login_is_taken_before_starttls() -> None:
    with plain_client(sandbox.start().port) as smtp:
        smtp.ehlo()
        assert not smtp.has_extn("auth")
        assert smtp.docmd("AUTH", "PLAIN AGEAYg==")[0] == 530
        assert smtp.docmd("MAIL", "FROM:<ana@example.org>")[0] == 530


def test_no_mail_is_taken_without_the_login() -> None:
    sandbox.start()
    with connect(connections["sandbox"].copy(use_authentication=False)) as smtp:
        assert smtp.mail("ana@example.org")[0] == 530


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_a_wrong_password_is_refused_and_the_client_is_told(mechanism: str) -> None:
    started = sandbox.start()
    remember("sandbox", "wrong")
    with pytest.raises(LoginRefused) as caught:
        connect("sandbox")
    assert caught.value.smtp_code == 535
    with connect(connections["sandbox"].copy(use_authentication=False)) as smtp:
        smtp.user, smtp.password = "sandbox", "wrong"
        with pytest.raises(smtplib.SMTPAuthenticationError):
            smtp.auth(mechanism, getattr(smtp, f"auth_{mechanism.lower()}"))
        assert smtp.noop()[0] == 250
    assert len(started.inbox) == 0


def test_a_client_that_refuses_the_certificate_leaves_no_noise_and_the_server_goes_on(
    capfd: pytest.CaptureFixture[str],
) -> None:
    sandbox.start()
    for _attempt in range(3):
        assert not check(connections["sandbox"].copy(trusted_hosts="")).ok
    assert check("sandbox").ok
    assert capfd.readouterr() == ("", "")


def test_a_message_above_the_limit_is_refused() -> None:
    sandbox.start()
    with connect("sandbox") as smtp:
        assert smtp.mail("ana@example.org", ["size=35000001"])[0] == 552


def test_the_server_listens_on_loopback_only() -> None:
    started = sandbox.start()
    assert [sock.getsockname()[0] for sock in started.server._server.sockets] == [HOST]


def test_its_connection_is_kept_with_a_pin_and_without_the_password(own_config: Path) -> None:
    started = sandbox.start()
    kept = json.loads((own_config / "mailconn" / "sandbox.json").read_text())
    assert (kept["server_host"], kept["server_port"]) == (HOST, started.port)
    assert kept["trusted_hosts"].startswith(f"{HOST}=sha256:")
    assert kept["from_address"] == "you@sandbox.test"
    assert connections["sandbox"] == started.connection
    secret = resolve("sandbox", ask=False).secret
    for file in own_config.parent.rglob("*"):
        assert not file.is_file() or secret.reveal() not in file.read_text()
    shown = f"{started!r}{started.connection!r}{vars(started)}{vars(started.server)}{check('sandbox')}"
    assert secret.reveal() not in shown


def test_its_key_stays_on_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    sandbox.start()
    assert list((tmp_path / "temporary").iterdir()) == []


def test_starting_twice_gives_the_one_that_runs() -> None:
    started = sandbox.start()
    assert sandbox.start() is started
    assert sandbox.running() is started


def test_the_running_one_is_found_under_another_name_by_the_usual_one() -> None:
    started = sandbox.start("trial")
    assert sandbox.start() is started
    with pytest.raises(MailConnError, match="already running, as 'trial'"):
        sandbox.start("third")


def test_starting_again_brings_back_a_connection_that_was_deleted() -> None:
    sandbox.start()
    connections.delete("sandbox")
    sandbox.start()
    assert check("sandbox").ok


def test_stopping_removes_the_connection_its_password_and_the_default_but_not_the_inbox(own_config: Path) -> None:
    started = sandbox.start()
    connections.default = "sandbox"
    with connect() as smtp:
        smtp.send_message(note())
    started.stop()
    assert sandbox.running() is None
    assert "sandbox" not in connections
    assert connections.default is None
    assert where("sandbox") == ""
    assert len(started.inbox) == 1
    with pytest.raises(ConnectionRefusedError):
        plain_client(started.port)
    started.stop()


def test_stopping_hangs_up_on_a_session_that_is_open() -> None:
    started = sandbox.start()
    smtp = connect("sandbox")
    started.stop()
    with pytest.raises(smtplib.SMTPServerDisconnected):
        smtp.noop()


def test_a_sandbox_can_be_started_again_after_it_was_stopped() -> None:
    first = sandbox.start()
    first.stop()
    second = sandbox.start()
    assert second is not first
    assert check("sandbox").ok


def test_stopping_leaves_what_a_person_has_put_in_the_place_of_its_connection() -> None:
    started = sandbox.start()
    connections.save(MailConnection(name="sandbox", server_host="mail.example.org"), replace=True)
    connections.update("sandbox", username="ana")
    remember("sandbox", "their own")
    started.stop()
    assert connections["sandbox"].server_host == "mail.example.org"
    assert resolve("sandbox", ask=False).secret.reveal() == "their own"


def test_a_connection_of_that_name_is_not_overwritten() -> None:
    connections.save(MailConnection(name="Sandbox", server_host="mail.example.org"))
    connections.save(MailConnection(name="sandbox-2", server_host="mail.example.org"))
    with pytest.raises(MailConnError, match="is not a sandbox") as caught:
        sandbox.start()
    assert caught.value.hint.endswith("%mailconn sandbox --name sandbox-3")
    assert connections["sandbox"].server_host == "mail.example.org"
    assert sandbox.running() is None


def test_a_sandbox_connection_that_was_turned_to_another_server_is_not_overwritten() -> None:
    with_mark = MailConnection(name="sandbox", server_host="mail.example.org")
    with_mark.unknown["sandbox"] = "0123456789abcdef"
    connections.save(with_mark)
    with pytest.raises(MailConnError, match="is not a sandbox"):
        sandbox.start()


def test_a_file_of_that_name_that_cannot_be_read_is_named_and_left(own_config: Path) -> None:
    (own_config / "mailconn").mkdir(parents=True)
    (own_config / "mailconn" / "sandbox.json").write_text("{")
    with pytest.raises(StoreError, match="cannot be read"):
        sandbox.start()
    assert (own_config / "mailconn" / "sandbox.json").read_text() == "{"


def test_a_name_that_cannot_be_one_is_refused() -> None:
    with pytest.raises(OptionError):
        sandbox.start("  ")


def test_beside_another_kernels_sandbox_this_one_gets_its_own_name_and_is_what_sandbox_means_here() -> None:
    other = OtherKernel()
    try:
        # Nobody is asked for a password that only the other kernel knows.
        report = check("sandbox")
        assert report.error is not None
        assert "another kernel's sandbox" in str(report.error)
        connections.save(MailConnection(name="sandbox-2", server_host="mail.example.org"))
        assert "%mailconn sandbox" in str(report.error)
        started = sandbox.start()
        assert started.name == "sandbox-3"
        assert connections["sandbox"].server_port == other.port
        assert check("sandbox").ok
        connections.default = "sandbox"
        assert connections.default == "sandbox-3"
        send("Sandbox", "ana@example.org", "Here", "text")
        assert [message.subject for message in started.inbox] == ["Here"]
        assert sandbox.start() is started
        started.stop()
        assert "sandbox-3" not in connections
        assert connections.pick("sandbox").server_port == other.port
    finally:
        assert other.end() == 0


def test_a_connection_of_a_persons_own_that_is_called_sandbox_is_what_sandbox_means() -> None:
    with Watched() as server:
        own = MailConnection(name="sandbox", server_host="localhost", server_port=server.port, use_authentication=False)
        own.update(use_secure_authentication=False, from_address="bob@example.test")
        started = sandbox.start("play")
        assert connections.pick("sandbox").name == "play"
        connections.save(own)
        send("Sandbox", "ana@example.test", "To the company", "text")
        assert (len(server.taken), len(started.inbox)) == (1, 0)
        connections.delete("sandbox")
        send("sandbox", "ana@example.test", "Here", "text")
        assert (len(server.taken), len(started.inbox)) == (1, 1)
        started.stop()
        connections.save(MailConnection(name="sandbox", server_host="mail.example.org"))
        path = connections.where("sandbox").path
        started = sandbox.start("play")
        path.write_text("no JSON")
        with pytest.raises(StoreError, match="cannot be read"):
            send("sandbox", "ana@example.test", "Nowhere", "text")


def test_a_name_that_was_chosen_and_is_another_kernels_is_refused() -> None:
    other = OtherKernel("sys.stdin.read()", name="mine")
    try:
        with pytest.raises(MailConnError, match="Another kernel's sandbox is running as 'mine'") as caught:
            sandbox.start("mine")
        assert "--name mine-2" in caught.value.hint
    finally:
        assert other.end() == 0


def test_a_kernel_that_ends_takes_its_connection_along() -> None:
    other = OtherKernel()
    assert "sandbox" in connections
    assert other.end() == 0
    assert "sandbox" not in connections


def test_the_connection_of_a_kernel_that_was_killed_is_replaced() -> None:
    other = OtherKernel()
    other.kill()
    assert connections["sandbox"].server_port == other.port
    started = sandbox.start()
    assert connections["sandbox"].server_port == started.port
    assert check("sandbox").ok


def test_another_program_on_the_port_of_a_dead_sandbox_is_not_taken_for_it() -> None:
    other = OtherKernel()
    other.kill()
    with socket.create_server((HOST, other.port)) as listener:

        def answer() -> None:
            link, _ = listener.accept()
            with link:
                link.sendall(b"220 another.example ESMTP\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        sandbox.start()
        thread.join(5)
    assert check("sandbox").ok


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_that_ends_leaves_the_sandbox_running() -> None:
    other = OtherKernel(
        "import os; p = os.fork() or sys.exit(sandbox.running() is not None); os.waitpid(p, 0); sys.stdin.read()"
    )
    try:
        assert "sandbox" in connections
        assert sandbox.start().name == "sandbox-2"
    finally:
        assert other.end() == 0


def test_two_kernels_that_start_their_sandboxes_at_once_have_one_each() -> None:
    ran = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                "from mailconn_jupyter import sandbox; print(sandbox.start().name, flush=True); input()",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    names = [process.stdout.readline().strip() for process in ran if process.stdout is not None]
    for process in ran:
        process.communicate("\n", timeout=20)
    assert sorted(names) == ["sandbox", "sandbox-2", "sandbox-3"]


def test_without_aiosmtpd_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "mailconn_jupyter.sandbox.server")
    monkeypatch.setitem(sys.modules, "aiosmtpd.smtp", None)
    with pytest.raises(MailConnError, match="needs aiosmtpd") as caught:
        sandbox.start()
    assert caught.value.hint == f"Run: %{install('sandbox')}"
    assert "sandbox" not in connections


def test_a_connection_that_cannot_be_saved_leaves_no_server_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[MailServer] = []
    close = MailServer.close

    def close_and_tell(server: MailServer) -> None:
        made.append(server)
        close(server)

    monkeypatch.setattr(MailServer, "close", close_and_tell)
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", "/dev/null/nowhere")
    with pytest.raises(StoreError):
        sandbox.start()
    assert sandbox.running() is None
    assert len(made) == 1
    with pytest.raises(ConnectionRefusedError):
        plain_client(made[0].port)


# Clients that only hold a link


def test_a_thousand_idle_links_leave_the_kernel_its_descriptors_and_the_sandbox_working() -> None:
    started = sandbox.start()
    links: list[socket.socket] = []
    busy = 0
    with contextlib.ExitStack() as held:
        for _ in range(1000):
            link = held.enter_context(socket.create_connection((HOST, started.port), 5))
            said = link.recv(200)
            busy += said.startswith(b"421")
            if said.startswith(b"421"):
                # It was hung up on: nothing is left of it in the kernel.
                assert link.recv(200) == b""
                link.close()
            else:
                links.append(link)
        assert (len(links), busy) == (50, 950)
        assert len(started.server._links) == 50
    end = time.monotonic() + 5
    while started.server._links and time.monotonic() < end:
        time.sleep(0.01)
    assert check("sandbox").ok


def test_a_client_that_does_not_log_in_is_hung_up_on_soon_and_one_that_has_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server_module, "_BEFORE_LOGIN", 0.2)
    started = sandbox.start()
    with connect("sandbox") as smtp, socket.create_connection((HOST, started.port), 5) as idle:
        assert idle.recv(200).startswith(b"220")
        assert idle.recv(200) == b""
        assert smtp.noop()[0] == 250


def test_a_folder_for_temporary_files_that_cannot_be_used_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(MailConnError, match="the folder for temporary files cannot be used") as caught:
        sandbox.start()
    assert "TMPDIR" in caught.value.hint
    assert sandbox.running() is None
