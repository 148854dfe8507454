"""What a hint tells people to install is what the extra brings, under names that an index knows."""

from __future__ import annotations

import re
import shlex
import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from mailconn_jupyter.extras import install

_PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
_PACKAGE = Path(__file__).parents[1] / "mailconn_jupyter"


@pytest.mark.parametrize("extra", ["imap", "notebook", "oauth", "report", "sandbox", "templates"])
def test_the_command_names_every_package_of_the_extra(extra: str) -> None:
    pip, verb, *packages = shlex.split(install(extra))
    assert (pip, verb) == ("pip", "install")
    expected = [Requirement(needed) for needed in _PROJECT["optional-dependencies"][extra]]
    given = [Requirement(package) for package in packages]
    assert {(one.name.lower(), one.specifier) for one in given} == {
        (one.name.lower(), one.specifier) for one in expected
    }


def test_where_the_package_has_no_metadata_the_extra_itself_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> list[str]:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.requires", missing)
    assert install("report") == 'pip install "mailconn-jupyter[report]"'


def test_no_text_tells_people_to_install_this_package_from_an_index() -> None:
    told = [
        path.name
        for path in _PACKAGE.rglob("*.py")
        if re.search(r"pip install \W*mailconn-jupyter", path.read_text(encoding="utf-8"))
    ]
    assert told == []
