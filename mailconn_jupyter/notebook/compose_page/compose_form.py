"""The form in which a mail is written and sent: ``%mailconn compose`` and ``mailconn.compose_form()``."""

from __future__ import annotations

from typing import Any, Final

import ipywidgets as widgets

from ...delivery.send import require_sending
from ...errors import MailConnError
from ...keywords import public
from ...store import connections
from .. import stand_in
from ..form import style
from ..form.widgets import Manners, box, close_all
from .composer import Composer
from .mail_page import MailPage

__all__ = ["ComposeForm", "compose_form"]

_CSS: Final = f"<style>{(style.STATIC / 'compose.css').read_text(encoding='utf-8')}</style>"
_LEFT: Final = "The form ended with its kernel. Run the cell again: what you typed is there."


@public
def compose_form(name: str | None = None) -> ComposeForm:
    """A form to write a mail in and send it, with results of the notebook; show it by leaving it in a cell.

    ``name`` is the connection that is chosen in it at first; with None that of the mail that was left there, else the
    default, or the only one that sends.

    What is typed is in no notebook. Until it is sent or discarded it is kept in the Jupyter data directory, for its owner
    alone, and is there again when the cell is run in the next kernel; after three months it goes. Raises
    :class:`~mailconn_jupyter.errors.StoreError` when there is no such connection or it cannot be read,
    :class:`~mailconn_jupyter.errors.OptionError` for one that reads mail.
    """
    if name is not None:
        connection = connections.pick(name)
        require_sending(connection)
        return ComposeForm(connection.name, named=True)
    return ComposeForm(_usual())


def _usual() -> str:
    """The connection that is meant where none is named; empty where that is for a person to say."""
    try:
        usual = connections.pick(None, sends=True)
    except MailConnError:
        return ""
    return str(usual.name) if usual.sends else ""


class ComposeForm(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """The form on the screen. ``close()`` removes it; what was typed and not sent is there in the next."""

    def __init__(self, connection: str = "", *, named: bool = False) -> None:
        super().__init__()
        self.manners = Manners(label="Compose a mail")
        self.page = MailPage()
        self.composer = Composer(connection, self.page.tell, self._leave, named=named)
        self.page.heard = self.composer.hear
        self.add_class("mailconn-form")
        self.add_class("mailconn-compose")
        left = widgets.HTML(f"<p>{_LEFT}</p>")
        left.add_class("mailconn-left")
        instead = widgets.HTML(style.instead("No form here? Run in a cell:", stand_in.COMPOSE))
        instead.add_class("mailconn-instead")
        sheets = box(widgets.VBox, "mailconn-style", widgets.HTML(style.CSS), widgets.HTML(_CSS), self.manners)
        self.children = (sheets, left, self.page, instead)

    def _leave(self) -> None:
        if self.comm is not None:
            close_all(self)

    def close(self) -> None:
        """Remove the form from every front end; what was typed and not sent is there in the next."""
        # Also called when the object goes away, however far it came.
        if self.comm is not None and hasattr(self, "composer"):
            self.composer.close()

    def __repr__(self) -> str:
        return stand_in.compose_text()

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        return bundle | {"text/plain": repr(self), "text/html": stand_in.compose_html()}

    def _ipython_display_(self) -> None:
        from IPython.display import display  # noqa: PLC0415  # scripts go without IPython

        stand_in.let_widgets_in()
        display(self._repr_mimebundle_(), raw=True)  # type: ignore[no-untyped-call]
        display({"text/html": style.GONE}, raw=True)  # type: ignore[no-untyped-call]
