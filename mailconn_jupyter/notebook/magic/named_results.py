"""The names in a line of ``%mailconn send``: which connection is meant, if one is named, and the results to send."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from ...formatting import did_you_mean
from ...store import connections
from ..usage_error import UsageError
from .expand import Code, Word, evaluate, expand

__all__ = ["connection_and_results"]

_ADDRESS: Final = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


def connection_and_results(
    words: Sequence[Word], namespace: Mapping[str, Any], said: Callable[..., str] = expand
) -> tuple[str | None, list[Any]]:
    """The connection that the first word names, None when it names none, and the values of the others.

    ``said`` expands their texts. What is both, a connection and a variable, is the connection: in braces it is the
    variable. Raises :class:`~mailconn_jupyter.notebook.usage_error.UsageError` when the first word is neither.
    """
    if not words:
        return None, []
    name, value = _first(words[0], namespace)
    rest = [_value(word, namespace, said) for word in words[1:]]
    return (name, rest) if name else (None, [value, *rest])


def _value(word: Word, namespace: Mapping[str, Any], said: Callable[..., str] = expand) -> Any:
    try:
        return evaluate(word, namespace, said)
    except UsageError as error:
        raise _of_address(word) or error from error.__cause__


def _of_address(word: Word) -> UsageError | None:
    """The error where a recipient stands in the place of a result; None where the word is no address."""
    # With an at sign Python multiplies matrices, so this is asked for what is no result.
    if word.quoted or not _ADDRESS.fullmatch(word.written):
        return None
    return UsageError(
        f"{word.written} is an address, but a result is expected here.",
        hint='Several recipients: --to ana@example.org --to bea@example.org, or --to "ana@example.org, bea@example.org"',
    )


def _first(word: Word, namespace: Mapping[str, Any]) -> tuple[str, Any]:
    """The connection of that name, or an empty text and the value."""
    if len(word) == 1 and isinstance(word[0], Code) and not word.quoted:
        value = evaluate(word, namespace)
        return (value, None) if isinstance(value, str) and value in connections else ("", value)
    name = _name(word, namespace)
    if name in connections:
        return name, None
    near = did_you_mean(name, list(connections))
    if word.quoted:
        if near:
            # Sent as a text, it would be a mail to everybody about a slip of the author's.
            raise UsageError(
                f"There is no connection {name!r}.{near}",
                hint='A text to send comes after the name of a connection: %mailconn send NAME ... "A text."',
            )
        return "", name
    try:
        return "", evaluate(word, namespace)
    except UsageError as error:
        if (recipient := _of_address(word)) is not None:
            raise recipient from error
        reason = error.message.removeprefix(f"{word.written}: ")
        raise UsageError(
            f"There is no connection {name!r}.{near} Nor is it a result: {reason}", hint=error.hint
        ) from error


def _name(word: Word, namespace: Mapping[str, Any]) -> str:
    try:
        return expand(word, namespace)
    except UsageError:
        if word.quoted:
            raise
        # Braces of Python's own, as in f({1: 2}).
        return word.written
