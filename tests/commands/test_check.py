"""``check``: what is wrong with files of connections, before users have them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mailconn_jupyter.commands import COMMANDS
from mailconn_jupyter.commands.wrong_usage import WrongUsage
from mailconn_jupyter.console.run_line import main
from mailconn_jupyter.errors import StoreError
from tests.servers.require import is_root

GOOD = {"name": "ops", "server_host": "mail.example.org", "username": "${JUPYTERHUB_USER}", "use_authentication": True}


def file(folder: Path, name: str = "ops", **more: Any) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(GOOD | {"name": name} | more), encoding="utf-8")
    return path


def checked(*paths: Path, installed: bool = False) -> list[str]:
    """What is said of them, with the error last."""
    lines = COMMANDS["check"].do(files=[str(path) for path in paths], installed=installed)
    said: list[str] = []
    while True:
        try:
            said.append(next(lines))
        except StopIteration:
            return said
        except StoreError as error:
            return [*said, error.message]


def test_good_files_are_good_whatever_their_variables_are(tmp_path: Path) -> None:
    file(tmp_path / "mailconn", locked=True, _comment="for everybody")
    file(tmp_path / "mailconn", "relay", use_authentication=False)
    assert checked(tmp_path / "mailconn") == ["2 files: no problems."]
    assert checked(tmp_path / "mailconn" / "ops.json") == ["1 file: no problems."]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"user_name": "ana"}, "Unknown key 'user_name'; it is not used. Did you mean 'username'?"),
        ({"password": "correct-horse"}, "'password' is a secret, which does not belong in a file"),
        ({"server_port": 70000}, "It is not used: Server port: 70000 is not a port."),
        ({"username": None}, "Username: missing; a login needs a user."),
        ({"locked": "yes"}, '"locked" is neither true nor false'),
        ({"server_host": None}, "Server host: missing"),
        ({"format": 9}, "of a newer version"),
    ],
)
def test_what_is_wrong_is_a_line_that_names_the_file_and_fails(tmp_path: Path, more: dict[str, Any], said: str) -> None:
    path = file(tmp_path / "mailconn", **more)
    lines = checked(path)
    assert lines[0].startswith(f"{path}: ")
    assert said in lines[0]
    assert "correct-horse" not in "".join(lines)
    assert lines[-1] == f"{len(lines) - 1} problem{'s' * (len(lines) > 2)} in 1 file."


def test_what_is_risky_is_a_note_and_no_failure(tmp_path: Path) -> None:
    path = file(tmp_path / "mailconn", trusted_hosts="*")
    lines = checked(path)
    assert lines[0].startswith(f"{path}: note: trusted_hosts is *")
    assert lines[-1] == "1 file: no problems."


def test_two_files_of_one_name_and_one_that_is_no_json_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "mailconn"
    file(folder)
    file(folder, "other").write_text(json.dumps(GOOD), encoding="utf-8")
    (folder / "third.json").write_text("{", encoding="utf-8")
    lines = checked(folder)
    assert "has the same connection name 'ops'" in lines[0]
    assert "it is not JSON" in lines[1]
    assert lines[-1] == "2 problems in 3 files."


def test_it_is_a_step_of_ci_by_its_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = file(tmp_path / "good"), file(tmp_path / "bad", password="correct-horse")
    assert main(["check", str(good), str(tmp_path / "good")]) == 0
    assert main(["check", str(good), str(bad)]) == 1
    captured = capsys.readouterr()
    assert f"{bad}: 'password' is a secret" in captured.out
    assert "1 problem in 2 files." in captured.err
    assert "correct-horse" not in captured.out + captured.err
    assert main(["check", str(tmp_path / "none.json")]) == 2
    assert main(["check"]) == 2
    (tmp_path / "empty").mkdir()
    assert main(["check", str(tmp_path / "empty")]) == 1


def test_what_is_missing_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match=r"there is no .*none\.json"):
        checked(tmp_path / "none.json")


@pytest.mark.skipif(not is_root(), reason="pytest's folders are nobody else's only where root owns them")
def test_where_they_are_installed_it_is_asked_who_could_change_them(tmp_path: Path) -> None:
    path = file(tmp_path / "mailconn")
    path.chmod(0o666)
    assert checked(path) == ["1 file: no problems."]
    assert "everybody can change" in checked(path, installed=True)[0]
    path.chmod(0o644)
    assert checked(path, installed=True) == ["1 file: no problems."]
    path.parent.chmod(0o777)
    assert "everybody can" in checked(path, installed=True)[0]
