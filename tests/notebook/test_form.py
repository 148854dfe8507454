"""The form shows every option, checks what is typed, keeps it, and tests it, driven through its real widgets."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import pytest

from mailconn_jupyter import sandbox
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.credentials import Kind
from mailconn_jupyter.errors import StoreError
from mailconn_jupyter.notebook.form.edit_page import Editor, pinned
from mailconn_jupyter.store import connections
from tests.servers.certificates import Certificates
from tests.servers.postfix import Postfix
from tests.servers.script import Expect, ScriptServer, Send, Silence
from tests.support.form_driver import (
    editor,
    eventually,
    fill,
    note,
    nothing_typed,
    run_test,
    seen,
    text,
    type_secret,
    wrong,
)
from tests.support.isolation import give_password

# The table of the options, with the two secrets where they belong.
LABELS = [
    "Connection name",
    "Connection protocol",
    "Server host",
    "Server port",
    "Use authentication?",
    "Use XOAuth2?",
    "Username",
    "Password",
    "Use secure authentication?",
    "Secure authentication type",
    "Check server identity?",
    "Trusted hosts",
    "Use proxy?",
    "Proxy type",
    "Proxy host",
    "Proxy port",
    "Proxy username",
    "Proxy password",
]

__all__ = ["nothing_typed"]


@pytest.fixture
def form() -> Iterator[Editor]:
    """A new connection's form, for a relay that wants no login."""
    made = editor()
    fill(made, use_authentication=False)
    made.fields["use_authentication"].touched = False
    yield made
    made.close()


def stored(**options: Any) -> MailConnection:
    connection = MailConnection(**{"name": "ops", "server_host": "mail.example.org", **options})
    connections.save(connection)
    return connection


def labels(box: Any) -> list[str]:
    """What a person reads from the top to the bottom."""
    found: list[str] = []
    for child in box.children:
        if hasattr(child, "children"):
            found += labels(child)
        elif isinstance(child, ipywidgets.HTML):
            found.append(text(child))
        else:
            found.append(getattr(child, "description", ""))
    return found


def shown(form: Editor) -> set[str]:
    return {name for name, field in form.fields.items() if seen(field.row)}


def unfold(form: Editor) -> None:
    for section in form.sections.values():
        if not section.is_open:
            section.toggle.click()


def test_every_option_and_secret_has_its_label_in_the_order_of_the_table(form: Editor) -> None:
    fill(form, use_authentication=True, use_secure_authentication=True, use_proxy=True)
    unfold(form)
    read = [label for label in labels(form) if label in LABELS]
    assert read == LABELS
    assert set(form.fields) == set(MailConnection.options())
    assert list(form.sections) == ["Server", "Authentication", "Security", "Proxy", "Sign-in", "More"]


def test_each_field_tells_what_it_is_for_without_a_pointer(form: Editor) -> None:
    for name, option in MailConnection.options().items():
        assert note(form, name) == " ".join(option.help.split())
        assert form.fields[name].control.tooltip == option.help


def test_only_what_the_protocol_and_the_switches_ask_for_is_shown(form: Editor) -> None:
    assert not {"username", "use_xoauth2", "proxy_host"} & shown(form)
    assert not seen(form.secrets[Kind.PASSWORD].row)
    fill(form, use_authentication=True, use_proxy=True)
    assert {"username", "use_xoauth2", "proxy_host", "proxy_username"} <= shown(form)
    assert seen(form.secrets[Kind.PASSWORD].row)
    assert seen(form.secrets[Kind.PROXY].row)
    fill(form, proxy_type="SOCKS4")
    assert not seen(form.secrets[Kind.PROXY].row)
    fill(form, use_secure_authentication=False)
    assert not {"secure_authentication_type", "trusted_hosts"} & shown(form)
    fill(form, protocol="MBOX")
    assert shown(form) == {"name", "protocol", "server_host"}
    assert [section for section, box in form.sections.items() if seen(box)] == ["Server"]


def test_a_new_connection_begins_with_a_login_and_nothing_to_save() -> None:
    new = editor()
    assert {"username", "use_xoauth2"} <= shown(new)
    assert text(new.status) == "Still to do: Connection name, Server host, Username."
    assert not new.draft.dirty
    fill(new, protocol="MBOX", name="archive", server_host="/var/mail/ana")
    assert new.fields["server_host"].control.description == "Path of the file"
    assert not new.save.disabled
    new.close()


def test_what_few_need_is_folded_behind_a_line_that_says_what_is_set(form: Editor) -> None:
    folded = [title for title, section in form.sections.items() if not section.is_open]
    assert folded == ["Security", "Proxy", "More"]
    security = form.sections["Security"]
    assert text(security.line) == "TLS"
    fill(
        form,
        secure_authentication_type="SSL",
        check_server_identity=False,
        use_proxy=True,
        proxy_host="proxy.example.org",
    )
    assert text(security.line) == "SSL, Check server identity: off"
    assert text(form.sections["Proxy"].line) == "Use proxy, Proxy host: proxy.example.org"
    fill(form, use_secure_authentication=False)
    assert text(security.line) == "no TLS"
    assert text(form.sections["More"].line) == "as usual"
    security.toggle.click()
    assert seen(security.body)
    assert not seen(security.line)
    fill(form, timeout="never")
    assert seen(form.sections["More"].body)


def test_what_must_be_given_is_marked(form: Editor) -> None:
    fill(form, use_authentication=True, use_proxy=True)
    marked = {name for name, field in form.fields.items() if "mailconn-needed" in field.row._dom_classes}
    assert marked & shown(form) == {"name", "server_host", "username", "proxy_host"}


def test_the_port_that_will_be_used_is_the_placeholder(form: Editor) -> None:
    port = form.fields["server_port"].control
    assert port.placeholder == "587"
    fill(form, secure_authentication_type="SSL")
    assert port.placeholder == "465"
    fill(form, protocol="IMAP")
    assert port.placeholder == "993"
    assert form.fields["proxy_port"].control.placeholder == "1080"
    fill(form, use_proxy=True, proxy_type="HTTP")
    assert form.fields["proxy_port"].control.placeholder == "3128"
    assert form.fields["timeout"].control.placeholder == "20"


def test_a_bad_value_is_told_beside_its_field_as_it_is_typed(form: Editor) -> None:
    fill(form, name="ops", server_host="mail.example.org")
    assert not form.save.disabled
    fill(form, server_port="70000")
    assert note(form, "server_port") == "✗ 70000 is not a port. A port is a whole number from 1 to 65535."
    assert wrong(form, "server_port")
    assert form.save.disabled
    assert form.live.test.disabled
    assert text(form.status) == "Still to do: Server port."
    fill(form, server_port="")
    assert not wrong(form, "server_port")
    assert not form.save.disabled


def test_what_is_missing_is_no_error_before_somebody_has_typed_there(form: Editor) -> None:
    assert not any(wrong(form, name) for name in form.fields)
    assert text(form.status) == "Still to do: Connection name, Server host."
    fill(form, name="ops", server_host="h", use_authentication=True)
    assert not wrong(form, "username")
    assert text(form.status) == "Still to do: Username."
    fill(form, username="ana")
    fill(form, username="")
    assert note(form, "username").startswith("✗ Missing; a login needs a user.")
    fill(form, name="")
    assert wrong(form, "name")


def test_a_hidden_value_does_not_stand_in_the_way(form: Editor) -> None:
    fill(form, name="ops", server_host="h", trusted_hosts="a,b", use_authentication=True, use_xoauth2=True)
    assert form.save.disabled
    fill(form, use_secure_authentication=False, use_authentication=False)
    assert not form.save.disabled
    form.save.click()
    assert not connections["ops"].use_xoauth2


def test_a_path_that_was_an_mbox_is_no_host_of_smtp(form: Editor) -> None:
    fill(form, name="old", protocol="MBOX", server_host="/var/mail/ana")
    assert not form.save.disabled
    fill(form, protocol="SMTP")
    assert wrong(form, "server_host")
    assert form.save.disabled


def test_save_keeps_the_connection_and_says_so(form: Editor) -> None:
    fill(form, name="ops", server_host="mail.example.org", server_port="2525")
    assert not connections
    form.save.click()
    assert connections["ops"] == MailConnection(name="ops", server_host="mail.example.org", server_port=2525)
    assert text(form.status) == "✓ Saved as 'ops'."
    assert form.save.disabled
    fill(form, server_port="25")
    assert text(form.status) == "Unsaved changes."
    form.save.click()
    assert connections["ops"].server_port == 25


def test_a_name_that_is_taken_is_told_before_saving(form: Editor) -> None:
    stored()
    fill(form, server_host="h", name="OPS")
    assert "There is already a connection 'OPS'" in note(form, "name")
    assert form.save.disabled
    form.save.click()
    assert connections["ops"].server_host == "mail.example.org"


def test_a_new_name_for_a_stored_connection_renames_it_with_its_secret() -> None:
    stored(username="ana")
    give_password("ops", "s3cret")
    form = editor("ops")
    assert form.fields["username"].control.value == "ana"
    fill(form, name="nightly", server_port="2525")
    form.save.click()
    assert list(connections) == ["nightly"]
    assert connections["nightly"].server_port == 2525
    assert eventually(lambda: text(form.secrets[Kind.PASSWORD].status) == "Kept in this kernel only.")
    fill(form, server_port="2526")
    form.save.click()
    assert connections["nightly"].server_port == 2526


def test_a_change_from_elsewhere_is_told_and_reload_keeps_what_was_typed() -> None:
    stored()
    form = editor("ops")
    fill(form, server_port="2525")
    connections.update("ops", timeout=7, server_port=999)
    form.save.click()
    assert connections["ops"].server_port == 999
    assert "changed by someone else" in text(form.clash)
    assert seen(form.conflict)
    assert form.fields["server_port"].control.value == "2525"
    form.reload.click()
    assert not seen(form.conflict)
    assert form.fields["server_port"].control.value == "2525"
    assert form.fields["timeout"].control.value == "7"
    assert "Server port (elsewhere: 999)" in text(form.status)
    form.save.click()
    assert (connections["ops"].server_port, connections["ops"].timeout) == (2525, 7)


def test_save_anyway_puts_the_form_over_the_change_from_elsewhere() -> None:
    stored()
    form = editor("ops")
    fill(form, server_port="2525")
    connections.update("ops", timeout=7)
    form.save.click()
    form.overwrite.click()
    assert not seen(form.conflict)
    assert (connections["ops"].server_port, connections["ops"].timeout) == (2525, 20)


def test_a_connection_deleted_elsewhere_can_be_saved_again() -> None:
    stored()
    form = editor("ops")
    fill(form, server_port="2525")
    connections.delete("ops")
    form.save.click()
    form.reload.click()
    assert "has been deleted in the meantime" in text(form.status)
    form.save.click()
    assert connections["ops"].server_port == 2525


def test_unknown_keys_of_the_file_survive_an_edit(own_config: Path) -> None:
    stored()
    path = own_config / "mailconn" / "ops.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"colour": "green"}))
    form = editor("ops")
    fill(form, server_port="2525")
    form.save.click()
    assert json.loads(path.read_text())["colour"] == "green"


def test_a_locked_connection_can_be_saved_under_another_name_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = tmp_path / "shared"
    (layer / "mailconn").mkdir(parents=True)
    (layer / "mailconn" / "ops.json").write_text('{"name": "ops", "server_host": "hub.example.org", "locked": true}')
    monkeypatch.setenv("JUPYTER_PATH", "")
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(layer))
    form = editor("ops")
    assert "Locked by an administrator" in text(form.title)
    unfold(form)
    assert {name for name in shown(form) if not form.fields[name].control.disabled} == {"name"}
    fill(form, server_port="2525")
    assert form.save.disabled
    fill(form, name="mine")
    form.save.click()
    assert connections["mine"].server_host == "hub.example.org"
    assert connections["ops"].server_port is None


def test_a_form_of_an_unknown_name_is_refused_with_the_near_one() -> None:
    stored()
    with pytest.raises(StoreError, match="Did you mean 'ops'"):
        editor("opz")


def test_what_a_user_typed_is_escaped() -> None:
    stored(name="<img src=x onerror=alert(1)>")
    form = editor("<img src=x onerror=alert(1)>")
    fill(form, server_port="<script>")
    html = "".join(child.value for child in everything(form) if isinstance(child, ipywidgets.HTML))
    assert "<img" not in html
    assert "<script" not in html


def everything(box: Any) -> Iterator[Any]:
    for child in box.children:
        yield child
        if hasattr(child, "children"):
            yield from everything(child)


# The test


def ready(form: Editor, port: int, **options: Any) -> None:
    fill(form, name="ops", server_host="localhost", server_port=str(port), **options)


def test_a_test_shows_each_stage_with_its_outcome_in_words_and_what_was_learnt(
    form: Editor, postfix: Postfix, certificates: Certificates
) -> None:
    ready(form, postfix.submission, use_authentication=True, username="alice", ca_file=str(certificates.ca.pem))
    type_secret(form, "s3cret")
    assert run_test(form).startswith("✓ The connection works (")
    read = {name: text(stage) for name, stage in form.live.stages.items()}
    assert all(stage.split(" ms")[0].startswith("✓") and "passed" in stage for stage in read.values())
    assert "<details>" in form.live.stages["secure"].value
    assert certificates.good.sha256 in read["secure"]
    assert "SCRAM-SHA-256" in read["authenticate"]
    assert not seen(form.live.pin)
    # Nothing was saved, and nothing of it stays.
    assert not connections


def test_a_wrong_password_is_told_with_its_hint(form: Editor, postfix: Postfix, certificates: Certificates) -> None:
    ready(form, postfix.submission, use_authentication=True, username="alice", ca_file=str(certificates.ca.pem))
    type_secret(form, "wr0ng")
    assert run_test(form) == "✗ Failed at: Log in."
    assert "set the password again" in text(form.live.stages["authenticate"])
    assert text(form.live.stages["ready"]) == "· Ready for mail"
    assert not seen(form.live.pin)


def test_a_connection_that_works_sends_a_mail_where_it_is_asked_to(form: Editor) -> None:
    server = sandbox.start()
    try:
        page = editor("sandbox")
        trial = page.live.trial
        assert not seen(trial.row)
        assert run_test(page).startswith("✓")
        assert seen(trial.row)
        assert trial.send.disabled
        trial.address.set_state({"value": "ana@example.org"})
        trial.send.click()
        assert trial.wait(20)
        assert text(trial.note).startswith("✓ Sent: 'A test of your mail connection', ")
        assert [message.subject for message in server.inbox] == ["A test of your mail connection"]
        trial.address.set_state({"value": "a@b@c"})
        trial.send.click()
        assert trial.wait(20)
        assert text(trial.note).startswith("✗ ")
        fill(page, server_port="2525")
        assert not seen(trial.row)
        page.close()
    finally:
        server.stop()


def test_an_unknown_certificate_is_pinned_with_one_click(
    form: Editor, postfix: Postfix, certificates: Certificates
) -> None:
    ready(form, postfix.plain, trusted_hosts="other.example.org")
    assert run_test(form) == "✗ Failed at: Secure the link."
    assert seen(form.live.pin)
    form.live.pin.click()
    pin = f"localhost=sha256:{certificates.good.sha256}"
    assert form.fields["trusted_hosts"].control.value == f"other.example.org {pin}"
    assert not seen(form.live.pin)
    assert run_test(form).startswith("✓")
    form.save.click()
    assert connections["ops"].trusted_hosts == f"other.example.org {pin}"


def test_a_pin_takes_the_place_of_the_old_one_of_its_host() -> None:
    old, new = "a" * 64, "b" * 64
    trusted = f"x Host=sha256:{old} other=sha256:{old}"
    assert pinned(trusted, f"host=sha256:{new}") == f"x other=sha256:{old} host=sha256:{new}"
    assert pinned("", f"host=sha256:{new}") == f"host=sha256:{new}"


@pytest.mark.parametrize(
    ("script", "stage"),
    [
        ([Silence()], "secure"),
        ([Send(b"220 hi\r\n"), Expect(rb"(?i)EHLO .*"), Silence()], "secure"),
    ],
)
def test_cancel_ends_a_test_at_the_stage_where_a_server_is_silent(form: Editor, script: list[Any], stage: str) -> None:
    with ScriptServer(script) as server:
        ready(form, server.port)
        started = time.monotonic()
        form.live.test.click()
        assert time.monotonic() - started < 5
        assert eventually(lambda: "running" in text(form.live.stages[stage]))
        assert eventually(lambda: len(server.lines) == sum(isinstance(step, Expect) for step in script))
        assert seen(form.live.cancel)
        assert form.live.test.disabled
        form.live.cancel.click()
        assert form.live.wait(2)
    assert "cancelled" in text(form.live.stages[stage])
    assert text(form.live.summary) == "Cancelled at: Secure the link."
    assert not form.live.test.disabled
    assert not seen(form.live.cancel)


def test_a_second_click_does_not_start_a_second_test(form: Editor) -> None:
    with ScriptServer([Silence()]) as server:
        ready(form, server.port)
        form.live.test.click()
        form.live.test.click()
        assert eventually(lambda: server.connections == 1)
        form.live.cancel.click()
        assert form.live.wait(2)
        assert server.connections == 1


def test_a_test_tells_when_the_values_have_changed_since(form: Editor, postfix: Postfix) -> None:
    ready(form, postfix.relay, use_secure_authentication=False)
    assert run_test(form).startswith("✓")
    fill(form, server_port="2525")
    assert text(form.live.summary).endswith("The values have changed since this test.")


def test_what_a_server_says_is_escaped_in_the_panel(form: Editor) -> None:
    with ScriptServer([Send(b"554 <img src=x onerror=alert(1)>\r\n"), Silence()]) as server:
        ready(form, server.port, use_secure_authentication=False)
        run_test(form)
    html = "".join(stage.value for stage in form.live.stages.values())
    assert "&lt;img src=x" in html
    assert "<img" not in html


def test_a_test_of_a_stored_connection_is_remembered_and_one_of_typed_values_is_not(postfix: Postfix) -> None:
    stored(server_host="localhost", server_port=postfix.relay, use_secure_authentication=False)
    form = editor("ops")
    fill(form, server_port="1")
    assert "failed" in run_test(form).casefold()
    assert text(editor("ops").live.summary) == "Not tested yet."
    fill(form, server_port=str(postfix.relay))
    assert run_test(form).startswith("✓")
    assert text(editor("ops").live.summary).startswith("✓ Last test, ")


def test_a_test_of_typed_values_is_remembered_once_they_are_saved_and_none_of_others(
    form: Editor, postfix: Postfix
) -> None:
    ready(form, postfix.relay, use_secure_authentication=False)
    assert run_test(form).startswith("✓")
    form.save.click()
    assert text(editor("ops").live.summary).startswith("✓ Last test, ")
    other = editor()
    ready(other, postfix.relay, use_secure_authentication=False)
    fill(other, name="other", use_authentication=False)
    assert run_test(other).startswith("✓")
    fill(other, server_port="1")
    other.save.click()
    assert text(editor("other").live.summary) == "Not tested yet."


def test_an_mbox_that_is_not_there_fails_where_it_is_opened(form: Editor) -> None:
    fill(form, name="box", protocol="MBOX", server_host="/nowhere/mail/ana")
    assert run_test(form).startswith("✗ Failed at: ")


def test_closing_the_form_ends_its_test() -> None:
    form = editor()
    with ScriptServer([Silence()]) as server:
        ready(form, server.port, use_authentication=False)
        form.live.test.click()
        assert eventually(lambda: server.connections == 1)
        form.close()
        assert form.live.wait(2)


def test_what_a_new_connection_does_not_show_is_not_made_before_it_is() -> None:
    form = editor()
    made = {name for name, field in form.fields.items() if field.row.children}
    assert made == {name for name in shown(form) if form.sections[form.fields[name].option.section].is_open}
    assert set(form.secrets) == {Kind.PASSWORD}
    fill(form, use_authentication=True, use_secure_authentication=True, use_xoauth2=True, oauth_issuer="microsoft")
    assert form.fields["oauth_client_id"].row.children
    assert set(form.secrets) == {Kind.PASSWORD, Kind.CLIENT}
    assert seen(form.signing.panel)
    unfold(form)
    assert all(form.fields[name].row.children for name in shown(form))
    assert form.fields["timeout"].control.placeholder == "20"
