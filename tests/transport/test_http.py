"""HTTP for signing in: by the connection's own proxy, by its rules for certificates, within its limit."""

from __future__ import annotations

import threading
import time
import traceback
from typing import Any

import pytest

from mailconn_jupyter.credentials.without_traceback import sealed
from mailconn_jupyter.secret import Secret
from mailconn_jupyter.transport.deadline import Limit
from mailconn_jupyter.transport.http import HTTP, WayOut
from mailconn_jupyter.transport.http_question import Place
from mailconn_jupyter.transport.proxy import ProxyRoute
from mailconn_jupyter.transport.tls import TLSPolicy
from mailconn_jupyter.transport.transport_errors import TransportError
from tests.servers import Certificates, Proxy, ScriptServer
from tests.servers.certificates import Certificate
from tests.servers.issuer import Issuer
from tests.servers.steps import Dribble, ExpectUntil, Pause, Send, Silence
from tests.support.signing_in import direct

METADATA = "/.well-known/openid-configuration"


def through(issuer: Issuer, proxy: Proxy, kind: str, password: str | None = None) -> HTTP:
    secret = password or proxy.password or ""
    route = ProxyRoute(kind, proxy.host, proxy.port, proxy.username or "", lambda: secret)
    policy = TLSPolicy(ca_file=str(issuer.certificates.ca.pem))
    return HTTP(WayOut(lambda _: route, lambda _: policy), Limit(10))


def test_the_answer_comes_through_a_socks_proxy_which_looks_up_the_name(issuer: Issuer, microsocks: Proxy) -> None:
    before = len(microsocks.targets())
    reply = through(issuer, microsocks, "SOCKS5").get(issuer.url + METADATA)
    assert reply.fields is not None
    assert reply.fields.text("issuer") == issuer.url
    microsocks.wait_for_target(f"localhost:{issuer.port}")
    assert len(microsocks.targets()) == before + 1


def test_the_answer_comes_through_an_http_proxy(issuer: Issuer, proxy_py: Proxy) -> None:
    reply = through(issuer, proxy_py, "HTTP").post(issuer.url + "/token", Secret("grant_type=refresh_token"))
    assert reply.status == 400
    assert reply.fields is not None
    assert reply.fields.text("error") == "invalid_request"
    proxy_py.wait_for_target(f"localhost:{issuer.port}")


@pytest.mark.parametrize(("kind", "fixture"), [("SOCKS5", "microsocks"), ("HTTP", "proxy_py")])
def test_a_proxy_that_refuses_is_told_as_a_proxy(
    kind: str, fixture: str, issuer: Issuer, request: pytest.FixtureRequest
) -> None:
    proxy = request.getfixturevalue(fixture)
    with pytest.raises(TransportError) as caught:
        sealed(lambda: through(issuer, proxy, kind, "wrong").get(issuer.url + METADATA))
    assert caught.value.cause == "proxy-login"


def test_plain_text_to_this_machine_goes_through_no_proxy(issuer: Issuer, microsocks: Proxy) -> None:
    before = microsocks.targets()
    http = through(issuer, microsocks, "SOCKS5")
    assert http.get(f"http://127.0.0.1:{issuer.plain_port}{METADATA}").status == 200
    assert microsocks.targets() == before


def test_an_unknown_authority_is_refused_and_named(issuer: Issuer) -> None:
    with pytest.raises(TransportError, match=r"unknown authority \(.*Testing CA") as caught:
        direct().get(issuer.url + METADATA)
    assert caught.value.certificate is not None
    assert caught.value.certificate.sha256 == issuer.certificates.good.sha256


@pytest.mark.parametrize(
    ("shown", "policy", "cause"),
    [
        ("expired", {}, "expired"),
        ("other_name", {}, "name-mismatch"),
        ("self_signed", {"trusted": True}, ""),
        ("self_signed", {"pins": "itself"}, ""),
        ("good", {"pins": "another"}, "pin-mismatch"),
    ],
)
def test_certificates_are_judged_as_those_of_a_mail_server(
    shown: str, policy: dict[str, Any], cause: str, certificates: Certificates
) -> None:
    certificate: Certificate = getattr(certificates, shown)
    rules = dict(policy)
    if rules.get("pins") == "itself":
        rules["pins"] = frozenset({certificate.sha256})
    elif "pins" in rules:
        rules["pins"] = frozenset({"0" * 64})
    way = WayOut(lambda _: None, lambda _: TLSPolicy(ca_file=str(certificates.ca.pem), **rules))
    answer = [ExpectUntil(b"\r\n\r\n"), Send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")]
    with ScriptServer(answer, tls=certificate.server_context(), strict=False) as server:
        found = ""
        try:
            HTTP(way, Limit(5)).get(f"https://localhost:{server.port}/")
        except TransportError as error:
            found = error.cause
    assert found == cause


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (b"220 mail.test ESMTP\r\n", "bad-reply"),
        (b"", "closed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}", "bad-reply"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", "too-long"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 300_000, "too-long"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "bad-reply"),
    ],
)
def test_what_is_no_answer_of_http_is_an_error_of_ours(said: bytes, cause: str) -> None:
    with (
        ScriptServer([ExpectUntil(b"\r\n\r\n"), Send(said)], strict=False) as server,
        pytest.raises(TransportError) as caught,
    ):
        direct().get(f"http://127.0.0.1:{server.port}/")
    assert caught.value.cause == cause


@pytest.mark.parametrize(
    "steps",
    [
        [Silence()],
        [Send(b"HTTP/1.1 200 OK\r\n"), Dribble(b"X: y\r\n" * 200, 0.05), Pause(5)],
        [Send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"), Dribble(b" " * 1000, 0.05), Pause(5)],
    ],
)
def test_a_server_that_dribbles_is_bounded_by_the_limit_and_a_cancel(steps: list[Any]) -> None:
    for limit in (Limit(0.5), Limit(60, cancel=(cancel := threading.Event()))):
        timer = threading.Timer(0.3, cancel.set)
        timer.start()
        with ScriptServer([ExpectUntil(b"\r\n\r\n"), *steps], strict=False, seconds=3) as server:
            began = time.monotonic()
            with pytest.raises(TransportError) as caught:
                HTTP(WayOut(lambda _: None, lambda _: TLSPolicy()), limit).get(f"http://127.0.0.1:{server.port}/")
            assert caught.value.cause in {"no-answer", "cancelled"}
            assert time.monotonic() - began < 20
        timer.join()


def test_no_redirect_is_followed(issuer: Issuer) -> None:
    moved = (
        b"HTTP/1.1 307 Temporary Redirect\r\nLocation: " + issuer.url.encode() + b"/token\r\nContent-Length: 0\r\n\r\n"
    )
    with ScriptServer([ExpectUntil(b"refresh_token"), Send(moved)], strict=False) as server:
        reply = direct().post(f"http://127.0.0.1:{server.port}/token", Secret("grant_type=refresh_token"))
    assert (reply.status, reply.location) == (307, f"{issuer.url}/token")


def test_what_is_sent_is_in_no_traceback_with_locals() -> None:
    form, login = Secret(f"refresh_token={'x' * 20}"), Secret(f"me:{'y' * 20}")
    with (
        ScriptServer([ExpectUntil(b"x" * 20), Send(b"nonsense\r\n")], strict=False) as server,
        pytest.raises(TransportError) as caught,
    ):
        sealed(lambda: direct().post(f"http://127.0.0.1:{server.port}/token", form, login))
    told = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "x" * 20 not in told
    assert "y" * 20 not in told
    assert "eXl5" not in told


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "http://login.example.org/",
        "https://",
        "https://a:b@c/",
        "https://a/#b",
        "https://a b/",
        "https://ü.test/",
    ],
)
def test_a_url_that_is_not_https_or_this_machine_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^(is|contains)"):
        Place.parse(url)


@pytest.mark.parametrize(
    "url", ["https://a.test", "https://[::1]:8443/x", "http://127.0.0.1:1/", "http://localhost/", "http://[::1]/"]
)
def test_https_and_this_machine_are_taken(url: str) -> None:
    assert Place.parse(url).host
