"""Who else is at the same sign-in: a process that was stopped or has died, a fork, two people, somebody who signs out."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mailconn_jupyter.credentials.oauth import access_tokens, grants, token_files
from mailconn_jupyter.credentials.oauth.access_tokens import access_token, keep_new
from mailconn_jupyter.credentials.oauth.grants import read_grant
from mailconn_jupyter.credentials.oauth.identity import Identity
from mailconn_jupyter.errors import MailConnWarning, SignInError
from mailconn_jupyter.secret import Secret
from mailconn_jupyter.transport.deadline import Limit
from tests.credentials.test_oauth_tokens import http_of, in_processes, refreshes, signed_in
from tests.servers.issuer import Issuer
from tests.servers.odd_issuer import OddIssuer
from tests.servers.require import is_root
from tests.support.keyring_backends import Raising, Shelf, encrypted, using
from tests.support.signing_in import by_device, client_at, direct, identity_at

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="only POSIX stops and forks processes")


@pytest.fixture(autouse=True)
def shelf(own_config: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    """A kernel that has no access token yet, and a keyring."""
    monkeypatch.setattr(access_tokens, "_held", {})
    with using(Shelf()) as backend:
        yield backend


def amid_a_refresh(
    identity: Identity, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> tuple[threading.Thread, threading.Event]:
    """A thread that is renewing the access token; it goes on when the event is set."""
    within, on = threading.Event(), threading.Event()
    refresh = access_tokens._refresh

    def slowly(*given: Any) -> Any:
        within.set()
        assert on.wait(20)
        return refresh(*given)

    monkeypatch.setattr(access_tokens, "_refresh", slowly)
    renewing = threading.Thread(target=access_token, args=(identity, http_of(issuer)))
    renewing.start()
    assert within.wait(20)
    return renewing, on


@contextmanager
def holding(identity: Identity, issuer: Issuer, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has taken the identity's lock, and was stopped then."""
    encrypted(folder)
    command = [
        sys.executable,
        "-m",
        "tests.support.oauth_process",
        str(folder),
        str(issuer.certificates.ca.pem),
        "hold",
    ]
    command.append(json.dumps(dataclasses.asdict(identity)))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline() == "held\n"
            process.send_signal(signal.SIGSTOP)
            yield process
        finally:
            process.kill()


def test_a_lock_that_a_stopped_process_has_is_told_and_that_of_a_dead_one_is_free(
    issuer: Issuer, tmp_path: Path
) -> None:
    identity = signed_in(issuer)
    with holding(identity, issuer, tmp_path) as process:
        with pytest.raises(SignInError, match=r"Another process has been renewing the sign-in of 'ops'") as caught:
            access_token(identity, lambda: direct(issuer.certificates, 0.5))
        assert caught.value.cause == "sign-in-unreachable"
        assert "suspended" in caught.value.hint
        process.kill()
        process.wait()
        assert access_token(identity, http_of(issuer)).good_for(3000)


def test_signing_out_forgets_also_while_a_stopped_process_has_the_lock(
    issuer: Issuer, tmp_path: Path, shelf: Shelf
) -> None:
    identity = signed_in(issuer)
    with holding(identity, issuer, tmp_path):
        said = access_tokens.sign_out(identity, direct(issuer.certificates, 0.5))
    assert len(said) == 1
    assert "Another process" in said[0]
    assert shelf.kept == {}


def test_signing_out_forgets_also_where_the_issuer_never_answers_and_can_be_called_off(
    issuer: Issuer, shelf: Shelf
) -> None:
    from tests.servers import ScriptServer  # noqa: PLC0415
    from tests.servers.steps import ExpectUntil, Silence  # noqa: PLC0415

    cancel = threading.Event()
    with ScriptServer([ExpectUntil(b"\r\n\r\n"), Silence()], strict=False) as server:
        identity = identity_at(f"http://127.0.0.1:{server.port}")
        grants.keep_grant(identity, Secret("rt"), since=datetime.now(UTC), who="ana")
        http = direct()
        http.limit = Limit(cancel=cancel)
        threading.Timer(0.3, cancel.set).start()
        said = access_tokens.sign_out(identity, http)
    assert said == ["It was not revoked at the issuer. It was cancelled."]
    assert shelf.kept == {}


def test_a_sign_out_waits_for_a_refresh_and_nothing_comes_back_after_it(
    issuer: Issuer, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = signed_in(issuer)
    renewing, on = amid_a_refresh(identity, issuer, monkeypatch)
    said: list[str] = []
    leaving = threading.Thread(
        target=lambda: said.extend(access_tokens.sign_out(identity, direct(issuer.certificates)))
    )
    leaving.start()
    on.set()
    renewing.join(20)
    leaving.join(20)
    assert said == []
    assert shelf.kept == {}
    assert issuer.events()[-1]["what"] == "revoked"
    with pytest.raises(SignInError, match="Nobody is signed in"):
        access_token(identity, http_of(issuer))


def test_a_child_that_is_forked_amid_a_refresh_waits_for_it_and_makes_none_of_its_own(
    issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with using(encrypted(tmp_path)):
        identity = signed_in(issuer)
        before, refresh = refreshes(issuer), access_tokens._refresh
        renewing, on = amid_a_refresh(identity, issuer, monkeypatch)
        child = os.fork()
        if child == 0:
            # Nothing of pytest's may run here.
            signal.alarm(30)
            try:
                monkeypatch.setattr(access_tokens, "_refresh", refresh)
                token = access_token(identity, http_of(issuer))
                os._exit(0 if token.good_for(3000) else 2)
            except BaseException:  # noqa: BLE001
                os._exit(1)
        on.set()
        renewing.join(20)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert refreshes(issuer) == before + 1


def test_of_two_kernels_that_sign_in_at_once_the_later_one_counts_and_both_go_on(issuer: Issuer, shelf: Shelf) -> None:
    client = client_at(issuer)
    both = [by_device(issuer, client) for _ in range(2)]
    threads = [threading.Thread(target=keep_new, args=(client.identity, tokens, Limit(20))) for tokens in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    kept = read_grant(client.identity).refresh
    assert [tokens for tokens in both if tokens is not None and tokens.refresh == kept]
    assert access_token(client.identity, http_of(issuer)).good_for(3000)
    token_files.forget(client.identity)
    access_tokens.forget(client.identity)
    assert access_token(client.identity, http_of(issuer)).good_for(3000)


def test_a_keyring_that_takes_nothing_keeps_the_sign_in_in_this_kernel(issuer: Issuer) -> None:
    client = client_at(issuer)
    tokens = by_device(issuer, client)
    assert tokens is not None
    with using(Raising(PermissionError, "set", service="mailconn-jupyter-refresh")):
        with pytest.warns(MailConnWarning, match="lasts only as long as this kernel"):
            assert keep_new(client.identity, tokens, Limit(10)) == "in this kernel only, as the keyring did not take it"
        access_tokens.forget(client.identity)
        token_files.forget(client.identity)
        assert read_grant(client.identity).source == "this kernel"
        assert access_token(client.identity, http_of(issuer)).good_for(3000)


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
def test_a_clock_that_jumps_costs_a_refresh_at_most(
    jump: float, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time  # noqa: PLC0415

    identity = signed_in(issuer)
    first = access_token(identity, http_of(issuer))
    before = refreshes(issuer)
    now = time.time
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: now() + jump)
        second = access_token(identity, http_of(issuer))
        assert second.good_for(3000)
        # Whatever it says, what a server did not take is not given again.
        assert access_token(identity, http_of(issuer), refused=second.secret).secret != second.secret
    assert refreshes(issuer) == before + (1 if jump < 0 else 2)
    assert (second.secret == first.secret) is (jump < 0)
    assert access_token(identity, http_of(issuer)).good_for(3000)


def test_waiting_for_an_approval_does_not_mind_a_clock_that_jumps(monkeypatch: pytest.MonkeyPatch) -> None:
    import time  # noqa: PLC0415

    from mailconn_jupyter.credentials.oauth import device_code, metadata  # noqa: PLC0415
    from tests.servers.odd_issuer import said  # noqa: PLC0415

    monkeypatch.setattr(metadata, "_known", {})
    monkeypatch.setattr(device_code, "_LEAST", 0.01)
    begun = said(user_code="AB", device_code="d", verification_uri="https://login.test/", interval=0.01, expires_in=600)
    good = said(access_token="at", token_type="Bearer", expires_in=3600)
    with OddIssuer(devicecode=[begun], token=[said(400, error="authorization_pending"), good]) as issuer:
        device = device_code.begin_device(access_tokens.client_of(identity_at(issuer.url), direct()))
        now = time.time
        monkeypatch.setattr(time, "time", lambda: now() + 86_400)
        tokens = device.wait(threading.Event())
    assert tokens is not None


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory that cannot be made; the folder for what is temporary."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", "/proc/none")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return temporary


def test_kernels_without_a_data_directory_share_a_sign_in_all_the_same(
    issuer: Issuer, tmp_path: Path, nowhere: Path
) -> None:
    with using(encrypted(tmp_path)):
        identity = signed_in(issuer)
        before = refreshes(issuer)
        said = in_processes(issuer, identity, tmp_path, "token", 4)
        assert len(set(said)) == 1, said
        assert len(said[0]) == 64, said
        assert refreshes(issuer) == before + 1
        files = [path for path in nowhere.rglob("*") if path.is_file()]
        assert files
        assert [path for path in (*files, *(file.parent for file in files)) if path.stat().st_mode & 0o077] == []
        assert access_tokens.sign_out(identity, direct(issuer.certificates)) == []
        assert list(nowhere.rglob("*.json")) == []


@pytest.mark.parametrize("trap", ["open", "stranger", "link"])
def test_a_temporary_folder_that_somebody_has_laid_out_is_not_used(
    trap: str, issuer: Issuer, nowhere: Path, tmp_path: Path
) -> None:
    laid = nowhere / f"mailconn-{os.geteuid()}"
    target = tmp_path / "target"
    target.mkdir(mode=0o700)
    if trap == "link":
        laid.symlink_to(target)
    else:
        laid.mkdir(mode=0o700)
    if trap == "open":
        laid.chmod(0o777)
    if trap == "stranger":
        if not is_root():
            pytest.skip("only root gives a folder away")
        os.chown(laid, 12345, -1)
    identity = signed_in(issuer)
    assert access_token(identity, http_of(issuer)).good_for(3000)
    assert list(laid.iterdir()) == []
