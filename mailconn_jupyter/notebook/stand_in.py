"""What stands for a form where no widget can live: a sentence with the magic's commands, and what is stored as a table."""

from __future__ import annotations

import sys

from ..commands.connection_views import server_text
from ..connection import MailConnection
from ..formatting import columns, prose, table
from ..names import quote
from ..store import connections

__all__ = ["COMPOSE", "compose_html", "compose_text", "html_of", "let_widgets_in", "text_of"]

_MOST = 20

#: What sends without a form.
COMPOSE = "%mailconn send NAME --to ADDRESS --subject TEXT RESULT ..."


def _words(stored: MailConnection | None, *, new: bool) -> str:
    if new:
        what, line = "a new connection", "%mailconn new NAME HOST"
    elif stored is None:
        what, line = "the mail server connections", "%mailconn list, and %mailconn edit NAME"
    else:
        what, line = repr(stored.name), f"%mailconn edit {quote(stored.name)}, and %mailconn test {quote(stored.name)}"
    return f"The form of {what}: run the cell again to get it back. Where Jupyter widgets do not show, use {line}."


def _table(stored: MailConnection | None, *, new: bool) -> tuple[list[tuple[str, ...]], tuple[str, ...]]:
    if stored is not None:
        return list(stored.shown()), ("Option", "Value")
    known = [] if new else [connections[name] for name in list(connections)[:_MOST]]
    rows: list[tuple[str, ...]] = [(one.name, one.protocol, server_text(one), one.username) for one in known]
    if not new and (more := len(connections) - len(rows)) > 0:
        rows.append((f"and {more:,} more", "", "", ""))
    return rows, ("Name", "Protocol", "Server", "User")


def text_of(stored: MailConnection | None, *, new: bool = False) -> str:
    """For a terminal, and for a front end that shows text alone: of one stored connection, of a new one, or of all."""
    rows, header = _table(stored, new=new)
    words = _words(stored, new=new)
    return f"{words}\n\n{columns(rows, header=header)}" if rows else words


def html_of(stored: MailConnection | None, *, new: bool = False) -> str:
    """The same as HTML: for a saved notebook, and for a front end without widgets."""
    rows, header = _table(stored, new=new)
    words = f"<p>{prose(_words(stored, new=new))}</p>"
    return f"{words}{table(rows, header=header)}" if rows else words


def compose_text() -> str:
    """In the place of the form for a mail; nothing of the mail is in it."""
    return (
        "The form for a mail: run the cell again to get it back. Where Jupyter widgets do not show, use "
        f"{COMPOSE}; %mailconn send -h says more."
    )


def compose_html() -> str:
    """The same as HTML."""
    return f"<p>{prose(compose_text())}</p>"


def let_widgets_in() -> None:
    """Ask Colab to show widgets that are not ipywidgets' own, as it must be asked once in each kernel.

    Source: https://colab.research.google.com/notebooks/snippets/advanced_outputs.ipynb
    """
    if "google.colab" in sys.modules:
        from google.colab import output  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415  # Colab's own

        output.enable_custom_widget_manager()
