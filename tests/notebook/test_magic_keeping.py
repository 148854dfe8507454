"""``%mailconn`` in a real IPython: making, changing and naming connections, and their passwords."""

from __future__ import annotations

import re

import pytest

from mailconn_jupyter.credentials import Secret, remember, where
from mailconn_jupyter.notebook.usage_error import PasswordRefused
from mailconn_jupyter.store import connections, last_tests
from tests.support import shells
from tests.support.shells import Shell, keep

shell = shells.shell
clean_up = shells.clean_up

PASSWORD = "correct-horse-battery"


# new, edit, show


def test_a_connection_is_made_from_flags_and_kept(shell: Shell) -> None:
    shell.ok("mail = 'mail.example.org'; base = 2000")
    ran = shell.ok("%mailconn new \"Big mail\" --host $mail --port {base + 525} --username 'ana@example.org'")
    kept = connections["big mail"]
    assert (kept.name, kept.server_host, kept.server_port) == ("Big mail", "mail.example.org", 2525)
    assert (kept.username, kept.use_authentication) == ("ana@example.org", True)
    assert str(connections.where("Big mail").path) in ran.text
    assert '%mailconn password "Big mail"' in ran.text


def test_a_variable_of_the_environment_is_kept_by_its_name(shell: Shell) -> None:
    shell.ok("MAIL_HOST = 'wrong'")
    shell.ok("%mailconn new ops --host ${MAIL_HOST} --port ${MAIL_PORT}")
    assert (connections["ops"].server_host, connections["ops"].server_port) == ("${MAIL_HOST}", "${MAIL_PORT}")


def test_names_of_a_function_are_found_too(shell: Shell) -> None:
    shell.ok("def make(where):\n    %mailconn new ops --host $where\nmake('inner.example.org')")
    assert connections["ops"].server_host == "inner.example.org"


def test_a_cell_that_is_run_again_finds_its_connection_there(shell: Shell) -> None:
    cell = "%mailconn new ops --host mail.example.org --port 25"
    shell.ok(cell)
    before = connections.where("ops").path.read_bytes()
    assert "already exists" in shell.ok(cell).text
    assert connections.where("ops").path.read_bytes() == before


def test_an_option_that_its_protocol_lacks_is_said_to_be_left_out(shell: Shell) -> None:
    said = shell.ok("%mailconn new box mail.mbox --protocol MBOX --port 25 --username ana").text
    assert "Left out, as MBOX has no such options: --server-port, --username." in said
    said = shell.ok("%mailconn edit box --timeout 5").text
    assert said.endswith("Left out, as MBOX has no such option: --timeout.\n")
    assert "Left out" not in shell.ok("%mailconn edit box --unset timeout").text
    assert "the host is empty" in shell.fails('%mailconn new ops ""')


def test_another_connection_of_that_name_is_replaced_only_when_asked(shell: Shell) -> None:
    keep("ops", server_port=25)
    assert "already exists" in shell.fails("%mailconn new Ops --host other.example.org")
    assert connections["ops"].server_host == "mail.example.org"
    shell.ok("%mailconn new ops --host other.example.org --replace")
    assert (connections["ops"].server_host, connections["ops"].server_port) == ("other.example.org", None)


def test_a_proxy_is_given_whole_as_one_url(shell: Shell) -> None:
    shell.ok("%mailconn new ops --host mail.example.org --proxy socks5://ana@gate.example.org:1081")
    assert (
        connections["ops"].as_dict().items()
        >= {
            "use_proxy": True,
            "proxy_type": "SOCKS5",
            "proxy_host": "gate.example.org",
            "proxy_port": 1081,
            "proxy_username": "ana",
        }.items()
    )
    shell.ok("%mailconn edit ops --proxy http://gate.example.org --proxy-port 8080")
    assert (connections["ops"].proxy_type, connections["ops"].proxy_port) == ("HTTP", 8080)
    for url in (f"socks5://ana:{PASSWORD}@gate:1080", f"socks5://:{PASSWORD}@gate", f"{PASSWORD}://gate"):
        assert PASSWORD not in shell.fails(f"%mailconn edit ops --proxy {url}")
    assert connections["ops"].proxy_type == "HTTP"


def test_an_incomplete_connection_is_not_kept(shell: Shell) -> None:
    assert "Server host: missing" in shell.fails("%mailconn new ops")
    assert "ops" not in connections


def test_edit_changes_what_is_named_and_nothing_else(shell: Shell) -> None:
    before = keep("ops", server_port=2525, username="ana", use_proxy=True, proxy_host="proxy.example.org").as_dict()
    shell.ok("%mailconn edit OPS --server-port 26 --no-use-proxy")
    assert connections["ops"].as_dict() == before | {"server_port": 26, "use_proxy": False}


def test_unset_sets_an_option_back_to_its_default(shell: Shell) -> None:
    keep("ops", server_port=2525, username="ana", check_server_identity=False)
    shell.ok("%mailconn edit ops --unset port --unset check_server_identity --unset=--use-authentication")
    kept = connections["ops"]
    assert (kept.server_port, kept.check_server_identity, kept.use_authentication) == (None, True, False)
    assert kept.username == "ana"


def test_an_edit_that_says_nothing_or_contradicts_itself_fails(shell: Shell) -> None:
    keep("ops")
    assert "nothing to change" in shell.fails("%mailconn edit ops")
    assert "cannot be combined" in shell.fails("%mailconn edit ops --port 25 --unset port")


def test_show_says_where_the_connection_and_its_secrets_are_and_no_secret(shell: Shell) -> None:
    keep("ops", username="ana", proxy_host="proxy.example.org", proxy_username="bo")
    remember("ops", Secret(PASSWORD))
    ran = shell.ok("%mailconn show")
    assert str(connections.where("ops").path) in ran.text
    assert re.search("Password +in this kernel only", ran.text)
    assert re.search("Proxy password +not kept", ran.text)
    assert "Use proxy?" in ran.html
    assert PASSWORD not in ran.text + ran.html


# copy, rename, delete, default


def test_copy_keeps_the_options_and_leaves_the_password(shell: Shell) -> None:
    keep("ops", username="ana", server_port=26)
    remember("ops", Secret(PASSWORD))
    assert '%mailconn password "new ops"' in shell.ok('%mailconn copy ops "new ops"').text
    assert connections["new ops"].as_dict() == connections["ops"].as_dict() | {"name": "new ops"}
    assert "already exists" in shell.fails('%mailconn copy ops "new ops"')


def test_rename_takes_password_default_and_last_test_along(shell: Shell) -> None:
    keep("ops", username="ana")
    remember("ops", Secret(PASSWORD))
    last_tests.record("ops", ok=True, summary="ops: works", milliseconds=1)
    shell.ok("%mailconn default ops")
    shell.ok('%mailconn rename ops "new ops"')
    text = shell.ok("%mailconn show").text
    assert "ops" not in connections
    assert re.search("Connection name +new ops", text)
    assert re.search("Password +in this kernel only", text)
    assert re.search("Last test +passed", text)


def test_delete_needs_somebody_to_ask_or_yes(shell: Shell) -> None:
    keep("ops")
    assert "%mailconn delete ops --yes" in shell.fails("%mailconn delete ops")
    assert "ops" in connections
    shell.ok("%mailconn delete ops --yes")
    assert "ops" not in connections


def test_the_default_is_chosen_said_and_unset(shell: Shell) -> None:
    keep("ops")
    keep("relay")
    assert "no default" in shell.ok("%mailconn default").text
    shell.ok("%mailconn default OPS")
    assert "'ops'" in shell.ok("%mailconn default").text
    assert "Did you mean 'relay'?" in shell.fails("%mailconn default rely")
    shell.ok("%mailconn default --unset")
    assert connections.default is None


# Passwords


@pytest.mark.parametrize(
    "arguments",
    [
        "new ops --host mail.example.org --password hunter2",
        "edit ops --token=hunter2",
        "edit ops --proxy-password 'hunter2'",
        "edit ops --host smtp://ana:hunter2@mail.example.org",
        "edit ops --host ana:hunter2@mail.example.org",
        "password ops hunter2",
    ],
)
def test_a_password_in_the_cell_is_refused_and_never_repeated(shell: Shell, arguments: str) -> None:
    keep("ops")
    before = connections["ops"]
    shell.ok("%xmode Verbose")
    ran = shell.run(f"%mailconn {arguments}")
    assert isinstance(ran.error, PasswordRefused)
    assert "the notebook and the history keep what a cell says" in ran.text
    assert "%mailconn password NAME" in ran.text
    # A traceback would quote the cell.
    assert "hunter2" not in ran.text + shell.run("%tb").text
    assert connections["ops"] == before
    assert "hunter2" not in connections.where("ops").path.read_text()


def test_nothing_is_evaluated_when_a_password_is_refused(shell: Shell) -> None:
    shell.ok("asked = []")
    shell.fails("%mailconn new ops --password {asked.append(1)}")
    assert shell.ok("asked").value == []


def test_a_password_is_not_asked_for_where_nobody_is(shell: Shell) -> None:
    keep("ops")
    text = shell.fails("%mailconn password ops")
    assert "There is nobody to ask" in text
    assert "MAILCONN_OPS_PASSWORD" in text


def test_a_password_is_kept_for_a_stored_connection_alone(shell: Shell) -> None:
    keep("ops")
    assert "Did you mean 'ops'?" in shell.fails("%mailconn password opps")


def test_passwords_are_forgotten_and_what_the_environment_has_is_said(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep("ops", username="ana")
    remember("ops", Secret(PASSWORD))
    assert "forgotten" in shell.ok("%mailconn password ops --delete").text
    assert re.search("Password +not kept", shell.ok("%mailconn show ops").text)
    remember("ops", Secret(PASSWORD))
    remember("ops", Secret(PASSWORD), kind="proxy")
    assert "The proxy password of 'ops' is forgotten." in shell.ok("%mailconn password ops --proxy --delete").text
    assert (where("ops"), where("ops", kind="proxy")) == ("in this kernel only", "")
    monkeypatch.setenv("MAILCONN_OPS_PASSWORD", PASSWORD)
    text = shell.ok("%mailconn password ops --delete").text
    assert "MAILCONN_OPS_PASSWORD" in text
    assert PASSWORD not in text
