"""Tab after ``%mailconn``, in a real completer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mailconn_jupyter.commands import COMMANDS
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.notebook import extension
from mailconn_jupyter.store import ConnectionStore, connections
from tests.support import shells
from tests.support.shells import Kernel, Shell

shell = shells.shell
kernel = shells.kernel

NAMES = ("ops", "weekly", "Big mail", "5$ {a}", 'say "hi"')


@pytest.fixture(autouse=True)
def stored(own_config: Path) -> None:
    for name in NAMES:
        connections.save(MailConnection(name=name, server_host="mail.example.org"))


def test_commands_come_first(shell: Shell) -> None:
    assert shell.tab("%mailconn ") == [f"%mailconn {name}" for name in [*COMMANDS, "help"]]
    assert shell.tab("%mailconn de") == ["%mailconn delete", "%mailconn default"]


@pytest.mark.parametrize(
    "command", ["show", "edit", "test", "connect", "password", "copy", "rename", "delete", "form", "default"]
)
def test_names_of_connections_follow_these_commands(shell: Shell, command: str) -> None:
    assert shell.tab(f"%mailconn {command} w") == [f"%mailconn {command} weekly"]


def test_a_new_connection_and_help_have_no_stored_names(shell: Shell) -> None:
    assert "%mailconn new weekly" not in shell.tab("%mailconn new w")
    assert shell.tab("%mailconn help te") == ["%mailconn help test"]


def test_names_are_completed_in_an_assignment(shell: Shell) -> None:
    assert shell.tab("s = %mailconn connect w") == ["s = %mailconn connect weekly"]
    assert shell.tab("a, b = %mailconn connect w") == ["a, b = %mailconn connect weekly"]


def test_names_are_completed_in_any_line_of_a_cell(shell: Shell) -> None:
    assert shell.tab("import os\n%mailconn test w|\nx = 1") == ["import os\n%mailconn test weekly\nx = 1"]
    assert shell.tab("%mailconn \\\n  connect \\\n  w") == ["%mailconn \\\n  connect \\\n  weekly"]


def test_other_lines_are_left_alone(shell: Shell) -> None:
    shell.ip.user_ns["weather"] = 1
    assert "x = weather" in shell.tab("x = wea")
    for line in ["# %mailconn connect w", "%time connect w", "print(1) # %mailconn test w"]:
        assert not [text for text in shell.tab(line) if "weekly" in text]


def test_case_does_not_matter_for_a_name(shell: Shell) -> None:
    assert shell.tab("%mailconn show WEE") == ["%mailconn show weekly"]


def test_a_name_that_needs_quotes_gets_them(shell: Shell) -> None:
    assert shell.tab("%mailconn show bi") == ['%mailconn show "Big mail"']
    assert shell.tab("%mailconn show 5") == ['%mailconn show "5$$ {{a}}"']
    assert shell.tab("%mailconn show sa") == ["%mailconn show 'say \"hi\"'"]


def test_an_open_quote_is_kept_and_closed(shell: Shell) -> None:
    assert shell.tab('%mailconn show "big ma') == ['%mailconn show "Big mail"']
    assert shell.tab("%mailconn show 'big ma") == ["%mailconn show 'Big mail'"]


def test_a_quote_that_the_editor_has_closed_is_not_closed_twice(shell: Shell) -> None:
    assert shell.tab('%mailconn show "big|"') == ['%mailconn show "Big mail"']


def test_what_is_completed_is_what_the_magic_understands(shell: Shell) -> None:
    for line in shell.tab("%mailconn show "):
        shell.ok(line)
    assert len(shell.tab("%mailconn show ")) == len(NAMES)


def test_a_name_is_offered_once_for_a_test_of_several(shell: Shell) -> None:
    assert "%mailconn test ops ops" not in shell.tab("%mailconn test ops ")
    assert "%mailconn test ops weekly" in shell.tab("%mailconn test ops ")


def test_flags_are_those_of_the_command(shell: Shell) -> None:
    assert "%mailconn new ops --server-host" in shell.tab("%mailconn new ops --s")
    assert "%mailconn new ops --no-use-proxy" in shell.tab("%mailconn new ops --no-u")
    assert shell.tab("%mailconn delete ops --y") == ["%mailconn delete ops --yes"]
    assert shell.tab("%mailconn test --a") == ["%mailconn test --all"]


def test_a_flag_that_was_given_is_not_offered_again(shell: Shell) -> None:
    assert "%mailconn new ops --port 25 --server-port" not in shell.tab("%mailconn new ops --port 25 --server")
    assert "%mailconn edit ops --unset port --unset" in shell.tab("%mailconn edit ops --unset port --un")


def test_a_flag_that_may_be_repeated_is_offered_again(shell: Shell) -> None:
    for line in ("send ops --to a@b.c --t", "send ops --notify delay --notif", "people team --remove a@b.c --rem"):
        repeated = line.rpartition(" ")[2]
        assert any(text.rpartition(" ")[2].startswith(repeated) for text in shell.tab(f"%mailconn {line}"))


def test_every_file_of_a_check_is_completed_as_a_file_is(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "first.json").touch()
    (tmp_path / "second.json").touch()
    assert "%mailconn check first.json" in shell.tab("%mailconn check fi")
    assert "%mailconn check first.json second.json" in shell.tab("%mailconn check first.json se")


def test_the_words_of_an_argument_are_offered(shell: Shell) -> None:
    assert shell.tab("%mailconn autoload o") == ["%mailconn autoload on", "%mailconn autoload off"]


def test_a_new_connection_with_a_name_is_offered_its_flags(shell: Shell) -> None:
    assert "%mailconn new ops --protocol" in shell.tab("%mailconn new ops ")


def test_the_choices_of_an_option_follow_its_flag(shell: Shell) -> None:
    line = "%mailconn new x --protocol "
    assert shell.tab(line) == [line + word for word in ("SMTP", "IMAP", "POP3", "MBOX", "GRAPH")]
    assert shell.tab("%mailconn new x --protocol=i") == ["%mailconn new x --protocol=IMAP"]
    assert shell.tab("%mailconn new --secure-authentication-type tls1") == [
        "%mailconn new --secure-authentication-type TLS1.2"
    ]


def test_the_options_follow_unset(shell: Shell) -> None:
    assert shell.tab("%mailconn edit ops --unset server-p") == ["%mailconn edit ops --unset server-port"]


def test_the_value_of_a_flag_is_not_taken_for_a_name(shell: Shell) -> None:
    assert shell.tab("%mailconn edit --username ana w") == ["%mailconn edit --username ana weekly"]


def test_a_store_that_fails_leaves_the_completion_silent(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(self: ConnectionStore) -> Any:
        raise OSError("the disk is gone")

    monkeypatch.setattr(ConnectionStore, "values", broken)
    assert not [text for text in shell.tab("%mailconn show w") if "weekly" in text]
    assert "disk" not in "".join(capsys.readouterr())


def test_an_unreadable_file_hides_nothing_else(shell: Shell) -> None:
    (connections.folder / "broken.json").write_text("{")
    assert shell.tab("%mailconn show w") == ["%mailconn show weekly"]


def test_nothing_of_ours_completes_after_unloading(shell: Shell) -> None:
    shell.ok("%unload_ext mailconn_jupyter")
    assert extension.matcher not in shell.ip.Completer.custom_matchers
    assert "%mailconn show weekly" not in shell.tab("%mailconn show w")


def test_a_kernel_completes_for_a_notebook(kernel: Kernel) -> None:
    code = 's = %mailconn connect "big'
    reply = kernel.complete(code)
    assert reply["matches"] == ['"Big mail"']
    assert code[reply["cursor_start"] : reply["cursor_end"]] == '"big'


def test_a_name_that_begins_with_a_dash_is_offered_in_quotes_and_a_flag_as_it_is(shell: Shell) -> None:
    connections.save(MailConnection(name="-x", server_host="mail.example.org"))
    assert '%mailconn show "-x"' in shell.tab("%mailconn show ")
    assert shell.tab("%mailconn test --al") == ["%mailconn test --all"]
