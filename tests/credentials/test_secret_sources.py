"""The sources of secrets stand in one list: what looks, what tells and what is documented follow it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from mailconn_jupyter.commands.doctor import findings
from mailconn_jupyter.credentials import Secret, forget_memory, remember, resolve, set_password, sources, where
from mailconn_jupyter.credentials.account import Account, Credential
from mailconn_jupyter.credentials.variables import variable as variable_of
from mailconn_jupyter.errors import CredentialError, MailConnWarning
from mailconn_jupyter.secret import Kind
from mailconn_jupyter.store import connections
from tests.support import credential_sources
from tests.support.credential_sources import SERVICE, answer_with
from tests.support.keyring_backends import Raising, Shelf, using

shelf = credential_sources.shelf
secret_file = credential_sources.secret_file
pytestmark = pytest.mark.usefixtures("shelf")


@pytest.fixture
def everywhere(
    shelf: Shelf, secret_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Callable[[], object]]:
    """Each source has a secret, which is its place's name; by that name, what takes it away."""
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "MAILCONN_OPS_PASSWORD").write_text("MAILCONN_OPS_PASSWORD in CREDENTIALS_DIRECTORY")
    (folder / "MAILCONN_OPS_PASSWORD").chmod(0o400)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    secret_file.unlink()
    monkeypatch.delenv("MAILCONN_OPS_PASSWORD_FILE")
    monkeypatch.setenv("MAILCONN_OPS_PASSWORD", "MAILCONN_OPS_PASSWORD")
    shelf.kept[SERVICE, "ops"] = "keyring"
    remember("ops", "this kernel")
    answer_with("prompt", monkeypatch)
    return {
        "this kernel": lambda: forget_memory("ops"),
        "MAILCONN_OPS_PASSWORD": lambda: monkeypatch.delenv("MAILCONN_OPS_PASSWORD"),
        "MAILCONN_OPS_PASSWORD in CREDENTIALS_DIRECTORY": lambda: monkeypatch.delenv("CREDENTIALS_DIRECTORY"),
        "keyring": shelf.kept.clear,
        "prompt": lambda: None,
    }


def resolved_one_by_one(removals: dict[str, Callable[[], object]]) -> list[tuple[str, bool]]:
    """Where the secret is found, and whether it can be told before, while one source after the other loses it."""
    found = []
    for _ in range(len(removals)):
        credential = resolve("ops")
        assert credential.secret.reveal() == credential.source
        told = where("ops")
        found.append((credential.source, bool(told)))
        removals[credential.source]()
    return found


def test_the_sources_are_asked_in_the_order_of_the_list(everywhere: dict[str, Callable[[], object]]) -> None:
    assert resolved_one_by_one(everywhere) == [(place, place != "prompt") for place in everywhere]


def test_nothing_else_names_the_order(
    everywhere: dict[str, Callable[[], object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    turned = tuple(reversed(sources.SOURCES[:-1]))
    monkeypatch.setattr(sources, "SOURCES", turned)
    # With the keyring first, nothing comes before it.
    assert set_password("ops", "keyring") == "in the keyring (keyring backends Shelf)"
    remember("ops", "this kernel")
    del everywhere["prompt"]
    assert resolved_one_by_one(everywhere) == [(place, True) for place in reversed(everywhere)]
    listed = dict(findings(connections))["Secrets are looked for in"]
    assert listed == ", then ".join(source.name for source in turned)


def test_a_source_more_is_a_row_more(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    def find(account: Account, _ask: bool) -> Credential | None:
        return Credential(Secret("of the vault"), "vault") if account.key == "ops" else None

    def has(account: Account) -> str:
        return "in the vault" if account.key == "ops" else ""

    row = sources.Source("the vault", "a vault", find, has)
    monkeypatch.setattr(sources, "SOURCES", (*sources.SOURCES[:1], row, *sources.SOURCES[1:]))
    assert (resolve("OPS").source, where("OPS"), where("other")) == ("vault", "in the vault", "")
    assert set_password("ops", "x") == "in the keyring (keyring backends Shelf), but one in the vault comes first"
    assert "the vault" in dict(findings(connections))["Secrets are looked for in"]


def test_a_file_in_a_services_folder_is_named_like_the_variable(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("CREDENTIALS_DIRECTORY", "MAILCONN_SECRETS_DIR"):
        folder = tmp_path / variable
        folder.mkdir()
        monkeypatch.setenv(variable, str(folder))
        assert where("ops", kind="proxy") == ""
        file = folder / "MAILCONN_OPS_PROXY_PASSWORD"
        file.write_bytes(b"s3cret\n")
        file.chmod(0o400)
        assert resolve("ops", kind="proxy").secret.reveal() == "s3cret"
        assert where("ops", kind="proxy") == f"in a file of {variable} ({file})"
        file.chmod(0o644)
        with pytest.raises(CredentialError, match="can be read by others"):
            resolve("ops", kind="proxy")
        file.unlink()


@pytest.mark.parametrize("folder", ["relative", ".", "~/secrets"])
@pytest.mark.parametrize("variable", ["CREDENTIALS_DIRECTORY", "MAILCONN_SECRETS_DIR"])
def test_a_services_folder_that_is_no_absolute_one_is_not_looked_into_and_told(
    variable: str, folder: str, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "relative").mkdir()
    for place in (tmp_path, tmp_path / "relative"):
        (place / "MAILCONN_OPS_PASSWORD").write_bytes(b"of a stranger")
    monkeypatch.setenv(variable, folder)
    assert where("ops") == ""
    said = f"{variable} is {folder!r}, which is not an absolute path: it would mean something else in each directory"
    with (
        pytest.warns(MailConnWarning, match=re.escape(said)),
        pytest.raises(CredentialError, match="No password is kept"),
    ):
        resolve("ops", ask=False)
    shelf.kept[SERVICE, "ops"] = "keyring"
    with pytest.warns(MailConnWarning, match="Give its full path"):
        assert resolve("ops", ask=False).secret.reveal() == "keyring"
    assert said in "".join(found for what, found in findings(connections) if what == "PROBLEM")


@pytest.mark.parametrize("folder", ["", "/no/such/folder"])
def test_a_services_folder_that_is_not_there_is_not_looked_into(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "MAILCONN_OPS_PASSWORD").write_bytes(b"of a stranger")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", folder)
    assert where("ops") == ""
    with pytest.raises(CredentialError, match="No password is kept"):
        resolve("ops", ask=False)


def test_a_keyring_that_fails_is_made_up_for_by_what_comes_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    row = sources.Source("the vault", "a vault", lambda _account, _ask: Credential(Secret("x"), "vault"), lambda _: "")
    monkeypatch.setattr(sources, "SOURCES", (*sources.SOURCES[:-1], row))
    with using(Raising(RuntimeError, "get")):
        assert resolve("ops", ask=False).source == "vault"


@pytest.mark.parametrize("name", ["Почта отдела", "ops", "my-proxy"])
@pytest.mark.parametrize("kind", list(Kind))
def test_a_folder_of_secrets_and_a_variables_file_serve_each_kind_and_any_name(
    kind: Kind, name: str, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / variable_of(name, kind)
    assert file.name.isascii()
    file.write_text("-----BEGIN KEY-----\nключ\n" if kind is Kind.CLIENT else "ключ\n")
    file.chmod(0o400)
    for given, value in (("MAILCONN_SECRETS_DIR", str(tmp_path)), (f"{file.name}_FILE", str(file))):
        with monkeypatch.context() as patch:
            patch.setenv(given, value)
            assert resolve(name, kind=kind, ask=False).secret.reveal().endswith("ключ")
            assert file.name in where(name, kind=kind)
    assert where(name, kind=kind) == ""
