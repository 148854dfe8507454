"""The commands as functions: plain values in, values and what can show itself out; no IPython and no terminal."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator, Iterator
from types import ModuleType
from typing import Any

import pytest

from mailconn_jupyter.commands import COMMANDS, Command, Overview
from mailconn_jupyter.commands.arguments import Arguments
from mailconn_jupyter.commands.cell_mail import Cell
from mailconn_jupyter.commands.view import Aside, Question, View
from mailconn_jupyter.commands.wrong_usage import PasswordGiven, WrongUsage
from mailconn_jupyter.delivery.preview import Preview
from mailconn_jupyter.errors import MailConnError, StoreError
from mailconn_jupyter.store import connections
from tests.support import shells
from tests.support.shells import Shell, keep

shell = shells.shell
clean_up = shells.clean_up


def do(name: str, answer: str | None = None, /, **arguments: Any) -> tuple[list[object], Any]:
    """What a command says, with this answer to each of its questions, and its value."""
    result = COMMANDS[name].do(**arguments)
    said: list[object] = []
    if not isinstance(result, Generator):
        return said, result
    given = None
    while True:
        try:
            piece = result.send(given)
        except StopIteration as end:
            return said, end.value
        said.append(piece)
        given = answer if isinstance(piece, Question) else None


def test_a_connection_is_made_shown_changed_and_deleted_by_plain_functions() -> None:
    said, _ = do("new", target="ops", server_host="mail.example.org", proxy="socks5://ana@gate:1080")
    assert str(said[0]).startswith("Saved 'ops' in ")
    assert connections["ops"].proxy_host == "gate"
    assert do("new", target="ops", server_host="mail.example.org", proxy="socks5://ana@gate:1080")[0][0] == (
        "'ops' already exists, with the same options."
    )
    do("edit", target="ops", unset=["proxy-host", "use-proxy"], server_port="25")
    assert connections["ops"].port == 25
    [table], _ = do("list")
    assert isinstance(table, View)
    assert "mail.example.org:25" in repr(table)
    assert "<td" in table._repr_html_()
    [options], _ = do("show", target="ops")
    assert "mail.example.org" in repr(options)
    do("copy", old="ops", new="two")
    do("rename", old="two", new="three")
    assert do("default", target="three")[0] == ["The default connection is 'three' for sending."]
    assert set(connections) == {"ops", "three"}
    assert isinstance(do("doctor")[0][0], View)


def test_what_is_asked_is_answered_by_whoever_runs_the_command() -> None:
    keep("ops")
    with pytest.raises(StoreError, match="there is nobody to ask here"):
        do("delete", target="ops")
    said, _ = do("delete", "n", target="ops")
    assert said[-1] == "'ops' was not deleted."
    assert "ops" in connections
    said, _ = do("delete", "y", target="ops")
    assert isinstance(said[0], Question)
    assert said[-1] == "'ops' is deleted."
    assert "ops" not in connections


def test_a_test_that_fails_says_what_it_found_and_then_raises() -> None:
    keep("ops", server_host="127.0.0.1", server_port=1, use_secure_authentication=False)
    result = COMMANDS["test"].do(targets=["ops"], verbose=True)
    assert "connect       FAILED" in repr(next(result))
    with pytest.raises(MailConnError):
        list(result)


def test_a_password_in_the_line_is_refused_and_nothing_else_says_so_in_ipythons_way() -> None:
    with pytest.raises(PasswordGiven):
        do("password", target="ops", rest=["correct-horse"])
    with pytest.raises(WrongUsage, match="cannot be combined"):
        do("default", target="ops", unset=True)


def test_results_are_sent_as_they_are_given_and_warnings_are_asides() -> None:
    keep("ops", from_address="bob@example.org")
    mail = {"target": "ops", "to": ["ana@example.org"], "subject": " ", "preview": True}
    said, value = do("send", results=["A text."], **mail)
    assert isinstance(value, Preview)
    assert value.message.text.strip() == "A text."
    assert said == [Aside("The message has no subject.")]
    assert isinstance(said[0], Aside)


class _Ended:
    """A cell that has run somewhere."""

    seconds = 2.0
    interrupted = False
    ended = "finished after 2.0 s"
    left_out = ("A widget (IntSlider) is not sent: it only works in the notebook.",)

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error

    def content(self) -> list[Any]:
        return ["shown"]

    def fail(self) -> Any:
        assert self.error is not None
        raise self.error


class _Cell:
    source = "work()\n"

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error

    def run(self, *, record: bool, stderr: bool = False) -> _Ended:
        return _Ended(self.error)


def test_a_cell_is_run_by_whoever_has_it() -> None:
    keep("ops", from_address="bob@example.org")
    cell: Cell = _Cell()
    mail = {"target": "ops", "to": ["ana@example.org"], "subject": "Churn", "preview": True}
    said, value = do("send", cell=cell, code=True, on_error="always", **mail)
    assert value is None
    [aside, preview] = said
    assert isinstance(aside, Aside)
    assert isinstance(preview, Preview)
    assert preview.message.text.split() == ["The", "cell", "finished", "after", "2.0", "s.", "work()", "shown"]
    result: Iterator[object] = COMMANDS["send"].do(cell=_Cell(ZeroDivisionError("its own")), on_error="send", **mail)
    shown: list[object] = []
    with pytest.raises(ZeroDivisionError, match="its own"):
        shown.extend(result)  # one step
    with pytest.raises(WrongUsage, match="takes no results"):
        do("send", cell=cell, results=["df"], **mail)


def test_no_command_needs_ipython() -> None:
    code = """if True:
        import sys
        from mailconn_jupyter.commands import COMMANDS
        for command in COMMANDS.values():
            command.parser().format_help()
            for place in filter(None, (command.function, command.below)):
                module, _, name = place.partition(":")
                assert callable(getattr(__import__(f"mailconn_jupyter.commands.{module}", fromlist=[name]), name))
        print(*sorted({"IPython", "ipywidgets", "mailconn_jupyter.notebook"} & set(sys.modules)))
    """
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_new_command_is_one_row_and_one_function(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def ping(*, target: str) -> Iterator[str]:
        yield f"{target} is alive"

    def arguments(parser: Arguments) -> None:
        parser.add_argument("target", metavar="NAME")

    module = ModuleType("mailconn_jupyter.commands.pinging")
    vars(module)["ping"] = ping
    monkeypatch.setitem(sys.modules, module.__name__, module)
    row = Command("ping", "NAME", "Whether the server is alive.", "pinging:ping", arguments, 1)
    monkeypatch.setitem(COMMANDS, row.name, row)
    keep("ops")
    assert shell.ok("%mailconn ping ops").text == "ops is alive\n"
    assert "%mailconn ping NAME" in repr(Overview())
    assert "Whether the server is alive." in shell.ok("%mailconn ping -h").text
    assert shell.tab("%mailconn pi") == ["%mailconn ping"]
    assert shell.tab("%mailconn ping o") == ["%mailconn ping ops"]
    assert "Did you mean 'ping'?" in shell.fails("%mailconn pign ops")
