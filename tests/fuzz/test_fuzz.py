"""The fuzzers, bounded: the same cases each time, unless MAILCONN_FUZZ says how many others are to be tried."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from tests.fuzz import header_values, received_messages
from tests.fuzz.corpus import FOUND, MESSAGES, VALUES
from tests.fuzz.mutations import mutated

ASKED = int(os.environ.get("MAILCONN_FUZZ", "0"))
BOUNDED = settings(
    max_examples=ASKED or 300,
    derandomize=not ASKED,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
SEEDS = strategies.integers(0, 2**40)


@pytest.mark.parametrize("raw", FOUND.values(), ids=list(FOUND))
def test_what_was_found_once_is_mended(raw: bytes) -> None:
    received_messages.check(raw)
    header_values.check(raw)


@BOUNDED
@given(SEEDS)
def test_a_mutated_message_is_read_whatever_it_is(seed: int) -> None:
    received_messages.check(mutated(MESSAGES, seed))


@BOUNDED
@given(SEEDS)
def test_a_mutated_value_of_a_header_is_read_whatever_it_is(seed: int) -> None:
    header_values.check(mutated(VALUES, seed))


@BOUNDED
@given(strategies.binary(max_size=300))
def test_any_bytes_are_read(raw: bytes) -> None:
    received_messages.check(raw)
    header_values.check(raw)
