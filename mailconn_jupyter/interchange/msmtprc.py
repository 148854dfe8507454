"""msmtp's configuration (1.8): accounts, which begin with the defaults and may inherit from others.

A line is a word and its argument, which may stand in double quotes; ``#`` begins a line that says nothing. What msmtp
does for a message (aliases, logs, headers) is no affair of a connection, and left out.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from ..connection import MailConnection
from ..connection.mechanisms import OAUTHBEARER, ROWS, XOAUTH2
from ..errors import MailConnError
from ..paths import expanded
from ..secret import Secret
from ..store.strange_keys import prints_itself
from .found import FoundConnection
from .given import Given, Reading
from .import_draft import Draft, InterchangeError, trusts_anybody

__all__ = ["read", "written"]

_LINE: Final = re.compile(r"(\S+)\s*(.*)", re.DOTALL)
_NAME: Final = re.compile(r"""[^\s:,"#]+""")
_MOST_ACCOUNTS: Final = 10_000
#: msmtp has about fifty; each is inherited by every account below.
_MOST_SETTINGS: Final = 100
_ALIAS: Final = "default"
_MECHANISMS: Final = {row.name.casefold(): row.name for row in ROWS}
_TOKENS: Final = {XOAUTH2.name, OAUTHBEARER.name}
# What a shell would do something with; here no shell runs it.
_SHELL: Final = re.compile(r"[|&;<>()$`*?\[\]{}\\!\n]|(?:^|\s)#")
_ASSIGNED: Final = re.compile(r"\w+=")
_FROM_PATTERN: Final = re.compile(r"[*?\[]|%[UHCMTF]")


@dataclass
class _Account:
    """Its settings; those of the defaults are told from its own, since only the own ones are inherited."""

    name: str
    defaults: dict[str, str]
    own: dict[str, str] = field(default_factory=dict)
    parents: tuple[str, ...] = ()
    lines: int = 0

    def __repr__(self) -> str:
        # There are passwords among the settings.
        return f"<account {self.name!r}>"

    @property
    def settings(self) -> dict[str, str]:
        return self.defaults | self.own


def read(given: Given) -> Iterator[Reading]:
    """The name of each account, and what reads it."""
    accounts = _accounts(given.text)
    if not accounts:
        raise InterchangeError("It has no accounts.")
    alias = accounts.get(_ALIAS)
    # "account default : ops" says which of them is meant, and is no account of its own.
    meant = alias.parents[0] if alias is not None and len(alias.parents) == 1 and not alias.lines else ""
    for account in accounts.values():
        if account is not alias or not meant:
            yield account.name, partial(_read, account, default=account.name == meant)


def _accounts(text: str) -> dict[str, _Account]:
    accounts: dict[str, _Account] = {}
    defaults: dict[str, str] = {}
    account: _Account | None = None
    for number, line in enumerate(text.splitlines(), 1):
        found = _LINE.fullmatch(line.strip())
        if found is None or line.lstrip().startswith("#"):
            continue
        word, said = found[1].casefold(), found[2]
        if len(said) > 1 and said.startswith('"') and said.endswith('"'):
            said = said[1:-1]
        if word == "defaults":
            account = None
        elif word == "account":
            account = _begun(said, number, accounts, defaults)
            accounts[account.name] = account
            if len(accounts) > _MOST_ACCOUNTS:
                raise InterchangeError(f"It has more than {_MOST_ACCOUNTS} accounts.")
        elif word == "eval":
            raise InterchangeError(f"Line {number}: eval would run a program, which is not done here.")
        elif account is None:
            defaults[word] = said
        else:
            account.own[word] = said
            account.lines += 1
        if len(defaults) > _MOST_SETTINGS or (account is not None and len(account.own) > _MOST_SETTINGS):
            raise InterchangeError(f"Line {number}: an account has more than {_MOST_SETTINGS} settings.")
    return accounts


def _begun(said: str, number: int, accounts: dict[str, _Account], defaults: dict[str, str]) -> _Account:
    name, _, listed = said.partition(":")
    name, parents = name.strip(), tuple(each.strip() for each in listed.split(",") if each.strip())
    if not _NAME.fullmatch(name):
        raise InterchangeError(f"Line {number}: an account needs a name.")
    if name in accounts:
        raise InterchangeError(f"Line {number}: the account {name!r} is defined twice.")
    account = _Account(name, dict(defaults), parents=parents)
    for parent in parents:
        if parent not in accounts:
            raise InterchangeError(f"Line {number}: {name!r} inherits from {parent!r}, which is not defined before it.")
        account.own |= accounts[parent].own
    return account


def _read(account: _Account, *, default: bool) -> FoundConnection:
    said = dict(account.settings)
    draft = Draft(account.name)
    if (protocol := said.pop("protocol", "smtp").casefold()) != "smtp":
        raise InterchangeError(f"Its protocol is {protocol!r}, not SMTP.")
    if "socket" in said:
        raise InterchangeError("It connects to a local socket, not to a host.")
    host = said.pop("host", "")
    draft.give(server_host=host, server_port=said.pop("port", ""), helo_name=_helo(said.pop("domain", "")))
    draft.secure(_security(said))
    _read_tls(said, host, draft)
    _read_login(said, draft)
    if sender := said.pop("from", ""):
        if _FROM_PATTERN.search(sender):
            draft.unmapped("from", "it is a pattern")
        else:
            draft.give(from_address=sender)
    if said.get("timeout", "off").isdecimal() and int(said["timeout"][:9]) in range(1, 3601):
        draft.give(timeout=said.pop("timeout"))
    if proxy := said.pop("proxy_host", ""):
        draft.give(proxy_host=proxy, proxy_port=said.pop("proxy_port", ""), proxy_type="SOCKS5")
    if default:
        draft.note(f"It is msmtp's default account. To make it the default here: %mailconn default {account.name}")
    for word in sorted(said):
        if said[word] not in {"", "off"}:
            draft.unmapped(word)
    return draft.found()


def _helo(domain: str) -> str:
    # msmtp's own default, which says nothing.
    return "" if domain == "localhost" else domain


def _security(said: dict[str, str]) -> str:
    if not _is_on(said, "tls"):
        said.pop("tls_starttls", None)
        return ""
    return "TLS" if _is_on(said, "tls_starttls", default="on") else "SSL"


def _is_on(said: dict[str, str], word: str, default: str = "off") -> bool:
    value = said.pop(word, default) or "on"
    if value not in {"on", "off"}:
        raise InterchangeError(f"{word} is neither on nor off.")
    return value == "on"


def _read_tls(said: dict[str, str], host: str, draft: Draft) -> None:
    checked = _is_on(said, "tls_certcheck", default="on")
    secure = draft.options["use_secure_authentication"]
    if secure and not checked:
        raise trusts_anybody("tls_certcheck off")
    authority = said.pop("tls_trust_file", "")
    if authority not in {"", "system"}:
        draft.give(ca_file=str(_expanded(authority)))
    if secure and "ca_file" in draft.options:
        draft.note(
            "The authorities in tls_trust_file are trusted in addition to the system's, not instead of them (ca_file)."
        )
    if pin := said.pop("tls_fingerprint", "").replace(":", "").strip():
        if len(pin) == 64:
            draft.give(trusted_hosts=f"{host}=sha256:{pin}")
        else:
            draft.unmapped(
                "tls_fingerprint",
                "a pin is a SHA-256 fingerprint of 64 hexadecimal digits; the known authorities decide",
            )
    certificate, key = said.pop("tls_cert_file", ""), said.pop("tls_key_file", "")
    draft.give(client_certificate=str(_expanded(certificate)))
    if key != certificate:
        draft.give(client_key=str(_expanded(key)))


def _read_login(said: dict[str, str], draft: Draft) -> None:
    how = (said.pop("auth", "off") or "on").casefold()
    mechanism = _MECHANISMS.get(how, "")
    draft.login(said.pop("user", ""), on=how != "off")
    draft.options["use_xoauth2"] = mechanism in _TOKENS
    draft.give(sasl_mechanism=mechanism)
    if how not in {"on", "off"} and not mechanism:
        draft.unmapped(
            f"auth {how}", "this mechanism is not supported; the strongest one that the server offers is used"
        )
    draft.secret(Secret(said.pop("password", "")))
    if command := said.pop("passwordeval", ""):
        mapped = _without_shell(command)
        if mapped is None:
            draft.unmapped(
                "passwordeval", "it needs a shell, and password_command runs a single program with arguments"
            )
        elif prints_itself(mapped):
            _read_printed(mapped, draft)
        else:
            draft.give(password_command=mapped)


def _read_printed(command: str, draft: Draft) -> None:
    """``echo`` and a password: that is the password, and no command that a file may hold."""
    plain = Secret(" ".join(word for word in shlex.split(command)[1:] if word != "-n"))
    if plain and not any(sign in plain.reveal() for sign in "%\\"):
        draft.secret(plain)
        draft.note("passwordeval prints the password itself, so it is kept as a password, not as a command.")
    else:
        draft.unmapped("passwordeval", "it contains the password itself")


def _without_shell(command: str) -> str | None:
    """The command for a run without a shell; None where a shell would do more than part it into words."""
    quoted = re.sub("'[^']*'", "''", command)
    if _SHELL.search(quoted):
        return None
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    if not words or _ASSIGNED.match(words[0]):
        return None
    words = [str(_expanded(word)) if word.startswith("~/") else word for word in words]
    return shlex.join(words)


def _expanded(path: str) -> Path | str:
    return expanded(path) if path.startswith("~/") else path


def written(connection: MailConnection) -> tuple[str, list[str]]:
    """The account for a connection, and what a person must know of it there."""
    if connection.protocol != "SMTP":
        raise InterchangeError(f"msmtp only speaks SMTP, and {connection.name!r} is {connection.protocol}.")
    security = connection.security
    lines = {
        "host": connection.server_host,
        "port": str(connection.port),
        "tls": "on" if security else "off",
        "tls_starttls": {"SSL": "off", "": ""}.get(security, "on"),
        "tls_certcheck": "on" if security else "",
        "tls_fingerprint": _pin(connection),
        "tls_trust_file": connection.ca_file,
        "tls_cert_file": connection.client_certificate,
        # msmtp wants it said, also where it is in the same file.
        "tls_key_file": connection.client_key or connection.client_certificate,
        "auth": (connection.sasl_mechanism.casefold() or _usual(connection))
        if connection.use_authentication
        else "off",
        "user": connection.username,
        "passwordeval": "" if prints_itself(connection.password_command) else connection.password_command,
        "from": connection.from_address,
        "domain": connection.helo_name,
        "timeout": f"{connection.timeout:g}" if connection.timeout != 20 else "",  # ours, and theirs is none
    }
    if connection.use_proxy and connection.proxy_type == "SOCKS5":
        lines |= {"proxy_host": connection.proxy_host, "proxy_port": str(connection.proxy_port_used)}
    name = re.sub(r"""[\s:,"#]+""", "-", connection.name)
    said = [f"{word} {_quoted(value)}" for word, value in lines.items() if value]
    return "\n".join([f"account {name}", *said]), []


def _usual(connection: MailConnection) -> str:
    return XOAUTH2.name.casefold() if connection.use_xoauth2 else "on"


def _pin(connection: MailConnection) -> str:
    try:
        pins = connection.trust.pins_of(connection.server_host)
    except MailConnError:
        return ""
    if len(pins) != 1:
        return ""
    [pin] = pins
    return ":".join(re.findall("..", pin.upper()))


def _quoted(value: str) -> str:
    return f'"{value}"' if value.startswith('"') else value
