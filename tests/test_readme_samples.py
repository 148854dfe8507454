"""What the README prints runs, from the top to the bottom as a reader would run it, and the mail arrives."""

from __future__ import annotations

import logging
import re
from email.message import EmailMessage
from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.figure import Figure

from mailconn_jupyter import LogHandler, sandbox
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.credentials import resolve
from mailconn_jupyter.interchange import hop
from mailconn_jupyter.store import connections
from tests.interchange.examples import OPS
from tests.servers import Certificates
from tests.servers.graph import GraphServer
from tests.support.acting import Acted, run_kind, subjects
from tests.support.isolation import give_password
from tests.support.mailboxes import fill_file, mail
from tests.support.saved_notebooks import code, keep, words
from tests.support.shells import Shell, shell

__all__ = ["shell"]

README = Path(__file__).parents[1] / "README.md"
#: Cells, each as the README prints it. Who signs in needs a browser: test_magic_signin has that.
CELLS = [
    cell
    for language, cell in re.findall(
        r"^```(\w*)\n(.*?)^```$", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    if (language == "python" or cell.startswith("%")) and "signin" not in cell
]
#: Those that act on mail want a server that has folders.
ON_A_SERVER = [cell for cell in CELLS if '"work"' in cell]


def test_every_sample_of_the_readme_runs_in_its_order(
    shell: Shell,
    certificates: Certificates,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    assert len(CELLS) > 10
    mpl.use("agg")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "churn.csv").write_text("plan,churn\nFree,4.1\n", encoding="utf-8")
    fill_file(tmp_path / "inbox.mbox", [mail("Hello")])
    _other_programs(tmp_path, monkeypatch)
    connections.save(MailConnection(name="inbox", protocol="MBOX", server_host=str(tmp_path / "inbox.mbox")))
    server = sandbox.start("stands in")
    # Its name would stand for it in the tests that come after.
    request.addfinalizer(server.stop)
    secret = resolve("stands in", ask=False).secret.reveal()
    monkeypatch.setattr("getpass.getpass", lambda _prompt: secret)
    keep(tmp_path, words("# The report"), code("week = 0", tags=("parameters",)), code("print('week', week)"))
    shell.ip.user_ns.update({"df": _table(), "fig": Figure(), "msg": _message()})
    with GraphServer(certificates.good.server_context(), "a token") as graph:
        _keep_cloud(graph, certificates)
        for cell in (cell for cell in CELLS if cell not in ON_A_SERVER):
            shell.ok(_to(connections["stands in"], cell))
        assert len(graph.sent) == 2
    (handler,) = [each for each in logging.getLogger().handlers if isinstance(each, LogHandler)]
    logging.getLogger().removeHandler(handler)
    handler.close()
    subjects = [message.subject for message in server.inbox]
    assert subjects[:6] == ["Churn, week 47", "Hello", "Churn, week 47", "Churn, week 47", "Retro", "The report"]
    # A batch goes over several connections, in whatever order.
    assert sorted(subjects[6:]) == [f"{what} {number}" for what in ("Invoice", "Reminder") for number in range(1, 6)]


def test_what_acts_on_mail_runs_on_a_real_server(
    shell: Shell, server_state: Path, certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shell.ip.user_ns["df"] = _table()
    with run_kind("MOVE and UIDPLUS", server_state / "readme", certificates) as dovecot:
        box = Acted("", dovecot, certificates).box([mail("Invoice 47", file="47.pdf"), mail("Hello")])
        connections.save(box.connection.copy(name="work"))
        give_password("work", dovecot.master[1])
        for cell in ON_A_SERVER:
            shell.ok(cell)
        assert subjects(box.connection) == ["Hello"]
        assert subjects(box.connection, "Archive") == ["Invoice 47"]
    assert [path.name for path in (tmp_path / "invoices").iterdir()] == ["47.pdf"]
    assert shell.ip.user_ns["answer"]["Subject"] == "Re: Hello"


def _other_programs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the section on them reads."""
    (folder / "projects" / "sales" / hop.FOLDER).mkdir(parents=True)
    said = OPS.read_text(encoding="utf-8").replace('"ops"', '"sales"')
    (folder / "projects" / "sales" / hop.FOLDER / "sales.json").write_text(said, encoding="utf-8")
    (folder / "msmtprc").write_text("account relay\nhost mail.example.org\ntls on\n", encoding="utf-8")
    monkeypatch.setenv("EMAIL_URL", "smtp+tls://ana:s3cret@mail.example.org:587")


def _table() -> pd.DataFrame:
    names = ["Ana", "Bea", "Carl", "Zoë", "Ёлка"]
    return pd.DataFrame(
        {
            "name": names,
            "email": [f"customer{number}@example.org" for number in range(1, 6)],
            "id": range(1, 6),
            "due": "2026-12-01",
            "amount": [10.5, 20.0, 30.25, 40.0, 50.75],
        }
    )


def _message() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "ana@example.org", "bea@example.org", "Hello"
    message.set_content("Hello.")
    return message


def _keep_cloud(graph: GraphServer, certificates: Certificates) -> None:
    give_password("cloud", "a token")
    cloud = MailConnection(name="cloud", protocol="GRAPH", server_host="localhost", server_port=graph.port)
    connections.save(cloud.copy(username="ana@company.com", ca_file=str(certificates.ca.pem)))


def _to(server: MailConnection, cell: str) -> str:
    """The cell, with the sandbox in place of the README's server."""
    options = {
        "server_host": server.server_host,
        "server_port": server.server_port,
        "trusted_hosts": server.trusted_hosts,
        "username": server.username,
        "from_address": "ana@example.org",
    }
    flags = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in options.items())
    keywords = ", ".join(f"{name}={value!r}" for name, value in options.items())
    cell = cell.replace("mail.example.org --username ana@example.org", flags)
    return cell.replace('server_host="mail.example.org", username="ana@example.org"', keywords)
