"""An issuer that means harm, or is broken: nothing of it steers a terminal, hangs the kernel, or gets another's tokens."""

from __future__ import annotations

import gzip
import threading
import tracemalloc
from datetime import UTC, datetime
from typing import Any

import pytest

from mailconn_jupyter.credentials import remember
from mailconn_jupyter.credentials.oauth import access_tokens, device_code, metadata
from mailconn_jupyter.credentials.oauth.access_tokens import access_token, client_of
from mailconn_jupyter.credentials.oauth.device_code import begin_device
from mailconn_jupyter.credentials.oauth.identity import AccessToken
from mailconn_jupyter.errors import SignInError
from mailconn_jupyter.secret import Secret
from mailconn_jupyter.transport.deadline import Limit
from mailconn_jupyter.transport.http import HTTP, WayOut
from mailconn_jupyter.transport.http_question import Fields
from mailconn_jupyter.transport.tls import TLSPolicy
from tests.servers.odd_issuer import Answer, OddIssuer, page, said
from tests.support.signing_in import direct, identity_at

TOKENS = {"access_token": "at-1", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "rt-2"}
CODE = {"user_code": "ABCD-EFGH", "device_code": "dev-1", "verification_uri": "https://login.test/device"}
NONSENSE: list[Any] = [-1, 0, None, True, "", "soon", "NaN", "-inf", "inf", [5], {}, 1e12, 1e300, "1e300", 10**400]
#: Clears a terminal, turns the direction of writing, begins a new line.
STEERING = "\x1b[2J\u202e\r\nevil"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_tokens, "_held", {})
    monkeypatch.setattr(metadata, "_known", {})
    monkeypatch.setattr(device_code, "_LEAST", 0.01)
    monkeypatch.setattr("mailconn_jupyter.credentials.oauth.questions._PAUSES", (0.01, 0.01))


def begun(issuer: OddIssuer) -> device_code.Device:
    return begin_device(client_of(identity_at(issuer.url), direct()))


def refreshed(issuer: OddIssuer) -> AccessToken:
    remember("ops", "rt-1-of-the-person", kind="refresh")
    return access_token(identity_at(issuer.url), direct)


@pytest.mark.parametrize(
    "changes",
    [{"issuer": f"https://evil.test/{STEERING}"}, {"token_endpoint": f"https://evil.test/{STEERING}"}],
)
def test_what_metadata_say_steers_no_terminal(changes: dict[str, Any]) -> None:
    with OddIssuer(changes) as issuer, pytest.raises(SignInError) as caught:
        begun(issuer)
    assert "evil" in caught.value.message
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1/token", "http://[::1]/token", "http://localhost/token"])
def test_an_issuer_elsewhere_sends_nobody_to_plain_text_on_this_machine(endpoint: str) -> None:
    known = {"issuer": "https://login.test", "token_endpoint": endpoint}
    with pytest.raises(SignInError, match="not https"):
        metadata._read("https://login.test", Fields(known))


@pytest.mark.parametrize("url", ["https://[", "https://[::1", "https://a:b/", "https://a:99999/"])
def test_an_address_that_cannot_be_taken_apart_is_told_as_any_other(url: str) -> None:
    with OddIssuer({"token_endpoint": url}) as issuer, pytest.raises(SignInError, match="address that is not a URL"):
        begun(issuer)
    with pytest.raises(SignInError, match="is not a URL"):
        client_of(identity_at(url), direct())


def test_what_one_connection_trusts_says_nothing_to_another() -> None:
    # The first trusts any certificate of that host, so somebody on its way may have answered.
    with OddIssuer() as issuer:
        identity = identity_at(issuer.url)
        trusting = HTTP(WayOut(lambda _: None, lambda _: TLSPolicy(trusted=True)), Limit(5))
        client_of(identity, trusting)
    # It is asked anew, and nothing answers there any more.
    with pytest.raises(SignInError, match="Nothing is listening there"):
        client_of(identity, direct())


@pytest.mark.parametrize(
    "uri",
    [
        "https://[",
        "https:///device",
        "https://login.microsoftonline.com@evil.test/",
        "data:text/html,<script>alert(1)</script>",
        "https://login.test/\u202e",
        "https://login.test/\x1b[2J",
        "https://lоgin.test/",  # noqa: RUF001  # a Cyrillic letter, which looks like the Latin one
        "http://login.test/device",
        "https://login.test\\.evil.test/",
        "https://login.test/" + "a" * 3000,
    ],
)
def test_nobody_is_sent_to_an_address_that_is_not_what_it_looks_like(uri: str) -> None:
    with (
        OddIssuer(devicecode=[said(**(CODE | {"verification_uri": uri}))]) as issuer,
        pytest.raises(SignInError, match="gave no usable code"),
    ):
        begun(issuer)
    with OddIssuer(devicecode=[said(**CODE, verification_uri_complete=uri)]) as issuer:
        assert begun(issuer).link == ""


@pytest.mark.parametrize("code", ["\ud800", "a\r\nb", "a\0b", "", 7])
def test_a_devices_code_that_cannot_be_sent_is_none(code: object) -> None:
    with (
        OddIssuer(devicecode=[said(**(CODE | {"device_code": code}))]) as issuer,
        pytest.raises(SignInError, match="gave no usable code"),
    ):
        begun(issuer)


@pytest.mark.parametrize("code", ["", "A\x1b[2JB", "A\u202eB", "A\nB", "A" * 200, 12345678, None])
def test_a_code_that_nobody_could_enter_is_none(code: object) -> None:
    with (
        OddIssuer(devicecode=[said(**(CODE | {"user_code": code}))]) as issuer,
        pytest.raises(SignInError, match="gave no usable code"),
    ):
        begun(issuer)


def test_a_code_with_marks_of_html_is_text_where_it_is_shown() -> None:
    from mailconn_jupyter.commands.signing import PromptView  # noqa: PLC0415
    from mailconn_jupyter.session.sign_in_prompt import SignInPrompt  # noqa: PLC0415

    hostile = "'\"><script>alert(1)</script>"
    shown = PromptView(SignInPrompt(hostile, f"https://a.test/{hostile}", hostile, f"https://a.test/{hostile}", 60))
    assert "<script" not in shown._repr_html_()
    assert "'&quot;" not in shown._repr_html_()
    assert "<script" not in PromptView(SignInPrompt(hostile, link=f"https://a.test/{hostile}"))._repr_html_()


@pytest.mark.parametrize("number", NONSENSE, ids=lambda number: str(number)[:6])
def test_a_pause_and_a_life_that_make_no_sense_are_bounded(number: object) -> None:
    with OddIssuer(devicecode=[said(**CODE, interval=number, expires_in=number)]) as issuer:
        device = begun(issuer)
    assert 1 <= device._interval <= 60
    assert device.seconds == 1800
    cancel = threading.Event()
    threading.Timer(0.05, cancel.set).start()
    assert device.wait(cancel) is None


def test_a_server_is_not_asked_without_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_code, "_LEAST", 1.0)
    with OddIssuer(devicecode=[said(**CODE, interval=1e-9)]) as issuer:
        assert begun(issuer)._interval == 1


def test_slow_down_adds_five_seconds_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    class Patience(threading.Event):
        """Lets no time go by, and notes how much it was to be."""

        waited: list[float | None] = []  # noqa: RUF012  # of the one that there is

        def wait(self, timeout: float | None = None) -> bool:
            self.waited.append(timeout)
            return False

    slow, pending = said(400, error="slow_down"), said(400, error="authorization_pending")
    with OddIssuer(token=[slow, pending, slow, said(**TOKENS)], devicecode=[said(**CODE, interval=2)]) as issuer:
        assert begun(issuer).wait(Patience()) is not None
    # RFC 8628, 3.5
    assert Patience.waited == [2, 7, 7, 12]


@pytest.mark.parametrize(
    "trouble",
    [
        said(429, error="temporarily_unavailable"),
        said(503, error="server_error"),
        said(500, message="oops"),
        said(429),
        said(400, error="temporarily_unavailable"),
    ],
    ids=str,
)
def test_a_server_in_trouble_does_not_end_the_waiting_for_a_person(
    trouble: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_code, "_SLOWER", 0.01)
    # Each question is asked three times.
    answers = [trouble] * 3 + [said(**TOKENS)]
    with OddIssuer(token=answers, devicecode=[said(**CODE, interval=0.01)]) as issuer:
        assert begun(issuer).wait(threading.Event()) is not None


def test_metadata_that_send_on_for_ever_are_not_followed() -> None:
    with OddIssuer() as issuer:
        around = page(302, Location=f"{issuer.url}/around\u202e".encode().decode("latin-1"))
        for path in ("/tenant/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/tenant"):
            issuer.script[path] = [around]
        with pytest.raises(SignInError, match="redirects to") as caught:
            client_of(identity_at(f"{issuer.url}/tenant"), direct())
    assert caught.value.message.isprintable()


def test_a_code_ends_with_its_life_however_long_the_pause() -> None:
    pending = said(400, error="authorization_pending")
    with OddIssuer(token=[pending], devicecode=[said(**CODE, interval=50, expires_in=0.2)]) as issuer:
        device = begun(issuer)
        with pytest.raises(SignInError, match="expired") as caught:
            device.wait(threading.Event())
    assert caught.value.error == "expired_token"
    # Once more at the very end: who approves late is not turned away.
    assert [path for path, _ in issuer.asked] == ["/devicecode", "/token"]


@pytest.mark.parametrize("life", NONSENSE, ids=lambda number: str(number)[:6])
def test_a_tokens_life_that_makes_no_sense_is_none_and_ends_at_a_date(life: object) -> None:
    with OddIssuer(token=[said(**(TOKENS | {"expires_in": life}))]) as issuer:
        token = refreshed(issuer)
    assert token.secret == Secret("at-1")
    assert datetime.fromtimestamp(token.until, UTC).year < 2100


@pytest.mark.parametrize("token", ["a\r\nQUIT", "a\0b", "a\nb", "\ud800", "", "ключ", "a b", "x\x7f"])
@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_a_token_that_no_protocol_can_carry_is_not_taken(which: str, token: str) -> None:
    with OddIssuer(token=[said(**(TOKENS | {which: token}))]) as issuer:
        if which == "refresh_token" and token in {"", "a b"}:
            # Without a new one the old one goes on; and a refresh token may hold a blank.
            assert refreshed(issuer).secret == Secret("at-1")
            return
        with pytest.raises(SignInError, match=r"that can be used") as caught:
            refreshed(issuer)
    assert caught.value.message.isprintable()
    assert caught.value.cause == "sign-in-refused"


def test_a_token_of_a_megabyte_is_no_token() -> None:
    with (
        OddIssuer(token=[said(**(TOKENS | {"access_token": "x" * 1_000_000}))]) as issuer,
        pytest.raises(SignInError, match="more than 256 kB"),
    ):
        refreshed(issuer)


def test_a_body_that_unpacks_to_gigabytes_is_not_unpacked() -> None:
    packed = gzip.compress(b" " * 100_000_000)
    answer = (200, "application/json", packed, {"Content-Encoding": "gzip"})
    with OddIssuer(token=[answer]) as issuer:
        tracemalloc.start()
        try:
            with pytest.raises(SignInError, match="did not answer like an authorization server"):
                refreshed(issuer)
            most = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert most < 20_000_000


def test_who_says_another_name_than_it_should_steers_no_terminal() -> None:
    import base64  # noqa: PLC0415
    import json  # noqa: PLC0415

    middle = base64.urlsafe_b64encode(json.dumps({"email": f"ana{STEERING}"}).encode()).decode()
    with OddIssuer(token=[said(**TOKENS, id_token=f"a.{middle}.c")]) as issuer:
        tokens = client_of(identity_at(issuer.url), direct()).tokens("refresh_token", refresh_token=Secret("x"))
    assert tokens.who.isprintable()
    assert tokens.who.startswith("ana")


def test_an_error_of_html_and_marks_is_one_line() -> None:
    answer = said(400, error=STEERING, error_description=f"<b>{STEERING}</b>" + "a" * 100_000)
    with OddIssuer(token=[answer]) as issuer, pytest.raises(SignInError) as caught:
        refreshed(issuer)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 500
