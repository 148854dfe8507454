"""What people write when they mean something else, and the sentence that says what they meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas
import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.errors import MailConnError, MailConnWarning
from mailconn_jupyter.store import connections
from tests.support.shells import Shell, clean_up, keep, shell

__all__ = ["clean_up", "shell"]


@pytest.fixture
def ops() -> None:
    keep("ops", server_host="smtp.example.org", from_address="me@example.org", use_authentication=False)


def composed(**options: Any) -> Any:
    return mailconn.send("ops", "ana@example.org", "Churn", "Fine.", dry_run=True, **options)


# In Python

CALLS = {
    'send("ops", "ana@example.org", "s", "t", attachment="r.csv")': "Did you mean 'attachments'?",
    'send("ops", "ana@example.org", "s", "t", files="r.csv")': "Did you mean 'attachments'?",
    'send("ops", "ana@example.org", "s", body="t")': "after the subject",
    'send("ops", "ana@example.org", "s", contents=["t"])': "after the subject",
    'send("ops", "ana@example.org", "s", html="<p>t</p>")': "after the subject",
    'compose("ana@example.org", "s", text="t")': "compose(to, subject, *content",
    'send("ops", recipients="ana@example.org", subject="s")': "Did you mean 'to'?",
    'send("ops", "ana@example.org", "s", "t", from_="me@example.org")': "Did you mean 'sender'?",
    'send("ops", "ana@example.org", "s", "t", dryrun=True)': "Did you mean 'dry_run'?",
    'send("ops", "ana@example.org", "s", "t", priorty="high")': "Did you mean 'priority'?",
    'send("ops", "ana@example.org", "s", "t", password="x")': "mailconn.set_password(name)",
    'send(to="ana@example.org", subject="s")': "send(target, to, subject, *content",
    'send("ops", "ana@example.org")': "subject",
    "compose()": "compose(to, subject, *content",
    "connect_smtp(nmae='ops')": "connect_smtp() has no keyword 'nmae'",
    'send("ana@example.org", "s", "t")': "an address; the connection comes before it",
    'send("op", "ana@example.org", "s", "t")': "Did you mean 'ops'?",
    'send("ops", "Ana", "s", "t")': "Did you mean Ana@example.org?",
    'send("ops", "ana@example.org", ["s"], "t")': 'The order is: compose("ana@example.org", "The subject", content, ...)',
    'send("ops", "ana@example.org; bea@example.org", "s", "t", dry_run=True)': "",
    'send("ops", "ana@example.org", "s", Path("r.csv"))': "attachments=path",
    'send("ops", "ana@example.org", "s", attachments="no such file.csv")': "no such file.csv",
    'send("ops", "ana@example.org", "s", print)': "a function that was not called",
    'send("ops", "ana@example.org", "s", object())': "object",
    'send("ops", "ana@example.org", "s")': "no content and no attachment",
    'MailConnection(name="x", host="h")': "Did you mean 'server_host'?",
    'MailConnection(name="x", port=25)': "Did you mean 'server_port'?",
    'MailConnection(name="x", user="ana")': "Did you mean 'username'?",
    'MailConnection(name="x", password="x")': "mailconn.set_password(name)",
    'messages("ops")': "SMTP",
    'send("ops", "ana@example.org", 47, "t")': "The subject must be text, not 47.",
    'send("ops", "ana@example.org", None, "t")': "The subject must be text, not None.",
    'send("ops", "ana@example.org", "s", "t", headers="X-Run: 47")': 'headers={"X-Run": "47"}',
    'send("ops", pandas.DataFrame({"email": ["ana@example.org"]}), "s", "t")': 'df["email"]',
    'send_many("ops", pandas.DataFrame({"email": ["ana@example.org"]}))': "mailconn.merge(...)",
}


@pytest.mark.parametrize("call", [call for call, said in CALLS.items() if said])
def test_a_call_that_means_something_else_is_told_what(ops: None, call: str) -> None:
    names = {name: getattr(mailconn, name) for name in dir(mailconn)} | {"Path": Path, "pandas": pandas}
    with pytest.raises(MailConnError) as caught:
        eval(call, names)  # the calls above
    assert CALLS[call] in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 2


@pytest.mark.parametrize("name", ["r.csv", "deep/r.csv"])
def test_a_text_that_names_a_file_is_sent_and_told(
    ops: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("a,b\n")
    monkeypatch.chdir(tmp_path)
    with pytest.warns(MailConnWarning, match=f"'{name}' is sent as text, but there is a file of that name"):
        assert mailconn.compose("ana@example.org", "s", name, sender="me@example.org")


def test_a_text_that_may_name_a_file_only_by_chance_is_sent_without_a_word(
    ops: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    (tmp_path / "Hello").mkdir()
    monkeypatch.chdir(tmp_path)
    for text in ("Hello", "", "a\0b", "x" * 5000, "Hello\nthere", "r.csv"):
        mailconn.compose("ana@example.org", "s", text, sender="me@example.org")
    assert not recwarn.list


def test_a_text_with_a_place_to_fill_in_is_sent_and_told(ops: None) -> None:
    with pytest.warns(MailConnWarning, match=r"'\{\{ name \}\}' is sent as it stands; mailconn.Template\(...\)"):
        mailconn.compose("ana@example.org", "s", "Dear {{ name }},", sender="me@example.org")


# In a line of the magic

LINES = {
    "%mailconn send ops --to ana@example.org bea@example.org --subject s": "--to ana@example.org --to bea@example.org",
    "%mailconn send ops --to ana@example.org, bea@example.org --subject s": '--to "ana@example.org, bea@example.org"',
    "%mailconn send --to ana@example.org --subject s": "there is nothing to send",
    "%mailconn send ana@example.org --subject s text": "--to",
    "%mailconn send ops --to ana@example.org --subjet s 'text'": "Did you mean '--subject'?",
    "%mailconn snd ops": "Did you mean 'send'?",
    "%mailconn ops": "That is a connection: %mailconn show ops",
    "%mailconn new ops2 smtp.example.org --host mail.example.org": "twice",
    "%mailconn new ops2 smtp.example.org 587": "one argument too many",
    "%mailconn new ops2": "missing",
    "%mailconn new my ops": "the second word is not a host; a name with spaces goes in quotes",
    "%mailconn test --mail": "--mail",
    "%%mailconn show\n1": "does not take a cell",
    "%mailconn notify --to ana@example.org": "%%mailconn notify",
    "%mailconn new ana@example.org": "%mailconn find ana@example.org proposes a server for an address.",
    "%mailconn edit ops server_port 25": "2 arguments too many; the flag is --server-port",
    "%mailconn sandbox stop": "one argument too many; the flag is --stop",
    "%mailconn remove ops": "Did you mean 'delete'?",
    "%mailconn ls": "Did you mean 'list'?",
    "%mailconn password": "required: NAME.",
}


@pytest.mark.parametrize("line", LINES)
def test_a_line_that_means_something_else_is_told_what(ops: None, shell: Shell, line: str) -> None:
    assert LINES[line] in shell.fails(line)


def test_a_list_of_addresses_in_a_line_is_all_of_them(ops: None, shell: Shell) -> None:
    shell.ok("team = ['ana@example.org', 'Bea <bea@example.org>']")
    ran = shell.ok(
        "report = %mailconn send ops --to $team --subject s 'text' --dry-run\nlist(report.message['To'].addresses)"
    )
    assert [address.addr_spec for address in ran.value] == ["ana@example.org", "bea@example.org"]


def test_a_file_alone_is_sent_by_the_magic(ops: None, shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("a,b\n")
    ran = shell.ok(f"%mailconn send ops --to ana@example.org --subject s --attach {tmp_path}/r.csv --dry-run")
    assert "ana@example.org" in ran.text or "ana@example.org" in str(ran.value)


@pytest.mark.parametrize(
    ("words", "host", "port"),
    [("smtp.example.org", "smtp.example.org", 587), ("localhost", "localhost", 587)],
)
def test_the_second_word_of_new_is_the_host(shell: Shell, words: str, host: str, port: int) -> None:
    shell.ok(f"%mailconn new mine {words}")
    assert (connections["mine"].server_host, connections["mine"].port) == (host, port)


def test_a_mistyped_domain_of_a_large_provider_is_told(shell: Shell) -> None:
    # Nothing answers at these names, or somebody else does: neither is what was meant.
    for typed, meant in {"gmial.com": "gmail.com", "outlok.com": "outlook.com", "yaho.com": "yahoo.com"}.items():
        assert f"Did you mean ana@{meant}?" in repr(mailconn.discover(f"ana@{typed}", deadline=0.01))


def test_an_unknown_keyword_of_a_connection_keeps_what_is_known() -> None:
    with pytest.raises(MailConnError, match="server_host"):
        MailConnection(name="x", sever_host="h")  # type: ignore[call-arg]
