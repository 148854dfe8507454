"""The inbox on the screen: a table with a box before each message, and what can be done with those that are chosen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

import anywidget
import ipywidgets as widgets
from IPython.display import display
from traitlets import List, Unicode

from ...commands.reading import Inbox
from ...errors import MailConnError
from ...formatting import counted
from ...mailbox.found_messages import Messages
from ...mailbox.mailbox_message import MailboxMessage
from ...worker import Worker
from ..form import style
from ..form.question import Question
from ..form.widgets import Manners, bar, box, button, close_all, live, show

__all__ = ["InboxPage"]

Act = Callable[[Messages], Any]

_ATTACHMENTS: Final = "attachments"


class MessageTable(anywidget.AnyWidget):
    """The rows, of which some are ``chosen``, by their keys; see ``static/messages.js``."""

    _esm = style.STATIC / "messages.js"

    caption = Unicode().tag(sync=True)
    rows: List[dict[str, Any]] = List().tag(sync=True)
    chosen: List[str] = List().tag(sync=True)


class InboxPage(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """The messages of ``found``; ``again`` reads them anew. What is done is done in a thread: the kernel stays free."""

    def __init__(self, found: Inbox, again: Callable[[], Inbox]) -> None:
        super().__init__()
        self._guard = threading.RLock()
        self._again = again
        self._found = found
        self._trash = ""
        #: Whether it is asked just now if what is chosen should be deleted.
        self._deletes = False
        self.worker = Worker("mailconn-inbox")
        self._build()
        self._show(found)
        if self._has_folders:
            self._work("Listing the folders …", self._list_folders)

    @property
    def _has_folders(self) -> bool:
        return self._found.connection.protocol == "IMAP"

    def _build(self) -> None:
        self.manners = Manners(label="Inbox")
        self.table = MessageTable()
        self.table.observe(lambda _: self._chosen_anew(), "chosen")
        self.instead = widgets.HTML(style.instead("No list here? Run in a cell:", "mailconn.messages(name)"))
        self.instead.add_class("mailconn-instead")
        self.read = button("Mark as read", "Mark the selected messages as read", self._acts(Messages.mark_seen))
        self.unread = button("Mark as unread", "Mark the selected messages as unread", self._acts(_mark_unread))
        self.flag = button("Flag", "Mark the selected messages with a flag", self._acts(Messages.flag))
        self.unflag = button("Remove flag", "Remove the flag from the selected messages", self._acts(Messages.unflag))
        self.folder = widgets.Dropdown(description="Folder", style={"description_width": "50px"})
        self.folder.observe(lambda _: self._buttons(), "value")
        self.move = button("Move", "Move the selected messages to that folder", self._acts(self._moved))
        self.copy = button("Copy", "Copy the selected messages to that folder", self._acts(self._copied))
        self.save = button("Save attachments", "Save the attachments of the selected messages", self._ask_where)
        self.delete = button(
            "Delete", "Delete the selected messages, after one more question", self._ask, style="danger"
        )
        self.refresh = button("Refresh", "Read the mailbox again", self._reread)
        self.count = live("", "mailconn-count")
        self.question = Question(self.manners.focus)
        self.status = live()
        marks = box(widgets.HBox, "mailconn-bar", self.read, self.unread, self.flag, self.unflag)
        folders = box(widgets.HBox, "mailconn-bar", self.folder, self.move, self.copy)
        self.add_class("mailconn-form")
        left = widgets.HTML(f"<p>{style.LEFT.replace('form', 'list')}</p>")
        left.add_class("mailconn-left")
        show(marks, self._has_folders)
        show(folders, self._has_folders)
        self.children = (
            box(widgets.VBox, "mailconn-style", widgets.HTML(style.CSS), self.manners),
            left,
            box(widgets.VBox, "mailconn-list", self.table, self.instead),
            bar(self.save, self.delete, self.refresh, self.count),
            marks,
            folders,
            self.question.panel,
            self.status,
        )

    # Showing

    def _show(self, found: Inbox) -> None:
        self._found = found
        self.table.caption = ". ".join([found.caption, *found.notes])
        self.table.rows = [_row(message, cells) for message, cells in zip(found.messages, found.rows, strict=True)]
        there = {row["key"] for row in self.table.rows}
        self.table.chosen = [key for key in self.table.chosen if key in there]
        self._buttons()

    def _buttons(self) -> None:
        count, busy = len(self.table.chosen), self.worker.running
        for one in (self.read, self.unread, self.flag, self.unflag, self.save, self.delete):
            one.disabled = busy or not count
        for one in (self.move, self.copy):
            one.disabled = busy or not count or not self.folder.value
        self.refresh.disabled = busy
        self.count.value = style.help_text(f"{count} selected" if count else "None selected")

    def _chosen(self) -> list[MailboxMessage]:
        keys = set(self.table.chosen)
        return [message for message in self._found.messages if Inbox.key(message) in keys]

    def _chosen_anew(self) -> None:
        with self._guard:
            if self._deletes:
                self._drop_question()
            self._buttons()

    def _drop_question(self) -> None:
        self._deletes = False
        self.question.drop()

    # What a person does

    def _acts(self, act: Act) -> Callable[[], None]:
        return lambda: self._do(act)

    def _do(self, act: Act, chosen: list[MailboxMessage] | None = None) -> None:
        """Do it with ``chosen``, by default what is chosen now, and read the mailbox anew."""
        with self._guard:
            self._drop_question()
            chosen = self._chosen() if chosen is None else chosen

            def work() -> tuple[str, str]:
                report = act(Messages(chosen))
                said = " ".join([report.summary, *getattr(report, "notes", ())])
                try:
                    self._show(self._again())
                except Exception as error:  # noqa: BLE001  # what was done is to be told in any case
                    return "warn", f"{said} The list could not be read again: {_why(error)}"
                return "good", said

            self._work("Working …", work)

    def _moved(self, chosen: Messages) -> Any:
        return chosen.move(self.folder.value)

    def _copied(self, chosen: Messages) -> Any:
        return chosen.copy(self.folder.value)

    def _reread(self) -> None:
        def work() -> tuple[str, str]:
            self._show(self._again())
            return "good", "Refreshed."

        self._work("Reading …", work)

    def _list_folders(self) -> tuple[str, str]:
        from ...session.connect_by_protocol import connect_imap  # noqa: PLC0415  # a socket

        with connect_imap(self._found.connection, ask=False, readonly=True) as session:
            folders = session.folders(counts=False)
        self._trash = folders.used_for("trash")
        names = [one.name for one in folders if one.selectable and one.name != self._found.folder]
        usual = (folders.used_for("archive"), "Archive", *names)
        with self._guard:
            self.folder.options = names
            self.folder.value = next((name for name in usual if name in names), None)
        return "note", ""

    def _ask(self) -> None:
        with self._guard:
            # What is asked about is what is deleted, whatever is selected meanwhile.
            chosen = self._chosen()
            what = counted(len(chosen), "message")
            act: Act = _delete_for_good
            if self._trash and self._trash != self._found.folder:
                text, yes, act = f"Move {what} to the trash ({self._trash})?", "Delete", Messages.delete
            else:
                text, yes = f"Delete {what} for good? This cannot be undone.", "Delete for good"
            self.question.ask(text, yes, lambda: self._do(act, chosen), keep="Keep")
            self._deletes = True

    def _ask_where(self) -> None:
        with self._guard:
            keys = {Inbox.key(message) for message in self._chosen()}
            self._deletes = False
            self.question.ask_for(
                "Where should they be saved?", "Save in", _ATTACHMENTS, "Save", lambda folder: self._save(folder, keys)
            )

    def _save(self, folder: str, keys: set[str]) -> None:
        def work() -> tuple[str, str]:
            return "good", Messages(self._found.whole(keys)).save_attachments(folder).summary

        with self._guard:
            self._drop_question()
            self._work("Saving …", work)

    # Working

    def _work(self, said: str, work: Callable[[], tuple[str, str]]) -> None:
        self.status.value = style.message("note", said)
        self.worker.start(lambda _: self._run(work))
        self._buttons()

    def _run(self, work: Callable[[], tuple[str, str]]) -> None:
        try:
            kind, said = work()
        except Exception as error:  # noqa: BLE001  # an error of a thread is nobody's: say it where it is looked for
            kind, said = "bad", _why(error)
        # In the order in which a click takes them.
        with self._guard, self.worker.ending():
            if self.comm is not None:
                self.status.value = style.message(kind, said)
                self._buttons()

    def close(self) -> None:
        """Remove the page from every front end."""
        # Also called when the object goes away, however far it came.
        if self.comm is not None and hasattr(self, "status"):
            close_all(self)

    def show(self) -> None:
        """Put it into the output, and the table for where there are no widgets, or no longer."""
        bundle: dict[str, Any] = super()._repr_mimebundle_()
        display(bundle | {"text/plain": ""}, raw=True)  # type: ignore[no-untyped-call]
        view = self._found.view
        display({"text/html": style.kept(view._repr_html_()), "text/plain": repr(view)}, raw=True)  # type: ignore[no-untyped-call]  # as IPython asks for it


def _why(error: Exception) -> str:
    if isinstance(error, MailConnError):
        return error.in_one_line
    return f"It failed: {type(error).__name__}."


def _mark_unread(chosen: Messages) -> Any:
    return chosen.mark_seen(False)


def _delete_for_good(chosen: Messages) -> Any:
    return chosen.delete(expunge=True)


def _row(message: MailboxMessage, cells: Sequence[str]) -> dict[str, Any]:
    date, sender, subject, size, _ = cells
    return {
        "key": Inbox.key(message),
        "date": date,
        "from": sender,
        "subject": subject,
        "size": size,
        "seen": message.seen,
        "flagged": bool(message.flagged),
    }
