"""From the line of a magic to its arguments: words, quotes, ``$name`` and ``{expression}``.

IPython's own expansion leaves the whole line as it is when one name is undefined, and says nothing. Here each argument
is expanded alone, and an undefined name is an error. Both kinds of quotes hold a text with spaces together, and
expansion works in both alike.
"""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ...connection.expansion import VARIABLE
from ...formatting import did_you_mean
from ..usage_error import UsageError

__all__ = [
    "Code",
    "Word",
    "as_written",
    "evaluate",
    "expand",
    "expand_template",
    "foresee",
    "none_given",
    "split",
    "unfinished",
]

_NAME: Final = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_DOLLAR: Final = re.compile(rf"\$({_NAME.pattern})")
# What may follow the expression in a text's braces: {week!r}, {churn:.1f}.
_FORM: Final = re.compile(r"(?:!([rsa]))?(?::(.*))?", re.DOTALL)
_CONVERSIONS: Final[dict[str, Callable[[Any], Any]]] = {"r": repr, "s": str, "a": ascii}
_HINTS: Final = {"$": "For a literal $, write $$.", "{": "For a literal {, write {{."}
_DOUBLED: Final = {"$$": "$", "{{": "{", "}}": "}"}
_QUOTES: Final = "'\""
_FLAG: Final = re.compile(r"(?:--[\w-]+=)?")
# What may make names that nobody can see in the cell itself.
_MAKES_NAMES: Final = re.compile(r"^\s*%|import\s*\*|\bexec\b", re.MULTILINE)


@dataclass(frozen=True)
class Code:
    """A part of an argument that Python evaluates; ``written`` is how it stands in the cell."""

    source: str
    written: str


class _Brace(str):
    """A brace that was written twice, which stands for the character alone, except in a template."""

    __slots__ = ()


class Word(list[str | Code]):
    """The parts of one argument; ``written`` is how it stands in the cell, quotes and all."""

    written = ""

    @property
    def is_text(self) -> bool:
        """Whether it begins with a quote."""
        return self.written.startswith(tuple(_QUOTES))

    @property
    def quoted(self) -> bool:
        """Whether all of it is one text in quotes."""
        mark = self.written[:1]
        return len(self.written) > 1 and mark in _QUOTES and self.written.find(mark, 1) == len(self.written) - 1

    @property
    def is_value(self) -> bool:
        """Whether it is the value of one expression, and no text around it but a flag's name."""
        lead = "".join(part if isinstance(part, str) else "{" for part in self[:-1])
        return bool(self) and not self.quoted and isinstance(self[-1], Code) and _FLAG.fullmatch(lead) is not None


@dataclass(frozen=True)
class _Scan:
    words: list[Word]
    word: Word | None
    begin: int
    quote: str


def split(line: str) -> list[Word]:
    """The arguments of a line, without their quotes and not yet expanded.

    Raises :class:`~mailconn_jupyter.notebook.usage_error.UsageError`, without the text, when a quote or brace stays open.
    """
    scan = _scan(line)
    if scan.quote:
        raise UsageError(f"A quote ({scan.quote}) is not closed.", hint='Text with an apostrophe goes in "...".')
    return scan.words if scan.word is None else [*scan.words, scan.word]


def unfinished(line: str) -> tuple[list[str], str, str]:
    """Of a line that is being typed: the words before, the last one as it was typed, and the quote that it is in.

    >>> unfinished('connect "big ma')
    (['connect'], '"big ma', '"')
    """
    scan = _scan(line, patient=True)
    return [as_written(word) for word in scan.words], line[scan.begin :], scan.quote


def expand(word: Word, namespace: Mapping[str, Any]) -> str:
    """The argument with each ``$name`` and ``{expression}`` replaced by its value as text, formatted as in an f-string."""
    alone = word.is_value
    return "".join(part if isinstance(part, str) else _text(part, namespace, alone=alone) for part in word)


def expand_template(word: Word, namespace: Mapping[str, Any]) -> str:
    """The same of a text that is a template of Jinja2: what is its own (``{{ }}``, ``{% %}``, ``{# #}``) stays as it is."""
    alone = word.is_value
    return "".join(
        part * 2
        if isinstance(part, _Brace)
        else part
        if isinstance(part, str)
        else part.written
        if part.source.startswith(("%", "#"))
        else _text(part, namespace, alone=alone)
        for part in word
    )


def evaluate(word: Word, namespace: Mapping[str, Any], said: Callable[..., str] = expand) -> Any:
    """The object that an argument means: a text where it is in quotes, else the value of the expression that it is.

    ``df``, ``df["churn"].mean()``, ``$df`` and ``{df.head(n = 3)}`` are expressions, ``"Week {week}"`` is a text, which
    ``said`` expands.
    """
    if word.quoted:
        return said(word, namespace)
    only = word[0] if len(word) == 1 else None
    return _evaluate(only if isinstance(only, Code) else Code(word.written, word.written), namespace)


def foresee(word: Word, namespace: Mapping[str, Any], cell: str) -> None:
    """Raise what expanding the word would, as far as it can be told before the cell has run; evaluate nothing.

    That is bad syntax, and a name that is neither defined nor stands in the cell.
    """
    for code in (part for part in word if isinstance(part, Code)):
        source = _without_form(code)[0].source
        try:
            tree = ast.parse(source, mode="eval")
        except SyntaxError as error:
            raise _failed(code, error) from error
        names = [source.partition(".")[0]] if _is_built_in(source) else _names(tree)
        for name in () if _MAKES_NAMES.search(cell) else names:
            if not re.search(rf"\b{name}\b", cell):
                _require(name, code, namespace, more=", nor does it appear in the cell")


def as_written(word: Word) -> str:
    """The argument with nothing evaluated."""
    return "".join(part if isinstance(part, str) else part.written for part in word)


def _scan(text: str, *, patient: bool = False) -> _Scan:
    words: list[Word] = []
    word: Word | None = None
    quoted, begin, place = "", len(text), 0
    while place < len(text):
        character = text[place]
        if character.isspace() and not quoted:
            if word is not None:
                words.append(word)
            word, begin = None, len(text)
            place += 1
            continue
        if word is None:
            word, begin = Word(), place
        if character == quoted:
            quoted = ""
            place += 1
        elif character in _QUOTES and not quoted:
            quoted = character
            place += 1
        else:
            part, place = _part(text, place, patient=patient)
            word.append(part)
        word.written = text[begin:place]
    return _Scan(words, word, begin, quoted)


def _part(text: str, place: int, *, patient: bool) -> tuple[str | Code, int]:
    """What stands at ``place``, and the place after it."""
    pair = text[place : place + 2]
    if pair in _DOUBLED:
        return _Brace(_DOUBLED[pair]) if pair != "$$" else "$", place + 2
    kept = VARIABLE.match(text, place)
    if kept:
        return kept.group(), kept.end()
    name = _DOLLAR.match(text, place)
    if name:
        return Code(name.group(1), name.group()), name.end()
    if text[place] == "{":
        end = _closing(text, place)
        if end:
            return Code(text[place + 1 : end - 1].strip(), text[place:end]), end
        if not patient:
            raise UsageError("A brace is not closed.", hint="{expression} is evaluated; {{ is a brace.")
    return text[place], place + 1


def _closing(text: str, place: int) -> int:
    """The place after the brace that closes the one at ``place``; 0 when none does."""
    depth, quoted = 0, ""
    while place < len(text):
        character = text[place]
        if quoted:
            if character == "\\":
                place += 1
            elif character == quoted:
                quoted = ""
        elif character in _QUOTES:
            quoted = character
        else:
            depth += (character == "{") - (character == "}")
            if depth == 0:
                return place + 1
        place += 1
    return 0


def _text(code: Code, namespace: Mapping[str, Any], *, alone: bool) -> str:
    """The value as text; ``alone``: it is a whole argument, for which None is no value."""
    code, conversion, form = _without_form(code)

    def formatted(value: Any) -> str | None:
        if value is None and alone and not conversion:
            return None
        value = _CONVERSIONS[conversion](value) if conversion else value
        if not form and (several := _several(value)):
            # Addresses: nobody means the brackets.
            return ", ".join(several)
        return format(value, form) if form else str(value)

    text = _evaluate(code, namespace, formatted)
    if text is None:
        raise none_given(code.written)
    return str(text)


def none_given(written: str) -> UsageError:
    """The error for a whole argument that is None."""
    return UsageError(f"{written} is None.", hint="Give it a value, or leave the argument out.")


def _several(value: Any) -> list[str] | None:
    """The texts of a list, a tuple, an array of NumPy or a column of a table; None of anything else."""
    if type(value).__module__.partition(".")[0] in {"numpy", "pandas", "polars"}:
        make = getattr(value, "tolist", getattr(value, "to_list", None))
        value = value if make is None else make()
    return list(value) if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value) else None


def _without_form(code: Code) -> tuple[Code, str, str]:
    """The expression alone, its conversion and its format: ``churn!s:>8`` is ``churn``, ``s`` and ``>8``."""
    if not _is_expression(code.source):
        for sign in re.finditer("[!:]", code.source):
            form = _FORM.fullmatch(code.source, sign.start())
            if form and _is_expression(source := code.source[: sign.start()].strip()):
                return Code(source, code.written), form[1] or "", form[2] or ""
    return code, "", ""


def _is_expression(source: str) -> bool:
    try:
        ast.parse(source, mode="eval")
    except (SyntaxError, ValueError):
        return False
    return True


def _is_built_in(source: str) -> bool:
    """Whether it is no more than a name, or a name's attribute, that Python has made."""
    name = source.partition(".")[0]
    return bool(_NAME.fullmatch(source)) and hasattr(builtins, name) and not keyword.iskeyword(name)


def _evaluate(code: Code, namespace: Mapping[str, Any], convert: Callable[[Any], Any] = lambda value: value) -> Any:
    if not code.source:
        raise UsageError(f"{code.written} is empty.", hint=_HINTS["{"])
    if code.written.startswith("$") or _is_built_in(code.source):
        # eval would also find the built-in functions: nobody means id() by id.
        _require(code.source.partition(".")[0], code, namespace)
    try:
        # The person's own code in the person's own cell, as in every magic.
        return convert(eval(code.source, dict(namespace)))  # noqa: S307
    except NameError as error:
        _require(error.name or code.source, code, namespace, error)
        raise _failed(code, error) from error
    except Exception as error:
        raise _failed(code, error) from error


def _names(tree: ast.Expression) -> list[str]:
    """The names that an expression needs: not those of a comprehension or a lambda, nor built-in ones."""
    nodes = list(ast.walk(tree))
    own = {node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    own |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    used = [node.id for node in nodes if isinstance(node, ast.Name)]
    return [name for name in used if name not in own and not hasattr(builtins, name)]


def _require(
    name: str, code: Code, namespace: Mapping[str, Any], error: Exception | None = None, more: str = ""
) -> None:
    if name not in namespace:
        near = did_you_mean(name, [known for known in namespace if not known.startswith("_")])
        raise UsageError(
            f"{code.written}: the name {name!r} is not defined{more}.{near}",
            hint=_HINTS.get(code.written[:1], 'Text goes in quotes: "..."'),
        ) from error


def _failed(code: Code, error: Exception) -> UsageError:
    # Of where the syntax is bad Python knows only that it is in a string.
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    return UsageError(f"{code.written} cannot be evaluated: {type(error).__name__}: {said}")
