"""Why a server for reading refused, as far as its words tell: the response codes of IMAP and POP3.

RFC 5530 (IMAP), RFC 2449 and RFC 3206 (POP3); the words are those of large providers, which know no code for it.
"""

from __future__ import annotations

import re

__all__ = ["login_cause", "response_code"]

_CODE = re.compile(rb"\[([A-Za-z][A-Za-z0-9/-]*)[ \]]")
_CAUSES = {
    "AUTH": "wrong-password",
    "AUTHENTICATIONFAILED": "wrong-password",
    "AUTHORIZATIONFAILED": "not-authorized",
    "EXPIRED": "wrong-password",
    "IN-USE": "in-use",
    "INUSE": "in-use",
    "LIMIT": "login-temporary",
    "LOGIN-DELAY": "login-temporary",
    "PRIVACYREQUIRED": "plain-text-refused",
    "SYS/PERM": "refused-by-server",
    "SYS/TEMP": "login-temporary",
    "UNAVAILABLE": "login-temporary",
    "CONTACTADMIN": "refused-by-server",
    "SERVERBUG": "refused-by-server",
}


def response_code(text: bytes) -> str:
    """The code in brackets that a response begins with, in capitals; empty where there is none.

    >>> response_code(b"[AUTHENTICATIONFAILED] Authentication failed.")
    'AUTHENTICATIONFAILED'
    """
    match = _CODE.match(text)
    return match.group(1).decode().upper() if match else ""


def login_cause(text: bytes, *, token: bool) -> str:
    """Why a login was refused: one of the causes of :mod:`mailconn_jupyter.session.opening.hints`."""
    words = text.decode("utf-8", "replace").casefold()
    cause = _CAUSES.get(response_code(text), "wrong-password")
    if cause != "wrong-password":
        return cause
    if token:
        return "token-refused"
    if "basicauthblocked" in words or "basic authentication is disabled" in words:
        return "basic-off"
    if "application-specific" in words or "app password" in words:
        return "app-password"
    return cause
