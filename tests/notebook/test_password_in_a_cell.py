"""A password that stands in a cell is used, and told: the notebook and the history keep it."""

from __future__ import annotations

import warnings

import pytest

from mailconn_jupyter import set_password
from mailconn_jupyter.errors import MailConnWarning
from tests.support import shells
from tests.support.shells import Kernel, Shell, keep

shell = shells.shell
kernel = shells.kernel
clean_up = shells.clean_up

SECRET = "hunter2-literal"
IMPORT = "import mailconn_jupyter as mailconn\nfrom mailconn_jupyter import set_password\n"
IN_THE_CELL = [
    "mailconn.set_password('ops', '{}')",
    "x = set_password('ops', password='{}')",
    "set_password('ops',\n    '{}',\n)",
    "word = '{}'\nset_password('ops', word)",
    "set_password('ops', '{}' + '!')",
    "set_password('ops', f'{}')",
    "for name in ['ops']:\n    set_password(name, '{}', proxy=True)",
    "def keep_it():\n    return set_password('ops', '{}')\nkeep_it()",
    "keep = set_password\nkeep('ops', '{}')",
    "x = 1; set_password('ops', '{}'); x = 'Größe 日本'",
    "from mailconn_jupyter.secret import Secret\nset_password('ops', Secret('{}'))",
]
NOT_IN_IT = [
    "import os\nset_password('ops', os.environ['THE_PASSWORD'])",
    "from pathlib import Path\nset_password('ops', Path('/proc/self/comm').read_text().strip())",
    "import getpass\nset_password('ops', getpass.getpass('Password of ops: '))",
    "set_password('ops', typed)",
    "print('a text'); set_password('ops', typed); print('b')",
    "word = typed\nset_password('ops', word)",
    "set_password('ops', {'a': typed}['a'])",
]


@pytest.mark.parametrize("cell", IN_THE_CELL)
def test_a_password_in_a_cell_is_used_and_told_with_what_to_do(cell: str, shell: Shell) -> None:
    shell.ok(IMPORT)
    with pytest.warns(MailConnWarning) as told:
        ran = shell.ok(cell.format(SECRET))
    [said] = [str(each.message) for each in told]
    assert "password for 'ops' in this cell, and the notebook, its checkpoints and the history keep it." in said
    assert "%mailconn password ops" in said
    assert SECRET not in said + ran.text.replace(cell.format(SECRET), "")
    assert (
        "in this kernel"
        in shell.ok(
            "from mailconn_jupyter.credentials import where\nprint(where('ops'), where('ops', kind='proxy'))"
        ).text
    )


@pytest.mark.parametrize("cell", NOT_IN_IT)
def test_a_password_from_elsewhere_is_not(cell: str, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_PASSWORD", SECRET)
    monkeypatch.setattr("getpass.getpass", lambda _: SECRET)
    shell.ip.user_ns["typed"] = SECRET
    shell.ok(IMPORT)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shell.ok(cell)


LOGINS = [
    "mailconn.SMTPSession().login('ana', '{}')",
    "mailconn.SMTPSession().login(user='ana', password='{}')",
    "word = '{}'\nmailconn.SMTPSession().login('ana', word)",
    "mailconn.IMAPSession().login('ana', '{}')",
    "mailconn.IMAPSession().login_utf8('ana', '{}')",
    "mailconn.IMAPSession().xoauth2('ana', '{}')",
    "mailconn.IMAPSession().client.login('ana', '{}')",
    "mailconn.IMAPSession().client.login_cram_md5('ana', '{}')",
    "mailconn.POP3Session().pass_('{}')",
    "mailconn.POP3Session().apop('ana', '{}')",
]


@pytest.mark.parametrize("cell", LOGINS)
def test_a_password_of_a_login_by_hand_in_a_cell_is_told(
    cell: str, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.ok(IMPORT)
    # No session is open: it is told all the same, for it stands there.
    with pytest.warns(MailConnWarning) as told:
        shell.run(cell.format(SECRET))
    [said] = [str(each.message) for each in told]
    assert "in this cell, and the notebook, its checkpoints and the history keep it." in said
    assert "getpass.getpass()" in said
    assert SECRET not in said
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shell.ip.user_ns["typed"] = SECRET
        shell.run(cell.replace("'{}'", "typed"))


def test_a_script_is_no_cell() -> None:
    keep("ops")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        set_password("ops", SECRET)


def test_the_warning_in_a_notebook_does_not_repeat_the_line(kernel: Kernel) -> None:
    kernel.run(IMPORT)
    said = kernel.run(f"mailconn.set_password('ops', '{SECRET}')")
    assert "in this cell" in said
    assert SECRET not in said.partition("stderr")[2]
    # The same cell again is told again: it still stands there.
    assert "in this cell" in kernel.run(f"mailconn.set_password('ops', '{SECRET}')")
