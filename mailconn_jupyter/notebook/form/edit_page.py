"""The page of the form in which one connection is made, tested and changed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import ipywidgets as widgets

from ...connection import MailConnection
from ...connection.option_kinds import AnyOption
from ...credentials import Kind, Secret
from ...discovery.proposal import Settings
from ...errors import ConnectionChanged, MailConnError, OptionError
from ...store import atomic_files
from . import style
from .draft import Draft
from .find_panel import Finder
from .option_field import OptionField
from .question import Question
from .secret_row import SecretRows
from .section import Section
from .test_panel import LiveTest
from .watch import watch
from .widgets import bar, box, button, close_all, live, show

if TYPE_CHECKING:
    from .sign_in_panel import SignInPanel

__all__ = ["Editor"]

# The section beside the others, the one at whose end one signs in, and those that fold away.
_FIRST: Final = "Server"
_SIGN_IN: Final = "Sign-in"
_FOLDED: Final = ("Security", "Proxy", "More")


class Editor(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A :class:`~mailconn_jupyter.notebook.form.draft.Draft` on the screen; ``on_leave`` goes back to the list.

    ``guard`` is held while anything changes. ``close()`` forgets what was not saved.
    """

    def __init__(
        self,
        draft: Draft,
        guard: threading.RLock | None = None,
        on_leave: Callable[[], None] = lambda: None,
        focus: Callable[[str], None] = lambda _: None,
    ) -> None:
        super().__init__()
        self.draft = draft
        self._guard = guard or threading.RLock()
        self._on_leave = on_leave
        self._said: list[tuple[str, str]] = []
        self.fields = {
            name: OptionField(name, option, self._typed) for name, option in draft.connection.options().items()
        }
        self.secrets = SecretRows(self._secret)
        self.finder = Finder(draft.outgoing, self._propose)
        self.live = LiveTest(self._pin)
        self.live.test.on_click(lambda _: self._test())
        self._build(focus)
        self._fill()
        if draft.stored is not None:
            self.live.show_last(draft.stored.name)

    # Building

    def _build(self, focus: Callable[[str], None]) -> None:
        self.title = widgets.HTML()
        self.leave = button("All connections", "Back to the list", self._leave)
        self.leave.add_class("mailconn-back")
        self.question = Question(focus)
        self.save = button(
            "Save", "Save the connection, and the passwords that were typed", self._save, style="primary"
        )
        self.reload = button("Reload", "Take the changes from elsewhere, keep what was typed", self._reload)
        self.overwrite = button("Save anyway", "Save over the changes from elsewhere", self._overwrite)
        self.clash = live("", "mailconn-clash")
        self.conflict = box(widgets.VBox, "mailconn-conflict", self.clash, bar(self.reload, self.overwrite))
        show(self.conflict, False)
        self.status = live()
        self.sections = self._sections()
        others = [section for title, section in self.sections.items() if title != _FIRST]
        main = box(widgets.VBox, "mailconn-main", self.finder.panel, self.sections[_FIRST])
        side = box(widgets.VBox, "mailconn-side", *others)
        self.add_class("mailconn-editor")
        # What came of a test stands where the eye is: at its button.
        self.children = (
            bar(self.leave),
            self.question.panel,
            self.title,
            box(widgets.Box, "mailconn-columns", main, side),
            self.conflict,
            bar(self.save, self.live.test, self.live.cancel, self.live.summary),
            self.status,
            self.live.panel,
        )

    def _sections(self) -> dict[str, Section]:
        """The fields in the order of their declaration, under the headings of their sections."""
        options: dict[str, dict[str, AnyOption]] = {}
        rows: dict[str, list[widgets.Widget]] = {}
        for name, field in self.fields.items():
            section = rows.setdefault(field.option.section, [])
            options.setdefault(field.option.section, {})[name] = field.option
            section.append(field.row)
            if name in self.secrets.slots:
                section.append(self.secrets.slots[name])
        self.sign_in_slot = widgets.VBox()
        rows[_SIGN_IN].append(self.sign_in_slot)
        return {
            title: Section(title, options[title], rows[title], self._folded if title in _FOLDED else None)
            for title in rows
        }

    @cached_property
    def signing(self) -> SignInPanel:
        """Where one signs in; made when it is first needed."""
        from .sign_in_panel import SignInPanel  # noqa: PLC0415  # few sign in

        made = SignInPanel(self._kept, self._signed)
        self.sign_in_slot.children = (made.panel,)
        return made

    # Showing

    def _fill(self) -> None:
        """Show the draft's values, for the first time or after it took other ones."""
        draft = self.draft
        for field in self.fields.values():
            if not draft.is_wrong(field.name):
                field.fill(draft.connection)
                field.touched = False
        if draft.stored is None:
            self.title.value = style.heading("New connection", level=3)
        else:
            place = f"Kept in {atomic_files.show(draft.path)}" if draft.path else ""
            if draft.locked:
                place = "Locked by an administrator: it can be tested here, and saved under another name."
            self.title.value = style.heading(draft.stored.name, level=3, beside=place)
        self._refresh()

    def _refresh(self) -> None:
        """Bring everything in line with the draft: what is shown, what is wrong, what can be done."""
        if self.comm is None:
            # What ran while the page was closed has come to its end.
            return
        draft, connection = self.draft, self.draft.connection
        problems = draft.problems()
        wrong = {self.fields[name].option.section for name in problems if name in self.fields}
        for title, section in self.sections.items():
            section.refresh(connection, wrong=title in wrong)
        for name, field in self.fields.items():
            seen = field.touched or draft.is_wrong(name)
            field.show(
                connection,
                problems.get(name) if seen else None,
                folded=not self.sections[field.option.section].is_open,
                locked=draft.is_fixed and name != "name",
            )
        self.secrets.show(connection, draft.secrets_name, draft.secrets)
        outgoing = draft.outgoing()
        if outgoing.signs_in or "signing" in vars(self):
            self.signing.refresh(outgoing)
        show(self.finder.panel, draft.stored is None)
        self.save.disabled = not draft.may_save
        self.live.allow(not problems)
        self.status.value = style.status(*(self._said or [self._state(problems)]))

    def _state(self, problems: Mapping[str, OptionError]) -> tuple[str, str]:
        labels = [
            self.fields[name].option.label_for(self.draft.connection.protocol) if name in self.fields else str(error)
            for name, error in problems.items()
        ]
        if labels:
            return "note", f"Still to do: {', '.join(labels)}."
        if self.draft.dirty:
            return "note", "Unsaved changes."
        return "note", "No unsaved changes."

    # What a person does

    def _typed(self, name: str, value: Any) -> None:
        with self._guard:
            self.draft.set(name, value)
            self._touched()

    def _secret(self, kind: Kind, secret: Secret | None) -> None:
        with self._guard:
            if secret is None:
                self.draft.secrets.pop(kind, None)
            else:
                self.draft.secrets[kind] = secret
            self._touched()

    def _touched(self) -> None:
        self._said = []
        self.question.drop()
        self.live.stale()
        self._refresh()

    def _folded(self) -> None:
        with self._guard:
            self._refresh()

    def _test(self) -> None:
        with self._guard:
            if not self.draft.problems():
                self.live.start(self.draft.testable(), self.draft.secrets)

    def _pin(self, pin: str) -> None:
        with self._guard:
            field = self.fields["trusted_hosts"].control
            field.value = pinned(field.value, pin)
            self._said = [("note", "The certificate is pinned in Trusted hosts. Test again, or save.")]
            self._refresh()

    def _kept(self) -> MailConnection | None:
        """The connection as it is stored, while nothing differs from it."""
        return None if self.draft.dirty else self.draft.stored

    def _signed(self) -> None:
        with self._guard:
            self._refresh()

    def _propose(self, settings: Settings) -> str:
        """Fill in what was found, except where somebody has typed something else; says which that is."""
        with self._guard:
            kept = self.draft.propose(settings.options, [name for name, field in self.fields.items() if field.touched])
            if not self.draft.connection.name and not self.fields["name"].touched:
                self.draft.propose_name(settings.address)
            self._touched()
            for field in self.fields.values():
                if not field.touched:
                    field.fill(self.draft.connection)
        theirs = "; ".join(f"{self.fields[name].option.label} (proposed: {text})" for name, text in kept.items())
        return f"What you typed is kept: {theirs}." if kept else ""

    def _save(self, *, replace: bool = False) -> None:
        with self._guard:
            if not self.draft.may_save:
                return
            clash = ""
            try:
                self._said = self.draft.save(replace=replace)
                self.live.keep()
            except ConnectionChanged as error:
                self._said = [("warn", "Not saved yet.")]
                clash = error.message
            except MailConnError as error:
                self._said = [("bad", error.in_one_line)]
            self._clash(clash)
            self._after()
        watch.nudge()

    def _overwrite(self) -> None:
        self._save(replace=True)

    def _clash(self, message: str) -> None:
        self.clash.value = style.message("warn", f"{message} What you typed is still here.") if message else ""
        show(self.conflict, bool(message))

    def _reload(self) -> None:
        with self._guard:
            try:
                self._said = [("note", sentence) for sentence in self.draft.reload()]
                self._clash("")
            except MailConnError as error:
                self._said = [("bad", error.in_one_line)]
            self._after()

    def _after(self) -> None:
        """What is stored has changed, or may have: the secrets' places too."""
        self._fill()
        for kind, secret in self.secrets.items():
            secret.look_again(self.draft.secrets_name, typed=kind in self.draft.secrets, pause=0)

    def elsewhere(self) -> None:
        """Something in the store has changed: show it where nothing was typed, ask what to do where something was."""
        with self._guard:
            if not self.draft.outdated:
                self._refresh()
            elif self.draft.dirty:
                self._clash(f"{self.draft.shown_name} was changed elsewhere while it is being edited here.")
                self._refresh()
            else:
                self._reload()

    def _leave(self) -> None:
        with self._guard:
            if self.draft.dirty:
                self.question.ask(
                    "What was typed here is not saved.", "Leave without saving", self._on_leave, keep="Stay"
                )
            else:
                self._on_leave()

    # As an object

    def close(self) -> None:
        """End the test, forget what was typed and not saved, and remove the page from every front end."""
        # Also called when the object goes away, however far it came.
        if self.comm is None or not hasattr(self, "status"):
            return
        self.live.stop()
        self.finder.stop()
        if "signing" in vars(self):
            self.signing.stop()
        for secret in self.secrets.values():
            secret.close()
        self.draft.secrets.clear()
        close_all(self)


def pinned(trusted: str, pin: str) -> str:
    """``trusted_hosts`` with this pin in the place of those that its host has."""
    host = pin.partition("=")[0].casefold()
    return " ".join([*(word for word in trusted.split() if not word.casefold().startswith(f"{host}=")), pin])
