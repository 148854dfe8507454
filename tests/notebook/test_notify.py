"""``%%mailconn notify``: a mail when a cell ends or fails, which changes nothing about how it ends."""

from __future__ import annotations

import platform
import re
from pathlib import Path

import pytest

from mailconn_jupyter import sandbox
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.errors import MailConnError
from mailconn_jupyter.sandbox import Received, Sandbox
from mailconn_jupyter.store import connections
from tests.servers.counting import CountingServer, Fickle
from tests.servers.ports import free_ports
from tests.support import shells
from tests.support.composed import ATTACKS, harmless
from tests.support.shells import Shell, interrupt_after, keep, run_notebook

shell = shells.shell
clean_up = shells.clean_up

LINE = "%%mailconn notify sandbox --to ana@example.org"


@pytest.fixture
def server() -> Sandbox:
    return sandbox.start()


@pytest.fixture
def nowhere() -> None:
    keep(
        "ops",
        server_host="127.0.0.1",
        server_port=free_ports(1)[0],
        use_secure_authentication=False,
        from_address="me@example.org",
    )


def arrived(server: Sandbox) -> Received:
    (message,) = server.inbox
    return message


def test_a_cell_that_ends_is_told_of_with_its_duration_and_the_host(shell: Shell, server: Sandbox) -> None:
    ran = shell.ok(f"{LINE} --subject Training\nimport time\ntime.sleep(0.2)\nprint('as usual')\n6 * 7")
    assert ran.text.count("as usual") == 1
    assert re.search(r"Out\[[01]\]: 42", ran.text)
    message = arrived(server)
    assert re.fullmatch(r"Training: finished after 0\.\d s", message.subject)
    assert re.match(r"The cell finished after 0\.\d s\.\n\nIt began at 20\d\d-\d\d-\d\d \d\d:\d\d on ", message.text)
    assert platform.node() in message.text
    assert "as usual" not in message.text


def test_a_cell_that_fails_is_told_of_with_its_error_and_fails_with_it_once(shell: Shell, server: Sandbox) -> None:
    ran = shell.run(
        f"{LINE}\nsecret = 'correct-horse-battery'\ndef train(key):\n    return {{}}['week']\ntrain(secret)"
    )
    assert isinstance(ran.error, KeyError)
    assert ran.text.count("KeyError: 'week'") == 1
    assert "mailconn_jupyter" not in ran.text
    message = arrived(server)
    assert re.fullmatch(r"A cell: FAILED after \d\.\d s", message.subject)
    assert "KeyError: 'week'\n\nTraceback" in message.text
    assert "in train" in message.text
    # Neither locals nor the machinery around the cell.
    assert "correct-horse" not in message.text
    assert "IPython/core" not in message.text
    assert "mailconn_jupyter" not in message.text


def test_the_notebook_is_named_where_jupyter_says_it(
    shell: Shell, server: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "churn.ipynb").touch()
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "churn.ipynb"))
    shell.ok(f"{LINE}\nx = 1")
    assert arrived(server).subject.startswith("churn: finished after ")
    assert arrived(server).text.startswith("The cell in churn.ipynb finished")


def test_a_cell_that_ends_sooner_than_asked_for_sends_nothing(shell: Shell, server: Sandbox) -> None:
    shell.ok(f"{LINE} --if-longer 5\nx = 1")
    assert isinstance(shell.run(f"{LINE} --if-longer 5\n1 / 0").error, ZeroDivisionError)
    assert not len(server.inbox)
    shell.ok(f"{LINE} --if-longer 0.1\nimport time\ntime.sleep(0.2)")
    assert len(server.inbox) == 1
    assert "a number is expected" in shell.fails(f"{LINE} --if-longer soon\nx = 1")


def test_the_source_is_sent_when_asked_for(shell: Shell, server: Sandbox) -> None:
    shell.ok(f"{LINE} --code\nmarker = '<b>x</b>'")
    assert "marker = '<b>x</b>'" in arrived(server).text
    assert "<b>x</b>" not in arrived(server).html


def test_a_mail_that_fails_leaves_a_good_cell_good(shell: Shell, nowhere: None) -> None:
    ran = shell.ok("%%mailconn notify ops --to ana@example.org\nprint('the work is done')")
    assert "the work is done" in ran.text
    assert "The message was not sent." in ran.text


def test_a_mail_that_some_have_is_not_said_to_be_unsent(shell: Shell) -> None:
    with Fickle(rcpt=("250 ok", "550 5.1.1 no such user")) as server:
        keep(
            "ops",
            server_host="127.0.0.1",
            server_port=server.port,
            use_secure_authentication=False,
            from_address="me@example.org",
        )
        ran = shell.ok("%%mailconn notify ops --to ana@example.org --to bob@example.org\nprint('done')")
    assert "bob@example.org: refused (550 5.1.1 no such user)" in ran.text
    assert "The others have received it." in ran.text
    assert "not sent" not in ran.text


def test_a_mail_that_fails_never_hides_the_cells_own_error(shell: Shell, nowhere: None) -> None:
    ran = shell.run("%%mailconn notify ops --to ana@example.org\n1 / 0")
    assert isinstance(ran.error, ZeroDivisionError)
    assert "The message was not sent." in ran.text
    assert ran.text.count("ZeroDivisionError: division by zero") == 1


def test_a_wrong_line_is_told_before_the_cell_runs(shell: Shell, server: Sandbox) -> None:
    shell.ok("ran = []")
    for line in ("nowhere --to ana@example.org", "sandbox --to ana", "sandbox", "sandbox x --to ana@example.org"):
        assert isinstance(shell.run(f"%%mailconn notify {line}\nran.append(1)").error, MailConnError), line
    assert "two percent signs" in shell.fails("%mailconn notify sandbox --to ana@example.org")
    assert shell.ok("ran").value == []


def test_an_interrupted_cell_is_told_of_as_such(shell: Shell, server: Sandbox) -> None:
    with interrupt_after(0.5):
        ran = shell.run(f"{LINE}\nimport time\ntime.sleep(20)")
    assert isinstance(ran.error, KeyboardInterrupt)
    assert "was interrupted after 0." in arrived(server).subject


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_error_and_no_subject_is_markup(shell: Shell, server: Sandbox, attack: str) -> None:
    shell.ip.user_ns["attack"] = attack
    shell.fails(f"{LINE} --subject $attack --code\nraise ValueError(attack)")
    message = arrived(server)
    assert message.subject.startswith(attack)
    assert harmless(message.html)
    assert f"ValueError: {attack}" in message.text


def test_a_notebook_that_runs_without_a_person_stops_and_the_mail_is_sent(own_config: Path) -> None:
    with CountingServer() as counting:
        connections.save(
            MailConnection(
                name="ops",
                server_host=counting.host,
                server_port=counting.port,
                use_secure_authentication=False,
                from_address="me@example.org",
            )
        )
        cells, failure = run_notebook(
            ["%load_ext mailconn_jupyter", "%%mailconn notify ops --to ana@example.org\n1 / 0", "print('too far')"],
            folder=own_config,
        )
    assert "division by zero" in failure
    assert cells[2] == []
    assert len(counting.taken) == 1
    assert [output.ename for output in cells[1] if output.output_type == "error"] == ["ZeroDivisionError"]
