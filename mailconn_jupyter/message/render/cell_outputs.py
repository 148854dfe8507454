"""Outputs of a cell as content of a message: what it printed, and figures that are nothing but data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

from ..texts import clean
from .words import MimeBundle, Preformatted

__all__ = ["PLOTLY", "WIDGET", "displayed", "printed"]

# Two spaces, a tab, an indented line, a line drawn of characters: somebody aligned something.
_ALIGNED: Final = re.compile(r"^[ \t]|[ \t]{2}|\t|[\u2500-\u259f|]|[-=+_*#]{3}", re.MULTILINE)
#: What a widget shows is alive in its notebook alone.
WIDGET: Final = "application/vnd.jupyter.widget-view+json"
#: A figure of Plotly, as the data that its script draws.
PLOTLY: Final = "application/vnd.plotly.v1+json"


def displayed(data: Mapping[str, Any], metadata: Mapping[str, Any], name: str = "output") -> Any:
    """One displayed output; a Plotly figure, of which a notebook keeps the data alone, as the figure again."""
    if isinstance(figure := data.get(PLOTLY), Mapping):
        try:
            made = import_module("plotly.graph_objects").Figure
            return made(data=figure.get("data"), layout=figure.get("layout"))
        except (ImportError, ValueError):
            pass  # its other forms are there, if any
    return MimeBundle(dict(data), dict(metadata), name)


def printed(text: str) -> str:
    r"""The text as it stands at the end; empty when there is none.

    Of a line that was written over, a progress bar's for example, only the last state counts.

    >>> type(printed("Three things moved.")).__name__, type(printed("a   b")).__name__
    ('str', 'Preformatted')
    >>> printed("10 %\r20 %\rdone")
    'done'
    """
    if "\r" in text:
        text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    text = clean(text).strip("\n")
    return Preformatted(text) if _ALIGNED.search(text) else text
