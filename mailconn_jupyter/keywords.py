"""Keywords that a function does not have: the one that was meant is named, and the function that was called."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from inspect import CO_VARARGS
from typing import Any, Final, TypeVar

from .errors import UnknownKeyword
from .formatting import did_you_mean

__all__ = ["checked", "public", "unknown_keyword"]

F = TypeVar("F", bound=Callable[..., Any])

#: What smtplib and others call it.
_ELSEWHERE: Final = {
    "from_addr": "sender",
    "from_": "sender",
    "to_addrs": "to",
    "receivers": "to",
    "recipients": "to",
    "name_or_connection": "target",
    "secret": "password",
    "files": "attachments",
    "filename": "attachments",
    "filenames": "attachments",
}
#: What others call the content, which has no name here.
_CONTENT: Final = frozenset({"body", "content", "contents", "html", "message", "msg", "text"})
_SECRET: Final = re.compile("passw|passphrase|token|secret")
#: What takes one; what is about one, such as a command that prints it, does not.
_TAKES_SECRET: Final = re.compile("(passw(or)?d|passphrase|token|secret)$")


def public(function: F) -> F:
    """Let a misspelt keyword, or one that is missing, raise :class:`~mailconn_jupyter.errors.UnknownKeyword`.

    Signature and types stay.
    """
    code = function.__code__
    return checked(function, code.co_varnames[code.co_posonlyargcount : code.co_argcount + code.co_kwonlyargcount])


def checked(function: F, known: Sequence[str], also: Mapping[str, str] | None = None) -> F:
    """:func:`public` for the keywords ``known``; ``also`` maps further words to the one of those that is meant."""
    # A class is called by its own name, a method as it is written behind its object.
    called = function.__qualname__.removesuffix(".__init__").rpartition(".")[2]
    code = function.__code__
    needed = code.co_varnames[: code.co_argcount - len(function.__defaults__ or ())]
    rest = code.co_varnames[code.co_argcount + code.co_kwonlyargcount] if code.co_flags & CO_VARARGS else ""
    # As it is written; an object's own method has its object before the dot.
    shown = (
        f"{called}({', '.join([*(name for name in needed if name != 'self'), *([f'*{rest}'] if rest else [])])}, ...)"
    )

    @wraps(function)
    def call(*values: Any, **named: Any) -> Any:
        error = unknown_keyword(called, named, known, also)
        if rest == "content" and error is not None and error.trait in _CONTENT:
            error.hint = f"The content comes after the subject, without a keyword: {shown}"
        missing = [name for name in needed[len(values) :] if name not in named]
        if missing and error is None:
            error = UnknownKeyword(
                f"{called}() is missing its {missing[0]}.", trait=missing[0], hint=f"Call it like this: {shown}"
            )
        # A traceback shows what a frame holds, and a password may be among the values: this one holds them no longer.
        given: list[Any] = [named, values]
        del named, values
        if error is not None:
            given.clear()
            raise error
        return function(*given.pop(), **given.pop())

    return call  # type: ignore[return-value]  # what wraps() says of it is F


def unknown_keyword(
    called: str, given: Iterable[str], known: Sequence[str], also: Mapping[str, str] | None = None
) -> UnknownKeyword | None:
    """The error for the first of ``given`` that is not ``known`` to the function ``called``; None where all are."""
    word = next((word for word in given if word not in known), None)
    if word is None:
        return None
    # Who gives a password must not be led to an option that is shown.
    secret = _SECRET.search(word.casefold()) is not None
    near = did_you_mean(
        word, [name for name in known if not secret or _TAKES_SECRET.search(name)], _ELSEWHERE | dict(also or {})
    )
    hint = "" if near else "Shift+Tab lists them all, and so does help()."
    if secret and not near:
        hint = "Passwords are kept separately: mailconn.set_password(name) asks for one."
    return UnknownKeyword(f"{called}() has no keyword {word!r}.{near}", trait=word, hint=hint)
