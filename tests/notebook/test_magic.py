"""``%mailconn`` in a real IPython: the list, doctor, help, errors, loading."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from IPython.core.error import UsageError as IPythonUsageError

import mailconn_jupyter
from mailconn_jupyter.commands import COMMANDS
from mailconn_jupyter.errors import MailConnError, OptionError, StoreError
from mailconn_jupyter.notebook import extension
from mailconn_jupyter.notebook.extension import MailConn
from mailconn_jupyter.store import connections, last_tests
from tests.support import shells
from tests.support.shells import Shell, keep

shell = shells.shell
clean_up = shells.clean_up

PASSWORD = "correct-horse-battery"


# The list


def test_an_empty_list_says_how_to_make_the_first(shell: Shell) -> None:
    ran = shell.ok("%mailconn")
    assert "%mailconn new NAME HOST" in ran.text
    assert "%mailconn form" in ran.html


def test_the_list_has_each_connection_with_its_marks_and_its_last_test(shell: Shell, tmp_path: Path) -> None:
    keep("ops", username="ana", secure_authentication_type="SSL")
    keep("relay", server_host="2001:db8::1", use_secure_authentication=False)
    keep("archive", protocol="MBOX", server_host="/var/mail/in.mbox")
    last_tests.record("ops", ok=True, summary="ops: works", milliseconds=12)
    last_tests.record("relay", ok=False, summary="relay: nobody answers", milliseconds=12)
    shell.ok("%mailconn default Ops")
    rows = {line.split()[0]: line for line in shell.ok("%mailconn").text.splitlines() if line}
    assert re.search(
        r"SMTP +mail\.example\.org:465 +SSL +ana +default +passed 20\d\d-\d\d-\d\d \d\d:\d\d$", rows["ops"]
    )
    assert re.search(r"SMTP +\[2001:db8::1\]:25 +none +FAILED .*: relay: nobody answers$", rows["relay"])
    assert re.search(r"MBOX +/var/mail/in\.mbox$", rows["archive"])


def test_shared_and_locked_connections_are_marked(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "etc" / "mailconn"
    shared.mkdir(parents=True)
    for name, locked in (("house", False), ("law", True)):
        content = {"name": name, "protocol": "SMTP", "server_host": "mail.example.org", "locked": locked}
        (shared / f"{name}.json").write_text(json.dumps(content))
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(shared.parent))
    lines = shell.ok("%mailconn").text.splitlines()
    assert any(re.match("house .* shared$", line) for line in lines)
    assert any(re.match("law .* locked$", line) for line in lines)
    assert "shared, locked" in shell.ok("%mailconn show law").text
    assert "locked" in shell.fails("%mailconn edit law --port 25")


def test_an_unreadable_file_is_named_under_the_table(shell: Shell) -> None:
    keep("ops")
    broken = connections.folder / "broken.json"
    broken.write_text("{")
    ran = shell.ok("%mailconn")
    assert "ops" in ran.text
    assert str(broken) in ran.text
    assert str(broken) in ran.html
    assert broken.read_text() == "{"


def test_nothing_of_a_connection_is_markup(shell: Shell) -> None:
    keep("<b>ops</b>", username="<script>alert(1)</script>")
    for cell in ("%mailconn", "%mailconn show <b>ops</b>", "%mailconn doctor"):
        html = shell.ok(cell).html
        assert "<table>" in html
        assert "<b>" not in html
        assert "<script>" not in html


def test_the_magic_shows_its_tables_once(shell: Shell) -> None:
    keep("ops")
    for cell in ("%mailconn", "%mailconn show ops", "%mailconn doctor", "%mailconn help", "%mailconn default ops"):
        ran = shell.ok(cell)
        assert ran.value is None
        assert "Out[" not in ran.text


# doctor, help


def test_doctor_says_where_what_and_what_is_wrong(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    keep("ops")
    monkeypatch.setenv("MAILCONN_OPS_PASSWORD", PASSWORD)
    connections.where("ops").path.chmod(0o644)
    (connections.folder / "broken.json").write_text("{")
    ran = shell.ok("%mailconn doctor")
    assert f"{connections.folder} (1; writable)" in ran.text
    for words in ("Python", "OpenSSL", "ipywidgets", "Keyring +NOT USABLE", "Shared connections", "JUPYTER_CONFIG_DIR"):
        assert re.search(words, ran.text)
    assert re.search("PROBLEM .*ops.json: Others can read", ran.text)
    assert re.search("PROBLEM .*broken.json: It is not used", ran.text)
    assert "MAILCONN_OPS_PASSWORD" in ran.text
    assert PASSWORD not in ran.text + ran.html


def test_doctor_says_where_the_keys_of_tls_are_written(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "SSLKEYLOGFILE" not in shell.ok("%mailconn doctor").text
    monkeypatch.setenv("SSLKEYLOGFILE", "/tmp/keys.log")
    assert re.search(
        "SSLKEYLOGFILE +/tmp/keys.log receives the keys of every TLS link", shell.ok("%mailconn doctor").text
    )


def test_doctor_works_where_nothing_was_made_yet(shell: Shell) -> None:
    text = shell.ok("%mailconn doctor").text
    assert "(0; made at the first save)" in text
    assert "Problems" in text
    assert not connections.folder.exists()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_that_is_printed_and_does_nothing(shell: Shell, name: str) -> None:
    for cell in (f"%mailconn {name} -h", f"%mailconn {name} x --help", f"%mailconn help {name}"):
        ran = shell.ok(cell)
        assert ran.text.startswith(f"usage: {COMMANDS[name].line.partition(' ')[0]} {name}")
        assert ran.value is None
    assert not connections.folder.exists()


def test_the_help_has_every_command(shell: Shell) -> None:
    for cell in ("%mailconn help", "%mailconn -h", "%mailconn --help"):
        text = shell.ok(cell).text
        assert all(f"%mailconn {name}" in text for name in COMMANDS)


# Errors


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("tset", "Did you mean 'test'?"),
        ("ops", "%mailconn show ops"),
        ("show opps", "Did you mean 'ops'?"),
        ("edit ops --server-hots x", "Did you mean '--server-host'?"),
        ("edit ops --protocol SMPT", "Did you mean 'SMTP'?"),
        ("edit ops --port 70000", "70000 is not a port"),
        ("edit ops --host $hots", "'hots' is not defined"),
        ('show "ops', "not closed"),
        ("show ops two", "too many"),
        ("help tset", "Did you mean 'test'?"),
        ("--all", "A command comes first"),
    ],
)
def test_a_mistake_is_one_or_two_lines_and_an_error(shell: Shell, arguments: str, words: str) -> None:
    keep("ops")
    ran = shell.run(f"%mailconn {arguments}")
    assert isinstance(ran.error, MailConnError)
    assert words in ran.text
    assert len(ran.text.strip().splitlines()) <= 2


def test_wrong_arguments_are_caught_as_ipythons_own_error(shell: Shell) -> None:
    error = shell.run("%mailconn tset").error
    assert isinstance(error, IPythonUsageError)
    assert not isinstance(error, OptionError | StoreError)


def test_the_whole_cause_is_a_tb_away(shell: Shell) -> None:
    short = shell.fails("%mailconn new ops --host {1 / 0}")
    assert "Traceback" not in short
    whole = shell.run("%tb").text
    assert "Traceback" in whole
    assert "ZeroDivisionError: division by zero" in whole


# Loading


def parts_of(shell: Shell) -> tuple[int, int, bool]:
    ip = shell.ip
    return (
        sum(isinstance(part, MailConn) for part in ip.configurables),
        ip.Completer.custom_matchers.count(extension.matcher),
        ip.find_line_magic("mailconn") is not None,  # type: ignore[no-untyped-call]
    )


def test_loading_twice_leaves_one_of_each(shell: Shell) -> None:
    assert parts_of(shell) == (1, 1, True)
    mailconn_jupyter.load_ipython_extension(shell.ip)
    shell.ok("%reload_ext mailconn_jupyter")
    assert parts_of(shell) == (1, 1, True)


def test_unloading_leaves_nothing(shell: Shell) -> None:
    shell.ok("%unload_ext mailconn_jupyter")
    assert parts_of(shell) == (0, 0, False)
    assert "MailConn" not in shell.ip.magics_manager.registry
    mailconn_jupyter.unload_ipython_extension(shell.ip)
    shell.ok("%load_ext mailconn_jupyter")
    assert parts_of(shell) == (1, 1, True)


def test_unloading_leaves_a_magic_of_that_name_that_is_not_ours(shell: Shell) -> None:
    shell.ok("from IPython.core.magic import register_line_magic")
    shell.ok("register_line_magic('mailconn')(lambda line: 'mine'); None")
    shell.ok("%unload_ext mailconn_jupyter")
    assert shell.ok("%mailconn").value == "mine"


def test_loading_imports_no_widget_no_keyring_and_no_socket_and_none_of_ipythons_own_magics() -> None:
    code = """if True:
        import sys
        from traitlets.config import Config
        from IPython.core.interactiveshell import InteractiveShell
        config = Config()
        config.HistoryManager.enabled = False
        ip = InteractiveShell(config=config)
        before = set(sys.modules)
        ip.extension_manager.load_extension("mailconn_jupyter")
        print(*sorted(set(sys.modules) - before))
    """
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {
        "mailconn_jupyter",
        "mailconn_jupyter.notebook",
        "mailconn_jupyter.notebook.extension",
        "mailconn_jupyter.progress",
    }


def test_every_public_name_is_there_and_named_once() -> None:
    assert len(set(mailconn_jupyter.__all__)) == len(mailconn_jupyter.__all__)
    assert set(mailconn_jupyter.__all__) <= set(dir(mailconn_jupyter))
    for name in mailconn_jupyter.__all__:
        assert getattr(mailconn_jupyter, name) is not None
    assert issubclass(mailconn_jupyter.OpenError, mailconn_jupyter.MailConnError)
    assert mailconn_jupyter.__version__
    with pytest.raises(AttributeError, match="'nothing'"):
        _ = mailconn_jupyter.nothing  # type: ignore[attr-defined]  # that is what is asked
