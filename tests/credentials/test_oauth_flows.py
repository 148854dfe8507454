"""The four ways to tokens, against a real authorization server."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from mailconn_jupyter.credentials import remember
from mailconn_jupyter.credentials.oauth.device_code import begin_device
from mailconn_jupyter.credentials.oauth.pasted_link import begin_link
from mailconn_jupyter.credentials.oauth.unattended import unattended_tokens
from mailconn_jupyter.errors import SignInError
from mailconn_jupyter.secret import Secret
from tests.servers.issuer import Issuer
from tests.support.signing_in import by_device, by_link, client_at


def claims(token: Secret) -> dict[str, Any]:
    middle = token.reveal().split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return found


@pytest.mark.parametrize("sign_in", [by_device, by_link])
def test_a_person_signs_in_and_stays_signed_in(sign_in: Any, issuer: Issuer) -> None:
    tokens = sign_in(issuer, client_at(issuer))
    assert claims(tokens.access.secret)["email"] == tokens.who == "alice"
    assert tokens.refresh
    assert 3500 < tokens.access.until - time.time() <= 3600


@pytest.mark.parametrize("user", ["анна@пример.рф", "a+b&c=d@example.org", "o'neil ünal", "名前"])  # such names
@pytest.mark.parametrize("sign_in", [by_device, by_link])
def test_an_account_is_called_as_it_is(sign_in: Any, user: str, issuer: Issuer) -> None:
    client = client_at(issuer, user=user, name="почта")
    tokens = sign_in(issuer, client, user)
    assert claims(tokens.access.secret)["email"] == tokens.who == user
    if sign_in is by_link:
        hint = parse_qs(urlsplit(begin_link(client).link).query)["login_hint"]
        assert hint == [user]


def test_a_client_with_a_secret_shows_it(issuer: Issuer) -> None:
    remember("ops", "c0nf", kind="client")
    assert by_link(issuer, client_at(issuer, "confidential")).refresh
    remember("ops", "no-secret-of-this-robot", kind="client")
    with pytest.raises(SignInError) as caught:
        by_link(issuer, client_at(issuer, "confidential"))
    assert caught.value.error == "invalid_client"
    assert "oauth_client_id" in caught.value.hint


@pytest.mark.parametrize("sign_in", [by_device, by_link])
def test_a_person_who_denies_is_not_signed_in(sign_in: Any, issuer: Issuer) -> None:
    with pytest.raises(SignInError) as caught:
        sign_in(issuer, client_at(issuer), deny=True)
    assert caught.value.error == "access_denied"
    assert "approve" in caught.value.hint


def test_a_device_code_that_ran_out_says_so(issuer: Issuer) -> None:
    device = begin_device(client_at(issuer, "hasty"))
    with pytest.raises(SignInError) as caught:
        device.wait(threading.Event())
    assert caught.value.error == "expired_token"
    assert "again" in caught.value.hint


def test_a_slow_approval_is_awaited(issuer: Issuer) -> None:
    device = begin_device(client_at(issuer))
    assert device.link.endswith(device.code)

    def approve() -> None:
        issuer.browser().enter(device.uri, device.code)

    timer = threading.Timer(2.5, approve)
    timer.start()
    tokens = device.wait(threading.Event())
    timer.join()
    assert tokens is not None


def test_waiting_for_an_approval_can_be_cancelled(issuer: Issuer) -> None:
    cancel = threading.Event()
    cancel.set()
    assert begin_device(client_at(issuer)).wait(cancel) is None


def test_a_code_is_good_once(issuer: Issuer) -> None:
    link = begin_link(client_at(issuer))
    pasted = Secret(issuer.browser().follow(link.link))
    assert link.finish(pasted).refresh
    with pytest.raises(SignInError) as caught:
        link.finish(pasted)
    assert caught.value.error == "invalid_grant"


@pytest.mark.parametrize(
    ("pattern", "other", "error"),
    [
        ("state=[^&]+", "state=zzz", "state"),
        ("state=[^&]+&?", "", "state"),
        ("iss=[^&]+", "iss=https://evil.test", "iss"),
        ("&?iss=[^&]+", "", "iss"),
    ],
)
def test_an_address_of_another_sign_in_or_issuer_is_not_used(
    pattern: str, other: str, error: str, issuer: Issuer
) -> None:
    link = begin_link(client_at(issuer))
    pasted = issuer.browser().follow(link.link)
    changed = re.sub(pattern, other, pasted)
    assert changed != pasted
    with pytest.raises(SignInError) as caught:
        link.finish(Secret(changed))
    assert caught.value.error == error
    # It was not sent anywhere: the true one is still good.
    assert link.finish(Secret(f"  <{pasted}>\n")).refresh


@pytest.mark.parametrize(
    "pasted", ["", "hello", "http://127.0.0.1/", "http://[", "http://127.0.0.1/?code=a&code=b&state=c"]
)
def test_what_is_no_address_of_the_last_page_says_what_is(pasted: str, issuer: Issuer) -> None:
    with pytest.raises(SignInError, match="not the address"):
        begin_link(client_at(issuer)).finish(Secret(pasted))


def test_the_link_carries_what_the_rules_ask_for(issuer: Issuer) -> None:
    link = begin_link(client_at(issuer))
    assert "code_challenge_method=S256" in link.link
    assert "scope=openid%20email%20offline_access" in link.link.replace("+", "%20")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d{5}/", link.redirect)


def test_a_client_gets_a_token_of_its_own(issuer: Issuer) -> None:
    remember("ops", "r0bot", kind="client")
    tokens = unattended_tokens(client_at(issuer, "robot", flow="client_credentials"))
    assert claims(tokens.access.secret)["client_id"] == "robot"
    assert tokens.refresh is None


def test_a_service_account_acts_for_a_mailbox(issuer: Issuer) -> None:
    remember("ops", issuer.service_account.read_text(), kind="client")
    tokens = unattended_tokens(client_at(issuer, "service", flow="service_account", user="bob"))
    assert claims(tokens.access.secret)["email"] == "bob"


def test_a_service_account_of_another_key_is_refused_and_what_is_no_key_is_told(issuer: Issuer) -> None:
    from tests.servers.issuer import service_account  # noqa: PLC0415

    remember("ops", json.dumps(service_account(issuer.url)[0]), kind="client")
    with pytest.raises(SignInError) as caught:
        unattended_tokens(client_at(issuer, "service", flow="service_account"))
    assert caught.value.error == "invalid_grant"
    remember("ops", "r0bot", kind="client")
    with pytest.raises(SignInError, match="not a service account's key"):
        unattended_tokens(client_at(issuer, "service", flow="service_account"))
