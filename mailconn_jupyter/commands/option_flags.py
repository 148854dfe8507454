"""A flag for each option of a connection, from the traits that declare them, and the options that a line names."""

from __future__ import annotations

import re
from argparse import SUPPRESS, BooleanOptionalAction
from collections.abc import Mapping
from typing import Any, Final

from ..connection import MailConnection
from ..connection.option_kinds import AnyOption, Choice, Switch
from ..connection.proxy_url import ProxyURL
from ..formatting import did_you_mean
from .arguments import Arguments
from .wrong_usage import WrongUsage, refusal

__all__ = ["add_options", "chosen_options", "flags_of", "option_named"]

# Any user in a URL, and user:password@host without its scheme; a drive letter is neither.
_HOST: Final = re.compile(r"//[^/]*@|^(?![A-Za-z]:[\\/])[^/\s:]*:[^@]*@")


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
            switch = BooleanOptionalAction
            section.add_argument(*flags_of(name), dest=name, action=switch, default=SUPPRESS, help=about)
        else:
            metavar = _metavar(name, option)
            section.add_argument(*flags_of(name), dest=name, metavar=metavar, default=SUPPRESS, help=about)
    sections["Proxy"].add_argument(
        "--proxy",
        metavar="URL",
        default=SUPPRESS,
        help="The proxy as one URL: socks5://user@host:1080, also socks4:// and http://",
    )


def _metavar(name: str, option: AnyOption) -> str:
    if isinstance(option, Choice):
        return f"{{{','.join(filter(None, option.words))}}}"
    return name.rpartition("_")[2].upper()


def _about(option: AnyOption) -> str:
    default = option.default_value
    said = "" if default in (None, "", False) else f" (default: {'on' if default is True else default})"
    only = f" {option.protocols[0]} only." if len(option.protocols) == 1 else ""
    return f"{option.help}{only}{said}".replace("%", "%%")


def chosen_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a connection that a line names, by trait: those among ``given``, and what its ``proxy`` is made of."""
    options = MailConnection.options()
    chosen = {name: value for name, value in given.items() if name in options and name != "name"}
    if "proxy" in given:
        url = ProxyURL.parse(given["proxy"])
        if url.password:
            raise refusal("--proxy takes a URL without a password")
        chosen = {**url.options(), **chosen}
    for name in ("server_host", "proxy_host"):
        if _HOST.search(chosen.get(name, "")):
            raise refusal(f"--{name.replace('_', '-')} takes only a host, without a user or a password")
    return chosen


def option_named(text: str) -> str:
    """The trait that a person means by ``server-port``, ``server_port`` or ``--port``."""
    names = {flag: name for name in MailConnection.options() if name != "name" for flag in flags_of(name)}
    flag = "--" + text.strip().lstrip("-").replace("_", "-").casefold()
    if flag not in names:
        near = did_you_mean(flag, list(names))
        raise WrongUsage(f"There is no option {text!r}.{near}", hint="%mailconn edit -h lists them.")
    return names[flag]
