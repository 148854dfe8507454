"""The form where no widget lives: in a terminal, a saved notebook, and Colab before it was asked."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.notebook import stand_in
from mailconn_jupyter.notebook.form.form import form as new_form
from mailconn_jupyter.store import connections
from tests.support import shells
from tests.support.shells import Shell

pytestmark = pytest.mark.usefixtures("own_config")

shell = shells.shell


def keep(name: str) -> None:
    connections.save(MailConnection(name=name, server_host="mail.example.org", username="ana@example.org"))


def test_a_terminal_shows_the_sentence_and_the_options_of_the_connection() -> None:
    keep("büro <1>")
    said = repr(new_form("büro <1>"))
    assert 'use %mailconn edit "büro <1>", and %mailconn test "büro <1>".' in said
    assert "mail.example.org" in said
    assert "ana@example.org" in said


def test_a_front_end_without_widgets_shows_a_table_and_nothing_of_a_name_acts() -> None:
    keep("<img src=x onerror=alert(1)>")
    page = new_form("<img src=x onerror=alert(1)>")._repr_mimebundle_()["text/html"]
    assert "<table" in page
    assert "<img" not in page


def test_the_list_shows_the_first_of_many_and_how_many_more_there_are() -> None:
    for number in range(25):
        keep(f"c{number:02}")
    lines = repr(new_form()).splitlines()
    assert "%mailconn list" in lines[0]
    assert sum("mail.example.org" in line for line in lines) == 20
    assert lines[-1].strip() == "and 5 more"


def test_the_form_of_a_new_connection_says_how_to_make_one() -> None:
    assert repr(new_form()).endswith("use %mailconn new NAME HOST.")


def test_in_a_terminals_ipython_the_command_prints_the_sentence(shell: Shell) -> None:
    keep("ops")
    assert "Where Jupyter widgets do not show, use %mailconn edit ops" in shell.ok("%mailconn form ops").text


def test_colab_is_asked_to_let_other_widgets_in_and_nobody_else_is(monkeypatch: pytest.MonkeyPatch) -> None:
    # A mock: Colab is a service. The call is the one of its own documentation.
    asked: list[str] = []
    google, colab, output = ModuleType("google"), ModuleType("google.colab"), ModuleType("google.colab.output")
    output.enable_custom_widget_manager = lambda: asked.append("yes")  # type: ignore[attr-defined]
    colab.output = output  # type: ignore[attr-defined]
    stand_in.let_widgets_in()
    assert asked == []
    for name, module in {"google": google, "google.colab": colab, "google.colab.output": output}.items():
        monkeypatch.setitem(sys.modules, name, module)
    stand_in.let_widgets_in()
    assert asked == ["yes"]
