"""The lines that a person is told to run: for any name, the magic reads that name back."""

from __future__ import annotations

import ast
import re
from argparse import Namespace
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import assume, example, given, settings, strategies
from IPython.core.inputtransformer2 import TransformerManager

from mailconn_jupyter.commands import COMMANDS
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.credentials import Kind, naming
from mailconn_jupyter.errors import OptionError
from mailconn_jupyter.names import quote
from mailconn_jupyter.notebook.magic import dispatch
from mailconn_jupyter.notebook.usage_error import PasswordRefused
from mailconn_jupyter.session.opening.hints import hint_for
from tests.support import shells
from tests.support.shells import Shell, keep

shell = shells.shell
clean_up = shells.clean_up

CELLS = TransformerManager()  # type: ignore[no-untyped-call]
HARD = [
    "it's",
    'say "hi"',
    "a$b",
    "{x}",
    "-x",
    "--proxy",
    "what?",
    "back\\",
    "a b",
    "'''",
    "#1",
    "a;b",
    "token=1",
    "\N{EN DASH}x",
    "-h",
]


def read(line: str, *, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The arguments that IPython and the magic make of a line; nothing is done with them."""
    [call] = ast.parse(CELLS.transform_cell(line)).body
    assert isinstance(call, ast.Expr)
    assert isinstance(call.value, ast.Call)
    assert ast.unparse(call.value.func) == "get_ipython().run_line_magic"
    magic, rest = map(ast.literal_eval, call.value.args)
    assert magic == "mailconn"
    found: list[Any] = []
    with monkeypatch.context() as patch:
        patch.setattr(
            "mailconn_jupyter.commands.Command.do", lambda _, **arguments: found.append(Namespace(**arguments))
        )
        dispatch.run(rest, {})
    return found[0]


def lines(name: str) -> Iterator[str]:
    """Every command with the name, as the package writes it."""
    yield naming.command(name, Kind.PASSWORD)
    yield naming.command(name, Kind.PROXY)
    yield f"%mailconn show {quote(name)}"
    yield f"%mailconn delete {quote(name)} --yes"
    yield f"%mailconn edit {quote(name)} --host mail.example.org"
    if name != "--":  # which argparse takes for the end of the flags
        yield f"%mailconn sandbox --name {quote(name)}"
    proxied: dict[str, Any] = {"use_proxy": True, "proxy_host": "gate", "proxy_username": "ana"}
    connection = MailConnection(name=name, server_host="mail.example.org", **proxied)
    for cause in ("wrong-password", "proxy-login"):
        yield re.sub(r"^.*: (?=%mailconn password )", "", hint_for(cause, connection))


@given(strategies.text(min_size=1, max_size=30) | strategies.text(alphabet="ab -'\"$?\\={}@:/;#%", min_size=1))
@settings(max_examples=200)
def test_a_name_in_a_printed_line_is_read_back_by_the_magic(name: str) -> None:
    try:
        name = MailConnection(name=name).name
    except OptionError:
        assume(False)
    with pytest.MonkeyPatch.context() as monkeypatch:
        for line in lines(name):
            try:
                arguments = read(line, monkeypatch=monkeypatch)
            except PasswordRefused:
                # Whoever calls a connection --password=x or //ana:x@host has it refused in every cell.
                assume(False)
            assert getattr(arguments, "target", None) or arguments.name == name
            assert name in vars(arguments).values()


for hard in HARD:
    test_a_name_in_a_printed_line_is_read_back_by_the_magic = example(hard)(
        test_a_name_in_a_printed_line_is_read_back_by_the_magic
    )


@pytest.mark.parametrize("name", HARD)
def test_a_printed_line_runs_in_a_notebook(name: str, shell: Shell) -> None:
    keep(name, username="ana")
    ran = shell.ok(f"%mailconn show {quote(name)}")
    assert "mail.example.org" in ran.text
    told = shell.fails(f"%mailconn delete {quote(name)}")
    line = re.search(r"%mailconn delete .* --yes", told)
    assert line
    shell.ok(line.group())
    assert "There is no mail server connection yet" in shell.ok("%mailconn").text


def test_a_word_in_quotes_is_a_text_and_no_flag(shell: Shell) -> None:
    keep("-x")
    assert "mail.example.org" in shell.ok('%mailconn show "-x"').text
    assert "has no flag -x" in shell.fails("%mailconn show -x")
    assert "mail.example.org" in shell.ok("%mailconn show -- -x").text
    assert set(COMMANDS) >= {"show", "password"}
