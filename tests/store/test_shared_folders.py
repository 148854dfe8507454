"""Which shared folders count: absolute ones, and never the directory that a notebook happens to be in."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.sign import NotebookNotary

from mailconn_jupyter.commands.connection_views import connections_view
from mailconn_jupyter.commands.doctor import findings
from mailconn_jupyter.credentials.oauth import token_files
from mailconn_jupyter.credentials.oauth.identity import AccessToken
from mailconn_jupyter.documents.notebook_trust import is_trusted
from mailconn_jupyter.secret import Secret
from mailconn_jupyter.store import ConnectionStore, UnknownConnection, connections, last_tests
from mailconn_jupyter.transport.deadline import Limit
from tests.support.shells import keep
from tests.support.signing_in import identity_at

TRAP = {"name": "ops", "server_host": "evil.example", "username": "ana", "locked": True}


def put(folder: Path, file: str = "ops.json", **options: object) -> Path:
    """A shared file as somebody else would put it there."""
    (folder / "mailconn").mkdir(parents=True, exist_ok=True)
    path = folder / "mailconn" / file
    path.write_text(json.dumps(TRAP | options))
    path.chmod(0o644)
    return path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of a notebook that somebody sent, with a connection in it."""
    folder = tmp_path / "project"
    put(folder)
    for name in ("sub", "~", "~root", "$HOME"):
        put(folder / name)
    monkeypatch.chdir(folder)
    return folder


def told(store: ConnectionStore = connections) -> str:
    """What the list and the doctor say of problems, which must be the same."""
    listed = connections_view(store).notes
    doctored = [found for what, found in findings(store) if what == "PROBLEM"]
    assert [note for note in listed if "There is no mail server" not in note] == doctored
    return "\n".join(doctored)


ENTRIES: list[Callable[[Path], str]] = [
    lambda _: "",
    lambda _: ".",
    lambda _: "./",
    lambda _: "sub",
    lambda _: "../project",
    lambda _: "~",
    lambda _: "~/",
    lambda _: "~root",
    lambda _: "$HOME",
    lambda _: "/proc/self/cwd",
    lambda _: "/proc/self/cwd/sub",
    str,
    lambda folder: f"{folder}/",
    lambda folder: f"{folder}/sub/..",
]


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("place", ["{0}:/opt/cfg", "/opt/cfg:{0}", "/opt/cfg:{0}:/srv/cfg"])
def test_the_working_directory_is_no_administrators_folder(
    entry: Callable[[Path], str], place: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = entry(project)
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", place.format(given))
    with pytest.raises(UnknownConnection, match=r"'ops'\. .* is not used: ") as caught:
        connections["ops"]
    assert "JUPYTER_CONFIG_PATH" in str(caught.value)
    assert "evil.example" not in str(caught.value)
    assert list(connections) == []
    keep("ops")
    assert connections["ops"].server_host == "mail.example.org"
    problems = told()
    assert "JUPYTER_CONFIG_PATH" in problems
    assert "is not used" in problems
    assert "Set it to '/opt/cfg" in problems
    assert str(project) not in ":".join(str(layer) for layer in connections.layers)


def test_an_absolute_entry_beside_a_bad_one_counts(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    put(shared, server_host="hub.example")
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", f":{shared}")
    assert connections["ops"].server_host == "hub.example"
    assert f"Set it to '{shared}'." in told()


def test_a_folder_that_lies_below_the_working_directory_counts_by_its_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A notebook server that was started in / or in the home directory has every folder below it.
    put(tmp_path / "etc", server_host="hub.example")
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(tmp_path / "etc"))
    for directory in (tmp_path, Path("/")):
        monkeypatch.chdir(directory)
        assert connections["ops"].server_host == "hub.example"
        assert told() == ""


@pytest.mark.parametrize("given", [".", "sub", "~/cfg", "~"])
def test_a_relative_directory_of_ones_own_is_not_used_but_the_usual_one(
    given: str, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", given)
    monkeypatch.setenv("JUPYTER_DATA_DIR", given)
    assert connections.folder == home / ".jupyter" / "mailconn"
    assert last_tests.folder() == home / ".local" / "share" / "jupyter" / "mailconn" / "checks"
    assert list(connections) == []
    keep("new")
    assert list(connections) == ["new"]
    problems = told()
    for variable in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"):
        assert f"{variable} is {given!r}, which is not an absolute path" in problems
    # What somebody made there on purpose is found again by its whole path.
    assert f"export JUPYTER_CONFIG_DIR={project / given}" in problems.replace("'", "")
    if given in {".", "sub"}:
        with pytest.raises(UnknownConnection, match="JUPYTER_CONFIG_DIR"):
            connections["ops"]


def test_a_relative_base_directory_is_not_used_either(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("JUPYTER_DATA_DIR")
    monkeypatch.setenv("XDG_DATA_HOME", "sub")
    for _ in range(2):
        assert last_tests.folder() == home / ".local" / "share" / "jupyter" / "mailconn" / "checks"
        assert "XDG_DATA_HOME is 'sub', which is not an absolute path" in told()
    assert os.environ["XDG_DATA_HOME"] == "sub"
    assert "JUPYTER_DATA_DIR" not in os.environ


@pytest.mark.parametrize("given", [".", "sub"])
def test_the_working_directory_has_no_tokens_and_no_trust_either(
    given: str, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    data = tmp_path / "home" / ".local" / "share" / "jupyter"
    monkeypatch.setenv("JUPYTER_DATA_DIR", given)
    identity = identity_at("https://login.test")
    with token_files.locked(identity, Limit(5)):
        token = AccessToken(Secret("an-access-token"), time.time() + 3600)
        token_files.write(identity, Secret("the-refresh-token"), token, token_files.About(who="ana"))
    (file,) = (data / "mailconn" / "oauth").glob("*.json")
    assert token_files.read(identity, Secret("the-refresh-token")) == token
    token_files.forget_named("ops")
    assert not file.exists()
    # Who sends a notebook with a folder beside it can sign anything by a secret that is in the folder.
    theirs = Path(given).absolute()
    notary = NotebookNotary(data_dir=str(theirs))  # type: ignore[no-untyped-call]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x")])  # type: ignore[no-untyped-call]
    notary.sign(notebook)  # type: ignore[no-untyped-call]
    notary.store.close()
    assert {"nbsignatures.db", "notebook_secret"} <= {path.name for path in theirs.iterdir()}
    assert not is_trusted(notebook)
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(theirs))
    assert is_trusted(notebook)


def test_a_relative_folder_that_a_program_gives_is_not_used_either(project: Path, tmp_path: Path) -> None:
    store = ConnectionStore(tmp_path / "mine", [Path("mailconn"), Path("sub/mailconn")])
    assert list(store) == []
    assert "is not used" in told(store)
