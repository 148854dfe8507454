"""The parser of a command's arguments: errors of one line, and nothing in them that may be a password."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, NoReturn

from ..formatting import did_you_mean
from .wrong_usage import WrongUsage

__all__ = ["Arguments", "Text", "Words", "end_of_flags", "group", "number", "person", "positive", "whole_number"]

# A text may begin with a dash, too: "-5 % since Monday", "- churn".
_FLAG_FORM: Final = re.compile(r"--?[^\W\d][^\s=]*(=|$)")


class _Help(argparse.HelpFormatter):
    """Wide enough for the longest flag beside its help."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=38, width=110)

    def start_section(self, heading: str | None) -> None:
        super().start_section("arguments" if heading == "positional arguments" else heading)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        # --host HOST, --server-host HOST is longer than it is clear.
        if action.option_strings and action.nargs != 0:
            return f"{', '.join(action.option_strings)} {action.metavar}"
        return super()._format_action_invocation(action)


class Text(str):
    """A word that began with a quote: never a flag, whatever its first character is."""

    __slots__ = ()


class Arguments(argparse.ArgumentParser):
    """The parser of one subcommand. It raises :class:`~.wrong_usage.WrongUsage`, never exits.

    No message repeats more of the line than a flag's name: what is in the wrong place may be a password.
    """

    def __init__(self, command: str, usage: str, summary: str, *, magic: str = "%mailconn") -> None:
        self.command = f"{magic} {command}"
        usage = f"{self.command} {usage}".rstrip().replace("%", "%%")
        super().__init__(self.command, usage, summary, formatter_class=_Help, add_help=False, allow_abbrev=False)
        self.add_argument("-h", "--help", action="store_true", help="Show this help and do nothing else.")

    def error(self, message: str) -> NoReturn:
        end = "" if message.endswith("?") else "."
        raise WrongUsage(f"{self.command}: {message}{end}", hint=f"{self.command} -h shows how it is used.")

    def flags(self) -> dict[str, argparse.Action]:
        """Each flag, in the order of the help."""
        return {flag: action for action in self._actions for flag in action.option_strings}

    def named(self, place: int) -> argparse.Action | None:
        """The argument that the name at this place is for, from 0; None where no more are taken."""
        names = [action for action in self._actions if not action.option_strings]
        if place >= len(names) and names and names[-1].nargs in {"*", "+"}:
            return names[-1]
        return names[place] if place < len(names) else None

    def read(self, words: Sequence[str]) -> argparse.Namespace:
        """The arguments, by name; flags and names may be mixed."""
        self._check_flags(words)
        flags, names = self.sort(words)
        flags = self._joined(flags)
        found, left = self.parse_known_args([*flags, "--", *names] if names else flags)
        if left := [word for word in left if word != "--"]:
            count = "one argument" if len(left) == 1 else f"{len(left)} arguments"
            flag = f"--{left[0].replace('_', '-')}"
            meant = f"the flag is {flag}" if flag in self.flags() else "a name with spaces goes in quotes"
            self.error(f"{count} too many; {meant}")
        # Who asks for help gets it before a line is read.
        del found.help
        return found

    def _joined(self, words: Sequence[str]) -> list[str]:
        """Each flag with its value in one word, since argparse takes ``-5 %`` for another flag."""
        known = self.flags()
        joined: list[str] = []
        for word in words:
            before = joined[-1] if joined else ""
            if before in known and known[before].nargs is None and not _is_flag(word):
                joined[-1] = f"{before}={word}"
            else:
                joined.append(word)
        return joined

    def sort(self, words: Sequence[str]) -> tuple[list[str], list[str]]:
        """The flags with their values, and the names; after ``--`` everything is a name."""
        names = self.places(words)
        end = end_of_flags(words)
        return [word for place, word in enumerate(words[:end]) if place not in names], [words[place] for place in names]

    def places(self, words: Sequence[str]) -> list[int]:
        """Which of the words are names."""
        known = self.flags()
        names: list[int] = []
        takes_value = False
        end = end_of_flags(words)
        for place, word in enumerate(words[:end]):
            is_flag = _is_flag(word)
            if not is_flag and not takes_value:
                names.append(place)
            takes_value = is_flag and word in known and known[word].nargs != 0
        return [*names, *range(end + 1, len(words))]

    def _check_flags(self, words: Sequence[str]) -> None:
        known = self.flags()
        for word in filter(_is_flag, words[: end_of_flags(words)]):
            flag, equals, _ = word.partition("=")
            if flag not in known:
                flag = flag if flag.startswith("--") else flag[:2]
                raise WrongUsage(
                    f"{self.command} has no flag {flag}.{did_you_mean(flag, list(known))}",
                    hint=f"{self.command} -h lists them.",
                )
            if equals and known[flag].nargs == 0:
                self.error(f"{flag} takes no value")


def end_of_flags(words: Sequence[str]) -> int:
    """The place of the ``--`` after which every word is a name; their number where there is none."""
    return next((place for place, word in enumerate(words) if word == "--" and not isinstance(word, Text)), len(words))


def _is_flag(word: str) -> bool:
    return not isinstance(word, Text) and _FLAG_FORM.match(word) is not None


class Words:
    """The type of a flag that takes one of a few words."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def __call__(self, text: str) -> str:
        if text.casefold() not in self.words:
            near = did_you_mean(text, list(self.words))
            raise argparse.ArgumentTypeError(f"one of {', '.join(self.words)} is expected{near and f'.{near}'}")
        return text.casefold()


def person(text: str) -> str:
    """The type of what names somebody: an address, with a name before it or without, or a group."""
    return text


def group(text: str) -> str:
    """The type of a group's name."""
    return text


def number(text: str) -> float:
    """The type of a flag that takes a number, zero or more."""
    with suppress(ValueError):
        value = float(text)
        if math.isfinite(value) and value >= 0:
            return value
    raise argparse.ArgumentTypeError("a number is expected, zero or more")


def whole_number(text: str) -> int:
    """The type of a flag that takes a whole number, zero or more."""
    return _whole(text, "a whole number is expected, zero or more")


def positive(text: str) -> int:
    """The type of a flag that takes a whole number, one or more."""
    wanted = "a whole number is expected, one or more"
    found = _whole(text, wanted)
    if not found:
        raise argparse.ArgumentTypeError(wanted)
    return found


def _whole(text: str, wanted: str) -> int:
    # Of any other error argparse repeats the text.
    if not re.fullmatch("[0-9]{1,9}", text):
        raise argparse.ArgumentTypeError(wanted)
    return int(text)
