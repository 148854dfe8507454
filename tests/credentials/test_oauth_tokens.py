"""A sign-in that stays alive: one refresh however many ask, stored before it is used, and said when it is over."""

from __future__ import annotations

import dataclasses
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mailconn_jupyter.credentials import Kind, forget_memory, remember
from mailconn_jupyter.credentials.oauth import access_tokens, grants, token_files
from mailconn_jupyter.credentials.oauth.access_tokens import access_token
from mailconn_jupyter.credentials.oauth.grants import keep_grant, read_grant
from mailconn_jupyter.credentials.oauth.identity import AccessToken, Identity
from mailconn_jupyter.errors import MailConnWarning, SignInError
from mailconn_jupyter.secret import Secret
from mailconn_jupyter.transport.deadline import Limit
from mailconn_jupyter.transport.http import HTTP
from mailconn_jupyter.transport.transport_errors import TransportError
from tests.servers.issuer import Issuer
from tests.support.kernels import said_by
from tests.support.keyring_backends import Narrow, Raising, Shelf, encrypted, using
from tests.support.signing_in import by_device, client_at, direct, identity_at

KERNELS = 8


@pytest.fixture(autouse=True)
def nothing_at_hand(own_config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that has no access token yet."""
    monkeypatch.setattr(access_tokens, "_held", {})


def signed_in(issuer: Issuer, client_id: str = "mailconn", **changes: Any) -> Identity:
    """The identity of somebody who has signed in; the sign-in is kept, and no access token is."""
    client = client_at(issuer, client_id, **changes)
    tokens = by_device(issuer, client)
    assert tokens is not None
    assert tokens.refresh is not None
    keep_grant(client.identity, tokens.refresh, since=datetime.now(UTC), who=tokens.who)
    return client.identity


def refreshes(issuer: Issuer, client: str = "mailconn") -> int:
    return issuer.count("granted", "refresh_token", client)


def http_of(issuer: Issuer) -> Any:
    return lambda: direct(issuer.certificates)


def unreachable() -> HTTP:
    raise AssertionError("nothing was to be asked")


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with using(Shelf()) as backend:
        yield backend


def test_a_token_at_hand_is_used_until_five_minutes_before_its_end(issuer: Issuer, shelf: Shelf) -> None:
    identity, before = signed_in(issuer), refreshes(issuer)
    first = access_token(identity, http_of(issuer))
    assert access_token(identity, unreachable) == first
    access_tokens.put(identity, dataclasses.replace(first, until=time.time() + 310))
    assert access_token(identity, unreachable).secret == first.secret
    assert refreshes(issuer) == before + 1
    # What another process has left is no better now.
    access_tokens.put(identity, dataclasses.replace(first, until=time.time() + 290))
    token_files.forget(identity)
    assert access_token(identity, http_of(issuer)).secret != first.secret
    assert refreshes(issuer) == before + 2


def test_a_rotated_token_is_stored_and_no_access_token_is(issuer: Issuer, shelf: Shelf) -> None:
    identity = signed_in(issuer)
    first = read_grant(identity)
    token = access_token(identity, http_of(issuer))
    second = read_grant(identity)
    assert second.refresh != first.refresh
    assert (second.since, second.who, second.source) == (first.since, "alice", "keyring")
    assert token.secret.reveal() not in "".join(shelf.kept.values())


def test_the_new_refresh_token_is_stored_before_anything_else_is_done(
    issuer: Issuer, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = signed_in(issuer)
    before = read_grant(identity).refresh
    seen = []
    monkeypatch.setattr(token_files, "write", lambda *_, **__: seen.append(read_grant(identity).refresh))
    access_token(identity, http_of(issuer))
    assert seen != [before]
    assert len(seen) == 1


def test_a_refused_token_is_never_given_again(issuer: Issuer, shelf: Shelf) -> None:
    identity = signed_in(issuer)
    first = access_token(identity, http_of(issuer))
    second = access_token(identity, http_of(issuer), refused=first.secret)
    assert second.secret != first.secret
    assert access_token(identity, unreachable).secret == second.secret


def test_threads_that_ask_at_once_share_one_refresh(issuer: Issuer, shelf: Shelf) -> None:
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    identity, before = signed_in(issuer), refreshes(issuer)
    with ThreadPoolExecutor(KERNELS) as pool:
        tokens = list(pool.map(lambda _: access_token(identity, http_of(issuer)), range(KERNELS)))
    assert len({token.secret.reveal() for token in tokens}) == 1
    assert refreshes(issuer) == before + 1


def in_processes(issuer: Issuer, identity: Identity, folder: Path, mode: str, count: int = KERNELS) -> list[str]:
    """What each of so many processes says that ask for a token at the same moment."""
    return said_by(count, folder, issuer, mode, dataclasses.asdict(identity))


def test_eight_kernels_with_an_expired_token_make_one_refresh_and_the_sign_in_lives_on(
    issuer: Issuer, tmp_path: Path
) -> None:
    with using(encrypted(tmp_path)):
        identity, before = signed_in(issuer), refreshes(issuer)
        said = in_processes(issuer, identity, tmp_path, "token")
        assert len(said) == KERNELS
        assert len(set(said)) == 1, said
        assert len(said[0]) == 64, said
        assert refreshes(issuer) == before + 1
        token_files.forget(identity)
        assert access_token(identity, http_of(issuer)).good_for(3000)


def test_without_the_lock_the_sign_in_would_die(issuer: Issuer, tmp_path: Path) -> None:
    with using(encrypted(tmp_path)):
        identity = signed_in(issuer)
        said = in_processes(issuer, identity, tmp_path, "unlocked")
        assert any("has ended" in line or "keyring" in line for line in said), said


def test_who_is_killed_between_the_refresh_and_its_storing_has_to_sign_in_and_loses_nothing_else(
    issuer: Issuer, tmp_path: Path
) -> None:
    with using(encrypted(tmp_path)):
        identity = signed_in(issuer)
        kept = read_grant(identity)
        assert in_processes(issuer, identity, tmp_path, "die", 1) == [""]
        assert read_grant(identity) == kept
        with pytest.raises(SignInError, match="The sign-in of 'ops' has ended") as caught:
            access_token(identity, http_of(issuer))
        assert caught.value.hint == "Sign in again: %mailconn signin ops"
        assert signed_in(issuer) == identity
        assert access_token(identity, http_of(issuer)).good_for(3000)


def test_a_failed_refresh_is_looked_at_once_more_before_the_sign_in_is_over(
    issuer: Issuer, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Another machine, which has no part in the lock, has renewed it in between.
    identity = signed_in(issuer)
    good = read_grant(identity)
    grants_found = iter([dataclasses.replace(good, refresh=Secret("an older one")), good])
    monkeypatch.setattr(access_tokens, "read_grant", lambda _: next(grants_found))
    assert access_token(identity, http_of(issuer)).good_for(3000)


def test_nobody_signed_in_says_the_command_and_the_variable() -> None:
    with pytest.raises(SignInError, match="Nobody is signed in for 'ops'") as caught:
        access_token(identity_at("https://login.test"), direct)
    assert "%mailconn signin ops" in caught.value.hint
    assert "MAILCONN_OPS_REFRESH_TOKEN" in caught.value.hint


@pytest.mark.parametrize("changes", [{"issuer": "https://other.test"}, {"client_id": "another"}, {"user": "bob"}])
def test_a_sign_in_goes_to_no_other_issuer_client_or_user(
    changes: dict[str, Any], issuer: Issuer, shelf: Shelf
) -> None:
    identity = signed_in(issuer)
    with pytest.raises(SignInError, match="another issuer, client or user"):
        access_token(dataclasses.replace(identity, **changes), http_of(issuer))


def test_a_refresh_token_of_the_environment_serves_and_its_successor_lasts_as_long_as_the_kernel(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tokens = by_device(issuer, client_at(issuer))
    assert tokens is not None
    assert tokens.refresh is not None
    file = tmp_path / "token"
    file.write_text(tokens.refresh.reveal() + "\n")
    file.chmod(0o600)
    monkeypatch.setenv("MAILCONN_OPS_REFRESH_TOKEN_FILE", str(file))
    identity = identity_at(issuer.url)
    with pytest.warns(MailConnWarning, match="lasts as long as this kernel") as told:
        first = access_token(identity, http_of(issuer))
    assert "client credentials" in str(told[0].message)
    # Said once: from now on it is this kernel's.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert access_token(identity, http_of(issuer), refused=first.secret).secret != first.secret


def test_a_keyring_that_fails_leaves_the_new_token_in_this_kernel(issuer: Issuer) -> None:
    with using(Raising(RuntimeError, service="mailconn-jupyter-refresh")) as backend:
        identity = signed_in(issuer)
        backend.steps = {"set"}
        with pytest.warns(MailConnWarning, match="lasts only as long as this kernel"):
            access_token(identity, http_of(issuer))
        assert access_token(identity, unreachable).good_for(3000)


def test_a_long_token_is_kept_in_parts_where_a_keyring_takes_1280_characters() -> None:
    identity = identity_at("https://login.test")
    with using(Narrow(1280)) as backend:
        for letter in "ab":
            keep_grant(identity, Secret(letter * 3000), since=datetime.now(UTC), who="ana@example.org")
            assert read_grant(identity).refresh == Secret(letter * 3000)
            assert max(len(kept) for kept in backend.kept.values()) <= 1280
        assert "a" * 500 not in "".join(backend.kept.values())
        assert grants.drop(identity) == []
        assert backend.kept == {}


def test_what_is_left_half_written_in_parts_is_the_token_of_before() -> None:
    identity = identity_at("https://login.test")
    with using(Narrow(1280)) as backend:
        keep_grant(identity, Secret("a" * 3000), since=datetime.now(UTC), who="")
        backend.left = 3  # it dies at the fourth
        with pytest.warns(MailConnWarning, match="lasts only as long as this kernel"):
            keep_grant(identity, Secret("b" * 3000), since=datetime.now(UTC), who="")
        backend.left = None
        assert read_grant(identity).refresh == Secret("b" * 3000)
        forget_memory("ops")
        assert read_grant(identity).refresh == Secret("a" * 3000)


def test_jobs_share_a_token_by_the_clients_secret(issuer: Issuer, tmp_path: Path) -> None:
    with using(encrypted(tmp_path)) as backend:
        backend.set_password("mailconn-jupyter-client", "ops", "r0bot")
        identity = identity_at(issuer.url, "robot", flow="client_credentials")
        before = issuer.count("granted", "client_credentials", "robot")
        said = in_processes(issuer, identity, tmp_path, "token", 3)
        assert len(set(said)) == 1, said
        assert issuer.count("granted", "client_credentials", "robot") == before + 1


def test_a_job_without_its_secret_says_where_to_put_it() -> None:
    identity = identity_at("https://login.test", "robot", flow="client_credentials")
    with pytest.raises(SignInError, match="needs a client secret") as caught:
        access_token(identity, direct)
    assert "MAILCONN_OPS_CLIENT_SECRET" in caught.value.hint


def test_the_file_that_processes_share_is_of_no_use_without_the_refresh_token(own_config: Path) -> None:
    identity, token = identity_at("https://login.test"), AccessToken(Secret("an-access-token"), time.time() + 3600)
    with token_files.locked(identity, Limit(5)):
        token_files.write(identity, Secret("the-refresh-token"), token, token_files.About(datetime.now(UTC), who="ana"))
    files = [path for path in own_config.parent.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert b"an-access" not in path.read_bytes()
        assert b"the-refresh" not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0
    assert token_files.read(identity, Secret("the-refresh-token")) == token
    assert token_files.read(identity, Secret("another")) is None
    assert token_files.about(identity).who == "ana"
    path = next(path for path in files if path.suffix == ".json")
    for broken in (b"", b"[]", b'{"token": "AAAA", "until": 1}', b'{"token": 7, "until": "x", "since": [], "who": 1}'):
        path.write_bytes(broken)
        assert token_files.read(identity, Secret("the-refresh-token")) is None
        assert token_files.about(identity).who == ""


def test_waiting_for_the_lock_ends_with_the_deadline_and_a_cancel() -> None:
    identity = identity_at("https://login.test")
    for limit, error in ((Limit(0.3), SignInError), (Limit(cancel=(cancel := threading.Event())), TransportError)):
        cancel.set()
        with token_files.locked(identity, Limit(5)), pytest.raises(error), token_files.locked(identity, limit):
            pytest.fail("two hold it")


def test_a_home_that_cannot_be_written_to_goes_without(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", "/proc/none")
    monkeypatch.setattr(tempfile, "tempdir", "/proc/none")
    with using(Shelf()):
        identity = signed_in(issuer)
        assert access_token(identity, http_of(issuer)).good_for(3000)


def test_a_sign_in_typed_elsewhere_is_this_kernels_until_it_is_forgotten(issuer: Issuer) -> None:
    identity = signed_in(issuer)  # no keyring here
    assert read_grant(identity).source == "this kernel"
    access_token(identity, http_of(issuer))
    assert grants.drop(identity) == []
    with pytest.raises(SignInError):
        read_grant(identity)
    remember("ops", "x", kind=Kind.REFRESH)
    assert read_grant(identity).refresh == Secret("x")
