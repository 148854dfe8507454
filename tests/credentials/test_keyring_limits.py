"""What a keyring cannot take: a secret that is too long for it, and any secret while it is locked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from keyring.errors import KeyringLocked

from mailconn_jupyter.credentials import forget, move, resolve, set_password, where
from mailconn_jupyter.errors import MailConnWarning
from mailconn_jupyter.notebook.form.draft import Draft
from mailconn_jupyter.secret import Kind, Secret
from tests.support import credential_sources, shells
from tests.support.credential_sources import SERVICE
from tests.support.keyring_backends import Raising, Shelf, Vault, encrypted, using
from tests.support.leaks import caught, password
from tests.support.shells import Shell

shelf = credential_sources.shelf
shell = shells.shell
clean_up = shells.clean_up
pytestmark = pytest.mark.usefixtures("shelf")

TOKENS = ["a" * 1281, "x" * 3000, "пароль" * 500, "🔑" * 1000, "".join(chr(33 + n % 90) for n in range(16_000))]


@pytest.mark.parametrize("token", TOKENS, ids=len)
def test_a_secret_that_is_too_long_for_the_keyring_is_kept_in_parts(token: str) -> None:
    with using(Vault()) as vault:
        assert set_password("ops", token) == "in the keyring (keyring backends Vault)"
        assert resolve("ops", ask=False).secret.reveal() == token
        assert where("ops") == "in the keyring (keyring backends Vault)"
        assert len(vault.kept) > 2
        move("ops", "new")
        assert resolve("new", ask=False).secret.reveal() == token
        assert where("ops") == ""
        assert forget("new") == []
        assert vault.kept == {}


def test_a_secret_that_fits_is_kept_whole(shelf: Shelf) -> None:
    set_password("ops", "x" * 5000)
    assert shelf.kept == {(SERVICE, "ops"): "x" * 5000}
    with using(Vault()) as vault:
        set_password("ops", "x" * 1280)
        assert vault.kept == {(SERVICE, "ops"): "x" * 1280}


def test_parts_are_replaced_whole_by_parts_and_by_a_short_secret() -> None:
    with using(Vault()) as vault:
        for token in ("a" * 4000, "b" * 2000, "c" * 9000):
            set_password("ops", token)
            assert resolve("ops", ask=False).secret.reveal() == token
        set_password("ops", "short")
        assert vault.kept == {(SERVICE, "ops"): "short"}


@pytest.mark.parametrize("step", range(1, 9))
def test_a_keyring_that_fails_amid_the_parts_keeps_the_secret_of_before(step: int) -> None:
    with using(Vault()) as vault:
        set_password("ops", "a" * 3000)
        before = dict(vault.kept)
        vault.fails_after = step
        error = caught(lambda: set_password("ops", password() * 200))
        vault.fails_after = None
        assert "keyring backends Vault" in error.message
        assert resolve("ops", ask=False).secret.reveal() in {"a" * 3000, password() * 200}
        assert before.items() <= vault.kept.items() or resolve("ops", ask=False).secret.reveal() == password() * 200


def test_a_part_that_is_gone_is_no_password() -> None:
    with using(Vault()) as vault:
        set_password("ops", "a" * 3000)
        gone = next(place for place in vault.kept if place != (SERVICE, "ops"))
        del vault.kept[gone]
        assert where("ops") == ""
        caught(lambda: resolve("ops", ask=False))
        set_password("ops", "b" * 3000)
        assert resolve("ops", ask=False).secret.reveal() == "b" * 3000


def test_what_is_typed_while_the_keyring_is_locked_and_nobody_can_be_asked_is_kept_in_this_kernel(
    tmp_path: Path,
) -> None:
    with using(encrypted(tmp_path, locked=True)):
        with pytest.warns(MailConnWarning, match="is locked with its own password, and there is nobody to ask") as told:
            kept = set_password("ops", password())
        assert kept == "in this kernel only, as the keyring (cryptfile CryptFile) is locked"
        assert "kept in this kernel only" in str(told[0].message)
        assert "MAILCONN_OPS_PASSWORD" in str(told[0].message)
        assert resolve("ops", ask=False).source == "this kernel"
        backend = encrypted(tmp_path)
        assert backend.get_password(SERVICE, "ops") is None


def test_a_keyring_that_says_itself_that_it_is_locked_is_no_other() -> None:
    with using(Raising(KeyringLocked, "set", "get")) as backend:
        with pytest.warns(MailConnWarning, match="is locked"):
            assert set_password("ops", password()).startswith("in this kernel only")
        assert resolve("ops", ask=False).secret.reveal() == password()
        assert backend.kept == {}


def test_an_older_secret_does_not_hide_one_that_the_locked_keyring_did_not_take(tmp_path: Path) -> None:
    with using(encrypted(tmp_path)):
        set_password("ops", "older")
    with using(encrypted(tmp_path, locked=True)):
        with pytest.warns(MailConnWarning, match="locked"):
            set_password("ops", password())
        assert resolve("ops", ask=False).secret.reveal() == password()


def test_the_magic_and_the_form_say_so(tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shells.keep("ops", username="ana")

    def answer(question: str = "", stream: Any = None) -> str:
        assert "Password for 'ops'" in question
        return password()

    with using(encrypted(tmp_path, locked=True)):
        with monkeypatch.context() as patch:
            patch.setattr("mailconn_jupyter.credentials.keyring_choice.may_ask", lambda: False)
            patch.setattr("getpass.getpass", answer)
            with pytest.warns(MailConnWarning, match="is locked with its own password"):
                ran = shell.ok("%mailconn password ops")
        assert "is kept in this kernel only" in ran.text
        draft = Draft.of("ops")
        draft.secrets[Kind.PASSWORD] = Secret(password())
        with pytest.warns(MailConnWarning, match="locked"):
            said = draft.save()
        assert ("warn", "Password in this kernel only, as the keyring (cryptfile CryptFile) is locked.") in said
        assert draft.secrets == {}
