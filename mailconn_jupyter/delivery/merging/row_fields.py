"""What a message takes from a row: each argument of a merge as a function of the row.

A text with ``{{`` is a template, and what a row puts into one is data: in a list of addresses it is no second address, in a
path no other folder, in a page no markup.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from ...errors import MessageError
from ...formatting import did_you_mean, shown
from ...message.compiled import no_value
from ...message.render.words import HTML, Markdown
from ...message.template import Bound, Template, as_words, filled, render_subject, understood
from ...message.texts import one_line
from ...store.people import people as groups
from .table_rows import Row

__all__ = [
    "TOKEN",
    "Content",
    "Field",
    "Given",
    "called",
    "column",
    "constant",
    "identity",
    "in_tokens",
    "is_template",
    "people",
    "whole",
    "words",
]

_TEMPLATE: Final = re.compile(r"\{[{%#]")
_MARK: Final = f"mailconn{secrets.token_hex(8)}v"
TOKEN: Final = re.compile(rf"{_MARK}(\d+)x")
_MAILBOX: Final = re.compile(r'\s*(?P<quote>"?)(?P<name>[^<>"]*)(?P=quote)\s*<(?P<address>[^<>]*)>\s*')
_LONGEST_KEY: Final = 500


@dataclass(frozen=True)
class Given:
    """A row, and what goes with every row."""

    row: Row
    constants: Mapping[str, Any]

    @cached_property
    def variables(self) -> dict[str, Any]:
        """What the names in a template mean: the columns, then ``row``, the whole of them, and the constants."""
        cells = {name: no_value(name) if value is None else value for name, value in self.row.items()}
        return {"row": cells, **self.constants, **cells}


Field = Callable[[Given], Any]


def constant(value: Any) -> Field:
    return lambda _given: value


def is_template(text: str) -> bool:
    return _TEMPLATE.search(text) is not None


def called(function: Callable[[Row], Any], what: str) -> Field:
    def field(given: Given) -> Any:
        try:
            return function(given.row)
        except MessageError:
            raise
        except KeyError as error:
            name = str(error.args[0]) if error.args else ""
            raise MessageError(f"{what}: the row has no {name!r}.{did_you_mean(name, list(given.row))}") from error
        except Exception as error:
            raise MessageError(f"{what}: {type(error).__name__}: {one_line(str(error), 200)}") from error

    return field


def column(name: str) -> Field:
    def field(given: Given) -> Any:
        if name not in given.row:
            raise MessageError(f"The row has no {name!r}.{did_you_mean(name, list(given.row))}")
        return given.row[name]

    return field


def _sound(template: Template, columns: Sequence[str]) -> Template:
    """The template, which is one: what is wrong with it is wrong with no row."""
    try:
        understood(template)
    except MessageError as error:
        odd = next((name for name in columns if not name.isidentifier()), None)
        if odd is None or error.hint:
            raise
        raise MessageError(error.message, hint=f"A column with such a name is {_by_item(odd)}.") from error
    return template


def in_tokens(source: str, columns: Sequence[str]) -> Callable[[Given], tuple[str, list[str]]]:
    """The template filled in with tokens, and the texts that they stand for."""
    template = _sound(Template(source, "text"), columns)

    def field(given: Given) -> tuple[str, list[str]]:
        values: list[str] = []

        def placed(value: Any) -> Any:
            if isinstance(value, str) and _MARK in value:
                return value
            values.append(str(as_words(value)))
            return f"{_MARK}{len(values) - 1}x"

        return filled(template, given.variables, placed), values

    return field


def whole(text: str, values: Sequence[str]) -> str:
    return TOKEN.sub(lambda token: values[int(token[1])], text)


def people(given: Any, what: str, columns: Sequence[str]) -> Field:
    """Addresses: the column of that name, a template, an address, a function of the row, or a list of those.

    The field gives texts for :func:`~mailconn_jupyter.message.mime.mailboxes.mailboxes`, each of them one mailbox or, where
    it is a cell alone, as many as stand there.
    """
    if given is None:
        return constant([])
    entries = [given] if isinstance(given, str) or callable(given) else given
    if not isinstance(entries, Iterable):
        raise MessageError(f"{what}={given!r} is not an address.", hint='Give a column, or "{{ name }} <{{ email }}>".')
    fields = [_mailboxes_of(entry, what, columns) for entry in entries]
    return lambda row: [text for field in fields for text in field(row)]


def _mailboxes_of(entry: Any, what: str, columns: Sequence[str]) -> Field:
    if callable(entry):
        return _several(called(entry, what))
    if not isinstance(entry, str):
        raise MessageError(f"{what}: {entry!r} is neither text nor a function.")
    if entry in columns:
        return _several(column(entry))
    if is_template(entry):
        tokens = in_tokens(entry, columns)
        return lambda given: _addressed(*tokens(given))
    if "@" not in entry and columns and entry not in groups:
        raise MessageError(
            f"{what}={entry!r} is not a column, an address or a template.{did_you_mean(entry, list(columns))}",
            hint=f"The columns are {one_line(', '.join(columns), 200)}.",
        )
    return constant([entry])


def _several(field: Field) -> Field:
    def texts(given: Given) -> list[Any]:
        value = field(given)
        if value is None:
            return []
        found = [value] if isinstance(value, str) or not isinstance(value, Iterable) else list(value)
        return [text for text in found if text is not None and not (isinstance(text, str) and not text.strip())]

    return texts


def _addressed(text: str, values: Sequence[str]) -> list[str]:
    if TOKEN.fullmatch(text.strip(" ")):
        said = whole(text.strip(" "), values)
        return [said] if said.strip() else []
    return [_mailbox(piece, values) for piece in text.split(",") if piece.strip()]


def _mailbox(piece: str, values: Sequence[str]) -> str:
    """One mailbox: what the row says is the name where the template has the name, and the address where it has that."""
    match = _MAILBOX.fullmatch(piece)
    if match is None:
        return _in_brackets(piece, values) if TOKEN.search(piece) else piece
    name, address = whole(match["name"].strip(" "), values).strip(" "), _in_brackets(match["address"], values)
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" {address}' if name else address


def _in_brackets(text: str, values: Sequence[str]) -> str:
    """An address in the brackets that end it: none is in what the row says, for behind it another address could begin."""
    said = whole(text.strip(" "), values).strip(" ")
    if {"<", ">"} & {*said}:
        raise MessageError(f"{shown(said)} is not a valid mail address.")
    return f"<{said}>"


def words(given: Any, what: str, columns: Sequence[str]) -> Field:
    """A text of one line: a template, a function of the row, or the text itself."""
    if isinstance(given, Template):
        _sound(given, columns)
        return lambda row: render_subject(given, row.variables)
    if callable(given):
        return called(given, what)
    if isinstance(given, str) and given in columns:
        raise MessageError(
            f"{what}={given!r} is a column's name, and would be the text of every message.",
            hint=f"The column: {what}={'{{ ' + given + ' }}' if given.isidentifier() else _by_item(given)!r}",
        )
    if isinstance(given, str) and is_template(given):
        template = _sound(Template(given, "text"), columns)
        return lambda row: render_subject(template, row.variables)
    return constant(given)


def _by_item(name: str) -> str:
    return f'{{{{ row["{name}"] }}}}'


def identity(given: Any, columns: Sequence[str]) -> Field:
    """The key of a row, by which a journal knows its message: a column, a template, or a function of the row."""
    if given is None:
        return constant(None)
    if callable(given):
        field = called(given, "key")
    elif isinstance(given, str) and given in columns:
        field = column(given)
    elif isinstance(given, str) and is_template(given):
        field = words(given, "key", columns)
    elif isinstance(given, str) and not columns:
        field = column(given)
    else:
        raise MessageError(
            f"key={given!r} is neither a column nor a template.{did_you_mean(str(given), list(columns))}",
            hint="A key identifies one row: key='customer_id'",
        )

    def key(row: Given) -> str:
        value = field(row)
        if isinstance(value, float) and value.is_integer():
            # What is a float for the gaps of its column today may be a whole number tomorrow.
            value = int(value)
        text = "" if value is None else str(as_words(value)).strip()
        if not text:
            raise MessageError("The key is empty.")
        if len(text) > _LONGEST_KEY:
            raise MessageError(f"The key has {len(text)} characters; at most {_LONGEST_KEY} are allowed.")
        return text

    return key


class Content:
    """The content: texts, templates, results, and functions of the row that give one; a list has several."""

    def __init__(self, given: Any, columns: Sequence[str]) -> None:
        self._pieces = [_piece(each, columns) for each in (given if isinstance(given, list | tuple) else [given])]

    def of(self, given: Given) -> list[Any]:
        """What the message of this row shows."""
        found = []
        for piece in self._pieces:
            value = piece(given) if callable(piece) else piece
            found.append(Bound(value, given.variables) if isinstance(value, Template) else value)
        return found

    def check(self, given: Given) -> None:
        """Fill in the templates; a name that they ask for may be missing."""
        for piece in self._pieces:
            if isinstance(piece, Template):
                filled(piece, given.variables, lambda value: value if isinstance(value, str) else "")


def _piece(given: Any, columns: Sequence[str]) -> Any:
    if isinstance(given, str) and given in columns:
        words(given, "content", columns)
    if isinstance(given, str) and is_template(given):
        kind = {Markdown: "markdown", HTML: "html"}.get(type(given), "text")
        return _sound(Template(str(given), kind), columns)  # type: ignore[arg-type]  # the dict's values are the kinds
    if isinstance(given, Template):
        return _sound(given, columns)
    return called(given, "content") if callable(given) and not isinstance(given, type) else given
