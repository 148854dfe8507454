"""``autoload``: every session has the magic, and afterwards every file is as it was, byte for byte."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mailconn_jupyter.commands import COMMANDS
from mailconn_jupyter.errors import StoreError
from tests.support.shells import run_notebook


@pytest.fixture
def profile(own_config: Path) -> Path:
    return own_config.parent / "ipython" / "profile_default"


def said(**arguments: Any) -> str:
    return "\n".join(COMMANDS["autoload"].do(**arguments))


def files(folder: Path) -> dict[str, bytes | None]:
    """Every file and folder below, with what it holds."""
    return {str(path): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


def session(code: str, folder: Path) -> str:
    """What a session of IPython says, and what it complains of."""
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--no-banner", "--colors=NoColor", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    return done.stdout + done.stderr


PYTHON = b"# mine \xd0\xbf\xd0\xbe\r\nc = get_config()\nc.InteractiveShellApp.extensions = ['storemagic']\n"
JSON = b'{ "InteractiveShellApp":\t{"extensions": ["autoreload"]} }'
STARTUP = b"print('my own startup')\n"


def theirs(profile: Path) -> None:
    """A profile with all that a person may have in it."""
    (profile / "startup").mkdir(parents=True)
    (profile / "ipython_config.py").write_bytes(PYTHON)
    (profile / "ipython_config.json").write_bytes(JSON)
    (profile / "startup" / "00-mine.py").write_bytes(STARTUP)


def test_a_session_has_the_magic_after_on_and_none_after_off(profile: Path, tmp_path: Path) -> None:
    assert "not found" in session("%mailconn", tmp_path)
    assert "Each of your sessions now has the magic from the start" in said(state="on")
    for _ in range(2):
        assert "There is no mail server connection yet" in session("%mailconn", tmp_path)
        assert "Each of your sessions" in said(state="on")
    assert "autoload_mailconn" not in session("print(dir())", tmp_path)
    said(state="off")
    assert "not found" in session("%mailconn", tmp_path)
    assert said(state="off") == "It is already off."


def test_a_persons_own_configuration_counts_meanwhile_and_stays_byte_for_byte(profile: Path, tmp_path: Path) -> None:
    theirs(profile)
    before = files(profile)
    said(state="on")
    assert {path: content for path, content in files(profile).items() if path in before} == before
    ran = session("%mailconn", tmp_path)
    assert "my own startup" in ran
    assert "There is no mail server connection yet" in ran
    said(state="off")
    kept = files(profile)
    assert {path: kept.get(path) for path in before} == before
    assert not [path for path in kept if "mailconn" in path]


@pytest.mark.parametrize("made", ["", ".", "startup"])
def test_folders_that_were_made_for_it_go_and_others_stay(profile: Path, made: str) -> None:
    home = profile.parents[1]
    if made:
        (profile / made).mkdir(parents=True)
    before = files(home)
    said(state="on")
    assert files(home) != before
    said(state="off")
    assert files(home) == before


def test_what_a_person_has_changed_is_left_alone(profile: Path) -> None:
    said(state="on")
    file = profile / "startup" / "50-mailconn.py"
    file.write_text(file.read_text(encoding="utf-8") + "print('and more')\n", encoding="utf-8")
    before = files(profile)
    for state in ("on", "off"):
        with pytest.raises(StoreError, match="has been changed since it was written"):
            said(state=state)
    assert files(profile) == before


def test_it_says_how_it_is_and_what_else_loads_it(profile: Path) -> None:
    assert said().splitlines()[0].startswith("For you it is off: ")
    said(state="on")
    (profile / "ipython_config.py").write_text('c.InteractiveShellApp.extensions = ["mailconn_jupyter"]\n')
    first, everybody, other = said().splitlines()
    assert first.startswith("For you it is on: ")
    assert everybody.startswith("For everybody in this environment it is off: ")
    assert other.endswith("ipython_config.py mentions mailconn_jupyter as well.")


def test_a_session_without_the_package_starts_in_silence(profile: Path, tmp_path: Path) -> None:
    said(state="on")
    (profile / "startup" / "00-hide.py").write_text("import sys\nsys.modules['mailconn_jupyter'] = None\n")
    assert session("print('well')", tmp_path) == "well\n"


def test_what_lies_beside_a_notebook_is_not_run_at_its_start(profile: Path, tmp_path: Path) -> None:
    (tmp_path / "mailconn_jupyter.py").write_text("print('hostile')\n")
    said(state="on")
    ran = session("%mailconn", tmp_path)
    assert "hostile" not in ran
    assert "There is no mail server connection yet" in ran


def test_for_everybody_it_is_a_file_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, profile: Path
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "env"))
    (tmp_path / "env").mkdir()
    before = files(tmp_path)
    said(state="on", sys_prefix=True)
    file = tmp_path / "env" / "etc" / "ipython" / "startup" / "50-mailconn.py"
    assert file.stat().st_mode & 0o777 == 0o644
    assert file.parent.stat().st_mode & 0o777 == 0o755
    assert not profile.exists()
    start = f"import sys; sys.prefix = {str(tmp_path / 'env')!r}; import IPython; IPython.start_ipython(sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", start, "--no-banner", "-c", "%mailconn"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert "There is no mail server connection yet" in done.stdout + done.stderr
    said(state="off", sys_prefix=True)
    assert files(tmp_path) == before


@pytest.mark.parametrize("named", ["", "ipython", "./x"])
def test_a_profile_in_whatever_folder_a_notebook_is_in_is_refused(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPYTHONDIR", named)
    with pytest.raises(StoreError, match=r"IPYTHONDIR is .*which is not an absolute path"):
        said(state="on")


def test_a_folder_that_cannot_be_written_to_is_said_in_a_line(profile: Path) -> None:
    profile.parent.mkdir(parents=True)
    profile.write_text("a file")
    with pytest.raises(StoreError, match="cannot be written"):
        said(state="on")
    assert profile.read_text() == "a file"


def test_a_notebook_has_it_too(profile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Where the tests run, the package may be what lies there, which is not loaded.
    monkeypatch.chdir(tmp_path)
    said(state="on")
    outputs, failure = run_notebook(["%mailconn"], folder=tmp_path)
    assert failure == ""
    assert "There is no mail server connection yet" in str(outputs)
