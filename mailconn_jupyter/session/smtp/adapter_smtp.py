"""How an SMTP session is opened: the steps of its :class:`~mailconn_jupyter.session.opening.adapter.Adapter`."""

from __future__ import annotations

from ...connection import MailConnection
from ...errors import OpenError
from ...formatting import how_large
from ...transport.channel import Channel
from ...transport.sasl.choose import Mechanism
from .connection import CLOSING, SMTPConnection
from .ehlo import greet
from .errors import GreetingRefused, Refused, open_error
from .helo_name import other_name, own_name
from .login import run_exchange
from .reply import Reply

__all__ = ["SMTPAdapter"]


class SMTPAdapter:
    """The steps of one opening of one link, and what :func:`~mailconn_jupyter.session.opening.log_in.log_in` asks for."""

    protocol = "SMTP"
    secure_first = "Call starttls() first."

    def __init__(self, link: SMTPConnection) -> None:
        self._link = link
        self.plain_allowed = link.plain_allowed
        # What to say to a server that takes no address, and whether it has refused one.
        self._other, self._name = "", ""

    def attach(self, channel: Channel, connection: MailConnection) -> None:
        link = self._link
        link.attach(channel, connection.server_host)
        link.plain_allowed = connection.allow_plaintext_password
        # A message is checked for spam and viruses before the last reply; RFC 5321, 4.5.3.2.6 would wait ten minutes.
        link.message_patience = max(connection.timeout, connection.deadline)
        if not self._name:
            given = link.name if link.named else connection.helo_name
            self._name = given or own_name(channel)
            self._other = "" if given else other_name(connection)

    def ask_for_tls(self) -> None:
        self._link.read_greeting()
        self._greet()
        self._link.request_tls()

    def greet(self, *, greeted: bool) -> dict[str, str]:
        link = self._link
        if not greeted:
            link.read_greeting()
        link.forget()
        text = self._greet()
        facts = {"Server says": text.decode("utf-8", "replace").split("\n")[0], "Introduced as": self._name}
        if link.features:
            facts["Capabilities"] = ", ".join(sorted(key.upper() for key in link.features))
        if mechanisms := self.mechanisms():
            facts["Mechanisms"] = ", ".join(mechanisms)
        return facts

    def _greet(self) -> bytes:
        try:
            return self._introduce()
        except GreetingRefused as error:
            if not (self._name.startswith("[") and self._other):
                raise
            # Also where it has hung up by that, and is tried again.
            self._name = self._other
            if error.reply.code == CLOSING:
                raise
            return self._introduce()

    def _introduce(self) -> bytes:
        link, name = self._link, self._name
        return greet(lambda: link.ehlo(name).pair, lambda: link.helo(name).pair)

    def mechanisms(self) -> list[str]:
        return self._link.mechanisms()

    def log_in(self, mechanism: Mechanism) -> None:
        self.login_with(mechanism)

    def ready(self, *, testing: bool) -> dict[str, str]:
        # After a login, or the greeting, it would cost a round trip and prove nothing. Some relays do not know the
        # command; any other whole reply proves that the server is there.
        if testing and (reply := self._link.command("noop")).code == CLOSING:
            raise Refused("The server is not ready", reply)
        limit = self._link.size_limit
        return {"Largest message": how_large(limit) if limit else "not said"}

    def failure(self, error: OpenError, origin: Exception) -> OpenError:
        return open_error(error, origin)

    def close(self) -> None:
        self._link.close()

    # To log in by hand

    @property
    def channel(self) -> Channel:
        return self._link.channel

    @property
    def place(self) -> tuple[str, int]:
        return self._link.host, 0

    def login_with(self, mechanism: Mechanism) -> Reply:
        return run_exchange(self._link, mechanism)

    def hang_up(self) -> None:
        self._link.close()
