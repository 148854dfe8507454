"""The tree of errors in errors.py is the one of the classes. ``python -m tests.test_errors`` draws it anew."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages

import mailconn_jupyter
from mailconn_jupyter import errors
from mailconn_jupyter.errors import MailConnError

_PROTOCOLS = ("smtp", "imap", "pop3", "mbox", "graph")
_ORDER = ("", *_PROTOCOLS)


def classes() -> list[type[MailConnError]]:
    """Every error of the package."""
    for module in walk_packages(mailconn_jupyter.__path__, "mailconn_jupyter."):
        import_module(module.name)
    found, left = [], [MailConnError]
    while left:
        found.append(kind := left.pop())
        left += [sub for sub in kind.__subclasses__() if sub.__module__.startswith("mailconn_jupyter.")]
    return sorted(set(found), key=lambda kind: (kind.__name__, _ORDER.index(protocol_of(kind))))


def protocol_of(kind: type[MailConnError]) -> str:
    return next((part for part in kind.__module__.split(".") if part in _PROTOCOLS), "")


def about(kind: type[MailConnError]) -> str:
    """What its docstring says first, up to the first stop."""
    first = " ".join((inspect.getdoc(kind) or "").split("\n\n")[0].split())
    for stop in (". ", ": ", "; "):
        first = first.partition(stop)[0]
    return first.removesuffix(".")


def drawn() -> list[str]:
    """A line for each name under what it is a kind of; a protocol's own class stands with the one whose name it has."""
    everything = classes()

    def parent(kind: type[MailConnError]) -> type[MailConnError] | None:
        return next((base for base in kind.__mro__[1:] if issubclass(base, MailConnError)), None)

    def lines(kinds: list[type[MailConnError]], depth: int) -> Iterator[str]:
        kinds = kinds + [kind for kind in everything if parent(kind) in kinds and kind.__name__ == kinds[0].__name__]
        spoken = ", ".join(word for word in _PROTOCOLS if word in map(protocol_of, kinds))
        yield f"{'    ' * depth}{kinds[0].__name__}{f' ({spoken})' if spoken else ''}: {about(kinds[0])}."
        below = [kind for kind in everything if parent(kind) in kinds and kind not in kinds]
        for name in dict.fromkeys(kind.__name__ for kind in below):
            yield from lines([kind for kind in below if kind.__name__ == name], depth + 1)

    return list(lines([MailConnError], 0))


def test_the_tree_of_errors_is_the_one_of_the_classes() -> None:
    tree = (errors.__doc__ or "").partition("::\n\n")[2]
    assert [line.removeprefix("    ") for line in tree.splitlines()] == drawn()


def test_every_error_says_what_it_is_for() -> None:
    assert [kind for kind in classes() if len(about(kind)) < len("It is there")] == []


if __name__ == "__main__":
    print("\n".join(drawn()))  # noqa: T201  # what it is for
