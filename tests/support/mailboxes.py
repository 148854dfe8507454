"""The same mail in a mailbox of each protocol that reads: Dovecot's maildirs, and a file."""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from mailconn_jupyter.connection import MailConnection
from tests.servers.certificates import Certificates
from tests.servers.dovecot import Dovecot
from tests.support.isolation import give_password

__all__ = ["ARRIVED", "Mail", "Mailbox", "fill_file", "fill_maildir", "mail", "mailbox_of"]

#: When every mail came into its mailbox, where that keeps it.
ARRIVED = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Mail:
    """A message, and whether the mailbox has it as read, and with a flag."""

    raw: bytes
    seen: bool = False
    flagged: bool = False


def mail(
    subject: str,
    *,
    sender: str = "Ana <ana@example.org>",
    to: str = "bob@example.org",
    date: str = "Sun, 22 Nov 2026 08:30:00 +0000",
    text: str = "Hello.\n",
    seen: bool = False,
    file: str = "",
) -> Mail:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"], made["Date"] = sender, to, subject, date
    made.set_content(text)
    if file:
        made.add_attachment(b"a,b\r\n1,2\r\n", maintype="text", subtype="csv", filename=file)
    return Mail(made.as_bytes(), seen)


def fill_maildir(folder: Path, mails: Sequence[Mail]) -> None:
    """Put messages into a maildir, the oldest first, as Dovecot would have done."""
    owner = folder.parent.stat()
    for path in (folder, *(folder / name for name in ("cur", "new", "tmp"))):
        path.mkdir(exist_ok=True)
        os.chown(path, owner.st_uid, owner.st_gid)
    start = len(list((folder / "cur").iterdir()))
    for number, each in enumerate(mails, start):
        flags = ("F" if each.flagged else "") + ("S" if each.seen else "")
        # With its sizes, as Dovecot names what it delivers, so that they need not be counted.
        wide = len(each.raw) + each.raw.count(b"\n") - each.raw.count(b"\r\n")
        # The middle is as scattered as a clock's: Dovecot's table of names is slow where all are alike.
        scattered = f"M{zlib.crc32(b'%d' % number):010}P1"
        name = f"{1_700_000_000 + number}.{scattered}.test,S={len(each.raw)},W={wide}:2,{flags}"
        path = folder / "cur" / name
        path.write_bytes(each.raw)
        os.chown(path, owner.st_uid, owner.st_gid)
        # When it arrived, for Dovecot.
        os.utime(path, (ARRIVED.timestamp(), ARRIVED.timestamp()))
    # Dovecot lists a folder that changed a moment ago over and over.
    long_ago = time.time() - 3600
    for name in ("cur", "new"):
        os.utime(folder / name, (long_ago, long_ago))


def fill_file(path: Path, mails: Sequence[Mail]) -> None:
    """Write messages into a mailbox file, as a mail program would have done."""
    with path.open("ab") as file:
        for each in mails:
            status = b"Status: RO\n" if each.seen else b"Status: O\n"
            status += b"X-Status: F\n" if each.flagged else b""
            raw = (status + each.raw).replace(b"\nFrom ", b"\n>From ").rstrip(b"\n")
            file.write(f"From ana@example.org {ARRIVED:%a %b %d %H:%M:%S %Y}\n".encode() + raw + b"\n\n")


@dataclass(frozen=True)
class Mailbox:
    """A mailbox with mail in it, and the connection that leads there."""

    connection: MailConnection
    folder: Path

    def state(self) -> object:
        """What would change if a message were marked as read, or anything else were written."""
        if self.folder.is_file():
            return self.folder.read_bytes(), self.folder.stat().st_mtime_ns
        # What is new there moves to cur when it is listed; a mark of being read is a letter of the name.
        return sorted(path.name for path in (self.folder / "cur").iterdir())


def mailbox_of(
    protocol: str, user: str, mails: Sequence[Mail], *, dovecot: Dovecot, certificates: Certificates, folder: Path
) -> Mailbox:
    """A new mailbox of this protocol; ``user`` is any name that no other test uses, and that of the connection."""
    if protocol == "MBOX":
        path = folder / f"{user}.mbox"
        path.touch()
        fill_file(path, mails)
        return Mailbox(MailConnection(name=user, protocol="MBOX", server_host=str(path)), path)
    fill_maildir(dovecot.mail / user, mails)
    give_password(user, dovecot.master[1])
    connection = MailConnection(
        name=user,
        protocol=protocol,
        server_host="localhost",
        server_port=dovecot.imap if protocol == "IMAP" else dovecot.pop3,
        ca_file=str(certificates.ca.pem),
        # The master user may open everybody's mailbox, so that each test can have its own.
        username=dovecot.master[0],
        authorization_id=user,
        sasl_mechanism="PLAIN",
    )
    return Mailbox(connection, dovecot.mail / user)
