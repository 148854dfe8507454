"""``sign_in()`` and ``sign_out()``: a person once, and the connection from then on (OAuth 2.0)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..connection import MailConnection
from ..credentials.prompt import may_ask, question
from ..errors import CredentialError, SignInError
from ..keywords import public
from ..secret import Secret
from ..store import connections
from ..transport.deadline import Limit
from .opening.sign_in_way import needing_the_extra, require_identity, way_out

if TYPE_CHECKING:
    from .sign_in_prompt import SignedIn, SignInPrompt
    from .sign_in_steps import SigningIn

__all__ = ["answer", "begin", "sign_in", "sign_out"]


@public
def sign_in(
    target: str | MailConnection | None = None,
    *,
    flow: str = "",
    tell: Callable[[SignInPrompt], object] | None = None,
    ask: Callable[[str], str] | None = None,
    cancel: threading.Event | None = None,
    test: bool = True,
) -> SignedIn:
    """Sign in for a connection (a name, or None for the default); it stays signed in from then on.

    ``flow`` is ``device`` or ``link``; empty: the connection's own, or what the issuer offers, the device's code first.
    ``tell`` is called with what the person must see, an
    :class:`~mailconn_jupyter.session.sign_in_prompt.SignInPrompt` (``uri``, ``code``, ``link``); without it, that is printed.
    ``ask`` is called with a question and returns the pasted address, for a link alone; without it, it is asked for without
    echo. Setting ``cancel`` ends the waiting. With ``test`` a session is opened and closed at the end.

    Raises :class:`~mailconn_jupyter.errors.SignInError`, with the issuer's own word as ``error``.
    """
    begun = begin(connections.pick(target), flow=flow, cancel=cancel, asks=ask is not None)
    (tell or _print)(begun.prompt)
    return begun.finish(answer(begun.prompt, ask), cancel=cancel, test=test)


def begin(
    given: MailConnection, *, flow: str = "", cancel: threading.Event | None = None, asks: bool = False
) -> SigningIn:
    """Begin to sign in; ``asks``: somebody is there for the address of a link's last page, whatever this kernel says."""
    with needing_the_extra(given):
        from .sign_in_steps import begin_sign_in  # noqa: PLC0415  # an extra

        begun = begin_sign_in(given, flow=flow, cancel=cancel)
    if not begun.prompt.code and not asks and not may_ask():
        raise SignInError(
            "There is nobody to ask for the address of the last page here.",
            cause="sign-in-option",
            hint="Sign in from a notebook or a terminal, or use the device flow.",
        )
    return begun


def answer(prompt: SignInPrompt, ask: Callable[[str], str] | None = None) -> Secret | None:
    """The address that a person pasted, where one is needed."""
    if prompt.code:
        return None
    asked = "The address of the last page: "
    return question(asked) if ask is None else Secret.of(ask(asked))


def _print(prompt: SignInPrompt) -> None:
    print(prompt, flush=True)  # noqa: T201  # the person must see it


@public
def sign_out(target: str | MailConnection | None = None, *, cancel: threading.Event | None = None) -> list[str]:
    """Revoke the sign-in of a connection at its issuer (RFC 7009, where it offers that), and forget it here.

    Returns a sentence for each thing that could not be done; it is forgotten here in any case. Setting ``cancel`` ends the
    waiting for the issuer.
    """
    given = connections.pick(target)
    connection = given.resolved()
    identity = require_identity(connection)
    limit = Limit(connection.deadline, cancel=cancel)
    with needing_the_extra(given):
        from ..credentials.oauth import access_tokens  # noqa: PLC0415  # an extra

        try:
            return access_tokens.sign_out(identity, way_out(connection, limit, ask=True))
        except CredentialError as error:
            return [error.message]
