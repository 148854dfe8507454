"""A mail server connection: its options, and what they mean together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from ..errors import OptionError
from ..formatting import table
from .declarations import SENDING, ConnectionOptions
from .expansion import Environment, Veil, expand, has_variable
from .lookalikes import mixed_scripts
from .mechanisms import EXTERNAL, named
from .option_set import takes_options
from .trusted_hosts import Trust, TrustedHosts

__all__ = ["MailConnection"]

# (protocol, security) -> port; "" is a plain-text link. RFC 8314 and the IANA registry.
_PORTS: Final = {
    ("SMTP", ""): 25,
    ("SMTP", "TLS"): 587,
    ("SMTP", "SSL"): 465,
    ("IMAP", ""): 143,
    ("IMAP", "TLS"): 143,
    ("IMAP", "SSL"): 993,
    ("POP3", ""): 110,
    ("POP3", "TLS"): 110,
    ("POP3", "SSL"): 995,
    ("GRAPH", "SSL"): 443,
}
_HOSTS: Final = {"GRAPH": "graph.microsoft.com"}
_OF_TOKENS: Final = named("an access token")
_PROXY_PORTS: Final = {"SOCKS5": 1080, "SOCKS4": 1080, "HTTP": 3128}


class MailConnection(ConnectionOptions):
    """The options of a connection to a mail server. It holds no secret, so it can be shown, saved and sent.

    Every option is a keyword argument; a bad value raises :class:`~mailconn_jupyter.errors.OptionError` at once,
    options that contradict each other when the connection is saved or opened (see :meth:`problems`).

    >>> connection = MailConnection(name="ops", server_host="mail.example.org", username="ana")
    >>> connection.port, connection.use_authentication
    (587, True)
    """

    def _begin(self) -> None:
        # What a newer version or an administrator wrote beside our options; the store keeps it through a rewrite.
        self.unknown: dict[str, Any] = {}
        # Where the store read it from, and what was there; None for one that was never stored.
        self.origin: Any = None
        # Whether an administrator's file says it, and the user's own connection of that name that it hides: a secret that
        # the user gave for the one is not for the other.
        self.shared = False
        # Of a resolved connection the options that had variables, as they were written.
        self.written: dict[str, str] = {}
        self.hides: MailConnection | None = None

    @classmethod
    def _with_implied(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        implied = super()._with_implied(options)
        protocol = implied.get("protocol")
        usual = _HOSTS.get(protocol.strip().upper()) if isinstance(protocol, str) else None
        if usual and not implied.get("server_host"):
            implied["server_host"] = usual
        return implied

    @takes_options(ConnectionOptions)
    def update(self, **options: Any) -> None:
        """Set several options: all of them, or none when one is bad. Naming a user or a proxy host turns it on."""
        # The copy is the trial; it says what is wrong before anything is set.
        self.copy(**options)
        self._assign(options)

    def applies(self, name: str) -> bool:
        """Whether the option matters as the connection stands: its protocol has it and its switch is on."""
        option = self.options()[name]
        return self.protocol in option.protocols and (not option.needs or self.is_on(option.needs))

    def is_on(self, switch: str) -> bool:
        """Whether a switch is on, or there is none: what a protocol has no switch for, it always does."""
        return self.protocol not in self.options()[switch].protocols or bool(getattr(self, switch))

    def as_dict(self) -> dict[str, Any]:
        """The options that the protocol has and that say something, in the form's order; what the file keeps."""
        return {
            name: value
            for name, option in self.options().items()
            if self.protocol in option.protocols and (value := getattr(self, name)) not in (None, "")
        }

    @takes_options(ConnectionOptions)
    def copy(self, **changes: Any) -> MailConnection:
        """A connection with the same options, except for ``changes``; it was never stored."""
        copy = MailConnection(**(self.as_dict() | self._with_implied(changes)))
        copy.unknown = dict(self.unknown)
        copy.shared, copy.hides = self.shared, self.hides
        return copy

    @property
    def security(self) -> str:
        """``SSL``, ``TLS``, ``TLS1.2``, or empty for a plain-text link."""
        if self.protocol == "GRAPH":
            return "SSL"
        return self.secure_authentication_type if self.use_secure_authentication else ""

    @property
    def is_sandbox(self) -> bool:
        """Whether it leads to a sandbox, and nobody has turned it to another server since."""
        return isinstance(self.unknown.get("sandbox"), str) and self.server_host == "127.0.0.1"

    @property
    def sends(self) -> bool:
        """Whether it sends mail; with every other protocol it is read."""
        return self.protocol in SENDING

    @property
    def sender(self) -> str:
        """Whom a message is from that names nobody else; empty where the connection does not say."""
        return self.from_address or (self.username if "@" in self.username else "")

    @property
    def signs_in(self) -> bool:
        """Whether it logs in by the token of a sign-in (OAuth 2.0), not by a secret that was brought."""
        return bool(self.oauth_issuer) and self.is_on("use_authentication") and self.applies("oauth_issuer")

    @property
    def needs_nobody(self) -> bool:
        """Whether it signs in without a person: the client's own secret is the login, as for jobs."""
        return self.oauth_flow in {"client_credentials", "service_account"}

    @property
    def usual_port(self) -> int | None:
        """The port that is used when none is given; None for MBOX."""
        return _PORTS.get((self.protocol, self.security.removesuffix("1.2")))

    @property
    def usual_host(self) -> str:
        """The host that is used when none is given; empty where one must be."""
        return _HOSTS.get(self.protocol, "")

    @property
    def port(self) -> int | str | None:
        """The port that is used (a ``${NAME}`` as long as it is not resolved)."""
        return self.usual_port if self.server_port is None else self.server_port

    @property
    def proxy_port_used(self) -> int | str:
        """The proxy's port, or the usual one of its type."""
        return _PROXY_PORTS[self.proxy_type] if self.proxy_port is None else self.proxy_port

    @property
    def trust(self) -> TrustedHosts:
        """``trusted_hosts``, parsed."""
        option = self.options()["trusted_hosts"]
        assert isinstance(option, Trust)
        return option.parse(self.trusted_hosts)

    @property
    def trusts_everything(self) -> bool:
        """Whether ``trusted_hosts`` accepts anybody's certificate."""
        return "*" in self.trusted_hosts.split()

    def problems(self) -> Iterator[OptionError]:
        """What keeps the connection from being used: options that are missing or contradict each other."""
        label = {name: option.label for name, option in self.options().items()}
        if not self.name:
            yield OptionError(f"{label['name']}: a connection needs a name.", trait="name")
        # A protocol set later reads the host differently: a path is no host.
        try:
            self.options()["server_host"].validate(self, self.server_host)
        except OptionError as error:
            yield error
        if not self.server_host and not self.usual_host:
            what = "the path of the mailbox file" if self.protocol == "MBOX" else "the host name or address"
            yield OptionError(f"{label['server_host']}: missing; give {what}.", trait="server_host")
        if self.protocol == "MBOX":
            return
        if self.protocol == "GRAPH":
            if not self.username:
                yield OptionError(
                    f"{label['username']}: missing; give the address of the mailbox that sends.", trait="username"
                )
            if self.oauth_issuer == "google":
                yield OptionError(
                    f"{label['oauth_issuer']}: Microsoft Graph does not accept Google's tokens.", trait="oauth_issuer"
                )
        else:
            yield from self._login_problems(label)
        if self.use_proxy and not self.proxy_host:
            yield OptionError(
                f"{label['proxy_host']}: missing; the proxy is on but has no host.",
                trait="proxy_host",
                hint="Name the proxy's host, or turn the proxy off.",
            )

    def _login_problems(self, label: Mapping[str, str]) -> Iterator[OptionError]:
        if self.use_authentication and not self.username and self.sasl_mechanism != EXTERNAL.name:
            yield OptionError(
                f"{label['username']}: missing; a login needs a user.",
                trait="username",
                hint="Name the user, or turn authentication off.",
            )
        if self.use_xoauth2 and not self.use_authentication:
            yield OptionError(
                f"{label['use_xoauth2']}: a token is a login, but authentication is off.", trait="use_xoauth2"
            )
        if self.use_xoauth2 and self.sasl_mechanism not in {"", *_OF_TOKENS}:
            yield OptionError(
                f"{label['sasl_mechanism']}: {self.sasl_mechanism} takes no token.",
                trait="sasl_mechanism",
                hint="Leave it empty, or turn XOAuth2 off.",
            )
        if self.sasl_mechanism == EXTERNAL.name and not self.client_certificate:
            yield OptionError(
                f"{label['client_certificate']}: missing; {EXTERNAL.name} logs in with one.", trait="client_certificate"
            )

    def lookalikes(self) -> Iterator[str]:
        """What in the name and the hosts may pass for another, in sentences."""
        for name in ("name", "server_host", "proxy_host"):
            option = self.options()[name]
            if self.applies(name) and (mixed := mixed_scripts(getattr(self, name))):
                yield f"{option.label}: {getattr(self, name)!r} {mixed}. Is it the one you mean?"

    def require_complete(self) -> None:
        """Raise the first of :meth:`problems`, if there is one."""
        for problem in self.problems():
            raise problem

    def resolved(self, environ: Mapping[str, str] | None = None) -> MailConnection:
        """A copy in which each ``${NAME}`` is the environment's value; raises what is then wrong or incomplete.

        Options that do not matter as the connection stands, a proxy that is off for example, keep theirs.
        """
        environ = Environment(environ)
        copy = self.copy()
        copy.written = {
            name: value
            for name in self.options()
            if name != "name" and has_variable(value := getattr(self, name)) and self.applies(name)
        }
        for name in copy.written:
            _expand(copy, name, environ)
        copy.require_complete()
        return copy

    @property
    def veil(self) -> Veil:
        """What hides the values of the variables that were expanded."""
        return Veil({str(getattr(self, name)): text for name, text in self.written.items()})

    def __eq__(self, other: object) -> bool:
        """Whether it says the same; the usual port is the same whether it is given or not."""
        return isinstance(other, MailConnection) and self._compared() == other._compared()

    def _compared(self) -> dict[str, Any]:
        return self.as_dict() | {"server_port": self.port}

    __hash__ = None  # type: ignore[assignment]  # it can change

    def __repr__(self) -> str:
        options = self.options()
        kept = self.as_dict()
        said = {name: value for name, value in kept.items() if value != options[name].default_value} | self.written
        # What the constructor would conclude from the rest is said when it is not so.
        said |= {switch: kept[switch] for switch in self._with_implied(said) if switch in kept and switch not in said}
        return f"MailConnection({', '.join(f'{name}={value!r}' for name, value in said.items())})"

    def shown(self) -> list[tuple[str, str]]:
        """Label and value of each option that matters now, in words, for a person."""
        rows = []
        for name, option in self.options().items():
            value = self.written.get(name, getattr(self, name))
            if not self.applies(name) or (value in (None, "") and name != "server_port"):
                continue
            if name == "server_port" and value is None:
                value = f"{self.port} (the usual one)"
            if isinstance(value, bool):
                value = "yes" if value else "no"
            rows.append((option.label, str(value)))
        return rows

    def _repr_html_(self) -> str:
        return table(self.shown(), header=("Option", "Value"))


def _expand(connection: MailConnection, name: str, environ: Mapping[str, str]) -> None:
    """Set an option to what its text stands for; neither the error nor a frame of its traceback has a bad value."""
    option, text = connection.options()[name], connection.written[name]
    expanded = partial(expand, text, environ, label=option.label, trait=name)
    # What is wrong with the variable itself is said by its name.
    expanded()
    try:
        setattr(connection, name, expanded())
    except OptionError as error:
        hint = error.hint or "Its value must be one that the option accepts."
    else:
        return
    raise OptionError(f"{option.label}: what {text} stands for cannot be used here.", trait=name, hint=hint)
