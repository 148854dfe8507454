"""Airflow's connections: JSON or a URI in ``AIRFLOW_CONN_<NAME>``, or the JSON of ``airflow connections export``.

Its hooks take TLS from the first byte unless ``disable_ssl``, and then STARTTLS unless ``disable_tls``; for IMAP
``use_ssl``. A switch is whatever Python holds for true: in a URI, where every value is a text, ``false`` is true, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from ..connection import MailConnection
from ..secret import Kind, Secret
from .found import FoundConnection
from .given import Given, Reading
from .import_draft import Draft, InterchangeError, trusts_anybody
from .json_object import json_object, text_of
from .url_parts import URL

__all__ = ["PREFIX", "read", "variables_of", "written"]

PREFIX: Final = "AIRFLOW_CONN_"

_LINE: Final = re.compile(rf"\s*(?:export\s+)?{PREFIX}(\w+)=(.*?)\s*")
_KEYS: Final = frozenset({"conn_type", "host", "port", "login", "password", "extra", "description"})
_PROTOCOLS: Final = {"smtp": "SMTP", "imap": "IMAP"}


def variables_of(environment: Mapping[str, str]) -> str:
    """Those of an environment that are Airflow's, a line each."""
    return "\n".join(f"{name}={value}" for name, value in environment.items() if name.startswith(PREFIX))


def read(given: Given) -> Iterator[Reading]:
    """The id of each connection, and what reads it, which gives None for one that is not for mail."""
    text, name = given.text, _named(given.place)
    if text.lstrip().startswith("{"):
        said = json_object(text)
        if "conn_type" in said:
            yield name, partial(_read, said, name)
            return
        for key, value in said.items():
            yield key, partial(_one, value, key)
        return
    lines = [found for line in text.splitlines() if (found := _LINE.fullmatch(line))]
    if not lines and "://" in text:
        yield name, partial(_one, text.strip(), name)
        return
    for found in lines:
        value = found[2][1:-1] if re.fullmatch("'.*'|\".*\"", found[2], re.DOTALL) else found[2]
        yield found[1].lower(), partial(_one, value, found[1].lower())


def _named(place: str) -> str:
    """The connection's id, where the file or variable is called after it."""
    found = re.search(rf"{PREFIX}(\w+)", place)
    return found[1].lower() if found else place


def _one(value: object, name: str) -> FoundConnection | None:
    if isinstance(value, dict):
        return _read(value, name)
    if not isinstance(value, str):
        raise InterchangeError("It is neither a JSON object nor a URI.")
    if value.lstrip().startswith("{"):
        return _read(json_object(value), name)
    url = URL.parse(value)
    # One value of the query may be all of it, as JSON.
    whole = url.take("__extra__")
    extra = json_object(whole) if whole else {key: secret.reveal() for key, secret in url.query.items()}
    said = {"conn_type": url.scheme, "host": url.host, "port": url.port, "login": url.user, "extra": extra}
    return _read(said | {"password": url.password.reveal(), "schema": url.path.strip("/")}, name)


def _read(said: Mapping[str, Any], name: str) -> FoundConnection | None:
    kind = text_of(said, "conn_type")
    if kind not in _PROTOCOLS:
        if kind == "":
            raise InterchangeError("It has no conn_type.")
        return None
    extra = said.get("extra") or {}
    extra = json_object(extra) if isinstance(extra, str) else extra
    if not isinstance(extra, dict):
        raise InterchangeError("'extra' is not a JSON object.")
    extra = dict(extra)
    host = text_of(said, "host")
    draft = Draft(name or host or kind, _PROTOCOLS[kind])
    draft.give(server_host=host, server_port=text_of(said, "port"))
    draft.secure(_security(kind, extra, draft))
    draft.login(user := text_of(said, "login"), on=bool(user))
    draft.secret(Secret(text_of(said, "password")))
    if text_of(extra, "ssl_context").casefold() == "none":
        raise trusts_anybody("ssl_context none")
    extra.pop("ssl_context", None)
    draft.give(from_address=text_of(extra, "from_email"))
    extra.pop("from_email", None)
    timeout = extra.pop("timeout", None)
    if isinstance(timeout, str | int | float) and not isinstance(timeout, bool):
        draft.give(timeout=timeout)
    if extra.pop("retry_limit", None) is not None:
        draft.unmapped(
            "retry_limit", "here, temporary refusals are retried, but a message that may have arrived is not"
        )
    _read_tokens(extra, draft)
    for key in sorted({*map(str, extra)} | (said.keys() - _KEYS - {"schema"}), key=str):
        draft.unmapped(key)
    if said.get("schema"):
        draft.unmapped("schema")
    return draft.found()


def _security(kind: str, extra: dict[str, Any], draft: Draft) -> str:
    def on(key: str, *, default: bool) -> bool:
        value = extra.pop(key, default)
        if isinstance(value, str) and value.casefold() in {"false", "0", "no", "off"}:
            draft.note(f"{key} is the text {value!r}, which Airflow takes as true, and so does this import.")
        return bool(value)

    if kind == "imap":
        return "SSL" if on("use_ssl", default=True) else ""
    ssl, starttls = not on("disable_ssl", default=False), not on("disable_tls", default=False)
    return "SSL" if ssl else "TLS" if starttls else ""


def _read_tokens(extra: dict[str, Any], draft: Draft) -> None:
    """OAuth 2.0: a token that was brought, or the app that logs in."""
    how = text_of(extra, "auth_type") or "basic"
    client, tenant, scope = (text_of(extra, key) for key in ("client_id", "tenant_id", "scope"))
    secret, token = Secret(text_of(extra, "client_secret")), Secret(text_of(extra, "access_token"))
    for key in ("auth_type", "client_id", "tenant_id", "scope", "client_secret", "access_token"):
        extra.pop(key, None)
    if how == "basic":
        return
    if how != "oauth2":
        raise InterchangeError(f"auth_type is {how!r}, which is neither basic nor oauth2.")
    draft.options["use_xoauth2"] = draft.options["use_authentication"] = True
    if token or not client:
        draft.secret(token)
        return
    draft.give(
        oauth_issuer="microsoft",
        oauth_client_id=client,
        oauth_tenant=tenant,
        oauth_scope=scope,
        oauth_flow="client_credentials",
    )
    draft.secret(secret, Kind.CLIENT)


def written(connection: MailConnection) -> tuple[str, list[str]]:
    """The variable for a connection, and what a person must know of it there."""
    kinds = {protocol: kind for kind, protocol in _PROTOCOLS.items()}
    if connection.protocol not in kinds:
        raise InterchangeError(f"Airflow has no {connection.protocol} connections.")
    kind, security = kinds[connection.protocol], connection.security
    if kind == "imap" and security.startswith("TLS"):
        raise InterchangeError(
            f"Airflow has no STARTTLS for IMAP, which {connection.name!r} uses.",
            hint="Set secure_authentication_type to SSL if the server supports it.",
        )
    extra: dict[str, Any] = {"use_ssl": bool(security)} if kind == "imap" else {"disable_ssl": security != "SSL"}
    if kind == "smtp" and not security:
        extra["disable_tls"] = True
    if connection.from_address:
        extra["from_email"] = connection.from_address
    if kind == "smtp":
        extra["timeout"] = connection.timeout
    if connection.use_authentication and connection.use_xoauth2:
        extra["auth_type"] = "oauth2"
        if connection.oauth_issuer == "microsoft" and connection.oauth_flow == "client_credentials":
            tokens = {"client_id": connection.oauth_client_id, "tenant_id": connection.oauth_tenant}
            extra |= {key: value for key, value in (tokens | {"scope": connection.oauth_scope}).items() if value}
    said = {"conn_type": kind, "host": connection.server_host, "port": connection.port}
    if connection.use_authentication:
        said["login"] = connection.username
    # An apostrophe would end the quotes of a shell.
    text = json.dumps(said | {"extra": extra}).replace("'", "\\u0027")
    notes = ["After any error, Airflow sends the message again, up to six times."] if kind == "smtp" else []
    name = re.sub(r"\W", "_", connection.name, flags=re.ASCII).upper()
    return f"{PREFIX}{name}='{text}'", notes
