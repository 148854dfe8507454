"""The words on the screen: no text of the package has what no native speaker would write, and every error is a sentence."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator

from tests.support.screen_texts import HERE, shown_texts, written
from tests.test_errors import classes

# Each was found in an error, and mended everywhere; beside it what is said now.
UNSAID = (
    r"\b(?:is|are) not ones?[.;]",  # is malformed, is not a mailbox file
    r"\b(?:is|are) none of\b",  # is not one of
    r"\bsays? nothing\b",  # must be
    r"\bmessage has \{[^}]*\}(?:;|,| and)",  # is 30.0 MB
    r"\bonce more\b",  # again
    r"\bsays? more of\b",  # about
    r"\b(?:limit|most|deadline|pattern) is an? ",  # must be
    r"\bis there already\b",  # already exists
    r"[a-z]  [a-z]",
    r"[a-z] [.,;](?:\s|$)",
)


def raised() -> Iterator[tuple[str, str]]:
    """Where an error is raised with a text of its own, and the text; some are made of other things than their message."""
    others = {kind.__name__ for kind in classes() if "message" not in inspect.signature(kind).parameters}
    names = {kind.__name__ for kind in classes()} - others
    for path in sorted(HERE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(call := node.exc, ast.Call):
                kind = call.func.id if isinstance(call.func, ast.Name) else ""
                if kind in names and call.args and (text := written(call.args[0])) is not None:
                    yield f"{path.relative_to(HERE).as_posix()}:{node.lineno}", text


def test_no_text_has_what_no_native_speaker_would_write() -> None:
    assert [shown for shown in shown_texts() if re.search("|".join(UNSAID), shown.text)] == []


def test_every_error_is_a_sentence_with_its_stop() -> None:
    found = dict(raised())
    assert len(found) > 200
    assert {place: text for place, text in found.items() if text[-1] not in ".?!}"} == {}
