"""From the words of a shell's line to the command that does it, and to an exit code.

0: done. 1: it failed, and what is wrong is on stderr in a line or two; or it has told of a problem, as ``doctor`` does.
2: the line cannot be understood. 130: interrupted.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from typing import Final

from ..commands import COMMANDS, Command
from ..commands.refused_words import refuse_passwords
from ..commands.wrong_usage import WrongUsage
from ..credentials.memory import memory
from ..errors import MailConnError, MailConnWarning
from ..formatting import did_you_mean
from .terminal import FRONT, say, told

__all__ = ["main"]

DONE, FAILED, NOT_UNDERSTOOD, INTERRUPTED = 0, 1, 2, 130

_HELP: Final = frozenset({"-h", "--help", "help"})
_COMMANDS: Final = {name: command for name, command in COMMANDS.items() if not command.notebook}


def main(words: Sequence[str] | None = None) -> int:
    """Do what the line says; ``words`` are those behind ``jupyter mailconn``, by default this process's."""
    for stream in (sys.stdout, sys.stderr):
        # A name in Cyrillic does not end a command in a terminal that knows ASCII alone.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    # What is typed here is gone with the process: it counts as kept nowhere.
    lasts, memory.lasts = memory.lasts, False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", MailConnWarning)
            warnings.showwarning = _show_warning
            return _code(sys.argv[1:] if words is None else list(words))
    finally:
        memory.lasts = lasts


def _code(words: list[str]) -> int:
    try:
        return DONE if _run(words) else FAILED
    except MailConnError as error:
        say(str(error), error=True)
        return NOT_UNDERSTOOD if isinstance(error, WrongUsage) else FAILED
    except KeyboardInterrupt:
        say("Interrupted.", error=True)
        return INTERRUPTED
    except BrokenPipeError:
        # Who reads has had enough, as head has; Python would complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _run(words: list[str]) -> bool:
    """Do it; returns whether all is well that it tells of."""
    # What may be a password is not in an error that quotes the line.
    refuse_passwords(words)
    first, sound = words[0] if words else "list", True
    if first in _HELP and len(words) == 1:
        say(_overview())
    elif first == "--version":
        from .. import __version__  # noqa: PLC0415  # reads the metadata

        say(__version__)
    elif first in _HELP:
        say(_command(words[1]).parser(FRONT).format_help().rstrip())
    else:
        command = _command(first)
        parser = command.parser(FRONT)
        if _HELP & {*words[1:]} - {"help"}:
            say(parser.format_help().rstrip())
        else:
            sound = told(command.do(**vars(parser.read(words[1:]))))
    sys.stdout.flush()
    return sound


def _overview() -> str:
    about = [f"{FRONT} {each.name} {each.usage}".rstrip() + f"\n    {each.summary}" for each in _COMMANDS.values()]
    return "\n".join(
        ["Mail server connections: make, test and keep them.", "", *about, "", f"{FRONT} COMMAND -h says more."]
    )


def _command(name: str) -> Command:
    if name in _COMMANDS:
        return _COMMANDS[name]
    if name in COMMANDS:
        raise WrongUsage(f"{FRONT} has no command {name!r}: it needs a notebook, where it is %mailconn {name}.")
    raise WrongUsage(
        f"{FRONT} has no command {name!r}.{did_you_mean(name, [*_COMMANDS])}", hint=f"{FRONT} -h lists them."
    )


def _show_warning(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
    """A line that says it, without the line of code that it came from."""
    if issubclass(category, MailConnWarning):
        say(f"Warning: {message}", error=True)
