"""A mail server connection: each option declared once.

The flags of the magic, the fields of the form, the keys of the saved file, ``%mailconn show`` and the README's table
are derived from the traits of :class:`MailConnection`. To add an option, add a trait; a rule between two options goes
into :meth:`MailConnection.problems`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from traitlets import HasTraits

from ..errors import OptionError
from ..formatting import did_you_mean, table
from .mechanisms import EXTERNAL, ROWS, named
from .option_kinds import (
    Choice,
    Environment,
    Host,
    HostOrPath,
    Name,
    Option,
    Port,
    Seconds,
    Switch,
    Text,
    Trust,
    TrustedHosts,
    expand,
    has_variable,
)

__all__ = ["MailConnection"]

EVERY: Final = ("SMTP", "IMAP", "POP3", "MBOX")
NETWORK: Final = ("SMTP", "IMAP", "POP3")

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
}
_OF_TOKENS: Final = named("an access token")
_PROXY_PORTS: Final = {"SOCKS5": 1080, "SOCKS4": 1080, "HTTP": 3128}

# Naming the one turns the other on, unless it was said: `--username ana` means a login.
_IMPLIED: Final = {"username": "use_authentication", "proxy_host": "use_proxy"}


def _with_implied(options: dict[str, Any]) -> dict[str, Any]:
    return options | {switch: True for name, switch in _IMPLIED.items() if options.get(name) and switch not in options}


class MailConnection(HasTraits):
    """The options of a connection to a mail server. It holds no secret, so it can be shown, saved and sent.

    Every option is a keyword argument; a bad value raises :class:`~mailconn_jupyter.errors.OptionError` at once,
    options that contradict each other when the connection is saved or opened (see :meth:`problems`).

    >>> connection = MailConnection(name="ops", server_host="mail.example.org", username="ana")
    >>> connection.port, connection.use_authentication
    (587, True)
    """

    name = Name(
        label="Connection name",
        help="What the connection is called; unique without regard to case.",
        section="Server",
        protocols=EVERY,
    )
    protocol = Choice(
        EVERY,
        "SMTP",
        {"POP": "POP3"},
        label="Connection protocol",
        help="SMTP to send; IMAP, POP3 or MBOX to read.",
        section="Server",
        protocols=EVERY,
    )
    server_host = HostOrPath(
        label="Server host",
        help="Host name or address of the server; for MBOX the path of the file.",
        section="Server",
        protocols=EVERY,
    )
    server_port = Port(
        label="Server port",
        help="TCP port; when empty, the usual one of the protocol and its security.",
        section="Server",
        protocols=NETWORK,
    )
    use_authentication = Switch(
        label="Use authentication?",
        help="Off: no login at all, for a relay that trusts the network.",
        section="Authentication",
        protocols=NETWORK,
    )
    use_xoauth2 = Switch(
        label="Use XOAuth2?",
        help=f"The secret is an OAuth 2.0 access token (SASL {' or '.join(_OF_TOKENS)}).",
        section="Authentication",
        protocols=NETWORK,
        needs="use_authentication",
    )
    username = Text(
        label="Username",
        help="The user that logs in, often the whole mail address.",
        section="Authentication",
        protocols=NETWORK,
        needs="use_authentication",
    )
    use_secure_authentication = Switch(
        True,
        label="Use secure authentication?",
        help="Off: a plain-text link, over which a password needs allow_plaintext_password.",
        section="Security",
        protocols=NETWORK,
    )
    secure_authentication_type = Choice(
        ("SSL", "TLS", "TLS1.2"),
        "TLS",
        {"TLS 1.2": "TLS1.2"},
        label="Secure authentication type",
        help="SSL: TLS from the first byte. TLS: STARTTLS, required, 1.2 or newer. TLS1.2: STARTTLS, exactly 1.2.",
        section="Security",
        protocols=NETWORK,
        needs="use_secure_authentication",
    )
    check_server_identity = Switch(
        True,
        label="Check server identity?",
        help="The certificate must name the host. Off: the name is not compared, the chain of trust still is.",
        section="Security",
        protocols=NETWORK,
        needs="use_secure_authentication",
    )
    trusted_hosts = Trust(
        label="Trusted hosts",
        help="Hosts accepted without a known authority, separated by spaces; * for all; host=sha256:HEX pins one "
        "certificate.",
        section="Security",
        protocols=NETWORK,
        needs="use_secure_authentication",
    )
    use_proxy = Switch(
        label="Use proxy?",
        help="Reach the server through a proxy, which also looks up the server's name.",
        section="Proxy",
        protocols=NETWORK,
    )
    proxy_type = Choice(
        ("SOCKS5", "SOCKS4", "HTTP"),
        "SOCKS5",
        label="Proxy type",
        help="SOCKS5, SOCKS4 (without a password) or HTTP (CONNECT).",
        section="Proxy",
        protocols=NETWORK,
        needs="use_proxy",
    )
    proxy_host = Host(
        label="Proxy host",
        help="Host name or address of the proxy.",
        section="Proxy",
        protocols=NETWORK,
        needs="use_proxy",
    )
    proxy_port = Port(
        label="Proxy port",
        help="TCP port of the proxy; when empty 1080, for HTTP 3128.",
        section="Proxy",
        protocols=NETWORK,
        needs="use_proxy",
    )
    proxy_username = Text(
        label="Proxy username",
        help="The proxy's user; empty when it asks for none.",
        section="Proxy",
        protocols=NETWORK,
        needs="use_proxy",
    )
    use_environment_proxy = Switch(
        label="Use the environment's proxy?",
        help="Without a proxy of its own, take that of the variable ALL_PROXY, except for hosts in NO_PROXY.",
        section="Proxy",
        protocols=NETWORK,
    )
    authorization_id = Text(
        label="Authorization identity",
        help="Act as this mailbox with the login of the user above (SASL authorization identity).",
        section="More",
        protocols=NETWORK,
        needs="use_authentication",
    )
    sasl_mechanism = Choice(
        ("", *(row.name for row in ROWS)),
        "",
        label="Login mechanism",
        help="The only SASL mechanism to use; when empty, the strongest that both sides have.",
        section="More",
        protocols=NETWORK,
        needs="use_authentication",
    )
    client_certificate = Text(
        label="Client certificate",
        help=f"PEM file of a certificate that this client shows; the mechanism {EXTERNAL.name} logs in with it.",
        section="More",
        protocols=NETWORK,
        needs="use_secure_authentication",
    )
    client_key = Text(
        label="Client key",
        help="PEM file of the client certificate's key, without a passphrase; when empty, it is in the same file.",
        section="More",
        protocols=NETWORK,
        needs="use_secure_authentication",
    )
    ca_file = Text(
        label="Authority file",
        help="PEM file of a certificate authority that is trusted beside the system's.",
        section="More",
        protocols=NETWORK,
        needs="use_secure_authentication",
    )
    from_address = Text(
        label="From address",
        help="The sender of messages that name none, for example: Ana <ana@example.org>",
        section="More",
        protocols=("SMTP",),
    )
    timeout = Seconds(
        20.0,
        label="Timeout",
        help="Seconds to wait for one answer of the server.",
        section="More",
        protocols=NETWORK,
    )
    deadline = Seconds(
        60.0,
        label="Deadline",
        help="Seconds for the whole opening of a session, however many answers it takes.",
        section="More",
        protocols=NETWORK,
    )
    allow_plaintext_password = Switch(
        label="Allow a password in plain text?",
        help="Only for a link without TLS: log in although everybody on the way can read it.",
        section="More",
        protocols=NETWORK,
        needs="use_authentication",
    )

    def __init__(self, **options: Any) -> None:
        # What a newer version or an administrator wrote beside our options; the store keeps it through a rewrite.
        self.unknown: dict[str, Any] = {}
        # Where the store read it from, and what was there; None for one that was never stored.
        self.origin: Any = None
        # Whether an administrator's file says it, and the user's own connection of that name that it hides: a secret that
        # the user gave for the one is not for the other.
        self.shared = False
        self.hides: MailConnection | None = None
        super().__init__()
        self._assign(options)

    @classmethod
    def options(cls) -> Mapping[str, Option]:
        """The declarations, by trait name, in the order of the form."""
        # class_traits() would give them by the alphabet.
        return {
            name: trait
            for part in reversed(cls.__mro__)
            for name, trait in vars(part).items()
            if isinstance(trait, Option)
        }

    def _assign(self, options: dict[str, Any]) -> None:
        known = self.options()
        for name in options:
            if name not in known:
                raise OptionError(f"There is no option {name!r}.{did_you_mean(name, list(known))}", trait=name)
        options = _with_implied(options)
        # The protocol first: it decides how the server's host is read.
        for name in sorted(options, key=lambda name: name != "protocol"):
            setattr(self, name, options[name])

    def update(self, **options: Any) -> None:
        """Set several options: all of them, or none when one is bad. Naming a user or a proxy host turns it on."""
        # The copy is the trial; it says what is wrong before anything is set.
        self.copy(**options)
        self._assign(options)

    def applies(self, name: str) -> bool:
        """Whether the option matters as the connection stands: its protocol has it and its switch is on."""
        option = self.options()[name]
        return self.protocol in option.protocols and (not option.needs or bool(getattr(self, option.needs)))

    def as_dict(self) -> dict[str, Any]:
        """The options that the protocol has and that say something, in the form's order; what the file keeps."""
        return {
            name: value
            for name, option in self.options().items()
            if self.protocol in option.protocols and (value := getattr(self, name)) not in (None, "")
        }

    def copy(self, **changes: Any) -> MailConnection:
        """A connection with the same options, except for ``changes``; it was never stored."""
        copy = MailConnection(**(self.as_dict() | _with_implied(changes)))
        copy.unknown = dict(self.unknown)
        copy.shared, copy.hides = self.shared, self.hides
        return copy

    @property
    def security(self) -> str:
        """``SSL``, ``TLS``, ``TLS1.2``, or empty for a plain-text link."""
        return self.secure_authentication_type if self.use_secure_authentication else ""

    @property
    def usual_port(self) -> int | None:
        """The port that is used when none is given; None for MBOX."""
        return _PORTS.get((self.protocol, self.security.removesuffix("1.2")))

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
        if not self.server_host:
            what = "the path of the mailbox file" if self.protocol == "MBOX" else "the host name or address"
            yield OptionError(f"{label['server_host']}: missing; give {what}.", trait="server_host")
        if self.protocol == "MBOX":
            return
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
        if self.use_proxy and not self.proxy_host:
            yield OptionError(
                f"{label['proxy_host']}: missing; the proxy is on but has no host.",
                trait="proxy_host",
                hint="Name the proxy's host, or turn the proxy off.",
            )

    def require_complete(self) -> None:
        """Raise the first of :meth:`problems`, if there is one."""
        for problem in self.problems():
            raise problem

    def resolved(self, environ: Mapping[str, str] | None = None) -> MailConnection:
        """A copy in which each ``${NAME}`` is the environment's value; raises what is then wrong or incomplete.

        Options that do not matter as the connection stands, a proxy that is off for example, keep theirs.
        """
        environ = Environment(environ)
        changes = {
            name: expand(value, environ, label=option.label, trait=name)
            for name, option in self.options().items()
            if name != "name" and has_variable(value := getattr(self, name)) and self.applies(name)
        }
        copy = self.copy(**changes)
        copy.require_complete()
        return copy

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MailConnection) and self.as_dict() == other.as_dict()

    __hash__ = None  # type: ignore[assignment]  # it can change

    def __repr__(self) -> str:
        options = self.options()
        kept = self.as_dict()
        said = {name: value for name, value in kept.items() if value != options[name].default_value}
        # What the constructor would conclude from the rest is said when it is not so.
        said |= {switch: kept[switch] for switch in _with_implied(said) if switch not in said}
        return f"MailConnection({', '.join(f'{name}={value!r}' for name, value in said.items())})"

    def shown(self) -> list[tuple[str, str]]:
        """Label and value of each option that matters now, in words, for a person."""
        rows = []
        for name, option in self.options().items():
            value = getattr(self, name)
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
