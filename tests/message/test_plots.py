"""What plotting code leaves behind: its figure is sent, once, and nothing of what stands beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib_inline.backend_inline import configure_inline_support

from mailconn_jupyter.message.render import MimeBundle, Part
from mailconn_jupyter.message.render.plots.plot_leftovers import is_figure, is_leftover
from mailconn_jupyter.notebook.cell.recorder import Recorder
from mailconn_jupyter.notebook.cell.run_cell import run_cell
from tests.support import shells
from tests.support.shells import Shell

shell = shells.shell
clean_up = shells.clean_up

INLINE = "module://matplotlib_inline.backend_inline"
SETUP = "import matplotlib.pyplot as plt\nimport numpy as np\nimport pandas as pd"


@pytest.fixture
def notebook(shell: Shell) -> Iterator[Shell]:
    """A shell in which a figure of pyplot's is shown when the cell ends, as in a notebook."""
    before = plt.get_backend()
    plt.switch_backend(INLINE)
    configure_inline_support(shell.ip, INLINE)  # type: ignore[no-untyped-call]
    shell.ok(SETUP)
    with mpl.rc_context({"interactive": True}):
        yield shell
    plt.close("all")
    plt.switch_backend(before)
    configure_inline_support(shell.ip, before)  # type: ignore[no-untyped-call]


def recorded(shell: Shell, cell: str) -> Recorder:
    recorder = Recorder(shell.ip)
    with shell.ip.display_trap:
        assert run_cell(shell.ip, cell, recorder).error is None
    return recorder


@pytest.mark.parametrize(
    "cell",
    [
        "plt.plot([1, 2])\nplt.title('T')",
        "plt.plot([1, 2])",
        "plt.hist([1, 2, 2])",
        "plt.boxplot([1, 2, 3])",
        "plt.errorbar([1, 2], [1, 2], yerr=0.1)",
        "plt.pie([1, 2])",
        "plt.imshow(np.eye(2)); plt.colorbar()",
        "plt.plot([1, 2]); plt.xticks(rotation=45)",
        "pd.DataFrame({'a': [1, 2]}).plot()",
        "pd.DataFrame({'a': [1, 2], 'b': [1, 2]}).plot(subplots=True)",
        "pd.DataFrame({'a': [1, 2], 'b': [1, 2]}).hist()",
        "plt.subplots()",
        "plt.subplots(2, 2)",
    ],
)
def test_of_a_plot_the_figure_is_sent_and_nothing_else(notebook: Shell, cell: str) -> None:
    recorder = recorded(notebook, cell)
    (figure,) = recorder.content()
    assert isinstance(figure, Part)
    assert len(figure.pictures) == 1
    assert recorder.left_out == []


def test_in_the_notebook_all_of_it_is_shown_as_usual(notebook: Shell) -> None:
    recorder = "from mailconn_jupyter.notebook.cell.recorder import Recorder\nwith Recorder(get_ipython()):"
    assert "Text(0.5, 1.0, 'T')" in notebook.ok(f"{recorder}\n    get_ipython().run_cell('plt.title(chr(84))')").text


@pytest.mark.parametrize("layout", ["None", "'tight'", "'constrained'"])
def test_a_figure_that_is_the_last_value_too_is_sent_once(notebook: Shell, layout: str) -> None:
    cell = f"figure, axes = plt.subplots(layout={layout})\n_ = axes.set_title('T')\nprint('above')\nfigure"
    above, figure = recorded(notebook, cell).content()
    assert above == "above"
    assert figure.pictures[0].alt == "T"


def test_two_figures_and_two_states_of_one_are_two(notebook: Shell) -> None:
    assert len(recorded(notebook, "for n in 1, 2:\n    plt.figure(); plt.title(str(n))").content()) == 2
    cell = "figure, axes = plt.subplots()\ndisplay(figure)\naxes.set_title('later')"
    assert [part.pictures[0].alt for part in recorded(notebook, cell).content()] == ["Figure", "later"]


def test_figures_displayed_on_purpose_are_all_sent_and_only_the_repeat_at_the_end_is_not(notebook: Shell) -> None:
    cell = "print('before'); f, a = plt.subplots(); a.plot([1, 2]); display(f)\n"
    cell += "print('after fix'); g, a = plt.subplots(); a.plot([1, 2]); display(g)"
    before, first, after, second = recorded(notebook, cell).content()
    assert (before, after) == ("before", "after fix")
    assert first == second
    assert len(recorded(notebook, "f, a = plt.subplots()\ndisplay(f)\ndisplay(f)").content()) == 2


def test_two_figures_that_look_alike_are_both_sent_at_the_end(notebook: Shell) -> None:
    assert len(recorded(notebook, "for _ in 1, 2:\n    plt.figure(); plt.plot([1, 2])").content()) == 2


def test_parts_without_their_figure_are_left_out_and_told_of(notebook: Shell) -> None:
    recorder = recorded(notebook, "from matplotlib.figure import Figure\nFigure().add_subplot().set_title('T')")
    assert recorder.content() == []
    assert recorder.left_out == ["Parts of a Matplotlib figure (Text) are not sent: show the figure itself."]


def test_what_is_displayed_on_purpose_is_sent(notebook: Shell) -> None:
    shown, figure = recorded(notebook, "display(plt.gca())").content()
    assert isinstance(shown, MimeBundle)
    assert isinstance(figure, Part)


def _nested() -> list[Any]:
    inside: list[Any] = []
    inside.append(inside)
    return inside


def test_parts_of_figures_are_known_from_results() -> None:
    axes = Figure().add_subplot()
    lines = axes.plot([1, 2])
    for parts in (axes, lines, tuple(lines), {"a": lines, "b": []}, np.array([axes, axes])):
        assert is_leftover(parts)
    assert is_leftover(pd.Series([axes, axes]))
    results: tuple[Any, ...] = (
        1,
        None,
        "text",
        [],
        (),
        {},
        [1, 2],
        [*lines, 3],
        np.ones(3),
        np.array(["a"], object),
        _nested(),
    )
    for result in (*results, pd.Series([1.5]), pd.Series(["a"], dtype=object), pd.DataFrame({"a": lines})):
        assert not is_leftover(result)
    assert is_figure(axes.figure)
    assert not is_leftover(axes.figure)


@pytest.mark.parametrize(
    "drawing",
    [
        lambda axes: axes.hist([1, 2, 2]),
        lambda axes: axes.hist([[1, 2], [2, 3]]),
        lambda axes: axes.hist([1, 2, 2], histtype="step"),
        lambda axes: axes.hist2d([1, 2], [1, 2]),
        lambda axes: axes.specgram(np.arange(512.0) % 7),
        lambda axes: (axes.get_xticks(), axes.get_xticklabels()),
    ],
)
def test_numbers_that_plotting_returns_with_what_it_drew_are_known(drawing: Callable[[Any], Any]) -> None:
    assert is_leftover(drawing(Figure().add_subplot()))


@pytest.mark.parametrize("result", ["(np.array([1.5, 2.5]), ax)", "{'r': np.array([42.]), 'ax': ax}"])
def test_results_beside_parts_of_a_figure_are_sent(notebook: Shell, result: str) -> None:
    shown = recorded(notebook, f"f, ax = plt.subplots()\ndisplay(f)\n{result}").content()
    assert [type(each) for each in shown] == [Part, MimeBundle]
