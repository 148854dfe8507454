"""``send_notebook()``: a notebook's text and outputs as a mail, with an export attached."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter import sandbox
from mailconn_jupyter.delivery.send_notebook import NotebookError, send_notebook
from mailconn_jupyter.documents.this_notebook import current_notebook
from mailconn_jupyter.extras import install
from mailconn_jupyter.sandbox import Received, Sandbox
from tests.servers.counting import Fickle
from tests.support.composed import ATTACKS, harmless
from tests.support.saved_notebooks import code, keep, printed, shown, weekly, words


@pytest.fixture
def server(own_config: Path) -> Iterator[Sandbox]:
    own_config.parent.mkdir(exist_ok=True)
    started = sandbox.start()
    yield started
    started.stop()


def arrived(server: Sandbox) -> Received:
    (message,) = server.inbox
    return message


def test_text_and_outputs_arrive_in_order_without_the_code(server: Sandbox, tmp_path: Path) -> None:
    report = mailconn.send_notebook("sandbox", "ana@example.org", weekly(tmp_path))
    assert report.accepted == ("ana@example.org",)
    message = arrived(server)
    assert message.subject == "Churn, week 47"
    places = [message.text.index(said) for said in ("Three things moved.", "first", "2.1", "[Image]")]
    assert places == sorted(places)
    for absent in ("print(", "careful", "hidden output", "drop me", "IntSlider"):
        assert absent not in message.text
    (page,) = [part for part in message.attachments if not part.inline]
    assert (page.name, page.content_type) == ("churn.html", "text/html")
    assert b"Three things moved." in page.data
    for hidden in (b"hidden output", b"drop me", b"print("):
        assert hidden not in page.data


def test_the_code_goes_along_when_asked_for(server: Sandbox, tmp_path: Path) -> None:
    send_notebook("sandbox", "ana@example.org", weekly(tmp_path), code=True, subject="With code", attach="ipynb")
    message = arrived(server)
    assert message.subject == "With code"
    assert "print('first')\n\nfirst" in message.text
    assert "import secrets" in message.text
    assert "hidden = 1" not in message.text
    (file,) = [part for part in message.attachments if not part.inline]
    assert file.name == "churn.ipynb"
    assert nbformat.reads(file.data.decode(), as_version=4).cells[1].source == "print('first')"  # type: ignore[no-untyped-call]


def test_an_answer_has_the_subject_of_what_it_answers_and_a_failure_tells_of_the_notebook(
    server: Sandbox, tmp_path: Path
) -> None:
    answered = {"message_id": "<3@example.org>", "subject": "Weekly"}
    path = weekly(tmp_path)
    send_notebook("sandbox", "ana@example.org", path, attach=None, reply_to_message=answered)
    send_notebook("sandbox", "ana@example.org", path, attach=None, reply_to_message=answered, subject="Of its own")
    with pytest.raises(NotebookError, match="failed"):
        send_notebook(
            "sandbox",
            "ana@example.org",
            failing(tmp_path),
            execute=True,
            attach=None,
            on_error="send",
            reply_to_message=answered,
        )
    first, second, third = server.inbox
    assert (first.subject, second.subject, third.subject) == ("Re: Weekly", "Of its own", "FAILED: Churn")
    assert {message.message["In-Reply-To"] for message in server.inbox} == {"<3@example.org>"}


def test_other_attachments_and_options_are_those_of_send(server: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a")
    path = weekly(tmp_path)
    send_notebook(
        "sandbox",
        "ana@example.org",
        path,
        attach=None,
        attachments=[tmp_path / "a.csv", {"b.csv": b"b"}],
        bcc="eve@example.org",
        priority="high",
    )
    message = arrived(server)
    assert [part.name for part in message.attachments if not part.inline] == ["a.csv", "b.csv"]
    assert message.recipients == ("ana@example.org", "eve@example.org")
    assert message.header("X-Priority").startswith("2")


@pytest.mark.parametrize("kind", [tuple, list, set, iter])
def test_several_attachments_are_those_of_send_however_they_come(server: Sandbox, tmp_path: Path, kind: Any) -> None:
    paths = [tmp_path / "a.csv", tmp_path / "b c.csv"]
    for path in paths:
        path.write_text(path.name)
    given = kind(str(path) for path in paths)
    send_notebook("sandbox", "ana@example.org", weekly(tmp_path), attach="ipynb", attachments=given)
    found = {part.name: part.data for part in arrived(server).attachments if not part.inline}
    assert found.keys() == {"churn.ipynb", "a.csv", "b c.csv"}
    assert (found["a.csv"], found["b c.csv"]) == (b"a.csv", b"b c.csv")


def test_a_name_with_bytes_is_one_attachment(server: Sandbox, tmp_path: Path) -> None:
    send_notebook("sandbox", "ana@example.org", weekly(tmp_path), attach=None, attachments=("a.csv", b"data"))
    (part,) = [part for part in arrived(server).attachments if not part.inline]
    assert (part.name, part.data) == ("a.csv", b"data")


def test_it_is_run_first_when_asked_for_and_the_file_stays_as_it_is(server: Sandbox, tmp_path: Path) -> None:
    cell = nbformat.v4.new_code_cell("from pathlib import Path\nprint('here:', Path.cwd().name, 6 * 7)")  # type: ignore[no-untyped-call]
    path = keep(tmp_path, cell)
    before = path.read_bytes()
    send_notebook("sandbox", "ana@example.org", path, execute=True, attach=None)
    assert arrived(server).text == f"here: {tmp_path.name} 42\n"
    assert arrived(server).subject == "churn"
    assert path.read_bytes() == before


def test_a_notebook_that_fails_is_not_sent_and_says_with_what(server: Sandbox, tmp_path: Path) -> None:
    cell = nbformat.v4.new_code_cell("password = 'correct-horse'\n1 / 0")  # type: ignore[no-untyped-call]
    with pytest.raises(
        NotebookError, match=r"churn.ipynb failed in cell 1, so it was not sent: ZeroDivisionError: division"
    ) as caught:
        send_notebook("sandbox", "ana@example.org", keep(tmp_path, cell), execute=True)
    assert "correct-horse" not in str(caught.value)
    assert not len(server.inbox)


def failing(folder: Path, *, name: str = "churn.ipynb") -> Path:
    new = nbformat.v4.new_code_cell
    cells = [new("print('so far')"), new("password = 'correct-horse'\n1 / 0"), new("print('never')")]  # type: ignore[no-untyped-call]
    return keep(folder, words("# Churn"), *cells, name=name)


def test_a_notebook_that_fails_is_sent_when_asked_for_and_fails_all_the_same(server: Sandbox, tmp_path: Path) -> None:
    path = failing(tmp_path)
    before = path.read_bytes()
    with pytest.raises(
        NotebookError, match=r"^churn\.ipynb failed in cell 3: ZeroDivisionError: division by zero"
    ) as caught:
        send_notebook("sandbox", "ana@example.org", path, execute=True, on_error="send")
    assert caught.value.hint.startswith("Sent: 'FAILED: Churn'")
    message = arrived(server)
    assert message.subject == "FAILED: Churn"
    assert message.text.startswith("The notebook churn.ipynb failed in cell 3: ZeroDivisionError: division by zero\n")
    places = [message.text.index(said) for said in ("# Churn", "so far", "Traceback")]
    assert places == sorted(places)
    assert "never" not in message.text
    (page,) = [part for part in message.attachments if not part.inline]
    assert b"ZeroDivisionError" in page.data
    assert "correct-horse" not in str(caught.value)
    # Nor do the lines around it, which a traceback shows.
    assert "correct-horse" not in message.text
    assert b"correct-horse" not in page.data
    assert path.read_bytes() == before


def test_when_the_mail_fails_too_both_are_told(server: Sandbox, tmp_path: Path) -> None:
    for to, options, said in (
        ("not an address", {}, "'not an address'"),
        ("ana@example.org", {"attachments": "missing.csv"}, "does not exist"),
        ("ana@example.org", {"zip": 1j}, "zip="),
    ):
        with pytest.raises(NotebookError, match=r"churn\.ipynb failed in cell 3: ZeroDivisionError") as caught:
            send_notebook("sandbox", to, failing(tmp_path), execute=True, attach=None, on_error="send", **options)
        assert caught.value.hint.startswith("The message was not sent.")
        assert said in caught.value.hint
    assert not len(server.inbox)


def test_when_only_some_get_the_mail_of_a_failed_notebook_that_is_what_is_said(tmp_path: Path) -> None:
    with Fickle(rcpt=("250 ok", "550 5.1.1 no such user")) as there:
        plain: dict[str, Any] = {"use_secure_authentication": False, "from_address": "me@example.org"}
        ops = mailconn.MailConnection(name="ops", server_host="127.0.0.1", server_port=there.port, **plain)
        people = ["ana@example.org", "bob@example.org"]
        with pytest.raises(NotebookError, match=r"churn\.ipynb failed in cell 3: ZeroDivisionError") as caught:
            send_notebook(ops, people, failing(tmp_path), execute=True, attach=None, on_error="send")
    assert "bob@example.org: refused (550 5.1.1 no such user)" in caught.value.hint
    assert "The others have received it." in caught.value.hint
    assert "not sent" not in caught.value.hint


def test_a_notebook_that_succeeds_is_sent_as_ever_whatever_an_error_would_do(server: Sandbox, tmp_path: Path) -> None:
    cell = nbformat.v4.new_code_cell("print(6 * 7)")  # type: ignore[no-untyped-call]
    send_notebook("sandbox", "ana@example.org", keep(tmp_path, cell), execute=True, on_error="send", attach=None)
    assert (arrived(server).subject, arrived(server).text) == ("churn", "42\n")


def test_an_error_in_a_saved_output_is_readable(server: Sandbox, tmp_path: Path) -> None:
    error = nbformat.v4.new_output(  # type: ignore[no-untyped-call]
        "error", ename="ValueError", evalue="x", traceback=["\x1b[31mTraceback\x1b[39m", "ValueError: x"]
    )
    send_notebook("sandbox", "ana@example.org", keep(tmp_path, code("f()", error)), attach=None)
    assert arrived(server).text == "Traceback\nValueError: x\n"


def test_a_notebook_that_was_never_run_is_not_sent(tmp_path: Path) -> None:
    cell = nbformat.v4.new_code_cell("1 + 1")  # type: ignore[no-untyped-call]
    with pytest.raises(NotebookError, match="was not run") as caught:
        send_notebook("ops", "ana@example.org", keep(tmp_path, cell))
    assert "execute=True" in caught.value.hint


def test_the_current_notebook_is_found_where_jupyter_or_vs_code_says_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = weekly(tmp_path)
    assert current_notebook() is None
    with pytest.raises(NotebookError, match="not known which notebook") as caught:
        send_notebook("ops", "ana@example.org")
    assert "churn.ipynb" in caught.value.hint
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    assert current_notebook() == path
    # A server that says it from its own folder, and a console, which is no notebook.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JPY_SESSION_NAME", "work/churn.ipynb")
    assert current_notebook() == Path("churn.ipynb")
    monkeypatch.setenv("JPY_SESSION_NAME", "console-1-abc")
    assert current_notebook() is None
    monkeypatch.setattr(sys.modules["__main__"], "__vsc_ipynb_file__", str(path), raising=False)
    assert current_notebook() == path
    with pytest.raises(NotebookError, match="cannot run itself"):
        send_notebook("ops", "ana@example.org", execute=True)


def test_what_cannot_be_sent_is_told_in_a_sentence(tmp_path: Path) -> None:
    broken = tmp_path / "broken.ipynb"
    broken.write_text("{")
    for path, options, said in (
        (tmp_path / "no.ipynb", {}, "There is no notebook"),
        ("~nobody-of-that-name/no.ipynb", {}, "There is no notebook"),
        (broken, {}, "cannot be read as a notebook"),
        (weekly(tmp_path), {"attach": "htlm"}, "Did you mean 'html'"),
        (weekly(tmp_path), {"on_error": "sent", "execute": True}, "Did you mean 'send'"),
        (weekly(tmp_path), {"on_error": "send"}, "for a notebook that is run first"),
    ):
        with pytest.raises(NotebookError, match=said):
            send_notebook("ops", "ana@example.org", path, **options)


def test_without_the_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = weekly(tmp_path)
    for missing in ("nbformat", "nbconvert"):
        monkeypatch.setitem(sys.modules, missing, None)
        with pytest.raises(NotebookError, match=rf"needs {missing}, which is not installed") as caught:
            send_notebook("ops", "ana@example.org", path)
        assert caught.value.hint == install("notebook")
        monkeypatch.undo()


def test_a_pdf_that_cannot_be_made_is_an_error_that_says_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "playwright", None)
    with pytest.raises(NotebookError, match="A PDF needs playwright") as caught:
        send_notebook("ops", "ana@example.org", weekly(tmp_path), attach="pdf")
    assert "html" in caught.value.hint


@pytest.mark.filterwarnings("ignore:.* of the HTML .* not sent:mailconn_jupyter.errors.MailConnWarning")
@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_of_a_notebook_acts_in_the_mail(server: Sandbox, tmp_path: Path, attack: str) -> None:
    path = keep(
        tmp_path,
        words(f"# {attack}\n\n{attack}"),
        code(attack, printed(attack), shown({"text/html": f"<p>x{attack}</p>", "text/plain": attack})),
    )
    send_notebook("sandbox", "ana@example.org", path, code=True, attach=None)
    assert harmless(arrived(server).html)


def test_it_needs_no_ipython_in_this_process(tmp_path: Path) -> None:
    script = (
        "import sys; import mailconn_jupyter as m\n"
        "ops = m.MailConnection(name='x', server_host='h', from_address='b@example.org')\n"
        "m.send_notebook(ops, 'a@example.org', sys.argv[1], attach='ipynb', dry_run=True)\n"
        "print(sorted({'IPython', 'ipywidgets', 'nbconvert'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(weekly(tmp_path))], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_an_error_of_two_lines_is_told_from_its_first(tmp_path: Path) -> None:
    path = keep(tmp_path, code("import mailconn_jupyter\nmailconn_jupyter.connect('nobody')"))
    with pytest.raises(NotebookError, match="UnknownConnection: There is no connection 'nobody'"):
        send_notebook("sandbox", "ana@example.org", path, execute=True)


def test_a_cell_that_did_not_run_shows_nothing_of_an_earlier_time(server: Sandbox, tmp_path: Path) -> None:
    path = keep(
        tmp_path,
        code("1 / 0", shown({"text/plain": "stale first"})),
        code("2", shown({"text/plain": "stale second"})),
        code("3", shown({"text/plain": "kept on purpose"}), tags=("skip-execution",)),
    )
    with pytest.raises(NotebookError, match="ZeroDivisionError"):
        send_notebook("sandbox", "ana@example.org", path, execute=True, on_error="send")
    message = arrived(server)
    assert "kept on purpose" in message.text
    for text in (message.text, *(part.data.decode() for part in message.attachments)):
        assert "stale" not in text
