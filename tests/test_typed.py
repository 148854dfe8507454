"""What a type checker knows of the public names: it passes what people write, and finds what is wrong in it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import pytest

TYPED = Path(__file__).parent / "typed"
README = Path(__file__).parents[1] / "README.md"
PREAMBLE = "import mailconn_jupyter as mailconn\nfrom email.message import EmailMessage\nfrom typing import Any\n"
_FOUND = re.compile(r"(?P<file>[^:]+):(?P<line>\d+): error: (?P<words>.*)  \[(?P<code>[\w-]+)\]")
_SAID = re.compile(r"# E: (?P<code>[\w-]+) (?P<words>.+)")


Errors = dict[str, dict[int, set[tuple[str, str]]]]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Errors:
    """The errors of mypy by file and line, each with its code; one run for all, as it takes seconds."""
    readme = tmp_path_factory.mktemp("samples") / "readme_samples.py"
    readme.write_text(samples(), encoding="utf-8")
    files = [*sorted(TYPED.glob("*.py")), readme]
    command = [sys.executable, "-m", "mypy", "--strict", "--no-pretty", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=TYPED.parents[1])
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    errors: Errors = {path.name: {} for path in files}
    for error in filter(None, map(_FOUND.fullmatch, done.stdout.splitlines())):
        lines = errors[Path(error["file"]).name]
        lines.setdefault(int(error["line"]), set()).add((error["code"], error["words"]))
    return errors


def samples() -> str:
    """The README's Python, each block a function that is given what it does not make."""
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) > 3
    given = "msg: EmailMessage, df: Any, fig: Any, letters: mailconn.Merge, campaign: mailconn.Campaign, report: mailconn.DeliveryReport"
    functions = [
        f"def sample_{number}({given}) -> None:\n{indent(block, '    ')}" for number, block in enumerate(blocks)
    ]
    return "\n".join([PREAMBLE, *functions])


def test_the_readme_passes(found: Errors) -> None:
    assert found["readme_samples.py"] == {}


def test_what_people_write_passes(found: Errors) -> None:
    assert found["good.py"] == {}


def test_every_mistake_is_found_and_nothing_else(found: Errors) -> None:
    lines = (TYPED / "bad.py").read_text(encoding="utf-8").splitlines()
    expected = {number: said for number, line in enumerate(lines, 1) if (said := _SAID.search(line))}
    assert len(expected) > 40
    assert set(found["bad.py"]) == set(expected)
    for number, said in expected.items():
        for code, words in found["bad.py"][number]:
            assert code == said["code"], f"line {number}: {words}"
            assert said["words"] in words, f"line {number}: {words}"
