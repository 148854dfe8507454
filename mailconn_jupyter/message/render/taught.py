"""What the running IPython was taught to show of a type: by SymPy's ``init_printing``, RDKit's console, anybody's ``for_type``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

__all__ = ["float_text", "taught"]


def taught(value: Any) -> dict[str, Callable[..., Any]]:
    """The functions by their MIME type, the one that gives a whole bundle under the empty one; none outside of IPython."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is None:
        return {}
    asked = {"": shell.display_formatter.mimebundle_formatter, **shell.display_formatter.formatters}
    # A notebook's text is of every type; that a mail asks for where there is nothing else.
    asked.pop("text/plain", None)
    return {kind: function for kind, each in asked.items() if (function := _of(each, value)) is not None}


def float_text(value: float) -> str:
    """A number as a cell shows it, with the decimals that ``%precision`` said; the shortest text of it elsewhere."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    said = "%r" if shell is None else shell.display_formatter.formatters["text/plain"].float_format
    # By repr a number of NumPy would say what type it is.
    return str(value) if said in {"", "%r"} else str(said % value)


def _of(formatter: Any, value: Any) -> Callable[..., Any] | None:
    try:
        function: Callable[..., Any] | None = formatter.lookup(value) if formatter.enabled else None
    except KeyError:
        return None
    return function
