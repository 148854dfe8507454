from __future__ import annotations

from typing import Any

import pytest

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.connection.proxy_url import ProxyURL
from mailconn_jupyter.errors import OptionError
from tests.support.leaks import password, shows_no_password


@pytest.mark.parametrize(
    ("url", "kind", "host", "port", "user"),
    [
        ("socks5://ana@proxy.example.org:1080", "SOCKS5", "proxy.example.org", 1080, "ana"),
        ("socks5h://proxy.example.org", "SOCKS5", "proxy.example.org", None, ""),
        ("socks://10.0.0.7:9050/", "SOCKS5", "10.0.0.7", 9050, ""),
        ("socks4://bob@proxy", "SOCKS4", "proxy", None, "bob"),
        ("SOCKS4A://proxy", "SOCKS4", "proxy", None, ""),
        ("HTTP://proxy:3128/", "HTTP", "proxy", 3128, ""),
        ("  http://[::1]:3128  ", "HTTP", "::1", 3128, ""),
        # As curl reads it.
        ("proxy:8080", "HTTP", "proxy", 8080, ""),
        ("ana@proxy", "HTTP", "proxy", None, "ana"),
        ("socks5://an%61%40corp@proxy", "SOCKS5", "proxy", None, "ana@corp"),
        ("socks5://zo%C3%AB@proxy", "SOCKS5", "proxy", None, "zoë"),
        ("socks5://zoë@proxy", "SOCKS5", "proxy", None, "zoë"),
    ],
)
def test_a_proxy_url_gives_the_options_of_a_connection(
    url: str, kind: str, host: str, port: int | None, user: str
) -> None:
    parsed = ProxyURL.parse(url)
    assert not parsed.password
    connection = MailConnection(**parsed.options())
    assert connection.use_proxy
    assert (connection.proxy_type, connection.proxy_host) == (kind, host)
    assert (connection.proxy_port, connection.proxy_username) == (port, user)


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("socks5://ana:hunter2@proxy", "hunter2"),
        ("socks5://ana:p%40ss%3A%2F%25@proxy", "p@ss:/%"),
        ("http://ana:p@ss@proxy", "p@ss"),
        ("http://ana:a:b@proxy", "a:b"),
        ("http://ana:p%C3%A4ss@proxy", "päss"),
        ("http://:hunter2@proxy", "hunter2"),
    ],
)
def test_a_password_in_a_proxy_url_is_a_secret_and_no_option(url: str, secret: str) -> None:
    parsed = ProxyURL.parse(url)
    # What a magic's line is refused by.
    assert parsed.password
    assert parsed.password.reveal() == secret
    assert secret not in repr(parsed) + str(parsed) + repr(parsed.options())


@pytest.mark.parametrize(
    "url",
    [
        "",
        "socks5://",
        "socks5://ana@",
        "socks5://:1080",
        "https://proxy",
        "socks6://proxy",
        "ftp://proxy",
        "proxy:port",
        "http://proxy:0",
        "http://proxy:65536",
        "http://proxy:-1",
        "http://proxy:80:80",
        "http://[::1",
        "http://[proxy]",
        # What urlsplit() would read past.
        "http://pro\txy",
        "http://pro\nxy",
        "http://pro xy",
        "http://proxy/path",
        "http://proxy?query",
        "http://proxy#fragment",
        # A password that should have been quoted: a part of it must not become the host.
        "http://ana:12/34@proxy",
        "http://ana:12#34@proxy",
        "http://ana:12?34@proxy",
        # What no login can send.
        "http://ana:a%0ab@proxy",
        "http://ana:a%00b@proxy",
        "http://a%0db:x@proxy",
        "http://ana:%ff@proxy",
        "http://%ff:x@proxy",
        "http://ana:\udcff@proxy",
    ],
)
def test_a_url_that_is_no_proxys_is_refused(url: str) -> None:
    with pytest.raises(OptionError, match="is malformed, or its type is unknown") as caught:
        ProxyURL.parse(url)
    assert "TYPE://user@host:port" in caught.value.hint


@pytest.mark.parametrize("url", ["socks7://ana:{}@proxy", "http://{}/@proxy", "http://ana:%ff{}@proxy", "http://[{}"])
def test_a_refused_url_is_not_repeated_for_it_may_hold_a_password(url: str) -> None:
    try:
        ProxyURL.parse(url.format(password()))
    except OptionError as error:
        shows_no_password(error, room="proxy_url")
    else:
        pytest.fail("accepted")


@pytest.mark.parametrize(
    ("options", "port"),
    [({"proxy_type": "SOCKS5"}, 1080), ({"proxy_type": "SOCKS4"}, 1080), ({"proxy_type": "HTTP"}, 3128)],
)
def test_a_proxy_without_a_port_has_the_usual_one(options: dict[str, Any], port: int) -> None:
    assert MailConnection(proxy_host="proxy", **options).proxy_port_used == port
