"""Why a server refused, as far as it tells: the response codes of IMAP and POP3, and the words of large providers.

RFC 5530 (IMAP), RFC 2449 and RFC 3206 (POP3). A provider without a code for what is wrong has words for it, and not
every refusal of a login is about the password: to set another one would help nobody.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["greeting_cause", "login_cause", "refusal_cause", "response_code"]

_CODE = re.compile(rb"\[([A-Za-z][A-Za-z0-9/-]*)[ \]]")
_CODES: Final = {
    "AUTH": "wrong-password",
    "AUTHENTICATIONFAILED": "wrong-password",
    "AUTHORIZATIONFAILED": "not-authorized",
    "EXPIRED": "wrong-password",
    "IN-USE": "in-use",
    "INUSE": "in-use",
    "LIMIT": "rate-limited",
    "LOGIN-DELAY": "rate-limited",
    "PRIVACYREQUIRED": "plain-text-refused",
    "SYS/PERM": "refused-by-server",
    "SYS/TEMP": "login-temporary",
    "UNAVAILABLE": "login-temporary",
    "CONTACTADMIN": "refused-by-server",
    "SERVERBUG": "refused-by-server",
}
#: What says more than a code; the first that is found counts.
_WORDS: Final = {
    "smtp-off-tenant": ["SmtpClientAuthentication is disabled for the Tenant"],
    "smtp-off-mailbox": ["SmtpClientAuthentication is disabled for the Mailbox"],
    "basic-off": ["BasicAuthBlocked", "basic authentication is (disabled|not supported)"],
    "login-policy": ["security defaults policy", "did not meet the criteria to be authenticated"],
    "app-password": ["application-specific", "app password"],
    "web-login": ["log ?in (via|with) your web browser", "web login required"],
    "too-many-connections": [
        r"too many (\w+ )?(connections|sessions)",
        "maximum number of connections",
        "connections? limit (exceeded|reached)",
    ],
    "rate-limited": [
        "rate limit",
        "throttl",
        "command or bandwidth limits",
        "too (often|frequent)",
        "frequency limited",
        r"too many (\w+ )?(log-?ins|attempts|failures|commands|requests)",
    ],
    "not-enabled": [
        "not (been )?enabled for (IMAP|POP)",
        # Who says "or IMAP is disabled" does not say which.
        r"(?<!or )\b(IMAP|POP3?)( access| service)? (is|has been) (disabled|not enabled|turned off)",
        "authenticated but not connected",
    ],
}
_BUSY: Final = re.compile(rb"busy|try again|temporar|overload|shutting down", re.IGNORECASE)
_PATTERNS: Final = {cause: re.compile("|".join(words), re.IGNORECASE) for cause, words in _WORDS.items()}


def response_code(text: bytes) -> str:
    """The code in brackets that a response begins with, in capitals; empty where there is none.

    >>> response_code(b"[AUTHENTICATIONFAILED] Authentication failed.")
    'AUTHENTICATIONFAILED'
    """
    match = _CODE.match(text)
    return match.group(1).decode().upper() if match else ""


def refusal_cause(text: bytes, otherwise: str) -> str:
    """What a refusal of any kind means by its words: a cause of :mod:`mailconn_jupyter.session.opening.hints`.

    >>> refusal_cause(b"[ALERT] Too many simultaneous connections. (Failure)", "closed")
    'too-many-connections'
    """
    words = " ".join(text.decode("utf-8", "replace").split())
    return next((cause for cause, pattern in _PATTERNS.items() if pattern.search(words)), otherwise)


def greeting_cause(text: bytes) -> str:
    """Why a server does not want to talk, which most say without a code.

    >>> greeting_cause(b"Server too busy, try again later"), greeting_cause(b"[SYS/TEMP] no")
    ('server-busy', 'server-busy')
    """
    busy = _CODES.get(response_code(text)) == "login-temporary" or _BUSY.search(text)
    return refusal_cause(text, "server-busy" if busy else "refused-by-server")


def login_cause(text: bytes, *, token: bool, understood: bool = True) -> str:
    """Why a login was refused; ``understood``: the server has taken it for a login, and said no."""
    otherwise = "wrong-password" if understood else "mechanism-refused"
    cause = refusal_cause(text, _CODES.get(response_code(text), otherwise))
    return "token-refused" if token and cause == "wrong-password" else cause
