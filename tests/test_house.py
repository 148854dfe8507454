"""The house: which room may import which, and what a folder and a file may be."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import mailconn_jupyter

PACKAGE = Path(mailconn_jupyter.__file__).parent
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path != PACKAGE / "__init__.py"
}
#: From the top floor down. A room imports only rooms on floors below its own.
FLOORS = (
    {"notebook", "console"},
    {"commands"},
    {"delivery"},
    {"documents", "mailbox", "discovery", "interchange", "sandbox"},
    {"session"},
    {"store"},
    {"message", "credentials"},
    {"transport"},
    {"connection"},
    {"keywords"},
    {"formatting", "pandas_tables"},
    {
        "names",
        "errors",
        "secret",
        "own_folder",
        "progress",
        "worker",
        "domains",
        "scalars",
        "forks",
        "extras",
        "program_path",
    },
    {"paths"},
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
PROTOCOLS = {"smtp", "imap", "pop3", "mbox", "graph"}
#: What a protocol's folder may call its files like another's does.
FAMILY = {"errors", "session", "client", "wire", "search"}
MOST_MODULES = 18
#: What the standard library holds on some systems alone.
NOT_EVERYWHERE = {"curses", "fcntl", "grp", "msvcrt", "pty", "pwd", "resource", "syslog", "termios", "tty", "winreg"}


def imports_of(module: str) -> Iterator[str]:
    """The modules of this package that a module imports, also within functions."""
    path = MODULES[module]
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            whole = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            for alias in node.names:
                inner = f"{whole}.{alias.name}".strip(".")
                yield inner if inner in MODULES else whole


ARROWS = {module: set(imports_of(module)) - {""} for module in MODULES}


def test_every_room_has_its_floor() -> None:
    assert {module.partition(".")[0] for module in MODULES} <= FLOOR.keys()


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_its_own_room_and_those_below(module: str) -> None:
    room = module.partition(".")[0]
    for target in ARROWS[module]:
        other = target.partition(".")[0]
        assert other == room or FLOOR[other] > FLOOR[room], f"{module} imports {target}"


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("session.")])
def test_a_protocols_folder_knows_no_other_protocols(module: str) -> None:
    own = module.split(".")[1]
    if own in PROTOCOLS:
        assert not [to for to in ARROWS[module] if set(to.split(".")[1:2]) & (PROTOCOLS - {own})]


def test_no_module_imports_itself_by_way_of_others() -> None:
    # A package's __init__ gives names of its modules, which import each other and not it.
    done: set[str] = set()

    def walk(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " -> ".join([*way[way.index(module) :], module])
        if module not in done:
            for target in ARROWS[module]:
                walk(target, (*way, module))
            done.add(module)

    for module in MODULES:
        walk(module, ())


def test_a_base_name_stands_once_but_for_the_words_of_the_protocols_folders() -> None:
    counts = Counter(path.stem for path in MODULES.values() if path.name != "__init__.py")
    assert {name for name, count in counts.items() if count > 1} <= FAMILY
    outside = {
        module
        for module, path in MODULES.items()
        if path.stem in FAMILY and module.split(".")[:1] != ["session"] and module != "errors"
    }
    assert outside == set()


def test_no_folder_has_more_modules_than_a_person_can_look_over() -> None:
    counts = Counter(path.parent for path in MODULES.values() if path.name != "__init__.py")
    assert {folder.name: count for folder, count in counts.items() if count > MOST_MODULES} == {}


@pytest.mark.parametrize("folder", [PACKAGE, Path(__file__).parent], ids=["package", "tests"])
def test_what_not_every_system_has_is_imported_only_where_its_absence_is_met(folder: Path) -> None:
    bare = []
    for path in folder.rglob("*.py"):
        # Within a function, or a try with an answer, it is somebody's decision.
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            bare += [f"{path.name}: {name}" for name in names if name in NOT_EVERYWHERE]
    assert bare == []
