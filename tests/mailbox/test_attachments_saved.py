"""Attachments as files: whatever the sender calls them, they stay in the folder, and nothing there is overwritten."""

from __future__ import annotations

import os
from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path

import pytest

from mailconn_jupyter import MailConnection, Messages, messages
from mailconn_jupyter.errors import MailConnError, OptionError
from mailconn_jupyter.mailbox.acting.saved_files import safe_name
from tests.support.mailboxes import Mail, fill_file


def box(folder: Path, *attached: Sequence[tuple[str, bytes]]) -> MailConnection:
    """A mailbox with a message for each, which has these files."""
    mails = []
    for number, files in enumerate(attached, 1):
        made = EmailMessage()
        made["From"], made["Subject"], made["Date"] = (
            "eve@example.org",
            f"number {number}",
            "Sun, 22 Nov 2026 08:30 +0000",
        )
        made.set_content("Hello.\n")
        for name, data in files:
            made.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
        mails.append(Mail(made.as_bytes()))
    path = folder / "mails"
    fill_file(path, mails)
    return MailConnection(name="box", protocol="MBOX", server_host=str(path))


@pytest.mark.parametrize(
    ("given", "saved"),
    [
        ("../../x.sh", "x.sh"),
        ("/etc/passwd", "passwd"),
        ("C:\\Windows\\system.ini", "system.ini"),
        ("a\x00b.txt", "ab.txt"),
        ("CON", "_CON"),
        ("nul.tar.gz", "_nul.tar.gz"),
        ("com¹", "_com¹"),
        ("con .txt", "_con.txt"),
        (".bashrc", "_.bashrc"),
        ("-rf", "_-rf"),
        ("~", "_~"),
        ("..", "attachment"),
        ("a. . .", "a"),
        ('a<b>:"|?*.txt', "a_b______.txt"),
        ("stream.txt:evil", "stream.txt_evil"),
        ("\u202egpj.exe", "gpj.exe"),
        ("a\r\nb", "ab"),
        ("отчёт.xlsx", "отчёт.xlsx"),
        ("\ud800.txt", ".txt"),
    ],
)
def test_a_name_is_made_that_of_a_plain_file_that_shows(given: str, saved: str) -> None:
    assert safe_name(given).removeprefix("_") == saved.removeprefix("_")
    assert saved.startswith("_") <= safe_name(given).startswith("_")


@pytest.mark.parametrize(
    "given", ["x" * 300 + ".pdf", "ж" * 300 + ".pdf", "日" * 300, "." + "x" * 300, "x." + "y" * 300]
)
def test_a_name_of_300_characters_is_cut_and_keeps_its_suffix(given: str, tmp_path: Path) -> None:
    name = safe_name(given)
    assert len(name.encode()) <= 200
    assert name.endswith(".pdf") is given.endswith(".pdf")
    (tmp_path / name).touch()


def test_attachments_are_saved_and_what_was_there_stays(tmp_path: Path) -> None:
    connection = box(
        tmp_path, [("a.csv", b"1"), ("../a.csv", b"22"), ("A.CSV", b"333")], [("a.csv", b"4444"), ("b.txt", b"")]
    )
    folder = tmp_path / "new" / "folder"
    planned = messages(connection).save_attachments(folder, dry_run=True)
    assert not folder.exists()
    saved = messages(connection).save_attachments(folder)
    assert [path.name for path in saved.paths] == ["a.csv", "b.txt", "a-2.csv", "a-3.csv", "A-4.CSV"]
    assert planned.paths == saved.paths
    assert str(planned).startswith(f"Would save 5 attachments (10 bytes) in {folder}.")
    assert str(saved).startswith(f"Saved 5 attachments (10 bytes) in {folder}.")
    assert [(file.size, file.subject) for file in saved] == [
        (4, "number 2"),
        (0, "number 2"),
        (1, "number 1"),
        (2, "number 1"),
        (3, "number 1"),
    ]
    assert (folder / "a.csv").read_bytes() == b"4444"
    again = messages(connection, subject="number 2").save_attachments(str(folder), pattern="*.csv")
    # Where A-4.CSV is another name.
    assert [path.name for path in again.paths] in (["a-4.csv"], ["a-5.csv"])
    assert (folder / "a.csv").read_bytes() == b"4444"
    assert str(messages(connection).save_attachments(folder, pattern="*.pdf")) == "There was no attachment to save."


def test_overwriting_is_asked_for_and_never_within_one_call(tmp_path: Path) -> None:
    connection = box(tmp_path, [("a.csv", b"1"), ("a.csv", b"22")])
    (tmp_path / "a.csv").write_text("old")
    (message,) = messages(connection)
    saved = message.save_attachments(tmp_path, overwrite=True)
    assert [path.name for path in saved.paths] == ["a.csv", "a-2.csv"]
    assert (tmp_path / "a.csv").read_bytes() == b"1"
    assert list(tmp_path.glob(".mailconn*")) == []


@pytest.mark.skipif(os.name != "posix", reason="links of POSIX")
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_link_in_the_folder_is_not_followed(overwrite: bool, tmp_path: Path) -> None:
    connection = box(tmp_path, [("a.csv", b"1"), ("b.csv", b"2")])
    secret = tmp_path / "secret"
    secret.write_text("mine")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.csv").symlink_to(secret)
    (folder / "b.csv").symlink_to(tmp_path / "nowhere")
    saved = messages(connection).save_attachments(folder, overwrite=overwrite)
    assert [path.name for path in saved.paths] == (["a.csv", "b.csv"] if overwrite else ["a-2.csv", "b-2.csv"])
    assert secret.read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()
    assert [path.read_bytes() for path in saved.paths] == [b"1", b"2"]


def test_what_makes_no_sense_is_said_in_our_words(tmp_path: Path) -> None:
    connection = box(tmp_path, [("a.csv", b"1")])
    (tmp_path / "file").touch()
    with pytest.raises(OptionError, match="With body=False, no attachments are read"):
        messages(connection, body=False).save_attachments(tmp_path)
    (header,) = messages(connection, body=False)
    with pytest.raises(OptionError, match="Only the header"):
        header.save_attachments(tmp_path)
    with pytest.raises(MailConnError, match="cannot be made"):
        messages(connection).save_attachments(tmp_path / "file")
    for folder in (None, 5, "a\x00b"):
        with pytest.raises(OptionError, match="folder is not the path"):
            messages(connection).save_attachments(folder)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="pattern must be a text"):
        messages(connection).save_attachments(tmp_path, pattern=None)  # type: ignore[arg-type]
    begun = messages(connection)
    next(begun)
    with pytest.raises(OptionError, match="already been taken"):
        begun.save_attachments(tmp_path)
    assert len(Messages(list(messages(connection))).save_attachments(tmp_path)) == 1
