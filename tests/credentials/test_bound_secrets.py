"""A secret that the user typed or kept goes where it was given for: a shared connection of that name is another one."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import mailconn_jupyter
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.credentials import Kind, Secret, forget, remember, resolve, set_password, where
from mailconn_jupyter.credentials.oauth import access_tokens
from mailconn_jupyter.credentials.oauth.grants import keep_grant, read_grant
from mailconn_jupyter.credentials.oauth.identity import AccessToken, Identity
from mailconn_jupyter.credentials.override import lent_secrets
from mailconn_jupyter.errors import CredentialError, MailConnWarning, SignInError
from mailconn_jupyter.session.check import check
from mailconn_jupyter.session.opening.sign_in_way import identity_of
from mailconn_jupyter.store import connections
from tests.servers.script import Expect, ScriptServer, Send
from tests.support import credential_sources, shells
from tests.support.credential_sources import PROXY_SERVICE, SERVICE, answer_with
from tests.support.keyring_backends import Shelf
from tests.support.shells import Shell, keep

shelf = credential_sources.shelf
shell = shells.shell
pytestmark = pytest.mark.usefixtures("shelf")


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An administrator's folder."""
    folder = tmp_path / "etc" / "mailconn"
    folder.mkdir(parents=True)
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(folder.parent))
    return folder


def provide(folder: Path, name: str = "ops", /, **options: Any) -> None:
    given = {"name": name, "server_host": "hub.example", "username": "ana", "use_authentication": True, **options}
    (folder / f"{name}.json").write_text(json.dumps(given))


def told(name: str = "ops", **options: object) -> CredentialError:
    with pytest.raises(CredentialError) as caught:
        resolve(connections[name], ask=False, **options)  # type: ignore[arg-type]
    return caught.value


@pytest.mark.parametrize("way", ["keyring", "this kernel"])
def test_a_shared_connection_does_not_get_the_password_of_ones_own(way: str, shared: Path) -> None:
    keep("ops", username="ana")
    if way == "keyring":
        set_password("ops", "s3cret")
    else:
        remember("ops", "s3cret")
    provide(shared, server_host="evil.example", locked=True)
    assert connections["ops"].server_host == "evil.example"
    error = told()
    assert error.message.startswith("No password is kept for 'ops' as shared by an administrator (ana at evil.example)")
    assert "s3cret" not in str(error)
    assert error.hint.startswith("If this server may be given one, run %mailconn password ops")
    assert where("ops") == where(connections["ops"]) == ""
    (shared / "ops.json").unlink()
    assert resolve("ops", ask=False).secret.reveal() == "s3cret"


def test_the_server_of_a_shared_connection_hears_nothing_of_it(shared: Path) -> None:
    keep("ops", username="ana")
    remember("ops", "s3cret")
    hello = [Send(b"220 evil\r\n"), Expect(rb"ehlo .*"), Send(b"250-evil\r\n250 AUTH PLAIN\r\n")]
    with ScriptServer(hello) as server:
        plain = {"server_host": "127.0.0.1", "server_port": server.port, "use_secure_authentication": False}
        provide(shared, **plain, locked=True)
        report = check("ops", ask=False)
    assert report.failed is not None
    assert (report.failed.name, report.failed.cause) == ("authenticate", "no-secret")
    assert "AUTH" not in " ".join(line for line in report.transcript if line.startswith("C:"))


@pytest.mark.parametrize(
    ("shares", "gets"),
    [
        ({"server_host": "mail.example.org"}, True),
        ({"server_host": "MAIL.example.org"}, True),
        ({"server_host": "mail.example.org", "username": "bob"}, False),
        ({"server_host": "mail.example.com"}, False),
        ({"server_host": "${MAIL_HOST}"}, True),
        ({"server_host": "${EVIL_HOST}"}, False),
    ],
)
def test_a_shared_connection_to_the_same_host_for_the_same_user_gets_it(
    shares: dict[str, object], gets: bool, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_HOST", "mail.example.org")
    monkeypatch.setenv("EVIL_HOST", "evil.example")
    keep("ops", username="ana")
    set_password("ops", "s3cret")
    provide(shared, **shares, locked=True)
    assert bool(where("ops")) == gets
    resolved = connections["ops"].resolved()
    if gets:
        assert resolve(resolved, ask=False).secret.reveal() == "s3cret"
    else:
        with pytest.raises(CredentialError):
            resolve(resolved, ask=False)


def test_what_is_kept_for_a_shared_connection_stays_with_its_server_and_user(shared: Path, shelf: Shelf) -> None:
    provide(shared)
    assert mailconn_jupyter.set_password("ops", "s3cret").startswith("in the keyring")
    assert shelf.kept == {(f"{SERVICE}-shared", "ops/ana/hub.example"): "s3cret"}
    assert resolve("ops", ask=False).secret.reveal() == "s3cret"
    for change in (
        {"server_host": "evil.example"},
        {"username": "bob"},
        {"server_host": "x/ana/hub.example", "protocol": "MBOX"},
    ):
        provide(shared, **change)
        told()
    provide(shared, server_port=2525)
    assert resolve("ops", ask=False).secret.reveal() == "s3cret"
    assert forget("ops") == []
    assert shelf.kept == {}


def test_what_was_typed_at_a_question_is_bound_too(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    provide(shared)
    questions = answer_with("s3cret", monkeypatch)
    found = resolve(connections["ops"])
    remember(connections["ops"], found.secret)
    assert resolve("ops", ask=False).source == "this kernel"
    provide(shared, server_host="evil.example")
    assert where("ops") == ""
    told()
    assert len(questions) == 1


def test_secrets_of_the_environment_are_the_administrators_and_go_along(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provide(shared)
    monkeypatch.setenv("MAILCONN_OPS_PASSWORD", "of the hub")
    assert resolve(connections["ops"], ask=False).secret.reveal() == "of the hub"
    provide(shared, server_host="new.example")
    assert resolve(connections["ops"], ask=False).secret.reveal() == "of the hub"


def test_a_proxys_password_is_bound_to_the_proxy(shared: Path, shelf: Shelf) -> None:
    proxy = {"use_proxy": True, "proxy_host": "gate.example", "proxy_username": "ana"}
    keep("ops", **proxy)
    set_password("ops", "of the gate", proxy=True)
    assert shelf.kept == {(PROXY_SERVICE, "ops"): "of the gate"}
    provide(shared, **proxy, locked=True)
    assert resolve(connections["ops"], kind=Kind.PROXY, ask=False).secret.reveal() == "of the gate"
    assert where("ops") == ""
    provide(shared, **proxy | {"proxy_host": "evil.example"}, locked=True)
    assert "ana at evil.example" in told(kind=Kind.PROXY).message
    assert where("ops", kind=Kind.PROXY) == ""


def test_a_password_kept_before_it_was_bound_is_told_once_and_put_right_by_one_command(
    shared: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.kept[SERVICE, "ops"] = "kept by an earlier version"
    provide(shared)
    error = told()
    assert "The one in the keyring (keyring backends Shelf) belongs to a connection of your own." in error.message
    answer_with("typed", monkeypatch)
    with pytest.warns(MailConnWarning, match="belongs to a connection of your own") as caught:
        assert resolve(connections["ops"]).source == "prompt"
    assert len(caught) == 1
    set_password("ops", "kept by an earlier version")
    assert resolve(connections["ops"], ask=False).secret.reveal() == "kept by an earlier version"
    assert shelf.kept[SERVICE, "ops"] == "kept by an earlier version"


def test_a_copy_of_a_shared_connection_is_bound_as_it_is(shared: Path, shelf: Shelf) -> None:
    provide(shared, locked=True)
    shelf.kept[SERVICE, "ops"] = "of ones own"
    for copy in (
        connections["ops"].copy(),
        connections["ops"].copy(server_host="evil.example"),
        connections["ops"].resolved(),
    ):
        with pytest.raises(CredentialError):
            resolve(copy, ask=False)
    # What somebody wrote in this notebook is his own.
    own = MailConnection(name="ops", server_host="mail.example.org", username="ana")
    assert resolve(own, ask=False).secret.reveal() == "of ones own"


def test_who_makes_a_shared_connection_his_own_keeps_its_password(shared: Path, shelf: Shelf) -> None:
    provide(shared)
    set_password("ops", "s3cret")
    mine = connections["ops"]
    mine.timeout = 5
    connections.save(mine)
    assert connections.where("ops").layer == "user"
    assert resolve("ops", ask=False).secret.reveal() == "s3cret"
    connections.rename("ops", "mine")
    assert resolve("mine", ask=False).secret.reveal() == "s3cret"
    # The shared one is there again, with what was kept for it.
    assert connections["ops"].server_host == "hub.example"
    assert resolve("ops", ask=False).secret.reveal() == "s3cret"
    assert connections.delete("mine") == []
    assert (SERVICE, "mine") not in shelf.kept
    # Turned to another server it is not one of the shared one's.
    mine = connections["ops"]
    mine.server_host = "other.example"
    connections.save(mine)
    assert where("ops") == ""


def test_a_test_in_the_form_uses_what_was_typed_for_a_shared_connection(shared: Path) -> None:
    provide(shared)
    for changes in ({}, {"server_host": "other.example"}):
        draft = connections["ops"].copy(**changes)
        with lent_secrets(draft, {Kind.PASSWORD: Secret("typed")}):
            assert resolve(draft.resolved(), ask=False).secret.reveal() == "typed"
        assert where(draft) == ""


def test_who_gets_no_password_is_told_as_it_is_written(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVIL_HOST", "evil.example")
    keep("ops", username="ana")
    set_password("ops", "s3cret")
    provide(shared, server_host="${EVIL_HOST}", locked=True)
    for connection in (connections["ops"], connections["ops"].resolved()):
        with pytest.raises(CredentialError) as caught:
            resolve(connection, ask=False)
        assert "(ana at ${EVIL_HOST})" in caught.value.message
        assert "evil.example" not in str(caught.value)


def test_the_command_keeps_it_for_the_shared_one_and_show_says_so(shared: Path, shell: Shell, shelf: Shelf) -> None:
    provide(shared)
    shelf.kept[SERVICE, "ops"] = "older"
    assert "run %mailconn password ops" in shell.ok("%mailconn show ops").text
    with pytest.MonkeyPatch.context() as monkeypatch:
        answer_with("s3cret", monkeypatch)
        assert "is kept in the keyring" in shell.ok("%mailconn password ops").text
    assert "in the keyring" in shell.ok("%mailconn show ops").text
    assert shelf.kept[f"{SERVICE}-shared", "ops/ana/hub.example"] == "s3cret"
    shell.ok("%mailconn password ops --delete")
    # What is not this connection's is not forgotten with it.
    assert shelf.kept == {(SERVICE, "ops"): "older"}


SIGN_IN = {"oauth_issuer": "google", "oauth_client_id": "app", "use_xoauth2": True, "server_host": "smtp.example"}


def signed_in_as(connection: MailConnection) -> Identity:
    identity = identity_of(connection.resolved())
    assert identity is not None
    return identity


def test_a_sign_in_of_ones_own_is_not_for_another_server_that_a_shared_connection_names(shared: Path) -> None:
    keep("ops", username="ana", **SIGN_IN)
    own = signed_in_as(connections["ops"])
    keep_grant(own, Secret("refresh"), since=datetime.now(UTC), who="ana")
    access_tokens.put(own, AccessToken(Secret("access"), time.time() + 3600))
    provide(shared, **SIGN_IN | {"server_host": "evil.example"}, locked=True)
    theirs = signed_in_as(connections["ops"])
    assert access_tokens.at_hand(theirs) is None
    with pytest.raises(SignInError, match="Nobody is signed in"):
        read_grant(theirs)
    # One to the same server, for the same user at the same issuer, is as good as one's own.
    provide(shared, **SIGN_IN, locked=True)
    assert access_tokens.at_hand(signed_in_as(connections["ops"])) is not None
    assert read_grant(signed_in_as(connections["ops"])).refresh.reveal() == "refresh"


def test_a_sign_in_for_a_shared_connection_stays_with_its_server(shared: Path, shelf: Shelf) -> None:
    provide(shared, **SIGN_IN)
    theirs = signed_in_as(connections["ops"])
    keep_grant(theirs, Secret("refresh"), since=datetime.now(UTC), who="ana")
    access_tokens.put(theirs, AccessToken(Secret("access"), time.time() + 3600))
    assert where("ops", kind=Kind.REFRESH)
    provide(shared, **SIGN_IN | {"server_host": "evil.example"})
    assert access_tokens.at_hand(signed_in_as(connections["ops"])) is None
    assert where("ops", kind=Kind.REFRESH) == ""
    provide(shared, **SIGN_IN)
    assert forget("ops") == []
    assert shelf.kept == {}


def test_a_shared_connection_without_a_proxy_has_a_place_for_its_password_all_the_same(shared: Path) -> None:
    provide(shared)
    assert set_password("ops", "of the gate", proxy=True).startswith("in the keyring")
    provide(shared, use_proxy=True, proxy_host="evil.example", proxy_username="ana")
    assert where("ops", kind=Kind.PROXY) == ""
