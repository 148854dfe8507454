"""The form's list of connections: what it shows, what can be done there, and that it follows the store."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ipywidgets.widgets import widget as widget_module

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.credentials import Kind
from mailconn_jupyter.errors import StoreError
from mailconn_jupyter.notebook.form.form import Form, form as new_form
from mailconn_jupyter.notebook.form.list_page import Manager
from mailconn_jupyter.store import connections, last_tests
from tests.servers.postfix import Postfix
from tests.servers.script import ScriptServer, Silence
from tests.support.form_driver import editor, eventually, fill, nothing_typed, seen, text, type_secret
from tests.support.isolation import give_password

__all__ = ["nothing_typed"]


def stored(*names: str, **options: Any) -> None:
    for name in names:
        connections.save(MailConnection(**{"name": name, "server_host": "mail.example.org", **options}))


@pytest.fixture
def form() -> Iterator[Form]:
    """The form with two connections in its list."""
    stored("news", "ops")
    made = new_form()
    yield made
    made.close()


@pytest.fixture
def manager(form: Form) -> Manager:
    """The list of that form."""
    assert form.manager is not None
    return form.manager


def names(manager: Manager) -> list[str]:
    return [row["name"] for row in manager.table.rows]


def choose(manager: Manager, name: str) -> None:
    manager.table.set_state({"selected": name})


def test_without_a_connection_the_form_is_that_of_a_new_one() -> None:
    form = new_form()
    assert form.manager is None
    assert form.editor is not None
    assert repr(form).startswith("The form of a new connection: run the cell again")


def test_with_a_name_the_form_is_that_of_the_connection_and_the_list_is_one_click_away(form: Form) -> None:
    one = new_form("ops")
    assert one.editor is not None
    words, _, options = one._repr_mimebundle_()["text/plain"].partition("\n\n")
    assert words == (
        "The form of 'ops': run the cell again to get it back. "
        "Where Jupyter widgets do not show, use %mailconn edit ops, and %mailconn test ops."
    )
    assert options.splitlines()[0].split() == ["Option", "Value"]
    assert "Server host" in options
    one.editor.leave.click()
    assert one.editor is None
    assert one.manager is not None
    assert one.manager.table.selected == "ops"


def test_a_form_of_an_unknown_name_is_refused_with_the_near_one() -> None:
    stored("ops")
    with pytest.raises(StoreError, match="Did you mean 'ops'"):
        new_form("opz")


def test_each_row_says_what_a_person_wants_to_know() -> None:
    stored("ops", server_port=2525)
    stored("box", protocol="MBOX", server_host="/var/mail/ana")
    connections.default = "ops"
    last_tests.record("ops", ok=False, summary="The server is silent.", milliseconds=3)
    manager = new_form().manager
    assert manager is not None
    box, ops = manager.table.rows
    assert (box["protocol"], box["server"], box["word"], box["marks"]) == ("MBOX", "/var/mail/ana", "never", [])
    assert (ops["protocol"], ops["server"], ops["kept"]) == ("SMTP", "mail.example.org:2525", "you")
    assert (ops["sign"], ops["word"], ops["marks"]) == ("✗", "failed", ["default"])
    assert ops["when"].startswith("20")
    assert manager.table.selected == "ops"
    assert "Its last test failed: The server is silent." in text(manager.about)


def test_a_locked_connection_is_marked_and_can_be_copied_but_not_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = tmp_path / "shared"
    (layer / "mailconn").mkdir(parents=True)
    (layer / "mailconn" / "hub.json").write_text('{"name": "hub", "server_host": "hub.example.org", "locked": true}')
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(layer))
    manager = new_form().manager
    assert manager is not None
    assert manager.table.rows[0]["marks"] == ["locked"]
    assert manager.rename.disabled
    assert manager.delete.disabled
    assert not manager.copy.disabled
    assert "An administrator provides it" in text(manager.about)


def test_a_file_that_cannot_be_read_is_told_below_the_list(own_config: Path, form: Form, manager: Manager) -> None:
    (own_config / "mailconn" / "bad.json").write_text("{")
    manager.refresh()
    assert "bad.json" in text(manager.problems)
    assert names(manager) == ["news", "ops"]


def test_what_is_in_a_file_is_escaped(manager: Manager) -> None:
    stored("<img src=x>")
    manager.refresh("<img src=x>")
    assert manager.table.selected == "<img src=x>"
    assert "<img" not in manager.about.value + manager.status.value
    manager.delete.click()
    assert "<img" not in manager.question.text.value


def test_with_500_connections_one_is_found_by_searching_and_by_paging() -> None:
    for number in range(500):
        path = connections.folder / f"c{number:03}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'{{"name": "c{number:03}", "server_host": "mail{number}.example.org"}}')
    form = new_form()
    manager = form.manager
    assert manager is not None
    assert len(names(manager)) == 15
    assert text(manager.place) == "1 to 15 of 500"
    assert manager.back.disabled
    manager.next.click()
    assert names(manager)[0] == "c015"
    manager.search.set_state({"value": "C4 mail49"})
    assert names(manager) == [f"c49{digit}" for digit in range(10)]
    assert not seen(manager.pager)
    manager.search.set_state({"value": "nothing"})
    assert names(manager) == []
    assert manager.edit.disabled
    assert text(manager.about) == "No connection matches."
    manager.search.set_state({"value": ""})
    manager.refresh("c321")
    assert manager.table.selected == "c321"
    assert "c321" in names(manager)


def test_edit_opens_the_chosen_one_and_enter_on_a_row_does_too(form: Form, manager: Manager) -> None:
    choose(manager, "ops")
    manager.edit.click()
    assert form.editor is not None
    assert form.editor.fields["name"].control.value == "ops"
    assert not seen(manager)
    form.editor.leave.click()
    manager.table._handle_custom_msg({"kind": "open", "name": "news"}, [])
    assert form.editor is not None
    assert form.editor.fields["name"].control.value == "news"


def test_a_row_that_is_chosen_while_the_list_is_read_anew_stays_chosen(
    form: Form, manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The watch reads in its own thread, and a click comes whenever it comes.
    read = type(connections).survey

    def clicked(store: Any) -> Any:
        found = read(store)
        choose(manager, "ops")
        return found

    choose(manager, "news")
    monkeypatch.setattr(type(connections), "survey", clicked)
    manager.refresh()
    assert manager.table.selected == "ops"


def test_new_and_duplicate_open_a_page_and_store_nothing_before_save(form: Form, manager: Manager) -> None:
    stored("ops copy")
    choose(manager, "ops")
    manager.copy.click()
    assert form.editor is not None
    assert form.editor.fields["name"].control.value == "ops copy 2"
    assert form.editor.fields["server_host"].control.value == "mail.example.org"
    assert "ops copy 2" not in connections
    form.editor.save.click()
    assert connections["ops copy 2"].server_host == "mail.example.org"
    form.editor.leave.click()
    assert manager.table.selected == "ops copy 2"
    manager.new.click()
    assert form.editor is not None
    assert form.editor.fields["server_host"].control.value == ""


def test_leaving_with_unsaved_changes_is_asked_about_once(form: Form, manager: Manager) -> None:
    choose(manager, "ops")
    manager.edit.click()
    page = form.editor
    assert page is not None
    fill(page, server_port="2525")
    page.leave.click()
    assert form.editor is page
    assert "not saved" in text(page.question.text)
    page.question.no.click()
    assert not seen(page.question.panel)
    assert page.fields["server_port"].control.value == "2525"
    page.leave.click()
    page.question.yes.click()
    assert form.editor is None
    assert connections["ops"].server_port is None


def test_rename_takes_the_passwords_along_and_refuses_a_name_that_is_taken(manager: Manager) -> None:
    give_password("ops", "s3cret")
    choose(manager, "ops")
    manager.rename.click()
    question = manager.question
    assert question.entry.value == "ops"
    question.entry.set_state({"value": "news"})
    question.yes.click()
    assert "already exists" in text(question.note)
    assert seen(question.panel)
    question.entry.set_state({"value": "nightly"})
    question.yes.click()
    assert not seen(question.panel)
    assert names(manager) == ["news", "nightly"]
    assert manager.table.selected == "nightly"
    assert text(manager.status) == "✓ 'ops' is now called 'nightly'."


def test_delete_is_asked_once_and_can_be_left(manager: Manager) -> None:
    choose(manager, "ops")
    manager.delete.click()
    assert text(manager.question.text) == "⚠ Delete 'ops' and its passwords?"
    manager.question.no.click()
    assert "ops" in connections
    manager.delete.click()
    choose(manager, "news")
    assert not seen(manager.question.panel)
    choose(manager, "ops")
    manager.delete.click()
    manager.question.yes.click()
    assert list(connections) == ["news"]
    assert names(manager) == ["news"]


def test_make_default_marks_it(manager: Manager) -> None:
    choose(manager, "ops")
    manager.default.click()
    assert connections.default == "ops"
    assert [row["marks"] for row in manager.table.rows] == [[], ["default"]]
    assert manager.default.disabled


def test_test_all_says_how_many_failed_and_each_row_how_it_ended(postfix: Postfix) -> None:
    stored("good", server_host="localhost", server_port=postfix.relay, use_secure_authentication=False)
    stored("wrong", server_host="localhost", server_port=1)
    form = new_form()
    manager = form.manager
    assert manager is not None
    manager.test_all.click()
    assert manager.rounds.wait(20)
    assert eventually(lambda: not seen(manager.cancel))
    assert [row["word"] for row in manager.table.rows] == ["passed", "failed"]
    assert text(manager.status) == "✗ 1 of 2 tests failed. Choose one of them to see why."
    choose(manager, "wrong")
    assert "Its last test failed: " in text(manager.about)
    choose(manager, "good")
    manager.test.click()
    assert manager.rounds.wait(20)
    assert eventually(lambda: "works (" in text(manager.status))


def test_cancel_ends_the_tests_of_silent_servers(manager: Manager) -> None:
    with ScriptServer([Silence()]) as server:
        stored("silent", server_host="localhost", server_port=server.port)
        manager.refresh("silent")
        manager.test.click()
        assert eventually(lambda: server.connections == 1)
        assert eventually(lambda: seen(manager.cancel))
        assert manager.test.disabled
        manager.cancel.click()
        assert manager.rounds.wait(3)
    assert text(manager.status) == "The tests were cancelled."
    assert not seen(manager.cancel)


def test_two_forms_and_the_magic_are_kept_in_step(form: Form, manager: Manager) -> None:
    other = new_form("ops")
    assert other.editor is not None
    fill(other.editor, name="nightly")
    other.editor.save.click()
    assert eventually(lambda: names(manager) == ["news", "nightly"])
    connections.save(MailConnection(name="zebra", server_host="h"))
    assert eventually(lambda: names(manager) == ["news", "nightly", "zebra"])
    connections.update("nightly", server_port=26)
    assert eventually(lambda: other.editor is not None and other.editor.fields["server_port"].control.value == "26")
    assert eventually(lambda: manager.table.rows[1]["server"] == "mail.example.org:26")


def test_a_change_from_elsewhere_is_told_at_once_where_something_was_typed_and_nothing_is_lost() -> None:
    stored("ops")
    form = new_form("ops")
    page = form.editor
    assert page is not None
    fill(page, server_port="2525")
    connections.update("ops", timeout=7)
    assert eventually(lambda: seen(page.conflict))
    assert "'ops' was changed elsewhere" in text(page.clash)
    assert page.fields["server_port"].control.value == "2525"
    page.reload.click()
    assert page.fields["timeout"].control.value == "7"
    page.save.click()
    assert (connections["ops"].server_port, connections["ops"].timeout) == (2525, 7)


def test_a_connection_that_is_deleted_elsewhere_can_be_saved_again() -> None:
    stored("ops")
    form = new_form("ops")
    page = form.editor
    assert page is not None
    connections.delete("ops")
    assert eventually(lambda: "has been deleted in the meantime" in text(page.status))
    page.save.click()
    assert "ops" in connections


def test_the_last_form_that_is_closed_ends_the_watch_and_leaves_no_widget() -> None:
    stored("ops")
    before = set(widget_module._instances)
    form = new_form()
    assert form.manager is not None
    form.manager.edit.click()
    assert form.editor is not None
    type_secret(form.editor, "s3cret", Kind.PASSWORD)
    assert any(thread.name == "mailconn-watch" for thread in threading.enumerate())
    form.close()
    assert set(widget_module._instances) <= before
    assert eventually(lambda: not any(thread.name == "mailconn-watch" for thread in threading.enumerate()))


def test_a_page_of_its_own_leaves_no_widget_behind() -> None:
    before = set(widget_module._instances)
    page = editor()
    assert len(widget_module._instances) > 100
    page.close()
    assert set(widget_module._instances) <= before
