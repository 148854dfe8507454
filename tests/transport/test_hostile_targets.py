"""A server host that is more than a name never reaches a proxy: nothing is sent for it."""

from __future__ import annotations

import socket

import pytest

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.errors import OpenError, OptionError
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.transport.channel import Channel
from mailconn_jupyter.transport.proxy import ProxyRoute, tunnel
from mailconn_jupyter.transport.transport_errors import TransportError
from tests.support import proxied
from tests.support.scripted_proxies import GRANTED

no_password_is_left = proxied.no_password_is_left


@pytest.mark.parametrize(
    "bad", ["mail.test\r\nX-Injected: yes", "mail.test\nX: y", "mail.test\0", "mail test", "a@b", "a/b"]
)
def test_a_server_host_that_is_more_than_a_name_is_refused_before_a_byte_is_sent(
    bad: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = {"proxy_type": "HTTP", "proxy_host": "127.0.0.1", "proxy_port": listener.getsockname()[1]}
        with pytest.raises(OptionError, match="Server host"):
            MailConnection(name="ops", server_host=bad, **proxy)
        connection = MailConnection(name="ops", server_host="${TARGET}", **proxy)
        with pytest.raises(OptionError, match="Server host"):
            connection.resolved({"TARGET": bad})
        if "\0" not in bad:  # no variable can hold one
            monkeypatch.setenv("TARGET", bad)
            with pytest.raises(OpenError, match="Server host") as caught:
                connect(connection)
            assert (caught.value.stage, caught.value.cause) == ("resolve", "option")
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.mark.parametrize("kind", GRANTED)
@pytest.mark.parametrize(
    "bad",
    [
        "mail.test\r\nX-Injected: yes",
        "mail.test\0",
        "mail test",
        "user@mail.test",
        "mail.test:25",
        "mail.test/",
        "",
        "x" * 256,
        # Signs that become others in the name's ASCII form: @ and /.
        "user\uff20mail.test",
        "mail\u2100.test",
        "fe80::1%\r\nX-Injected: yes",
    ],
)
def test_the_tunnel_itself_sends_nothing_for_such_a_name(kind: str, bad: str) -> None:
    here, there = socket.socketpair()
    with here, there:
        try:
            tunnel(Channel(here, timeout=0.05), ProxyRoute(kind, "proxy.test", 1), bad, 25)
        except TransportError as error:
            refused = error.cause == "host-unknown"
        there.setblocking(False)
        if refused:
            with pytest.raises(BlockingIOError):
                there.recv(100)
        else:
            # The zone of an address is not passed on.
            assert b"Injected" not in there.recv(1000)
