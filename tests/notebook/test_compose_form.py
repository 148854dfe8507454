"""The form for a mail, driven as a front end would: written, looked at and sent, and nothing of it in any state."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ipywidgets.widgets import widget as widget_module

import mailconn_jupyter as mailconn
from mailconn_jupyter import MailConnection, connections, sandbox
from mailconn_jupyter.errors import OptionError, StoreError
from mailconn_jupyter.notebook.compose_page.compose_form import ComposeForm
from mailconn_jupyter.notebook.compose_page.typed_mail import TypedMail
from mailconn_jupyter.sandbox import Sandbox
from tests.servers.pipelining import BOTH, PipeliningServer
from tests.support import shells
from tests.support.batches import to
from tests.support.compose_driver import Front
from tests.support.shells import Shell

shell = shells.shell
clean_up = shells.clean_up

Open = Callable[..., Front]


@pytest.fixture
def opened(shell: Shell) -> Iterator[Open]:
    forms: list[ComposeForm] = []

    def page(name: str | None = None) -> Front:
        forms.append(mailconn.compose_form(name))
        return Front(forms[-1])

    yield page
    for form in forms:
        form.composer.worker.wait(10)
        form.close()


@pytest.fixture
def box(shell: Shell) -> Sandbox:
    return sandbox.start()


def test_a_mail_is_written_and_sent_and_the_form_is_empty_for_the_next(
    opened: Open, box: Sandbox, shell: Shell
) -> None:
    shell.ok("import pandas\ntable = pandas.DataFrame({'churn': [2.1, 3.4]})")
    page = opened()
    assert page.told["all"]["mail"]["connection"] == "sandbox"
    assert [one["name"] for one in page.told["results"]["results"]] == ["table"]
    page.type(
        to="Ana <ana@example.org>",
        cc="bea@example.org",
        bcc="eve@example.org",
        subject="Churn",
        body="**Three** things",
    )
    page.type(results=["table"])
    said = page.act("send")
    assert said.startswith("Sent: 'Churn', ")
    assert page.told["status"]["kind"] == "good"
    assert page.told["status"]["rows"] == [
        ["ana@example.org", "accepted", ""],
        ["bea@example.org", "accepted", ""],
        ["eve@example.org", "accepted", ""],
    ]
    (message,) = box.inbox.wait(1)
    assert message.recipients == ("ana@example.org", "bea@example.org", "eve@example.org")
    assert message.html is not None
    assert "<strong>Three</strong> things" in message.html
    assert "churn" in message.html
    assert page.form.composer.kept.mail == TypedMail("sandbox")
    assert page.told["busy"]["busy"] is False


def test_the_code_that_is_shown_sends_the_same_message(
    opened: Open, box: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("a,b\r\n", encoding="utf-8")
    shell.ok("import pandas\ntable = pandas.DataFrame({'churn': [2.1, 3.4]})\nother = table + 1")
    page = opened("sandbox")
    page.type(
        to='"Größer, Ana" <ana@example.org>, bea@example.org',
        cc="cy@example.org",
        bcc="eve@example.org",
        subject='A "quoted" \\ subject',
        body='Three *things*:\n\n- it\'s\n- "quoted"\n- back\\slash\n',
        results=["other", "table"],
        files=[str(tmp_path / "a.csv")],
    )
    page.act("code")
    code = page.told["code"]["code"]
    page.act("send")
    shell.ok(code)
    first, second = box.inbox.wait(2)
    assert _same(first.raw) == _same(second.raw)
    assert first.recipients == second.recipients
    assert [part.name for part in first.attachments] == ["a.csv"]


def _same(raw: bytes) -> bytes:
    """The bytes without what differs of two messages by chance."""
    boundaries = dict.fromkeys(re.findall(rb'boundary="([^"]+)"', raw))
    for number, boundary in enumerate(boundaries):
        raw = raw.replace(boundary, b"%d" % number)
    return re.sub(rb"(?m)^(Date|Message-ID): .*\r\n", b"", raw)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "one line",
        "a\n",
        "\n\n",
        "'''\"\"\"\n\\",
        "{x} $y %z\n#",
        "\u2028\x0b\x1cline\r\nends",
        "\ud800 half\n",
        "tab\tand\0nul",
        '")\nimport os\n("',
    ],
)
def test_the_code_is_python_that_means_what_was_typed_whatever_that_is(text: str) -> None:
    mail = TypedMail(text or "ops", text, text, "", text, text, ("df", "fig"), (text, "b"))
    (_, call) = ast.parse(mail.code()).body
    assert isinstance(call, ast.Expr)
    assert isinstance(call.value, ast.Call)
    given = call.value.args
    assert [ast.literal_eval(each) for each in given[:3]] == [text or "ops", text.strip(), text]
    if text.strip():
        words = given[3]
        assert isinstance(words, ast.Call)
        assert ast.literal_eval(words.args[0]) == text
    assert [each.id for each in given[3 + bool(text.strip()) :] if isinstance(each, ast.Name)] == ["df", "fig"]
    keywords = {each.arg: ast.literal_eval(each.value) for each in call.value.keywords}
    assert keywords == ({"cc": text.strip()} if text.strip() else {}) | {"attachments": [text, "b"]}


def test_nothing_of_a_mail_is_in_the_state_of_a_widget_or_in_what_stands_for_the_form(
    opened: Open, box: Sandbox, shell: Shell
) -> None:
    shell.ok("import pandas\ntable = pandas.DataFrame({'mail': ['zoe@example.org']})")
    mailconn.people["team"] = ["cy@example.org"]
    page = opened()
    page.type(to="ana@example.org, team", subject="Churn-47", body="Three-things", results=["table"])
    page.offered("te")
    page.say("look", name="table")
    assert "zoe@example.org" in json.dumps(page.told["look"])
    page.act("preview")
    page.act("code")
    page.act("send")
    page.type(to="ana@example.org")
    said = json.dumps([each.get_state() for each in widget_module._instances.values()], default=str)
    bundle = json.dumps(page.form._repr_mimebundle_(), default=str) + repr(page.form)
    for text in ("@example", "Churn-47", "Three-things"):
        assert text not in said
        assert text not in bundle
        assert text not in repr(vars(page.form.page))


def test_what_is_wrong_is_said_beside_its_field(opened: Open, box: Sandbox) -> None:
    page = opened()
    page.type(to="ana@", cc="a@b.c d@e.f", bcc="nobody", results=["gone"], files=["missing.csv"])
    assert page.act("send") == "Nothing was sent: see the fields that are marked."
    problems = page.told["problems"]["problems"]
    assert set(problems) == {"to", "cc", "bcc", "results", "files"}
    assert problems["to"] == "The recipient 'ana@' is not a valid mail address. For example: ana@example.org"
    assert problems["results"] == "gone: not in this kernel. Run the cell that makes it, or take it out of the mail."
    assert problems["files"].startswith("The attachment 'missing.csv' does not exist.")
    page.type(to="", cc="", bcc="", results=[], files=[])
    page.act("preview")
    assert set(page.told["problems"]["problems"]) == {"to", "body"}
    assert len(box.inbox) == 0


def test_a_mail_is_sent_once_however_often_it_is_asked_for(opened: Open, box: Sandbox) -> None:
    page = opened()
    page.type(to="ana@example.org", subject="once", body="x")
    asked = {"id": page.told["all"]["id"], "mail": page.mail, "rev": page.form.composer.kept.rev}
    for _ in range(3):
        page.say("send", **asked)
    page.form.composer.worker.wait(10)
    page.say("send", **asked)
    assert page.statuses[-1] == "That mail has already been sent or discarded."
    page.form.composer.worker.wait(10)
    assert len(box.inbox.wait(1)) == 1


def test_who_was_refused_is_told_and_who_has_it_does_not_get_it_again_unasked(opened: Open) -> None:
    with PipeliningServer(BOTH) as server:
        connections.save(to(server.port, name="out"))
        page = opened("out")
        page.type(to="ana@example.org, gone@example.org", subject="x", body="y")
        said = page.act("send")
        assert "gone@example.org: refused (550" in said
        assert [row[:2] for row in page.told["status"]["rows"]] == [
            ["gone@example.org", "refused"],
            ["ana@example.org", "accepted"],
        ]
        assert page.mail["subject"] == "x"
        page.type(to="ana@example.org, cy@example.org")
        page.told.pop("ask", None)
        page.act("send")
        assert page.told["ask"]["text"] == "ana@example.org may have this mail already, and would get it again."
        assert len(server.taken) == 1
        page.type(to="cy@example.org")
        assert page.act("send").startswith("Sent: ")
        assert server.taken[1].recipients == ("cy@example.org",)


def test_a_connection_that_fails_says_why_and_the_mail_stays(opened: Open) -> None:
    connections.save(to(1, name="out"))
    page = opened("out")
    page.type(to="ana@example.org", subject="x", body="y")
    said = page.act("send")
    assert "out" in said
    assert page.told["status"]["kind"] == "bad"
    assert page.mail["body"] == "y"
    assert page.told["busy"]["busy"] is False


def test_what_cannot_be_shown_is_said_and_so_is_an_interrupt_while_it_is_composed(
    opened: Open, box: Sandbox, shell: Shell
) -> None:
    shell.ok(
        "class Shows:\n    def __init__(self, error): self.error = error\n    def _repr_html_(self): raise self.error\n"
        "bad, long = Shows(ValueError('odd')), Shows(KeyboardInterrupt)"
    )
    page = opened()
    page.type(to="ana@example.org", subject="x", body="y", results=["bad"])
    assert page.act("send").startswith("Content 2 of 2: ")
    page.type(results=["long"])
    assert page.act("send") == "Interrupted: nothing was sent."
    assert page.told["busy"]["busy"] is False
    page.type(results=[])
    assert page.act("send").startswith("Sent: ")


def test_the_preview_is_what_would_be_sent_with_the_connections_signature(opened: Open) -> None:
    connections.save(
        MailConnection(
            name="ops", server_host="h.example.org", from_address="me@example.org", signature="**Me**, Churn"
        )
    )
    page = opened("ops")
    page.type(to="ana@example.org", body="Three things")
    said = page.act("preview")
    html = page.told["preview"]["html"]
    assert "me@example.org" in html
    assert "&lt;strong&gt;Me&lt;/strong&gt;, Churn" in html
    assert said == "The message has no subject."


def test_a_draft_is_a_file_that_mail_programs_open_and_no_other_file_is_overwritten(
    opened: Open, box: Sandbox, tmp_path: Path
) -> None:
    page = opened()
    page.type(to="ana@example.org", bcc="eve@example.org", subject="Churn", body="x")
    assert page.act("draft", path=str(tmp_path / "churn")).startswith("Saved as ")
    raw = (tmp_path / "churn.eml").read_bytes()
    assert b"X-Unsent: 1\r\n" in raw
    assert b"Bcc: eve@example.org\r\n" in raw
    assert (tmp_path / "churn.eml").stat().st_mode & 0o777 == 0o600
    assert "already exists" in page.act("draft", path=str(tmp_path / "churn.eml"))
    assert "needs the name of a file" in page.act("draft", path=" ")
    assert "cannot be written" in page.act("draft", path=str(tmp_path / "none" / "churn.eml"))
    assert (tmp_path / "churn.eml").read_bytes() == raw
    assert page.mail["subject"] == "Churn"
    assert len(box.inbox) == 0


def test_the_form_offers_what_sends_and_asks_where_it_is_not_plain(opened: Open) -> None:
    for name in ("a", "b"):
        connections.save(MailConnection(name=name, server_host="h", from_address=f"{name}@example.org"))
    connections.save(MailConnection(name="in", protocol="IMAP", server_host="h", username="u"))
    page = opened()
    assert page.told["all"]["connections"] == [
        {"name": "a", "from": "a@example.org"},
        {"name": "b", "from": "b@example.org"},
    ]
    assert page.told["all"]["mailboxes"] == ["in"]
    page.type(to="ana@example.org", body="x")
    assert page.act("send").startswith("Which connection?")
    with pytest.raises(OptionError, match="IMAP reads mail"):
        mailconn.compose_form("in")
    with pytest.raises(StoreError, match="There is no connection 'c'"):
        mailconn.compose_form("c")


@pytest.mark.parametrize(
    "said", [b"", b"\xff", b"[1]", b'{"do": "__init__"}', b'{"do": "edit", "rev": "x"}', b'{"do": 1}']
)
def test_a_message_that_is_none_of_the_pages_is_dropped_in_silence(
    opened: Open, said: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    page = opened()
    for content in ({"kind": "said"}, {"kind": "other"}, "said", None):
        page.form.page._handle_custom_msg(content, [said])
    assert page.form.composer.kept.mail == TypedMail()
    assert capsys.readouterr() == ("", "")


def test_results_are_tables_and_figures_with_a_small_look_at_each(opened: Open, shell: Shell) -> None:
    shell.ok(
        "import pandas, matplotlib\nmatplotlib.use('agg')\nfrom matplotlib.figure import Figure\n"
        "text, number, _hidden = 'a', 1, pandas.DataFrame()\n"
        "class Odd:\n    def _repr_html_(self): raise ValueError\n    shape = property(lambda self: 1 / 0)\n"
        "odd = Odd()\n"
        "table = pandas.DataFrame({f'column {n}': range(9) for n in range(9)})\n"
        "fig = Figure(figsize=(4, 3))\nfig.subplots().plot([1, 2])"
    )
    page = opened()
    found = {one["name"]: one["is"] for one in page.told["results"]["results"]}
    assert found["table"] == "DataFrame, 9 rows, 9 columns"
    assert found["fig"] == "Figure"
    assert not {"text", "number", "_hidden", "pandas", "Odd", "Figure"} & found.keys()
    page.say("look", name="table")
    assert page.told["look"]["rows"][:2] == [["column 0", "column 1", "column 2", "column 3"], ["0", "0", "0", "0"]]
    assert len(page.told["look"]["rows"]) == 4
    page.say("look", name="fig")
    assert page.told["look"]["png"].startswith("iVBOR")
    # A cell makes another, and the page has it.
    shell.ok("more = table.T")
    assert page.told["results"]["results"][-1]["name"] == "more"


def test_files_are_looked_at_where_they_are_others_or_something_is_done(
    opened: Open, box: Sandbox, tmp_path: Path
) -> None:
    pattern = str(tmp_path / "**" / "*.csv")
    page = opened("sandbox")
    assert "No file matches" in page.type(to="ana@example.org", body="x", files=[pattern])["files"]
    (tmp_path / "a.csv").write_text("a", encoding="utf-8")
    # Not walked at each letter.
    assert "No file matches" in page.type(subject="y")["files"]
    assert page.act("code") == ""
    assert not page.type(subject="z")
    (tmp_path / "a.csv").unlink()
    assert not page.type(subject="zz")
    assert page.act("send").startswith("Nothing was sent")
    assert "No file matches" in page.type(subject="zzz")["files"]
    assert not page.type(files=[])


@pytest.mark.parametrize("name", ["class", "None", "mailconn", "a b", "_", ""])
def test_a_name_that_the_code_could_not_say_is_no_result(name: str) -> None:
    mail = TypedMail(to="ana@example.org", results=(name,))
    assert "not a name under which a result can be sent" in mail.problems({name: 1})["results"]


def test_in_a_terminal_the_command_prints_a_sentence_with_what_to_use(shell: Shell, box: Sandbox) -> None:
    said = shell.ok("%mailconn compose sandbox").text
    assert "Where Jupyter widgets do not show, use %mailconn send NAME --to ADDRESS" in said
    assert "%mailconn compose sandbox" in shell.tab("%mailconn compose sa")
    assert "reads mail" not in said
    assert "There is no connection 'nope'" in shell.fails("%mailconn compose nope")
