"""From a cold start to a mail in the mailbox: one sign-in, real servers, both mechanisms, every protocol."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.credentials import forget_memory, remember
from mailconn_jupyter.credentials.oauth import access_tokens, token_files
from mailconn_jupyter.credentials.oauth.grants import read_grant
from mailconn_jupyter.credentials.oauth.identity import AccessToken
from mailconn_jupyter.errors import MailConnWarning, OpenError, SignInError
from mailconn_jupyter.message.compose import compose
from mailconn_jupyter.secret import Secret
from mailconn_jupyter.session.check import check
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.opening.sign_in_way import identity_of
from mailconn_jupyter.session.sign_in import sign_in, sign_out
from mailconn_jupyter.session.sign_in_prompt import SignInPrompt
from mailconn_jupyter.store import connections
from tests.servers import Certificates, Dovecot, Postfix, Proxy
from tests.servers.issuer import Issuer
from tests.support.kernels import said_by
from tests.support.keyring_backends import Shelf, encrypted, using


@pytest.fixture(autouse=True)
def cold_start(own_config: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    """A kernel in which nobody has signed in, with a keyring."""
    monkeypatch.setattr(access_tokens, "_held", {})
    with using(Shelf()) as shelf:
        yield shelf


@pytest.fixture
def make(issuer: Issuer, certificates: Certificates) -> Callable[..., MailConnection]:
    def made(**options: Any) -> MailConnection:
        given: dict[str, Any] = {
            "name": "ops",
            "server_host": "localhost",
            "secure_authentication_type": "SSL",
            "username": "alice",
            "ca_file": str(certificates.ca.pem),
            "oauth_issuer": issuer.url,
            "oauth_client_id": "mailconn",
        }
        connection = MailConnection(**(given | options))
        connections.save(connection)
        return connections["ops"]

    return made


class Person:
    """Sees what must be seen, and does what it says."""

    def __init__(self, issuer: Issuer, user: str = "alice", *, deny: bool = False, after: float = 0.0) -> None:
        self._browser, self._deny, self._after = issuer.browser(user), deny, after
        self.seen: list[SignInPrompt] = []

    def tell(self, prompt: SignInPrompt) -> None:
        self.seen.append(prompt)
        if prompt.code:
            threading.Timer(self._after, self._enter, [prompt]).start()

    def _enter(self, prompt: SignInPrompt) -> None:
        self._browser.enter(prompt.uri, prompt.code, deny=self._deny)

    def ask(self, question: str) -> str:
        return self._browser.follow(self.seen[-1].link, deny=self._deny)


def signed_in(issuer: Issuer, user: str = "alice", **options: Any) -> Person:
    person = Person(issuer, user)
    sign_in("ops", tell=person.tell, ask=person.ask, test=False, **options)
    return person


def mailed(postfix: Postfix) -> None:
    token = uuid.uuid4().hex
    with connect("ops") as smtp:
        smtp.send_message(compose("alice@example.test", token, "Three things moved.", sender="bob@example.test"))
    assert b"Three things moved." in postfix.wait_for("alice", token)


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
@pytest.mark.parametrize("flow", ["device", "link"])
@pytest.mark.parametrize("client", ["mailconn", "opaque"])
def test_from_a_cold_start_to_a_mail_in_the_mailbox(
    client: str,
    flow: str,
    mechanism: str,
    make: Callable[..., MailConnection],
    issuer: Issuer,
    token_postfix: Postfix,
    asking_postfix: Postfix,
) -> None:
    """By tokens that the server verifies, and by those that say nothing, about which it asks the issuer."""
    server = asking_postfix if client == "opaque" else token_postfix
    make(server_port=server.only[mechanism], oauth_client_id=client)
    with pytest.raises(OpenError, match="Nobody is signed in") as caught:
        connect("ops")
    assert (caught.value.stage, caught.value.cause) == ("authenticate", "sign-in")
    assert "%mailconn signin ops" in caught.value.hint
    person = Person(issuer)
    done = sign_in("ops", flow=flow, tell=person.tell, ask=person.ask)
    assert done.who == "alice"
    assert "keyring" in done.kept
    assert done.report is not None
    assert done.report.ok, done.report
    assert "works" in str(done)
    assert [bool(seen.code) for seen in person.seen] == [flow == "device"]
    mailed(server)


@pytest.mark.parametrize("protocol", ["IMAP", "POP3"])
@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
@pytest.mark.parametrize("client", ["mailconn", "opaque"])
def test_a_mailbox_is_read_by_verified_and_by_asked_for_tokens(
    client: str,
    mechanism: str,
    protocol: str,
    make: Callable[..., MailConnection],
    issuer: Issuer,
    token_dovecot: Dovecot,
    asking_dovecot: Dovecot,
) -> None:
    server = asking_dovecot if client == "opaque" else token_dovecot
    port = server.imaps if protocol == "IMAP" else server.pop3s
    make(protocol=protocol, server_port=port, oauth_client_id=client, sasl_mechanism=mechanism)
    signed_in(issuer)
    report = check("ops")
    assert report.ok, report
    facts = report.stages[4].facts
    assert facts["Mechanism"] == mechanism
    assert facts["Secret from"] == f"the sign-in at {issuer.url}"


@pytest.mark.parametrize("flow", ["device", "link"])
def test_who_denies_is_told_and_is_not_signed_in(
    flow: str, make: Callable[..., MailConnection], issuer: Issuer, token_postfix: Postfix, cold_start: Shelf
) -> None:
    make(server_port=token_postfix.smtps)
    person = Person(issuer, deny=True)
    with pytest.raises(SignInError) as caught:
        sign_in("ops", flow=flow, tell=person.tell, ask=person.ask)
    assert caught.value.error == "access_denied"
    assert cold_start.kept == {}


def test_a_slow_approval_is_awaited_beyond_the_connections_deadline(
    make: Callable[..., MailConnection], issuer: Issuer, token_postfix: Postfix
) -> None:
    make(server_port=token_postfix.smtps, deadline=2)
    person = Person(issuer, after=3.0)
    assert sign_in("ops", tell=person.tell).who == "alice"


def test_waiting_ends_when_it_is_cancelled(
    make: Callable[..., MailConnection], token_postfix: Postfix, issuer: Issuer
) -> None:
    make(server_port=token_postfix.smtps)
    cancel = threading.Event()
    with pytest.raises(SignInError, match="cancelled"):
        sign_in("ops", tell=lambda _: cancel.set(), cancel=cancel)


def test_signing_out_revokes_and_forgets(
    make: Callable[..., MailConnection], issuer: Issuer, token_postfix: Postfix, cold_start: Shelf, own_config: Path
) -> None:
    make(server_port=token_postfix.smtps)
    signed_in(issuer)
    before = [event for event in issuer.events() if event["what"] == "revoked"]
    assert sign_out("ops") == []
    assert cold_start.kept == {}
    assert list(own_config.parent.rglob("oauth/*.json")) == []
    assert len([event for event in issuer.events() if event["what"] == "revoked"]) == len(before) + 1
    with pytest.raises(OpenError, match="Nobody is signed in"):
        connect("ops")
    assert "Nobody is signed in" in sign_out("ops")[0]


def test_a_refused_login_renews_the_token_once_and_then_says_so(
    make: Callable[..., MailConnection], issuer: Issuer, token_dovecot: Dovecot
) -> None:
    connection = make(protocol="IMAP", server_port=token_dovecot.imaps, username="bob")
    signed_in(issuer, "alice")
    before = issuer.count("granted", "refresh_token", "mailconn")
    report = check(connection)
    failed = report.failed
    assert failed is not None
    assert failed.cause == "token-refused"
    assert "bob" in failed.hint
    assert issuer.count("granted", "refresh_token", "mailconn") == before + 1


def test_a_token_that_died_at_the_server_is_renewed_in_the_same_opening(
    make: Callable[..., MailConnection], issuer: Issuer, token_dovecot: Dovecot
) -> None:
    connection = make(protocol="IMAP", server_port=token_dovecot.imaps)
    signed_in(issuer)
    identity = identity_of(connection)
    assert identity is not None
    # Good for an hour by what was said of it, and refused all the same.
    dead = AccessToken(Secret("a.b.c"), time.time() + 3600)
    access_tokens.put(identity, dead)
    assert check(connection).ok


def test_a_session_over_three_lifetimes_of_its_token_never_fails(
    make: Callable[..., MailConnection], issuer: Issuer, token_postfix: Postfix
) -> None:
    make(server_port=token_postfix.smtps, oauth_client_id="brief")
    signed_in(issuer)
    end, sent = time.monotonic() + 16, list[str]()
    with connect("ops") as smtp:
        # On a busy machine a message takes longer: enough of them, and for long enough.
        while len(sent) < 9 or time.monotonic() < end:
            sent.append(uuid.uuid4().hex)
            smtp.send_message(compose("alice@example.test", sent[-1], "Still here.", sender="bob@example.test"))
            # As a server does when the token of a session has ended.
            smtp.sock.shutdown(2)
            time.sleep(1.5)
    for token in sent:
        token_postfix.wait_for("alice", token)
    assert issuer.count("granted", "refresh_token", "brief") >= 3


@pytest.mark.parametrize("protocol", ["SMTP", "IMAP", "POP3"])
def test_eight_kernels_that_open_a_session_at_once_log_in_eight_times_with_one_refresh(
    protocol: str,
    make: Callable[..., MailConnection],
    issuer: Issuer,
    token_postfix: Postfix,
    token_dovecot: Dovecot,
    tmp_path: Path,
) -> None:
    port = {"SMTP": token_postfix.smtps, "IMAP": token_dovecot.imaps, "POP3": token_dovecot.pop3s}[protocol]
    with using(encrypted(tmp_path)):
        connection = make(protocol=protocol, server_port=port)
        signed_in(issuer)
        identity = identity_of(connection)
        assert identity is not None
        # The token that they would find is over.
        token_files.forget(identity)
        before = issuer.count("granted", "refresh_token", "mailconn")
        assert said_by(8, tmp_path, issuer, "login", connection.as_dict()) == ["ok"] * 8
        assert issuer.count("granted", "refresh_token", "mailconn") == before + 1
        # And the sign-in is alive.
        access_tokens.forget(identity)
        token_files.forget(identity)
        assert check("ops").ok


def test_jobs_send_by_client_credentials_and_by_a_service_account(
    make: Callable[..., MailConnection], issuer: Issuer, token_postfix: Postfix, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(server_port=token_postfix.smtps, oauth_client_id="robot", oauth_flow="client_credentials")
    monkeypatch.setenv("MAILCONN_OPS_CLIENT_SECRET", "r0bot")
    mailed(token_postfix)
    monkeypatch.delenv("MAILCONN_OPS_CLIENT_SECRET")
    monkeypatch.setenv("MAILCONN_OPS_CLIENT_SECRET_FILE", str(issuer.service_account))
    connections.delete("ops")
    make(server_port=token_postfix.smtps, oauth_client_id="service", oauth_flow="service_account")
    mailed(token_postfix)
    with pytest.raises(SignInError, match="needs nobody"):
        sign_in("ops")


def test_a_job_sends_with_a_refresh_token_of_the_environment(
    make: Callable[..., MailConnection],
    issuer: Issuer,
    token_postfix: Postfix,
    monkeypatch: pytest.MonkeyPatch,
    cold_start: Shelf,
) -> None:
    connection = make(server_port=token_postfix.smtps)
    signed_in(issuer)
    identity = identity_of(connection)
    assert identity is not None
    monkeypatch.setenv("MAILCONN_OPS_REFRESH_TOKEN", read_grant(identity).refresh.reveal())
    cold_start.kept.clear()
    access_tokens.forget(identity)
    token_files.forget(identity)
    with pytest.warns(MailConnWarning, match="lasts as long as this kernel"):
        mailed(token_postfix)


@pytest.mark.parametrize(("kind", "fixture"), [("SOCKS5", "microsocks"), ("HTTP", "proxy_py")])
def test_the_sign_in_goes_through_the_connections_proxy(
    kind: str,
    fixture: str,
    make: Callable[..., MailConnection],
    issuer: Issuer,
    token_postfix: Postfix,
    request: pytest.FixtureRequest,
) -> None:
    proxy: Proxy = request.getfixturevalue(fixture)
    make(
        server_port=token_postfix.smtps,
        proxy_type=kind,
        proxy_host=proxy.host,
        proxy_port=proxy.port,
        proxy_username=proxy.username or "",
    )
    remember("ops", proxy.password or "", kind="proxy")
    before = proxy.targets().count(f"localhost:{issuer.port}")
    signed_in(issuer)
    mailed(token_postfix)
    assert proxy.targets().count(f"localhost:{issuer.port}") > before
    forget_memory("ops")


def test_an_issuer_of_an_unknown_authority_is_refused_whatever_the_mail_server_may_be(
    make: Callable[..., MailConnection], issuer: Issuer, token_postfix: Postfix, certificates: Certificates
) -> None:
    make(server_port=token_postfix.smtps, ca_file="", trusted_hosts="*", check_server_identity=False)
    with pytest.raises(SignInError, match="unknown authority") as caught:
        sign_in("ops", tell=print)
    pin = f"localhost=sha256:{certificates.good.sha256}"
    assert pin in caught.value.hint
    connections.delete("ops")
    make(server_port=token_postfix.smtps, ca_file="", trusted_hosts=pin)
    signed_in(issuer)
    mailed(token_postfix)


def test_who_signs_in_as_somebody_else_is_told(
    make: Callable[..., MailConnection], issuer: Issuer, token_postfix: Postfix
) -> None:
    make(server_port=token_postfix.smtps, username="alice@example.test")
    with pytest.warns(MailConnWarning, match=r"bob@example\.test has signed in"):
        signed_in(issuer, "bob@example.test")


def test_a_connection_that_does_not_sign_in_says_what_it_lacks(make: Callable[..., MailConnection]) -> None:
    make(oauth_issuer="", oauth_client_id="", use_xoauth2=True)
    with pytest.raises(SignInError, match="does not sign in") as caught:
        sign_in("ops")
    assert "oauth_issuer" in caught.value.hint


def test_what_is_told_says_it_to_a_person() -> None:
    code = str(SignInPrompt("ops", "https://login.test/device", "ABCD-EFGH", "", 900))
    assert "open https://login.test/device and enter the code ABCD-EFGH within 15 minutes" in code
    for seconds, time_left in ((2, "1 minute"), (89, "1 minute"), (91, "2 minutes")):
        assert str(SignInPrompt("ops", "https://login.test/device", "AB", "", seconds)).endswith(
            f" within {time_left}."
        )
    link = str(SignInPrompt("ops", link="https://login.test/authorize?x=1"))
    assert "fails to load" in link
    assert "https://login.test/authorize?x=1" in link


@pytest.mark.parametrize("name", ["Почта отдела", "名前 '1'", "a.b_c-d"])
def test_a_connection_of_any_name_signs_in_and_out_and_other_kernels_find_it(
    name: str, issuer: Issuer, certificates: Certificates, token_postfix: Postfix, tmp_path: Path
) -> None:
    options: dict[str, Any] = {
        "server_host": "localhost",
        "server_port": token_postfix.smtps,
        "secure_authentication_type": "SSL",
    }
    options |= {"username": "alice", "ca_file": str(certificates.ca.pem), "oauth_issuer": issuer.url}
    connection = MailConnection(name=name, oauth_client_id="mailconn", **options)
    connections.save(connection)
    with using(encrypted(tmp_path)):
        person = Person(issuer)
        assert sign_in(name, tell=person.tell).who == "alice"
        assert name in str(person.seen[0])
        assert said_by(1, tmp_path, issuer, "login", connection.as_dict()) == ["ok"]
        assert sign_out(name) == []
        with pytest.raises(OpenError, match="Nobody is signed in"):
            connect(name)
