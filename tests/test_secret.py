"""A secret shows itself to nobody but who asks it to."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest

from mailconn_jupyter.credentials import Credential, Secret

TEXT = "hunter2-ü"


def test_a_secret_gives_its_text_when_asked() -> None:
    assert Secret(TEXT).reveal() == TEXT


@pytest.mark.parametrize("show", [repr, str, format, "{:>12}".format, "{!r:s}".format, ascii, "%s %r".__mod__])
def test_a_secret_shows_stars_however_it_is_printed(show: Any) -> None:
    shown = show((Secret(TEXT),) * 2) if show == "%s %r".__mod__ else show(Secret(TEXT))
    assert "****" in shown
    assert "hunter2" not in shown


def test_the_repr_of_a_credential_shows_its_source_and_no_secret() -> None:
    assert repr(Credential(Secret(TEXT), "keyring")) == "Credential(secret=********, source='keyring')"


def test_no_attribute_of_a_secret_is_its_text() -> None:
    secret = Secret(TEXT)
    with pytest.raises(TypeError):
        vars(secret)
    for name in dir(secret):
        assert "hunter2" not in repr(getattr(secret, name, ""))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_cannot_be_pickled(protocol: int) -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(Secret(TEXT), protocol)


def test_a_secret_has_no_state_and_no_json() -> None:
    with pytest.raises(TypeError):
        Secret(TEXT).__getstate__()
    with pytest.raises(TypeError):
        json.dumps({"password": Secret(TEXT)})


def test_a_copy_of_a_secret_is_the_secret_itself() -> None:
    secret = Secret(TEXT)
    assert copy.copy(secret) is secret
    assert copy.deepcopy({"password": secret})["password"] is secret


def test_secrets_are_equal_by_their_text_and_to_nothing_else() -> None:
    assert Secret(TEXT) == Secret("hunter2-" + "ü")
    assert Secret(TEXT) != Secret("hunter3-ü")
    assert Secret(TEXT) != TEXT
    assert Secret("\udcff") != Secret("\udcfe")
    with pytest.raises(TypeError, match="unhashable"):
        hash(Secret(TEXT))


def test_an_empty_secret_is_false() -> None:
    assert not Secret("")
    assert Secret(" ")


def test_only_a_text_or_a_secret_becomes_a_secret() -> None:
    assert Secret.of(TEXT) == Secret(TEXT)
    assert Secret.of(Secret(TEXT)) == Secret(TEXT)
    assert Secret.of(None) is None
    assert Secret.of(b"hunter2") is None
    assert Secret.decode(b"\xff") is None
    assert Secret.decode(b"\xef\xbb\xbfhunter2") == Secret("hunter2")


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("", "is empty"),
        ("a\rb", "line break"),
        ("a\n", "line break"),
        ("a\0b", "NUL"),
        ("a\udcffb", "not UTF-8"),
        ("päß wörd\t", ""),
    ],
)
def test_a_text_that_no_login_can_send_has_a_flaw(text: str, flaw: str) -> None:
    found = Secret(text).flaw()
    assert flaw in found
    assert bool(found) is bool(flaw)
