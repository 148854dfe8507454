"""The form in which a connection is made, tested and changed: ``%mailconn form`` and ``mailconn.form()``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import ipywidgets as widgets

from .. import files
from ..credentials import Kind, Secret
from ..errors import ConnectionChanged, MailConnError, OptionError
from . import looks
from .draft import Draft
from .fields import OptionField
from .secrets_field import SecretField
from .testing import LiveTest

__all__ = ["ConnectionForm", "form"]

# The options after which a secret's row stands.
_SECRETS: Final = {"username": Kind.PASSWORD, "proxy_username": Kind.PROXY}

# The section that is folded away.
_RARE: Final = "More"


def form(name: str | None = None) -> ConnectionForm:
    """The form of the stored connection ``name``, or with None of a new one; show it by leaving it in a cell.

    Raises :class:`~mailconn_jupyter.errors.StoreError` when there is no such connection or it cannot be read.
    """
    return ConnectionForm(Draft.of(name))


class ConnectionForm(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A :class:`~mailconn_jupyter.notebook.draft.Draft` on the screen. ``close()`` forgets what was not saved."""

    def __init__(self, draft: Draft) -> None:
        super().__init__()
        self.draft = draft
        # Front ends and kernels differ in which thread a callback comes from.
        self._guard = threading.RLock()
        self._said: list[tuple[str, str]] = []
        self._more_open = False
        self.fields = {
            name: OptionField(name, option, self._typed) for name, option in draft.connection.options().items()
        }
        self.secrets = {kind: SecretField(kind, self._secret) for kind in Kind}
        self.live = LiveTest(self._pin)
        self.live.test.on_click(lambda _: self._test())
        self._build()
        self._fill()
        if draft.stored is not None:
            self.live.show_last(draft.stored.name)

    # Building

    def _build(self) -> None:
        self.title = widgets.HTML()
        self.more = _button("", "Options that are seldom needed", self._toggle_more)
        self.save = _button("Save", "Keep the connection, and the passwords that were typed", self._save)
        self.save.button_style = "primary"
        self.reload = _button("Reload", "Take the changes from elsewhere, keep what was typed", self._reload)
        self.overwrite = _button("Save anyway", "Save over the changes from elsewhere", self._overwrite)
        self.clash = widgets.HTML()
        self.conflict = _box(widgets.VBox, "mailconn-conflict", self.clash, _bar(self.reload, self.overwrite))
        self.conflict.layout.display = "none"
        self.status = widgets.HTML()
        self.status.add_class("mailconn-status")
        style = _box(widgets.VBox, "mailconn-style", widgets.HTML(looks.CSS))
        buttons = _bar(self.save, self.live.test, self.live.cancel)
        main = _box(widgets.VBox, "mailconn-main", *self._sections(), self.conflict, buttons, self.status)
        side = _box(widgets.VBox, "mailconn-side", self.live.panel)
        self.add_class("mailconn-form")
        self.children = (style, self.title, _box(widgets.Box, "mailconn-columns", main, side))

    def _sections(self) -> list[widgets.Widget]:
        """The fields in the order of their declaration, under the headings of their sections."""
        rows: dict[str, list[widgets.Widget]] = {}
        for name, field in self.fields.items():
            section = rows.setdefault(field.option.section, [])
            section.append(field.row)
            if name in _SECRETS:
                section.append(self.secrets[_SECRETS[name]].row)
        self.rare = widgets.VBox(rows[_RARE])
        rows[_RARE] = [_bar(self.more), self.rare]
        self.sections = {
            section: widgets.VBox([widgets.HTML(looks.heading(section, level=4)), *fields])
            for section, fields in rows.items()
        }
        return list(self.sections.values())

    # Showing

    def _fill(self) -> None:
        """Show the draft's values, for the first time or after it took other ones."""
        draft = self.draft
        for field in self.fields.values():
            if not draft.is_wrong(field.name):
                field.fill(draft.connection)
                field.touched = False
        if draft.stored is None:
            self.title.value = looks.heading("New connection", level=3)
        else:
            place = f"Kept in {files.show(draft.path)}" if draft.path else ""
            if draft.locked:
                place = "Locked by an administrator: it can be tested here, and saved under another name."
            self.title.value = looks.heading(draft.stored.name, level=3, beside=place)
        self._refresh()

    def _refresh(self) -> None:
        """Bring everything in line with the draft: what is shown, what is wrong, what can be done."""
        draft, connection = self.draft, self.draft.connection
        problems = draft.problems()
        for name, field in self.fields.items():
            seen = field.touched or draft.is_wrong(name)
            field.show(connection, problems.get(name) if seen else None)
        for section, box in self.sections.items():
            names = [name for name, field in self.fields.items() if field.option.section == section]
            box.layout.display = None if any(map(connection.applies, names)) else "none"
        self._show_more(self._more_open or any(self.fields[name].option.section == _RARE for name in problems))
        for name, kind in _SECRETS.items():
            # SOCKS4 has no password.
            visible = connection.applies(name) and (kind is Kind.PASSWORD or connection.proxy_type != "SOCKS4")
            self.secrets[kind].show(draft.secrets_name, typed=kind in draft.secrets, visible=visible)
        self.save.disabled = not draft.may_save
        self.live.allow(not problems)
        self.status.value = looks.status(*(self._said or [self._state(problems)]))

    def _state(self, problems: Mapping[str, OptionError]) -> tuple[str, str]:
        labels = [
            self.fields[name].option.label if name in self.fields else str(error) for name, error in problems.items()
        ]
        if labels:
            return "note", f"Still to do: {', '.join(labels)}."
        if self.draft.dirty:
            return "note", "Unsaved changes."
        return "note", "No unsaved changes."

    def _show_more(self, shown: bool) -> None:
        self._more_open = shown
        self.rare.layout.display = None if shown else "none"
        self.more.description = "Hide more options" if shown else "Show more options"

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
        self.live.stale()
        self._refresh()

    def _toggle_more(self) -> None:
        with self._guard:
            self._show_more(not self._more_open)

    def _test(self) -> None:
        with self._guard:
            if self.draft.problems():
                return
            self.live.start(self.draft.testable(), self.draft.secrets)

    def _pin(self, pin: str) -> None:
        with self._guard:
            field = self.fields["trusted_hosts"].control
            field.value = pinned(field.value, pin)
            self._said = [("note", "The certificate is pinned in Trusted hosts. Test again, or save.")]
            self._refresh()

    def _save(self, *, replace: bool = False) -> None:
        with self._guard:
            if not self.draft.may_save:
                return
            clash = ""
            try:
                self._said = self.draft.save(replace=replace)
            except ConnectionChanged as error:
                self._said = [("warn", "Not saved yet.")]
                clash = looks.message("warn", f"{error.message} What you typed is still here.")
            except MailConnError as error:
                self._said = [("bad", f"{error.message} {error.hint}")]
            self.clash.value = clash
            self.conflict.layout.display = None if clash else "none"
            self._after()

    def _overwrite(self) -> None:
        self._save(replace=True)

    def _reload(self) -> None:
        with self._guard:
            try:
                self._said = [("note", sentence) for sentence in self.draft.reload()]
                self.conflict.layout.display = "none"
            except MailConnError as error:
                self._said = [("bad", f"{error.message} {error.hint}")]
            self._after()

    def _after(self) -> None:
        """What is stored has changed, or may have: the secrets' places too."""
        self._fill()
        for kind, secret in self.secrets.items():
            secret.look_again(self.draft.secrets_name, typed=kind in self.draft.secrets, pause=0)

    # As an object

    def close(self) -> None:
        """Remove the form from every front end, end its test, and forget what was typed and not saved."""
        # Also called when the object goes away, however far it came.
        if self.comm is None or not hasattr(self, "status"):
            return
        self.live.stop()
        for secret in self.secrets.values():
            secret.close()
        self.draft.secrets.clear()
        for widget in [*_descendants(self), self]:
            # The library leaves these two open.
            for part in (widget.layout, getattr(widget, "style", None)):
                if part is not None:
                    part.close()
            widgets.Widget.close(widget)

    def __repr__(self) -> str:
        stored = self.draft.stored
        what, instead = ("a new connection", "new") if stored is None else (repr(stored.name), "edit")
        return f"The form of {what}; it shows where Jupyter widgets do. Without them: %mailconn {instead}."

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        # The library's own would cut the sentence.
        return bundle | {"text/plain": repr(self)}


def pinned(trusted: str, pin: str) -> str:
    """``trusted_hosts`` with this pin in the place of those that its host has."""
    host = pin.partition("=")[0].casefold()
    return " ".join([*(word for word in trusted.split() if not word.casefold().startswith(f"{host}=")), pin])


def _button(description: str, tooltip: str, act: Callable[[], None]) -> widgets.Button:
    button = widgets.Button(description=description, tooltip=tooltip)
    button.on_click(lambda _: act())
    return button


def _box(kind: type[widgets.Box], style: str, *children: widgets.Widget) -> widgets.Box:
    box = kind(children)
    box.add_class(style)
    return box


def _bar(*buttons: widgets.Button) -> widgets.Box:
    return _box(widgets.HBox, "mailconn-bar", *buttons)


def _descendants(box: widgets.Box) -> Iterator[widgets.Widget]:
    for child in box.children:
        if isinstance(child, widgets.Box):
            yield from _descendants(child)
        yield child
