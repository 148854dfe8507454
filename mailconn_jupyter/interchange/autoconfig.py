"""Mozilla's autoconfig (config-v1.1): the servers of a provider, each with its logins in the order of preference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Final
from xml.etree.ElementTree import Element

from ..connection.mechanisms import CRAM_MD5, EXTERNAL
from ..message.addresses import envelope_address
from .found import FoundConnection
from .given import Given, Reading
from .import_draft import Draft, InterchangeError
from .xml_elements import elements

__all__ = ["read"]

_PROTOCOLS: Final = {"smtp": "SMTP", "imap": "IMAP", "pop3": "POP3"}
_SECURITY: Final = {"SSL": "SSL", "STARTTLS": "TLS", "plain": ""}
#: By its authentication: the mechanism, and whether the secret is a token; None where there is no login at all.
_LOGINS: Final[dict[str, tuple[str, bool] | None]] = {
    "password-cleartext": ("", False),
    "plain": ("", False),
    "password-encrypted": (CRAM_MD5.name, False),
    "secure": (CRAM_MD5.name, False),
    "OAuth2": ("", True),
    "TLS-client-cert": (EXTERNAL.name, False),
    "none": None,
    "client-IP-address": None,
}
_ISSUERS: Final = {"login.microsoftonline.com": "microsoft", "accounts.google.com": "google"}


def read(given: Given) -> Iterator[Reading]:
    """The name of each server, and what reads it."""
    root, address = elements(given.data), given.address
    if root.tag != "clientConfig":
        raise InterchangeError("It is not an autoconfig file: its root is not <clientConfig>.")
    if address:
        address = envelope_address(address, what="address").text
    servers = [
        (server, provider)
        for provider in root.iter("emailProvider")
        for server in provider
        if server.tag in {"incomingServer", "outgoingServer"}
    ]
    earlier: Counter[str] = Counter()
    for server, provider in servers:
        # Several of one protocol stand in the order of preference.
        kind = server.get("type") or "server"
        earlier[kind] += 1
        number = earlier[kind] if earlier[kind] > 1 else ""
        name = f"{provider.get('id') or given.stem or 'mail'}-{kind}{number}"
        yield name, partial(_read, server, name, address, root)


def _read(server: Element, name: str, address: str, root: Element) -> FoundConnection:
    protocol = _PROTOCOLS.get(server.get("type") or "")
    if protocol is None:
        raise InterchangeError(f"The server's type is not one of {', '.join(_PROTOCOLS)}.")
    draft = Draft(name, protocol)
    security = _SECURITY.get(_text(server, "socketType"))
    if security is None:
        raise InterchangeError(f"The server's socketType is not one of {', '.join(_SECURITY)}.")
    host = _filled(_text(server, "hostname"), address)
    if "%" in host:
        raise InterchangeError("Its host depends on the mail address: give it with --address (address=).")
    draft.give(server_host=host, server_port=_text(server, "port"))
    draft.secure(security)
    _read_login(server, draft, address, root)
    if protocol == "SMTP" and address:
        draft.give(from_address=address)
    return draft.found()


def _read_login(server: Element, draft: Draft, address: str, root: Element) -> None:
    offered = [_own(each) for each in server.iter("authentication")]
    known = [each for each in offered if each in _LOGINS]
    for each in offered:
        if each not in _LOGINS:
            draft.unmapped(each or "authentication", "this way of logging in is not supported")
    chosen = known[0] if known else "password-cleartext"
    if len(known) > 1:
        draft.note(
            f"Of the ways of logging in, the first one was taken: {chosen}. There is also {', '.join(known[1:])}."
        )
    login = _LOGINS[chosen]
    if login is None:
        draft.login("", on=False)
        return
    mechanism, token = login
    user = _filled(_text(server, "username"), address)
    draft.login(user if "%" not in user else "", on=True)
    if "%" in user:
        draft.note("The username depends on the mail address: give it with --address (address=).")
    draft.give(sasl_mechanism=mechanism)
    draft.options["use_xoauth2"] = token
    if token:
        _read_issuer(draft, root)


def _read_issuer(draft: Draft, root: Element) -> None:
    said = root.find("oAuth2")
    if said is None:
        draft.note("It does not name the issuer of the tokens: set oauth_issuer, or bring your own token.")
        return
    issuer = _text(said, "issuer")
    if issuer:
        draft.give(oauth_issuer=_ISSUERS.get(issuer) or f"https://{issuer.removeprefix('https://')}")
    draft.give(oauth_scope=_text(said, "scope"))
    draft.note(
        "To sign in, set oauth_client_id to the id of an app that is registered with the issuer. authURL and tokenURL "
        "were left out: they are looked up at the issuer."
    )


def _own(element: Element) -> str:
    return (element.text or "").strip()


def _text(parent: Element, tag: str) -> str:
    found = parent.find(tag)
    return "" if found is None else _own(found)


def _filled(text: str, address: str) -> str:
    if not address:
        return text
    local_part, _, domain = address.rpartition("@")
    values = {"%EMAILADDRESS%": address, "%EMAILLOCALPART%": local_part, "%EMAILDOMAIN%": domain}
    for name, value in values.items():
        text = text.replace(name, value)
    return text
