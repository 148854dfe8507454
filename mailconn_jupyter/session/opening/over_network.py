"""Opening a session over the network: the only way to a server, whatever the protocol."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import TypeVar

from ...connection import MailConnection
from ...connection.mechanisms import ROWS
from ...credentials import Credential, remember
from ...credentials.without_traceback import sealed
from ...errors import MailConnError
from ...transport.certificate import Certificate
from ...transport.channel import Channel
from ...transport.deadline import Limit
from ...transport.dial import Address, a_label
from ...transport.link import find, open_link
from ...transport.proxy import ProxyRoute
from ...transport.sasl.choose import Login, Mechanism, choose
from ...transport.tls import TLSFacts, TLSPolicy, explain
from ...transport.transport_errors import TransportError
from .adapter import Adapter, LinkAdapter
from .error_classes import Refused
from .hints import hint_for
from .log_in import refuse_plain_text
from .login_secret import LoginSecret
from .proxy_route import route_of
from .run_stages import StagedOpening, Step
from .stages import KEY_LOG, StageResult

__all__ = ["LinkOpening", "Opening", "policy_of"]

L = TypeVar("L", bound=LinkAdapter)

# After these a look at the certificate tells more than the error.
_ABOUT_CERTIFICATE = {"unknown-authority", "name-mismatch", "expired", "bad-certificate", "not-by-the-rules"}


class LinkOpening(StagedOpening[L]):
    """One opening of one session with a server, as far as all are alike: name to address, TCP or a tunnel, TLS."""

    _addresses: Sequence[Address] = ()
    _route: ProxyRoute | None = None
    _channel: Channel | None = None
    _greeted = False

    def close(self) -> None:
        """Close what was opened so far."""
        super().close()
        if self._channel is not None:
            self._channel.close()

    def _resolve(self, result: StageResult) -> None:
        self.options = options = self.given.resolved()
        port = options.port
        assert isinstance(port, int)
        with self.limit.paused():
            self._route = route = route_of(options, ask=self.ask)
        result.facts["Server"] = f"{options.server_host} port {port}"
        if route is not None:
            result.facts["Proxy"] = f"{route.kind} {route.host} port {route.port}; it looks up the server's name"
        self._addresses = find(options.server_host, port, route, self.limit)
        result.facts["Addresses"] = ", ".join(str(address[0]) for _, address in self._addresses[:4])

    def _connect(self, result: StageResult) -> None:
        self._channel, self._greeted = self._open_channel(self.limit), False
        self.adapter.attach(self._channel, self.options)
        whose = "Address" if self._route is None else "Proxy's address"
        with suppress(OSError):  # a link that is reset already has no other end; the next stage says so
            address = self._channel.getpeername()
            result.facts[whose] = f"{address[0]} port {address[1]}"

    def _open_channel(self, limit: Limit) -> Channel:
        options = self.options
        return sealed(
            lambda: open_link(
                self._addresses,
                options.server_host,
                int(options.port or 0),
                self._route,
                timeout=options.timeout,
                limit=limit,
                source=self.source,
            )
        )

    def _secure(self, result: StageResult) -> None:
        options = self.options
        if not options.security:
            result.skip("Plain text, as the connection says.")
            return
        assert self._channel is not None
        host = a_label(options.server_host)
        try:
            facts = self._start_tls(self._channel, policy_of(options, host))
        except TransportError as error:
            if error.cause in _ABOUT_CERTIFICATE and error.certificate is None:
                self._look_at_certificate(error, host)
            if error.certificate is not None:
                result.facts.update(_certificate_facts(error.certificate, "refused"))
            raise
        self._greeted = options.security != "SSL"
        self.certificate = facts.certificate
        result.facts["TLS"] = f"{facts.version}, {facts.cipher}"
        result.facts.update(_certificate_facts(facts.certificate, facts.accepted))
        if log := os.environ.get(KEY_LOG):
            result.facts["Keys"] = f"are written to {log} ({KEY_LOG}): whoever can read that file can read what is sent"

    def _start_tls(self, channel: Channel, policy: TLSPolicy) -> TLSFacts:
        asked = self.options.security != "SSL"
        if asked:
            self._ask_for_tls()
        try:
            return channel.start_tls(policy, a_label(self.options.server_host))
        except TransportError as error:
            # Plain text in place of TLS. After the server's go-ahead somebody has put it there, whether it came before
            # the handshake or in it; on a port for TLS from the first byte it is the greeting of one for STARTTLS.
            if error.cause not in {"injected", "wrong-tls-type"}:
                raise
            if asked:
                raise TransportError("Something came in before TLS began.", cause="injected") from error
            raise TransportError("The server does not wait for TLS on this port.", cause="wrong-tls-type") from error

    def _ask_for_tls(self) -> None:
        """Have the server agree to STARTTLS, where the protocol has that."""

    def _look_at_certificate(self, error: TransportError, host: str) -> None:
        """Fetch the certificate that was refused, on a link of its own that is closed at once, to say what it is."""
        channel: Channel | None = None
        try:
            channel = self._open_channel(self.limit.within(self.options.timeout))
            self.adapter.attach(channel, self.options)
            policy = TLSPolicy(exactly_1_2=self.options.security == "TLS1.2", inspect=True)
            certificate = self._start_tls(channel, policy).certificate
        except (MailConnError, OSError):
            return
        finally:
            if channel is not None:
                channel.close()
        error.certificate = certificate
        if isinstance(error.__cause__, OSError):
            error.message = explain(error.__cause__, host, certificate).message

    def _ready(self, result: StageResult) -> None:
        result.facts.update(self.adapter.ready(testing=self.testing))
        assert self._channel is not None
        self._channel.limit = self.limit.without_end()


class Opening(LinkOpening[Adapter]):
    """One opening of one session with a mail server."""

    _secret: LoginSecret | None = None

    def steps(self) -> Sequence[Step]:
        """Name to address, TCP or a proxy's tunnel, TLS, the greeting, the login, and what makes it ready."""
        return self._resolve, self._connect, self._secure, self._greet, self._authenticate, self._ready

    def _ask_for_tls(self) -> None:
        self.adapter.ask_for_tls()

    def _greet(self, result: StageResult) -> None:
        result.facts.update(self.adapter.greet(greeted=self._greeted))

    def _authenticate(self, result: StageResult) -> None:
        options, channel = self.options, self._channel
        assert channel is not None
        if not options.use_authentication:
            result.skip("No login, as the connection says.")
            return
        refuse_plain_text(channel, allowed=options.allow_plaintext_password)
        secret = self._secret = self._secret or LoginSecret(self.given, options, self.limit, ask=self.ask)
        held: list[Credential] = []
        mechanism = self._mechanism(channel, held)

        def log_in(credential: Credential) -> str | None:
            held[:] = [credential]
            return sealed(lambda: self.adapter.log_in(self._mechanism(channel, held)))

        # Asked for only now: nobody types a password for a server that could not take it.
        try:
            used = secret.use(log_in)[0] if mechanism.needs_secret else sealed(lambda: self.adapter.log_in(mechanism))
        except Refused as error:
            if error.cause == "wrong-password":
                oddity = held[0].secret.oddity() if held else ""
                pasted = f"The password {oddity}. " if oddity else ""
                error.hint = pasted + hint_for(error.cause, options) + self._other_way(mechanism)
            raise
        result.facts.update({"Mechanism": used or mechanism.name, "User": options.username})
        if held:
            result.facts["Secret from"] = held[0].source
            if held[0].source == "prompt":
                remember(options, held[0].secret)

    def _other_way(self, refused: Mechanism) -> str:
        """What to try where the password is right: a server that keeps only hashes may offer what it cannot check."""
        others = [row.name for row in ROWS if row.shows and row.takes == refused.row.takes and not refused.row.shows]
        offered = {name.upper() for name in self.adapter.mechanisms()}
        other = next((name for name in others if name in offered), "")
        return f" If it is right, {refused.name} may not work there: choose sasl_mechanism {other}." if other else ""

    def _mechanism(self, channel: Channel, held: Sequence[Credential]) -> Mechanism:
        """The one to log in by; it takes the secret out of ``held`` when it needs it."""
        options = self.options

        def reveal() -> str:
            return held[0].secret.reveal()

        login = Login(
            options.username,
            reveal,
            options.authorization_id,
            a_label(options.server_host),
            int(options.port or 0),
        )
        return choose(
            self.adapter.mechanisms(),
            login,
            tls=channel.tls is not None,
            token=options.use_xoauth2,
            pinned=options.sasl_mechanism,
        )


def policy_of(options: MailConnection, host: str) -> TLSPolicy:
    """What TLS must be with the server of a (resolved) connection, whose A-label is ``host``."""
    trust, names = options.trust, {host, options.server_host}
    return TLSPolicy(
        exactly_1_2=options.security == "TLS1.2",
        check_identity=options.check_server_identity,
        trusted=any(trust.trusts(name) for name in names),
        pins=frozenset().union(*(trust.pins_of(name) for name in names)),
        ca_file=options.ca_file,
        client_certificate=options.client_certificate,
        client_key=options.client_key,
    )


def _certificate_facts(certificate: Certificate, accepted: str) -> dict[str, str]:
    return {
        "Certificate": f"{certificate.subject} ({accepted})",
        "Names": ", ".join(certificate.names[:8]) or "(none)",
        "Issuer": certificate.issuer,
        "Expires": f"{certificate.not_after:%Y-%m-%d %H:%M} UTC",
        "SHA-256": certificate.sha256,
    }
