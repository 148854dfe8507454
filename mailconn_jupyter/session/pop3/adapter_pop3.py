"""How a POP3 session is opened: the steps of its :class:`~mailconn_jupyter.session.opening.adapter.Adapter`."""

from __future__ import annotations

from ...connection import MailConnection
from ...errors import OpenError
from ...formatting import how_large
from ...transport.channel import Channel
from ...transport.dial import a_label
from ...transport.sasl.choose import Mechanism
from ...transport.transport_errors import readable
from ..response_codes import greeting_cause
from .client import POP3Client
from .errors import Refused

__all__ = ["POP3Adapter"]


class POP3Adapter:
    """The steps of one opening of one session."""

    protocol = "POP3"

    def __init__(self, client: POP3Client) -> None:
        self._client = client
        self._patience = 0.0

    def attach(self, channel: Channel, connection: MailConnection) -> None:
        client = self._client
        client.take(channel, a_label(connection.server_host))
        client.port = int(connection.port or 0)
        client.plain_allowed = connection.allow_plaintext_password
        self._patience = max(connection.timeout, connection.deadline)

    def ask_for_tls(self) -> None:
        self._client.read_greeting()
        self._client.request_tls()

    def greet(self, *, greeted: bool) -> dict[str, str]:
        client, facts = self._client, {}
        if not greeted:
            client.read_greeting()
            facts["Server says"] = readable(client.welcome[3:].strip())
        offered = client.learn()
        capabilities = [" ".join([name, *words]) for name, words in offered.items() if name != "SASL"]
        facts["Capabilities"] = ", ".join(capabilities) or "not said"
        if mechanisms := client.mechanisms():
            facts["Mechanisms"] = ", ".join(mechanisms)
        return facts

    def mechanisms(self) -> list[str]:
        return self._client.mechanisms()

    def log_in(self, mechanism: Mechanism) -> str:
        return self._client.login_with(mechanism)

    def ready(self, *, testing: bool) -> dict[str, str]:
        client = self._client
        if not client.known:
            return {"Messages": "not asked for without a login"}
        try:
            count, size = client.told = client.stat()
        except Refused as error:
            words = error.words.encode()
            raise Refused("The server did not open the mailbox", words, cause=greeting_cause(words)) from error
        # To list a large mailbox takes longer than to greet.
        client.channel.settimeout(self._patience)
        return {"Messages": str(count), "Size": how_large(size)}

    def failure(self, error: OpenError, origin: Exception) -> OpenError:
        return self._client.failure(error, origin)

    def close(self) -> None:
        self._client.close()
