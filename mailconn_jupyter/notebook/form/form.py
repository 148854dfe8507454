"""The form: ``%mailconn form`` and ``mailconn.form()``. A list of the connections, and a page for one of them."""

from __future__ import annotations

import threading
from typing import Any

import ipywidgets as widgets

from ...keywords import public
from ...store import connections
from .. import stand_in
from . import style
from .draft import Draft
from .edit_page import Editor
from .list_page import Manager
from .watch import watch
from .widgets import Manners, box, close_all, show

__all__ = ["Form", "form"]


@public
def form(name: str | None = None) -> Form:
    """The form of the stored connection ``name``; with None the list of all, or of a new one while there is none.

    Show it by leaving it in a cell. Raises :class:`~mailconn_jupyter.errors.StoreError` when there is no such
    connection or it cannot be read.
    """
    if name is not None:
        return Form(Draft.of(name))
    found, problems = connections.survey()
    return Form(None if found or problems else Draft())


class Form(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """The form on the screen: the page of ``draft``, or with None the list. It follows what others change meanwhile.

    ``close()`` forgets what was typed and not saved.
    """

    def __init__(self, draft: Draft | None = None) -> None:
        super().__init__()
        # Front ends and kernels differ in which thread a callback comes from, and the watch has its own.
        self.guard = threading.RLock()
        self.manners = Manners()
        self.manager: Manager | None = None
        self.editor: Editor | None = None
        self._page = box(widgets.VBox, "mailconn-page")
        sheet = box(widgets.VBox, "mailconn-style", widgets.HTML(style.CSS), self.manners)
        left = widgets.HTML(f"<p>{style.LEFT}</p>")
        left.add_class("mailconn-left")
        self.add_class("mailconn-form")
        self.children = (sheet, left, self._page)
        if draft is None:
            self._show_list()
        else:
            self._show_editor(draft)
        watch.subscribe(self._changed)

    def edit(self, draft: Draft) -> None:
        """Leave the list for the page of a connection."""
        with self.guard:
            self._show_editor(draft)
            self.manners.focus(".mailconn-main input")

    def back(self) -> None:
        """Leave the page of a connection, and what was typed there, for the list."""
        with self.guard:
            stored = self.editor.draft.stored if self.editor is not None else None
            self._show_list(stored.name if stored is not None else "")
            self.manners.focus(".mailconn-table input:checked, .mailconn-new")

    def _show_editor(self, draft: Draft) -> None:
        self.editor = Editor(draft, self.guard, self.back, self.manners.focus)
        self._page.children = (self.editor,)
        if self.manager is not None:
            show(self.manager, False)
            self._page.children = (self.manager, self.editor)

    def _show_list(self, chosen: str = "") -> None:
        if self.manager is None:
            self.manager = Manager(self.guard, self.edit, self.manners.focus)
        show(self.manager)
        self._page.children = (self.manager,)
        self.manager.refresh(chosen)
        if self.editor is not None:
            self.editor.close()
            self.editor = None

    def _changed(self) -> None:
        """Somebody has changed what is stored, perhaps this form itself."""
        with self.guard:
            if self.editor is not None:
                self.editor.elsewhere()
            elif self.manager is not None:
                self.manager.refresh()

    def close(self) -> None:
        """Remove the form from every front end, end its tests, and forget what was typed and not saved."""
        # Also called when the object goes away, however far it came.
        if self.comm is None or not hasattr(self, "_page"):
            return
        watch.unsubscribe(self._changed)
        with self.guard:
            for page in (self.editor, self.manager):
                if page is not None:
                    page.close()
            close_all(self)

    def _stands_for(self) -> dict[str, Any]:
        stored = self.editor.draft.stored if self.editor is not None else None
        return {"stored": stored, "new": self.editor is not None and stored is None}

    def __repr__(self) -> str:
        return stand_in.text_of(**self._stands_for())

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        # The library's own would cut the sentence.
        return bundle | {"text/plain": repr(self), "text/html": stand_in.html_of(**self._stands_for())}

    def _ipython_display_(self) -> None:
        from IPython.display import display  # noqa: PLC0415  # scripts go without IPython

        stand_in.let_widgets_in()
        display(self._repr_mimebundle_(), raw=True)  # type: ignore[no-untyped-call]
        display({"text/html": style.GONE}, raw=True)  # type: ignore[no-untyped-call]
