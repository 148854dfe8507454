"""Finding settings in the form: a proposal that fills what nobody has typed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.discovery.proposal import Settings
from mailconn_jupyter.notebook.form import find_panel
from mailconn_jupyter.notebook.form.edit_page import Editor
from mailconn_jupyter.store import connections
from tests.support.form_driver import editor, eventually, fill, nothing_typed, seen, text

__all__ = ["nothing_typed"]


@pytest.fixture
def form() -> Iterator[Editor]:
    """A new connection's page."""
    made = editor()
    yield made
    made.close()


def find(form: Editor, address: str) -> str:
    form.finder.address.set_state({"value": address})
    form.finder.find.click()
    assert form.finder.wait(20)
    return text(form.finder.note)


def test_a_known_providers_settings_are_filled_in_with_what_a_person_must_know(form: Editor) -> None:
    said = find(form, "ana@gmail.com")
    assert said.startswith("✓ Settings for ana@gmail.com, as ")
    assert "app password" in said.casefold()
    assert form.fields["server_host"].control.value == "smtp.gmail.com"
    assert form.fields["username"].control.value == "ana@gmail.com"
    assert form.fields["use_authentication"].control.value is True
    assert form.fields["name"].control.value == "gmail"
    assert text(form.status) == "Unsaved changes."
    assert not form.save.disabled


def test_a_name_is_proposed_that_is_free_and_only_where_none_was_typed(form: Editor) -> None:
    connections.save(MailConnection(name="gmail", server_host="mail.example.org"))
    find(form, "ana@gmail.com")
    assert form.fields["name"].control.value == "gmail-2"
    other = editor()
    fill(other, name="mine")
    find(other, "ana@gmail.com")
    assert other.fields["name"].control.value == "mine"
    other.close()


def test_what_was_typed_is_kept_and_the_proposal_told(form: Editor) -> None:
    fill(form, server_port="2525", name="ops")
    said = find(form, "ana@gmail.com")
    assert form.fields["server_port"].control.value == "2525"
    assert "What you typed is kept: Server port (proposed: " in said
    assert form.fields["server_host"].control.value == "smtp.gmail.com"


def test_what_is_no_address_is_told_and_nothing_is_changed(form: Editor) -> None:
    assert form.finder.find.disabled
    assert find(form, "ana@exa mple.org").startswith("✗")
    assert not form.draft.dirty


def test_a_search_can_be_cancelled_and_fills_nothing(form: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(address: str, *, cancel: threading.Event, listener: Callable[[Any], None], **options: Any) -> Settings:
        assert cancel.wait(10)
        return Settings(address, {"server_host": "late.example.org"})

    monkeypatch.setattr(find_panel, "discover", slow)
    form.finder.address.set_state({"value": "ana@example.org"})
    form.finder.find.click()
    assert seen(form.finder.cancel)
    assert form.finder.find.disabled
    form.finder.cancel.click()
    assert form.finder.wait(5)
    assert text(form.finder.note) == "The search was cancelled."
    assert form.fields["server_host"].control.value == ""
    assert eventually(lambda: not seen(form.finder.cancel))


def test_a_stored_connection_has_no_search(form: Editor) -> None:
    assert seen(form.finder.panel)
    fill(form, name="ops", server_host="h", use_authentication=False)
    form.save.click()
    assert not seen(form.finder.panel)
