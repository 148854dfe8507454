"""The options of a connection, each declared once.

The keywords of :class:`~mailconn_jupyter.connection.MailConnection` and their types, the flags of the magic, the fields
of the form, the keys of the saved file, ``%mailconn show`` and the README's table are derived from these traits. To add
an option, add a trait; a rule between two options goes into ``MailConnection.problems()``.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

from .mechanisms import EXTERNAL, ROWS, named
from .option_kinds import Choice, HeloName, Host, HostOrPath, Issuer, Name, Port, Seconds, Switch, Text
from .option_set import OptionSet
from .trusted_hosts import LABEL, Trust

__all__ = ["SENDING", "ConnectionOptions", "Flow", "Protocol", "ProxyType", "Security"]

Protocol = Literal["SMTP", "IMAP", "POP3", "MBOX", "GRAPH"]
Security = Literal["SSL", "TLS", "TLS1.2"]
ProxyType = Literal["SOCKS5", "SOCKS4", "HTTP"]
Flow = Literal["", "device", "link", "client_credentials", "service_account"]

EVERY: Final[tuple[Protocol, ...]] = get_args(Protocol)
NETWORK: Final = tuple(protocol for protocol in EVERY if protocol != "MBOX")
#: Those whose login and whose security are chosen: Graph takes a token, over TLS from the first byte, and nothing else.
CHOOSING: Final = tuple(protocol for protocol in NETWORK if protocol != "GRAPH")
SENDING: Final[tuple[Protocol, ...]] = ("SMTP", "GRAPH")


class ConnectionOptions(OptionSet):
    """The options, in the order of the form."""

    name: Name = Name(
        label="Connection name",
        help="The name of the connection; case makes no difference.",
        section="Server",
        protocols=EVERY,
        needed=True,
    )
    protocol: Choice[Protocol] = Choice(
        EVERY,
        "SMTP",
        {"POP": "POP3"},
        label="Connection protocol",
        help="SMTP or GRAPH (Microsoft Graph) to send; IMAP, POP3 or MBOX to read.",
        section="Server",
        protocols=EVERY,
    )
    server_host: HostOrPath = HostOrPath(
        label="Server host",
        help="Host name or address of the server; for MBOX the path of the file; for GRAPH graph.microsoft.com when empty.",
        section="Server",
        protocols=EVERY,
        needed=True,
        labels={"MBOX": "Path of the file"},
    )
    server_port: Port = Port(
        label="Server port",
        help="TCP port; when empty, the usual one of the protocol and its security.",
        section="Server",
        protocols=NETWORK,
    )
    use_authentication: Switch = Switch(
        label="Use authentication?",
        help="Off: no login at all, for a relay that trusts the network.",
        section="Authentication",
        protocols=CHOOSING,
    )
    use_xoauth2: Switch = Switch(
        label="Use XOAuth2?",
        help=f"The secret is an OAuth 2.0 access token (SASL {' or '.join(named('an access token'))}).",
        section="Authentication",
        protocols=CHOOSING,
        needs="use_authentication",
    )
    username: Text = Text(
        label="Username",
        help="The user who logs in, often the full mail address.",
        section="Authentication",
        protocols=NETWORK,
        needs="use_authentication",
        turns_on=True,
        needed=True,
    )
    use_secure_authentication: Switch = Switch(
        True,
        label="Use secure authentication?",
        help="Off: a plain-text link; no password is sent over it unless that is allowed.",
        section="Security",
        protocols=CHOOSING,
    )
    secure_authentication_type: Choice[Security] = Choice(
        get_args(Security),
        "TLS",
        {"TLS 1.2": "TLS1.2"},
        label="Secure authentication type",
        help="SSL: TLS from the first byte. TLS: STARTTLS, required, 1.2 or newer. TLS1.2: STARTTLS, exactly 1.2.",
        section="Security",
        protocols=CHOOSING,
        needs="use_secure_authentication",
    )
    check_server_identity: Switch = Switch(
        True,
        label="Check server identity?",
        help="The certificate must name the host. Off: the name is not checked, but the chain of trust still is.",
        section="Security",
        protocols=NETWORK,
        needs="use_secure_authentication",
    )
    trusted_hosts: Trust = Trust(
        label=LABEL,
        help="Hosts accepted without a known authority, separated by spaces; * for all; host=sha256:HEX pins one "
        "certificate.",
        section="Security",
        protocols=NETWORK,
        needs="use_secure_authentication",
    )
    use_proxy: Switch = Switch(
        label="Use proxy?",
        help="Reach the server through a proxy, which also looks up the server's name.",
        section="Proxy",
        protocols=NETWORK,
    )
    proxy_type: Choice[ProxyType] = Choice(
        get_args(ProxyType),
        "SOCKS5",
        label="Proxy type",
        help="SOCKS5, SOCKS4 (without a password) or HTTP (CONNECT).",
        section="Proxy",
        protocols=NETWORK,
        needs="use_proxy",
    )
    proxy_host: Host = Host(
        label="Proxy host",
        help="Host name or address of the proxy.",
        section="Proxy",
        protocols=NETWORK,
        needs="use_proxy",
        turns_on=True,
        needed=True,
    )
    proxy_port: Port = Port(
        label="Proxy port",
        help="TCP port of the proxy; when empty 1080, for HTTP 3128.",
        section="Proxy",
        protocols=NETWORK,
        needs="use_proxy",
    )
    proxy_username: Text = Text(
        label="Proxy username",
        help="The proxy's user; empty when it asks for none.",
        section="Proxy",
        protocols=NETWORK,
        needs="use_proxy",
    )
    use_environment_proxy: Switch = Switch(
        label="Use the environment's proxy?",
        help="Without a proxy of its own, use the one in the variable ALL_PROXY, except for hosts in NO_PROXY.",
        section="Proxy",
        protocols=NETWORK,
    )
    oauth_issuer: Issuer = Issuer(
        label="OAuth issuer",
        help="Who signs you in: microsoft, google, or the issuer's URL; when empty, the secret is the token itself.",
        section="Sign-in",
        protocols=NETWORK,
        needs="use_xoauth2",
        turns_on=True,
    )
    oauth_client_id: Text = Text(
        label="OAuth client id",
        help="The id of the app that is registered with the issuer.",
        section="Sign-in",
        protocols=NETWORK,
        needs="use_xoauth2",
    )
    oauth_tenant: Text = Text(
        label="OAuth tenant",
        help="The organisation at Microsoft, by its id or domain; when empty, any.",
        section="Sign-in",
        protocols=NETWORK,
        needs="use_xoauth2",
    )
    oauth_flow: Choice[Flow] = Choice(
        get_args(Flow),
        "",
        label="OAuth flow",
        help="How to sign in: device (by a code) or link; for jobs client_credentials or service_account; when empty, whichever fits.",
        section="Sign-in",
        protocols=NETWORK,
        needs="use_xoauth2",
    )
    oauth_scope: Text = Text(
        label="OAuth scope",
        help="The scopes to ask for; when empty, those that the issuer and the protocol need.",
        section="Sign-in",
        protocols=NETWORK,
        needs="use_xoauth2",
    )
    authorization_id: Text = Text(
        label="Authorization identity",
        help="Act as this mailbox with the login of the user above (SASL authorization identity).",
        section="More",
        protocols=CHOOSING,
        needs="use_authentication",
    )
    sasl_mechanism: Choice[str] = Choice(
        ("", *(row.name for row in ROWS)),
        "",
        label="Login mechanism",
        help="The only SASL mechanism to use; when empty, the strongest that both sides have.",
        section="More",
        protocols=CHOOSING,
        needs="use_authentication",
    )
    password_command: Text = Text(
        label="Password command",
        help="A program that prints the password or the token; it is run without a shell.",
        section="More",
        protocols=NETWORK,
        needs="use_authentication",
    )
    client_certificate: Text = Text(
        label="Client certificate",
        help=f"PEM file of a certificate that this client presents; the mechanism {EXTERNAL.name} logs in with it.",
        section="More",
        protocols=CHOOSING,
        needs="use_secure_authentication",
    )
    client_key: Text = Text(
        label="Client key",
        help="PEM file of the client certificate's key, without a passphrase; when empty, it is in the same file.",
        section="More",
        protocols=CHOOSING,
        needs="use_secure_authentication",
    )
    ca_file: Text = Text(
        label="Authority file",
        help="PEM file of a certificate authority to trust in addition to the system's.",
        section="More",
        protocols=NETWORK,
        needs="use_secure_authentication",
    )
    from_address: Text = Text(
        label="From address",
        help="The sender of messages that name none, for example: Ana <ana@example.org>",
        section="Server",
        protocols=SENDING,
    )
    save_sent_to: Text = Text(
        label="Save sent mail to",
        help="The IMAP connection whose Sent folder gets a copy of what is sent; empty for none.",
        section="More",
        protocols=("SMTP",),
    )
    signature: Text = Text(
        label="Signature",
        help="A line of Markdown or HTML below each message, or the path of a .md, .html or .txt file; with {{ content }} in "
        "it, a frame around each.",
        section="More",
        protocols=SENDING,
    )
    helo_name: HeloName = HeloName(
        label="HELO name",
        help="The name by which this machine introduces itself; when empty, its own if that is valid, otherwise its address.",
        section="More",
        protocols=("SMTP",),
    )
    smime_certificate: Text = Text(
        label="S/MIME certificate",
        help="The certificate to sign and decrypt with: a PEM file, or a .p12 file, which also contains its key.",
        section="More",
        protocols=NETWORK,
    )
    smime_key: Text = Text(
        label="S/MIME key",
        help="PEM file of the S/MIME certificate's key; when empty, it is in the same file.",
        section="More",
        protocols=NETWORK,
    )
    smime_folder: Text = Text(
        label="Certificates of others",
        help="Folder of the S/MIME certificates of recipients; when empty, the one that keep_certificate() fills.",
        section="More",
        protocols=SENDING,
    )
    timeout: Seconds = Seconds(
        20.0,
        label="Timeout",
        help="Seconds to wait for one reply from the server.",
        section="More",
        protocols=NETWORK,
    )
    deadline: Seconds = Seconds(
        60.0,
        label="Deadline",
        help="Seconds for opening a session as a whole, however many replies it takes.",
        section="More",
        protocols=NETWORK,
    )
    allow_plaintext_password: Switch = Switch(
        label="Allow a password in plain text?",
        help="Only for a link without TLS: log in even though anybody on the way can read it.",
        section="More",
        protocols=CHOOSING,
        needs="use_authentication",
    )
