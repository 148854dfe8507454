"""Asking Microsoft Graph: one question after another, each with the token and on a link of its own.

A link that is kept may be closed by the server just when the next message leaves, and then nobody knows whether it was
sent; a new one for each costs a handshake, and leaves no doubt. Rules: https://learn.microsoft.com/graph/use-the-api,
https://learn.microsoft.com/graph/throttling.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, TypeVar
from urllib.parse import quote

from ...connection import MailConnection
from ...credentials import Credential
from ...credentials.without_traceback import sealed
from ...transport.channel import Channel
from ...transport.deadline import SLOWEST, Limit
from ...transport.dial import a_label
from ...transport.http import HTTP
from ...transport.http_question import Content, Place, Question, Reply
from ...transport.tls import TLSPolicy
from ...transport.transport_errors import TransportError
from ..opening.error_classes import LinkLost
from ..opening.login_secret import LoginSecret
from ..opening.over_network import policy_of
from ..opening.sign_in_way import way_out
from ..transcript import Transcript
from .errors import BUSY, refusal, words_of
from .three_at_once import places

__all__ = ["GraphClient"]

T = TypeVar("T")
_MOST_ANSWER: Final = 16 * 2**20  # bytes: a draft comes back whole
_FIRST_PAUSE: Final = 1.0  # seconds, where Graph does not want to be left alone for longer; doubled each time
#: No Base64, so that Graph cannot take it for a message: that it says so proves that it would take one.
_NO_MESSAGE: Final = Content("text/plain", lambda: b"-", 1)


class GraphClient:
    """Questions to one mailbox. ``transcript`` has them, with what came back, and no secret."""

    def __init__(self) -> None:
        self.transcript = Transcript()
        #: Whether it may be asked anything.
        self.ready = False
        self._channel: Channel | None = None
        self._credential: Credential | None = None
        #: This side's address, where it was chosen.
        self.source: tuple[str, int] | None = None

    # Opening

    def attach(self, channel: Channel, options: MailConnection) -> None:
        """Take the link of the opening, for the first question, and the (resolved) options."""
        self._channel, self._options = channel, options
        self._limit = channel.limit
        user = quote(options.username, safe="@")
        # Who acts for himself is me; an app that nobody signed in has no me.
        self.mailbox = f"/users/{user}" if options.needs_nobody else "/me"

    def open(self, given: MailConnection, credential: Credential, limit: Limit) -> None:
        """Be ready from now on; ``limit`` has no end, and may be cancelled."""
        self._given, self._credential, self._limit = given, credential, limit
        self.ready = True

    def close(self) -> None:
        """Ask nothing any more, and forget the token."""
        self.ready, self._credential = False, None
        if self._channel is not None:
            self._channel.close()

    def prove(self, credential: Credential) -> None:
        """Have Graph say that the token may send, by a question that sends nothing; raises where it may not.

        What is no Base64 is refused with 400 and ``ErrorMimeContentInvalidBase64String``, a token that is not good with 401,
        one that may not send with 403 (https://learn.microsoft.com/graph/api/user-sendmail). It needs no permission
        beside that of sending.
        """
        if not credential.secret.reveal().isascii():
            raise TransportError(
                "The token that is kept contains a character that no token can have.", cause="token-refused"
            )
        reply = self._patiently(lambda limit: self._once(credential, "POST", "/sendMail", _NO_MESSAGE, limit), 1)
        error = refusal(reply, "Graph did not accept the login")
        if reply.status != 400 or not error.code or error.cause == "app-only":
            raise error

    def noop(self) -> None:
        """Prove it again."""
        self._require_ready()
        self._with_token(self.prove, self._limit.within(self._options.deadline))

    # Asking

    def ask(
        self, method: str, path: str, content: Content | None = None, *, done: int, limit: Limit | None = None
    ) -> Reply:
        """Ask below the mailbox's own path; the answer, whose status is ``done``. ``limit``: in place of the session's.

        Waits as Graph asks for, within the connection's deadline. Raises
        :class:`~mailconn_jupyter.session.graph.errors.Refused`, and
        :class:`~mailconn_jupyter.session.opening.error_classes.LinkLost`, whose ``whole_left`` says whether Graph may have
        done what it was asked for.
        """
        self._require_ready()
        reply = self._patiently(
            lambda limit: self._with_token(lambda token: self._once(token, method, path, content, limit), limit),
            content.size if content else 0,
            limit,
        )
        return self._judged(reply, done)

    def _require_ready(self) -> None:
        if not self.ready:
            raise LinkLost("The session is not open.", cause="closed")

    def put(self, place: Place, content: Content | None, shown: str) -> Reply:
        """Put a part of a file to an upload's own address, or ask how far it is: without the token, which is not for there."""
        method, size = ("GET", 0) if content is None else ("PUT", content.size)

        def put(limit: Limit) -> Reply:
            question = Question(method, place, content, patience=self._patience)
            return self._heard(f"{method} {shown}", lambda: self._http(limit).ask(question), limit)

        return self._patiently(put, size)

    @property
    def _patience(self) -> float:
        # A message is checked before the answer comes, as after the last byte of DATA.
        return max(self._options.timeout, self._options.deadline)

    def _patiently(self, ask: Callable[[Limit], Reply], size: int, within: Limit | None = None) -> Reply:
        """The answer, asked for again after the time that Graph wants to be left alone, if there is so much."""
        limit = (within or self._limit).within(self._options.deadline + size / SLOWEST)
        pause = _FIRST_PAUSE
        try:
            while True:
                reply = ask(limit)
                wait = max(pause, reply.retry_after or 0.0)
                if reply.status not in BUSY or wait >= limit.left():
                    return reply
                limit.sleep(wait)
                pause *= 2
        except LinkLost:
            raise
        except TransportError as error:
            if error.cause == "token-refused":
                raise
            raise _lost(error) from error

    def _with_token(self, use: Callable[[Credential], T], limit: Limit) -> T:
        """With the token at hand; one of a sign-in is renewed before its end, and once where it is refused."""
        if self._options.signs_in:
            return LoginSecret(self._given, self._options, limit, ask=False).use(use)[0]
        if self._credential is None:
            raise LinkLost("The session is not open.", cause="closed")
        return use(self._credential)

    def _once(self, token: Credential, method: str, path: str, content: Content | None, limit: Limit) -> Reply:
        options, path = self._options, f"/v1.0{self.mailbox}{path}"
        place = Place(secure=True, host=a_label(options.server_host), port=int(options.port or 0), path=path)
        channel, self._channel = self._channel, None
        if channel is not None and channel.hung_up:
            # While a person was asked for the token, say.
            channel.close()
            channel = None
        question = Question(
            method, place, content, lambda: f"Bearer {token.secret.reveal()}", self._patience, _MOST_ANSWER
        )

        def policy(host: str) -> TLSPolicy:
            return policy_of(options, host)

        def ask() -> Reply:
            # To Graph itself by the connection's own rules, as the stages of its opening were.
            return self._http(limit, policy=policy).ask(question, channel)

        size = f" ({content.size} bytes)" if content else ""
        size = " (no message: only whether one would be taken)" if content is _NO_MESSAGE else size
        reply = self._heard(f"{method} {path}{size}", ask, limit)
        if reply.status == 401:
            raise refusal(reply, "Graph refused the token")
        return reply

    def _http(self, limit: Limit, **rules: Any) -> HTTP:
        return HTTP(replace(way_out(self._options, limit, ask=False).way, source=self.source, **rules), limit)

    def _heard(self, said: str, ask: Callable[[], Reply], limit: Limit) -> Reply:
        """The answer, with both sides in the transcript; no frame of an error holds what was sent, or came."""
        with places.taken(f"{self._options.server_host}{self._options.username}".casefold(), limit):
            self.transcript.note("C", said)
            reply = sealed(ask)
        words = words_of(reply)[1] if reply.status >= 300 else ""
        self.transcript.note("S", f"{reply.status} {words}".rstrip())
        return reply

    def _judged(self, reply: Reply, done: int) -> Reply:
        if reply.status == done:
            return reply
        if 300 <= reply.status < 500 or reply.status in BUSY:
            raise refusal(reply)
        # Neither yes nor no: of a gateway in between, say, behind which it may have been done.
        lost = LinkLost(f"Graph replied {reply.status} {words_of(reply)[1]}.", cause="bad-reply")
        lost.whole_left = True
        raise lost


def _lost(error: TransportError) -> LinkLost:
    lost = LinkLost(error.message, cause=error.cause, hint=error.hint, certificate=error.certificate)
    lost.whole_left = error.whole_left
    return lost
