"""From the line of ``%mailconn`` to the subcommand that does it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any, Final

from IPython.core.getipython import get_ipython
from IPython.display import display

from ...commands import COMMANDS, Command, Overview
from ...commands.arguments import Text, end_of_flags
from ...commands.refused_words import refuse_passwords
from ...commands.wrong_usage import WrongUsage
from ...formatting import did_you_mean
from ...names import quote
from ..usage_error import UsageError, as_ipythons
from .answers import told
from .deferred_text import Later
from .expand import Code, Word, as_written, evaluate, expand, expand_template, none_given, split
from .named_results import connection_and_results

__all__ = ["run"]


#: What a notebook alone can do, or does in a way of its own, by the command's name.
_OWN: Final = {
    "compose": "..compose_page.compose_form:compose_form",
    "form": "..form.form:form",
    "inbox": "..inbox.show_inbox:inbox",
}
#: What other programs call it.
_ELSEWHERE: Final = {
    "add": "new",
    "create": "new",
    "del": "delete",
    "duplicate": "copy",
    "info": "show",
    "login": "signin",
    "logout": "signout",
    "ls": "list",
    "mail": "send",
    "open": "connect",
    "read": "inbox",
    "remove": "delete",
    "rm": "delete",
}


def run(line: str, namespace: Mapping[str, Any], cell: str | None = None) -> Any:
    """Do what the line says; ``namespace`` is what ``$name`` and ``{expression}`` are looked up in.

    ``cell`` is what stands below the line, where it begins with ``%%mailconn``.
    """
    try:
        return _run(line, namespace, cell)
    except WrongUsage as error:
        raise as_ipythons(error) from error.__cause__


def _run(line: str, namespace: Mapping[str, Any], cell: str | None) -> Any:
    try:
        words = split(line)
    except UsageError:
        # A password, however badly quoted, is the worse mistake.
        refuse_passwords(line.split(), texts=True)
        raise
    # Before anything is evaluated or quoted in an error.
    refuse_passwords([word.written for word in words])
    if not words:
        if cell is not None:
            raise UsageError("%%mailconn needs a command.", hint="For example: %%mailconn send NAME --to ADDRESS ...")
        return told(COMMANDS["list"].do())
    first = expand(words[0], namespace)
    if first in {"-h", "--help", "help"}:
        topics = [expand(word, namespace) for word in words[1:]]
        if topics:
            return _print(_command(topics[0]).parser().format_help())
        return display(Overview())  # type: ignore[no-untyped-call]
    command = _command(first)
    if _asks_for_help(words[1:]):
        return _print(command.parser().format_help())
    if (cell is None and command.cell == "must") or (cell is not None and command.cell == "never"):
        raise _misplaced(command)
    return _do(command, words[1:], namespace, cell)


def _do(command: Command, words: Sequence[Word], namespace: Mapping[str, Any], cell: str | None) -> Any:
    parser = command.parser()
    written = [_marked(word, as_written(word)) for word in words]
    names = parser.places(written) if command.results else []
    later = {} if cell is None else _later(command, words, namespace, cell)
    objects = dict(_objects(command, words))
    # What is evaluated after the flags stays as it is: who mistyped one need not wait for what is to be computed.
    kept = {*names[0 if cell is None else command.stored :], *later, *objects}
    said = expand_template if command.templates else expand
    texts = [
        written[place] if place in kept else _marked(word, said(word, namespace)) for place, word in enumerate(words)
    ]
    refuse_passwords(texts, texts=True)
    arguments = vars(parser.read(texts))
    arguments |= {parser.flags()[flag].dest: value for flag, value in later.values()}
    arguments |= {parser.flags()[flag].dest: _value_of(word, namespace) for flag, word in objects.values()}
    if command.results and (cell is None or command.templates):
        named = [words[place] for place in names]
        arguments["target"], arguments["results"] = connection_and_results(named, namespace, said)
    if command.name in _OWN:
        module, _, name = _OWN[command.name].partition(":")
        return getattr(import_module(module, __package__), name)(**arguments)
    if cell is not None:
        from ..cell.run_cell import NotebookCell  # noqa: PLC0415  # only for a cell

        arguments["cell"] = NotebookCell(get_ipython(), cell)
    return told(command.do(**arguments))


def _marked(word: Word, text: str) -> str:
    return Text(text) if word.is_text else text


def _later(
    command: Command, words: Sequence[Word], namespace: Mapping[str, Any], cell: str
) -> dict[int, tuple[str, str | Later]]:
    """By its place, each word with a value that is evaluated after the cell: the flag that it is for, and the value."""
    return {place: (flag, Later.of(word, namespace, cell)) for place, flag, word in _values_of(command.later, words)}


def _objects(command: Command, words: Sequence[Word]) -> Iterator[tuple[int, tuple[str, Word]]]:
    """By its place, each word that is a single expression, of which the value is meant: the flag, and the expression."""
    for place, flag, word in _values_of(command.objects, words):
        if len(word) == 1 and isinstance(word[0], Code) and not word.quoted:
            yield place, (flag, word)


def _value_of(word: Word, namespace: Mapping[str, Any]) -> Any:
    value = evaluate(word, namespace)
    if value is None:
        raise none_given(as_written(word))
    return value


def _values_of(flags: Sequence[str], words: Sequence[Word]) -> Iterator[tuple[int, str, Word]]:
    """The place of each word with a value of one of these flags, the flag, and the value."""
    for place, word in enumerate(words):
        for flag in flags:
            if place and as_written(words[place - 1]) == flag:
                yield place, flag, word
            elif as_written(word).startswith(f"{flag}="):
                value = Word(word[len(flag) + 1 :])
                # A flag in quotes has no value of its own in them.
                value.written = word.written.removeprefix(f"{flag}=") if word.written.startswith(flag) else ""
                yield place, flag, value


def _misplaced(command: Command) -> UsageError:
    if command.cell == "must":
        return UsageError(
            f"%mailconn {command.name} belongs in the first line of a cell, which it runs.",
            hint=f"With two percent signs: %%mailconn {command.name} ...",
        )
    return UsageError(
        f"%%mailconn {command.name} does not take a cell.", hint=f"With one percent sign: %mailconn {command.name} ..."
    )


def _print(text: str) -> None:
    print(text.rstrip())  # noqa: T201  # a magic speaks in its cell


def _asks_for_help(words: Sequence[Word]) -> bool:
    written = [_marked(word, as_written(word)) for word in words]
    return any(word in {"-h", "--help"} and not isinstance(word, Text) for word in written[: end_of_flags(written)])


def _command(name: str) -> Command:
    if name in COMMANDS:
        return COMMANDS[name]
    if name.startswith("-"):
        flag = name.partition("=")[0]
        raise UsageError(f"%mailconn has no flag {flag}.", hint="A command comes first; %mailconn help lists them.")
    from ...store import connections  # noqa: PLC0415  # reads files

    said = f"%mailconn has no command {name!r}."
    if name in connections:
        raise UsageError(said, hint=f"That is a connection: %mailconn show {quote(name)}")
    near = did_you_mean(name, [*COMMANDS, "help"], _ELSEWHERE)
    raise UsageError(f"{said}{near}", hint="%mailconn help lists them.")
