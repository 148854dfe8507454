"""How ``%mailconn inbox`` shows itself: as a page that acts where there may be widgets, else as a table."""

from __future__ import annotations

from functools import partial
from typing import Any

from IPython.core.getipython import get_ipython

from ...commands import COMMANDS
from ...commands.reading import read_inbox
from ..magic.answers import told

__all__ = ["inbox"]


def inbox(**arguments: Any) -> Any:
    """Read the inbox, and show it."""
    shell: Any = get_ipython()
    # A terminal has no kernel, and no widgets.
    if getattr(shell, "kernel", None) is None:
        return told(COMMANDS["inbox"].do(**arguments))
    found = read_inbox(**arguments)
    if not found.messages:
        return told(found.shown())
    from .inbox_page import InboxPage  # noqa: PLC0415  # widgets, which a terminal goes without

    return InboxPage(found, partial(read_inbox, progress=False, **arguments)).show()
