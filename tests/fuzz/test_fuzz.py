"""The fuzzers, bounded: the same cases each time, unless MAILCONN_FUZZ says how many others are to be tried."""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from mailconn_jupyter.connection import MailConnection
from tests.fuzz import composed_fields, header_values, received_messages, returned_messages, server_replies, store_json
from tests.fuzz.corpus import (
    CONVERSATIONS,
    FIELD_TOKENS,
    FOUND,
    FOUND_FIELDS,
    JSON_TOKENS,
    MESSAGES,
    NO_NUMBERS,
    STORED,
    VALUES,
    WORDS,
)
from tests.fuzz.mutations import mutated

ASKED = int(os.environ.get("MAILCONN_FUZZ", "0"))
BOUNDED = settings(
    max_examples=ASKED or 300,
    derandomize=not ASKED,
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
def test_a_mutated_bounce_is_read_whatever_it_is(seed: int) -> None:
    returned_messages.check(mutated(returned_messages.BOUNCES, seed))


@BOUNDED
@given(SEEDS)
def test_a_mutated_value_of_a_header_is_read_whatever_it_is(seed: int) -> None:
    header_values.check(mutated(VALUES, seed))


@BOUNDED
@given(strategies.binary(max_size=300))
def test_any_bytes_are_read(raw: bytes) -> None:
    received_messages.check(raw)
    header_values.check(raw)


@pytest.mark.parametrize("raw", FOUND_FIELDS.values(), ids=list(FOUND_FIELDS))
def test_what_was_found_once_in_what_is_given_is_mended(raw: bytes) -> None:
    composed_fields.check(raw)


@BOUNDED
@given(SEEDS)
def test_a_mutated_value_is_composed_or_refused_whatever_it_is(seed: int) -> None:
    # A long one takes half a second, and its length finds nothing.
    composed_fields.check(mutated(VALUES, seed, FIELD_TOKENS)[:2_000])


@pytest.mark.parametrize("raw", CONVERSATIONS, ids=lambda raw: raw.partition(b"\n")[0].decode())
def test_a_conversation_of_the_corpus_comes_to_its_end(raw: bytes) -> None:
    server_replies.check(raw)


@pytest.mark.parametrize("raw", [raw for raw in CONVERSATIONS if len(raw) > 700], ids=len)
@pytest.mark.parametrize("number", NO_NUMBERS, ids=len)
def test_a_number_of_a_servers_that_is_none_is_an_error_of_ours(number: bytes, raw: bytes) -> None:
    start = raw.index(b"\n")
    for found in re.finditer(rb"(?<![\w.])[0-9]+(?![\w.])", raw[start:]):
        server_replies.check(raw[: start + found.start()] + number + raw[start + found.end() :])


@BOUNDED
@given(SEEDS)
def test_a_session_has_a_result_or_an_error_of_ours_whatever_its_server_says(seed: int) -> None:
    server_replies.check(mutated(CONVERSATIONS, seed, WORDS))


@pytest.mark.parametrize("name", MailConnection.options())
def test_an_option_takes_or_refuses_whatever_json_can_hold(name: str) -> None:
    store_json.check_option(name)


@BOUNDED
@given(SEEDS)
def test_a_file_of_the_store_is_read_or_named_whatever_it_holds(seed: int) -> None:
    store_json.check(mutated(STORED, seed, JSON_TOKENS))
