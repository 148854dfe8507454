"""The private parts of others that the package relies on are still there, called as they are called here.

One that fails with a new version of Python, pandas or IPython says where to look before anybody meets it.
"""

from __future__ import annotations

import email.headerregistry
import imaplib
import inspect
from collections.abc import Callable
from email.policy import SMTP
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

imaplib_parts = {
    "_connect": ["self"],
    "_command": ["self", "name", "args"],
    "_command_complete": ["self", "name", "tag"],
    "_get_capabilities": ["self"],
    "_get_response": ["self"],
    "_get_tagged_response": ["self", "tag", "expect_bye"],
    "_new_tag": ["self"],
    "_simple_command": ["self", "name", "args"],
}


def parameters(function: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(function).parameters)


@pytest.mark.parametrize(("name", "expected"), imaplib_parts.items(), ids=imaplib_parts)
def test_imaplib_is_called_as_here(name: str, expected: list[str]) -> None:
    # A later version may add what has a default: IDLE came with 3.14.
    found = inspect.signature(getattr(imaplib.IMAP4, name)).parameters
    assert list(found)[: len(expected)] == expected
    assert all(part.default is not inspect.Parameter.empty for part in list(found.values())[len(expected) :])


def test_a_header_that_was_read_has_the_tree_that_it_is_folded_by() -> None:
    header: Any = email.headerregistry.HeaderRegistry()("To", "Ana <ana@example.org>")
    assert str(header._parse_tree) == "Ana <ana@example.org>"
    assert SMTP.fold("To", header) == "To: Ana <ana@example.org>\r\n"


def test_a_styler_has_the_methods_that_its_first_rows_are_made_by() -> None:
    styler = pytest.importorskip("pandas.io.formats.style").Styler
    assert parameters(styler._apply)[:4] == ["self", "func", "axis", "subset"]
    assert parameters(styler._map)[:3] == ["self", "func", "subset"]
    assert parameters(styler._update_ctx) == ["self", "attrs"]
    assert "idx_lengths" in parameters(styler._translate_body)


def test_ipython_shows_a_traceback_where_a_cell_hides_it() -> None:
    assert parameters(InteractiveShell._showtraceback) == ["self", "etype", "evalue", "stb"]


def test_jinja_fails_for_what_is_not_defined_by_the_method_that_an_empty_cell_uses() -> None:
    undefined = pytest.importorskip("jinja2").Undefined
    assert parameters(undefined._fail_with_undefined_error)[0] == "self"
