"""A program that prints the password or the token: run without a shell, bounded, and only for who may name one."""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import pytest

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.errors import CredentialError, OpenError
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.opening.password_command import run
from mailconn_jupyter.store import connections
from mailconn_jupyter.transport.deadline import Limit
from mailconn_jupyter.transport.transport_errors import TransportError
from tests.servers import Certificates, Dovecot, Postfix
from tests.servers.require import is_root


def python(code: str) -> str:
    return f'{sys.executable} -c "{code}"'


@pytest.mark.parametrize("end", ["", "\\n", "\\r\\n"])
def test_what_it_prints_is_the_secret_without_its_line_end(end: str) -> None:
    assert run(python(f"print('s3cret', end='{end}')"), Limit(10)).reveal() == "s3cret"


def test_no_shell_reads_the_command(tmp_path: Path) -> None:
    made = tmp_path / "made"
    assert run(f"printf %s $HOME;touch\\ {made}", Limit(10)).reveal() == f"$HOME;touch {made}"
    assert not made.exists()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (python("import sys; print('s3cret'); sys.exit(3)"), "exited with status 3"),
        (python("pass"), "is empty"),
        (python("print('s3cret\\nmore')"), "contains a line break"),
        (python("import sys; sys.stdout.buffer.write(bytes([255]))"), "not UTF-8"),
        (python("print('x' * 100000)"), "more than 65536 bytes"),
        (python("print('s3cret', end='\\r\\r')"), "contains a line break"),
        (python("import os; print('s3cret', flush=True); os.kill(os.getpid(), 9)"), "was killed by signal 9"),
        (python("while True: print('s3cret', flush=True)"), "more than 65536 bytes"),
        ("/no/such/program", "No such file"),
        ("unclosed 'quote", "not a command"),
        ("", "could not be run"),
    ],
)
def test_what_is_no_secret_is_told_without_what_was_said(command: str, words: str) -> None:
    with pytest.raises(CredentialError, match=words) as caught:
        run(command, Limit(10))
    assert "s3cret" not in str(caught.value)
    assert "terminal" in caught.value.hint


@pytest.mark.parametrize("command", ["./printing", "bin/printing", "../here/printing", "~/printing"])
def test_a_program_of_whatever_folder_the_notebook_is_in_is_not_run(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in (tmp_path / "here", tmp_path / "here" / "bin"):
        folder.mkdir()
        (folder / "printing").write_text(f"#!/bin/sh\ntouch {tmp_path / 'ran'}\necho s3cret\n")
        (folder / "printing").chmod(0o755)
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path / "here"))
    with pytest.raises(CredentialError, match="is not an absolute path") as caught:
        run(command, Limit(10))
    assert "/" in caught.value.hint
    # Nor by a PATH that names whatever folder it is.
    monkeypatch.setenv("PATH", os.pathsep.join(("", ".", "bin", os.environ["PATH"])))
    with pytest.raises(CredentialError, match="could not be run"):
        run("printing", Limit(10))
    assert not (tmp_path / "ran").exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("leave", ["os.fork()", "os.fork() or os.setsid()"])
def test_what_a_program_leaves_behind_does_not_hold_up_who_waits_for_it(leave: str) -> None:
    # It has the program's standard output, and never ends by itself.
    code = f"import os, time; pid = {leave}; pid or time.sleep(30); print('s3cret', flush=True); os._exit(0)"
    assert run(python(code), Limit(20)).reveal() == "s3cret"


def test_a_program_that_says_no_more_and_goes_on_is_not_awaited_for_ever() -> None:
    with pytest.raises(CredentialError, match=r"did not end within 0\.5 seconds"):
        run(python("import os, time; print('s3cret', flush=True); os.close(1); time.sleep(60)"), Limit(0.5))


def test_it_is_read_also_where_a_pipe_knows_no_other_way_than_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    # Windows has no such function before Python 3.12, nor groups of processes.
    for name in ("set_blocking", "killpg"):
        monkeypatch.delattr(os, name)
    assert run(python("print('s3cret')"), Limit(10)).reveal() == "s3cret"
    with pytest.raises(CredentialError, match="did not end"):
        run(python("import time; time.sleep(60)"), Limit(0.3))


def test_what_was_printed_until_a_cancel_is_in_no_traceback_with_locals() -> None:
    cancel = threading.Event()
    timer = threading.Timer(1.0, cancel.set)
    timer.start()
    with pytest.raises(TransportError) as caught:
        run(python("import time; print('s3' + 'cret-part', flush=True); time.sleep(60)"), Limit(60, cancel=cancel))
    timer.join()
    told = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "s3cret-part" not in told


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a fork, and /proc")
def test_a_program_that_does_not_end_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    child = tmp_path / "child"
    code = f"import os, time; os.fork() or open('{child}', 'w').write(str(os.getpid())); time.sleep(60)"
    with pytest.raises(CredentialError, match="did not end within 1 seconds"):
        run(python(code), Limit(1))
    pid = int(child.read_text())
    end = time.monotonic() + 5
    while Path(f"/proc/{pid}").exists() and time.monotonic() < end and _alive(pid):
        time.sleep(0.02)
    assert not _alive(pid)


def _alive(pid: int) -> bool:
    """Whether the process runs; a dead one that nobody has asked about does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_cancel_ends_it() -> None:
    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    with pytest.raises(TransportError) as caught:
        run(python("import time; time.sleep(60)"), Limit(60, cancel=cancel))
    assert caught.value.cause == "cancelled"


def made(command: str, postfix: Postfix, certificates: Certificates, **options: Any) -> MailConnection:
    given: dict[str, Any] = {
        "name": "ops",
        "server_host": "localhost",
        "server_port": postfix.smtps,
        "secure_authentication_type": "SSL",
        "username": "alice",
        "ca_file": str(certificates.ca.pem),
        "password_command": command,
    }
    return MailConnection(**(given | options))


def test_a_connection_logs_in_with_the_password_that_it_prints(postfix: Postfix, certificates: Certificates) -> None:
    connections.save(made(python("print('s3cret')"), postfix, certificates))
    with connect("ops") as smtp:
        assert smtp.noop()[0] == 250


def test_a_connection_logs_in_with_the_token_that_it_prints(
    postfix: Postfix, dovecot: Dovecot, certificates: Certificates, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(dovecot.token("alice"))
    connections.save(made(f"cat {tmp_path / 'token'}", postfix, certificates, use_xoauth2=True))
    with connect("ops") as smtp:
        assert smtp.noop()[0] == 250


def test_what_was_never_saved_runs_nothing(postfix: Postfix, certificates: Certificates, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    with pytest.raises(OpenError, match="it is not saved"):
        connect(made(f"touch {ran}", postfix, certificates))
    assert not ran.exists()


@pytest.mark.parametrize("roots", [True, False])
def test_a_shared_connection_runs_a_program_only_where_root_alone_can_change_it(
    roots: bool,
    postfix: Postfix,
    certificates: Certificates,
    server_state: Path,
    monkeypatch: pytest.MonkeyPatch,
    own_config: Path,
) -> None:
    if not is_root():
        pytest.skip("only root makes what root owns")
    layer = server_state / f"layer-{roots}"
    connections.save(made(python("print('s3cret')"), postfix, certificates))
    mine = connections.where("ops").path
    shared = layer / "mailconn" / mine.name
    shared.parent.mkdir(parents=True)
    shared.write_bytes(mine.read_bytes())
    mine.unlink()
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(layer))
    if not roots:
        # The environment's owner may share connections; a program of theirs is another matter.
        os.chown(shared, 12345, -1)
        monkeypatch.setattr("mailconn_jupyter.store.layer.require_trusted", lambda *_: None)
    assert connections["ops"].shared
    if roots:
        with connect("ops") as smtp:
            assert smtp.noop()[0] == 250
    else:
        with pytest.raises(OpenError, match="others than you and root"):
            connect("ops")
