"""Reports that nobody is there for: by cron and systemd, with Papermill, ``jupyter execute`` and a script."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from mailconn_jupyter import MailConnection, connections
from tests.servers import Certificates, Postfix
from tests.servers.dovecot import USERS
from tests.servers.require import require, require_packages
from tests.support.saved_notebooks import keep, words

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
UNITS = dict(re.findall(r"^```ini\n# \S*/(\S+)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE))
CRONTAB = re.findall(r"^```crontab\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


@pytest.fixture
def job(postfix: Postfix, certificates: Certificates, own_config: Path, tmp_path: Path) -> dict[str, str]:
    """The little that a job's environment has: the password is in a file."""
    ops = MailConnection(
        name="ops",
        server_host="localhost",
        server_port=postfix.submission,
        ca_file=str(certificates.ca.pem),
        username="alice",
        from_address="alice@example.test",
    )
    connections.save(ops)
    secrets = tmp_path / "secrets"
    secrets.mkdir(0o700)
    (secrets / "MAILCONN_OPS_PASSWORD").write_text(USERS["alice"], encoding="utf-8")
    (secrets / "MAILCONN_OPS_PASSWORD").chmod(0o600)
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "JUPYTER_CONFIG_DIR": str(own_config),
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "CREDENTIALS_DIRECTORY": str(secrets),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }


def cell(source: str, *tags: str) -> Any:
    return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)})  # type: ignore[no-untyped-call]


def report(folder: Path, last: str) -> Path:
    """A notebook that sends its own result, with what Jupyter writes of its kernel."""
    path = keep(
        folder,
        words("# Churn"),
        cell("week = 0", "parameters"),
        cell("import mailconn_jupyter as mailconn\n%load_ext mailconn_jupyter"),
        cell(last),
    )
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    notebook.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "Python 3"}
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]
    return path


def ran(job: dict[str, str], *command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=job, stdin=subprocess.DEVNULL, cwd=job["HOME"]
    )


SENDING = 'mailconn.send("ops", "bob@example.test", f"{week} by {NAME}", "Three things moved.")'
FAILING = (
    '%%mailconn send ops --to bob@example.test --subject "by NAME" --on-error send\n'
    "password = 'hunter2'\nprint('so far')\n1 / 0"
)


def by_papermill(notebook: Path) -> tuple[str | Path, ...]:
    require_packages("papermill")
    return (
        sys.executable,
        "-m",
        "papermill",
        notebook,
        notebook.with_name("out.ipynb"),
        "-k",
        "python3",
        "-p",
        "week",
        "47",
    )


def by_jupyter(notebook: Path) -> tuple[str | Path, ...]:
    return sys.executable, "-m", "jupyter", "execute", notebook


@pytest.mark.parametrize("runner", [by_papermill, by_jupyter])
def test_a_notebook_sends_its_own_result_in_a_job_and_one_that_fails_fails_it(
    runner: Any, job: dict[str, str], postfix: Postfix, tmp_path: Path
) -> None:
    name = f"{runner.__name__} {tmp_path.name}"
    done = ran(job, *runner(report(tmp_path, SENDING.replace("{NAME}", name))))
    assert done.returncode == 0, done.stderr
    failed = ran(job, *runner(report(tmp_path, FAILING.replace("NAME", name))))
    assert failed.returncode != 0
    assert "ZeroDivisionError" in failed.stderr
    mails = [raw.decode() for raw in postfix.mailbox("bob") if name in raw.decode()]
    week = 47 if runner is by_papermill else 0
    assert f"Subject: {week} by {name}" in mails[0]
    assert "so far" in mails[1]
    assert "ZeroDivisionError" in mails[1]


def test_a_script_runs_the_notebook_sends_it_and_fails_with_the_cell_where_it_does(
    job: dict[str, str], postfix: Postfix, tmp_path: Path
) -> None:
    keep(
        tmp_path,
        words(f"# Churn {tmp_path.name}"),
        cell("week = 0", "parameters"),
        cell("print('week', 94 / (week - 47))"),
    )
    script = tmp_path / "report.py"
    for week in (49, 47):
        script.write_text(
            "import mailconn_jupyter as mailconn\n"
            "mailconn.send_notebook('ops', 'bob@example.test', 'churn.ipynb', execute=True,\n"
            f"                       parameters={{'week': {week}}}, on_error='send')\n",
            encoding="utf-8",
        )
        done = ran(job, sys.executable, script)
        assert (done.returncode == 0) == (week == 49), done.stderr
    assert "churn.ipynb failed in cell 3: ZeroDivisionError: division by zero" in done.stderr
    mails = [raw.decode() for raw in postfix.mailbox("bob") if f"Churn {tmp_path.name}" in raw.decode()]
    assert "week 47.0" in mails[0]
    assert f"Subject: FAILED: Churn {tmp_path.name}" in mails[1]
    assert "failed in cell 3: ZeroDivisionError" in mails[1]


def test_without_its_password_a_job_ends_and_says_which_variable_it_looked_for(
    job: dict[str, str], tmp_path: Path
) -> None:
    bare = {name: value for name, value in job.items() if name != "CREDENTIALS_DIRECTORY"}
    done = ran(bare, *by_jupyter(report(tmp_path, SENDING.replace("{NAME}", "x"))))
    assert done.returncode != 0
    assert "MAILCONN_OPS_PASSWORD" in done.stderr


def test_the_readmes_units_are_ones_for_systemd(tmp_path: Path) -> None:
    analyze = require("systemd-analyze")
    assert set(UNITS) == {"churn.service", "churn.timer"}
    for name, unit in UNITS.items():
        # The user's own Python stands in the README.
        (tmp_path / name).write_text(unit.replace("%h/venv/bin/python", sys.executable), encoding="utf-8")
    command = [analyze, "verify", "--man=no", *(str(tmp_path / name) for name in UNITS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_readmes_line_for_cron_runs_in_a_shell_as_cron_runs_it(job: dict[str, str], tmp_path: Path) -> None:
    ((*variables, line),) = [text.strip().splitlines() for text in CRONTAB]
    fields = line.split(None, 5)
    assert all(re.fullmatch(r"[\d*/,-]+", field) for field in fields[:5])
    assert "%" not in fields[5]
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "report.py").write_text("import os; print(os.environ['MAILCONN_OPS_PASSWORD_FILE'])")
    environment = job | dict(each.split("=", 1) for each in variables)
    shell = fields[5].replace("/home/ana/venv/bin/python", sys.executable).replace("/home/ana", str(tmp_path))
    done = ran(environment, "/bin/sh", "-c", shell)
    assert (done.returncode, done.stdout.strip()) == (0, "/home/ana/.secrets/ops")
