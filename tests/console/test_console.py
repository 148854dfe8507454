"""``jupyter mailconn``: the commands in a terminal, by a line and its exit code."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import mailconn_jupyter
from mailconn_jupyter import credentials
from mailconn_jupyter.commands import COMMANDS
from mailconn_jupyter.console.run_line import main
from mailconn_jupyter.console.terminal import CALLED
from mailconn_jupyter.credentials.memory import memory
from mailconn_jupyter.store import connections
from tests.interchange.examples import OPS
from tests.servers.certificates import Certificates
from tests.servers.issuer import Issuer
from tests.servers.postfix import Postfix
from tests.support.keyring_backends import Shelf, using
from tests.support.shells import keep

Output = pytest.CaptureFixture[str]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """The same in a process of its own."""
    line = [sys.executable, "-m", "mailconn_jupyter.console", *words]
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)


def test_a_connection_is_made_shown_listed_changed_and_deleted(capsys: Output) -> None:
    assert main(["new", "big mail", "mail.example.org", "--username", "ana"]) == 0
    assert 'Try it: jupyter mailconn test "big mail"' in capsys.readouterr().out
    assert main(["show", "big mail"]) == 0
    assert "mail.example.org" in capsys.readouterr().out
    assert main(["edit", "big mail", "--server-port", "2525"]) == 0
    assert main([]) == main(["list"]) == 0
    assert "mail.example.org:2525" in capsys.readouterr().out
    assert main(["delete", "big mail"]) == 1
    assert 'jupyter mailconn delete "big mail" --yes' in capsys.readouterr().err
    assert main(["delete", "big mail", "--yes"]) == 0
    assert list(connections) == []


def test_a_real_server_is_tested_and_the_exit_code_says_how_it_ended(
    postfix: Postfix, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(
        "ops",
        server_host="localhost",
        server_port=postfix.submission,
        username="alice",
        ca_file=str(certificates.ca.pem),
    )
    monkeypatch.setenv("MAILCONN_OPS_PASSWORD", "s3cret")
    passed = run("test", "ops", "--verbose")
    assert passed.returncode == 0, passed.stderr
    assert "authenticate" in passed.stdout
    assert "s3cret" not in passed.stdout + passed.stderr
    monkeypatch.setenv("MAILCONN_OPS_PASSWORD", "wr0ng-one")
    failed = run("test", "ops")
    assert failed.returncode == 1
    assert "authenticate failed" in failed.stderr
    assert "wr0ng" not in failed.stdout + failed.stderr


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        (["shw"], 2, "jupyter mailconn has no command 'shw'. Did you mean 'show'?"),
        (["form"], 2, "it needs a notebook, where it is %mailconn form"),
        (["show", "--nme"], 2, "jupyter mailconn show has no flag --nme"),
        (["show", "nobody"], 1, "There is no connection 'nobody'."),
        (["new"], 2, "jupyter mailconn new"),
        (["new", "ops", "mail.example.org", "--password", "correct-horse"], 2, "A password cannot be given here"),
        (["import", "smtps://ana:correct-horse@mail.example.org"], 2, "A URL with a password cannot be given here"),
        (["help", "shw"], 2, "has no command 'shw'"),
        (["export", "ops"], 1, "There is no connection"),
    ],
)
def test_a_line_that_cannot_be_done_is_an_error_of_a_line_or_two(
    capsys: Output, line: Sequence[str], code: int, said: str
) -> None:
    if line[0] == "export":
        line = [*line, "--to", "url"]
    assert main(list(line)) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert len(captured.err.splitlines()) <= 2
    assert "correct-horse" not in captured.err


def test_the_help_names_what_a_terminal_can_do_and_no_line_names_the_magic(capsys: Output) -> None:
    for line in ([], ["help"], ["-h"], ["--help"]):
        assert main(line) == 0
    said = capsys.readouterr().out
    for name, command in COMMANDS.items():
        assert (f"jupyter mailconn {name}" in said) == (not command.notebook)
        if not command.notebook:
            assert main(["help", name]) == main([name, "-h"]) == 0
    said = capsys.readouterr().out
    assert "usage: jupyter mailconn new NAME HOST" in said
    assert "%mailconn test" not in said


def test_a_password_is_kept_in_the_keyring_or_the_command_fails(
    capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep("ops", username="ana")
    monkeypatch.setattr("getpass.getpass", lambda _asked: "correct-horse")
    assert main(["password", "ops"]) == 1
    assert "cannot be kept: there is no safe keyring here" in capsys.readouterr().err
    # A process that goes on keeps what is typed in it, as ever.
    assert memory.lasts
    assert not credentials.where("ops")
    with using(Shelf()):
        assert main(["password", "ops"]) == 0
        assert "is kept in the keyring" in capsys.readouterr().out
        assert credentials.resolve("ops", ask=False).secret.reveal() == "correct-horse"


def test_an_import_says_what_was_saved_before_it_fails_for_its_password(capsys: Output) -> None:
    assert main(["import", str(OPS), "--save"]) == 1
    captured = capsys.readouterr()
    assert "Saved 'ops'." in captured.out
    assert "The password for 'ops' cannot be kept" in captured.err
    assert list(connections) == ["ops"]


def test_an_export_can_be_sent_into_a_file(capsys: Output) -> None:
    keep("ops", username="ana")
    assert main(["export", "ops", "--to", "hop"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["serverHost"] == "mail.example.org"
    assert "It contains no secret" in captured.err


def test_no_file_moves_the_cursor_of_the_terminal(own_config: Path, capsys: Output) -> None:
    folder = own_config / "mailconn"
    folder.mkdir(parents=True, mode=0o700)
    said = {"name": "ops", "server_host": "mail.example.org", "\x1b[2J\x1b]0;owned\x07": "x", "\u202eevil": 1}
    (folder / "ops.json").write_text(json.dumps(said), encoding="utf-8")
    (folder / "b\x1b[31m.json").write_text("{", encoding="utf-8")
    assert main(["list"]) == 0
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "Unknown key" in out
    assert not {"\x1b", "\x07", "\u202e"} & set(out)


def test_a_terminal_of_ascii_shows_a_name_in_cyrillic(monkeypatch: pytest.MonkeyPatch) -> None:
    keep("Почта отдела")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = run("list")
    assert done.returncode == 0
    assert r"\u041f\u043e\u0447\u0442\u0430" in done.stdout


def test_a_warning_is_a_line_without_code(capsys: Output) -> None:
    assert main(["new", "\N{CYRILLIC SMALL LETTER O}ps", "mail.example.org"]) == 0
    captured = capsys.readouterr()
    assert "Warning: " in captured.err
    assert ".py" not in captured.err


def test_who_reads_may_stop_reading() -> None:
    for number in range(50):
        keep(f"c{number}")
    line = f"{sys.executable} -m mailconn_jupyter.console list | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60, check=True)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_a_machine_without_ipython_and_without_a_display_has_the_commands() -> None:
    code = """if True:
        import os, sys
        for name in ("IPython", "ipykernel", "ipywidgets", "anywidget"):
            sys.modules[name] = None
        os.environ.pop("DISPLAY", None)
        from mailconn_jupyter.console.run_line import main
        for line in (["new", "ops", "mail.example.org"], ["list"], ["show", "ops"], ["doctor"], ["check", sys.argv[1]],
                     ["export", "ops", "--to", "url"], ["autoload", "on"], ["autoload"], ["autoload", "off"]):
            assert main(line) == 0, line
        print(*sorted(name for name in sys.modules if name.startswith("mailconn_jupyter.notebook")))
    """
    done = subprocess.run(
        [sys.executable, "-c", code, str(connections.folder)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == ""


def test_jupyter_finds_the_command(tmp_path: Path) -> None:
    import tomllib  # noqa: PLC0415

    project = Path(__file__).parents[2] / "pyproject.toml"
    where = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["scripts"]["jupyter-mailconn"]
    module, _, function = where.partition(":")
    script = tmp_path / "jupyter-mailconn"
    script.write_text(f"#!{sys.executable}\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n")
    script.chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    line = [sys.executable, "-m", "jupyter", "mailconn", "show", "nobody"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert (done.returncode, "There is no connection 'nobody'." in done.stderr) == (1, True), done.stderr


def test_a_question_is_asked_in_a_terminal_and_answered_there() -> None:
    pty = pytest.importorskip("pty")
    keep("ops")
    master, slave = pty.openpty()
    said: list[bytes] = []
    process = subprocess.Popen(
        [sys.executable, "-m", "mailconn_jupyter.console", "delete", "ops"], stdin=slave, stdout=slave, stderr=slave
    )
    os.close(slave)

    def read() -> None:
        while True:
            try:
                part = os.read(master, 1000)
            except OSError:
                return
            said.append(part)
            if b"[y/N]" in part:
                os.write(master, b"y\n")

    reader = threading.Thread(target=read)
    reader.start()
    assert process.wait(60) == 0
    reader.join(10)
    os.close(master)
    assert b"'ops' is deleted." in b"".join(said)
    assert list(connections) == []


class Watched(io.StringIO):
    """A stream that has a person look at it, who enters the code that it shows."""

    def __init__(self, issuer: Issuer) -> None:
        super().__init__()
        self.issuer = issuer
        self.person: threading.Thread | None = None

    def write(self, text: str) -> int:
        code = re.search(r"\b[A-Z]{4}-[A-Z]{4}\b", text)
        if code and self.person is None:
            page = f"{self.issuer.url}/device"
            self.person = threading.Thread(target=self.issuer.browser().enter, args=(page, code[0]))
            self.person.start()
        return super().write(text)


def test_a_person_signs_in_in_a_terminal_and_is_signed_in_from_then_on(
    issuer: Issuer, certificates: Certificates, token_postfix: Postfix, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    keep(
        "ops",
        server_host="localhost",
        server_port=token_postfix.smtps,
        secure_authentication_type="SSL",
        username="alice",
        ca_file=str(certificates.ca.pem),
        oauth_issuer=issuer.url,
        oauth_client_id="mailconn",
    )
    before = issuer.secrets()
    assert main(["signin", "ops"]) == 1
    # Nobody is asked to sign in for nothing.
    assert "cannot be kept: there is no safe keyring here" in capsys.readouterr().err
    watched = Watched(issuer)
    with using(Shelf()), monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", watched)
        assert main(["signin", "ops"]) == 0, watched.getvalue()
        assert watched.person is not None
        watched.person.join()
        assert "press Ctrl-C to cancel" in watched.getvalue()
        assert main(["show", "ops"]) == main(["test", "ops"]) == main(["signout", "ops"]) == 0
    said = capsys.readouterr().out + watched.getvalue()
    assert "Signed in for 'ops' as alice; kept in the keyring" in said
    assert "renewed by itself" in said
    assert "'ops' is signed out" in said
    assert not [secret for secret in {*issuer.secrets()} - {*before} if secret in said]


def test_a_sign_in_is_interrupted_by_a_key(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(**_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mailconn_jupyter.commands.listing.show", interrupted)
    assert main(["show", "ops"]) == 130
    assert capsys.readouterr().err == "Interrupted.\n"


def test_what_a_terminal_calls_otherwise_is_what_the_commands_say() -> None:
    package = Path(mailconn_jupyter.__file__).parent
    sources = "".join(
        path.read_text(encoding="utf-8") for path in package.rglob("*.py") if path.parent.name != "console"
    )
    assert [words for words in CALLED if words not in sources and not words.startswith(" in a notebook")] == []


def test_the_doctor_ends_with_the_code_of_a_failure_where_it_has_found_a_problem(
    own_config: Path, capsys: Output
) -> None:
    assert main(["doctor"]) == 0
    keep("ops")
    assert main(["doctor"]) == 0
    assert "Problems  " in capsys.readouterr().out
    (own_config / "mailconn" / "broken.json").write_text("{", encoding="utf-8")
    assert main(["doctor"]) == 1
    captured = capsys.readouterr()
    assert ("PROBLEM" in captured.out, captured.err) == (True, "")
