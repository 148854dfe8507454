"""A notebook that is run with parameters, and what is told of one that fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest

from mailconn_jupyter import MailConnWarning
from mailconn_jupyter.delivery.send_notebook import NotebookError, send_notebook
from tests.servers.counting import CountingServer
from tests.support.batches import to
from tests.support.saved_notebooks import keep, words


def cell(source: str, *tags: str) -> Any:
    return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)})  # type: ignore[no-untyped-call]


def sent(folder: Path, *cells: Any, **options: Any) -> bytes:
    """The mail of a notebook that is run."""
    with CountingServer() as server:
        send_notebook(to(server.port), "ana@example.test", keep(folder, *cells), execute=True, attach=None, **options)
        return server.taken[0].content


def test_parameters_come_behind_their_defaults_and_may_be_of_any_plain_kind(tmp_path: Path) -> None:
    given = {
        "week": 47,
        "name": "Ёлка 'quoted' \\ \n{x}",
        "limits": [1.5, float("inf"), None, True],
        "plans": {"Free": (1,), 2: {}},
        "share": np.float64(0.25),
    }
    told = cell("print(repr((week, name, limits, plans, share, kept)).encode('ascii', 'backslashreplace').decode())")
    defaults = "week = 1\nname = ''\nlimits = plans = share = None\nkept = 'kept'"
    content = sent(tmp_path, words("# Churn"), cell(defaults, "parameters"), told, parameters=given)
    expected = repr((47, given["name"], given["limits"], given["plans"], 0.25, "kept"))
    assert expected.encode("ascii", "backslashreplace") in content.replace(b"=\r\n", b"").replace(b"=3D", b"=")


def test_what_an_earlier_run_has_put_there_is_replaced_and_without_a_cell_for_them_they_come_first(
    tmp_path: Path,
) -> None:
    injected = cell("week = 1", "injected-parameters")
    assert b"week 47 2\r\n" in sent(
        tmp_path,
        cell("week = 0\nx = 2", "parameters"),
        injected,
        cell("print('week', week, x)"),
        parameters={"week": 47},
    )
    assert b"week 48\r\n" in sent(tmp_path, cell("print('week', week)"), parameters={"week": 48})


def test_a_parameter_that_the_notebook_does_not_have_is_told(tmp_path: Path) -> None:
    with pytest.warns(MailConnWarning, match=r"The notebook has no parameter 'weak'. Did you mean 'week'\?"):
        sent(tmp_path, cell("week = 1", "parameters"), cell("print(week)"), parameters={"weak": 47})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"a b": 1}, "A parameter needs a name that is valid in Python, not 'a b'"),
        ({"class": 1}, "not 'class'"),
        ({3: 1}, "not 3"),
        ({"x": object()}, "x=<object object at .* cannot be written into a cell"),
        ({"x": [{1, 2}]}, "cannot be written"),
        ({"db_password": "hunter2"}, "'db_password' would stand in the notebook"),
    ],
)
def test_what_cannot_be_a_parameter_is_told_before_anything_runs(given: Any, message: str, tmp_path: Path) -> None:
    path = keep(tmp_path, cell("open('ran', 'w')"))
    with pytest.raises(NotebookError, match=message) as caught:
        send_notebook("ops", "ana@example.test", path, execute=True, parameters=given)
    assert "hunter2" not in str(caught.value)
    assert not (tmp_path / "ran").exists()


def test_a_list_within_itself_is_told_too(tmp_path: Path) -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(NotebookError, match="cannot be written"):
        send_notebook("ops", "ana@example.test", keep(tmp_path, cell("1")), execute=True, parameters={"x": endless})


def test_parameters_are_for_a_notebook_that_is_run_and_for_python(tmp_path: Path) -> None:
    path = keep(tmp_path, cell("1"))
    with pytest.raises(NotebookError, match="parameters are only for a notebook that is run first"):
        send_notebook("ops", "ana@example.test", path, parameters={"x": 1})
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    notebook.metadata["kernelspec"] = {"name": "ir", "language": "R", "display_name": "R"}
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]
    with pytest.raises(NotebookError, match="parameters are for notebooks in Python, and this one is in R"):
        send_notebook("ops", "ana@example.test", path, execute=True, parameters={"x": 1})


def failed(folder: Path, *cells: Any, **options: Any) -> tuple[str, bytes]:
    """What is raised, and the mail."""
    with CountingServer() as server:
        path = keep(folder, *cells)
        with pytest.raises(NotebookError) as caught:
            send_notebook(to(server.port), "ana@example.test", path, execute=True, on_error="send", **options)
        return str(caught.value), server.taken[0].content


def test_of_a_notebook_that_fails_the_cell_is_told_by_its_place_in_the_file(tmp_path: Path) -> None:
    cells = [
        words("# Churn"),
        cell("week = 1", "parameters"),
        cell("print(week)"),
        cell("raise ValueError(f'no data for {week}')"),
    ]
    said, content = failed(tmp_path, *cells, parameters={"week": 47})
    assert said.startswith("churn.ipynb failed in cell 4: ValueError: no data for 47\nSent: 'FAILED: Churn'")
    assert b"The notebook churn.ipynb failed in cell 4: ValueError: no data for 47" in content


def test_a_kernel_that_dies_is_told_with_the_cell_in_which_it_did(tmp_path: Path) -> None:
    said, _ = failed(tmp_path, cell("1"), cell("import os; os._exit(1)"), cell("2"), attach=None)
    assert said.startswith("churn.ipynb failed in cell 2: Kernel died")


def test_no_secret_of_the_error_or_of_the_lines_around_it_goes_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_PASSWORD", "hunter2-environment")
    source = (
        "import os\npassword = 'hunter2-line'\n"
        "raise ValueError(f'cannot reach postgresql://ana:hunter2-url@db with {os.environ[\"DB_PASSWORD\"]}')"
    )
    said, content = failed(tmp_path, cell(source))
    assert "hunter2" not in said
    assert b"hunter2" not in content
    assert b"cannot reach" in content
