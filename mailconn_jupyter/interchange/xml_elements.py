"""XML as a tree, without a document type: so no entity can be defined, to grow or to fetch anything."""

from __future__ import annotations

from typing import Any, Final
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from .import_draft import InterchangeError

__all__ = ["elements"]

_DEEPEST: Final = 30
_MOST: Final = 20_000


class _Refused(Exception):
    """What is wrong, as the end of a sentence; it never leaves this file."""


def elements(data: bytes) -> Element:
    """The root; what is no XML, is very deep or large, or has a document type is an :class:`InterchangeError`."""
    builder = TreeBuilder()
    parser = expat.ParserCreate()
    depth = count = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth, count
        depth, count = depth + 1, count + 1
        if depth > _DEEPEST or count > _MOST:
            raise _Refused("has too many elements, or they are nested too deeply")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def refuse(*_: Any) -> None:
        raise _Refused("has a document type declaration, which is not allowed since it can define entities")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(data, True)
        return builder.close()
    except _Refused as error:
        problem = f"It {error}."
    except expat.ExpatError as error:
        problem = f"It is not XML (line {error.lineno}, column {error.offset}: {expat.ErrorString(error.code)})."
    except (ValueError, LookupError, AssertionError):
        problem = "It is not XML in a supported encoding."
    raise InterchangeError(problem)
