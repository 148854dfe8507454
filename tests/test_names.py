"""A connection's name: one rule for comparing it, one for its file, one for the line of a magic."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies

from mailconn_jupyter.names import decode, encode, fold


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
