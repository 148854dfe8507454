"""The page for administrators: each file that it shows is a good one, each line is understood, each name is right."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from mailconn_jupyter import credentials
from mailconn_jupyter.commands import COMMANDS
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.console.run_line import main
from mailconn_jupyter.credentials.variables import variable
from mailconn_jupyter.secret import Kind
from mailconn_jupyter.store import connections

PAGE = (Path(__file__).parents[1] / "notebooks" / "administrators.md").read_text(encoding="utf-8")


def samples(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def checked(said: Any, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "sample.json"
    path.write_text(json.dumps(said), encoding="utf-8")
    assert main(["check", str(path)]) == 0, capsys.readouterr().out
    assert capsys.readouterr().out == "1 file: no problems.\n"


def test_the_connections_that_it_shows_pass_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for sample in samples("json"):
        checked(json.loads(sample), tmp_path, capsys)
    yaml = pytest.importorskip("yaml")
    [chart] = [said for sample in samples("yaml") if "singleuser" in (said := yaml.safe_load(sample))]
    file = chart["singleuser"]["extraFiles"]["mailconn-ops"]
    checked(file["data"], tmp_path, capsys)
    assert Path(file["mountPath"]).parent.name == "mailconn"
    [volume] = chart["singleuser"]["storage"]["extraVolumeMounts"]
    assert chart["singleuser"]["extraEnv"]["MAILCONN_SECRETS_DIR"] == volume["mountPath"]
    assert volume["readOnly"]


def test_its_lines_are_understood() -> None:
    lines = [line for sample in samples("sh") for line in sample.splitlines() if line.startswith("jupyter mailconn")]
    lines += re.findall(r"`(jupyter mailconn [a-z]+ [^`]*)`", PAGE) + re.findall(r"run: (jupyter mailconn .*)", PAGE)
    assert len(lines) >= 5
    for line in lines:
        _, _, name, *rest = shlex.split(line)
        COMMANDS[name].parser().read(rest)


@pytest.mark.parametrize("kind", [Kind.PASSWORD, Kind.PROXY, Kind.CLIENT])
def test_the_names_of_the_variables_are_right(kind: Kind) -> None:
    assert PAGE.count(f"`{variable('ops', kind)}`") >= 2


def test_the_file_that_it_makes_for_systemd_and_kubernetes_is_found_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {*re.findall(r"LoadCredential\W+(MAILCONN_\w+):", PAGE), *re.findall(r"--from-file=(MAILCONN_\w+)=", PAGE)}
    assert names == {"MAILCONN_OPS_PASSWORD"}
    connections.save(MailConnection(name="ops", server_host="mail.example.org", username="ana"))
    file = tmp_path / names.pop()
    file.write_text("correct-horse\n", encoding="utf-8")
    file.chmod(0o400)
    for folder in ("CREDENTIALS_DIRECTORY", "MAILCONN_SECRETS_DIR"):
        with monkeypatch.context() as patch:
            patch.setenv(folder, str(tmp_path))
            assert credentials.resolve("ops", ask=False).secret.reveal() == "correct-horse"
