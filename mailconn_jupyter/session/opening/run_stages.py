"""Opening a session: one fixed series of stages, the only way to a server.

``connect()`` runs it; ``check()`` runs the same with a listener. A protocol brings an
:class:`~mailconn_jupyter.session.opening.adapter.Adapter`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ...connection import MailConnection
from ...credentials import Credential, remember, resolve
from ...credentials.without_traceback import sealed
from ...errors import CredentialError, MailConnError, OpenError, OptionError
from ...transport.certificate import Certificate
from ...transport.channel import Channel
from ...transport.deadline import Limit
from ...transport.dial import Address, a_label, connect_any, look_up
from ...transport.proxy import ProxyRoute, tunnel
from ...transport.sasl.choose import Login, choose
from ...transport.tls import TLSFacts, TLSPolicy
from ...transport.transport_errors import TransportError
from .adapter import Adapter
from .hints import hint_for
from .proxy_route import blaming_the_proxy, route_of
from .stages import STAGES, Listener, StageResult

__all__ = ["Opening"]

# After these a look at the certificate tells more than the error.
_ABOUT_CERTIFICATE = {"unknown-authority", "name-mismatch", "expired", "bad-certificate"}


class Opening:
    """One opening of one session. ``run`` raises :class:`~mailconn_jupyter.errors.OpenError` at the stage that fails.

    ``testing`` is for ``check()``: the last stage makes sure of the server, looks around, and changes nothing.
    """

    def __init__(
        self,
        connection: MailConnection,
        *,
        testing: bool = False,
        listener: Listener | None = None,
        cancel: threading.Event | None = None,
        ask: bool = True,
        source_address: tuple[str, int] | None = None,
    ) -> None:
        self._given = connection
        self._options = connection
        self._testing = testing
        self._listener = listener
        self._ask = ask
        self._source = source_address
        self._limit = Limit(connection.deadline, cancel=cancel)
        self._addresses: list[Address] = []
        self._route: ProxyRoute | None = None
        self._channel: Channel | None = None
        self._greeted = False
        self.certificate: Certificate | None = None
        self.stages = {name: StageResult(name) for name in STAGES}

    def run(self, adapter: Adapter) -> None:
        """Open it. On failure the session is closed, and the error says which stage failed and what to do."""
        steps = {
            "resolve": self._resolve,
            "connect": self._connect,
            "secure": self._secure,
            "greet": self._greet,
            "authenticate": self._authenticate,
            "ready": self._finish,
        }
        try:
            for name in STAGES:
                with self._stage(name, adapter) as result:
                    steps[name](adapter, result)
        except BaseException:
            adapter.close()
            if self._channel is not None:
                self._channel.close()
            raise
        if self._channel is not None:
            self._channel.limit = Limit()

    def refuse(self, error: OpenError) -> None:
        """Record that it fails before it begins: what the session needs is not there."""
        result = self.stages[error.stage]
        result.outcome = "failed"
        result.cause, result.message, result.hint = error.cause, error.message, error.hint
        self._tell(result)

    @contextmanager
    def _stage(self, name: str, adapter: Adapter) -> Iterator[StageResult]:
        result = self.stages[name]
        result.outcome = "running"
        self._tell(result)
        started = time.monotonic()
        try:
            yield result
        except (MailConnError, OSError) as error:
            result.outcome = "failed"
            failure = adapter.failure(self._explained(name, error), error)
            result.cause, result.message, result.hint = failure.cause, failure.message, failure.hint
            if name == "secure" and self.certificate is not None:
                result.facts.update(_certificate_facts(self.certificate, "refused"))
            raise failure from error
        except BaseException:
            result.outcome = "failed"
            raise
        else:
            if result.outcome == "running":
                result.outcome = "ok"
        finally:
            result.milliseconds = (time.monotonic() - started) * 1000
            self._tell(result)

    def _tell(self, result: StageResult) -> None:
        if self._listener is not None:
            self._listener(result)

    def _explained(self, stage: str, error: MailConnError | OSError) -> OpenError:
        words, hint = f"The link broke ({error}).", ""
        if isinstance(error, MailConnError):
            words, hint = error.message, error.hint
        if isinstance(error, TransportError):
            self.certificate = error.certificate or self.certificate
        cause = _cause(error)
        hint = hint or hint_for(cause, self._options, self.certificate)
        where = f"{self._given.name}: " if self._given.name else ""
        return OpenError(f"{where}{stage} failed. {words}", stage=stage, cause=cause, hint=hint)

    # The stages

    def _resolve(self, adapter: Adapter, result: StageResult) -> None:
        self._options = options = self._given.resolved()
        port = options.port
        assert isinstance(port, int)
        with self._limit.paused():
            self._route = route = route_of(options, ask=self._ask)
        result.facts["Server"] = f"{options.server_host} port {port}"
        if route is None:
            self._addresses = look_up(options.server_host, port, self._limit)
        else:
            result.facts["Proxy"] = f"{route.kind} {route.host} port {route.port}; it looks up the server's name"
            with blaming_the_proxy(route):
                self._addresses = look_up(route.host, route.port, self._limit)
        result.facts["Addresses"] = ", ".join(str(address[0]) for _, address in self._addresses[:4])

    def _connect(self, adapter: Adapter, result: StageResult) -> None:
        self._channel = self._open_channel(self._limit)
        adapter.attach(self._channel, self._options)
        whose = "Address" if self._route is None else "Proxy's address"
        with suppress(OSError):  # a link that is reset already has no other end; the next stage says so
            address = self._channel.getpeername()
            result.facts[whose] = f"{address[0]} port {address[1]}"

    def _open_channel(self, limit: Limit) -> Channel:
        options, route = self._options, self._route
        if route is None:
            sock = connect_any(self._addresses, limit.within(options.timeout), self._source)
            return Channel(sock, timeout=options.timeout, limit=limit)
        with blaming_the_proxy(route):
            sock = connect_any(self._addresses, limit.within(options.timeout), self._source)
        channel = Channel(sock, timeout=options.timeout, limit=limit)
        try:
            sealed(lambda: tunnel(channel, route, options.server_host, int(options.port or 0)))
        except BaseException:
            channel.close()
            raise
        return channel

    def _secure(self, adapter: Adapter, result: StageResult) -> None:
        options = self._options
        if not options.security:
            result.outcome = "skipped"
            result.message = "Plain text, as the connection says."
            return
        assert self._channel is not None
        host = a_label(options.server_host)
        try:
            facts = self._start_tls(adapter, self._channel, self._policy(host))
        except TransportError as error:
            if error.cause not in _ABOUT_CERTIFICATE or error.certificate is not None:
                raise
            self._look_at_certificate(adapter, error, host)
            raise
        self._greeted = options.security != "SSL"
        self.certificate = facts.certificate
        result.facts["TLS"] = f"{facts.version}, {facts.cipher}"
        result.facts.update(_certificate_facts(facts.certificate, facts.accepted))

    def _start_tls(self, adapter: Adapter, channel: Channel, policy: TLSPolicy) -> TLSFacts:
        asked = self._options.security != "SSL"
        if asked:
            adapter.ask_for_tls()
        try:
            return channel.start_tls(policy, a_label(self._options.server_host))
        except TransportError as error:
            # Plain text in place of TLS. After the server's go-ahead somebody has put it there, whether it came before
            # the handshake or in it; on a port for TLS from the first byte it is the greeting of one for STARTTLS.
            if error.cause not in {"injected", "wrong-tls-type"}:
                raise
            if asked:
                raise TransportError("Something came in before TLS began.", cause="injected") from error
            raise TransportError("The server does not wait for TLS on this port.", cause="wrong-tls-type") from error

    def _policy(self, host: str) -> TLSPolicy:
        options, trust = self._options, self._options.trust
        names = {host, options.server_host}
        return TLSPolicy(
            exactly_1_2=options.security == "TLS1.2",
            check_identity=options.check_server_identity,
            trusted=any(trust.trusts(name) for name in names),
            pins=frozenset().union(*(trust.pins_of(name) for name in names)),
            ca_file=options.ca_file,
            client_certificate=options.client_certificate,
            client_key=options.client_key,
        )

    def _look_at_certificate(self, adapter: Adapter, error: TransportError, host: str) -> None:
        """Fetch the certificate that was refused, on a link of its own that is closed at once, to say what it is."""
        from ...transport.tls import explain  # noqa: PLC0415

        channel: Channel | None = None
        try:
            channel = self._open_channel(self._limit.within(self._options.timeout))
            adapter.attach(channel, self._options)
            policy = TLSPolicy(exactly_1_2=self._options.security == "TLS1.2", inspect=True)
            certificate = self._start_tls(adapter, channel, policy).certificate
        except (MailConnError, OSError):
            return
        finally:
            if channel is not None:
                channel.close()
        error.certificate = certificate
        if isinstance(error.__cause__, OSError):
            error.message = explain(error.__cause__, host, certificate).message

    def _greet(self, adapter: Adapter, result: StageResult) -> None:
        result.facts.update(adapter.greet(greeted=self._greeted))

    def _authenticate(self, adapter: Adapter, result: StageResult) -> None:
        options, channel = self._options, self._channel
        assert channel is not None
        if not options.use_authentication:
            result.outcome = "skipped"
            result.message = "No login, as the connection says."
            return
        if channel.tls is None and not (options.allow_plaintext_password or channel.loopback):
            raise TransportError(
                "The link is plain text, and the password would be readable on the way.", cause="plain-text-refused"
            )
        credential: list[Credential] = []

        def reveal() -> str:
            return credential[0].secret.reveal()

        login = Login(
            options.username, reveal, options.authorization_id, a_label(options.server_host), int(options.port or 0)
        )
        mechanism = choose(
            adapter.mechanisms(),
            login,
            tls=channel.tls is not None,
            token=options.use_xoauth2,
            pinned=options.sasl_mechanism,
        )
        # Asked for only now: nobody types a password for a server that could not take it.
        if mechanism.needs_secret:
            with self._limit.paused():
                credential.append(resolve(options.name, ask=self._ask, user=options.username))
        used = sealed(lambda: adapter.log_in(mechanism))
        result.facts.update({"Mechanism": used or mechanism.name, "User": options.username})
        if credential:
            result.facts["Secret from"] = credential[0].source
            if credential[0].source == "prompt":
                remember(options.name, credential[0].secret)

    def _finish(self, adapter: Adapter, result: StageResult) -> None:
        result.facts.update(adapter.ready(testing=self._testing))


def _cause(error: Exception) -> str:
    if isinstance(error, OpenError | TransportError):
        return error.cause
    if isinstance(error, OptionError):
        return "option"
    return "no-secret" if isinstance(error, CredentialError) else "closed"


def _certificate_facts(certificate: Certificate, accepted: str) -> dict[str, str]:
    return {
        "Certificate": f"{certificate.subject} ({accepted})",
        "Names": ", ".join(certificate.names[:8]) or "(none)",
        "Issuer": certificate.issuer,
        "Expires": f"{certificate.not_after:%Y-%m-%d %H:%M} UTC",
        "SHA-256": certificate.sha256,
    }
