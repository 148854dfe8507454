"""Every notebook of the documentation runs in a fresh kernel, with a fresh configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


def read(path: Path) -> Any:
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(notebook)
    return notebook


def run(notebook: Any, folder: Path) -> Any:
    """Execute it as ``jupyter execute`` does; the first cell that fails is an error."""
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    return notebook


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def shown(notebook: Any, kind: str) -> list[str]:
    """What the outputs hold of a MIME type."""
    return [output["data"][kind] for output in outputs(notebook) if kind in output.get("data", {})]


@pytest.fixture
def home(tmp_path: Path, own_config: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder with nothing in it, beside the configuration that each test has of its own."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    own_config.mkdir(parents=True)
    return tmp_path / "home"


def test_there_is_a_notebook_to_run() -> None:
    assert "quickstart.ipynb" in [path.name for path in NOTEBOOKS]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path: Path) -> None:
    notebook = read(path)
    assert outputs(notebook) == []
    assert all(cell.execution_count is None for cell in notebook.cells if cell.cell_type == "code")
    assert "widgets" not in notebook.metadata


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_without_an_error_and_leaves_nothing_behind(path: Path, home: Path, own_config: Path) -> None:
    notebook = run(read(path), home)
    assert [output for output in outputs(notebook) if output.output_type == "error"] == []
    assert [output.text for output in outputs(notebook) if output.get("name") == "stderr"] == []
    assert list((own_config / "mailconn").glob("*.json")) == []
    assert [file for file in home.rglob("*.json") if "mailconn" in file.parts] == []


def test_the_mail_of_the_quickstart_arrives_in_the_inbox_that_it_shows(home: Path) -> None:
    path = next(path for path in NOTEBOOKS if path.stem == "quickstart")
    notebook = run(read(path), home)
    text = next(text for text in shown(notebook, "text/plain") if text.startswith("Inbox: 1 message"))
    assert "Ana <ana@example.org>" in text
    assert "Churn, week 47" in text
    html = next(html for html in shown(notebook, "text/html") if "<iframe" in html)
    assert 'sandbox=""' in html
    assert "&lt;h2&gt;Churn, week 47&lt;/h2&gt;" in html
    assert "churn.csv" in html
    assert any("widget-view" in kind for output in outputs(notebook) for kind in output.get("data", {}))


def test_what_the_notebook_about_sending_sends_is_what_it_shows_in_the_inbox(home: Path) -> None:
    notebook = run(read(next(path for path in NOTEBOOKS if path.stem == "sending-results")), home)
    said = shown(notebook, "text/plain")
    assert any(text.startswith("Sent: 'Churn, week 47'") for text in said)
    assert any(text.startswith("Inbox: 1 message") for text in said)
    inbox, preview = [page for page in shown(notebook, "text/html") if "<iframe" in page]
    for words in ("Churn fell in every plan.", "Business", "data:image/png;base64,", "churn.csv"):
        assert words in inbox
    # A preview sends nothing: there is one message until the cell is run without it.
    assert "nothing was sent" in preview
    assert "... the first 6 of 141 rows; table.csv holds all of them." in preview
    assert "(('ana@example.org', 'bob@example.org'), 'Churn, all weeks', ['table.csv'])" in said
    printed = "".join(output.text for output in outputs(notebook) if output.output_type == "stream")
    assert "Training: finished after 0." in printed


def test_the_executed_quickstart_holds_no_secret(home: Path, own_config: Path) -> None:
    notebook = read(next(path for path in NOTEBOOKS if path.stem == "quickstart"))
    reveal = (
        "from mailconn_jupyter.credentials import resolve\n"
        "_ = open('secret', 'w').write(resolve('sandbox', ask=False).secret.reveal())"
    )
    notebook.cells.insert(-1, nbformat.v4.new_code_cell(reveal))  # type: ignore[no-untyped-call]
    run(notebook, home)
    secret = (home / "secret").read_text()
    assert len(secret) == 32
    assert secret not in json.dumps(notebook)
    for file in own_config.parent.rglob("*"):
        assert not file.is_file() or secret.encode() not in file.read_bytes()
