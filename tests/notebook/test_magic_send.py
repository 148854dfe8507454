"""``%%mailconn send`` and ``%mailconn send`` in a real IPython: what is shown and what arrives."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from mailconn_jupyter import sandbox
from mailconn_jupyter.delivery.preview import Preview
from mailconn_jupyter.errors import MailConnError, MessageError
from mailconn_jupyter.notebook.usage_error import UsageError
from mailconn_jupyter.sandbox import Received, Sandbox
from tests.servers.ports import free_ports
from tests.support import shells
from tests.support.composed import ATTACKS, harmless
from tests.support.shells import Shell, keep

shell = shells.shell
clean_up = shells.clean_up

TO = "sandbox --to ana@example.org --subject Churn"


@pytest.fixture
def server() -> Sandbox:
    return sandbox.start()


def arrived(server: Sandbox) -> Received:
    """The only message."""
    (message,) = server.inbox
    return message


# A cell


def test_what_a_cell_shows_is_sent_in_order_and_shown_as_usual_once(shell: Shell, server: Sandbox) -> None:
    shell.ok("import pandas as pd\nfrom IPython.display import display\ndf = pd.DataFrame({'churn': [2.1, 0.4]})")
    ran = shell.ok(f"%%mailconn send {TO}\nprint('Three things moved:')\ndisplay(df)\nprint('Last of all:')\n6 * 7")
    assert [ran.text.count(said) for said in ("Three things", "churn", "Last of all", "42")] == [1, 1, 1, 1]
    assert ran.text.count("Sent: 'Churn'") == 1
    message = arrived(server)
    assert message.subject == "Churn"
    places = [message.text.index(said) for said in ("Three things moved:", "churn", "2.1", "Last of all:", "42")]
    assert places == sorted(places)
    assert "Out[" not in message.text
    assert re.search("<th[^>]*>churn</th>", message.html)


def test_a_cell_leaves_its_values_behind_as_usual(shell: Shell, server: Sandbox) -> None:
    assert shell.ok(f"%%mailconn send {TO}\nanswer = 6 * 7\nanswer").value is None
    assert shell.ok("answer + _").value == 84


def test_the_line_is_read_before_the_cell_runs(shell: Shell, server: Sandbox) -> None:
    shell.ok("ran, week = [], 47")
    for line in (
        "nowhere --to ana@example.org --subject x",
        "sandbox --to ana --subject x",
        "sandbox --to ana@example.org",
        "sandbox --to ana@example.org --subject $weak",
        "sandbox --to ana@example.org --subject x --on-error sned",
        "sandbox --to ana@example.org --subject x --table-as csw",
        "sandbox --to ana@example.org --subject x week",
        "sandbox --to ana@example.org --subject 'Mean {week +}'",
        "sandbox --to ana@example.org --subject x --priority urgent",
        "sandbox --to ana@example.org --subject x --header X-Run",
        "sandbox --to ana@example.org --subject x --header 'X Run: 1'",
        "sandbox --to ana@example.org --subject x --limit huge",
        "sandbox --to ana@example.org --subject x --reply-to ana",
    ):
        assert isinstance(shell.run(f"%%mailconn send {line}\nran.append(1)").error, MailConnError), line
    assert shell.ok("ran").value == []
    assert not len(server.inbox)


def test_a_connection_that_only_reads_is_refused_before_the_cell_runs(shell: Shell) -> None:
    keep("archive", protocol="MBOX", server_host="/var/mail/in.mbox")
    assert "reads mail" in shell.fails("%%mailconn send archive --to ana@example.org --subject x\n1 / 0")


def test_all_people_are_reached_and_bcc_is_in_no_header(shell: Shell, server: Sandbox) -> None:
    shell.ok(
        "%%mailconn send sandbox --to ana@example.org --to 'Bob <bob@example.org>, cy@example.org' --cc dan@example.org "
        "--bcc eve@example.org --from 'Me <me@example.org>' --subject 'Week {40 + 7}'\nprint('x')"
    )
    message = arrived(server)
    assert message.recipients == (
        "ana@example.org",
        "bob@example.org",
        "cy@example.org",
        "dan@example.org",
        "eve@example.org",
    )
    assert message.header("From") == "Me <me@example.org>"
    assert message.subject == "Week 47"
    assert b"eve@" not in message.raw


def test_files_that_the_cell_writes_are_attached(shell: Shell, server: Sandbox, tmp_path: Path) -> None:
    shell.ok(
        f"%%mailconn send {TO} --attach '{tmp_path}/*.csv' --attach '{tmp_path}/b.bin'\n"
        f"import pathlib\nfor name in ('a.csv', 'c.csv', 'b.bin'):\n"
        f"    pathlib.Path('{tmp_path}', name).write_text(name)\nprint('x')"
    )
    assert [part.name for part in arrived(server).attachments] == ["a.csv", "c.csv", "b.bin"]
    assert "does not exist" in shell.fails(f"%%mailconn send {TO} --attach '{tmp_path}/no.csv'\nprint('x')")
    assert len(server.inbox) == 1


def test_rows_index_format_and_source_are_chosen_in_the_line(shell: Shell, server: Sandbox) -> None:
    shell.ok("import pandas as pd\ndf = pd.DataFrame({'n': range(500)})")
    shell.ok(f"%%mailconn send {TO} --rows 3 --index --table-as xlsx --zip --code\ndf")
    message = arrived(server)
    assert message.text.startswith("df\n")
    assert "the first 3 of 500 rows" in message.text
    assert [part.name for part in message.attachments] == ["attachments.zip"]


def test_a_cell_that_shows_nothing_sends_nothing_and_does_not_fail(shell: Shell, server: Sandbox) -> None:
    assert "Nothing was sent" in shell.ok(f"%%mailconn send {TO}\nx = 1").text
    assert "Nothing was sent" in shell.ok(f"%%mailconn send {TO}\n6 * 7;").text
    assert not len(server.inbox)


def test_warnings_and_logs_are_shown_and_sent_only_when_asked_for(shell: Shell, server: Sandbox) -> None:
    cell = "import sys\nprint('careful', file=sys.stderr)\nprint('result')"
    for flag, sent in (("", False), ("--stderr", True)):
        server.inbox.clear()
        assert "careful" in shell.ok(f"%%mailconn send {TO} {flag}\n{cell}").text
        assert ("careful" in arrived(server).text) is sent


def test_a_preview_shows_what_would_be_sent_and_sends_nothing(shell: Shell, server: Sandbox) -> None:
    ran = shell.ok(f"%%mailconn send {TO} --bcc eve@example.org --preview\nprint('6   < 7')")
    assert "nothing was sent" in ran.text
    assert "eve@example.org (hidden from the others)" in ran.text
    assert "to 2 recipients" in ran.text
    assert '<iframe sandbox=""' in ran.html
    assert not len(server.inbox)


def test_two_hundred_figures_and_fifty_megabytes_get_a_clear_answer_before_anything_is_sent(
    shell: Shell, server: Sandbox
) -> None:
    figures = (
        "import os\nfrom IPython.display import Image, display\n"
        "png = b'\\x89PNG\\r\\n\\x1a\\n\\0\\0\\0\\rIHDR' + (600).to_bytes(4, 'big') * 2\n"
        "for number in range(200):\n    display(Image(png + os.urandom(250_000)))"
    )
    ran = shell.run(f"%%mailconn send {TO}\n{figures}")
    assert isinstance(ran.error, MessageError)
    assert re.search(r"The message would be 6\d\.\d MB, more than the 25\.0 MB .* 200 images", ran.error.message)
    ran = shell.run(f"%%mailconn send {TO}\nfor _ in range(50):\n    print('x' * 1_000_000)")
    assert isinstance(ran.error, MessageError)
    assert "text.txt" in ran.error.message
    ran = shell.run(f"%%mailconn send {TO}\nfor _ in range(110):\n    print('x' * 1_000_000)")
    assert "more than 100.0 MB" in str(ran.error)
    assert not len(server.inbox)


def test_a_refused_recipient_fails_the_cell_with_the_servers_words(shell: Shell) -> None:
    keep(
        "ops",
        server_host="127.0.0.1",
        server_port=free_ports(1)[0],
        use_secure_authentication=False,
        from_address="b@example.org",
    )
    ran = shell.run("%%mailconn send ops --to ana@example.org --subject x\nprint('the work is done')")
    assert isinstance(ran.error, MailConnError)
    assert "connect" in ran.text
    assert "the work is done" in ran.text


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_in_a_cell_or_its_line_is_markup_in_what_is_sent(shell: Shell, server: Sandbox, attack: str) -> None:
    shell.ip.user_ns["attack"] = attack
    cell = "import pandas as pd\nprint(attack)\npd.DataFrame({attack: [attack]}, index=pd.Index([1], name=attack))"
    ran = shell.ok(f"%%mailconn send sandbox --to ana@example.org --subject $attack --code\n{cell}")
    assert attack not in ran.html.replace(html.escape(attack), "") or "<" not in attack
    message = arrived(server)
    assert message.subject == attack
    assert harmless(message.html.replace("<style", "<x"))
    preview = shell.ok("%mailconn send sandbox --to ana@example.org --subject $attack --preview attack").html
    assert attack not in preview.replace(html.escape(attack), "") or "<" not in attack
    shell.fails("%%mailconn send sandbox --to ana@example.org --subject x --on-error send\nraise ValueError(attack)")
    assert harmless(server.inbox[-1].html)


# Results by name


def test_results_are_sent_by_name_by_expression_and_as_texts(shell: Shell, server: Sandbox) -> None:
    shell.ok("import pandas as pd\nweek = 47\ndf = pd.DataFrame({'a b': [1.5, 2.5]})")
    ran = shell.ok(f'%mailconn send {TO} "Week {{week}}: \'quoted\'" df df["a b"].sum() {{df["a b"].max() + 1}} $week')
    assert ran.value.accepted == ("ana@example.org",)
    assert [line for line in arrived(server).text.splitlines() if line] == [
        "Week 47: 'quoted'",
        "a b",
        "---",
        "1.5",
        "2.5",
        "4.0",
        "3.5",
        "47",
    ]


def test_a_name_that_is_not_defined_is_an_error_that_names_a_near_one(shell: Shell, server: Sandbox) -> None:
    shell.ok("churn = 1")
    ran = shell.run(f"%mailconn send {TO} chrun")
    assert isinstance(ran.error, UsageError)
    assert "Did you mean 'churn'?" in ran.text
    assert 'Text goes in quotes: "..."' in ran.text
    assert not len(server.inbox)


def test_with_nothing_to_send_it_says_how(shell: Shell, server: Sandbox) -> None:
    assert "there is nothing to send" in shell.fails(f"%mailconn send {TO}")
    assert "two percent signs" in shell.fails(f"%mailconn send {TO} --on-error send 1")


def test_a_preview_of_results_is_the_value_of_the_line(shell: Shell, server: Sandbox) -> None:
    assert isinstance(shell.ok(f"preview = %mailconn send {TO} --preview 6*7\npreview").value, Preview)
    assert not len(server.inbox)


def test_a_dry_run_does_all_but_send_and_says_to_whom_it_would_go(shell: Shell, server: Sandbox) -> None:
    report = shell.ok(f"report = %mailconn send {TO} --sender cy@example.org --dry-run 6*7\nreport").value
    assert report.dry_run
    assert report.message["From"] == "cy@example.org"
    assert "Not sent, as asked: " in shell.ok(f"%%mailconn send {TO} --dry-run\n6*7").text
    assert not len(server.inbox)


def test_a_command_says_when_it_stands_in_the_wrong_kind_of_magic(shell: Shell) -> None:
    assert "one percent sign" in shell.fails("%%mailconn test\nprint('x')")
    assert "needs a command" in shell.fails("%%mailconn\nprint('x')")


def test_tab_completes_flags_choices_and_the_notebooks_own_names(shell: Shell) -> None:
    keep("ops")
    shell.ok("churn_by_week = 1")
    assert shell.tab("%%mailconn send o|") == ["%%mailconn send ops"]
    assert shell.tab("%%mailconn send ops --on-error al") == ["%%mailconn send ops --on-error always"]
    assert shell.tab("%mailconn send ops --table-as p") == ["%mailconn send ops --table-as parquet"]
    assert "%mailconn send ops --to a@b.org --to" in shell.tab("%mailconn send ops --to a@b.org --t")
    assert "%mailconn send ops churn_by_week" in shell.tab("%mailconn send ops churn_b")
