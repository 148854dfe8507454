"""The tables and lists of the README say what the declarations say. ``python -m tests.test_readme`` prints them anew."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from mailconn_jupyter import MailConnection
from mailconn_jupyter.commands import COMMANDS
from mailconn_jupyter.credentials.sources import SOURCES

README = Path(__file__).parents[1] / "README.md"
#: The README, and what has a page of its own.
PAGES = [README, *sorted((README.parent / "notebooks").glob("*.md"))]
PYPROJECT = README.with_name("pyproject.toml")


def row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def options_table() -> list[str]:
    """The options of a connection, in the order of the form."""
    lines = [row("Option", "Name", "Protocols", "Default", "Meaning"), row(*["---"] * 5)]
    for name, option in MailConnection.options().items():
        default = option.default_value
        said = "" if default in (None, "") else {True: "on", False: "off"}.get(default, f"{default}")
        protocols = "all" if "MBOX" in option.protocols else ", ".join(option.protocols)
        lines.append(row(option.label, f"`{name}`", protocols, said, option.help.replace("<", "&lt;")))
        if name in SECRETS:
            label, about = SECRETS[name]
            lines.append(row(label, "", protocols, "", about))
    return lines


#: What is no option, and stands in the form beside one all the same.
SECRETS = {
    "username": ("Password", "A secret, so in no file: `%mailconn password NAME`, `mailconn.set_password(name)`."),
    "proxy_username": ("Proxy password", "The same for the proxy: `%mailconn password NAME --proxy`."),
    "smime_key": ("S/MIME passphrase", "The same for that key, where it has one: `%mailconn password NAME --smime`."),
}


def extras_table() -> list[str]:
    """The extras that a user needs, each with what pyproject.toml says of it."""
    lines = [row("Extra", "For"), row("---", "---")]
    text = PYPROJECT.read_text(encoding="utf-8")
    extras = tomllib.loads(text)["project"]["optional-dependencies"]
    said = re.findall(r"^(\w+) = \[.*# (.+)$", text, re.MULTILINE)
    return [*lines, *(row(f"`{name}`", about) for name, about in said if name in extras)]


def commands_table() -> list[str]:
    """The subcommands of the magic, in the order of its help."""
    lines = [(f"`{command.line}`", command.summary) for command in COMMANDS.values()]
    return [row(*cells) for cells in [("Line", "What it does"), ("---", "---"), *lines]]


def sources_list() -> list[str]:
    """The sources of secrets, in their order."""
    last = len(SOURCES)
    return [f"{n}. {source.about}{'.' if n == last else ';'}" for n, source in enumerate(SOURCES, 1)]


TABLES = {"extras": extras_table, "options": options_table, "commands": commands_table, "sources": sources_list}


def printed(name: str) -> list[str]:
    """The table or list between the comments of that name, in the README or on one of its pages."""
    found = [
        match.group(1)
        for page in PAGES
        for match in re.finditer(
            rf"<!-- {name} -->\n(.*?)\n<!-- /{name} -->", page.read_text(encoding="utf-8"), re.DOTALL
        )
    ]
    assert len(found) == 1
    return found[0].splitlines()


@pytest.mark.parametrize("name", TABLES)
def test_a_table_or_list_of_the_readme_is_the_one_of_the_declarations(name: str) -> None:
    assert printed(name) == TABLES[name]()


def test_the_files_that_the_readme_names_are_there() -> None:
    for path in re.findall(r"\b(?:notebooks|tests)/[\w/]+\.\w+", README.read_text(encoding="utf-8")):
        assert (README.parent / path).is_file(), path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_leads_to_a_file_and_to_a_heading_that_are_there(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text(encoding="utf-8")):
        path, _, heading = target.partition("#")
        assert (page.parent / path).exists(), target
        if heading:
            headings = re.findall(r"^#+ (.+)$", (page.parent / path).read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in {re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings}, target


def test_each_page_is_linked_from_the_readme() -> None:
    text = README.read_text(encoding="utf-8")
    assert [page.name for page in PAGES[1:] if f"](notebooks/{page.name})" not in text] == []


if __name__ == "__main__":
    for name, make in TABLES.items():
        print(f"<!-- {name} -->", *make(), f"<!-- /{name} -->", sep="\n")  # noqa: T201  # what it is for
