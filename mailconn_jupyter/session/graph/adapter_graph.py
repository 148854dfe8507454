"""How a session with Microsoft Graph is opened: as every other over the network, but for a greeting, which HTTP has not."""

from __future__ import annotations

from collections.abc import Sequence

from ...connection import MailConnection
from ...credentials import remember
from ...errors import OpenError
from ...formatting import how_large
from ...transport.channel import Channel
from ..opening.login_secret import LoginSecret
from ..opening.over_network import LinkOpening
from ..opening.run_stages import Step
from ..opening.stages import StageResult
from .client import GraphClient
from .large_message import LARGEST_FILE, WHOLE

__all__ = ["GraphAdapter", "GraphOpening"]


class GraphAdapter:
    """What an opening asks of a session with Graph."""

    protocol = "GRAPH"

    def __init__(self, client: GraphClient) -> None:
        self.client = client

    def attach(self, channel: Channel, connection: MailConnection) -> None:
        self.client.attach(channel, connection)

    def ready(self, *, testing: bool) -> dict[str, str]:
        # The login was a round trip, and all that could be asked without the right to read.
        return {
            "Largest message": f"{how_large(WHOLE)} as it is; above that each attachment at most {how_large(LARGEST_FILE)}"
        }

    def failure(self, error: OpenError, origin: Exception) -> OpenError:
        return error

    def close(self) -> None:
        self.client.close()


class GraphOpening(LinkOpening[GraphAdapter]):
    """One opening of one session with Graph."""

    def steps(self) -> Sequence[Step]:
        """Name to address, TCP or a proxy's tunnel, TLS, the token, and what makes it ready."""
        return (
            self._resolve,
            self._connect,
            self._secure,
            lambda result: result.skip("HTTP has no greeting."),
            self._authenticate,
            self._ready,
        )

    def _authenticate(self, result: StageResult) -> None:
        options, client = self.options, self.adapter.client
        client.source = self.source
        secret = LoginSecret(self.given, options, self.limit, ask=self.ask)
        _, used = secret.use(client.prove)
        result.facts.update({"Mechanism": "Bearer", "User": options.username, "Mailbox": client.mailbox})
        result.facts["Secret from"] = used.source
        if used.source == "prompt":
            remember(options, used.secret)
        client.open(self.given, used, self.limit.without_end())
