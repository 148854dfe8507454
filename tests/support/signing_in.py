"""Signing in by hand, one layer below ``sign_in()``: the account, the client, and a person who approves."""

from __future__ import annotations

import threading
from typing import Any

from mailconn_jupyter.credentials.oauth.access_tokens import client_of
from mailconn_jupyter.credentials.oauth.device_code import begin_device
from mailconn_jupyter.credentials.oauth.identity import Identity
from mailconn_jupyter.credentials.oauth.pasted_link import begin_link
from mailconn_jupyter.credentials.oauth.token_requests import Client, Tokens
from mailconn_jupyter.secret import Secret
from mailconn_jupyter.transport.deadline import Limit
from mailconn_jupyter.transport.http import HTTP, WayOut
from mailconn_jupyter.transport.tls import TLSPolicy
from tests.servers.certificates import Certificates
from tests.servers.issuer import Issuer

__all__ = ["by_device", "by_link", "client_at", "direct", "identity_at"]


def direct(certificates: Certificates | None = None, seconds: float = 10.0) -> HTTP:
    """HTTP without a proxy, to who shows the authority's certificates."""
    policy = TLSPolicy(ca_file=str(certificates.ca.pem) if certificates else "")
    return HTTP(WayOut(lambda _: None, lambda _: policy), Limit(seconds))


def identity_at(url: str, client_id: str = "mailconn", **changes: Any) -> Identity:
    given = {"name": "ops", "protocol": "SMTP", "user": "alice", "issuer": url, "client_id": client_id}
    return Identity(**(given | changes))


def client_at(issuer: Issuer, client_id: str = "mailconn", **changes: Any) -> Client:
    return client_of(identity_at(issuer.url, client_id, **changes), direct(issuer.certificates))


def by_device(issuer: Issuer, client: Client, user: str = "alice", *, deny: bool = False) -> Tokens | None:
    device = begin_device(client)
    issuer.browser(user).enter(device.uri, device.code, deny=deny)
    return device.wait(threading.Event())


def by_link(issuer: Issuer, client: Client, user: str = "alice", *, deny: bool = False) -> Tokens:
    link = begin_link(client)
    return link.finish(Secret(issuer.browser(user).follow(link.link, deny=deny)))
