"""Apache Hop's metadata: a file a connection, ``metadata/MailServerConnection/NAME.json`` in a project's folder.

Its classes of 2026-08 are what was read. There STARTTLS is opportunistic, IMAP and POP3 have TLS from the first byte
whatever the type says, ``useProxy`` names a SASL authorization identity, and ``%%NAME%%`` is a variable as ``${NAME}`` is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..connection import MailConnection
from ..secret import Secret
from .found import FoundConnection
from .given import Given, Reading
from .import_draft import Draft, InterchangeError
from .json_object import flag, json_object, text_of

__all__ = ["FOLDER", "decoded", "read", "written"]

#: Where a project keeps them.
FOLDER: Final = "metadata/MailServerConnection"

_PROTOCOLS: Final = ("SMTP", "IMAP", "POP3", "MBOX")
_SECURITY: Final = {"": "TLS", "SSL": "SSL", "TLS": "TLS", "TLS 1.2": "TLS1.2"}
_KEYS: Final = {
    "virtualPath",
    "name",
    "protocol",
    "serverHost",
    "serverPort",
    "useAuthentication",
    "username",
    "password",
    "useXOAuth2",
    "useSecureAuthentication",
    "secureConnectionType",
    "checkServerIdentity",
    "trustedHosts",
    "useProxy",
    "proxyUsername",
}
_VARIABLE: Final = re.compile(r"%%([^%]+)%%")
_MARK: Final = "Encrypted "
# Public, so this keeps nobody from reading it.
_SEED: Final = 933910847463829827159347601486730416058


def read(given: Given) -> Iterator[Reading]:
    """The connection of one file."""
    yield given.place, lambda: _read(json_object(given.text), given.stem)


def _read(said: Mapping[str, Any], stem: str) -> FoundConnection:
    protocol = text_of(said, "protocol").upper()
    if not _KEYS & said.keys() or protocol not in _PROTOCOLS:
        raise InterchangeError(
            f"protocol is {protocol!r}, which is not one of {', '.join(_PROTOCOLS)}."
            if "protocol" in said
            else "It is not one of Hop's mail server connections: it has no protocol."
        )
    draft = Draft(text_of(said, "name") or stem or "hop", protocol)
    host = text_of(said, "serverHost")
    draft.give(server_host=_ours(host), server_port=_ours(text_of(said, "serverPort")) if protocol != "MBOX" else None)
    for key in sorted(said.keys() - _KEYS):
        draft.unmapped(key)
    if text_of(said, "virtualPath").strip("/"):
        draft.unmapped("virtualPath", "connections have no folders here")
    if protocol != "MBOX":
        _read_security(said, draft)
        _read_login(said, draft)
    return draft.found(variables=True)


def _read_security(said: Mapping[str, Any], draft: Draft) -> None:
    draft.options["check_server_identity"] = flag(said, "checkServerIdentity", default=True)
    draft.give(trusted_hosts=_ours(text_of(said, "trustedHosts")))
    if not flag(said, "useSecureAuthentication", default=True):
        draft.secure("")
        return
    kind = text_of(said, "secureConnectionType")
    if kind not in _SECURITY:
        raise InterchangeError(f"secureConnectionType is {kind!r}, which is not SSL, TLS or TLS 1.2.")
    security = _SECURITY[kind]
    if draft.options["protocol"] != "SMTP":
        if security != "SSL":
            draft.note(f"The type {kind!r} becomes SSL: for IMAP and POP3, Hop always uses TLS from the first byte.")
        security = "SSL"
    elif security != "SSL":
        draft.note("STARTTLS is required here. Hop continues in plain text if the server does not offer it.")
    draft.secure(security)
    if "trusted_hosts" in draft.options:
        draft.note(
            "Certificates of the hosts in trustedHosts need no known authority. A pin would accept one certificate "
            "only: %mailconn test shows it."
        )


def _read_login(said: Mapping[str, Any], draft: Draft) -> None:
    draft.login(_ours(text_of(said, "username")), on=flag(said, "useAuthentication", default=True))
    draft.options["use_xoauth2"] = flag(said, "useXOAuth2")
    if flag(said, "useProxy") and text_of(said, "proxyUsername"):
        draft.give(authorization_id=_ours(text_of(said, "proxyUsername")))
        draft.note(
            "useProxy and proxyUsername are not a network proxy: they name the mailbox that the login acts for (authorization_id)."
        )
    password = text_of(said, "password")
    if "${" in password or _VARIABLE.search(password):
        draft.note("The password is one of Hop's variables, whose value is not known here.")
        return
    secret = decoded(password)
    if secret is None:
        draft.note("The password was left out: it is not in Hop's standard encoding.")
    else:
        draft.secret(secret)


def _ours(text: str) -> str:
    return _VARIABLE.sub(r"${\1}", text)


def decoded(text: str) -> Secret | None:
    """A password as Hop writes it: plain, or as ``Encrypted`` and a number; None where it is not in that form.

    >>> decoded("Encrypted -2be98afc86aa7f2e4cb79ce10bef2f3fa").reveal() == "\N{LATIN SMALL LETTER U WITH DIAERESIS}"
    True
    """
    if text.startswith("AES"):
        return None
    number = text.removeprefix(_MARK)
    if number == text or not number.strip():
        return Secret("" if text.startswith(_MARK) else text)
    if len(number) > 4000 or not re.fullmatch("-?[0-9a-f]+", number.strip(), re.IGNORECASE):
        return None
    value = int(number, 16) ^ _SEED
    return Secret.decode(value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def written(connection: MailConnection) -> tuple[str, list[str]]:
    """The file for a connection, and what a person must know of it there."""
    protocol, security = connection.protocol, connection.security
    if protocol not in _PROTOCOLS:
        raise InterchangeError(f"Hop has no {protocol} connections.")
    if protocol in {"IMAP", "POP3"} and security.startswith("TLS"):
        raise InterchangeError(
            f"For {protocol}, Hop always uses TLS from the first byte, but {connection.name!r} uses STARTTLS.",
            hint="Set secure_authentication_type to SSL if the server supports it.",
        )
    names = {ours: theirs for theirs, ours in _SECURITY.items() if theirs}
    file = {
        "virtualPath": "",
        "name": connection.name,
        "protocol": protocol,
        "serverHost": connection.server_host,
        "serverPort": "" if connection.port is None else str(connection.port),
        "useAuthentication": connection.use_authentication,
        "username": connection.username,
        "password": "",
        "useXOAuth2": connection.use_xoauth2,
        "useSecureAuthentication": connection.use_secure_authentication and protocol != "MBOX",
        "secureConnectionType": names.get(security, "TLS"),
        "checkServerIdentity": connection.check_server_identity,
        "trustedHosts": " ".join(word for word in connection.trusted_hosts.split() if "=" not in word),
        "useProxy": bool(connection.authorization_id),
        "proxyUsername": connection.authorization_id,
    }
    opportunistic = protocol == "SMTP" and security.startswith("TLS")
    notes = ["Hop continues in plain text if the server does not offer STARTTLS."] if opportunistic else []
    return json.dumps(file, indent=2, ensure_ascii=False), notes
