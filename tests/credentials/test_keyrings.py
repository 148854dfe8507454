"""The keyring is believed only as far as it can be: safe backends, read back, with an end to waiting."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keyring.backends.fail
import keyring.backends.null
import pytest
from keyring.errors import InitError, KeyringError, KeyringLocked, PasswordSetError

from mailconn_jupyter.credentials import (
    Kind,
    Secret,
    forget,
    keyring_call,
    keyring_status,
    move,
    resolve,
    set_password,
    where,
)
from mailconn_jupyter.errors import MailConnWarning
from tests.servers.require import require
from tests.support import credential_sources
from tests.support.credential_sources import PROXY_SERVICE, SERVICE
from tests.support.keyring_backends import (
    Lying,
    PlainTextShelf,
    Raising,
    Shelf,
    Sleeping,
    chain,
    encrypted,
    plain,
    using,
)
from tests.support.leaks import caught, password

shelf = credential_sources.shelf
pytestmark = pytest.mark.usefixtures("shelf")


def test_an_encrypted_file_keeps_a_password_and_its_proxy_password_apart(tmp_path: Path) -> None:
    with using(encrypted(tmp_path)):
        assert set_password("Größe 1", password()) == "in the keyring (cryptfile CryptFile)"
        assert set_password("Größe 1", "another", proxy=True) == "in the keyring (cryptfile CryptFile)"
        found = resolve("gRÖSSE 1", ask=False)
        assert (found.secret.reveal(), found.source) == (password(), "keyring")
        assert resolve("Größe 1", kind="proxy").secret == Secret("another")
        assert where("Größe 1") == where("Größe 1", kind="proxy") == "in the keyring (cryptfile CryptFile)"
        assert keyring_status() == (True, "Passwords are kept in the keyring (cryptfile CryptFile).")
    assert password() not in (tmp_path / "encrypted.cfg").read_text()


def test_a_password_in_the_keyring_is_under_the_name_in_small_letters(shelf: Shelf) -> None:
    set_password("Ops", password())
    set_password("Ops", "another", proxy=True)
    assert shelf.kept == {(SERVICE, "ops"): password(), (PROXY_SERVICE, "ops"): "another"}


def untyped(backend: Any) -> Any:
    return backend()


@pytest.mark.parametrize(
    ("backend", "reason"),
    [
        (lambda _: untyped(keyring.backends.fail.Keyring), "no backend is installed, or none can be reached"),
        (lambda _: untyped(keyring.backends.null.Keyring), "keyring's null backend discards what it is given"),
        (plain, "the backend file Plaintext keeps passwords in plain text"),
        (lambda folder: chain(plain(folder)), "the backend file Plaintext keeps passwords in plain text"),
        (lambda _: PlainTextShelf(), "the backend keyring backends PlainTextShelf keeps passwords in plain text"),
        (lambda _: chain(), "no backend is installed"),
    ],
    ids=["fail", "null", "plain", "chain-of-plain", "plain-by-name", "empty-chain"],
)
def test_without_a_safe_keyring_a_password_stays_in_this_kernel_and_nothing_is_written(
    backend: Callable[[Path], Any], reason: str, tmp_path: Path
) -> None:
    with using(backend(tmp_path)):
        kept = set_password("ops", password())
        assert kept.startswith(f"in this kernel only: there is no safe keyring here ({reason}); ")
        assert "set MAILCONN_OPS_PASSWORD (or MAILCONN_OPS_PASSWORD_FILE)" in kept
        assert "pip install keyrings.cryptfile" in kept
        assert resolve("ops").source == "this kernel"
        assert where("ops") == "in this kernel only"
        usable, sentence = keyring_status()
        assert not usable
        assert reason in sentence
        move("ops", "new")
        assert where("new") == "in this kernel only"
        assert forget("new") == []
        assert where("new") == ""
    assert list(tmp_path.iterdir()) == []


def test_a_password_in_a_plain_text_keyring_is_not_even_read(tmp_path: Path) -> None:
    with using(plain(tmp_path)) as backend:
        backend.set_password(SERVICE, "ops", password())
        assert where("ops") == ""
        error = caught(lambda: resolve("ops", ask=False))
        assert error.message == "No password is kept for 'ops'."


def test_of_a_chain_the_first_safe_backend_is_used_and_the_plain_one_gets_nothing(tmp_path: Path) -> None:
    with using(chain(plain(tmp_path), encrypted(tmp_path))):
        assert set_password("ops", password()) == "in the keyring (cryptfile CryptFile)"
        assert resolve("ops").secret.reveal() == password()
    assert not (tmp_path / "plain.cfg").exists()


def test_a_wrapper_around_a_plain_text_keyring_is_refused_as_well(tmp_path: Path) -> None:
    from keyrings.alt.multi import MultipartKeyringWrapper  # noqa: PLC0415  # registers itself with keyring

    with using(MultipartKeyringWrapper(plain(tmp_path))):
        assert not keyring_status()[0]


def test_among_the_backends_that_are_installed_here_the_encrypted_file_is_chosen(tmp_path: Path) -> None:
    code = "from mailconn_jupyter.credentials import keyring_status; print(keyring_status())"
    hidden = {"DBUS_SESSION_BUS_ADDRESS", "PYTHON_KEYRING_BACKEND", "XDG_RUNTIME_DIR"}
    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    environment = {name: value for name, value in os.environ.items() if name not in hidden} | home
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert "(True, 'Passwords are kept in the keyring (cryptfile CryptFile); it asks for a password of its own" in (
        done.stdout
    )


def test_a_backend_that_cannot_be_loaded_is_an_error_that_says_where_it_is_chosen() -> None:
    code = """
        from mailconn_jupyter.credentials import keyring_status, resolve
        print(keyring_status())
        resolve("ops")
    """
    environment = os.environ | {"PYTHON_KEYRING_BACKEND": "no.such.Keyring"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "(False, 'The keyring failed (ModuleNotFoundError) while it was being loaded.')" in done.stdout
    assert "PYTHON_KEYRING_BACKEND" in done.stderr


def test_a_locked_file_is_not_asked_for_its_password_where_nobody_is(tmp_path: Path) -> None:
    with using(encrypted(tmp_path)):
        set_password("ops", password())
    with using(encrypted(tmp_path, locked=True)):
        assert where("ops") == ""
        for ask in (True, False):
            error = caught(lambda ask=ask: resolve("ops", ask=ask))  # type: ignore[misc]
            assert "The keyring (cryptfile CryptFile) is locked with its own password" in error.message
            assert "MAILCONN_OPS_PASSWORD" in error.hint
        assert len(forget("ops")) == len(Kind)


def test_a_locked_file_is_unlocked_by_whoever_can_be_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(question: str = "", stream: io.TextIOBase | None = None) -> str:
        return "of the keyring itself"

    with using(encrypted(tmp_path)):
        set_password("ops", password())
    # As a kernel does while a cell runs.
    monkeypatch.setattr("getpass.getpass", answer)
    with using(encrypted(tmp_path, locked=True)):
        assert resolve("ops").secret.reveal() == password()
        assert where("ops") == "in the keyring (cryptfile CryptFile)"


def test_a_keyring_that_does_not_answer_is_waited_for_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring_call, "PATIENCE", 0.2)
    with using(Sleeping()):
        error = caught(lambda: set_password("ops", password()))
        assert error.message == "The keyring (keyring backends Sleeping) has not answered within 0.2 s."
        assert where("ops") == ""


def test_while_a_keyring_hangs_the_next_calls_wait_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring_call, "PATIENCE", 1.2)
    monkeypatch.setattr(keyring_call, "SHORT_PATIENCE", 0.01)
    with using(Sleeping()):
        said = [caught(lambda: resolve("ops", ask=False)).message for _ in range(2)]
        assert [words.partition("within ")[2] for words in said] == ["1.2 s.", "0.01 s."]


def test_a_keyring_that_stores_something_else_is_not_believed() -> None:
    with using(Lying()) as backend:
        error = caught(lambda: set_password("ops", password()))
        assert "returned a different password from the one it was given" in error.message
        assert backend.kept == {}
        assert where("ops") == ""


ERRORS = [
    KeyringLocked,
    InitError,
    PasswordSetError,
    KeyringError,
    RuntimeError,
    OSError,
    SystemExit,
    KeyboardInterrupt,
]


# What a locked one does not take stays in the kernel.
@pytest.mark.parametrize("error", [error for error in ERRORS if error is not KeyringLocked])
@pytest.mark.parametrize("step", ["set", "get"])
def test_an_error_of_the_keyring_while_setting_does_not_tell_the_password(
    step: str, error: type[BaseException]
) -> None:
    with using(Raising(error, step, "delete")):
        told = caught(lambda: set_password("ops", password()))
        assert told.message.startswith("The keyring (keyring backends Raising) ")
        assert told.hint
        assert where("ops") == ""


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_of_the_keyring_while_reading_does_not_tell_the_password(error: type[BaseException]) -> None:
    with using(Raising(error, "get")) as backend:
        backend.kept[SERVICE, "ops"] = password()
        assert "MAILCONN_OPS_PASSWORD" in caught(lambda: resolve("ops")).hint
        assert where("ops") == ""


def test_the_words_for_an_error_are_those_of_its_kind() -> None:
    with using(Raising(KeyringLocked, "get")):
        assert caught(lambda: resolve("ops")).message == "The keyring (keyring backends Raising) is locked."
    with using(Raising(PermissionError, "get")):
        assert "failed (PermissionError)" in caught(lambda: resolve("ops")).message


def test_what_is_refused_by_set_password_is_in_no_frame_of_the_traceback(shelf: Shelf) -> None:
    assert "line break" in caught(lambda: set_password("ops", password() + "\r\nMAIL FROM:<x@example.org>")).message
    assert "line break or a NUL" in caught(lambda: set_password("ops", password() + "\0")).message
    assert "is not UTF-8" in caught(lambda: set_password("ops", password() + "\udcff")).message
    assert "is not text" in caught(lambda: set_password("ops", password().encode())).message  # type: ignore[arg-type]
    assert "is empty" in caught(lambda: set_password("ops", "")).message
    assert "the name is empty" in caught(lambda: set_password(" ", password())).message
    assert shelf.kept == {}


def test_someone_who_can_be_asked_makes_up_for_a_keyring_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(question: str) -> str:
        return password()

    monkeypatch.setattr("getpass.getpass", answer)
    with using(Raising(KeyringLocked, "get")), pytest.warns(MailConnWarning, match="is locked. So the password"):
        assert resolve("ops").source == "prompt"


def test_a_password_with_a_line_break_in_the_keyring_is_not_sent(shelf: Shelf) -> None:
    shelf.kept[SERVICE, "ops"] = password() + "\r\n"
    assert "in the keyring contains a line break" in caught(lambda: resolve("ops")).message


def test_keyring_is_imported_only_when_a_secret_is_looked_for() -> None:
    code = "import sys, mailconn_jupyter.credentials; print('keyring' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout.strip() == b"False"


def test_the_secret_service_of_a_desktop_keeps_a_password(tmp_path: Path) -> None:
    pytest.importorskip("secretstorage")
    require("dbus-run-session")
    require("gnome-keyring-daemon")
    code = """
        from mailconn_jupyter.credentials import forget, keyring_status, move, resolve, set_password, where
        print(keyring_status()[1])
        print(set_password("ops", "hunter2"), set_password("ops", "hunter3", proxy=True))
        move("ops", "new")
        print(where("ops"), where("new"), where("new", kind="proxy"))
        print(resolve("new").secret.reveal(), resolve("new", kind="proxy").secret.reveal())
        print(forget("new"), where("new"), where("new", kind="proxy"))
    """
    (tmp_path / "use.py").write_text(textwrap.dedent(code))
    script = f'printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null && "{sys.executable}" use.py'
    home = {name: str(tmp_path) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR")}
    environment = os.environ | home | {"PYTHON_KEYRING_BACKEND": "keyring.backends.SecretService.Keyring"}
    done = subprocess.run(
        ["dbus-run-session", "--", "sh", "-c", script],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "Passwords are kept in the keyring (SecretService).",
        "in the keyring (SecretService) in the keyring (SecretService)",
        " in the keyring (SecretService) in the keyring (SecretService)",
        "hunter2 hunter3",
        "[]  ",
    ]
