"""A connection's name: one rule for comparing it, one for its file, one for the line of a magic."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, strategies

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.credentials import forget, remember, resolve, set_password, where
from mailconn_jupyter.names import decode, encode, fold
from mailconn_jupyter.store import connections
from tests.support import credential_sources
from tests.support.credential_sources import SERVICE
from tests.support.keyring_backends import Raising, Shelf, using

shelf = credential_sources.shelf


@given(strategies.text(min_size=1, max_size=200))
def test_an_encoded_name_is_a_safe_file_name_and_says_the_name_again(name: str) -> None:
    stem = encode(name)
    assert set(stem) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_ %ABCDEF~")
    assert len(stem) <= 180
    assert stem == stem.strip()
    if "~" not in stem and "\ufffd" not in decode(stem):
        assert fold(decode(stem)) == fold(name)


@given(strategies.text(max_size=60), strategies.text(max_size=60))
def test_two_names_share_a_file_only_when_they_are_the_same_connection(one: str, two: str) -> None:
    assert (encode(one) == encode(two)) == (fold(one) == fold(two))


@pytest.mark.parametrize("name", ["con", "PRN", "aux", "NUL", "com1", "LPT9", "COM0"])
def test_a_device_of_windows_is_encoded(name: str) -> None:
    assert encode(name) == f"%{ord(name[0].lower()):02X}{name[1:].lower()}"
    assert decode(encode(name)) == name.lower()


def test_names_that_are_cut_stay_apart() -> None:
    stems = {encode("🚀" * 199 + last) for last in "abc"}
    assert len(stems) == 3
    assert all(len(stem) <= 180 for stem in stems)


def old_key(name: str) -> str:
    """What the keyring knew a connection by before there was one rule."""
    return unicodedata.normalize("NFC", name.strip()).casefold()


ONCE_APART = [
    character
    for character in map(chr, range(0x110000))
    if not "\ud800" <= character <= "\udfff" and fold(character) != old_key(character)
]


def test_a_folded_name_is_folded() -> None:
    apart = [chr(point) for point in range(0x110000) if fold(fold(chr(point))) != fold(chr(point))]
    assert apart == []
    assert len(ONCE_APART) == 26


@pytest.mark.parametrize("name", [*ONCE_APART, "J\u030cak", "Ῥόδος"])
def test_a_connection_that_is_found_has_its_password_found(name: str, shelf: Shelf) -> None:
    connections.save(MailConnection(name=name, server_host="mail.example.org"))
    for spelling in (name, name.upper(), unicodedata.normalize("NFD", name)):
        assert fold(connections[spelling].name) == fold(name)
        set_password(name, "of the keyring")
        assert resolve(spelling, ask=False).secret.reveal() == "of the keyring"
        assert forget(spelling) == []
        remember(name, "typed")
        assert resolve(spelling, ask=False).secret.reveal() == "typed"
        assert forget(spelling) == []
        assert where(name) == ""
    assert shelf.kept == {}


def test_what_the_keyring_has_under_the_key_of_before_is_used_and_moved_on(shelf: Shelf) -> None:
    for name in ONCE_APART:
        shelf.kept[SERVICE, old_key(name)] = f"of {fold(name)}"
    for name in ONCE_APART:
        assert resolve(name, ask=False).secret.reveal() == f"of {fold(name)}"
    assert shelf.kept == {(SERVICE, fold(name)): f"of {fold(name)}" for name in ONCE_APART}


def test_what_is_set_anew_or_forgotten_leaves_nothing_under_the_key_of_before(shelf: Shelf) -> None:
    for name in ONCE_APART:
        shelf.kept[SERVICE, old_key(name)] = "older"
        set_password(name, "new")
    assert shelf.kept == {(SERVICE, fold(name)): "new" for name in ONCE_APART}
    for name in ONCE_APART:
        shelf.kept[SERVICE, old_key(name)] = "older"
        assert forget(name) == []
    assert shelf.kept == {}


def test_a_keyring_that_takes_nothing_more_still_gives_what_it_has_under_the_key_of_before() -> None:
    with using(Raising(RuntimeError, "set")) as backend:
        backend.kept[SERVICE, old_key("Ῥόδος")] = "kept"
        assert resolve("Ῥόδος", ask=False).secret.reveal() == "kept"
        assert backend.kept == {(SERVICE, old_key("Ῥόδος")): "kept"}
