"""A person is asked where there is one, without echo; where there is none, the error says what to do."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient

from mailconn_jupyter.credentials import (
    may_ask,
    resolve,
    set_password,
    where,
)
from mailconn_jupyter.errors import CredentialError
from tests.support import credential_sources
from tests.support.credential_sources import WITHOUT_KEYRING, answer_with

shelf = credential_sources.shelf
pytestmark = pytest.mark.usefixtures("shelf")


def test_the_question_names_the_secret_the_connection_and_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    questions = answer_with("hunter2", monkeypatch)
    assert resolve("Ops", user="ana").source == "prompt"
    resolve("Ops", kind="proxy")
    assert questions == ["Password for 'Ops' (user ana): ", "Proxy password for 'Ops': "]
    # It may be wrong: the session remembers it after the login.
    assert where("ops") == ""


def test_an_answer_that_is_empty_or_no_password_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    answer_with("", monkeypatch)
    with pytest.raises(CredentialError, match="The password for 'ops' is empty"):
        resolve("ops")
    with pytest.raises(CredentialError, match="The password for 'ops' is empty"):
        set_password("ops")


def test_nobody_is_asked_from_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    answer_with("hunter2", monkeypatch)
    outcomes: list[object] = [may_ask()]

    def run() -> None:
        outcomes.append(may_ask())
        try:
            resolve("ops")
        except CredentialError as error:
            outcomes.append(error.message)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert outcomes == [True, False, "No password is kept for 'ops', and there is nobody to ask here."]


def test_where_nobody_can_be_asked_the_error_says_what_to_do() -> None:
    code = "from mailconn_jupyter.credentials import resolve; resolve('my ops', kind='proxy')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | WITHOUT_KEYRING,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 1
    assert done.stderr.endswith(
        "CredentialError: No proxy password is kept for 'my ops', and there is nobody to ask here.\n"
        'Run %mailconn password "my ops" --proxy, '
        "or set MAILCONN_MY_OPS_PROXY_PASSWORD (or MAILCONN_MY_OPS_PROXY_PASSWORD_FILE).\n"
    )


def test_in_a_terminal_the_password_is_asked_for_and_not_echoed() -> None:
    code = """
        from mailconn_jupyter.credentials import resolve
        found = resolve("ops")
        print(found, len(found.secret.reveal()))
    """
    master, terminal = pytest.importorskip("pty").openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=os.environ | WITHOUT_KEYRING,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    shown = b""
    try:
        while b"Password for 'ops': " not in shown:
            shown += os.read(master, 1024)
        os.write(master, b"hunter2\n")
        while True:
            try:
                more = os.read(master, 1024)
            except OSError:
                # The other end is closed.
                break
            if not more:
                break
            shown += more
    finally:
        process.kill()
        process.wait()
        os.close(master)
    assert b"Credential(secret=********, source='prompt') 7" in shown
    assert b"hunter2" not in shown


@pytest.fixture
def kernel_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in WITHOUT_KEYRING.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))


def test_a_notebook_that_runs_without_a_person_fails_with_what_to_do(kernel_environment: None) -> None:
    cell = nbformat.v4.new_code_cell("from mailconn_jupyter.credentials import resolve\nresolve('ops')")  # type: ignore[no-untyped-call]
    notebook = nbformat.v4.new_notebook(cells=[cell])  # type: ignore[no-untyped-call]
    NotebookClient(notebook, timeout=60, allow_errors=True).execute()
    [output] = notebook.cells[0].outputs
    assert output["output_type"] == "error"
    assert output["traceback"] == [
        "CredentialError: No password is kept for 'ops', and there is nobody to ask here.",
        "Run %mailconn password ops, or set MAILCONN_OPS_PASSWORD (or MAILCONN_OPS_PASSWORD_FILE).",
    ]


@pytest.fixture
def kernel(kernel_environment: None) -> Iterator[Any]:
    manager, client = start_new_kernel(startup_timeout=60)
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run(client: Any, code: str, answers: list[str]) -> tuple[str, list[dict[str, Any]]]:
    """All that the cell shows, and the questions that it asks."""
    shown: list[str] = []
    questions: list[dict[str, Any]] = []

    def show(message: dict[str, Any]) -> None:
        if message["msg_type"] in ("stream", "execute_result", "error"):
            shown.append(str(message["content"]))

    def answer(message: dict[str, Any]) -> None:
        questions.append(message["content"])
        client.input(answers.pop(0))

    client.execute_interactive(textwrap.dedent(code), allow_stdin=True, stdin_hook=answer, output_hook=show, timeout=60)
    return "\n".join(shown), questions


def test_in_a_notebook_the_password_is_asked_for_as_a_password(kernel: Any) -> None:
    shown, questions = run(
        kernel,
        """
        from mailconn_jupyter.credentials import remember, resolve, set_password, where
        print(set_password("ops"))
        print(where("ops"), resolve("ops"), resolve("ops", kind="proxy"))
        """,
        ["hunter2", "hunter3"],
    )
    assert questions == [
        {"prompt": "Password for 'ops': ", "password": True},
        {"prompt": "Proxy password for 'ops': ", "password": True},
    ]
    assert "in this kernel only: there is no safe keyring here" in shown
    assert "source='this kernel'" in shown
    assert "source='prompt'" in shown
    assert "hunter" not in shown


def test_with_xmode_verbose_no_traceback_in_a_notebook_shows_the_password(kernel: Any) -> None:
    shown, _ = run(
        kernel,
        r"""
        %xmode Verbose
        from mailconn_jupyter.credentials import resolve, set_password
        set_password("ops")
        """,
        ["hunter2\n\r"],
    )
    assert "contains a line break" in shown
    again, _ = run(kernel, "%tb", [])
    assert "set_password" in again
    assert "hunter2" not in shown + again


def test_a_terminal_that_cannot_hide_what_is_typed_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    import getpass  # noqa: PLC0415  # named as the module under test names it

    def visible(question: str) -> str:
        warnings.warn("Can not control echo on the terminal.", getpass.GetPassWarning, stacklevel=2)
        return "hunter2"

    monkeypatch.setattr("getpass.getpass", visible)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(CredentialError, match="there is nobody to ask here"):
            resolve("ops")


def test_importing_the_room_loads_no_network_no_widget_and_no_keyring() -> None:
    code = """
        import sys
        import mailconn_jupyter.credentials
        print({"ssl", "socket", "smtplib", "ipywidgets", "keyring", "IPython"} & set(sys.modules))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
