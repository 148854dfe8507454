"""Keys that no connection has, and secrets in a file: told, never used, and never shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mailconn_jupyter.commands import COMMANDS
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.store import ConnectionStore

FILE: dict[str, Any] = {"name": "ops", "server_host": "mail.example.org", "username": "ana", "use_authentication": True}


@pytest.fixture
def store(tmp_path: Path) -> ConnectionStore:
    (tmp_path / "own").mkdir(mode=0o700)
    (tmp_path / "shared").mkdir()
    return ConnectionStore(tmp_path / "own", [tmp_path / "shared"])


def told(store: ConnectionStore, layer: str = "shared", **more: Any) -> list[str]:
    file = store.folder.parent / layer / "ops.json"
    file.write_text(json.dumps(FILE | more), encoding="utf-8")
    file.chmod(0o600)
    assert store["ops"].server_host == "mail.example.org"
    return [problem.message for problem in store.problems()]


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("user_name", "username"),
        ("userName", "username"),
        ("serverHost", "server_host"),
        ("host", "server_host"),
        ("port", "server_port"),
        ("user", "username"),
        ("lockd", "locked"),
        ("use_athentication", "use_authentication"),
        ("ca-file", "ca_file"),
    ],
)
def test_an_unknown_key_in_a_shared_file_is_told_with_the_one_that_was_meant(
    store: ConnectionStore, key: str, meant: str
) -> None:
    assert told(store, **{key: "x"}) == [f"Unknown key '{key}'; it is not used. Did you mean '{meant}'?"]


@pytest.mark.parametrize("key", ["password", "Passwort_password", "proxy_password", "client_secret", "apikey", "pwd"])
def test_a_secret_in_a_shared_file_is_told_as_what_it_is_and_not_shown(store: ConnectionStore, key: str) -> None:
    [said] = told(store, **{key: "correct-horse"})
    assert said == (
        f"'{key}' is a secret, which does not belong in a file; it is not used. Remove it, change it on the server, and "
        "set MAILCONN_OPS_PASSWORD (or MAILCONN_OPS_PASSWORD_FILE)."
    )


def test_it_is_the_same_in_a_file_of_the_users_own_with_the_way_that_is_theirs(store: ConnectionStore) -> None:
    said = told(store, "own", password="correct-horse", locked=True, user_name="x")
    assert said[0].endswith("and run %mailconn password ops.")
    assert said[1:] == [
        "'locked' only has an effect in a shared file.",
        "Unknown key 'user_name'; it is not used. Did you mean 'username'?",
    ]


def test_a_command_that_prints_its_own_argument_is_a_secret_in_a_file(store: ConnectionStore) -> None:
    [said] = told(store, password_command="/bin/echo correct-horse")
    assert "a secret in the file" in said
    assert "correct-horse" not in said
    assert told(store, password_command="cat /run/secrets/ops") == []


def test_remarks_and_our_own_keys_are_not_told(store: ConnectionStore) -> None:
    assert told(store, _comment="for the whole team", format=1, sandbox="x", password="", locked=True) == [
        "Unknown key 'password'; it is not used."
    ]


def test_a_very_long_key_is_cut(store: ConnectionStore) -> None:
    long: dict[str, Any] = {"k" * 100_000: 1}
    [said] = told(store, **long)
    assert len(said) < 200


def test_unknown_keys_survive_a_rewrite_all_the_same(store: ConnectionStore) -> None:
    told(store, "own", user_name="x", later={"a": 1})
    store.update("ops", server_port=25)
    said = json.loads((store.folder / "ops.json").read_text(encoding="utf-8"))
    assert (said["user_name"], said["later"], said["server_port"]) == ("x", {"a": 1}, 25)


def test_the_doctor_and_the_list_tell_of_it(own_config: Path) -> None:
    folder = own_config / "mailconn"
    folder.mkdir(parents=True, mode=0o700)
    file = folder / "ops.json"
    file.write_text(json.dumps(FILE | {"user_name": "x", "password": "correct-horse"}), encoding="utf-8")
    file.chmod(0o600)
    for name in ("doctor", "list"):
        [view] = COMMANDS[name].do()
        assert "Did you mean 'username'?" in repr(view)
        assert "is a secret, which does not belong in a file" in repr(view)
        assert "correct-horse" not in repr(view) + view._repr_html_()


def test_what_a_connection_made_in_python_has_is_no_concern_of_a_file() -> None:
    assert MailConnection(**FILE).unknown == {}
