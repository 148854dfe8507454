"""Replies of servers, changed at random: whatever a server says, a session has its result, or an error of ours.

A case is a whole conversation as bytes: in its first line the protocol, and how it is opened; then the server's replies,
with ``%%`` between them. The first is the greeting; each line of the client (and each message after a 354) gets the next
one, in which ``$T`` is the tag of the last command and ``$C`` all of the last line. ``!reset`` ends it by a reset; when
there is no other, the server closes.
"""

from __future__ import annotations

import contextlib
import imaplib
import itertools
import poplib
import re
import smtplib
import socket
import struct
import threading
import warnings
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from typing import Any, Final, Self

from imap_tools.errors import ImapToolsError

from mailconn_jupyter import MailConnection, messages
from mailconn_jupyter.delivery.attempt import attempt
from mailconn_jupyter.errors import MailConnError
from mailconn_jupyter.message.mime.wire_format import wired
from mailconn_jupyter.session.check import check as test
from mailconn_jupyter.session.connect import connect
from tests.message.test_parsed import everything
from tests.support.isolation import give_password
from tests.test_no_secret import traces

from .corpus import CONVERSATIONS, WORDS
from .report import run, within

__all__ = ["SECRET", "Server", "check"]

USER, SECRET = "zoe", "hunter2-s3cret"
RECIPIENTS: Final = ["ana@example.org", "bob@example.org"]
OURS: Final = (MailConnError, smtplib.SMTPException, imaplib.IMAP4.error, poplib.error_proto, ImapToolsError)

_QUIET: Final = 0.03  # seconds of a client that waits for more
_CONNECTIONS: Final = 3  # a session may open itself again
_LONGEST: Final = 3000  # characters of an error
_TAGGED: Final = re.compile(rb"([A-Z]+[0-9]+) [A-Z]+")


class Server:
    """Plays the replies to whoever connects; ``took`` counts the messages that it was given whole."""

    def __init__(self, replies: list[bytes]) -> None:
        self._replies = replies
        self.took = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Wakes accept(), too.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            for _ in range(_CONNECTIONS):
                self._serve(self._listener.accept()[0])
            self._listener.close()

    def _serve(self, link: socket.socket) -> None:
        with link, contextlib.suppress(OSError):
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link.settimeout(_QUIET)
            heard, line, tag = b"", b"", b"*"
            for reply in self._replies:
                if reply == b"!reset":
                    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                link.sendall(reply.replace(b"$T", tag).replace(b"$C", line[:200]))
                message = reply.startswith(b"354")
                end = b"\r\n.\r\n" if message else b"\n"
                while end not in heard:
                    data = link.recv(65536)
                    if not data:
                        return
                    heard += data
                line, _, heard = heard.partition(end)
                line = line.rstrip(b"\r")
                self.took += message
                if command := _TAGGED.match(line):
                    tag = command[1]


@contextlib.contextmanager
def ours(session: Any = None) -> Iterator[None]:
    """An error of ours, or of the protocol's own library, is a result; it can be shown, and shows no secret."""
    try:
        yield
    except OURS as error:
        said = f"{error} {getattr(error, 'hint', '')}"
        said.encode()
        assert len(said) < _LONGEST, len(said)
        hides_the_secret(said)
    if session is not None:
        hides_the_secret("\n".join(session.transcript))


def hides_the_secret(said: str) -> None:
    """Also one that the server has sent back."""
    for trace in traces(USER, SECRET):
        # The end of Base64 depends on what follows.
        assert trace[:12] not in said, said


def letter() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = "zoe@example.org", ", ".join(RECIPIENTS)
    message["Subject"] = "week 47"
    message.set_content("Three things moved:\n.\n..\n")
    return message


def deliver(session: Any, server: Server) -> None:
    message, before = letter(), server.took
    found = attempt(session, message, wired(message, utf8=False, eight_bit=True), "zoe@example.org", [*RECIPIENTS])
    assert list(found) == RECIPIENTS
    outcomes = {outcome.outcome for outcome in found.values()}
    assert outcomes <= {"accepted", "refused", "not sent", "unknown"}
    for outcome in found.values():
        str(outcome).encode()
    # Nobody accepts what was never given whole.
    if "accepted" in outcomes:
        assert server.took > before


def send(session: Any, server: Server) -> None:
    before = server.took
    refused = session.sendmail("zoe@example.org", RECIPIENTS, letter().as_bytes())
    assert set(refused) < set(RECIPIENTS)
    assert server.took > before


def read(session: Any) -> None:
    for message in itertools.islice(messages(session, limit=3), 3):
        assert str(everything(message)).encode()


Use = Callable[[Any, Server], object]

USES: Final[dict[str, list[Use]]] = {
    "SMTP": [deliver, send, lambda smtp, _: smtp.noop(), lambda smtp, _: smtp.verify("ana")],
    "IMAP": [
        lambda imap, _: read(imap),
        lambda imap, _: imap.folder.list(),
        lambda imap, _: imap.folder.status("INBOX"),
        lambda imap, _: list(imap.fetch(limit=2, mark_seen=False)),
        lambda imap, _: list(imap.stream("1:2")),
        lambda imap, _: imap.uids("ALL"),
        lambda imap, _: imap.noop(),
    ],
    "POP3": [
        lambda pop, _: read(pop),
        lambda pop, _: pop.stat(),
        lambda pop, _: pop.list(1),
        lambda pop, _: pop.uidl(),
        lambda pop, _: pop.top(1, 0),
        lambda pop, _: list(pop.retrieve([1, 2])),
        lambda pop, _: pop.dele(1),
        lambda pop, _: pop.noop(),
    ],
}


def check(raw: bytes) -> None:
    """Raises where something is not as it should be, whatever the server says."""
    first, _, rest = raw.partition(b"\n")
    words = first.decode("ascii", "replace").upper().split()
    protocol = next((word for word in words if word in USES), sorted(USES)[len(raw) % 3])
    give_password("fuzz", SECRET)
    # The script's own line ends are those of a file; on the wire they are CR LF, but for what a mutation has put there.
    replies = [re.sub(rb"(?<!\r)\n", b"\r\n", reply) for reply in rest.split(b"%%")]
    with warnings.catch_warnings(), within(), Server(replies) as server:
        warnings.simplefilter("ignore")
        connection = MailConnection(
            name="fuzz",
            protocol=protocol,
            server_host="127.0.0.1",
            server_port=server.port,
            use_authentication="OPEN" not in words,
            username=USER,
            use_secure_authentication="TLS" in words,
            secure_authentication_type="TLS",
            sasl_mechanism=next((word for word in words if word in {"LOGIN", "CRAM-MD5", "SCRAM-SHA-256"}), ""),
            use_xoauth2="TOKEN" in words,
            timeout=5,
            deadline=5,
        )
        if "TEST" in words:
            report = test(connection)
            said = f"{report} {report._repr_html_()} {report.transcript}"
            said.encode()
            hides_the_secret(said)
            return
        with ours():
            _use(connect(connection, ask=False), protocol, server)


def _use(session: Any, protocol: str, server: Server) -> None:
    try:
        for use in USES[protocol]:
            with ours(session):
                use(session, server)
        with ours(session):
            session.quit()
    finally:
        session.close()


if __name__ == "__main__":
    run(check, CONVERSATIONS, "conversations", tokens=WORDS)
