"""The messages of a batch, one after the other: what is taken, and what is left for the next batch."""

from __future__ import annotations

from collections.abc import Iterator

from mailconn_jupyter.delivery.many.numbered import Numbered


class Made:
    """Ten messages, each made when it is asked for."""

    def __len__(self) -> int:
        return 10

    def __iter__(self) -> Iterator[str]:
        return map(str, range(10))


def taken(numbered: Numbered, count: int) -> set[int]:
    """The places of the next ones."""
    return {next(numbered)[0] for _ in range(count)}


def test_what_is_left_after_several_batches_counts_each_message_once() -> None:
    for messages in (Made(), [str(number) for number in range(10)]):
        numbered = Numbered(messages)
        left = [numbered.left]
        for count in (2, 3, 1):
            numbered.take_up(taken(numbered, count))
            left.append(numbered.left)
        assert left == [10, 8, 5, 4]


def test_a_message_that_comes_up_again_in_the_next_batch_is_not_subtracted_twice() -> None:
    numbered = Numbered(Made())
    first = taken(numbered, 4)
    numbered.take_up(first)
    numbered.take_up(first | taken(numbered, 2))
    assert numbered.left == 4
    assert [number for number, _ in numbered] == [6, 7, 8, 9]
