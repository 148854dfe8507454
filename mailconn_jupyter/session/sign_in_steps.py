"""Signing in (OAuth 2.0): begun, shown to a person, finished. Import it where it is used: it needs an extra."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

from ..connection import MailConnection
from ..credentials.oauth.access_tokens import client_of, keep_new
from ..credentials.oauth.device_code import Device, begin_device
from ..credentials.oauth.pasted_link import Link, begin_link
from ..credentials.oauth.token_requests import Client
from ..errors import SignInError, warn
from ..names import fold
from ..secret import Secret
from ..transport.deadline import Limit
from .check import check
from .opening.sign_in_way import require_identity, way_out
from .sign_in_prompt import SignedIn, SignInPrompt

__all__ = ["SigningIn", "begin_sign_in"]


class SigningIn:
    """A sign-in under way: show ``prompt`` to a person, then :meth:`finish`."""

    def __init__(self, given: MailConnection, client: Client, pending: Device | Link) -> None:
        self._given, self._client, self._pending = given, client, pending
        name = client.identity.name
        if isinstance(pending, Link):
            self.prompt = SignInPrompt(name, link=pending.link)
        else:
            self.prompt = SignInPrompt(name, pending.uri, pending.code, pending.link, pending.seconds)

    def finish(
        self, pasted: Secret | None = None, *, cancel: threading.Event | None = None, test: bool = True
    ) -> SignedIn:
        """Wait until the person has approved, or take the address that was ``pasted``; keep the sign-in, and test it.

        Raises :class:`~mailconn_jupyter.errors.SignInError`; with the cause ``cancelled`` when ``cancel`` was set.
        """
        if isinstance(self._pending, Link):
            tokens = self._pending.finish(pasted) if pasted else None
        else:
            tokens = self._pending.wait(cancel or threading.Event())
        if tokens is None:
            raise SignInError("The sign-in was cancelled.", cause="cancelled")
        given, identity = self._given, self._client.identity
        kept = keep_new(identity, tokens, Limit(given.deadline, cancel=cancel))
        if "@" in tokens.who and "@" in identity.user and fold(tokens.who) != fold(identity.user):
            warn(f"{given.name}: {tokens.who} has signed in, but the connection's user is {identity.user}.")
        report = check(given, cancel=cancel, ask=False) if test else None
        return SignedIn(given.name, tokens.who, datetime.fromtimestamp(tokens.access.until, UTC), kept, report)


def begin_sign_in(
    given: MailConnection, *, flow: str = "", cancel: threading.Event | None = None, ask: bool = True
) -> SigningIn:
    """Ask the issuer of a connection for what a person needs; raises :class:`~mailconn_jupyter.errors.SignInError`."""
    connection = given.resolved()
    identity = require_identity(connection)
    if identity.unattended:
        raise SignInError(
            f"{given.name}: {identity.flow} needs nobody to sign in.",
            cause="sign-in-option",
            hint="Test the connection: a token is fetched whenever one is needed.",
        )
    # A person's time is not the server's: each question has a deadline of its own.
    client = client_of(identity, way_out(connection, Limit(cancel=cancel), ask=ask))
    flow = flow or identity.flow
    if flow not in {"", "device", "link"}:
        raise SignInError(f"A person signs in by device or by link, not by {flow!r}.", cause="sign-in-option")
    if not flow:
        # Google gives no device codes for mail.
        flow = "device" if client.metadata.device and not client.metadata.is_google else "link"
    return SigningIn(given, client, begin_link(client) if flow == "link" else begin_device(client))
