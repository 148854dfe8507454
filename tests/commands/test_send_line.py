"""The line of ``%mailconn send``: the connection that may be left out, the subject of a cell, the marks of a message."""

from __future__ import annotations

import pytest

from mailconn_jupyter import sandbox
from mailconn_jupyter.commands import COMMANDS
from mailconn_jupyter.commands.arguments import Words
from mailconn_jupyter.message.compose import compose
from mailconn_jupyter.notebook.usage_error import PasswordRefused, UsageError
from mailconn_jupyter.sandbox import Received, Sandbox
from mailconn_jupyter.store import connections
from tests.support import shells
from tests.support.shells import Shell, keep

shell = shells.shell
clean_up = shells.clean_up

PEOPLE = "--to ana@example.org --subject Churn"
CELL = "%%mailconn send sandbox --to ana@example.org"


@pytest.fixture
def server() -> Sandbox:
    return sandbox.start()


def arrived(server: Sandbox) -> Received:
    """The last message, which is taken out."""
    message = server.inbox[-1]
    server.inbox.clear()
    return message


# The connection


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ("churn", "2.5"),
        ("churn week", "2.5\n\n47"),
        ("$churn", "2.5"),
        ("{churn + week}", "49.5"),
        ("round(churn,0)", "2.0"),
        ("max({1:churn})", "1"),
        ('"Up by {churn} %" week', "Up by 2.5 %\n\n47"),
    ],
)
def test_without_a_connection_the_first_word_is_a_result(
    shell: Shell, server: Sandbox, results: str, said: str
) -> None:
    shell.ok("churn, week = 2.5, 47")
    shell.ok(f"%mailconn send {PEOPLE} {results}")
    assert arrived(server).text.strip() == said
    shell.ok(f"%mailconn send {results} {PEOPLE}")
    assert arrived(server).text.strip() == said


def test_a_connection_may_be_named_by_a_variable_and_in_quotes(shell: Shell, server: Sandbox) -> None:
    shell.ok("name = 'sandbox'")
    for name in ("$name", "{name}", '"$name"', "Sandbox", "sand{'box'}"):
        shell.ok(f"%mailconn send {name} {PEOPLE} 42")
        assert arrived(server).text.strip() == "42"


def test_a_name_that_is_both_is_the_connection_and_in_braces_the_variable(shell: Shell, server: Sandbox) -> None:
    shell.ok("sandbox = 42")
    assert "nothing to send" in shell.fails(f"%mailconn send sandbox {PEOPLE}")
    shell.ok(f"%mailconn send {{sandbox}} {PEOPLE}")
    assert arrived(server).text.strip() == "42"


def test_a_word_that_is_neither_is_told_of_as_both(shell: Shell, server: Sandbox) -> None:
    shell.ok("churn = 1")
    ran = shell.run(f"%mailconn send sandbax {PEOPLE} churn")
    assert isinstance(ran.error, UsageError)
    assert "There is no connection 'sandbax'. Did you mean 'sandbox'?" in ran.text
    assert "Nor is it a result: the name 'sandbax' is not defined." in ran.text
    assert "Did you mean 'churn'?" in shell.fails(f"%mailconn send chrun {PEOPLE}")


@pytest.mark.parametrize("name", ["all", "id", "print"])
def test_a_name_that_only_python_has_is_neither(shell: Shell, server: Sandbox, name: str) -> None:
    said = shell.fails(f"%mailconn send {name} {PEOPLE} 42")
    assert f"There is no connection '{name}'." in said
    assert f"the name '{name}' is not defined" in said
    assert not len(server.inbox)


def test_a_misspelt_connection_in_quotes_is_not_sent_as_a_text(shell: Shell, server: Sandbox) -> None:
    keep("Big mail")
    connections.default = "sandbox"
    assert "Did you mean 'Big mail'?" in shell.fails(f'%mailconn send "Big mial" {PEOPLE} 42')
    assert not len(server.inbox)


def test_with_several_connections_and_no_default_it_asks_which(shell: Shell, server: Sandbox) -> None:
    keep("ops")
    assert "Which connection? There are 2: ops, sandbox." in shell.fails(f"%mailconn send {PEOPLE} 42")


def test_what_is_computed_is_computed_once_and_after_the_flags(shell: Shell, server: Sandbox) -> None:
    shell.ok("ran = []\ndef train():\n    ran.append(1)\n    return 42")
    shell.fails(f"%mailconn send {PEOPLE} --rows many train()")
    assert shell.ok("ran").value == []
    for result in ("train()", "{train()}"):
        shell.ok(f"%mailconn send {PEOPLE} {result}")
    assert shell.ok("ran").value == [1, 1]


def test_tab_offers_results_where_the_connection_may_be_left_out(shell: Shell) -> None:
    keep("churning")
    shell.ok("churn_by_week = 1")
    assert shell.tab("%mailconn send chur") == ["%mailconn send churning", "%mailconn send churn_by_week"]


# No password


@pytest.mark.parametrize("subject", ['"CI: pass=12 fail=0"', "'http://h:3000/x by ops@example.org'", "$title"])
def test_a_subject_and_a_text_may_speak_of_passes_and_ports(shell: Shell, server: Sandbox, subject: str) -> None:
    shell.ok("title = 'pass=12 fail=0'")
    shell.ok(f'%mailconn send sandbox --to ana@example.org --subject {subject} "tests pass=12"')
    assert arrived(server).text.strip() == "tests pass=12"


@pytest.mark.parametrize("line", ["--password 'hunter2", "--subject 'x --token=hunter2", '"--password" hunter2'])
def test_a_password_is_refused_however_it_is_quoted(shell: Shell, line: str) -> None:
    ran = shell.run(f"%mailconn send ops {line}")
    assert isinstance(ran.error, PasswordRefused)
    assert "hunter2" not in ran.text


def test_an_open_quote_is_no_password(shell: Shell) -> None:
    assert "is not closed" in shell.fails('%mailconn send ops --subject "CI: pass=12')


@pytest.mark.parametrize("text", ["-5 % since Monday", "-5", "- churn", "--- churn ---", "-churn rose"])
def test_a_text_may_begin_with_a_dash(shell: Shell, server: Sandbox, text: str) -> None:
    shell.ip.user_ns["text"] = text
    for word in (f"'{text}'", "'$text'", "$text"):
        shell.ok(f"%mailconn send sandbox --to ana@example.org --subject {word} {word}")
        message = arrived(server)
        assert (message.subject, message.text.strip()) == (text, text)


# The subject of a cell


@pytest.mark.parametrize(
    "flag",
    [
        "--subject 'Mean {m}'",
        '--subject "Mean $m"',
        "--subject='Mean {m}'",
        "--subject 'Mean {min(n for n in [m])}'",
        "--subject 'Mean {m:.0f}'",
    ],
)
def test_the_subject_tells_of_what_the_cell_has_made(shell: Shell, server: Sandbox, flag: str) -> None:
    for value in (6, 7):
        shell.ok(f"{CELL} {flag}\nm = {value}\nprint(m)")
        assert arrived(server).subject == f"Mean {value}"


def test_a_name_that_nothing_makes_is_told_before_the_cell_runs(shell: Shell, server: Sandbox) -> None:
    shell.ok("ran, week = [], 47")
    told = "'weak' is not defined, nor does it appear in the cell. Did you mean 'week'?"
    assert told in shell.fails(f"{CELL} --subject 'Week {{weak}}'\nran.append(1)")
    assert "SyntaxError" in shell.fails(f"{CELL} --subject 'Week {{week +}}'\nran.append(1)")
    assert shell.ok("ran").value == []


def test_names_may_come_from_where_nobody_sees_them(shell: Shell, server: Sandbox) -> None:
    shell.ok(f"{CELL} --subject 'Pi {{round(pi, 2)}}'\nfrom math import *\nprint(1)")
    assert arrived(server).subject == "Pi 3.14"


def test_a_subject_that_cannot_be_made_sends_nothing_and_fails_the_cell(shell: Shell, server: Sandbox) -> None:
    for subject in ("{1 / m}", "{n}", "x{chr(10 + m)}Bcc: eve@example.org"):
        text = shell.fails(f"{CELL} --subject '{subject}'\nm = 0\nprint('done')\nif m:\n    n = 1")
        assert "done" in text
        assert "ubject" in text
        assert "Nothing was sent" in text
    assert not len(server.inbox)


def test_a_cell_that_fails_is_told_of_with_the_subject_as_it_is_written(shell: Shell, server: Sandbox) -> None:
    shell.fails(f"{CELL} --on-error send --subject 'Mean {{m}}'\n1 / 0\nm = 1")
    assert arrived(server).subject == "FAILED: Mean {m}"
    shell.fails("%%mailconn notify sandbox --to ana@example.org --subject 'Mean {m}'\n1 / 0\nm = 1")
    assert arrived(server).subject.startswith("Mean {m}: FAILED")
    shell.ok("%%mailconn notify sandbox --to ana@example.org --subject 'Mean {m}'\nm = 1")
    assert arrived(server).subject.startswith("Mean 1: finished")


# The marks of a message


@pytest.mark.parametrize("cell", [True, False])
def test_answers_marks_and_headers_are_chosen_in_the_line(shell: Shell, server: Sandbox, cell: bool) -> None:
    line = (
        f"mailconn send sandbox {PEOPLE} --reply-to 'Bo <bo@example.org>' --reply-to cy@example.org --priority high "
        "--importance HIGH --sensitivity private --header 'X-Run: 4:7' --header 'X-Tag: a' --header 'X-Tag: b'"
    )
    shell.ok(f"%%{line}\nprint(1)" if cell else f"%{line} 1")
    message = arrived(server).message
    assert message["Reply-To"] == "Bo <bo@example.org>, cy@example.org"
    assert message["X-Priority"] == "2 (High)"
    assert (message["Importance"], message["Sensitivity"]) == ("high", "Private")
    assert (message["X-Run"], message.get_all("X-Tag")) == ("4:7", ["a", "b"])


def test_a_notice_has_them_too(shell: Shell, server: Sandbox) -> None:
    shell.ok("%%mailconn notify sandbox --to ana@example.org --priority highest --reply-to bo@example.org\nx = 1")
    message = arrived(server).message
    assert (message["X-Priority"], message["Reply-To"]) == ("1 (Highest)", "bo@example.org")


def test_every_word_of_the_flags_is_one_that_a_message_takes() -> None:
    flags = COMMANDS["send"].parser().flags()
    for name in ("priority", "importance", "sensitivity"):
        kind = flags[f"--{name}"].type
        assert isinstance(kind, Words)
        for word in kind.words:
            options: dict[str, str] = {name: word}
            compose("ana@example.org", "s", "x", **options)  # type: ignore[arg-type]


def test_a_limit_is_bytes_or_has_a_unit(shell: Shell, server: Sandbox) -> None:
    for limit in ("3000", "3kB", "3 KB", "0.003M", "3_000"):
        assert "more than the 3.0 kB" in shell.fails(f"%mailconn send {PEOPLE} --limit '{limit}' 'x'*5000")
    shell.ok(f"%mailconn send {PEOPLE} --limit 40MB 'x'*5000")
    assert "such as 40MB" in shell.fails(f"%mailconn send {PEOPLE} --limit much 1")


def test_tab_completes_the_words_of_the_marks(shell: Shell) -> None:
    keep("ops")
    assert shell.tab("%mailconn send ops --sensitivity conf") == ["%mailconn send ops --sensitivity confidential"]
    assert shell.tab("%%mailconn notify ops --priority lowe") == ["%%mailconn notify ops --priority lowest"]
    assert "%mailconn send ops --header 'a: b' --header" in shell.tab("%mailconn send ops --header 'a: b' --hea")
