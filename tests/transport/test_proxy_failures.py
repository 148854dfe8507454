"""Each way to fail through a proxy is told from the others: the proxy, its login, its rules, or the server."""

from __future__ import annotations

import re

import pytest

from mailconn_jupyter.connection import MailConnection
from tests.servers import Postfix, Proxy
from tests.servers.dante import FORBIDDEN
from tests.servers.ports import free_ports
from tests.servers.socks4a import Socks4a
from tests.support import proxied
from tests.support.isolation import give_password
from tests.support.lookups import lookups
from tests.support.proxied import (
    OPEN,
    Way,
    by_dante,
    by_dantes_socks4,
    by_microsocks,
    by_microsocks_open,
    by_proxy_py,
    by_socks4a,
    failure,
    through,
)

no_password_is_left = proxied.no_password_is_left
socks4a = proxied.socks4a


@pytest.mark.parametrize(
    ("name", "kind"), [("microsocks", "SOCKS5"), ("dante", "SOCKS5"), ("squid", "HTTP"), ("proxy_py", "HTTP")]
)
@pytest.mark.parametrize("login", ["wrong password", "wrong user"])
def test_a_refused_login_at_the_proxy_is_the_proxys(
    login: str, name: str, kind: str, postfix: Postfix, request: pytest.FixtureRequest
) -> None:
    proxy: Proxy = request.getfixturevalue(name)
    give_password("ops", "wr0ng" if login == "wrong password" else proxy.password or "", kind="proxy")
    user = "nobody" if login == "wrong user" else proxy.username
    stage, cause, report = failure(through(proxy, kind, user, server_port=postfix.relay, **OPEN))
    assert (stage, cause) == ("connect", "proxy-login")
    assert "%mailconn password ops --proxy" in str(report)
    assert "wr0ng" not in str(report)


# dante lets in who has no login, and then says that its rules do not allow it.
@pytest.mark.parametrize(
    ("name", "kind", "cause"),
    [
        ("microsocks", "SOCKS5", "proxy-login"),
        ("dante", "SOCKS5", "proxy-rules"),
        ("squid", "HTTP", "proxy-login"),
        ("proxy_py", "HTTP", "proxy-login"),
    ],
)
def test_a_proxy_that_wants_a_login_is_said_to_want_one(
    name: str, kind: str, cause: str, postfix: Postfix, request: pytest.FixtureRequest
) -> None:
    proxy: Proxy = request.getfixturevalue(name)
    stage, found, report = failure(through(proxy, kind, server_port=postfix.relay, **OPEN))
    assert (stage, found) == ("connect", cause)
    assert re.search(r"[Gg]ive (the proxy's|its) username", str(report))


def test_a_refused_socks4_user_is_the_proxys(socks4a: Socks4a, postfix: Postfix) -> None:
    connection = through(socks4a, "SOCKS4", "bob", server_host="mail.test", server_port=postfix.relay, **OPEN)
    stage, cause, report = failure(connection)
    assert (stage, cause) == ("connect", "proxy-login")
    assert "choose the type SOCKS5" in str(report)


def test_a_proxy_that_is_down_is_not_the_server_that_is_down(microsocks_open: Proxy, postfix: Postfix) -> None:
    (nobody,) = free_ports(1)
    connection = through(microsocks_open, "SOCKS5", server_port=nobody, **OPEN)
    stage, cause, report = failure(connection)
    assert (stage, cause) == ("connect", "target-unreachable")
    assert "the server refused the connection" in report.summary
    connection.update(proxy_port=nobody, server_port=postfix.relay)
    stage, cause, report = failure(connection)
    assert (stage, cause) == ("connect", "proxy-unreachable")
    assert f"The proxy 127.0.0.1 port {nobody}" in report.summary


@pytest.mark.parametrize(
    "way", [by_microsocks, by_dante, by_dantes_socks4, by_socks4a, by_proxy_py], ids=lambda way: str(way.__name__)
)
def test_a_server_where_nobody_listens_is_the_servers_fault_behind_each_proxy(
    way: Way,
    request: pytest.FixtureRequest,
) -> None:
    connection, _ = way(request)
    connection.update(server_port=free_ports(1)[0], **OPEN)
    stage, cause, report = failure(connection)
    assert (stage, cause) == ("connect", "target-unreachable")
    assert "Check the server host and port, as the proxy sees them" in str(report)


def test_a_server_that_is_unknown_or_down_is_the_servers_fault_behind_an_http_proxy(
    squid: Proxy, postfix: Postfix
) -> None:
    give_password("ops", squid.password or "", kind="proxy")
    connection = through(
        squid, "HTTP", squid.username, server_host="no-such-host.invalid", server_port=postfix.relay, **OPEN
    )
    stage, cause, report = failure(connection)
    assert (stage, cause) == ("connect", "target-unreachable")
    # 500 or 503, by what its resolver made of the name.
    assert "did not connect to the server (50" in report.summary
    # Its rules let through the ports of Postfix, which listens on this address alone.
    connection.server_host = "127.0.0.2"
    assert failure(connection)[:2] == ("connect", "target-unreachable")


@pytest.mark.parametrize("way", [by_microsocks_open, by_socks4a], ids=lambda way: str(way.__name__))
def test_a_server_whose_name_the_proxy_does_not_know_is_the_servers_fault(
    way: Way,
    request: pytest.FixtureRequest,
) -> None:
    connection, _ = way(request)
    connection.update(server_host="no-such-host.invalid", **OPEN)
    with lookups() as heard:
        assert failure(connection)[:2] == ("connect", "target-unreachable")
    assert heard == {"127.0.0.1"}


def test_a_socks4_proxy_that_takes_no_names_is_said_to_be_one(dante: Proxy, postfix: Postfix) -> None:
    stage, cause, report = failure(through(dante, "SOCKS4", server_port=postfix.relay, **OPEN))
    assert (stage, cause) == ("connect", "target-unreachable")
    assert "takes no names, only addresses" in report.summary


@pytest.mark.parametrize(("name", "kind", "port"), [("dante", "SOCKS5", FORBIDDEN), ("squid", "HTTP", 2525)])
def test_a_server_that_the_proxys_rules_refuse_is_the_administrators_business(
    name: str, kind: str, port: int, request: pytest.FixtureRequest
) -> None:
    proxy: Proxy = request.getfixturevalue(name)
    give_password("ops", proxy.password or "", kind="proxy")
    stage, cause, report = failure(through(proxy, kind, proxy.username, server_port=port, **OPEN))
    assert (stage, cause) == ("connect", "proxy-rules")
    assert "Ask the proxy's administrator" in str(report)


def test_an_unknown_proxy_fails_where_names_are_looked_up_and_the_servers_is_not(postfix: Postfix) -> None:
    connection = MailConnection(
        name="ops", server_host="mail.test", server_port=postfix.relay, proxy_host="no-such-proxy.invalid"
    )
    with lookups() as heard:
        stage, cause, report = failure(connection)
    assert (stage, cause) == ("resolve", "proxy-unknown")
    assert "no-such-proxy.invalid" in report.summary
    assert heard == {"no-such-proxy.invalid"}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("microsocks_open", "HTTP"),
        ("microsocks_open", "SOCKS4"),
        ("dante", "HTTP"),
        ("squid", "SOCKS5"),
        ("squid", "SOCKS4"),
        ("postfix", "SOCKS5"),
        ("postfix", "SOCKS4"),
        ("postfix", "HTTP"),
    ],
)
def test_a_proxy_of_another_type_is_told_by_the_hint(
    name: str, kind: str, postfix: Postfix, request: pytest.FixtureRequest
) -> None:
    proxy: Proxy | Postfix = request.getfixturevalue(name)
    port = proxy.relay if isinstance(proxy, Postfix) else proxy.port
    connection = MailConnection(
        name="ops",
        server_host="localhost",
        server_port=postfix.relay,
        proxy_host="127.0.0.1",
        proxy_port=port,
        proxy_type=kind,
        timeout=0.5,
    )
    stage, cause, report = failure(connection)
    assert stage == "connect"
    assert cause in {"proxy-bad-reply", "proxy-hung-up", "proxy-silent"}
    assert "Check the proxy's type (SOCKS5, SOCKS4, HTTP) and port" in str(report)
