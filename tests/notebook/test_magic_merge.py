"""``%mailconn merge`` and ``%%mailconn merge`` in a real IPython: what is shown and what arrives."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailconn_jupyter import sandbox
from mailconn_jupyter.commands.merging.merge_line import NotAllAccepted
from mailconn_jupyter.delivery.merging.row_faults import MergeError
from mailconn_jupyter.delivery.preview import Preview
from mailconn_jupyter.errors import MailConnError, MessageError
from mailconn_jupyter.notebook.usage_error import UsageError
from mailconn_jupyter.sandbox import Sandbox
from tests.servers.counting import Fickle
from tests.support import shells
from tests.support.shells import Shell, keep

shell = shells.shell
clean_up = shells.clean_up

PEOPLE = (
    "import pandas as pd\n"
    "week = 47\n"
    "people = pd.DataFrame({'email': ['ana@example.org', 'bea@example.org', 'eve@example.org'],\n"
    "                       'First name': ['Ana', 'Bea', 'Ева'], 'id': [1, 2, 3]})"
)
LINE = """merge sandbox people --to email --subject 'Week $week, {{ row["First name"] }}'"""


@pytest.fixture
def server(shell: Shell) -> Sandbox:
    shell.ok(PEOPLE)
    return sandbox.start()


def texts(server: Sandbox) -> dict[str, str]:
    return {message.header("To"): message.text.strip() for message in server.inbox}


def test_a_line_sends_a_message_to_each_row(shell: Shell, server: Sandbox) -> None:
    report = shell.ok(
        f"""%mailconn {LINE} "No. {{{{ id }}}} of week {{week}}{{% if id == 1 %}}!{{% endif %}}" people.head(1)"""
    ).value
    assert report.ok
    assert {message.subject for message in server.inbox} == {"Week 47, Ana", "Week 47, Bea", "Week 47, Ева"}
    found = texts(server)
    assert found["ana@example.org"].startswith("No. 1 of week 47!\n")
    assert found["eve@example.org"].startswith("No. 3 of week 47\n")
    assert all("First name" in text for text in found.values())


def test_a_cell_is_the_template_and_is_not_run(shell: Shell, server: Sandbox) -> None:
    report = shell.ok(
        f"%%mailconn {LINE} --cc boss@example.org\n# Dear {{{{ row['First name'] }}}}\n\n1 / 0 {{# a comment #}}is **no** {{week}}\n"
    ).value
    assert report.ok
    assert texts(server)["bea@example.org"] == "# Dear Bea\n\n1 / 0 is **no** {week}"
    message = next(message for message in server.inbox if "bea" in message.header("To"))
    assert "<h1" in message.html
    assert "<strong>no</strong>" in message.html
    assert message.recipients == ("bea@example.org", "boss@example.org")


@pytest.mark.parametrize(("kind", "html"), [("text", False), ("html", True)])
def test_a_cell_says_what_it_is_written_in(shell: Shell, server: Sandbox, kind: str, html: bool) -> None:
    shell.ok(f"%%mailconn {LINE} --kind {kind}\n<b>{{{{ id }}}}</b>")
    message = next(message for message in server.inbox if "ana" in message.header("To"))
    assert ("<b>1</b>" in message.text) is not html
    assert bool(message.html) is html


def test_a_preview_shows_one_message_and_sends_nothing(shell: Shell, server: Sandbox) -> None:
    shown = shell.ok(f"%mailconn {LINE} --preview --row 2 'Dear {{{{ id }}}}'").value
    assert isinstance(shown, Preview)
    assert "Week 47, Ева" in repr(shown)
    assert "Dear 3" in repr(shown)
    cell = shell.ok(f"%%mailconn {LINE} --preview\nDear {{{{ id }}}}").value
    assert "Dear 1" in repr(cell)
    shell.ok("rows = ({'email': f'a{n}@example.org', 'n': n} for n in range(3))")
    once = shell.ok("%mailconn merge sandbox rows --to email --subject {{n}} --preview --row 1 'No. {{ n }}'").value
    assert "No. 1" in repr(once)
    error = shell.run(f"%mailconn {LINE} --preview --row 3 'x'").error
    assert isinstance(error, UsageError)
    assert "there is no row 3" in str(error)
    assert not len(server.inbox)


def test_a_dry_run_counts_and_sends_nothing(shell: Shell, server: Sandbox) -> None:
    said = shell.ok(f"%mailconn {LINE} --dry-run 'Dear {{{{ id }}}}'").text
    assert said.startswith("Not sent, as asked: 3 messages, ")
    assert said.endswith(" bytes, to ana@example.org, bea@example.org, eve@example.org\n")
    assert not len(server.inbox)


def test_what_is_wrong_with_a_row_fails_the_cell_before_anything_is_sent(shell: Shell, server: Sandbox) -> None:
    shell.ok("people.loc[1, 'email'] = None\npeople.loc[2, 'id'] = 1")
    error = shell.run(f"%mailconn {LINE} --key id 'Dear {{{{ nmae }}}}'").error
    assert isinstance(error, MergeError)
    assert "row 1 (key '2'): There is no address." in error.message
    assert "row 2 (key '1'): Row 0 has the same key." in error.message
    assert not len(server.inbox)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("merge sandbox --to email --subject x", "there are no rows"),
        ("merge sandbox people --to email --subject x", "there is nothing to send"),
        ("merge sandbox people 'x' --subject x", "--to"),
        ("merge sandbox people 'x' --to email", "--subject"),
        ("merge nowhere people 'x' --to email --subject x", "There is no connection 'nowhere'"),
        ("merge sandbox peple 'x' --to email --subject x", "'peple' is not defined"),
        ("merge sandbox people 'x' --to emial --subject x", "Did you mean 'email'?"),
        ("merge sandbox people 'x' --to email --subject $weak", "'weak'"),
        ("merge sandbox people 'x' --to email --subject x --journal j", "--journal needs --key"),
        ("merge sandbox people 'x' --to email --subject x --rate often", "often"),
        ("merge sandbox week 'x' --to email --subject x", "Rows must be a table"),
    ],
)
def test_a_line_that_is_wrong_says_so_and_sends_nothing(shell: Shell, server: Sandbox, line: str, words: str) -> None:
    error = shell.run(f"%mailconn {line}").error
    assert isinstance(error, MailConnError)
    assert words in str(error)
    assert not len(server.inbox)


def test_without_a_name_the_connection_that_sends_is_meant(shell: Shell, server: Sandbox) -> None:
    keep("inbox", protocol="IMAP")
    assert shell.ok(f"%mailconn {LINE.replace('sandbox ', '')} 'Dear {{{{ id }}}}'").value.ok
    assert len(server.inbox) == 3


def test_a_cell_takes_the_rows_alone(shell: Shell, server: Sandbox) -> None:
    error = shell.run(f"%%mailconn {LINE} 'more'\nDear {{{{ id }}}}").error
    assert isinstance(error, UsageError)
    assert "the cell is the content" in str(error)
    assert not len(server.inbox)


def test_files_and_headers_are_the_rows_own(shell: Shell, server: Sandbox, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        (tmp_path / f"{number}.txt").write_text(f"number {number}")
    shell.ok(
        f"%mailconn {LINE} --attach '{tmp_path}/{{{{ id }}}}.txt' --header 'X-Customer: {{{{ id }}}}' --from 'me@example.org' 'x'"
    )
    for message in server.inbox:
        (file,) = message.attachments
        assert file.name == f"{message.header('X-Customer')}.txt"
        assert message.header("From") == "me@example.org"


def test_a_journal_sends_nobody_a_second_one(shell: Shell, server: Sandbox, tmp_path: Path) -> None:
    line = f"%mailconn {LINE} --key id --journal '{tmp_path}/churn.sqlite' --rate 1000/min --connections 1 'Dear {{{{ id }}}}'"
    assert shell.ok(line).value.ok
    shell.ok("people.loc[3] = ['zoe@example.org', 'Zoe', 4]")
    assert shell.ok(line).value.ok
    assert len(server.inbox) == 4


def test_a_refusal_fails_the_cell_with_the_report_shown(shell: Shell, server: Sandbox) -> None:
    with Fickle(rcpt=("250", "550 no such user", "250")) as refusing:
        keep(
            "refusing",
            server_host=refusing.host,
            server_port=refusing.port,
            use_secure_authentication=False,
            use_authentication=False,
        )
        ran = shell.run(
            f"%mailconn {LINE.replace('sandbox', 'refusing')} --from bob@example.org --connections 1 'Dear {{{{ id }}}}'"
        )
    assert isinstance(ran.error, NotAllAccepted)
    assert "1 of 3 were not" in ran.error.message
    assert [each.recipient for each in ran.error.report.failed] == ["bea@example.org"]
    assert "no such user" in ran.text
    assert len(refusing.taken) == 2


def test_a_text_without_a_row_may_say_braces_and_dollars_as_ever(shell: Shell, server: Sandbox) -> None:
    shell.ok("""%mailconn send sandbox --to ana@example.org --subject "5$$ {{a}}" "{{b}} {week}" """)
    (message,) = server.inbox
    assert (message.subject, message.text.strip()) == ("5$ {a}", "{b} 47")


def test_messages_that_lose_something_are_told_once(shell: Shell, server: Sandbox) -> None:
    shell.ok("long = pd.DataFrame({'a': ['=1+1'] * 60})")
    ran = shell.ok(f"%mailconn {LINE} 'x' long --dry-run")
    assert ran.text.count("formulas=") == 1


def test_an_error_in_a_template_says_where(shell: Shell, server: Sandbox) -> None:
    error = shell.run("%%mailconn merge sandbox people --to email --subject x\nDear {{ First name }}").error
    assert isinstance(error, MessageError)
    assert "an error in line 1" in str(error)
