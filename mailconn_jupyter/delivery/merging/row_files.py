"""What is attached to the message of a row: files by a path, results under a name, and what a function gives."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import MessageError
from ...message.attach.attachments import attached, listed
from ...message.attach.writers import is_file_object
from ...message.render.part import Options
from ...message.texts import one_line
from .row_fields import TOKEN, Field, Given, called, column, constant, in_tokens, is_template, whole, words

__all__ = ["Attached"]


class Attached:
    """The attachments of each message: as for compose, with templates in paths and names, columns, and functions."""

    def __init__(self, given: Any, columns: Sequence[str]) -> None:
        self._cheap: list[Field] = []
        self._costly: list[Field] = []
        for entry in listed(given):
            if is_file_object(entry):
                raise MessageError(
                    "A file object can be read only once, and every message needs it.",
                    hint="Attach its path, or its bytes.",
                )
            self._add(entry, columns)

    def _add(self, entry: Any, columns: Sequence[str]) -> None:
        text = os.fspath(entry) if isinstance(entry, str | os.PathLike) else None
        if isinstance(entry, Mapping):
            for name, value in entry.items():
                self._costly.append(_named(name, value))
        elif isinstance(entry, tuple):
            self._costly.append(_named(*entry))
        elif callable(entry) and not isinstance(entry, type):
            self._costly.append(called(entry, "attachments"))
        elif isinstance(entry, str) and entry in columns:
            self._cheap.append(column(entry))
        elif isinstance(text, str) and is_template(text):
            self._cheap.append(_path(text, columns))
        elif text is not None:
            self._cheap.append(constant(entry))
        else:
            self._costly.append(constant(entry))

    def of(self, given: Given) -> list[Any]:
        """What is attached to the message of this row; None and an empty text are nothing."""
        values = [field(given) for field in (*self._cheap, *self._costly)]
        return [each for value in values for each in ([] if isinstance(value, str) and not value else listed(value))]

    def check(self, given: Given) -> None:
        """See whether the files are there; none is read."""
        values = [field(given) for field in self._cheap]
        attached([value for value in values if value], Options(), None)


def _named(name: Any, value: Any) -> Field:
    if is_file_object(value):
        raise MessageError(
            f"The attachment {name!r} is a file object, which can be read only once, and every message needs it.",
            hint="Attach its path, or its bytes.",
        )
    named = words(name, "attachments", ())
    field = called(value, "attachments") if callable(value) and not isinstance(value, type) else constant(value)

    def pair(given: Given) -> Any:
        found = field(given)
        return None if found is None else {named(given): found}

    return pair


def _path(source: str, columns: Sequence[str]) -> Field:
    """A path from a template; what a row puts into it leads to no other folder, and to no pattern of files."""
    tokens = in_tokens(source, columns)

    def field(given: Given) -> Path:
        text, values = tokens(given)
        text = text.strip(" ")
        path = whole(text, values)
        if not TOKEN.fullmatch(text):
            bad = (value for value in values if not value or set("*?[") & set(value) or value[0] in "/\\")
            # Of the whole: two cells side by side may lead where neither does.
            found = next(bad, None if _turns(path) == _turns(text) else path)
            if found is not None:
                raise MessageError(f"{one_line(found, 60)!r} cannot be part of the path of an attachment.")
        return Path(path)

    return field


def _turns(path: str) -> tuple[str, str, int]:
    """Where a path begins (its drive; at the root, or in a home), and how often it goes up."""
    steps = re.split(r"[/\\]", path)
    return os.path.splitdrive(path)[0], steps[0][:1] if steps[0][:1] in {"", "~"} else "of its own", steps.count("..")
