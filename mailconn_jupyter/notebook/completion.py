"""What Tab offers after ``%mailconn``: commands, names, flags and choices."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult

from ..connection import MailConnection
from ..options import Choice
from .arguments import Arguments
from .commands import COMMANDS, Command
from .expand import quote, unfinished

__all__ = ["complete"]

# At the start of the line, or what is assigned.
_MAGIC: Final = re.compile(r"(?:[^%#]*=)?\s*%mailconn\s(.*)", re.DOTALL)


def complete(context: CompletionContext) -> SimpleMatcherResult:
    """The completions at the cursor, none where the line is not ours. It never raises."""
    try:
        return _complete(context)
    except Exception:  # noqa: BLE001  # IPython would print a traceback between two keystrokes
        return SimpleMatcherResult(completions=[])


def _complete(context: CompletionContext) -> SimpleMatcherResult:
    found = _MAGIC.fullmatch(_line(context))
    if found is None:
        return SimpleMatcherResult(completions=[])
    words, fragment, mark = unfinished(found.group(1))
    flag, equals, value = fragment.partition("=")
    if equals and flag.startswith("--"):
        # --protocol=SM: what is completed begins after the equals sign.
        words, fragment = [*words, flag], value
    closing = context.line_with_cursor[context.cursor_position :].startswith(mark or "\n")
    typed = fragment.lstrip("'\"").casefold()
    texts = [
        _written(candidate, mark, closing=closing)
        for candidate in _candidates(words, fragment)
        if candidate.casefold().startswith(typed)
    ]
    return SimpleMatcherResult(
        completions=[SimpleCompletion(text, type="magic") for text in texts],
        matched_fragment=fragment,
        suppress=True,
        ordered=True,
    )


def _line(context: CompletionContext) -> str:
    """The line up to the cursor, with those before that a backslash continues."""
    before = context.full_text.split("\n")[: context.cursor_line]
    line = context.text_until_cursor
    while before and before[-1].endswith("\\"):
        line = f"{before.pop()[:-1]} {line}"
    return line


def _written(candidate: str, mark: str, *, closing: bool) -> str:
    text = quote(candidate, mark)
    # The editor has put the closing quote there already.
    return text[:-1] if closing and text.endswith(mark) else text


def _candidates(words: list[str], fragment: str) -> Iterable[str]:
    if not words:
        return [*COMMANDS, "help"]
    command = COMMANDS.get(words[0])
    if words[0] == "help":
        return COMMANDS if len(words) == 1 else []
    if command is None:
        return []
    parser = command.parser()
    flags = parser.flags()
    before = flags.get(words[-1])
    if before is not None and before.nargs != 0:
        return _values(before.dest)
    if fragment.startswith("-"):
        return _free_flags(parser, words)
    names = _names(command, parser.sort(words[1:])[1])
    if names or fragment:
        return names
    return _free_flags(parser, words)


def _values(option: str) -> Iterable[str]:
    declared = MailConnection.options()
    if option == "unset":
        return [name.replace("_", "-") for name in declared if name != "name"]
    chosen = declared.get(option)
    return filter(None, chosen.words) if isinstance(chosen, Choice) else []


def _free_flags(parser: Arguments, words: list[str]) -> list[str]:
    """The flags that were not given yet, the long forms alone."""
    flags = parser.flags()
    given = {flags[word.partition("=")[0]].dest for word in words if word.partition("=")[0] in flags} - {"unset"}
    return [flag for flag, action in flags.items() if action.dest not in given and flag.startswith("--")]


def _names(command: Command, given: list[str]) -> list[str]:
    if command.stored != -1 and len(given) >= command.stored:
        return []
    from ..store import connections  # noqa: PLC0415  # only here are files read

    taken = {name.casefold() for name in given}
    return [name for name in connections if name.casefold() not in taken]
