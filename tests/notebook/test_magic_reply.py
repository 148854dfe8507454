"""``--reply-to-message``: what a line or a cell sends stands in the thread of a message, by its variable, its Message-ID or its ID."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter import sandbox
from mailconn_jupyter.message.incoming.parsed import ParsedMessage
from mailconn_jupyter.sandbox import Received, Sandbox
from tests.support.shells import Shell, clean_up, shell

__all__ = ["clean_up", "shell"]

LINE = "mailconn send sandbox --to eve@example.org"
READ = ParsedMessage(b"From: ana@example.org\nSubject: Churn\nMessage-ID: <3@example.org>\n\nThree things.\n")


@pytest.fixture
def server(shell: Shell) -> Iterator[Sandbox]:
    started = sandbox.start()
    shell.ip.user_ns["message"] = READ
    yield started
    started.stop()


def arrived(server: Sandbox) -> Received:
    message = server.inbox[-1]
    server.inbox.clear()
    return message


@pytest.mark.parametrize(
    "flag",
    [
        "--reply-to-message $message",
        "--reply-to-message {message}",
        "--reply-to-message={message}",
        "--reply-to-message {[message][0]}",
    ],
)
def test_a_message_is_meant_by_its_variable(shell: Shell, server: Sandbox, flag: str) -> None:
    shell.ok(f"%{LINE} {flag} 42")
    answer = arrived(server)
    assert (answer.message["In-Reply-To"], answer.message["References"]) == ("<3@example.org>", "<3@example.org>")
    assert (answer.subject, answer.message["To"]) == ("Re: Churn", "eve@example.org")


def test_a_subject_of_its_own_stays(shell: Shell, server: Sandbox) -> None:
    shell.ok(f'%{LINE} --reply-to-message $message --subject "Another" 42')
    assert arrived(server).subject == "Another"


def test_what_was_sent_is_meant_by_its_message_id_by_a_text_that_is_one_and_by_its_id(
    shell: Shell, server: Sandbox
) -> None:
    report = mailconn.send("sandbox", "ana@example.org", "Churn", "x")
    shell.ip.user_ns["sent"] = report.message_id
    shown = shell.ok("%mailconn sent").text
    (key,) = {line.split()[-1] for line in shown.splitlines() if "Churn" in line}
    for name in (
        report.message_id,
        f'"{report.message_id}"',
        "$sent",
        "{sent}",
        '"{sent}"',
        key,
        "{mailconn.sent().iloc[-1]}",
    ):
        shell.ip.user_ns["mailconn"] = mailconn
        shell.ok(f"%{LINE} --reply-to-message {name} 42")
        answer = arrived(server)
        assert (answer.message["In-Reply-To"], answer.subject) == (report.message_id, "Re: Churn")


def test_a_cell_answers_too_and_says_so_when_it_fails(shell: Shell, server: Sandbox) -> None:
    shell.ok(f"%%{LINE} --reply-to-message $message\nprint(42)")
    answer = arrived(server)
    assert (answer.message["In-Reply-To"], answer.subject) == ("<3@example.org>", "Re: Churn")
    shell.fails(f"%%{LINE} --reply-to-message $message --on-error send\n1 / 0")
    answer = arrived(server)
    assert (answer.message["In-Reply-To"], answer.subject) == ("<3@example.org>", "FAILED: Re: Churn")


def test_what_is_wrong_is_told_before_anything_is_sent_or_run(shell: Shell, server: Sandbox) -> None:
    missing = "the following arguments are required: --subject"
    assert missing in shell.fails(f"%{LINE} 42")
    assert missing in shell.fails(f"%%{LINE}\nran = True")
    assert "'nothing' is not a Message-ID, nor the ID of a message" in shell.fails(
        f"%{LINE} --reply-to-message nothing 42"
    )
    assert "3 is not a message." in shell.fails(f"%%{LINE} --reply-to-message {{1 + 2}}\nran = True")
    assert "the name 'mesage' is not defined" in shell.fails(f"%{LINE} --reply-to-message $mesage 42")
    shell.ip.user_ns["nobody"] = None
    for written in "$nobody", "{nobody}":
        assert f"{written} is None." in shell.fails(f"%{LINE} --reply-to-message {written} 42")
    assert "ran" not in shell.ip.user_ns
    assert not len(server.inbox)
