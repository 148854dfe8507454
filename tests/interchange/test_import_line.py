"""``%mailconn import`` and ``%mailconn export`` in a real IPython."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mailconn_jupyter import credentials
from mailconn_jupyter.interchange import hop
from mailconn_jupyter.store import connections
from tests.interchange.examples import AUTOCONFIG, MSMTPRC, OPS
from tests.support import shells
from tests.support.keyring_backends import Shelf, using
from tests.support.shells import Shell, keep

shell = shells.shell
clean_up = shells.clean_up


def test_what_is_found_is_shown_and_saved_only_when_asked(shell: Shell, own_config: Path) -> None:
    ran = shell.ok(f"%mailconn import {OPS}")
    assert "mail.example.org" in ran.text
    assert "STARTTLS is required here" in ran.html
    assert "Nothing has been saved yet; --save keeps it." in ran.text
    assert list(connections) == []
    with using(Shelf()):
        ran = shell.ok(f"%mailconn import {OPS} --from hop --save")
        assert "Saved 'ops'." in ran.text
        assert "The password of 'ops' is kept in the keyring" in ran.text
        found = credentials.resolve("ops")
        assert found is not None
        assert found.secret.reveal() == "s3cret"
        assert "with the same options" in shell.ok(f"%mailconn import {OPS} --save").text
    assert connections["ops"].username == "ana@example.org"
    kept = [path for path in own_config.parent.rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if b"s3cret" in path.read_bytes() or b"2be98afc86" in path.read_bytes()]
    assert "s3cret" not in ran.text + ran.html


def test_another_connection_of_that_name_is_replaced_only_when_asked(shell: Shell) -> None:
    keep("ops", server_port=2525)
    keep("token")
    text = shell.fails(f"%mailconn import {MSMTPRC} --save")
    assert "Nothing was saved: 'ops', 'token' already exist, with different options." in text
    assert sorted(connections) == ["ops", "token"]
    assert "--replace needs --save" in shell.fails(f"%mailconn import {MSMTPRC} --replace")
    shell.ok(f"%mailconn import {MSMTPRC} --save --replace")
    assert sorted(connections) == ["ops", "pinned", "tls465", "token"]
    assert connections["ops"].port == 587


def test_a_project_with_a_bad_file_is_saved_but_for_that_one_and_the_cell_fails(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "my project" / hop.FOLDER
    folder.mkdir(parents=True)
    said = json.loads(OPS.read_text(encoding="utf-8"))
    for name in ("a", "b", "c"):
        (folder / f"{name}.json").write_text(json.dumps(said | {"name": name, "trustedHosts": "*" * (name == "c")}))
    ran = shell.run(f"%mailconn import '{tmp_path / 'my project'}' --save")
    assert ran.error is not None
    assert "1 of 3 connections were not imported" in ran.text
    assert "host=sha256:HEX" in ran.text
    assert list(connections) == ["a", "b"]


def test_the_address_and_the_name_are_given_with_it(shell: Shell) -> None:
    shell.ok(f"%mailconn import {AUTOCONFIG} --address ana@example.org --save")
    assert connections["example.org-smtp"].username == "ana@example.org"
    shell.ok("%mailconn import smtps://ana@mail.example.org --name 'big mail' --save")
    assert connections["big mail"].security == "SSL"
    assert "one name cannot be given" in shell.fails(f"%mailconn import {MSMTPRC} --name x")


def test_a_url_with_a_password_is_refused_in_a_cell_and_read_from_a_variable(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = shell.fails("%mailconn import smtps://ana:correct-horse@mail.example.org")
    assert "A URL with a password cannot be given here" in text
    monkeypatch.setenv("EMAIL_URL", "smtp+tls://ana:correct-horse@mail.example.org:587")
    ran = shell.ok("%mailconn import EMAIL_URL --from django --name ops --save")
    assert "correct-horse" not in ran.text + ran.html
    assert connections["ops"].security == "TLS"
    found = credentials.resolve("ops")
    assert found is not None
    assert found.secret.reveal() == "correct-horse"


def test_a_connection_is_printed_for_another_program_with_what_does_not_go_along(shell: Shell) -> None:
    keep("ops", username="ana", proxy_host="gate", password_command="mytoken")
    ran = shell.ok("%mailconn export ops --to hop")
    assert json.loads(ran.text[: ran.text.rindex("}") + 1])["serverHost"] == "mail.example.org"
    assert "Not exported: use_proxy, proxy_host, password_command." in ran.text
    assert "smtp://ana@mail.example.org:587" in shell.ok("%mailconn export ops --to url").text
    assert "name the program with --to, one of hop, url, msmtp, airflow" in shell.fails("%mailconn export ops")
    assert "one of hop, url, msmtp, airflow is expected" in shell.fails("%mailconn export ops --to mutt")
    assert shell.tab("%mailconn export o") == ["%mailconn export ops"]


def test_programs_are_completed(shell: Shell) -> None:
    assert shell.tab("%mailconn import x --from aut") == ["%mailconn import x --from autoconfig"]
    assert shell.tab("%mailconn export ops --to ms") == ["%mailconn export ops --to msmtp"]


def test_files_are_completed_by_ipython(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "ops.json").touch()
    assert f"%mailconn import {tmp_path}/ops.json" in shell.tab(f"%mailconn import {tmp_path}/o")
