"""``%%mailconn send`` with a cell that fails, and in a notebook that runs without a person."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import pytest

from mailconn_jupyter import sandbox
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.errors import MailConnError
from mailconn_jupyter.message.texts import clean
from mailconn_jupyter.sandbox import Received, Sandbox
from mailconn_jupyter.store import connections
from tests.servers.counting import CountingServer
from tests.servers.ports import free_ports
from tests.support import shells
from tests.support.shells import Shell, interrupt_after, keep, run_notebook

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


# A cell that fails


FAILING = "print('so far')\nraise ValueError('the <b>end</b>')"


@pytest.mark.parametrize("on_error", ["", "--on-error skip"])
def test_a_cell_that_fails_sends_nothing_by_default_and_fails_with_its_own_error_shown_once(
    shell: Shell, server: Sandbox, on_error: str
) -> None:
    ran = shell.run(f"%%mailconn send {TO} {on_error}\n{FAILING}")
    assert isinstance(ran.error, ValueError)
    assert ran.text.startswith("so far\n---")
    assert ran.text.count("Traceback (most recent call last)") == 1
    assert "mailconn_jupyter" not in ran.text
    assert "run_cell_magic" not in ran.text
    assert not len(server.inbox)


def test_on_error_send_sends_what_there_is_and_the_error(shell: Shell, server: Sandbox) -> None:
    ran = shell.run(f"%%mailconn send {TO} --on-error send\n{FAILING}")
    assert isinstance(ran.error, ValueError)
    message = arrived(server)
    assert message.subject == "FAILED: Churn"
    assert re.match(r"so far\n\nValueError: the <b>end</b>\n\nTraceback", message.text)
    assert "mailconn_jupyter" not in message.text
    assert "<b>end" not in message.html
    server.inbox.clear()
    shell.ok(f"%%mailconn send {TO} --on-error send\nprint('well')")
    assert (arrived(server).subject, arrived(server).text) == ("Churn", "well\n")


def test_on_error_always_says_first_how_the_cell_ended(shell: Shell, server: Sandbox) -> None:
    shell.fails(f"%%mailconn send {TO} --on-error always\n{FAILING}")
    assert re.match(r"The cell FAILED after \d\.\d s\.\n\nso far\n\nValueError", arrived(server).text)
    server.inbox.clear()
    shell.ok(f"%%mailconn send {TO} --on-error always\nx = 1")
    assert re.fullmatch(r"The cell finished after \d\.\d s\.\n+", arrived(server).text)
    assert arrived(server).subject == "Churn"


@pytest.mark.parametrize(
    ("cell", "kind", "words"),
    [
        # From Python 3.13 on it is a subclass, _IncompleteInputError.
        ("print(", SyntaxError, "Error: incomplete input"),
        ("raise ExceptionGroup('two', [ValueError(1)])", ExceptionGroup, "ExceptionGroup: two (1 sub-exception)"),
        ("%mailconn show nobody", MailConnError, "There is no connection 'nobody'."),
        ("raise KeyboardInterrupt", KeyboardInterrupt, "KeyboardInterrupt: "),
    ],
)
def test_any_error_of_the_cell_stays_its_own(
    shell: Shell, server: Sandbox, capsys: pytest.CaptureFixture[str], cell: str, kind: type[BaseException], words: str
) -> None:
    ran = shell.run(f"%%mailconn send {TO} --on-error send\n{cell}")
    assert isinstance(ran.error, kind)
    # IPython prints a group past its own capture.
    shown = ran.text + "".join(capsys.readouterr())
    assert shown.count(words) == 1
    # Who stops a cell wants nothing sent.
    assert len(server.inbox) == (0 if kind is KeyboardInterrupt else 1)


def test_a_mail_that_fails_hides_neither_the_cells_error_nor_itself(shell: Shell) -> None:
    keep(
        "ops",
        server_host="127.0.0.1",
        server_port=free_ports(1)[0],
        use_secure_authentication=False,
        from_address="b@example.org",
    )
    ran = shell.run("%%mailconn send ops --to ana@example.org --subject x --on-error send\n1 / 0")
    assert isinstance(ran.error, ZeroDivisionError)
    assert "The message was not sent." in ran.text
    assert ran.text.count("ZeroDivisionError: division by zero") == 1


def test_an_interrupt_ends_the_cell_and_sends_nothing(shell: Shell, server: Sandbox) -> None:
    with interrupt_after(0.5):
        ran = shell.run(f"%%mailconn send {TO} --on-error always\nimport time\nprint('so far')\ntime.sleep(20)")
    assert isinstance(ran.error, KeyboardInterrupt)
    assert "Nothing was sent: the cell was interrupted." in ran.text
    assert not len(server.inbox)


def test_after_a_failing_cell_errors_are_shown_as_before(shell: Shell, server: Sandbox) -> None:
    shell.fails(f"%%mailconn send {TO}\n{FAILING}")
    assert "the-next" in shell.fails("raise KeyError('the-next')")
    assert not {"_showtraceback", "showtraceback", "show_usage_error"} & set(vars(shell.ip))
    assert not {"publish", "clear_output"} & set(vars(shell.ip.display_pub))
    assert "format" not in vars(shell.ip.display_formatter)


# Run All, Papermill


@pytest.fixture
def counting(own_config: Path) -> Iterator[CountingServer]:
    with CountingServer() as server:
        connections.save(
            MailConnection(
                name="ops",
                server_host=server.host,
                server_port=server.port,
                use_secure_authentication=False,
                from_address="me@example.org",
            )
        )
        yield server


@pytest.mark.parametrize(("on_error", "sent"), [("skip", 0), ("send", 1), ("always", 1)])
def test_a_notebook_that_runs_without_a_person_stops_at_the_cell_that_fails(
    counting: CountingServer, own_config: Path, on_error: str, sent: int
) -> None:
    cells, failure = run_notebook(
        [
            "%load_ext mailconn_jupyter",
            f"%%mailconn send ops --to ana@example.org --subject x --on-error {on_error}\n{FAILING}",
            "print('too far')",
        ],
        folder=own_config,
    )
    assert "ValueError: the <b>end</b>" in clean(failure)
    assert cells[2] == []
    assert len(counting.taken) == sent
    errors = [output for output in cells[1] if output.output_type == "error"]
    assert [error.ename for error in errors] == ["ValueError"]
    assert "mailconn_jupyter" not in "".join(errors[0].traceback)
    assert sum("so far" in output.get("text", "") for output in cells[1]) == 1


def test_in_a_kernel_figures_texts_and_tables_are_sent_in_order_and_shown_as_usual(
    counting: CountingServer, own_config: Path
) -> None:
    cell = (
        "%%mailconn send ops --to ana@example.org --subject x\n"
        "print('first')\ndisplay(df)\nprint('second')\nplt.plot([1, 2], label='x'); plt.title('The <third>')\nprint('fourth')"
    )
    setup = "%load_ext mailconn_jupyter\nimport pandas as pd\nimport matplotlib.pyplot as plt\ndf = pd.DataFrame({'n': range(300)})"
    cells, failure = run_notebook(
        [setup, cell, "print('and on')", "await __import__('asyncio').sleep(0)"], folder=own_config
    )
    assert failure == ""
    # A kernel sends what is printed in as many pieces as it has time for.
    kinds = [kind for kind, _ in groupby((output.output_type, output.get("name", "")) for output in cells[1])]
    assert kinds == [
        ("stream", "stdout"),
        ("display_data", ""),
        ("stream", "stdout"),
        ("display_data", ""),
        ("stream", "stdout"),
    ]
    assert "Sent: 'x'" in cells[1][-1].text
    message = Received("", (), counting.taken[0].content, datetime.now(UTC))
    places = [
        message.text.index(said)
        for said in ("first", "the first 50 of 300 rows", "second", "fourth", "[Figure: The <third>]")
    ]
    assert places == sorted(places)
    assert 'alt="The &lt;third&gt;"' in message.html
    assert [part.name for part in message.attachments if not part.inline] == ["table.csv"]
    assert cells[2][0].text == "and on\n"


def test_a_cell_with_await_says_what_to_do_instead(counting: CountingServer, own_config: Path) -> None:
    _, failure = run_notebook(
        [
            "%load_ext mailconn_jupyter",
            "%%mailconn send ops --to ana@example.org --subject x\nimport asyncio\nawait asyncio.sleep(0)",
        ],
        folder=own_config,
    )
    assert "await outside a function cannot be used under %%mailconn" in failure
    assert not counting.taken
