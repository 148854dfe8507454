"""Bytes changed at random, the same way for the same seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

from .corpus import TOKENS

__all__ = ["mutated"]

_LONGEST: Final = 60_000


def mutated(seeds: Sequence[bytes], seed: int, tokens: Sequence[bytes] = TOKENS) -> bytes:
    """One of the seeds with a few changes: pieces put in, cut out, repeated, moved, or taken from another one."""
    chance = random.Random(seed)  # nothing is kept secret by it
    raw = chance.choice(seeds)
    for _ in range(chance.choice((1, 1, 2, 3, 5, 8))):
        raw = _change(raw, seeds, tokens, chance)[:_LONGEST]
    return raw


def _change(raw: bytes, seeds: Sequence[bytes], tokens: Sequence[bytes], chance: random.Random) -> bytes:
    start = chance.randint(0, len(raw))
    stop = min(len(raw), start + chance.choice((1, 4, 20, 100, 1000)))
    piece = raw[start:stop]
    match chance.randint(0, 7):
        case 0:
            return raw[:start] + chance.choice(tokens) + raw[start:]
        case 1:
            return raw[:start] + chance.choice(tokens) * chance.choice((2, 10, 300, 3000)) + raw[start:]
        case 2:
            return raw[:start] + raw[stop:]
        case 3:
            return raw[:start] + piece * chance.choice((2, 3, 50)) + raw[stop:]
        case 4:
            return raw[:start] + chance.randbytes(len(piece)) + raw[stop:]
        case 5:
            other = chance.choice(seeds)
            begin = chance.randint(0, len(other))
            return raw[:start] + other[begin : begin + chance.choice((10, 100, 5000))] + raw[stop:]
        case 6:
            return raw[:stop]
        case _:
            place = chance.randint(0, len(raw))
            return raw[:place] + piece + raw[place:]
