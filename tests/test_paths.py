"""Paths as people write them, at every place that takes one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailconn_jupyter import MailConnection, load_connections, send_notebook
from mailconn_jupyter.commands import COMMANDS
from mailconn_jupyter.commands.wrong_usage import WrongUsage
from mailconn_jupyter.errors import MailConnError
from mailconn_jupyter.message.compose import compose
from mailconn_jupyter.message.letterhead import framed
from mailconn_jupyter.message.smime.own_key import OwnKey
from mailconn_jupyter.message.template import Template
from mailconn_jupyter.paths import expanded, relative
from mailconn_jupyter.secret import Secret
from mailconn_jupyter.session.smime_files import folder_of_others
from tests.servers.require import is_root

STRANGER = "~nosuch-user/x"


def test_a_home_directory_stands_for_its_sign_and_an_unknown_one_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expanded("~/a") == tmp_path / "a"
    assert expanded(STRANGER) == Path(STRANGER)
    assert expanded("a/~") == Path("a/~")
    assert expanded("~\0/b") == Path("~\0/b")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/etc/x", ""),
        ("x", "ca_file is 'x', which is not an absolute path: it would mean something else in each directory"),
        (STRANGER, "ca_file is '~nosuch-user/x', but there is no user 'nosuch-user' here"),
    ],
)
def test_a_path_that_is_not_whole_is_told_with_its_reason(path: str, said: str) -> None:
    assert relative("ca_file", path).startswith(said)
    assert bool(relative("ca_file", path)) == bool(said)


def no_passphrase() -> Secret:
    raise AssertionError


def check() -> object:
    return list(COMMANDS["check"].do(files=[STRANGER]))


def with_signature() -> object:
    with framed(f"{STRANGER}.md"):
        return compose("ana@example.org", "Churn", "Hello.")


def status_with_a_profile_of_nobodys() -> object:
    return list(COMMANDS["autoload"].do(state="on"))


@pytest.mark.parametrize(
    "act",
    [
        check,
        with_signature,
        status_with_a_profile_of_nobodys,
        lambda: load_connections(STRANGER),
        lambda: load_connections(f"{STRANGER}.json", "hop"),
        lambda: OwnKey.read(STRANGER, "", no_passphrase),
        lambda: folder_of_others(MailConnection(name="ops", server_host="relay", smime_folder=STRANGER)),
        lambda: compose("ana@example.org", "Churn", "Hello.", attachments=STRANGER),
        lambda: compose("ana@example.org", "Churn", Template(Path(STRANGER))),
        lambda: send_notebook("ops", "ana@example.org", f"{STRANGER}.ipynb"),
    ],
    ids=range(10),
)
def test_a_home_of_nobodys_is_one_clear_line_wherever_a_path_is_given(
    act: Callable[[], Any], own_config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPYTHONDIR", STRANGER)
    with pytest.raises((MailConnError, WrongUsage)) as caught:
        act()
    assert "~nosuch-user" in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.skipif(not is_root(), reason="only root can be another user")
def test_what_lies_in_a_folder_that_may_not_be_looked_into_raises_nothing_of_pythons(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "mailconn").mkdir(parents=True)
    closed.chmod(0o700)
    script = """
import os, sys
from mailconn_jupyter import load_connections, send_notebook
from mailconn_jupyter.commands import COMMANDS
from mailconn_jupyter.errors import MailConnError
from mailconn_jupyter.message.template import Template

closed = sys.argv[1]
os.environ["IPYTHONDIR"] = closed
acts = [
    lambda: list(COMMANDS["check"].do(files=[f"{closed}/mailconn"])),
    lambda: list(COMMANDS["autoload"].do()),
    lambda: list(COMMANDS["autoload"].do(state="on")),
    lambda: load_connections(f"{closed}/mailconn", "hop"),
    lambda: Template(f"{closed}/a.md"),
    lambda: send_notebook("ops", "ana@example.org", f"{closed}/a.ipynb"),
]
os.setgroups([])
os.setuid(1001)
for act in acts:
    try:
        act()
    except MailConnError as error:
        print(error.message.replace(closed, "closed"))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(closed)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "%mailconn check: there is no closed/mailconn.",
        "closed/profile_default/startup/50-mailconn.py cannot be written: Permission denied.",
        "closed/mailconn cannot be read: Permission denied.",
        "There is no notebook 'closed/a.ipynb'.",
    ]
