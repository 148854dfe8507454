"""Every text that the package may show: what its code says, without its docstrings.

``python -m tests.support.screen_texts`` prints them in one list; with a revision, those that have changed since it, each
before and after.
"""

from __future__ import annotations

import ast
import difflib
import io
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import mailconn_jupyter

HERE = Path(mailconn_jupyter.__file__).parent
_ALIKE = 0.5


class Shown(NamedTuple):
    """A text, with ``{...}`` for what is filled in, and where it stands."""

    place: str
    line: int
    text: str


def shown_texts() -> list[Shown]:
    """Those of the package as it is here."""
    return [
        shown
        for path in sorted(HERE.rglob("*.py"))
        for shown in sorted(texts_of(path.relative_to(HERE).as_posix(), path.read_text(encoding="utf-8")))
    ]


def texts_of(place: str, source: str) -> Iterator[Shown]:
    """Those of one file that have at least two words."""
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        for child in ast.iter_child_nodes(waiting.pop(0)):
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                continue  # a docstring
            text = written(child)
            if text is None:
                waiting.append(child)
                continue
            waiting += [node.value for node in ast.walk(child) if isinstance(node, ast.FormattedValue)]
            if len(text.split()) > 1:
                yield Shown(place, getattr(child, "lineno", 0), text)


def written(node: ast.AST | None) -> str | None:
    """The text that an expression stands for, as far as it is one."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(
            f"{{{ast.unparse(part.value)}}}" if isinstance(part, ast.FormattedValue) else str(written(part))
            for part in node.values
        )
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        sides = node.left, node.right
        texts = [written(side) for side in sides]
        if any(text is not None for text in texts):
            return "".join(
                f"{{{ast.unparse(side)}}}" if text is None else text for side, text in zip(sides, texts, strict=True)
            )
    return None


def _at(revision: str) -> Iterator[Shown]:
    archive = subprocess.run(["git", "archive", revision, HERE.name], cwd=HERE.parent, check=True, capture_output=True)
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        for member in files:
            if member.name.endswith(".py") and (file := files.extractfile(member)):
                yield from texts_of(member.name.removeprefix(f"{HERE.name}/"), file.read().decode())


def _changed(revision: str) -> Iterator[str]:
    """``- before`` and ``+ after``, for each text that is not what it was; a text that is new or gone has one of them."""
    now, before = shown_texts(), list(_at(revision))
    kept = {shown.text for shown in now} & {shown.text for shown in before}
    gone = {shown.text: shown.place for shown in before if shown.text not in kept}
    for place, line, text in now:
        if text not in kept:
            yield f"{place}:{line}"
            near = [old for old, there in gone.items() if there == place]
            if like := difflib.get_close_matches(text, near, n=1, cutoff=_ALIKE):
                del gone[like[0]]
                yield f"- {like[0]}"
            yield f"+ {text}"
    for old, place in gone.items():
        yield f"{place}\n- {old}"


if __name__ == "__main__":
    lines = (
        _changed(sys.argv[1]) if sys.argv[1:] else (f"{place}:{line}: {text}" for place, line, text in shown_texts())
    )
    for said in lines:
        print(said.encode(errors="backslashreplace").decode())  # noqa: T201  # what it is for
