"""URLs of mail servers. The same scheme means opposite things to two writers, so the writer is named and never guessed.

``smtps://`` is TLS from the first byte to curl and Symfony, and STARTTLS to django-environ. To curl ``smtp://`` is
STARTTLS if the server has it, to django-environ plain text; ``mailtos://`` is Apprise's alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import quote

from ..connection import MailConnection
from ..connection.mechanisms import OAUTHBEARER, ROWS, XOAUTH2
from .found import FoundConnection
from .given import Given, Reading
from .import_draft import Draft, InterchangeError, trusts_anybody
from .url_parts import URL

__all__ = ["read_curl", "read_django", "written"]

_CURL: Final = {
    "smtp": ("SMTP", "TLS"),
    "smtps": ("SMTP", "SSL"),
    "imap": ("IMAP", "TLS"),
    "imaps": ("IMAP", "SSL"),
    "pop3": ("POP3", "TLS"),
    "pop3s": ("POP3", "SSL"),
}
_DJANGO: Final = {"smtp": "", "smtp+tls": "TLS", "smtps": "TLS", "smtp+ssl": "SSL"}
_APPRISE: Final = {"mailto": "insecure", "mailtos": "starttls"}
_APPRISE_MODES: Final = {"ssl": ("SSL", 465), "starttls": ("TLS", 587), "insecure": ("", 25)}
_MECHANISMS: Final = {row.name for row in ROWS}
_OFF: Final = {"0", "false", "no", "off", "n"}


def read_curl(given: Given) -> Iterator[Reading]:
    """A URL a line, as curl means it; also as Symfony and Apprise do, where that is no other thing."""
    return _lines(given, _curl)


def read_django(given: Given) -> Iterator[Reading]:
    """A URL a line, as django-environ means it (EMAIL_URL)."""
    return _lines(given, _django)


def _lines(given: Given, read: Callable[[URL], FoundConnection]) -> Iterator[Reading]:
    lines = [(number, line.strip()) for number, line in enumerate(given.text.splitlines(), 1)]
    told = [(number, line) for number, line in lines if line and not line.startswith("#")]
    for number, line in told:
        place = f"{given.place} line {number}".strip() if len(told) > 1 else given.place
        yield place, lambda line=line: read(URL.parse(line))  # type: ignore[misc]


def _curl(url: URL) -> FoundConnection:
    if url.scheme in _APPRISE:
        return _apprise(url)
    if url.scheme not in _CURL:
        hint = "For django-environ's URLs, use --from django." if url.scheme in _DJANGO else ""
        raise InterchangeError(f"{url.scheme}:// is not one of {', '.join(_CURL)}.", hint=hint)
    protocol, security = _CURL[url.scheme]
    draft = Draft(url.host, protocol)
    if security == "TLS":
        draft.note(f"{url.scheme}:// is read as curl does: STARTTLS if the server offers it. Here it is required.")
    elif url.scheme in _DJANGO:
        draft.note(
            "smtps:// is read as curl does: TLS from the first byte. In django-environ it means STARTTLS (--from django)."
        )
    if (url.scheme, url.port) == ("smtp", "465"):
        draft.note(
            "Port 465 is for TLS from the first byte, which smtp:// does not mean in curl. Did you mean smtps://?"
        )
    _fill(draft, url, security)
    _symfony(draft, url)
    return _finished(draft, url)


def _django(url: URL) -> FoundConnection:
    if url.scheme not in _DJANGO:
        raise InterchangeError(f"{url.scheme}:// is not one of {', '.join(_DJANGO)}.")
    draft = Draft(url.host)
    if url.scheme == "smtps":
        draft.note(
            "smtps:// is read as django-environ does: STARTTLS. In curl it means TLS from the first byte (--from url)."
        )
    _fill(draft, url, _DJANGO[url.scheme])
    return _finished(draft, url)


def _fill(draft: Draft, url: URL, security: str) -> None:
    draft.give(server_host=url.host, server_port=url.port)
    draft.secure(security)
    draft.login(url.user, on=bool(url.user))
    draft.secret(url.password)
    if url.mechanism in _MECHANISMS:
        draft.give(sasl_mechanism=url.mechanism)
        draft.options["use_xoauth2"] = url.mechanism in {XOAUTH2.name, OAUTHBEARER.name}
    elif url.mechanism not in {"", "*"}:
        draft.unmapped("AUTH", "this mechanism is not supported; the strongest one that the server offers is used")


def _symfony(draft: Draft, url: URL) -> None:
    if url.take("verify_peer").casefold() in _OFF:
        raise trusts_anybody("verify_peer=0")
    if url.take("auto_tls").casefold() in _OFF and draft.options["secure_authentication_type"] == "TLS":
        draft.note("auto_tls=false would keep the link in plain text; here STARTTLS is required.")
    draft.give(helo_name=url.take("local_domain"))
    if url.take("peer_fingerprint"):
        draft.unmapped(
            "peer_fingerprint", "there it is checked in addition to the authorities, but a pin here replaces them"
        )


def _apprise(url: URL) -> FoundConnection:
    if (url.take("verify") or "yes").casefold() in _OFF:
        raise trusts_anybody("verify=no")
    mode = (url.take("mode") or _APPRISE[url.scheme]).casefold()
    if mode not in _APPRISE_MODES:
        raise InterchangeError(f"mode is not one of {', '.join(_APPRISE_MODES)}.")
    security, port = _APPRISE_MODES[mode]
    server, user = url.take("smtp"), url.take("user") or url.user
    address = user if "@" in user or not user else f"{user}@{url.host}"
    draft = Draft(url.host)
    draft.give(server_host=server or url.host, server_port=url.take("port") or url.port or port)
    draft.secure(security)
    draft.login(user, on=bool(user))
    draft.give(from_address=url.take("from") or address)
    secret = url.query.pop("pass", None) or url.password
    draft.secret(secret)
    if not server:
        draft.note(f"The server is assumed to be {url.host}; Apprise knows the servers of some large providers.")
    return _finished(draft, url)


def _finished(draft: Draft, url: URL) -> FoundConnection:
    if url.path.strip("/"):
        draft.unmapped("the path", "a connection has no folder")
    for key in url.query:
        draft.unmapped(key)
    return draft.found()


def written(connection: MailConnection) -> tuple[str, list[str]]:
    """The URL for a connection, as curl means it, and what a person must know of it there."""
    schemes = {meant: scheme for scheme, meant in _CURL.items()}
    security = connection.security.removesuffix("1.2")
    if connection.protocol not in {protocol for protocol, _ in schemes}:
        raise InterchangeError(f"There is no URL for {connection.protocol}.")
    scheme = schemes[connection.protocol, security or "TLS"]
    host = quote(connection.server_host, safe="")
    if ":" in connection.server_host:
        host = f"[{connection.server_host}]"
    login = ""
    if connection.use_authentication:
        mechanism = connection.sasl_mechanism or (XOAUTH2.name if connection.use_xoauth2 else "")
        login = quote(connection.username, safe="") + (f";AUTH={mechanism}" if mechanism else "")
    port = quote(str(connection.port), safe="")
    notes = []
    if security == "TLS":
        notes.append(
            f"Use it with curl's --ssl-reqd: without it, {scheme}:// continues in plain text if there is no STARTTLS."
        )
    return f"{scheme}://{login}{'@' if login else ''}{host}:{port}", notes
