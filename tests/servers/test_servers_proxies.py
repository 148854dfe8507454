"""The proxies of the tests pass on what has the right password, and tell what they were asked for."""

from __future__ import annotations

import base64
import socket

import pytest
import socks

from tests.servers import Dovecot, Postfix, Proxy


def greeting(sock: socket.socket) -> bytes:
    sock.settimeout(5)
    return sock.recv(100)


def test_microsocks_asks_for_the_password(microsocks: Proxy, dovecot: Dovecot) -> None:
    for password in ("p", "wrong"):
        with socks.socksocket() as sock:
            sock.set_proxy(socks.SOCKS5, "127.0.0.1", microsocks.port, True, microsocks.username, password)
            if password == microsocks.password:
                sock.connect(("localhost", dovecot.imap))
                assert greeting(sock).startswith(b"* OK")
            else:
                with pytest.raises(socks.GeneralProxyError):
                    sock.connect(("localhost", dovecot.imap))
    microsocks.wait_for_target(f"localhost:{dovecot.imap}")


def test_the_open_microsocks_asks_for_none(microsocks_open: Proxy, dovecot: Dovecot) -> None:
    with socks.socksocket() as sock:
        sock.set_proxy(socks.SOCKS5, "127.0.0.1", microsocks_open.port, rdns=False)
        sock.connect(("localhost", dovecot.imap))
        assert greeting(sock).startswith(b"* OK")
    microsocks_open.wait_for_target(f"127.0.0.1:{dovecot.imap}")


@pytest.mark.parametrize(
    ("kind", "rdns", "host"),
    [(socks.SOCKS4, False, "127.0.0.1"), (socks.SOCKS5, False, "127.0.0.1"), (socks.SOCKS5, True, "localhost")],
)
def test_dante_logs_whether_it_was_given_a_name(
    dante: Proxy, dovecot: Dovecot, kind: int, rdns: bool, host: str
) -> None:
    with socks.socksocket() as sock:
        # SOCKS4 knows no password; what it calls a user name is not asked for.
        login = (dante.username, dante.password) if kind == socks.SOCKS5 else (None, None)
        sock.set_proxy(kind, "127.0.0.1", dante.port, rdns, *login)
        before = len(dante.targets())
        sock.connect(("localhost", dovecot.pop3))
        assert greeting(sock).startswith(b"+OK")
    assert dante.targets()[before:] == [f"{host}:{dovecot.pop3}"]


@pytest.mark.parametrize("password", [None, "wrong"])
def test_dante_refuses_socks5_without_the_right_password(dante: Proxy, dovecot: Dovecot, password: str | None) -> None:
    with socks.socksocket() as sock:
        sock.set_proxy(socks.SOCKS5, "127.0.0.1", dante.port, True, password and dante.username, password)
        with pytest.raises(socks.ProxyError):
            sock.connect(("localhost", dovecot.pop3))


def connect_through(squid: Proxy, target: str, password: str | None) -> tuple[int, bytes]:
    """Ask squid for a tunnel; return the answer's code and what the target says."""
    login = base64.b64encode(f"{squid.username}:{password}".encode()).decode()
    header = "" if password is None else f"Proxy-Authorization: Basic {login}\r\n"
    with socket.create_connection((squid.host, squid.port), timeout=5) as sock:
        sock.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{header}\r\n".encode())
        stream = sock.makefile("rb")
        code = int(stream.readline().split()[1])
        while stream.readline().strip():
            pass
        line = stream.readline() if code == 200 else b""
        stream.close()
    return code, line


def test_squid_opens_tunnels_to_the_mail_ports_with_the_password(
    squid: Proxy, postfix: Postfix, dovecot: Dovecot
) -> None:
    assert connect_through(squid, f"localhost:{dovecot.imap}", squid.password)[1].startswith(b"* OK")
    assert connect_through(squid, f"127.0.0.1:{postfix.plain}", squid.password)[1].startswith(b"220 mail.test")
    assert connect_through(squid, f"localhost:{postfix.plain}", "wrong")[0] == 407
    assert connect_through(squid, f"localhost:{postfix.plain}", None)[0] == 407
    assert connect_through(squid, f"localhost:{squid.port}", squid.password)[0] == 403
    squid.wait_for_target(f"localhost:{dovecot.imap}")
    squid.wait_for_target(f"127.0.0.1:{postfix.plain}")
