"""What authorization servers say that is not in the book, and what is made of it: a cause and what to do."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from mailconn_jupyter.credentials import remember
from mailconn_jupyter.credentials.oauth import device_code, metadata
from mailconn_jupyter.credentials.oauth.access_tokens import access_token, client_of
from mailconn_jupyter.credentials.oauth.device_code import begin_device
from mailconn_jupyter.credentials.oauth.questions import _NUMBERS
from mailconn_jupyter.errors import SignInError
from mailconn_jupyter.secret import Secret
from mailconn_jupyter.transport.http_question import Fields
from tests.servers.odd_issuer import Answer, OddIssuer, page, said
from tests.support.signing_in import direct, identity_at

TOKENS = {"access_token": "at-1", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "rt-2"}
CODE = {"user_code": "ABCD-EFGH", "device_code": "dev-1", "verification_uri": "https://login.test/device"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask at once where a person would be given time; the pauses are the tests of the real server's."""
    monkeypatch.setattr(device_code, "_LEAST", 0.01)
    monkeypatch.setattr(device_code, "_SLOWER", 0.01)
    monkeypatch.setattr("mailconn_jupyter.credentials.oauth.questions._PAUSES", (0.01, 0.01))
    monkeypatch.setattr(metadata, "_known", {})


def refreshed(issuer: OddIssuer, **changes: Any) -> Secret:
    remember("ops", "rt-1-of-the-person", kind="refresh")
    return access_token(identity_at(issuer.url, **changes), direct).secret


def refusal(*answers: Answer) -> SignInError:
    with OddIssuer(token=answers) as issuer, pytest.raises(SignInError) as caught:
        refreshed(issuer)
    return caught.value


def microsoft(error: str, number: str) -> Answer:
    words = f"AADSTS{number}: Something is the matter with it. Trace ID: 0000-1 Correlation ID: 0000-2 Timestamp: 2026"
    return said(400, error=error, error_description=words, error_codes=[int(number)])


def test_a_device_sign_in_as_microsoft_has_it_goes_through() -> None:
    pending = said(400, error="authorization_pending", error_description="AADSTS70016: Pending.")
    answers = [pending, said(400, error="slow_down"), page(500), pending, said(**TOKENS)]
    begun = said(interval="0.01", expires_in="900", message="To sign in, ...", **CODE)
    with OddIssuer(token=answers, devicecode=[begun]) as issuer:
        device = begin_device(client_of(identity_at(issuer.url), direct()))
        assert (device.uri, device.code, device.link, device.seconds) == (
            "https://login.test/device",
            "ABCD-EFGH",
            "",
            900,
        )
        tokens = device.wait(threading.Event())
    assert tokens is not None
    assert tokens.access.secret == Secret("at-1")
    assert {fields["device_code"] for path, fields in issuer.asked if path == "/token"} == {"dev-1"}


@pytest.mark.parametrize("error", ["authorization_declined", "bad_verification_code", "expired_token"])
def test_each_end_of_a_device_sign_in_says_what_to_do(error: str) -> None:
    with OddIssuer(token=[microsoft(error, "70020")], devicecode=[said(interval=0.01, **CODE)]) as issuer:
        device = begin_device(client_of(identity_at(issuer.url), direct()))
        with pytest.raises(SignInError) as caught:
            device.wait(threading.Event())
    assert caught.value.error == error
    assert "sign in again" in caught.value.hint.casefold()


@pytest.mark.parametrize("uri", ["javascript:alert(1)", "", "file:///etc/passwd", "https://a b/"])
def test_nobody_is_sent_to_what_is_no_web_page(uri: str) -> None:
    with OddIssuer(devicecode=[said(**(CODE | {"verification_uri": uri}))]) as issuer, pytest.raises(SignInError):
        begin_device(client_of(identity_at(issuer.url), direct()))


@pytest.mark.parametrize("number", sorted(_NUMBERS))
def test_each_number_of_microsofts_has_its_hint_and_its_ids_are_left_out(number: str) -> None:
    error = refusal(microsoft("invalid_client", number))
    assert error.hint == _NUMBERS[number]
    assert f"AADSTS{number}" in error.message
    assert "Trace" not in error.message


@pytest.mark.parametrize("number", ["50173", "700082", "50076"])
def test_the_error_decides_and_a_number_does_not(number: str) -> None:
    error = refusal(microsoft("invalid_grant", number))
    assert (error.cause, error.error) == ("sign-in", "invalid_grant")
    assert error.hint.endswith("%mailconn signin ops")


def test_a_server_in_trouble_is_asked_three_times_and_the_sign_in_stays() -> None:
    with OddIssuer(token=[page(503), said(429, headers={"Retry-After": "0"}), said(**TOKENS)]) as issuer:
        assert refreshed(issuer) == Secret("at-1")
    with OddIssuer(token=[page(503)]) as issuer, pytest.raises(SignInError, match="503 text/html") as caught:
        refreshed(issuer)
    assert len(issuer.asked) == 3
    assert caught.value.cause == "sign-in-unreachable"


def test_nothing_that_answers_is_the_networks_fault_and_the_sign_in_stays() -> None:
    with OddIssuer() as issuer:
        client_of(identity_at(issuer.url), direct())
    with pytest.raises(SignInError, match="Nothing is listening there") as caught:
        refreshed(issuer)
    assert "Nothing is lost" in caught.value.hint
    with OddIssuer(token=[said(**TOKENS)]) as issuer:
        assert refreshed(issuer) == Secret("at-1")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (page(), "200 text/html"),
        (page(302, Location="https://portal.test/login"), "portal.test"),
        (said(200), "without an access token"),
        (said(200, access_token=["x"]), "without an access token"),
        (said(200, access_token="x", token_type="mac"), "without an access token"),
        ((200, "application/json", b"[1]", {}), "200 application/json"),
        ((200, "application/json", b"[" * 100_000, {}), "200 application/json"),
        ((200, "application/json", b" " * 300_000, {}), "more than 256 kB"),
    ],
)
def test_what_is_no_answer_of_an_authorization_server_is_told(answer: Answer, words: str) -> None:
    assert words in refusal(answer).message


@pytest.mark.parametrize(
    "answer",
    [
        said(400, error="invalid_request", error_description="bad token rt-1-of-the-person!"),
        said(400, error="rt-1-of-the-person"),
        (400, "application/rt-1-of-the-person", b"no JSON", {}),
        page(302, Location="https://portal.test/?token=rt-1-of-the-person"),
    ],
)
def test_a_server_that_repeats_the_token_in_its_error_does_not_get_it_shown(answer: Answer) -> None:
    error = refusal(answer)
    assert "rt-1" not in f"{error}{error.args}{vars(error)}"
    assert "********" in error.message


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"issuer": "https://evil.test"}, "a different issuer"),
        ({"issuer": None}, "a different issuer"),
        ({"token_endpoint": None}, "names no token endpoint"),
        ({"token_endpoint": "http://login.test/token"}, "not https"),
        ({"token_endpoint": "https://user:pw@login.test/token"}, "not a URL"),
    ],
)
def test_metadata_that_cannot_be_right_are_not_used(changes: dict[str, Any], words: str) -> None:
    with OddIssuer(changes) as issuer, pytest.raises(SignInError, match=words):
        refreshed(issuer)
    assert issuer.asked == []


def test_metadata_as_rfc_8414_has_them_are_found_too() -> None:
    with OddIssuer(token=[said(**TOKENS)]) as issuer:
        issuer.script["/.well-known/oauth-authorization-server/tenant"] = [
            said(issuer=f"{issuer.url}/tenant", token_endpoint=f"{issuer.url}/token")
        ]
        remember("ops", "rt-1-of-the-person", kind="refresh")
        assert access_token(identity_at(f"{issuer.url}/tenant"), direct).secret == Secret("at-1")


@pytest.mark.parametrize(
    ("issuer", "words"),
    [
        ("http://login.example.org", "not https"),
        ("ftp://x", "not a URL"),
        ("gmail", "not a URL"),
        ("https://", "not a URL"),
    ],
)
def test_an_issuer_that_is_none_is_refused_with_what_it_may_be(issuer: str, words: str) -> None:
    with pytest.raises(SignInError, match=words) as caught:
        client_of(identity_at(issuer), direct())
    assert "microsoft, google" in caught.value.hint


def test_microsofts_own_name_is_a_template_at_common_and_a_number_at_a_domain() -> None:
    known = metadata._read(
        "https://login.microsoftonline.com/common/v2.0",
        Fields(
            {
                "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0",
                "token_endpoint": "https://login.microsoftonline.com/common/oauth2/v2.0/token",
            }
        ),
    )
    assert known.is_microsoft
    assert known.is_issuer("https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0")
    assert not known.is_issuer("https://login.microsoftonline.com.evil.test/x/v2.0")
    assert not known.is_issuer("https://login.microsoftonline.us/x/v2.0")
