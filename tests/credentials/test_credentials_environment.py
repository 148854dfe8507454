"""Secrets from variables, and from the files that an orchestrator mounts."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from mailconn_jupyter.credentials import (
    resolve,
    where,
)
from mailconn_jupyter.errors import CredentialError
from tests.servers.require import is_root
from tests.support import credential_sources

shelf = credential_sources.shelf
secret_file = credential_sources.secret_file
pytestmark = pytest.mark.usefixtures("shelf")


def test_a_variable_that_is_set_to_nothing_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILCONN_OPS_PASSWORD", "")
    monkeypatch.setenv("MAILCONN_OPS_PASSWORD_FILE", "")
    assert where("ops") == ""
    with pytest.raises(CredentialError, match="No password is kept"):
        resolve("ops", ask=False)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"hunter2", "hunter2"),
        (b"hunter2\n", "hunter2"),
        (b"hunter2\r\n", "hunter2"),
        (b" hunter2 \n", " hunter2 "),
        ("\ufeffpäß\n".encode(), "päß"),
        (b"x" * 65536, "x" * 65536),
    ],
)
def test_a_secret_file_is_its_text_without_one_line_end(content: bytes, text: str, secret_file: Path) -> None:
    secret_file.write_bytes(content)
    assert resolve("ops").secret.reveal() == text


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"a\n\n", "contains a line break"),
        (b"a\nb", "contains a line break"),
        (b"a\0b", "or a NUL"),
        (b"p\xe4\xdf", "is not UTF-8"),
        (b"x" * 65537, "has 65537 bytes; at most 65536 are allowed"),
    ],
)
def test_a_secret_file_that_cannot_be_one_is_named_with_its_variable(
    content: bytes, problem: str, secret_file: Path
) -> None:
    secret_file.write_bytes(content)
    with pytest.raises(CredentialError) as caught:
        resolve("ops")
    assert caught.value.message.startswith(f"MAILCONN_OPS_PASSWORD_FILE: the file {secret_file} ")
    assert problem in caught.value.message
    assert caught.value.hint
    assert caught.value.__context__ is None


def test_a_secret_file_that_is_missing_or_no_file_is_named_with_its_variable(
    secret_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret_file.unlink()
    with pytest.raises(CredentialError, match=r"PASSWORD_FILE: the file .*a secret cannot be read \(No such file"):
        resolve("ops")
    monkeypatch.setenv("MAILCONN_OPS_PASSWORD_FILE", str(secret_file.parent))
    with pytest.raises(CredentialError, match="is not a regular file"):
        resolve("ops")
    if not hasattr(os, "mkfifo"):
        return
    # Without a writer this would block for ever.
    os.mkfifo(secret_file)
    monkeypatch.setenv("MAILCONN_OPS_PASSWORD_FILE", str(secret_file))
    with pytest.raises(CredentialError, match="is not a regular file"):
        resolve("ops")


@pytest.mark.parametrize("path", ["secret", "./secret", "../x/secret", "sub/../secret"])
def test_a_secret_file_is_not_looked_for_in_the_working_directory(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x" / "sub").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "x")
    Path("secret").write_bytes(b"of a stranger")
    Path("secret").chmod(0o600)
    monkeypatch.setenv("MAILCONN_OPS_PASSWORD_FILE", path)
    with pytest.raises(CredentialError) as caught:
        resolve("ops")
    assert caught.value.message.startswith(f"MAILCONN_OPS_PASSWORD_FILE is {path!r}, which is not an absolute path: ")
    assert caught.value.hint == "Give its full path, or unset the variable."
    monkeypatch.setenv("MAILCONN_OPS_PASSWORD_FILE", str(Path(path).absolute()))
    assert resolve("ops").secret.reveal() == "of a stranger"
    # The home directory is one place, wherever the notebook is.
    monkeypatch.setenv("HOME", str(tmp_path / "x"))
    monkeypatch.setenv("MAILCONN_OPS_PASSWORD_FILE", "~/secret")
    assert resolve("ops").secret.reveal() == "of a stranger"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_ones_own_secret_file_that_others_can_read_is_refused_with_the_chmod_that_mends_it(
    mode: int, secret_file: Path
) -> None:
    secret_file.chmod(mode)
    with pytest.raises(CredentialError, match="can be read by others") as caught:
        resolve("ops")
    assert caught.value.hint == f"Run: chmod go= '{secret_file}'"
    subprocess.run(["sh", "-c", caught.value.hint.removeprefix("Run: ")], check=True)
    assert resolve("ops").secret.reveal() == "of the file"


def test_a_secret_file_of_another_user_is_taken_as_the_orchestrator_mounts_it(secret_file: Path) -> None:
    if not is_root():
        pytest.skip("only root can give a file away")
    secret_file.chmod(0o444)
    os.chown(secret_file, 65534, 65534)
    assert resolve("ops").secret.reveal() == "of the file"


def test_a_secret_file_on_a_read_only_mount_is_taken_as_it_is(
    secret_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret_file.chmod(0o444)

    asked: list[int] = []

    class ReadOnly:
        f_flag = os.ST_RDONLY

    def fstatvfs(file: int) -> type[ReadOnly]:
        asked.append(file)
        return ReadOnly

    # A mount takes a privilege that tests seldom have.
    monkeypatch.setattr("os.fstatvfs", fstatvfs)
    assert resolve("ops").secret.reveal() == "of the file"
    assert len(asked) == 1


def test_no_frame_of_a_refused_file_or_variable_holds_what_it_held(
    secret_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret_file.write_bytes(b"hunter2\xff")
    for name, value in (("MAILCONN_OPS_PASSWORD_FILE", str(secret_file)), ("MAILCONN_OPS_PASSWORD", "hunter2\nx")):
        monkeypatch.setenv(name, value)
        with pytest.raises(CredentialError) as caught:
            resolve("ops")
        for entry in caught.traceback[1:]:
            assert "hunter2" not in repr(dict(entry.frame.f_locals))
        assert "hunter2" not in repr(caught.value.args)
