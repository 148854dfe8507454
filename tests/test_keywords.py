"""A misspelt keyword is told with the one that was meant, and with the function that was called."""

from __future__ import annotations

import inspect
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.errors import MailConnError, OptionError, UnknownKeyword
from mailconn_jupyter.keywords import public


@public
def told(target: str, /, password: str = "", *content: object, sender: str = "", rows: int = 0) -> str:
    return f"{target} {password} {content} {sender} {rows}"


def refusal(call: Any, *values: Any, **named: Any) -> UnknownKeyword:
    with pytest.raises(UnknownKeyword) as info:
        call(*values, **named)
    return info.value


@pytest.mark.parametrize(
    ("keyword", "message"),
    [
        ("row", "told() has no keyword 'row'. Did you mean 'rows'?"),
        ("Sender", "told() has no keyword 'Sender'. Did you mean 'sender'?"),
        ("from_addr", "told() has no keyword 'from_addr'. Did you mean 'sender'?"),
        ("secret", "told() has no keyword 'secret'. Did you mean 'password'?"),
        ("target", "told() has no keyword 'target'."),
        ("zzz", "told() has no keyword 'zzz'."),
    ],
)
def test_the_function_and_the_keyword_that_was_meant_are_named(keyword: str, message: str) -> None:
    assert refusal(told, "ops", **{keyword: "x"}).message == message


def test_it_is_what_callers_of_python_and_of_this_package_catch() -> None:
    error = refusal(told, "ops", row=3)
    assert isinstance(error, TypeError)
    assert isinstance(error, OptionError)
    assert isinstance(error, MailConnError)
    assert error.trait == "row"


def test_what_is_right_goes_through_with_its_signature_and_name() -> None:
    assert told("ops", "x", 1, 2, rows=3) == "ops x (1, 2)  3"
    assert list(inspect.signature(told).parameters) == ["target", "password", "content", "sender", "rows"]
    assert pickle.loads(pickle.dumps(told)) is told


def test_what_is_missing_is_told_in_one_line_and_is_pythons_own_error_too() -> None:
    call: Any = told
    with pytest.raises(
        TypeError, match="told\\(\\) is missing its target\\.\nCall it like this: told\\(target, "
    ) as info:
        call()
    assert isinstance(info.value, MailConnError)


def everything_shown(error: BaseException) -> str:
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def test_no_frame_below_the_callers_own_shows_a_password_that_was_given_with_it() -> None:
    @public
    def fails(name: str, password: str, proxy: bool = False) -> None:
        password = "********"
        raise MailConnError(f"No: {name} {password} {proxy}.")

    call: Any = fails
    options: Any = MailConnection(name="ops")
    acts: list[Callable[[], object]] = [
        lambda: call("ops", "gehe" + "im", prox=True),
        lambda: call(name="ops", pasword="gehe" + "im"),
        lambda: call("ops", "gehe" + "im"),
        lambda: type(options)(name="ops", pasword="gehe" + "im"),
        lambda: options.update(pasword="gehe" + "im"),
        lambda: options.copy(pasword="gehe" + "im"),
    ]
    for act in acts:
        with pytest.raises(MailConnError) as info:
            act()
        shown = everything_shown(info.value)
        assert "known = " in shown or "self = " in shown or "name = 'ops'" in shown
        assert "geheim" not in shown
