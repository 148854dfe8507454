"""``%mailconn`` in a real kernel: what fails a cell, who is asked, and the stop button."""

from __future__ import annotations

import select
import socket
from pathlib import Path

import pytest

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.store import connections
from tests.support import shells
from tests.support.shells import Kernel, run_notebook

kernel = shells.kernel

PASSWORD = "correct-horse-battery"

MISTAKES = [
    "%mailconn tset",
    "%mailconn show opps",
    "%mailconn edit ops --server-hots x",
    "%mailconn edit ops --port 70000",
    "%mailconn edit ops --host $nobody",
    "%mailconn edit ops --password hunter2",
    "%mailconn delete ops",
    "%mailconn password ops",
    "%mailconn test ops",
]


@pytest.fixture(autouse=True)
def stored(own_config: Path) -> None:
    connections.save(MailConnection(name="ops", server_host="host.invalid", timeout=2, deadline=3))


def test_every_mistake_leaves_one_error_of_two_lines_in_its_cell(own_config: Path) -> None:
    cells, _ = run_notebook(["%load_ext mailconn_jupyter", *MISTAKES], folder=own_config, stop=False)
    assert cells[0] == []
    for cell, outputs in zip(MISTAKES, cells[1:], strict=True):
        errors = [output for output in outputs if output.output_type == "error"]
        assert len(errors) == 1, (cell, outputs)
        assert len(errors[0].traceback) <= 2
        # A test shows its report first; nothing else says anything.
        assert len(outputs) == (2 if "test ops" in cell else 1), (cell, outputs)
        assert "hunter2" not in str(outputs)


@pytest.mark.parametrize("mistake", ["%mailconn show opps", "%mailconn edit ops --server-hots x"])
def test_a_mistake_stops_a_notebook_that_runs_without_a_person(own_config: Path, mistake: str) -> None:
    cells, failure = run_notebook(["%load_ext mailconn_jupyter", mistake, "print('too far')"], folder=own_config)
    assert "Did you mean" in failure
    assert cells[2] == []


def test_tb_shows_the_whole_cause_in_a_kernel(own_config: Path) -> None:
    cells, _ = run_notebook(
        ["%load_ext mailconn_jupyter", "%mailconn show {1 / 0}", "%tb"], folder=own_config, stop=False
    )
    assert "Traceback" not in str(cells[1])
    assert "ZeroDivisionError: division by zero" in str(cells[2])


def test_a_password_is_asked_for_without_echo_and_never_shown(kernel: Kernel) -> None:
    kernel.run("%mailconn edit ops --username ana")
    kernel.answers = [PASSWORD, f"{PASSWORD}-proxy"]
    seen = kernel.run("%mailconn password ops")
    assert "ok:" in seen
    assert "in this kernel only" in seen
    seen += kernel.run("%mailconn password ops --proxy")
    assert [asked["password"] for asked in kernel.asked] == [True, True]
    assert "in this kernel only" in kernel.run("%mailconn show ops")
    for cell in ("%mailconn show ops", "%mailconn", "%mailconn doctor", "%xmode Verbose", "%mailconn test ops", "%tb"):
        seen += kernel.run(cell)
    seen += kernel.run("%history -o") + kernel.run("get_ipython().user_ns")
    assert PASSWORD not in seen
    for path in connections.folder.rglob("*"):
        assert not path.is_file() or PASSWORD not in path.read_text()


def test_a_deletion_is_asked_about_and_only_a_yes_deletes(kernel: Kernel) -> None:
    for answer in ("", "n", "what?"):
        kernel.answers = [answer]
        assert "was not deleted" in kernel.run("%mailconn delete ops")
    assert "ops" in connections
    kernel.answers = ["Y"]
    assert "is deleted" in kernel.run("%mailconn delete ops")
    assert "[y/N]" in kernel.asked[-1]["prompt"]
    assert "ops" not in connections


def test_the_stop_button_ends_a_test_with_one_line(kernel: Kernel) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        kernel.run(f"%mailconn edit ops --host 127.0.0.1 --port {port} --timeout 30 --deadline 30")
        seen = kernel.run("%mailconn test ops", stop_when=lambda: bool(select.select([silent], [], [], 0)[0]))
    assert seen.startswith("error:")
    assert "was interrupted" in seen
    assert "Traceback" not in seen
    assert "'42\\n'" in kernel.run("print(6 * 7)")
