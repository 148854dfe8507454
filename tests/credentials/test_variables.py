"""A variable of the environment serves one connection: its name is a function of the connection's name alone."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies

from mailconn_jupyter.commands.doctor import findings
from mailconn_jupyter.credentials import Kind, resolve, where
from mailconn_jupyter.credentials.variables import variable
from mailconn_jupyter.errors import CredentialError, MailConnWarning
from mailconn_jupyter.names import fold
from mailconn_jupyter.store import connections
from tests.support import credential_sources, shells
from tests.support.credential_sources import answer_with
from tests.support.shells import Shell, keep

shelf = credential_sources.shelf
shell = shells.shell
pytestmark = pytest.mark.usefixtures("shelf")


def marked(middle: str, name: str, end: str = "PASSWORD") -> str:
    return f"MAILCONN_{middle}_{hashlib.sha256(fold(name).encode()).hexdigest()[:8]}_{end}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ops", "MAILCONN_OPS_PASSWORD"),
        ("Ops 2.b_c-d", "MAILCONN_OPS_2_B_C_D_PASSWORD"),
        ("straße", "MAILCONN_STRASSE_PASSWORD"),
        ("Ops-2 (EU)", marked("OPS_2__EU_", "Ops-2 (EU)")),
        ("büro", marked("B_RO", "büro")),
        ("bu\u0308RO", marked("B_RO", "büro")),
        ("東京", marked("__", "東京")),
        ("大阪", marked("__", "大阪")),
        ("ops-proxy", marked("OPS_PROXY", "ops-proxy")),
        ("Proxy", marked("PROXY", "proxy")),
        ("proxy of ops", "MAILCONN_PROXY_OF_OPS_PASSWORD"),
    ],
)
def test_a_variable_has_the_name_in_capitals_and_a_mark_where_others_would_share_it(name: str, expected: str) -> None:
    assert variable(name, Kind.PASSWORD) == expected
    assert variable(name, Kind.PROXY) == expected.replace("_PASSWORD", "_PROXY_PASSWORD")


names = strategies.text(min_size=1, max_size=6) | strategies.text(alphabet="ab-_. 東ü", min_size=1, max_size=5).map(
    lambda text: text + "proxy"
)


@given(names, names, strategies.sampled_from(Kind), strategies.sampled_from(Kind))
def test_two_names_share_a_variable_only_where_they_differ_in_punctuation_alone(
    one: str, two: str, first: Kind, second: Kind
) -> None:
    if variable(one, first) == variable(two, second):
        assert first == second
        alike = {re.sub("[ ._-]", "_", fold(name)) for name in (one, two)}
        assert len(alike) == 1


@pytest.mark.parametrize(
    ("theirs", "kind", "mine"),
    [
        ("東京", Kind.PASSWORD, "大阪"),
        ("ops", Kind.PROXY, "ops-proxy"),
        ("ops-proxy", Kind.PASSWORD, "ops"),
        ("a(b", Kind.PASSWORD, "a)b"),
    ],
)
def test_a_variable_is_no_other_connections(
    theirs: str, kind: Kind, mine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (theirs, mine):
        keep(name)
    monkeypatch.setenv(variable(theirs, kind), "of the other")
    assert resolve(theirs, kind=kind, ask=False).secret.reveal() == "of the other"
    for other in Kind:
        assert where(mine, kind=other) == ""


@pytest.mark.parametrize("suffix", ["", "_FILE"])
def test_a_variable_that_two_stored_connections_would_share_is_refused_with_both_names(
    suffix: str, tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "secret"
    file.write_text("s3cret")
    file.chmod(0o600)
    monkeypatch.setenv(f"MAILCONN_OPS_2_PASSWORD{suffix}", str(file))
    keep("ops 2", username="ana")
    assert where("ops 2")
    keep("ops-2", username="ana")
    for name in ("ops 2", "OPS-2"):
        with pytest.raises(
            CredentialError, match=r"MAILCONN_OPS_2_PASSWORD.*would serve both 'ops 2' and 'ops-2'"
        ) as caught:
            resolve(name, ask=False)
        assert "%mailconn rename" in caught.value.hint
        assert where(name) == ""
        assert "would serve both 'ops 2' and 'ops-2'" in shell.ok(f'%mailconn show "{name}"').text
    assert "would serve both 'ops 2' and 'ops-2'" in dict(findings(connections))["MAILCONN_ variables"]
    connections.rename("ops-2", "other")
    assert where("ops 2")


def test_a_file_in_a_folder_of_secrets_that_two_would_share_is_refused_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "MAILCONN_OPS_2_PASSWORD"
    file.write_text("s3cret")
    file.chmod(0o600)
    monkeypatch.setenv("MAILCONN_SECRETS_DIR", str(tmp_path))
    for name in ("ops 2", "ops_2"):
        keep(name)
    with pytest.raises(CredentialError, match="would serve both 'ops 2' and 'ops_2'"):
        resolve("ops 2", ask=False)


def test_a_worker_without_the_store_has_the_same_variables() -> None:
    code = "from mailconn_jupyter.credentials import resolve; print(len(resolve('büro', ask=False).secret.reveal()))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={variable("büro", Kind.PASSWORD): "12345"},
        capture_output=True,
        check=True,
        cwd=Path(__file__).parents[2],
        text=True,
    )
    assert done.stdout == "5\n"


def test_the_name_that_a_variable_had_before_is_told_with_the_new_one(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep("büro", username="ana")
    new = variable("büro", Kind.PASSWORD)
    monkeypatch.setenv("MAILCONN_B_RO_PASSWORD", "s3cret")
    with pytest.raises(CredentialError) as caught:
        resolve("büro", ask=False)
    assert f"MAILCONN_B_RO_PASSWORD is set, but the variable for 'büro' is now {new}" in caught.value.message
    assert f'export {new}="$MAILCONN_B_RO_PASSWORD"' in caught.value.hint
    assert f"is {new} now" in shell.ok("%mailconn show büro").text
    doctor = dict(findings(connections))["MAILCONN_ variables"]
    assert f"MAILCONN_B_RO_PASSWORD (not used: the variable for 'büro' is now {new})" in doctor
    assert "s3cret" not in doctor
    questions = answer_with("typed", monkeypatch)
    with pytest.warns(MailConnWarning, match=f"is now {new}"):
        assert resolve("büro").source == "prompt"
    assert len(questions) == 1
    monkeypatch.setenv(new, "s3cret")
    assert resolve("büro", ask=False).secret.reveal() == "s3cret"


def test_show_and_the_doctor_print_the_variable(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    keep("東京", username="ana", use_proxy=True, proxy_host="gate", proxy_username="ana")
    shown = shell.ok("%mailconn show 東京").text
    assert variable("東京", Kind.PASSWORD) in shown
    assert variable("東京", Kind.PROXY) in shown
    monkeypatch.setenv(variable("東京", Kind.PROXY), "x")
    monkeypatch.setenv("MAILCONN_GONE_PASSWORD_FILE", "/run/secrets/gone")
    doctor = dict(findings(connections))["MAILCONN_ variables"]
    assert f"{variable('東京', Kind.PROXY)} ('東京')" in doctor
    assert "MAILCONN_GONE_PASSWORD_FILE (of no connection here)" in doctor


def test_the_files_of_the_others_are_read_again_only_when_one_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        keep(f"connection {number}")
    keep("ops")
    monkeypatch.setenv("MAILCONN_OPS_PASSWORD", "x")
    assert where("ops")
    opened: list[object] = []
    really = os.open

    def counted(path: Any, *rest: Any, **more: Any) -> int:
        opened.append(path)
        return really(path, *rest, **more)

    monkeypatch.setattr(os, "open", counted)
    assert where("ops")
    assert {Path(str(path)).name for path in opened} == {"ops.json"}
    keep("o ps")
    monkeypatch.setenv(variable("o ps", Kind.PASSWORD), "x")
    assert where("o ps")
    # By hand, in place, in a file whose own name says nothing.
    file = connections.folder / "connection 1.json"
    file.write_text(file.read_text().replace("connection 1", "o.ps"))
    with pytest.raises(CredentialError, match=r"would serve both 'o ps' and 'o\.ps'"):
        resolve("o ps", ask=False)
