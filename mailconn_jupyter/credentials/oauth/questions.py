"""Asking an authorization server, again where the network failed, and what its refusals mean."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from ...connection.trusted_hosts import how_to_pin
from ...errors import SignInError
from ...secret import Secret
from ...transport.deadline import Limit
from ...transport.http import HTTP
from ...transport.http_question import Reply
from ...transport.transport_errors import TransportError, readable
from ..without_traceback import sealed

__all__ = ["ask", "refusal", "refusal_words", "retried"]

#: Seconds before the second and the third try.
_PAUSES: Final = (0.5, 1.5)
_LONGEST_PAUSE: Final = 20.0

#: What the network did, or a server that is in trouble; a certificate or a proxy's refusal is no better in a second.
_PASSING: Final = {
    "no-answer",
    "refused",
    "unreachable",
    "closed",
    "host-unknown",
    "proxy-hung-up",
    "target-unreachable",
}

#: Microsoft's numbers say more than its errors do; they choose a hint and nothing else.
_NUMBERS: Final = {
    "50011": "Register the redirect http://localhost in the app, as one of mobile and desktop applications.",
    "50074": "The account needs a second factor: sign in by the link (flow link).",
    "50076": "The account needs a second factor: sign in by the link (flow link).",
    "50079": "The account needs a second factor: sign in by the link (flow link).",
    "50131": "A company policy (Conditional Access) blocks it: sign in by the link (flow link).",
    "50173": "The sign-in was revoked, often because the password was changed: sign in again.",
    "50194": "The app is for one tenant only: set oauth_tenant.",
    "53000": "A company policy (Conditional Access) blocks it: sign in by the link (flow link).",
    "53003": "A company policy (Conditional Access) blocks it: sign in by the link (flow link).",
    "65001": "Nobody has consented to the app: sign in and consent, or have an administrator consent for all.",
    "70008": "The sign-in has expired: sign in again.",
    "700016": "The tenant does not know the app: check oauth_client_id and oauth_tenant.",
    "700025": "The app is a public client and takes no secret: delete the client secret.",
    "700082": "The sign-in has expired, unused for too long: sign in again.",
    "7000215": "The client secret is wrong; it is the secret's value, not its id.",
    "7000218": "Turn on 'Allow public client flows' in the app's registration, or keep its client secret.",
    "7000222": "The client secret has expired: make a new one in the app's registration.",
}

_ERRORS: Final = {
    "access_denied": "It was denied: sign in again, and approve.",
    "authorization_declined": "It was denied: sign in again, and approve.",
    "bad_verification_code": "The code is unknown: sign in again.",
    "code_expired": "The code expired before it was approved: sign in again.",
    "expired_token": "The code expired before it was approved: sign in again.",
    "invalid_client": "Check oauth_client_id; where the client has a secret, the secret may be missing, wrong or expired.",
    "unauthorized_client": "The client may not sign in this way: change its registration, or oauth_flow.",
    "unsupported_grant_type": "The server does not offer this flow: choose another oauth_flow.",
    "unsupported_response_type": "The server does not offer this flow: choose another oauth_flow.",
    "invalid_scope": "The client may not ask for this: check oauth_scope, and the permissions of its registration.",
    "admin_policy_enforced": "The company's administrator must allow the app first.",
    "org_internal": "The app is only for people in its own company.",
}

#: A server in trouble, by its error or its status: another try may go well, and nothing has ended.
_TROUBLE: Final = re.compile(r"server_error|temporarily_unavailable|429|5\d\d")


def ask(http: HTTP, url: str, form: Secret, host: str, login: Secret | None = None) -> Reply:
    """Send a form; a failure of the network is tried again. No frame of an error holds what was sent, or came."""
    return retried(lambda: sealed(lambda: http.post(url, form, login)), http.limit, host)


def retried(question: Callable[[], Reply], limit: Limit, host: str) -> Reply:
    """The answer, at the third try at the latest; raises :class:`SignInError` where there is none."""
    failure: TransportError | None = None
    for pause in (*_PAUSES, 0.0):
        wait = pause
        try:
            reply = question()
            if reply.status != 429 and reply.status < 500:
                return reply
            failure, wait = None, min(max(wait, reply.retry_after or 0.0), _LONGEST_PAUSE)
        except TransportError as error:
            failure = error
            if error.cause not in _PASSING:
                break
        if not pause:
            break
        try:
            limit.sleep(wait)
        except TransportError as error:
            failure = failure or error
            break
    if failure is None:
        return reply
    if failure.cause == "cancelled":
        raise failure
    raise SignInError(
        f"Signing in at {host}: {failure.message}",
        cause="sign-in-unreachable",
        hint=failure.hint or _link_hint(failure, host),
    ) from failure


def _link_hint(failure: TransportError, host: str) -> str:
    if failure.cause in {"unknown-authority", "pin-mismatch", "not-by-the-rules"} and failure.certificate is not None:
        return f"If it is right, {how_to_pin(host, failure.certificate.sha256)}"
    if failure.cause.startswith("proxy") or failure.cause == "target-unreachable":
        return "Check the connection's proxy, and that it lets this host through."
    if failure.cause in _PASSING:
        return "Nothing is lost: try again when the network is back; some networks need a proxy."
    return "Check the issuer; on some networks something intercepts such links."


def refusal(reply: Reply, host: str, *hidden: Secret, what: str = "refused the sign-in") -> SignInError:
    """What a server's no means, with its own words and what to do; ``hidden`` is not repeated where the server does."""

    def shown(text: str) -> str:
        for secret in hidden:
            if len(secret.reveal()) >= 6:
                text = text.replace(secret.reveal(), "********")
        return text

    if reply.fields is None:
        found = f"{reply.status} {shown(reply.kind)}".rstrip()
        if 300 <= reply.status < 400:
            found += f", redirected to {shown(reply.location)[:100]}"
        return SignInError(
            f"{host} did not answer like an authorization server ({found}).",
            cause="sign-in-unreachable",
            hint="A proxy or a captive portal may answer in its place; or try again in a few minutes.",
        )
    error = shown(reply.fields.text("error")) or str(reply.status)
    return refusal_words(host, error, shown(reply.fields.text("error_description")), what=what)


def refusal_words(host: str, error: str, description: str, *, what: str = "refused the sign-in") -> SignInError:
    """The same, of the words alone."""
    error = readable(error, 60)
    # Behind the words Microsoft's have ids for its own people.
    words = readable(re.split(r"\s*Trace ID:|\r?\n", description)[0], 300).rstrip(". ")
    hint = next((_NUMBERS[number] for number in numbers(words) if number in _NUMBERS), "") or _ERRORS.get(error, "")
    cause = "sign-in-refused"
    if _TROUBLE.fullmatch(error):
        cause, hint = "sign-in-unreachable", hint or "Try again in a few minutes."
    text = ": ".join(filter(None, (error, words)))
    return SignInError(f"{host} {what} ({text}).", cause=cause, error=error, hint=hint)


def numbers(words: str) -> list[str]:
    """The numbers of Microsoft's errors.

    >>> numbers("AADSTS50076: Due to a configuration change ...")
    ['50076']
    """
    return re.findall(r"AADSTS(\d{4,8})", words)
