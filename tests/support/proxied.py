"""Connections through the proxies of the tests."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from typing import Any, Protocol

import pytest

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.credentials import forget_memory
from mailconn_jupyter.errors import OpenError
from mailconn_jupyter.session.check import CheckReport, check
from mailconn_jupyter.session.connect import connect
from tests.servers.certificates import Certificates
from tests.servers.postfix import Postfix
from tests.servers.proxies import Proxy
from tests.servers.socks4a import Socks4a
from tests.support.isolation import give_password
from tests.support.leaks import shows_no_password


class Listens(Protocol):
    """A proxy, a relay to one, or a scripted one."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...


#: Each security with the port of Postfix that has it, and the login that it asks for.
SECURITY: dict[str, tuple[str, dict[str, Any]]] = {
    "SSL": ("smtps", {"secure_authentication_type": "SSL", "username": "alice"}),
    "TLS": ("submission", {"secure_authentication_type": "TLS", "username": "alice"}),
    "TLS1.2": ("starttls12", {"secure_authentication_type": "TLS1.2", "username": "alice"}),
    "plain text": ("relay", {"use_secure_authentication": False}),
}


#: A plain-text link and no login: the proxy alone is what is tried.
OPEN: dict[str, Any] = {"use_secure_authentication": False, "timeout": 5}


@pytest.fixture(autouse=True)
def no_password_is_left() -> Iterator[None]:
    # Which tests came before in this process is not known: one of them may have left one, too.
    forget_memory("ops")
    yield
    forget_memory("ops")


def through(proxy: Listens, kind: str, proxy_username: str | None = None, /, **options: Any) -> MailConnection:
    """A connection through the proxy, which needs the server's port at least."""
    given = {
        "name": "ops",
        "server_host": "localhost",
        "proxy_type": kind,
        "proxy_host": proxy.host,
        "proxy_port": proxy.port,
        "proxy_username": proxy_username or "",
        **options,
    }
    return MailConnection(**given)


def to_postfix(connection: MailConnection, security: str, postfix: Postfix, certificates: Certificates) -> None:
    """Point the connection to the port of Postfix with that security, and give it Alice's password."""
    port, options = SECURITY[security]
    connection.update(server_port=getattr(postfix, port), ca_file=str(certificates.ca.pem), **options)
    give_password("ops", "s3cret")


def letter(subject: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "bob@example.test", "alice@example.test", subject
    message.set_content("Three things moved.")
    return message


def delivered(postfix: Postfix, connection: MailConnection) -> None:
    """Send through the connection, and read the mail in the recipient's mailbox."""
    token = uuid.uuid4().hex
    with connect(connection) as smtp:
        assert smtp.send_message(letter(token)) == {}
    assert b"Three things moved." in postfix.wait_for("alice", token)


def failure(connection: MailConnection) -> tuple[str, str, CheckReport]:
    """The stage that fails, the cause, and the report."""
    report = check(connection, ask=False)
    assert report.failed is not None, report
    assert report.failed.hint, report
    return report.failed.name, report.failed.cause, report


def refused(connection: MailConnection, *, room: str) -> OpenError:
    """The error of an opening that fails, which holds no password; ``room`` is a file that it comes through."""
    try:
        connect(connection)
    except OpenError as error:
        shows_no_password(error, room=room)
        return error
    pytest.fail("opened")


# A connection by each of the proxies, and what that one was asked for.

Way = Callable[[pytest.FixtureRequest], tuple[MailConnection, Callable[[], list[str]]]]


@pytest.fixture(scope="module")
def socks4a() -> Iterator[Socks4a]:
    with Socks4a({"mail.test": "127.0.0.1"}, "ana") as proxy:
        yield proxy


def by_microsocks(request: pytest.FixtureRequest) -> tuple[MailConnection, Callable[[], list[str]]]:
    proxy: Proxy = request.getfixturevalue("microsocks")
    give_password("ops", proxy.password or "", kind="proxy")
    return through(proxy, "SOCKS5", proxy.username), proxy.targets


def by_microsocks_open(request: pytest.FixtureRequest) -> tuple[MailConnection, Callable[[], list[str]]]:
    proxy: Proxy = request.getfixturevalue("microsocks_open")
    return through(proxy, "SOCKS5"), proxy.targets


def by_dante(request: pytest.FixtureRequest) -> tuple[MailConnection, Callable[[], list[str]]]:
    proxy: Proxy = request.getfixturevalue("dante")
    give_password("ops", proxy.password or "", kind="proxy")
    return through(proxy, "SOCKS5", proxy.username), proxy.targets


def by_dantes_socks4(request: pytest.FixtureRequest) -> tuple[MailConnection, Callable[[], list[str]]]:
    # It takes addresses only: the one kind of proxy through which a name cannot go.
    proxy: Proxy = request.getfixturevalue("dante")
    return through(proxy, "SOCKS4", server_host="127.0.0.1"), proxy.targets


def by_socks4a(request: pytest.FixtureRequest) -> tuple[MailConnection, Callable[[], list[str]]]:
    proxy: Socks4a = request.getfixturevalue("socks4a")
    return through(proxy, "SOCKS4", "ana", server_host="mail.test"), lambda: proxy.asked


def by_squid(request: pytest.FixtureRequest) -> tuple[MailConnection, Callable[[], list[str]]]:
    proxy: Proxy = request.getfixturevalue("squid")
    give_password("ops", proxy.password or "", kind="proxy")
    return through(proxy, "HTTP", proxy.username, server_host="mail.test"), proxy.targets


def by_proxy_py(request: pytest.FixtureRequest) -> tuple[MailConnection, Callable[[], list[str]]]:
    proxy: Proxy = request.getfixturevalue("proxy_py")
    give_password("ops", proxy.password or "", kind="proxy")
    return through(proxy, "HTTP", proxy.username), proxy.targets


WAYS = [by_microsocks, by_microsocks_open, by_dante, by_dantes_socks4, by_socks4a, by_squid, by_proxy_py]
LATE = {by_squid: "squid", by_proxy_py: "proxy_py"}  # these write their log at a tunnel's end
