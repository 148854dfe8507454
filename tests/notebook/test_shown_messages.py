"""A message as the last value of a cell, and as the outcome of a dry run."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from mailconn_jupyter import compose, connect, connections, sandbox, send
from mailconn_jupyter.delivery.trial import send_trial
from mailconn_jupyter.errors import OptionError
from tests.support.shells import Shell, clean_up, keep, shell

__all__ = ["clean_up", "shell"]

COMPOSED = (
    "import mailconn_jupyter as mailconn\nmailconn.compose('ana@example.org', 'Churn', mailconn.Markdown('Fine.'))"
)


def shown(shell: Shell, value: object) -> Any:
    """What a notebook shows of it."""
    assert shell.ip.display_formatter is not None
    return shell.ip.display_formatter.format(value)[0].get("text/html")  # type: ignore[no-untyped-call]


def test_a_composed_message_is_shown_as_it_will_arrive(shell: Shell) -> None:
    ran = shell.ok(COMPOSED)
    assert isinstance(ran.value, EmailMessage)
    assert "ana@example.org" in ran.text
    assert ran.text.rstrip().endswith("Fine.")
    html = shown(shell, ran.value)
    assert "ana@example.org" in html
    assert 'sandbox=""' in html


def test_what_cannot_be_sent_is_shown_as_python_shows_it(shell: Shell) -> None:
    cell = "from email.message import EmailMessage\nm = EmailMessage()\nm['To'] = 'a@example.org b@example.org'\nm"
    ran = shell.ok(cell)
    assert "EmailMessage object at" in ran.text
    assert shown(shell, ran.value) is None


def test_unloading_takes_it_away_and_leaves_what_somebody_else_has_set(shell: Shell) -> None:
    shell.ok("%unload_ext mailconn_jupyter")
    assert "message.EmailMessage at 0x" in shell.ok(COMPOSED).text
    assert shell.ip.display_formatter is not None
    formatter = shell.ip.display_formatter.formatters["text/html"]
    formatter.for_type(EmailMessage, lambda _: "<b>mine</b>")
    try:
        shell.ok("%load_ext mailconn_jupyter")
        assert shown(shell, shell.ok(COMPOSED).value) == "<b>mine</b>"
        shell.ok("%unload_ext mailconn_jupyter")
        assert shown(shell, shell.ok(COMPOSED).value) == "<b>mine</b>"
    finally:
        formatter.pop(EmailMessage)


def test_a_dry_run_shows_the_message_that_was_not_sent() -> None:
    ops = keep("ops", server_host="mail.example.org", from_address="bob@example.org")
    report = send(ops, "ana@example.org", "Churn", "Fine.", dry_run=True)
    assert "Not sent, as asked" in repr(report)
    assert repr(report).rstrip().endswith("Fine.")
    assert "nothing was sent" in report._repr_html_()


def test_a_test_sends_a_mail_where_it_is_asked_to_and_only_when_it_has_passed(shell: Shell) -> None:
    server = sandbox.start()
    shell.ok("%mailconn test sandbox --mail ana@example.org")
    assert [message.subject for message in server.inbox] == ["A test of your mail connection"]
    assert "'sandbox' works" in server.inbox[0].text
    keep("dead", server_host="127.0.0.1", server_port=1)
    shell.fails("%mailconn test dead --mail ana@example.org")
    assert "a single connection" in shell.fails("%mailconn test --all --mail ana@example.org")
    assert len(server.inbox) == 1


def test_what_reads_mail_is_told_before_anything_is_opened(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "mbox").touch()
    box = keep("box", protocol="MBOX", server_host=str(tmp_path / "mbox"))
    keep("dead", protocol="IMAP", server_host="127.0.0.1", server_port=1)
    assert "IMAP reads mail" in shell.fails("%mailconn test dead --mail ana@example.org")
    with pytest.raises(OptionError, match="IMAP reads mail"):
        send_trial(connections["dead"], "ana@example.org")
    with connect(box) as session, pytest.raises(OptionError, match="This session: MBOX reads mail; only SMTP"):
        send(session, "ana@example.org", "x", "y")


def test_a_connection_without_a_sender_is_told_so_when_it_is_made_and_tested(shell: Shell) -> None:
    assert "--from-address" in shell.ok("%mailconn new ops mail.example.org --username ana").text
    assert "--from-address" not in shell.ok("%mailconn new box mail.example.org --username ana --protocol IMAP").text
    assert "--from-address" not in shell.ok("%mailconn new full mail.example.org --username ana@example.org").text
    shell.ok("%mailconn sandbox")
    assert "Sender: you@sandbox.test" in shell.ok("%mailconn test sandbox").text
    assert compose("ana@example.org", "s", "t")["From"] is None
