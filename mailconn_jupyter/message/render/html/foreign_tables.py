"""Tables that pandas and polars wrote as HTML, as the outputs of a notebook hold them: made to look as JupyterLab shows them.

They come without a look of their own: the page around them has it, and a mail has no such page.
"""

from __future__ import annotations

import re
from typing import Final

from ..table.grid import placed
from ..table.table_html import looking_alike

__all__ = ["dressed"]

# Of each tag the name, and of a table the rest of it, too: nothing is read twice, however long it is.
_TAG: Final = re.compile(r"<(/?)table\b([^<>]*)>", re.IGNORECASE)
_FRAME: Final = re.compile(r"""\bclass=["']?dataframe\b""")


def dressed(html: str) -> str:
    """The HTML with the look of our own tables on each ``<table class="dataframe">``: header, stripes, sides."""
    if "dataframe" not in html:
        return html
    pieces: list[str] = []
    end, opened = 0, None
    for tag in _TAG.finditer(html):
        if not tag[1]:
            # A table within a table keeps its own look, and so does the one around it.
            opened = tag if _FRAME.search(tag[2]) else None
        elif opened is not None:
            pieces += [
                html[end : opened.start()],
                placed(f"{looking_alike('>', html[opened.end() : tag.start()])}</table>"),
            ]
            end, opened = tag.end(), None
    return "".join([*pieces, html[end:]])
