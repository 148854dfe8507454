"""Mail gets through real proxies of every kind and over each security, and nothing is looked up on this side."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.session.connect import connect
from tests.servers import Certificates, Postfix, Proxy, Relay
from tests.servers.microsocks import run_microsocks
from tests.servers.squid import FOREIGNER
from tests.support import proxied
from tests.support.isolation import give_password
from tests.support.lookups import lookups
from tests.support.proxied import (
    LATE,
    OPEN,
    SECURITY,
    WAYS,
    Way,
    by_microsocks,
    by_squid,
    delivered,
    failure,
    through,
    to_postfix,
)

no_password_is_left = proxied.no_password_is_left
socks4a = proxied.socks4a


@pytest.mark.parametrize("security", SECURITY)
@pytest.mark.parametrize("way", WAYS)
def test_a_mail_goes_through_each_kind_of_proxy_with_each_security_and_the_proxy_looks_up_the_name(
    way: Way,
    security: str,
    postfix: Postfix,
    certificates: Certificates,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_name_of_this_machine(*_: object) -> str:
        raise AssertionError("getfqdn")

    monkeypatch.setattr(socket, "getfqdn", no_name_of_this_machine)
    connection, targets = way(request)
    to_postfix(connection, security, postfix, certificates)
    with lookups() as heard:
        delivered(postfix, connection)
    assert heard == {connection.proxy_host}
    target = f"{connection.server_host}:{connection.port}"
    if way in LATE:
        request.getfixturevalue(LATE[way]).wait_for_target(target)
    assert targets()[-1] == target


def test_without_a_proxy_the_listener_does_hear_the_servers_name(postfix: Postfix) -> None:
    connection = MailConnection(
        name="ops", server_host="localhost", server_port=postfix.relay, use_secure_authentication=False
    )
    with lookups() as heard, connect(connection):
        pass
    assert heard == {"localhost"}


# Logins


@pytest.mark.parametrize("size", [1, 127, 128, 200, 255], ids=lambda size: f"{size} bytes")
@pytest.mark.parametrize("sign", ["x", "ä"])
def test_a_socks5_password_of_up_to_255_bytes_reaches_the_proxy_byte_by_byte(
    sign: str, size: int, postfix: Postfix, tmp_path: Path
) -> None:
    # Two bytes a sign; an odd size begins with one of one byte.
    password = "x" * (size % len(sign.encode())) + sign * (size // len(sign.encode()))
    assert len(password.encode()) == size
    # It compares all bytes with those that it was started with.
    with run_microsocks(tmp_path / "microsocks", "zoë", password) as proxy:
        give_password("ops", password, kind="proxy")
        options: dict[str, Any] = {"server_port": postfix.relay, "use_secure_authentication": False}
        with connect(through(proxy, "SOCKS5", "zoë", **options)) as smtp:
            assert smtp.noop()[0] == 250
        give_password("ops", password[:-1] + "y", kind="proxy")
        assert failure(through(proxy, "SOCKS5", "zoë", **options))[:2] == ("connect", "proxy-login")


def test_a_basic_login_that_is_not_ascii_reaches_the_proxy_as_utf_8(squid: Proxy, postfix: Postfix) -> None:
    user, password = FOREIGNER
    give_password("ops", password, kind="proxy")
    options: dict[str, Any] = {"server_port": postfix.relay, "use_secure_authentication": False}
    delivered(postfix, through(squid, "HTTP", user, **options))


# IPv6


class Relay6(Relay):
    """The servers of the tests listen on IPv4 alone: this is a way to them on ::1."""

    host = "::1"


@pytest.fixture
def ipv6() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no ::1")


@pytest.mark.usefixtures("ipv6")
@pytest.mark.parametrize("way", [by_microsocks, by_squid], ids=lambda way: str(way.__name__))
def test_a_server_that_is_given_by_an_ipv6_address_is_reached_through_the_proxy(
    way: Way,
    postfix: Postfix,
    request: pytest.FixtureRequest,
) -> None:
    connection, _ = way(request)
    connection.update(server_host="[::1]", **OPEN)
    with Relay6(postfix.relay) as server, lookups() as heard:
        connection.server_port = server.port
        if way is by_squid:
            # No port of a relay's is among those that it allows: it says no, but to what it was asked.
            assert failure(connection)[1] == "proxy-rules"
            request.getfixturevalue("squid").wait_for_target(f"[::1]:{server.port}")
        else:
            delivered(postfix, connection)
    assert heard <= {"127.0.0.1", "::1"}


@pytest.mark.usefixtures("ipv6")
@pytest.mark.parametrize("way", WAYS)
def test_a_proxy_that_is_given_by_an_ipv6_address_passes_mail_on(
    way: Way, postfix: Postfix, request: pytest.FixtureRequest
) -> None:
    connection, _ = way(request)
    assert isinstance(connection.proxy_port, int)
    with Relay6(connection.proxy_port) as there:
        connection.update(proxy_host=there.host, proxy_port=there.port, server_port=postfix.relay, **OPEN)
        delivered(postfix, connection)
