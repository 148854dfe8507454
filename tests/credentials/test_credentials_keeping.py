"""Setting, moving and forgetting: a secret follows its connection, and stays behind nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailconn_jupyter.credentials import (
    forget,
    forget_password,
    move,
    remember,
    resolve,
    set_password,
    where,
)
from tests.support import credential_sources
from tests.support.credential_sources import PROXY_SERVICE, SERVICE
from tests.support.keyring_backends import Raising, Shelf, encrypted, using
from tests.support.leaks import caught, password

shelf = credential_sources.shelf
pytestmark = pytest.mark.usefixtures("shelf")


def test_what_was_typed_before_does_not_hide_the_password_that_is_set(shelf: Shelf) -> None:
    remember("ops", "an older one")
    set_password("ops", password())
    assert resolve("ops").secret.reveal() == password()


def test_setting_a_password_says_when_the_environment_comes_first(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILCONN_OPS_PASSWORD", "of the environment")
    assert set_password("ops", password()) == (
        "in the keyring (keyring backends Shelf), but one from the environment (MAILCONN_OPS_PASSWORD) comes first"
    )


def test_moving_takes_both_secrets_along_and_leaves_none_of_another(tmp_path: Path) -> None:
    with using(encrypted(tmp_path)):
        set_password("ops", password())
        set_password("new", "of a connection that is gone", proxy=True)
        move("ops", "new")
        assert resolve("new").secret.reveal() == password()
        assert where("ops") == where("new", kind="proxy") == ""
        set_password("new", "proxy's", proxy=True)
        move("new", "NEW")
        move("NEW", "ops")
        assert resolve("ops", kind="proxy").secret.reveal() == "proxy's"
        assert where("new") == where("new", kind="proxy") == ""


def test_a_move_copies_both_before_it_deletes_either(shelf: Shelf) -> None:
    set_password("ops", password())
    set_password("ops", "proxy's", proxy=True)
    shelf.log.clear()
    move("ops", "new")
    assert shelf.log == ["set new", "set new", "delete ops", "delete ops"]


@pytest.mark.parametrize(
    ("step", "service", "user"),
    [
        ("get", SERVICE, "ops"),
        ("get", PROXY_SERVICE, "new"),
        ("set", SERVICE, "new"),
        ("set", PROXY_SERVICE, "new"),
        ("delete", SERVICE, "ops"),
        ("delete", PROXY_SERVICE, "ops"),
    ],
)
def test_when_the_keyring_fails_in_the_midst_of_a_move_nothing_has_moved(step: str, service: str, user: str) -> None:
    backend = Raising(RuntimeError, service=service, user=user)
    before = {(SERVICE, "ops"): password(), (PROXY_SERVICE, "ops"): "proxy's", (SERVICE, "new"): "older"}
    backend.kept.update(before)
    remember("ops", "typed")
    with using(backend):
        backend.steps.add(step)
        assert "failed (RuntimeError)" in caught(lambda: move("ops", "new")).message
        assert backend.kept == before
        assert (where("ops"), resolve("ops").source) == ("in this kernel only", "this kernel")


def test_forgetting_removes_both_secrets_wherever_they_are(shelf: Shelf) -> None:
    set_password("ops", password())
    set_password("ops", "proxy's", proxy=True)
    set_password("new", "stays")
    remember("ops", password())
    assert forget("OPS") == []
    assert shelf.kept == {(SERVICE, "new"): "stays"}
    assert where("ops") == ""
    assert forget("ops") == []


def test_one_password_is_forgotten_and_the_other_stays(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    set_password("ops", password())
    set_password("ops", "proxy's", proxy=True)
    remember("ops", password())
    assert forget_password("OPS") == ""
    assert (where("ops"), resolve("ops", kind="proxy").secret.reveal()) == ("", "proxy's")
    monkeypatch.setenv("MAILCONN_OPS_PROXY_PASSWORD", "of the environment")
    assert forget_password("ops", proxy=True) == "from the environment (MAILCONN_OPS_PROXY_PASSWORD)"
    assert shelf.kept == {}
    assert forget_password(" ") == ""


def test_a_password_that_the_keyring_does_not_delete_is_an_error_and_gone_from_this_kernel() -> None:
    with using(Raising(RuntimeError, "delete", service=SERVICE)):
        set_password("ops", password())
        remember("ops", "typed")
        assert "failed (RuntimeError)" in caught(lambda: forget_password("ops")).message
        assert resolve("ops").secret.reveal() == password()


def test_forgetting_tells_what_may_still_be_there() -> None:
    backend = Raising(RuntimeError, "delete", service=PROXY_SERVICE)
    with using(backend):
        set_password("ops", password())
        set_password("ops", "proxy's", proxy=True)
        [sentence] = forget("ops")
        assert sentence.startswith("The keyring (keyring backends Raising) failed (RuntimeError). ")
        assert sentence.endswith("The proxy password for 'ops' may still be there.")
        assert list(backend.kept) == [(PROXY_SERVICE, "ops")]
