"""Mailboxes to act on: Dovecots with a trash, and with and without the extensions that make it easy."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.session.connect_by_protocol import connect_imap
from mailconn_jupyter.session.imap.session import IMAPSession
from tests.servers.certificates import Certificates
from tests.servers.dovecot import Dovecot, run_dovecot
from tests.support.mailboxes import Mail, Mailbox, mail, mailbox_of

__all__ = ["KINDS", "TRASH", "Acted", "plain", "replace_options", "run_kind", "subjects", "subjects_in"]

TRASH = "Корзина"
_NAMESPACE = f"""
namespace inbox {{
  inbox = yes
  mailbox {TRASH} {{
    auto = create
    special_use = \\Trash
  }}
  mailbox Archive {{
    auto = create
  }}
}}
"""
_PLAIN = "IMAP4rev1 SASL-IR LITERAL+ SPECIAL-USE LIST-EXTENDED CHILDREN NAMESPACE ID IDLE AUTH=PLAIN"
#: What each says that it has. The commands work in all of them: it is the client that must not send what is not offered.
KINDS = {
    "MOVE and UIDPLUS": "",
    "UIDPLUS": f"imap_capability = {_PLAIN} UIDPLUS\n",
    "neither": f"imap_capability = {_PLAIN}\n",
}
_numbers = itertools.count()


@contextlib.contextmanager
def run_kind(kind: str, state: Path, certificates: Certificates) -> Iterator[Dovecot]:
    with run_dovecot(state, certificates, settings=_NAMESPACE + KINDS[kind]) as server:
        yield server


@dataclass(frozen=True)
class Acted:
    """A server's mailboxes, each test's its own."""

    kind: str
    dovecot: Dovecot
    certificates: Certificates

    def box(self, mails: Sequence[Mail] | int = 3) -> Mailbox:
        """A new one with these messages, or so many."""
        if isinstance(mails, int):
            mails = [mail(f"number {number}") for number in range(1, mails + 1)]
        user = f"actor{next(_numbers)}"
        return mailbox_of(
            "IMAP", user, mails, dovecot=self.dovecot, certificates=self.certificates, folder=self.dovecot.mail
        )

    @property
    def removes(self) -> bool:
        """Whether a message can be removed by its UID."""
        return self.kind != "neither"


def subjects(connection: MailConnection, folder: str = "INBOX", *, deleted: bool = False) -> list[str]:
    """What is in a folder, in its order, asked for by other means; those marked as deleted if that is said."""
    with connect_imap(connection) as session:
        return subjects_in(session, folder, deleted=deleted)


def subjects_in(session: IMAPSession, folder: str, *, deleted: bool = False) -> list[str]:
    session.folder.set(folder, readonly=True)
    found = list(session.fetch("ALL" if deleted else "UNDELETED", mark_seen=False, headers_only=True))
    return [message.subject for message in found]


def plain(connection: MailConnection, port: int) -> MailConnection:
    """The same over a link without TLS, by way of a relay: so that a cut falls where it is meant."""
    return replace_options(connection, server_port=port, use_secure_authentication=False)


def replace_options(connection: MailConnection, **options: object) -> MailConnection:
    return MailConnection(**{**connection.as_dict(), **options})
