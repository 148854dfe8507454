"""The table of the kinds of results: the one place where types are named, from which all else is derived."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import mailconn_jupyter
from mailconn_jupyter.message import kinds
from mailconn_jupyter.message.kinds import BUILT_IN, LIBRARIES, Kind, load
from mailconn_jupyter.message.render import Options, Part
from tests.support import shells
from tests.support.composed import arrived, attached, html_of
from tests.support.shells import Shell, keep

shell = shells.shell
clean_up = shells.clean_up
PACKAGE = Path(mailconn_jupyter.__file__).parent
ROWS = (*LIBRARIES, *BUILT_IN)


def texts_of(path: Path) -> Iterator[str]:
    """The texts in the code of a module; not its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    said = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.value


def test_no_other_module_names_the_types_of_results() -> None:
    names = {name for kind in ROWS for name in kind.types}
    # By its own name alone a type could be told, too.
    names |= {name.rpartition(".")[2] for kind in LIBRARIES[6:] for name in kind.types} - {"HTML", "SVG", "Image"}
    others = [path for path in PACKAGE.rglob("*.py") if path != Path(kinds.__file__)]
    assert len(others) > 100
    assert {path.name: found for path in others if (found := names.intersection(texts_of(path)))} == {}


def test_no_type_is_of_two_kinds() -> None:
    names = [name for kind in ROWS for name in kind.types]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("kind", ROWS, ids=lambda kind: kind.types[0])
def test_every_function_of_a_row_is_there(kind: Kind) -> None:
    for place in filter(None, (kind.render, kind.write, kind.read, kind.keep)):
        assert callable(load(place))


class Graph:
    """What a library that is not known here makes."""

    def __init__(self, *nodes: str) -> None:
        self.nodes = list(nodes)


Graph.__module__ = "networkx.classes.graph"


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind for it: one function, and one row."""

    def render_graph(graph: Any, _options: Options) -> Part:
        return Part(f"{len(graph.nodes)} nodes", f"<p>{len(graph.nodes)} nodes</p>")

    def write_graph(graph: Any, suffix: str) -> bytes | None:
        return "\n".join(graph.nodes).encode() if suffix == "gml" else None

    module = ModuleType("mailconn_jupyter.message.render.networks")
    vars(module).update(render_graph=render_graph, write_graph=write_graph)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    row = Kind(
        ("networkx.Graph",),
        "render.networks:render_graph",
        "render.networks:write_graph",
        keep="render.registry:render",
    )
    for name in row.types:
        monkeypatch.setitem(kinds._LIBRARIES, name, row)


def test_a_new_kind_is_one_row_and_its_functions(graphs: None, shell: Shell) -> None:
    message = arrived(Graph("a", "b"), attachments={"net.gml": Graph("a", "b", "c")})
    assert "<p>2 nodes</p>" in html_of(message)
    assert attached(message) == {"net.gml": b"a\nb\nc"}
    assert "<p>1 nodes</p>" in html_of(arrived([Graph("a"), "and words"]))
    keep("ops", from_address="bob@example.org")
    shell.ip.user_ns["graph"] = Graph("a", "b")
    # As it was when it was shown.
    cell = "%%mailconn send ops --to ana@example.org --subject S --preview\ndisplay(graph)\ngraph.nodes.clear()"
    assert "2 nodes" in shell.ok(cell).text
