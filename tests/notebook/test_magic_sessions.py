"""``%mailconn`` in a real IPython: testing, connecting, the sandbox and the form."""

from __future__ import annotations

import re
import time

import pytest

from mailconn_jupyter import sandbox
from mailconn_jupyter.credentials import resolve
from mailconn_jupyter.errors import MailConnError, OpenError
from mailconn_jupyter.session.smtp.session import SMTPSession
from mailconn_jupyter.store import connections, last_tests
from tests.servers.ports import free_ports
from tests.support import shells
from tests.support.shells import Shell, interrupt_after, keep, silent_server

shell = shells.shell
clean_up = shells.clean_up


def test_a_test_that_passes_shows_its_report_and_is_remembered(shell: Shell) -> None:
    sandbox.start()
    ran = shell.ok("%mailconn test sandbox")
    assert ran.value is None
    assert "sandbox: works" in ran.text
    assert "<table>" in ran.html
    assert re.search("sandbox .* passed 20", shell.ok("%mailconn").text)


def test_a_verbose_test_prints_the_conversation_with_stars_for_the_password(shell: Shell) -> None:
    running = sandbox.start()
    secret = resolve(running.name, ask=False).secret.reveal()
    text = shell.ok("%mailconn test sandbox --verbose").text
    assert re.search(r"^S: 220 ", text, re.MULTILINE)
    assert re.search(r"^C: AUTH PLAIN \*+$", text, re.MULTILINE)
    assert secret not in text
    assert "C: AUTH" not in shell.ok("%mailconn test sandbox").text


def test_a_test_that_fails_shows_its_report_and_fails_the_cell(shell: Shell) -> None:
    keep("ops", server_host="127.0.0.1", server_port=free_ports(1)[0])
    ran = shell.run("%mailconn test")
    assert isinstance(ran.error, OpenError)
    assert ran.error.stage == "connect"
    assert re.search("connect +FAILED", ran.text)
    assert "Traceback" not in ran.text
    assert re.search("ops .* FAILED 20.*connect failed", shell.ok("%mailconn").text)


def test_several_tests_make_one_table_and_the_failed_ones_are_named(shell: Shell) -> None:
    sandbox.start()
    keep("ops", server_host="127.0.0.1", server_port=free_ports(1)[0])
    ran = shell.run("%mailconn test sandbox OPS ops")
    assert "1 of 2 tests failed: ops." in str(ran.error)
    assert re.search(r"^ops +FAILED +\d+ ms +ops: connect failed", ran.text, re.MULTILINE)
    assert re.search(r"^sandbox +passed +\d+ ms", ran.text, re.MULTILINE)
    shell.ok("%mailconn delete ops --yes")
    shell.ok("%mailconn test --all")


def test_all_are_tested_in_the_time_of_the_slowest(shell: Shell) -> None:
    with silent_server() as port:
        for number in range(4):
            keep(f"slow {number}", server_host="127.0.0.1", server_port=port, timeout=1)
        start = time.monotonic()
        shell.fails("%mailconn test --all")
    assert time.monotonic() - start < 10


def test_a_test_without_any_connection_says_how_to_make_one(shell: Shell) -> None:
    for cell in ("%mailconn test", "%mailconn test --all", "%mailconn connect", "%mailconn show"):
        assert "%mailconn new NAME" in shell.fails(cell)


@pytest.mark.parametrize("arguments", ["test slow", "test --all", "connect slow"])
def test_an_interrupt_ends_it_at_once_with_one_line(shell: Shell, arguments: str) -> None:
    with silent_server() as port:
        keep("slow", server_host="127.0.0.1", server_port=port, timeout=30)
        start = time.monotonic()
        with interrupt_after(0.5):
            ran = shell.run(f"%mailconn {arguments}")
    assert time.monotonic() - start < 5
    assert isinstance(ran.error, MailConnError)
    assert "interrupted" in ran.text
    assert "Traceback" not in ran.text
    # An interrupted test says nothing of the server.
    assert last_tests.last("slow") is None


def test_connect_gives_an_open_session(shell: Shell) -> None:
    sandbox.start()
    session = shell.ok("smtp = %mailconn connect sandbox\nsmtp").value
    assert isinstance(session, SMTPSession)
    assert session.noop()[0] == 250
    session.quit()


def test_the_sandbox_is_started_tested_shown_and_stopped(shell: Shell) -> None:
    ran = shell.ok("inbox = %mailconn sandbox")
    assert "sandbox: works" in ran.text
    shell.ok("smtp = %mailconn connect sandbox")
    shell.ok(
        "refused = smtp.sendmail('ana@example.org', ['bo@example.org'], 'Subject: Weekly\\n\\nHello'); _ = smtp.quit()"
    )
    assert "Weekly" in shell.ok("%mailconn sandbox").text
    assert shell.ok("inbox[-1].subject").value == "Weekly"
    assert "stopped" in shell.ok("%mailconn sandbox --stop").text
    assert "No sandbox" in shell.ok("%mailconn sandbox --stop").text
    assert "sandbox" not in connections


def test_the_form_is_the_value_of_its_cell(shell: Shell) -> None:
    keep("ops")
    form = shell.ok("form = %mailconn form ops\nform").value
    assert type(form).__name__ == "Form"
    form.close()
