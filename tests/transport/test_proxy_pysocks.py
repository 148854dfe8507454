"""PySocks speaks SOCKS for us: what it sends is right to the byte, and it neither waits, shows nor reads more than it may."""

from __future__ import annotations

import ipaddress
import logging
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import socks
from hypothesis import given, strategies

from mailconn_jupyter.session.check import check
from mailconn_jupyter.transport.channel import Channel
from mailconn_jupyter.transport.proxy import ProxyRoute, tunnel
from mailconn_jupyter.transport.transport_errors import TransportError
from tests.servers import Postfix, Proxy
from tests.servers.microsocks import run_microsocks
from tests.servers.script import Close, Dribble, ExpectBytes, ScriptServer, Send, Silence
from tests.servers.socks4a import Socks4a
from tests.servers.steps import Step
from tests.support import proxied
from tests.support.isolation import give_password
from tests.support.leaks import password
from tests.support.proxied import OPEN, delivered, failure, refused, through
from tests.support.scripted_proxies import BANNER, GRANTED, PLAIN, SESSION

no_password_is_left = proxied.no_password_is_left

LOGIN_TAKEN = b"\x05\x02\x01\x00"
SIZES = [1, 127, 128, 200, 255]


def asked(kind: str, host: str, username: str = "", secret: str | None = None) -> bytes:
    """What a proxy that grants everything hears."""
    here, there = socket.socketpair()
    with here, there:
        hello = {"SOCKS4": b"", "SOCKS5": b"\x05\x00" if secret is None else LOGIN_TAKEN}[kind]
        there.sendall(hello + GRANTED[kind] + BANNER)
        channel = Channel(here, timeout=5)
        route = ProxyRoute(kind, "proxy.test", 1, username, None if secret is None else lambda: secret)
        tunnel(channel, route, host, 2525)
        assert os.name == "nt" or not os.get_blocking(here.fileno())
        assert channel.buffered() == BANNER
        return there.recv(4096)


def counted(text: str) -> bytes:
    data = text.encode()
    return bytes([len(data)]) + data


def login(username: str, secret: str) -> bytes:
    return b"\x05\x02\x00\x02\x01" + counted(username) + counted(secret)


def request(host: str) -> bytes:
    return b"\x05\x01\x00\x03" + counted(host) + b"\x09\xdd"


# What it sends


@pytest.mark.parametrize("size", [*SIZES, 0])
def test_a_user_and_a_password_go_behind_one_byte_with_their_length(size: int) -> None:
    secret = "x" * size  # none at all, too: there are proxies that know a user by the name alone
    assert asked("SOCKS5", "mail.test", "ana", secret) == login("ana", secret) + request("mail.test")
    user = "u" * max(size, 1)
    assert asked("SOCKS5", "mail.test", user, "x") == login(user, "x") + request("mail.test")


TEXTS = strategies.text(
    strategies.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=255
).filter(lambda text: len(text.encode()) <= 255)


@given(user=TEXTS, secret=TEXTS, host=strategies.from_regex(r"[a-z][A-Za-z0-9._-]{0,254}", fullmatch=True))
def test_whatever_the_login_and_the_name_they_reach_the_proxy_to_the_byte(user: str, secret: str, host: str) -> None:
    assert asked("SOCKS5", host, user, secret) == login(user, secret) + request(host)
    assert asked("SOCKS4", host, user) == (
        b"\x04\x01\x09\xdd\0\0\0\x01" + user.encode() + b"\0" + host.encode("ascii") + b"\0"
    )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("label", ["x", "abc.", "_"])
def test_a_name_of_up_to_255_bytes_reaches_the_proxy_whatever_its_labels(label: str, size: int) -> None:
    name = (label * size)[:size]
    assert asked("SOCKS5", name) == b"\x05\x01\x00" + request(name)
    assert asked("SOCKS4", name).endswith(b"\0" + name.encode() + b"\0")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "2001:db8::25", "fe80::1%eth0"])
def test_an_address_goes_to_a_socks5_proxy_as_one(address: str) -> None:
    packed = ipaddress.ip_address(address.partition("%")[0]).packed
    kind = b"\x01" if len(packed) == 4 else b"\x04"
    assert asked("SOCKS5", address) == b"\x05\x01\x00\x05\x01\x00" + kind + packed + b"\x09\xdd"


def test_a_name_in_another_script_goes_as_its_a_label() -> None:
    assert asked("SOCKS5", "straße.test") == b"\x05\x01\x00" + request("xn--strae-oqa.test")


def test_a_default_proxy_of_pysocks_own_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socks.socksocket, "default_proxy", (socks.HTTP, "127.0.0.1", 1, False, b"u", b"p"))
    assert asked("SOCKS5", "mail.test") == b"\x05\x01\x00" + request("mail.test")


# Mail through it


@pytest.mark.parametrize("size", [200, 255])
def test_mail_goes_through_a_proxy_whose_user_and_password_are_long(
    size: int, postfix: Postfix, tmp_path: Path
) -> None:
    user, secret = "u" * size, "p" * size
    with run_microsocks(tmp_path / "microsocks", user, secret) as proxy:
        give_password("ops", secret, kind="proxy")
        delivered(postfix, through(proxy, "SOCKS5", user, server_port=postfix.relay, **OPEN))


def test_mail_goes_through_socks4a_to_a_server_whose_name_is_long(postfix: Postfix) -> None:
    name, user = ".".join(["mail" * 10] * 5), "u" * 200
    with Socks4a({name: "127.0.0.1"}, user) as proxy:
        delivered(postfix, through(proxy, "SOCKS4", user, server_host=name, server_port=postfix.relay, **OPEN))
    assert proxy.asked == [f"{name}:{postfix.relay}"]


def test_a_proxy_that_answers_the_login_with_the_version_of_socks_is_understood() -> None:
    give_password("ops", "hunter2", kind="proxy")
    steps: list[Step] = [ExpectBytes(4), Send(b"\x05\x02"), ExpectBytes(13), Send(b"\x05\x00"), ExpectBytes(16)]
    with ScriptServer([*steps, Send(GRANTED["SOCKS5"] + BANNER), *SESSION]) as proxy:
        assert check(through(proxy, "SOCKS5", "ana", **PLAIN | {"timeout": 5})).ok
    refused_by: list[Step] = [*steps[:3], Send(b"\x05\x01"), Close()]
    with ScriptServer(refused_by) as proxy:
        assert failure(through(proxy, "SOCKS5", "ana", **PLAIN))[1] == "proxy-login"


# When it is imported


def test_pysocks_is_imported_for_a_socks_proxy_and_for_nothing_else(
    microsocks_open: Proxy, squid: Proxy, postfix: Postfix
) -> None:
    code = f"""if True:
        import sys
        from mailconn_jupyter.connection import MailConnection
        from mailconn_jupyter.session.check import check
        from mailconn_jupyter.session.connect import connect
        to = dict(name="ops", server_host="127.0.0.1", server_port={postfix.relay}, use_secure_authentication=False)
        with connect(MailConnection(**to)):
            print("socks" in sys.modules)
        http = dict(proxy_type="HTTP", proxy_host="127.0.0.1", proxy_port={squid.port})
        print(check(MailConnection(**to, **http)).failed.cause, "socks" in sys.modules)
        with connect(MailConnection(**to, proxy_host="127.0.0.1", proxy_port={microsocks_open.port})):
            print("socks" in sys.modules)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "proxy-login", "False", "True"]


# What shows

ASKED: list[Step] = [ExpectBytes(4), Send(b"\x05\x02"), ExpectBytes(27), Send(b"\x01\x00"), ExpectBytes(16)]


@pytest.mark.parametrize(
    ("steps", "cause", "words"),
    [
        # Kerberos alone: chosen by itself, or everything that was offered refused.
        ([*ASKED[:1], Send(b"\x05\x01")], "proxy-login", "The proxy wants another kind of login."),
        ([*ASKED[:1], Send(b"\x05\xff"), Close()], "proxy-login", "The proxy wants another kind of login."),
        ([*ASKED[:1], Send(b"\x01\x01")], "proxy-bad-reply", "No SOCKS5 proxy answers there."),
        ([*ASKED[:1], Send(b"HTTP/1.1 400 Bad\r\n\r\n" * 50_000)], "proxy-bad-reply", "No SOCKS5 proxy answers there."),
        ([*ASKED[:3], Send(b"\x01\x01")], "proxy-login", "The proxy refused its user or password."),
        ([*ASKED[:3], Dribble(b"\x01", 0.1), Silence()], "proxy-silent", "The proxy is silent."),
        ([*ASKED[:3], Close(reset=True)], "proxy-hung-up", "The proxy hung up."),
        ([*ASKED, Send(b"\x05\x02\x00\x01")], "proxy-rules", "its rules do not allow this server."),
        ([*ASKED, Send(b"\x05\x09\x00\x01")], "target-unreachable", "it answered with the error 9."),
        ([*ASKED, Send(b"\x05\x00\x00\x09" * 500_000)], "proxy-bad-reply", "No SOCKS5 proxy answers there."),
        ([*ASKED, Send(b"\x05\x00\x00\x03\xff"), Close()], "proxy-hung-up", "The proxy hung up."),
        ([*ASKED, Dribble(b"\x05\x00\x00\x03\xff" + b"x" * 257, 0.05)], "target-unreachable", "could not reach"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_no_error_of_pysocks_shows_the_password_in_a_frame_an_argument_a_cause_or_a_log(
    steps: list[Step], cause: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    give_password("ops", password(), kind="proxy")
    with ScriptServer(steps, strict=False) as proxy:
        error = refused(through(proxy, "SOCKS5", "ana", **PLAIN), room="opening")
    assert (error.stage, error.cause) == ("connect", cause)
    assert words in error.message
    chain: list[BaseException] = [error]
    while (link := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(link)
    if cause not in {"proxy-silent", "target-unreachable"} and "reset=True" not in str(steps):
        assert isinstance(chain[-1], socks.ProxyError)
        assert chain[-1].__traceback__ is None
    assert password() not in caplog.text


# What it reads


@pytest.mark.parametrize(
    ("kind", "answer", "cause"),
    [
        ("SOCKS5", b"\x05\x07", "proxy-login"),
        ("SOCKS5", b"\x04\x00", "proxy-bad-reply"),
        ("SOCKS4", b"\x05\x00", "proxy-bad-reply"),
        ("SOCKS4", b"\x00\x5b", "target-unreachable"),
    ],
)
def test_of_a_proxy_that_floods_no_more_is_read_than_a_chunk(kind: str, answer: bytes, cause: str) -> None:
    here, there = socket.socketpair()
    with here, there:
        there.setblocking(False)
        assert there.send(answer * 400_000) > 3 * 65536
        channel = Channel(here, timeout=5)
        with pytest.raises(TransportError) as caught:
            tunnel(channel, ProxyRoute(kind, "proxy.test", 1), "mail.test", 25)
        assert caught.value.cause == cause
        # A second one is read by the question itself.
        assert len(channel.buffered()) < 2 * 65536
