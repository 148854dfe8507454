"""What a cell shows as content of a message: objects as they were when they were displayed, and everything in order."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from mailconn_jupyter.errors import MessageError
from mailconn_jupyter.message.render import MimeBundle, Part, Preformatted
from mailconn_jupyter.notebook.cell.recorder import Recorder
from mailconn_jupyter.notebook.cell.run_cell import CellRun, run_cell
from tests.support import shells
from tests.support.shells import Shell

shell = shells.shell
clean_up = shells.clean_up

SETUP = "from IPython.display import HTML, Image, Markdown, clear_output, display, update_display\nimport pandas as pd"


def recorded(shell: Shell, cell: str, *, stderr: bool = False) -> tuple[CellRun, Recorder]:
    shell.ok(SETUP)
    recorder = Recorder(shell.ip, stderr=stderr)
    # Below a magic another cell is always running.
    with shell.ip.display_trap:
        return run_cell(shell.ip, cell, recorder), recorder


def content(shell: Shell, cell: str, **options: Any) -> list[Any]:
    run, recorder = recorded(shell, cell, **options)
    assert run.error is None
    return recorder.content()


def test_printed_text_is_one_piece_until_something_else_is_shown(shell: Shell) -> None:
    found = content(shell, "print('a')\nprint('b')\ndisplay(HTML('<p>c</p>'))\nprint('d')")
    assert [found[0], found[2]] == ["a\nb", "d"]
    assert isinstance(found[1], MimeBundle)
    assert found[1].data["text/html"] == "<p>c</p>"


def test_a_sentence_is_text_and_columns_stay_columns(shell: Shell) -> None:
    for text, kind in (
        ("Three things moved.\nAnd more.", str),
        ("\x1b[1mbold\x1b[0m words", str),
        ("a    1\nbb   2", Preformatted),
        ("  indented", Preformatted),
        ("a\tb", Preformatted),
        ("---", Preformatted),
    ):
        (found,) = content(shell, f"print({text!r})")
        assert type(found) is kind
        assert "\x1b" not in found


def test_a_table_is_kept_as_it_was_when_it_was_displayed(shell: Shell) -> None:
    cell = "df = pd.DataFrame({'n': range(500)})\ndisplay(df)\ndf.loc[0, 'n'] = 99\ndf['more'] = 1\ndf"
    first, last = content(shell, cell)
    assert first.shape == (500, 1)
    assert first.loc[0, "n"] == 0
    assert last.shape == (500, 2)


def test_a_table_of_polars_a_styler_and_charts_are_kept_as_objects(shell: Shell) -> None:
    found = content(
        shell,
        "import polars, altair\nimport plotly.graph_objects as go\n"
        "display(polars.DataFrame({'a': [1]}))\ndisplay(pd.DataFrame({'a': [1]}).style.set_caption('x'))\n"
        "display(altair.Chart(pd.DataFrame({'a': [1]})).mark_bar())\ngo.Figure(layout={'title': {'text': 'T'}})",
    )
    assert [type(value).__name__ for value in found] == ["DataFrame", "Styler", "Chart", "Figure"]


def test_a_plotly_figure_that_shows_itself_is_the_figure_again(shell: Shell) -> None:
    cell = (
        "import plotly.graph_objects as go\nfrom IPython.display import publish_display_data\n"
        "figure = go.Figure(layout={'title': {'text': 'T'}}).to_plotly_json()\n"
        "publish_display_data({'application/vnd.plotly.v1+json': figure})"
    )
    (found,) = content(shell, cell)
    assert found.layout.title.text == "T"


def test_a_figure_is_drawn_when_it_is_displayed_at_twice_the_pixels(shell: Shell) -> None:
    cell = (
        "from matplotlib.figure import Figure\nfigure = Figure(figsize=(2, 1))\naxes = figure.add_subplot()\n"
        "_ = axes.set_title('before')\ndisplay(figure)\n_ = axes.set_title('after')\nfigure"
    )
    first, last = content(shell, cell)
    assert isinstance(first, Part)
    assert (first.pictures[0].alt, last.pictures[0].alt) == ("before", "after")
    assert first.pictures[0].scale == 2


def test_who_asks_for_one_form_of_an_object_gets_that_form(shell: Shell) -> None:
    (found,) = content(shell, "display(pd.DataFrame({'a': [1]}), include=['text/plain'])")
    assert isinstance(found, MimeBundle)
    assert set(found.data) == {"text/plain"}


@pytest.mark.parametrize("last", ["B()", "display(B())"])
def test_what_an_object_prints_while_it_displays_itself_is_kept_where_it_was_shown(shell: Shell, last: str) -> None:
    shell.ok("class B:\n    def _ipython_display_(self):\n        print('only text')")
    assert content(shell, f"print('before')\n{last}") == ["before\nonly text"]


@pytest.mark.parametrize("last", ["B()", "display(B())"])
def test_what_an_object_prints_in_its_repr_comes_before_it(shell: Shell, last: str) -> None:
    shell.ok("class B:\n    def __repr__(self):\n        print('said')\n        return 'a B'")
    said, shown = content(shell, last)
    assert said == "said"
    assert shown.data == {"text/plain": "a B"}


@pytest.mark.parametrize("last", ["Report()", "display(Report())"])
def test_a_table_that_another_object_displays_is_kept_with_all_of_its_rows(shell: Shell, last: str) -> None:
    shell.ok(
        f"{SETUP}\nclass Report:\n    def _ipython_display_(self):\n        print('first')\n"
        "        display(pd.DataFrame({'n': range(500)}))\n        print('last')"
    )
    first, table, end = content(shell, last)
    assert (first, end) == ("first", "last")
    assert table.shape == (500, 1)


def test_an_object_that_formats_others_for_its_own_bundle_is_shown_once(shell: Shell) -> None:
    shell.ok(
        f"{SETUP}\nclass Both:\n    def _repr_mimebundle_(self, **_):\n"
        "        data, _ = get_ipython().display_formatter.format(pd.DataFrame({'n': [1]}))\n        return data"
    )
    (found,) = content(shell, "Both()")
    assert isinstance(found, MimeBundle)
    assert "<table" in found.data["text/html"]


def test_an_object_that_formats_another_and_displays_nothing_shows_nothing(shell: Shell) -> None:
    shell.ok(
        f"{SETUP}\nclass Quiet:\n    def _ipython_display_(self):\n"
        "        get_ipython().display_formatter.format(pd.DataFrame({'n': [1]}))"
    )
    assert content(shell, "Quiet()") == []


def test_the_size_of_an_image_comes_along(shell: Shell) -> None:
    cell = "import base64\nImage(base64.b64decode({png!r}), width=40, height=30)"
    png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    (found,) = content(shell, cell.format(png=png))
    assert found.metadata == {"image/png": {"width": 40, "height": 30}}


def test_an_update_takes_the_place_of_what_it_updates(shell: Shell) -> None:
    found = content(
        shell,
        "display(Markdown('old'), display_id='x')\nprint('after')\nupdate_display(Markdown('new'), display_id='x')",
    )
    assert [getattr(value, "data", {}).get("text/markdown", value) for value in found] == ["new", "after"]


def test_cleared_output_is_not_sent(shell: Shell) -> None:
    assert content(shell, "print('a')\nclear_output()\nprint('b')") == ["b"]
    assert content(shell, "print('a')\nclear_output(wait=True)\nprint('b')") == ["b"]
    assert content(shell, "print('a')\nclear_output(wait=True)") == ["a"]


def test_a_progress_bar_is_sent_as_it_stood_at_the_end(shell: Shell) -> None:
    found = content(shell, "for n in range(5):\n    print(f'\\r{n * 25} %', end='')\nprint()\nprint('a\\r\\nb')")
    assert found == ["100 %\na\nb"]


def test_stderr_is_kept_only_when_asked_for(shell: Shell) -> None:
    cell = "import sys\nprint('a')\nprint('b', file=sys.stderr)\nprint('c')"
    assert content(shell, cell) == ["a\nc"]
    assert content(shell, cell, stderr=True) == ["a", "b", "c"]


def test_a_semicolon_silences_the_last_line_as_usual(shell: Shell) -> None:
    assert content(shell, "6 * 7;") == []
    assert len(content(shell, "6 * 7")) == 1


def test_what_a_cell_captures_itself_was_not_shown(shell: Shell) -> None:
    cell = (
        "from IPython.utils.capture import capture_output\nwith capture_output() as held:\n"
        "    print('a')\n    display(HTML('b'))\nprint('c')"
    )
    assert content(shell, cell) == ["c"]


def test_a_widget_is_left_out_and_named(shell: Shell) -> None:
    cell = "from IPython.display import publish_display_data\npublish_display_data({data!r})\nprint('x')"
    data = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "IntSlider(value=3)"}
    _, recorder = recorded(shell, cell.format(data=data))
    assert recorder.content() == ["x"]
    assert recorder.left_out == ["A widget (IntSlider) is not sent: it only works in the notebook."]


def test_a_styler_is_kept_as_it_was_when_it_was_displayed(shell: Shell) -> None:
    cell = "d = pd.DataFrame({'a': [1, 2]})\ne = d.copy()\nf = d.copy()\n"
    cell += "display(d.style.concat(e.style.concat(f.style)))\nd.loc[0, 'a'] = e.loc[0, 'a'] = f.loc[0, 'a'] = 99"
    (styler,) = content(shell, cell)
    assert ">99<" not in styler.to_html()


def test_too_much_is_an_error_and_takes_no_more_memory(shell: Shell) -> None:
    _, recorder = recorded(shell, "for _ in range(103):\n    print('x' * 1_000_000)")
    with pytest.raises(MessageError, match=r"more than 100\.0 MB"):
        recorder.content()


def test_everything_is_as_it_was_after_a_cell_that_fails(shell: Shell) -> None:
    streams = sys.stdout, sys.stderr, sys.displayhook
    run, recorder = recorded(shell, "print('a')\n1 / 0", stderr=True)
    assert isinstance(run.error, ZeroDivisionError)
    assert recorder.content() == ["a"]
    assert (sys.stdout, sys.stderr, sys.displayhook) == streams
    assert "format" not in vars(shell.ip.display_formatter)
    assert "publish" not in vars(shell.ip.display_pub)


def test_an_object_whose_repr_fails_shows_its_traceback_and_fails_no_cell(shell: Shell) -> None:
    shell.ok(
        "class Bad:\n    def _repr_html_(self):\n        raise ValueError('bad html')\n    __repr__ = lambda self: 'Bad'"
    )
    ran = shell.ok(
        "from mailconn_jupyter.notebook.cell.run_cell import run_cell\nrun = run_cell(get_ipython(), 'Bad()')"
    )
    assert ran.text.count("ValueError: bad html") == 1
    assert shell.ok("run.error").value is None


def test_code_that_looks_at_stdout_finds_what_it_expects(shell: Shell) -> None:
    assert content(
        shell, "import sys\nsys.stdout.writelines(['a', 'b'])\nsys.stdout.flush()\nassert sys.stdout.encoding"
    ) == ["ab"]


def test_the_words_for_how_a_cell_ended() -> None:
    assert CellRun(None, 75).ended == "finished after 1 min 15 s"
    assert CellRun(None, 3, ValueError()).ended == "FAILED after 3.0 s"
    assert CellRun(None, 7300, KeyboardInterrupt()).ended == "was interrupted after 2 h 1 min"
