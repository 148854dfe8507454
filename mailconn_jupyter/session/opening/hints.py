"""What to do about a stage that failed: one sentence a cause, written for a person.

The causes, each a fixed word: ``host-unknown``, ``refused``, ``unreachable``, ``no-answer``, ``closed``, ``cancelled``,
``wrong-tls-type``, ``tls-silent``, ``tls-version``, ``tls-failed``, ``no-starttls``, ``starttls-refused``, ``injected``,
``unknown-authority``, ``expired``, ``name-mismatch``, ``pin-mismatch``, ``bad-certificate``,
``not-by-the-rules``, ``ca-file``,
``bad-greeting``, ``bad-reply``, ``too-long``, ``plain-text-refused``, ``no-secret``, ``no-login``, ``no-mechanism``,
``bad-challenge``, ``proxy-unknown``, ``proxy-unreachable``, ``proxy-login``, ``proxy-rules``, ``proxy-hung-up``,
``proxy-bad-reply``, ``proxy-silent``, ``target-unreachable``, ``client-certificate``, ``server-unproved``,
``server-busy``, ``helo-refused``, ``wrong-password``, ``app-password``, ``basic-off``, ``smtp-off-tenant``,
``smtp-off-mailbox``, ``login-policy``, ``web-login``, ``token-refused``, ``mechanism-refused``, ``login-temporary``,
``too-many-connections``, ``rate-limited``, ``not-enabled``, ``not-installed``, ``refused-by-server``, ``option``.

Of Microsoft Graph alone: ``no-permission``, ``foreign-sender``, ``no-mailbox``, ``app-only``.

Of signing in alone: ``sign-in``, ``sign-in-refused``, ``sign-in-unreachable``, ``sign-in-option``.

Of reading alone: ``preauth``, ``in-use``, ``not-authorized``; of a mailbox file: ``no-file``, ``no-regular-file``,
``unreadable``, ``not-writable``, ``not-a-mailbox``, ``locked``.
"""

from __future__ import annotations

from ...connection import MailConnection
from ...connection.trusted_hosts import how_to_pin
from ...credentials import Kind
from ...credentials.naming import command
from ...names import quote
from ...transport.certificate import Certificate

__all__ = ["hint_for"]

_FIXED = {
    "host-unknown": "Check the spelling of the server host, and that this machine can look up names (VPN, proxy).",
    "unreachable": "Check the network: a VPN that is off, or a proxy that this connection should use.",
    "closed": "The server hung up. Check the port and the security type, or try again in a minute.",
    "cancelled": "Nothing was sent.",
    "tls-failed": "Check the port, and whether the server wants TLS from the first byte (SSL) or STARTTLS (TLS).",
    "injected": "Somebody between here and the server may be tampering with the link. Nothing was sent.",
    "expired": "Tell the server's administrator; until it is renewed only a pin (host=sha256:HEX) accepts it.",
    "bad-certificate": "Tell the server's administrator, or name the company's own authority as ca_file.",
    "ca-file": "Give the path of a PEM file that this user can read.",
    "bad-greeting": "Something else answers on this port. Check the server host and the port.",
    "bad-reply": "Something else answers on this port, or the link is disturbed. Check the server host and the port.",
    "too-long": "Something else answers on this port. Check the server host and the port.",
    "plain-text-refused": "Turn secure authentication on, or, if that link is really safe, allow_plaintext_password.",
    "no-mechanism": "Ask the server's administrator how to log in; a token needs use_xoauth2, a password needs it off.",
    "bad-challenge": "The server does not follow the mechanism's rules. Nothing more was sent.",
    "server-unproved": "This may not be the real server: nothing more was sent. Check the server host.",
    "proxy-unknown": "Check the spelling of the proxy's host.",
    "proxy-unreachable": "Check the proxy's host and port, and whether it can be reached from this network.",
    "proxy-hung-up": "Check the proxy's type (SOCKS5, SOCKS4, HTTP) and port.",
    "proxy-bad-reply": "Check the proxy's type (SOCKS5, SOCKS4, HTTP) and port.",
    "proxy-silent": "Check the proxy's type (SOCKS5, SOCKS4, HTTP) and port, and the server host and port behind it.",
    "target-unreachable": "The proxy works. Check the server host and port, as the proxy sees them.",
    "client-certificate": "Give PEM files that this user can read, with a key that has no passphrase.",
    "server-busy": "The server cannot do this at the moment, and was asked several times. Try again in a few minutes.",
    "helo-refused": "It may not accept the name by which this machine introduced itself: set helo_name to "
    "the machine's own, or to your domain. Or try again in a few minutes.",
    "starttls-refused": "Nothing was sent. Its TLS does not work at the moment: try again in a few minutes, or use the port "
    "for SSL if there is one.",
    "app-password": "The account needs an app password: make one in the account's security settings.",
    "basic-off": "The account takes no passwords here: sign in with OAuth 2.0 (use_xoauth2, oauth_issuer). Exchange: the administrator "
    "of the organisation can turn basic authentication on again, for as long as Microsoft allows it.",
    "smtp-off-tenant": "SMTP is off for this tenant, even with a token. Its administrator can turn it on: Set-CASMailbox ADDRESS "
    "-SmtpClientAuthenticationDisabled $false (this mailbox alone), or Set-TransportConfig.",
    "smtp-off-mailbox": "SMTP is off for this mailbox, even with a token. The organisation's administrator can turn it on: "
    "Set-CASMailbox ADDRESS -SmtpClientAuthenticationDisabled $false.",
    "login-policy": "A policy of the organisation (security defaults, Conditional Access) forbids this login: its "
    "administrator can allow it. A sign-in (oauth_issuer) may be allowed where a password is not.",
    "web-login": "Log in to the provider's web page once, from this network, and confirm what it asks; then try again.",
    "mechanism-refused": "This is not about the password: choose another way to log in with sasl_mechanism.",
    "too-many-connections": "The password is not what is wrong. End other programs and sessions that hold a connection to "
    "this account, or wait until the server has dropped them.",
    "rate-limited": "The password is not what is wrong. Wait a few minutes before the next try: trying too early may "
    "prolong it.",
    "token-refused": "The token may have expired, or belong to another user. Get a new one and set it again.",
    "login-temporary": "The server cannot check logins at the moment. Try again in a few minutes.",
    "preauth": "Use type SSL if the server has a port for it; if no login is needed, turn authentication off as well.",
    "in-use": "Another program has this mailbox open: end it, or try again in a minute.",
    "not-authorized": "The login is right, but this user may not act as that mailbox: check the authorization identity.",
    "no-file": "Check the path; a mailbox file is never created by opening it.",
    "no-regular-file": "Give the path of the mailbox file itself.",
    "unreadable": "Ask the owner of the file, or of its folder, to let this user read it.",
    "not-writable": "Open it read-only (readonly=True, the default), or have its owner let this user write to it.",
    "not-a-mailbox": "Check the path: a mailbox file begins with a line that starts with the word From and a space.",
    "locked": "Try again when the other program has ended; a lock that was left behind can be deleted.",
    "refused-by-server": "The server's own words are above; its administrator can say more.",
}


def hint_for(cause: str, connection: MailConnection, certificate: Certificate | None = None) -> str:
    """The sentence for a cause, with what this connection's options make of it; empty where there is none."""
    name, host, security = connection.name, connection.server_host, connection.security
    if cause in {"unknown-authority", "pin-mismatch"} and certificate is not None:
        lead = "If it is yours" if cause == "unknown-authority" else "If the server's administrator confirms the change"
        return f"{lead}, {how_to_pin(host, certificate.sha256)}"
    if cause == "not-by-the-rules":
        pin = f" Until then, if it is yours, {how_to_pin(host, certificate.sha256)}" if certificate is not None else ""
        return f"Python 3.13 and later insist on them. The lasting remedy is a new certificate from its authority.{pin}"
    if cause == "name-mismatch":
        names = [name for name in certificate.names if "*" not in name] if certificate else []
        return f"Use a host name that it has, such as {names[0]}." if names else "Check the server host."
    if cause == "wrong-password":
        return f"Check the username, and set the password again: {command(name, Kind.PASSWORD)}"
    if cause.startswith("smtp-off"):
        return f"{_FIXED[cause]} Or send by Microsoft Graph: {_by_graph(connection)}"
    if cause == "token-refused" and connection.signs_in:
        return (
            f"A new token is refused, too: check that {connection.username} is who signed in, and that the app may use "
            f"{connection.protocol}; or sign in again: {command(name, Kind.REFRESH)}"
        )
    if cause == "proxy-login":
        return _proxy_login(connection)
    if cause == "proxy-rules":
        login = (
            " Or it wants a login: give its username." if connection.use_proxy and not connection.proxy_username else ""
        )
        often = "" if connection.protocol == "GRAPH" else "; port 587 or 465 often is"
        return f"Ask the proxy's administrator to allow this server and port{often}.{login}"
    if cause == "not-enabled":
        return (
            f"{connection.protocol} is turned off for this account, whatever the password: turn it on in the account's "
            "settings, or ask its administrator (Exchange: Set-CASMailbox)."
        )
    if cause == "no-login":
        if not security:
            return "It may offer a login only over TLS: turn secure authentication on. Or turn authentication off."
        if connection.protocol != "SMTP":
            return "Ask the server's administrator how to log in."
        return "Turn authentication off if this server needs none, or try the submission port 587 or 465."
    if cause in {"refused", "no-answer"}:
        usual = {"SMTP": "587, 465 or 25", "IMAP": "143 or 993", "POP3": "110 or 995", "GRAPH": "443"}
        ports = usual.get(connection.protocol, "")
        if cause == "no-answer" and security.startswith("TLS"):
            return f"Check host and port ({ports}); a server that waits for TLS from the first byte needs type SSL."
        return f"Check host and port (usual: {ports}), and whether a firewall or a proxy is in between."
    if cause in {"wrong-tls-type", "tls-silent"} and connection.protocol == "GRAPH":
        return _FIXED["bad-greeting"]
    if cause == "wrong-tls-type":
        return "The server speaks plain text first: choose the type TLS (STARTTLS), or the port for SSL."
    if cause == "tls-silent":
        return "Choose the type TLS (STARTTLS) if this port is not for TLS from the first byte."
    if cause == "tls-version":
        if security == "TLS1.2":
            return "This connection allows exactly TLS 1.2: choose the type TLS, which also takes 1.3."
        return (
            "The server knows only versions older than TLS 1.2, which are not safe: its administrator must update it."
        )
    if cause == "no-starttls":
        return (
            "Nothing was sent. Use the port for SSL if there is one; a server that never had TLS needs it turned off."
        )
    return _FIXED.get(cause, "")


def _by_graph(connection: MailConnection) -> str:
    """The magic's line for a connection of the same user that does so."""
    words = [
        f"%mailconn new {quote(f'{connection.name} by Graph')} --protocol GRAPH --username {quote(connection.username)}"
    ]
    issuer, client = connection.oauth_issuer or "microsoft", connection.oauth_client_id or "ID"
    words.append(f"--oauth-issuer {quote(issuer)} --oauth-client-id {quote(client)}")
    words += [f"--oauth-tenant {quote(connection.oauth_tenant)}"] if connection.oauth_tenant else []
    return " ".join(words)


def _proxy_login(connection: MailConnection) -> str:
    if not connection.use_proxy:
        return "Check the user and the password in the variable ALL_PROXY."
    if connection.proxy_type == "SOCKS4":
        return "Check the proxy's username; for one that wants a password choose the type SOCKS5."
    if not connection.proxy_username:
        return "Give the proxy's username, and then its password."
    return f"Check the proxy's username, and set its password again: {command(connection.name, Kind.PROXY)}"
