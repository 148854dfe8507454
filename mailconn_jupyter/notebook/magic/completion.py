"""What Tab offers after ``%mailconn``: commands, names, flags and choices."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from itertools import islice
from typing import Final

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult
from IPython.core.getipython import get_ipython

from ...commands import COMMANDS, Command
from ...commands.arguments import Arguments, Words, group, person
from ...connection import MailConnection
from ...connection.option_kinds import Choice
from ...names import fold, quote
from .expand import unfinished

__all__ = ["complete"]

# At the start of the line, or what is assigned.
_MAGIC: Final = re.compile(r"(?:[^%#]*=)?\s*%?%mailconn\s(.*)", re.DOTALL)

_MOST_PEOPLE: Final = 100
# Several of them with blanks behind the commas, which only quotes hold together: what is completed is put into some.
_SPACED: Final = re.compile(r"(--[a-z-]+)(=|\s+)((?:[^\s'\"]*,\s+)+[^\s'\"]*)\Z")


class _Flag(str):
    """What is written as it is; a name of a connection that begins with a dash is written in quotes."""

    __slots__ = ()


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
    if not mark and (spaced := _SPACED.search(found.group(1))):
        words, fragment = words[: -len(re.findall(r",\s+", spaced[3]))], spaced[3]
        words += [spaced[1]] if spaced[2] == "=" else []
    flag, equals, value = fragment.partition("=")
    if equals and flag.startswith("--"):
        # --protocol=SM: what is completed begins after the equals sign.
        words, fragment = [*words, flag], value
    candidates = _candidates(words, fragment)
    if candidates is None:
        return SimpleMatcherResult(completions=[])
    closing = context.line_with_cursor[context.cursor_position :].startswith(mark or "\n")
    typed = fragment.lstrip("'\"").casefold()
    texts = [
        _written(candidate, mark, closing=closing) for candidate in candidates if candidate.casefold().startswith(typed)
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
    text = candidate if isinstance(candidate, _Flag) and not mark else quote(candidate, mark)
    # The editor has put the closing quote there already.
    return text[:-1] if closing and text.endswith(mark) else text


def _candidates(words: list[str], fragment: str) -> Iterable[str] | None:
    """What can stand here; None where it is something that IPython completes."""
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
        return _values(before, fragment)
    if fragment.startswith("-"):
        return _free_flags(parser, words)
    given = parser.sort(words[1:])[1]
    named = parser.named(len(given))
    if command.files and named is not None:
        return None
    names = [*_names(command, given), *(_values(named, fragment) or () if named is not None else ())]
    if command.results and fragment:
        # The connection may be left out.
        names = [*names, *(name for name in _results() if name not in names)]
    if names or fragment:
        return names
    return _free_flags(parser, words)


def _groups() -> list[str]:
    from ...store.people import people  # noqa: PLC0415  # reads addresses

    return list(people)


def _people(fragment: str) -> list[str]:
    """Groups; once something is typed, addresses too, by themselves or by the names before them."""
    typed = fragment.lstrip("'\"").casefold()
    if not typed:
        return _groups()
    from ...store.people import people  # noqa: PLC0415  # the same

    found = (text for key, text in people.known().items() if key.startswith(typed))
    return list(islice(found, _MOST_PEOPLE))


def _more_people(fragment: str) -> list[str]:
    """Whoever fits what is behind the last comma, each with all that stands before it; none of those is offered again."""
    typed = fragment.lstrip("'\"")
    last = typed.rpartition(",")[2].lstrip()
    before = typed[: len(typed) - len(last)]
    named = {name.strip().casefold() for name in before.split(",")}
    return [f"{before}{one}" for one in _people(last) if one.casefold() not in named]


def _values(flag: argparse.Action, fragment: str) -> Iterable[str] | None:
    """What the flag, or the name, takes; None where it is a file."""
    declared = MailConnection.options()
    if isinstance(flag.type, Words):
        return flag.type.words
    if flag.type is person:
        return _more_people(fragment)
    if flag.type is group:
        return _groups()
    if flag.dest == "attach":
        return None
    if flag.dest == "unset":
        return [name.replace("_", "-") for name in declared if name != "name"]
    chosen = declared.get(flag.dest)
    return filter(None, chosen.words) if isinstance(chosen, Choice) else []


def _free_flags(parser: Arguments, words: list[str]) -> list[_Flag]:
    """The flags that were not given yet, the long forms alone."""
    flags = parser.flags()
    given = {
        action.dest
        for word in words
        if (action := flags.get(word.partition("=")[0])) and not isinstance(action, argparse._AppendAction)  # noqa: SLF001  # has no other name
    }
    return [_Flag(flag) for flag, action in flags.items() if action.dest not in given and flag.startswith("--")]


def _results() -> list[str]:
    """What the notebook has made."""
    shell = get_ipython()
    own = shell.user_ns.keys() - shell.user_ns_hidden.keys() if shell is not None else ()
    return sorted(name for name in own if not name.startswith("_"))


def _names(command: Command, given: list[str]) -> list[str]:
    if command.stored != -1 and len(given) >= command.stored:
        return []
    from ...store import connections  # noqa: PLC0415  # only here are files read

    taken = {fold(name) for name in given}
    return [name for name in connections if fold(name) not in taken]
