"""The page of the form that lists the connections, and what can be done with each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from typing import Any, Final

import anywidget
import ipywidgets as widgets
from traitlets import List, Unicode

from ...commands.connection_views import server_text
from ...commands.view import when_text
from ...connection import MailConnection
from ...errors import MailConnError
from ...names import fold
from ...store import atomic_files, connections, last_tests
from . import style
from .draft import Draft
from .question import Question
from .test_runs import Rounds
from .watch import watch
from .widgets import bar, box, button, close_all, live, show

__all__ = ["Manager"]

_ON_A_PAGE: Final = 15


class ConnectionTable(anywidget.AnyWidget):
    """The rows of one page, of which one is ``selected``, by its name; see ``static/connections.js``."""

    _esm = style.STATIC / "connections.js"

    rows: List[dict[str, Any]] = List().tag(sync=True)
    selected = Unicode().tag(sync=True)


class Manager(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """The connections, searched and paged; ``on_edit`` opens the page of a draft. ``guard`` as in the editor."""

    def __init__(self, guard: threading.RLock, on_edit: Callable[[Draft], None], focus: Callable[[str], None]) -> None:
        super().__init__()
        self._guard = guard
        self._on_edit = on_edit
        self._found: list[MailConnection] = []
        self._page = 0
        self._refreshing = False
        self.rounds = Rounds(self._tested)
        self._build(focus)

    def _build(self, focus: Callable[[str], None]) -> None:
        self.search = widgets.Text(
            description="Search", placeholder="Name, server, user", style={"description_width": "60px"}
        )
        self.search.observe(lambda _: self._turn(0), "value")
        self.table = ConnectionTable()
        self.table.observe(lambda _: self._chosen(), "selected")
        self.table.on_msg(self._heard)
        self.instead = widgets.HTML(style.instead("No list here? Run in a cell:", "%mailconn"))
        self.instead.add_class("mailconn-instead")
        self.back = button("Previous", "Previous page", lambda: self._turn(self._page - 1))
        self.next = button("Next", "Next page", lambda: self._turn(self._page + 1))
        self.place = live("", "mailconn-place")
        self.pager = bar(self.back, self.next, self.place)
        self.new = button("New", "Make a connection", lambda: self._on_edit(Draft()), style="primary")
        self.new.add_class("mailconn-new")
        self.edit = button("Edit", "Change the chosen connection", lambda: self._open(Draft.of))
        self.copy = button("Duplicate", "Make a connection with the same options", lambda: self._open(Draft.copy_of))
        self.rename = button("Rename", "Give it another name; its passwords move with it", self._rename)
        self.delete = button("Delete", "Delete it and its passwords", self._delete)
        self.default = button("Make default", "The connection that is used when none is named", self._default)
        self.test = button("Test", "Open a session to the chosen connection, and close it", self._test)
        self.test_all = button("Test all", "Test every connection in the list, at the same time", self._test_all)
        self.cancel = button("Cancel", "Stop the tests", self.rounds.stop)
        self.about = widgets.HTML()
        self.about.add_class("mailconn-about")
        self.question = Question(focus)
        self.status = live()
        self.problems = widgets.HTML()
        self.add_class("mailconn-manager")
        title = widgets.HTML(style.heading("Mail server connections", level=3))
        search = box(widgets.HBox, "mailconn-search", self.search)
        self.children = (
            title,
            bar(self.new, self.test_all, self.cancel, search),
            box(widgets.VBox, "mailconn-list", self.table, self.instead),
            self.pager,
            bar(self.edit, self.test, self.copy, self.rename, self.delete, self.default),
            self.question.panel,
            self.about,
            self.status,
            self.problems,
        )

    # Showing

    def refresh(self, chosen: str = "") -> None:
        """Read the store anew; ``chosen`` is the connection to choose and turn to."""
        with self._guard:
            self._found, problems = connections.survey()
            self.problems.value = style.status(*(("warn", str(problem)) for problem in problems))
            before = self.table.selected
            wanted = chosen or before or connections.default or ""
            matching = self._matching()
            keys = [fold(connection.name) for connection in matching]
            if fold(wanted) in keys:
                self._page = keys.index(fold(wanted)) // _ON_A_PAGE if chosen else self._page
                wanted = matching[keys.index(fold(wanted))].name
            else:
                wanted = ""
            self._show(matching, "" if wanted == before else wanted)

    def _matching(self) -> list[MailConnection]:
        words = fold(self.search.value).split()
        texts = (fold(f"{one.name} {one.protocol} {server_text(one)} {one.username}") for one in self._found)
        return [one for one, text in zip(self._found, texts, strict=True) if all(word in text for word in words)]

    def _turn(self, page: int) -> None:
        with self._guard:
            self._page = page
            self._show(self._matching())

    def _show(self, matching: list[MailConnection], chosen: str = "") -> None:
        pages = max(1, -(-len(matching) // _ON_A_PAGE))
        self._page = min(max(self._page, 0), pages - 1)
        first = self._page * _ON_A_PAGE
        shown = matching[first : first + _ON_A_PAGE]
        names = [connection.name for connection in shown]
        defaults = {*map(fold, connections.defaults)}
        self._refreshing = True
        try:
            self.table.rows = [self._row(connection, defaults) for connection in shown]
            # Somebody may have chosen another row since: that is read late, and written only where it must be.
            selected = chosen or self.table.selected
            if chosen or selected not in names:
                self.table.selected = selected if selected in names else next(iter(names), "")
        finally:
            self._refreshing = False
        show(self.pager, pages > 1)
        self.back.disabled, self.next.disabled = self._page == 0, self._page == pages - 1
        self.place.value = f"{first + 1} to {first + len(shown)} of {len(matching)}" if pages > 1 else ""
        self._buttons()

    def _row(self, connection: MailConnection, defaults: Collection[str]) -> dict[str, Any]:
        sign, word, style, when = self._outcome(connection.name)
        marks = ["default"] if fold(connection.name) in defaults else []
        kept = "you"
        if connection.origin.layer == "shared":
            locked = connections.where(connection.name).locked
            kept = "an administrator"
            marks += ["locked"] if locked else []
        return {
            "name": connection.name,
            "protocol": connection.protocol,
            "server": server_text(connection),
            "security": "" if connection.protocol == "MBOX" else connection.security or "none",
            "user": connection.username if connection.applies("username") else "",
            "marks": marks,
            "kept": kept,
            "sign": sign,
            "word": word,
            "style": style,
            "when": when,
        }

    def _outcome(self, name: str) -> tuple[str, str, str, str]:
        if self.rounds.is_testing(name):
            return "▸", "testing …", "", ""
        last = last_tests.last(name)
        if last is None:
            return "", "never", "", ""
        sign, word, style = ("✓", "passed", "mailconn-is-good") if last.ok else ("✗", "failed", "mailconn-is-bad")
        return sign, word, style, when_text(last.when)

    def _chosen(self) -> None:
        if not self._refreshing:
            with self._guard:
                self.question.drop()
                self._buttons()

    def _buttons(self) -> None:
        name = self.table.selected
        chosen = next((connection for connection in self._found if connection.name == name), None)
        own = chosen is not None and chosen.origin.layer == "user"
        for one in (self.edit, self.copy):
            one.disabled = chosen is None
        for one in (self.rename, self.delete):
            one.disabled = not own
        self.default.disabled = chosen is None or fold(name) in map(fold, connections.defaults)
        self.test.disabled = chosen is None or self.rounds.is_testing(name)
        self.test_all.disabled = not self._found or self.rounds.running
        show(self.cancel, self.rounds.running)
        self.about.value = self._about(chosen)

    def _about(self, chosen: MailConnection | None) -> str:
        if chosen is None:
            nothing = "There is no mail server connection yet: New makes one."
            return style.help_text("No connection matches." if self._found else nothing)
        lines = [f"{chosen.name} is kept in {atomic_files.show(chosen.origin.path)}."]
        if chosen.origin.layer == "shared":
            lines.append("An administrator provides it: it can be tested and duplicated here, not renamed or deleted.")
        last = last_tests.last(chosen.name)
        if last is not None and not last.ok and not self.rounds.is_testing(chosen.name):
            lines.append(f"Its last test failed: {last.summary.removeprefix(f'{chosen.name}: ')}")
        return "<br>".join(map(style.help_text, lines))

    # What a person does

    def _heard(self, _: object, content: object, __: object) -> None:
        match content:
            case {"kind": "open", "name": str(name)}:
                self.table.selected = name
                self._open(Draft.of)

    def _do(self, act: Callable[[], str]) -> None:
        """Act on the store, and say what came of it."""
        try:
            said = style.message("good", act())
        except MailConnError as error:
            said = style.message("bad", error.in_one_line)
        self.status.value = said
        self.refresh()
        watch.nudge()

    def _open(self, draft: Callable[[str], Draft]) -> None:
        with self._guard:
            self.question.drop()
            try:
                opened = draft(self.table.selected)
            except MailConnError as error:
                self.status.value = style.message("bad", error.in_one_line)
                self.refresh()
            else:
                self.status.value = ""
                self._on_edit(opened)

    def _rename(self) -> None:
        with self._guard:
            old = self.table.selected
            self.question.ask_for(f"What should {old!r} be called?", "New name", old, "Rename", self._renamed)

    def _renamed(self, new: str) -> None:
        with self._guard:
            old = self.table.selected
            try:
                connections.rename(old, new)
            except MailConnError as error:
                self.question.refuse(error)
                return
            self.question.drop()
            new = connections[new].name
            self.status.value = style.message("good", f"{old!r} is now called {new!r}.")
            self.refresh(new)
        watch.nudge()

    def _delete(self) -> None:
        with self._guard:
            text = f"Delete {self.table.selected!r} and its passwords?"
            self.question.ask(text, "Delete", self._deleted, keep="Keep")

    def _deleted(self) -> None:
        with self._guard:
            name = self.table.selected
            self.question.drop()
            self._do(lambda: " ".join([*connections.delete(name), f"{name!r} is deleted."]))

    def _default(self) -> None:
        with self._guard:
            name = self.table.selected
            self._do(lambda: _set_default(name))

    def _test(self) -> None:
        with self._guard:
            self.rounds.start([self.table.selected])

    def _test_all(self) -> None:
        with self._guard:
            self.rounds.start([connection.name for connection in self._matching()])

    def _tested(self) -> None:
        """A test has begun or ended."""
        with self._guard:
            if self.comm is not None:
                kind, text = self.rounds.state()
                self.status.value = style.message(kind, text)
                self._show(self._matching())

    def close(self) -> None:
        """End the tests and remove the page."""
        # Also called when the object goes away, however far it came.
        if self.comm is None or not hasattr(self, "problems"):
            return
        self.rounds.stop()
        close_all(self)


def _set_default(name: str) -> str:
    connections.default = name
    return f"{name!r} is now used when no connection is named."
