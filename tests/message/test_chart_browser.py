"""Plotly's figures are drawn by one browser, a real one, which ends with the process and is replaced when it dies."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mailconn_jupyter.errors import MailConnWarning
from mailconn_jupyter.message.render.image.dimensions import dimensions
from mailconn_jupyter.message.render.plots import chart_browser
from mailconn_jupyter.message.render.plots.chart_browser import BROWSER
from mailconn_jupyter.message.render.plots.charts import plotly_file
from tests.servers.require import require, require_packages
from tests.support.composed import arrived, attached

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals, forks and /proc")


@pytest.fixture(autouse=True)
def needs() -> Iterator[None]:
    require_packages("plotly", "kaleido")
    require("chromium")
    yield
    BROWSER.end()


def figure(title: str = "Churn", **layout: Any) -> Any:
    import plotly.graph_objects as go  # noqa: PLC0415  # where it is installed

    return go.Figure(go.Bar(x=["a", "b"], y=[3, 1]), {"title": {"text": title}, **layout})


def browser() -> int:
    """The process of the browser that there is."""
    assert BROWSER._now is not None
    pid: int = BROWSER._now._kaleido.subprocess.pid
    return pid


def test_all_figures_are_drawn_by_one_browser_as_plotly_alone_draws_them() -> None:
    given = [figure(), figure("wide", width=900, height=300), figure(template={"layout": {"width": 400}})]
    drawn, browsers = [], set()
    for each in given:
        drawn.append(plotly_file(each, "png", scale=2))
        browsers.add(browser())
    assert len(browsers) == 1
    assert [dimensions(image) for image in drawn] == [(1400, 1000), (1800, 600), (800, 1000)]
    assert drawn[1] == given[1].to_image(format="png", scale=2)
    assert plotly_file(given[0], "svg").startswith(b"<svg")


def test_figures_that_are_drawn_at_once_are_each_its_own() -> None:
    given = [figure(f"number {number}", width=200 + number) for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        drawn = list(pool.map(lambda each: plotly_file(each, "png"), given))
    assert [dimensions(image) for image in drawn] == [(200 + number, 500) for number in range(6)]


def test_a_browser_that_dies_is_replaced() -> None:
    image = plotly_file(figure(), "png")
    dead = browser()
    os.killpg(dead, signal.SIGKILL)
    assert plotly_file(figure(), "png") == image
    assert browser() != dead


def test_a_browser_that_hangs_is_given_up_at_the_limit_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    image = plotly_file(figure(), "png")
    hung = browser()
    os.killpg(hung, signal.SIGSTOP)
    with monkeypatch.context() as brief:
        brief.setattr(chart_browser, "_LIMIT", 1.0)
        with pytest.raises(TimeoutError, match="did not draw it within 1 seconds"):
            plotly_file(figure(), "png")
    assert plotly_file(figure(), "png") == image
    assert browser() != hung


def test_a_figure_that_cannot_be_drawn_costs_no_browser() -> None:
    plotly_file(figure(), "png")
    before = browser()
    with pytest.raises(ValueError, match="Invalid format"):
        plotly_file(figure(), "bmp")
    assert plotly_file(figure(), "svg").startswith(b"<svg")
    assert browser() == before


def test_a_browser_that_draws_nothing_for_a_while_ends_and_another_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart_browser, "_IDLE", 0.1)
    image = plotly_file(figure(), "png")
    idle = BROWSER._now
    assert idle is not None
    process = idle._kaleido.subprocess
    idle._thread.join(30)
    assert process.poll() is not None
    assert plotly_file(figure(), "png") == image
    assert BROWSER._now is not idle


def _in_child(pipe: Any) -> None:
    before = BROWSER._now is None
    pipe.send((before, plotly_file(figure(), "png"), browser()))
    pipe.recv()
    BROWSER.end()


def test_a_forked_child_draws_by_a_browser_of_its_own_and_leaves_the_parents_alone() -> None:
    image = plotly_file(figure(), "png")
    own = browser()
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    child = context.Process(target=_in_child, args=(there,))
    child.start()
    new, drawn, others = here.recv()
    assert new
    assert drawn == image
    assert others != own
    here.send(None)
    child.join()
    assert child.exitcode == 0
    assert plotly_file(figure(), "png") == image
    assert browser() == own


_SCRIPT = """
import plotly.graph_objects as go
from mailconn_jupyter.message.render.plots.chart_browser import BROWSER
from mailconn_jupyter.message.render.plots.charts import plotly_file
plotly_file(go.Figure(go.Bar(y=[1])), "png")
print(BROWSER._now._kaleido.subprocess.pid, BROWSER._now._kaleido._browser_impl.tmp_dir.path)
"""


@pytest.mark.parametrize("end", ["", "1 / 0"])
def test_it_ends_with_the_process_and_leaves_nothing_behind(end: str) -> None:
    done = subprocess.run([sys.executable, "-c", _SCRIPT + end], capture_output=True, text=True, check=False)
    pid, _, folder = done.stdout.strip().partition(" ")
    assert not _runs(int(pid))
    assert not Path(folder).exists()
    assert done.stderr.count("Error") == (1 if "/" in end else 0), done.stderr


def test_it_ends_with_a_process_that_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-u", "-c", f"{_SCRIPT}\nimport time\ntime.sleep(600)"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline().split()[0])
        assert _runs(pid)
        process.kill()
    while _runs(pid):
        pass


def _runs(pid: int) -> bool:
    """Whether the process is there, and no mere entry that nobody has asked for yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_without_a_browser_a_figure_is_attached_as_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROWSER_PATH", "/nowhere/chrome")
    with pytest.warns(MailConnWarning, match="A picture needs kaleido and a browser"):
        message = arrived(figure())
    assert list(attached(message)) == ["figure.html"]
    monkeypatch.delenv("BROWSER_PATH")
    assert not attached(arrived(figure()))
