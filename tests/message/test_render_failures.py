"""An exception in a message: named, and shown with its place."""

from __future__ import annotations

import pytest

from mailconn_jupyter.message.render import render


def test_a_syntax_error_is_named_once_and_shown_with_its_place() -> None:
    with pytest.raises(SyntaxError) as caught:
        compile("x = (1,\ndef", "cell", "exec")
    part = render(caught.value)
    assert part.text.startswith("SyntaxError: '(' was never closed\n\n")
    assert 'File "cell", line 1' in part.text
    assert part.text.count("was never closed") == 2


def test_a_group_of_exceptions_keeps_its_tree() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        raise ExceptionGroup("two", [ValueError("a"), KeyError("b")])
    lines = render(caught.value).text.split("\n")
    assert "  + Exception Group Traceback (most recent call last):" in lines
    assert "    | ValueError: a" in lines
    assert not [line for line in lines if set(line) <= set(" |^~") and "^" in line]
