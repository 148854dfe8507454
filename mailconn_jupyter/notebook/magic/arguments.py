"""The arguments of each subcommand: flags from the traits of a connection, errors of one line, and no passwords."""

from __future__ import annotations

import argparse
import difflib
import math
import re
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from typing import Any, Final, NoReturn

from ...connection import MailConnection
from ...connection.option_kinds import Choice, Option, Switch
from ...connection.proxy_url import ProxyURL
from ...formatting import did_you_mean
from ..usage_error import PasswordRefused, UsageError

__all__ = [
    "Arguments",
    "Text",
    "Words",
    "add_options",
    "chosen_options",
    "end_of_flags",
    "flags_of",
    "number",
    "option_named",
    "refusal",
    "refuse_passwords",
    "whole_number",
]

_SECRETS: Final = ("password", "passwd", "passphrase", "secret", "token")
# A URL up to the colon after its user, who may be a mail address; a bracket begins a host. An @ after it ends a password,
# which may hold a slash; but in the URL of a page, a number before a slash is a port.
_USER: Final = re.compile(
    r"(?<!http:)(?<!https:)//(?!\[)[^/:]*:|(?:(?<=http:)|(?<=https:))//(?!\[)[^/:]*:(?!\d{0,5}[/?#])", re.IGNORECASE
)
_FLAG: Final = re.compile(r"[-\N{EN DASH}\N{EM DASH}]+([\w-]+)")
# A text may begin with a dash, too: "-5 % since Monday", "- churn".
_FLAG_FORM: Final = re.compile(r"--?[^\W\d][^\s=]*(=|$)")
_ASSIGNED: Final = re.compile(r"(\w[\w.-]*)=(?!=)")
# Any user in a URL, and user:password@host without its scheme; a drive letter is neither.
_HOST: Final = re.compile(r"//[^/]*@|^(?![A-Za-z]:[\\/])[^/\s:]*:[^@]*@")


class _Help(argparse.HelpFormatter):
    """Wide enough for the longest flag beside its help."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=38, width=110)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        # --host HOST, --server-host HOST is longer than it is clear.
        if action.option_strings and action.nargs != 0:
            return f"{', '.join(action.option_strings)} {action.metavar}"
        return super()._format_action_invocation(action)


class Text(str):
    """A word that began with a quote: never a flag, whatever its first character is."""

    __slots__ = ()


class Arguments(argparse.ArgumentParser):
    """The parser of one subcommand. It raises :class:`~mailconn_jupyter.notebook.usage_error.UsageError`, never exits.

    No message repeats more of the line than a flag's name: what is in the wrong place may be a password.
    """

    def __init__(self, command: str, usage: str, summary: str, *, magic: str = "%mailconn") -> None:
        self.command = f"{magic} {command}"
        usage = f"{self.command} {usage}".rstrip().replace("%", "%%")
        super().__init__(self.command, usage, summary, formatter_class=_Help, add_help=False, allow_abbrev=False)
        self.add_argument("-h", "--help", action="store_true", help="Show this, and do nothing.")

    def error(self, message: str) -> NoReturn:
        end = "" if message.endswith("?") else "."
        raise UsageError(f"{self.command}: {message}{end}", hint=f"{self.command} -h says how it is used.")

    def flags(self) -> dict[str, argparse.Action]:
        """Each flag, in the order of the help."""
        return {flag: action for action in self._actions for flag in action.option_strings}

    def read(self, words: Sequence[str]) -> argparse.Namespace:
        """The arguments, by name; flags and names may be mixed."""
        self._check_flags(words)
        flags, names = self.sort(words)
        flags = self._joined(flags)
        found, left = self.parse_known_args([*flags, "--", *names] if names else flags)
        if left:
            count = "one argument" if len(left) == 1 else f"{len(left)} arguments"
            self.error(f"{count} too many; a name with spaces goes in quotes")
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
                raise UsageError(
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


def number(text: str) -> float:
    """The type of a flag that takes a number, zero or more."""
    with suppress(ValueError):
        value = float(text)
        if math.isfinite(value) and value >= 0:
            return value
    raise argparse.ArgumentTypeError("a number is expected, zero or more")


def whole_number(text: str) -> int:
    """The type of a flag that takes a whole number, zero or more."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError("a whole number is expected, zero or more")
    return int(text)


def flags_of(name: str) -> tuple[str, ...]:
    """The flags of an option: its name, and shorter what is the server's.

    >>> flags_of("server_host"), flags_of("use_proxy")
    (('--server-host', '--host'), ('--use-proxy',))
    """
    flag = name.replace("_", "-")
    short = flag.removeprefix("server-")
    return (f"--{flag}",) if short == flag else (f"--{flag}", f"--{short}")


def add_options(parser: Arguments) -> None:
    """A flag for each option of a connection except its name, in the form's sections."""
    sections: dict[str, Any] = {}
    for name, option in MailConnection.options().items():
        if name == "name":
            continue
        if option.section not in sections:
            sections[option.section] = parser.add_argument_group(option.section)
        section = sections[option.section]
        about = _about(option)
        if isinstance(option, Switch):
            switch = argparse.BooleanOptionalAction
            section.add_argument(*flags_of(name), dest=name, action=switch, default=argparse.SUPPRESS, help=about)
        else:
            metavar = _metavar(name, option)
            section.add_argument(*flags_of(name), dest=name, metavar=metavar, default=argparse.SUPPRESS, help=about)
    sections["Proxy"].add_argument(
        "--proxy",
        metavar="URL",
        default=argparse.SUPPRESS,
        help="The whole proxy in one: socks5://user@host:1080, also socks4:// and http://",
    )


def _metavar(name: str, option: Option) -> str:
    if isinstance(option, Choice):
        return f"{{{','.join(filter(None, option.words))}}}"
    return name.rpartition("_")[2].upper()


def _about(option: Option) -> str:
    default = option.default_value
    said = "" if default in (None, "", False) else f" (default: {'on' if default is True else default})"
    only = f" {option.protocols[0]} only." if len(option.protocols) == 1 else ""
    return f"{option.help}{only}{said}".replace("%", "%%")


def chosen_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """The options of a connection that were named, by trait."""
    options = MailConnection.options()
    chosen = {name: value for name, value in vars(arguments).items() if name in options and name != "name"}
    if "proxy" in arguments:
        url = ProxyURL.parse(arguments.proxy)
        if url.password:
            raise refusal("--proxy takes a URL without a password")
        chosen = {**url.options(), **chosen}
    for name in ("server_host", "proxy_host"):
        if _HOST.search(chosen.get(name, "")):
            raise refusal(f"--{name.replace('_', '-')} takes a host alone, without a user and a password")
    return chosen


def option_named(text: str) -> str:
    """The trait that a person means by ``server-port``, ``server_port`` or ``--port``."""
    names = {flag: name for name in MailConnection.options() if name != "name" for flag in flags_of(name)}
    flag = "--" + text.strip().lstrip("-").replace("_", "-").casefold()
    if flag not in names:
        near = did_you_mean(flag, list(names))
        raise UsageError(f"There is no option {text!r}.{near}", hint="%mailconn edit -h lists them.")
    return names[flag]


def refuse_passwords(words: Sequence[str], *, texts: bool = False) -> None:
    """Raise, without repeating it, when the words of a cell hold a password or where one belongs.

    The notebook and IPython's history keep what a cell says, so it is too late for that one; but nobody gets used to it.
    The words are as they are written, with their quotes: ``password=...`` is refused, but in quotes it is part of a text.
    ``texts``: their quotes are gone, so what stands before an equals sign is not looked at.
    """
    for word in words:
        flag = _FLAG.match(word)
        assigned = None if texts else _ASSIGNED.match(word)
        if (flag and _is_secret_flag(flag.group(1))) or (assigned and _is_secret_name(assigned.group(1))):
            raise refusal("A password cannot be given here")
        if any(_USER.search(part.rpartition("@")[0]) for part in word.split()):
            raise refusal("A URL with a password cannot be given here")


def refusal(what: str) -> PasswordRefused:
    """The error for a password in a cell; ``what`` says where, without it."""
    return PasswordRefused(
        f"{what}: the notebook and the history keep what a cell says.",
        hint="Take it out of the cell and run %mailconn password NAME, which asks for it.",
    )


def _is_secret_flag(flag: str) -> bool:
    name = flag.casefold().replace("_", "-").removeprefix("no-")
    # --allow-plaintext-password is an option, and so is what somebody types in its place.
    if name in _option_flags() or name.startswith("allow"):
        return False
    last = name.rpartition("-")[2]
    return bool(re.search("pass|pwd|secret|token", name) or difflib.get_close_matches(last, _SECRETS, cutoff=0.75))


def _is_secret_name(name: str) -> bool:
    return re.split("[_.-]", name.casefold())[-1] in {*_SECRETS, "pwd", "pass"}


@cache
def _option_flags() -> frozenset[str]:
    return frozenset(flag.lstrip("-") for name in MailConnection.options() for flag in flags_of(name))
