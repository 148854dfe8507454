"""The authorization server of the tests is a real one: codes, rotation, revocation, and tokens that Dovecot takes."""

from __future__ import annotations

import imaplib
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import pytest

from tests.servers import Dovecot, Postfix
from tests.servers.issuer import Issuer

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


def post(issuer: Issuer, path: str, **fields: str) -> dict[str, Any]:
    context = ssl.create_default_context(cafile=str(issuer.certificates.ca.pem))
    data = urllib.parse.urlencode(fields).encode()
    try:
        with urllib.request.urlopen(issuer.url + path, data, context=context, timeout=10) as answer:
            found: dict[str, Any] = json.loads(answer.read())
    except urllib.error.HTTPError as error:
        found = json.loads(error.read())
    return found


def device_tokens(issuer: Issuer, client: str = "mailconn", user: str = "alice") -> dict[str, Any]:
    begun = post(issuer, "/device/auth", client_id=client, scope="openid offline_access email")
    asked = {"client_id": client, "grant_type": DEVICE, "device_code": begun["device_code"]}
    assert post(issuer, "/token", **asked)["error"] == "authorization_pending"
    issuer.browser(user).enter(begun["verification_uri"], begun["user_code"])
    return post(issuer, "/token", **asked)


def imap_login(port: int, user: str, token: str) -> str:
    with imaplib.IMAP4("127.0.0.1", port) as client:
        return client.authenticate("XOAUTH2", lambda _: f"user={user}\x01auth=Bearer {token}\x01\x01".encode())[0]


def test_a_token_by_device_code_logs_in_to_a_dovecot_that_verifies_it(issuer: Issuer, token_dovecot: Dovecot) -> None:
    token = device_tokens(issuer)["access_token"]
    assert imap_login(token_dovecot.imap, "alice", token) == "OK"
    with pytest.raises(imaplib.IMAP4.error):
        imap_login(token_dovecot.imap, "bob", token)


def test_a_token_that_says_nothing_logs_in_to_a_dovecot_that_asks(issuer: Issuer, asking_dovecot: Dovecot) -> None:
    token = device_tokens(issuer, "opaque")["access_token"]
    assert "." not in token
    assert imap_login(asking_dovecot.imap, "alice", token) == "OK"


def test_an_old_refresh_token_kills_the_new_one(issuer: Issuer) -> None:
    old = device_tokens(issuer)["refresh_token"]
    refresh = {"client_id": "mailconn", "grant_type": "refresh_token"}
    new = post(issuer, "/token", refresh_token=old, **refresh)["refresh_token"]
    assert post(issuer, "/token", refresh_token=old, **refresh)["error"] == "invalid_grant"
    assert post(issuer, "/token", refresh_token=new, **refresh)["error"] == "invalid_grant"


def test_a_person_may_deny(issuer: Issuer) -> None:
    begun = post(issuer, "/device/auth", client_id="mailconn", scope="openid")
    issuer.browser().enter(begun["verification_uri"], begun["user_code"], deny=True)
    asked = {"client_id": "mailconn", "grant_type": DEVICE, "device_code": begun["device_code"]}
    assert post(issuer, "/token", **asked)["error"] == "access_denied"


def test_the_token_postfix_runs_beside_the_other(token_postfix: Postfix, postfix: Postfix) -> None:
    assert token_postfix.smtps != postfix.smtps
