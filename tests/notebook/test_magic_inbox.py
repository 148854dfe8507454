"""``%mailconn inbox`` in a real IPython: the newest messages in a table, and nothing of them acts."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest

from mailconn_jupyter import MailConnection, progress
from mailconn_jupyter.delivery.journals.journal import using
from mailconn_jupyter.notebook.progress_bar import CellProgress
from mailconn_jupyter.store import connections
from tests.support import shells
from tests.support.bounce_formats import FORMATS, ORIGINAL_ID
from tests.support.mailboxes import Mail, fill_file, mail
from tests.support.shells import Shell

shell = shells.shell
clean_up = shells.clean_up


@pytest.fixture
def box(tmp_path: Path, own_config: Path) -> Path:
    path = tmp_path / "box.mbox"
    fill_file(path, [mail(f"number {number}", seen=number % 2 == 0) for number in range(30)])
    connections.save(MailConnection(name="box", protocol="MBOX", server_host=str(path)))
    return path


def rows(text: str) -> list[str]:
    return re.findall(r"number (\d+)", text)


def test_the_newest_twenty_are_shown_newest_first(shell: Shell, box: Path) -> None:
    ran = shell.ok("%mailconn inbox box")
    assert rows(ran.text) == [str(number) for number in range(29, 9, -1)]
    assert "box: the newest 20" in ran.text
    assert "--limit 100 shows more" in ran.text
    assert re.search(r"^Date +From +Subject +Size +Read$", ran.text, re.MULTILINE)
    assert re.search(r"Ana <ana@example.org> +number 29 +\d+ bytes +no$", ran.text, re.MULTILINE)
    assert "<table>" in ran.html
    assert ran.value is None


def test_what_is_asked_for_is_shown(shell: Shell, box: Path) -> None:
    assert rows(shell.ok("%mailconn inbox --limit 2").text) == ["29", "28"]
    assert rows(shell.ok("%mailconn inbox box --unseen --limit 2").text) == ["29", "27"]
    assert rows(shell.ok("%mailconn inbox box --subject 'number 1' --from ANA --since 2026-11-22 --limit 1").text) == [
        "19"
    ]
    ran = shell.ok("%mailconn inbox box --before 2026-11-22")
    assert "box: no message matches." in ran.text
    box.write_bytes(b"")
    assert "box: the mailbox is empty." in shell.ok("%mailconn inbox box").text


@pytest.mark.parametrize("limit", ["0", "-1", "ten", "1e3", "9" * 5000])
def test_a_limit_that_is_no_number_is_an_error_that_does_not_repeat_it(shell: Shell, box: Path, limit: str) -> None:
    text = shell.fails(f"%mailconn inbox box --limit={limit}")
    assert "argument --limit: a whole number is expected, one or more" in text
    assert limit not in text


def test_nothing_of_a_message_acts_in_the_page_or_the_terminal(shell: Shell, box: Path) -> None:
    attack = "<img src=x onerror=alert(1)>\x1b[2J\u202e"
    fill_file(box, [mail("x", sender="eve@example.org")])
    box.write_bytes(box.read_bytes().replace(b"Subject: x", b"Subject: " + attack.encode()))
    ran = shell.ok("%mailconn inbox box --limit 1")
    assert "&lt;img src=x onerror=alert(1)&gt;" in ran.html
    assert "<img" not in ran.html
    assert "\x1b" not in ran.text + ran.html
    assert "\u202e" not in ran.text + ran.html


def test_a_connection_that_sends_has_no_inbox(shell: Shell) -> None:
    shells.keep("ops")
    assert "SMTP sends mail; it cannot read any." in shell.fails("%mailconn inbox ops")


def test_tab_offers_the_flags_and_the_names(shell: Shell, box: Path) -> None:
    assert "%mailconn inbox box" in shell.tab("%mailconn inbox b")
    assert "%mailconn inbox box --unseen" in shell.tab("%mailconn inbox box --un")


def test_a_long_read_shows_a_bar_that_is_gone_afterwards(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_PATIENCE", 0.0)
    monkeypatch.setattr(progress, "_PAUSE", 0.0)
    assert isinstance(progress.teller(True), CellProgress)
    cell = "from mailconn_jupyter.progress import teller\ntell = teller(True)\ntell(1, 0.25)\ntell(2, 0.5)\n"
    ran = shell.ok(cell)
    assert '<progress max="1" value="0.250"' in ran.html
    assert "2 messages read, 50%" in ran.text
    assert shell.ok("tell.finish()").text.strip() == ""
    assert "3 domains, 60%" in shell.ok('tell = teller(True, "domains")\ntell(3, 0.6)').text


def test_what_a_callers_own_function_for_progress_has_is_left_alone() -> None:
    class Own:
        finished = False

        def __call__(self, count: int, part: float) -> None: ...

        def finish(self) -> None:
            self.finished = True

    own = Own()
    assert progress.teller(own) is own
    progress.finish(own)
    assert not own.finished


def test_a_short_read_shows_no_progress_and_neither_does_one_whose_output_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tell = progress.TerminalLine()
    tell(1, 0.5)
    tell.finish()
    monkeypatch.setattr(progress, "_PATIENCE", 0.0)
    late = progress.TerminalLine()
    late(1, 0.5)
    late.finish()
    assert capsys.readouterr() == ("", "")


def test_what_came_back_is_shown_a_row_for_each_recipient(shell: Shell, own_config: Path, tmp_path: Path) -> None:
    path = tmp_path / "back.mbox"
    connections.save(MailConnection(name="back", protocol="MBOX", server_host=str(path)))
    fill_file(path, [mail("Hello"), *(Mail(form.raw) for form in FORMATS)])
    ran = shell.ok("%mailconn bounces back --since 2026-11-20")
    assert re.search(r"^Recipient +Action +Status +The server's words +When$", ran.text, re.MULTILINE)
    shown = re.findall(r"^(\S+@example\.net) +(failed|delayed) ", ran.text, re.MULTILINE)
    assert shown == [(form.recipient, form.action) for form in reversed(FORMATS)]
    assert "back: what mail servers report about sent messages" in ran.text
    assert "<table>" in ran.html
    ran = shell.ok("%mailconn bounces back --limit 2")
    assert len(re.findall(r"@example\.net +failed ", ran.text)) == 2
    assert "--limit 10 shows more" in ran.text
    assert "back: nothing came back." in shell.ok("%mailconn bounces back --since 2027-01-01").text
    assert "since is not a date" in shell.fails("%mailconn bounces back --since soon")


def test_a_journal_is_shown_with_what_has_come_back(shell: Shell, own_config: Path, tmp_path: Path) -> None:
    with using("invoices-47") as journal:
        journal.settle("47", ORIGINAL_ID, {"gone@example.net": ("accepted", 250, "Ok")})
        journal.flush()
    path = tmp_path / "back.mbox"
    connections.save(MailConnection(name="back", protocol="MBOX", server_host=str(path)))
    date = format_datetime(datetime.now(UTC)).encode()
    fill_file(path, [Mail(FORMATS[0].raw.replace(b"Sun, 22 Nov 2026 08:30:00 +0000", date))])
    ran = shell.ok("%mailconn journal invoices-47 --follow-up back")
    assert "What came back in back: 1 bounced." in ran.text
    assert re.search(r"^gone@example.net +bounced +5.1.1 550 5.1.1 .* 47$", ran.text, re.MULTILINE)
    assert "needs the NAME of a journal" in shell.fails("%mailconn journal --follow-up back")
    assert "There is no journal 'invoices'. Did you mean 'invoices-47'?" in shell.fails(
        "%mailconn journal invoices --follow-up back"
    )
