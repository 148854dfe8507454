"""Each kind of result sent by us, by redmail and by yagmail to a real Postfix: what arrives, how large, how long it took.

Run it with ``python -m tests.benchmarks.bench_peers``, as root, where Postfix and Dovecot are installed. The peers are
called as their manuals do; what they have no way for is handed over as its own HTML, else as its text. Times are CPU
seconds of one message, the shortest of several, on an open session (the peers' own: they log in anew each time), ratios
to redmail's. Then a file of 20 and of 25 MiB beside smtplib: memory over the file's size, and CPU time.
"""

from __future__ import annotations

import contextlib
import email
import email.policy
import io
import smtplib
import time
import tracemalloc
import uuid
import warnings
from collections.abc import Callable
from email.message import EmailMessage
from operator import itemgetter
from pathlib import Path
from typing import Any

import yagmail
from redmail.email.sender import EmailSender

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.message.compose import compose
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.smtp.session import SMTPSession
from tests.benchmarks.mail_server import mail_server
from tests.servers.postfix import Postfix
from tests.support.composed import words_of
from tests.support.results import KINDS, Kind

SENDER, RECIPIENT = "bob@example.test", "alice@example.test"
MIB = 1024 * 1024
ROUNDS = 5


def by_redmail(postfix: Postfix, subject: str, kind: str, value: Any) -> None:
    sender = EmailSender(host=postfix.host, port=postfix.big, use_starttls=False)
    given: dict[str, Any]
    if "dataframe" in kind:
        given = {"html": "{{ it }}", "body_tables": {"it": value}}
    elif kind in {"figure", "axes", "image"}:
        given = {"html": "{{ it }}", "body_images": {"it": getattr(value, "figure", value)}}
    elif kind == "html" or hasattr(value, "to_html"):
        given = {"html": value.to_html() if hasattr(value, "to_html") else str(value)}
    elif hasattr(value, "_repr_html_"):
        given = {"html": value._repr_html_()}
    else:
        given = {"text": str(value)}
    # What is not a template of ours must not be one of theirs: a traceback may hold braces.
    sender.use_jinja = "{{ it }}" in given.get("html", "")
    sender.send(subject=subject, sender=SENDER, receivers=[RECIPIENT], **given)


def by_yagmail(postfix: Postfix, subject: str, kind: str, value: Any) -> None:
    peer = yagmail.SMTP(
        SENDER,
        "",
        host=postfix.host,
        port=postfix.big,
        smtp_starttls=False,
        smtp_ssl=False,
        smtp_skip_login=True,
        soft_email_validation=False,
    )
    with contextlib.closing(peer):
        peer.send(RECIPIENT, subject, [value])


def judged(kind: Kind, raw: bytes) -> str:
    """What of the result its reader has, in words."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    seen = []
    for name, subtype in ("text", "plain"), ("HTML", "html"):
        part = message.get_body((subtype,))
        content = part.get_content() if part is not None else ""
        said = words_of(content) if subtype == "html" else content
        # What a picture says stands in its alternative text, where a link leads in its address.
        said += content
        if part is None:
            seen.append(f"no {name}" if kind.html or subtype == "plain" else "")
        else:
            seen.append(f"{name} ok" if all(words in said for words in kind.says) else f"{name} LACKS it")
    pictures = sum(part.get_content_maintype() == "image" for part in message.walk())
    if kind.pictures:
        seen.append("picture ok" if pictures else "NO PICTURE")
    if kind.files:
        names = [part.get_filename() for part in message.walk() if part.get_content_disposition() == "attachment"]
        seen.append("all rows attached" if set(kind.files) <= set(names) else "not attached")
    return ", ".join(filter(None, seen))


def one(postfix: Postfix, kind: Kind, value: Any, send: Callable[[str, Any], None]) -> tuple[str, int, float]:
    token = uuid.uuid4().hex
    start = time.process_time()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            send(token, value)
    except Exception as error:  # noqa: BLE001  # that it fails is the finding
        return f"FAILED: {type(error).__name__}: {str(error)[:50]}", 0, time.process_time() - start
    spent = time.process_time() - start
    raw = postfix.wait_for("alice", token)
    return judged(kind, raw), len(raw), spent


def kinds(postfix: Postfix, session: SMTPSession) -> None:
    peers: dict[str, Callable[[str, str, Any], None]] = {
        "redmail": lambda kind, subject, value: by_redmail(postfix, subject, kind, value),
        "yagmail": lambda kind, subject, value: by_yagmail(postfix, subject, kind, value),
        "ours": lambda _, subject, value: ours(session, subject, value),
    }
    print(f"{'kind':22}{'by':9}{'bytes':>9} {'ms':>8} {'ratio':>7}  what arrived")  # noqa: T201  # its output
    for name, kind in KINDS.items():
        base = 0.0
        for peer, send in peers.items():

            def sending(subject: str, value: Any, name: str = name, send: Any = send) -> None:
                send(name, subject, value)

            # The first one pays for imports and caches.
            tries = [one(postfix, kind, kind.make(), sending) for _ in range(ROUNDS + 1)][1:]
            arrived, size, spent = min(tries, key=itemgetter(2))
            base = base or spent
            print(f"{name:22}{peer:9}{size:9} {spent * 1000:8.1f} {spent / base:7.2f}  {arrived}")  # noqa: T201  # the same


def ours(session: SMTPSession, subject: str, value: Any, **options: Any) -> None:
    session.send_message(compose(RECIPIENT, subject, value, sender=SENDER, **options))


def by_smtplib(postfix: Postfix, path: Path) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SENDER, RECIPIENT, "Large"
    message.set_content("Here.")
    message.add_attachment(path.read_bytes(), maintype="application", subtype="octet-stream", filename=path.name)
    with smtplib.SMTP(postfix.host, postfix.big) as smtp:
        smtp.send_message(message)


def large(postfix: Postfix, session: SMTPSession, folder: Path) -> None:
    for size in 20, 25:
        path = folder / "large.bin"
        path.write_bytes(bytes(range(256)) * (size * MIB // 256))
        works: dict[str, Callable[[], None]] = {
            "smtplib": lambda path=path: by_smtplib(postfix, path),  # type: ignore[misc]  # bound now
            "ours": lambda path=path: ours(session, "Large", "Here.", attachments=path, limit=None),  # type: ignore[misc]
        }
        first = 0.0
        for name, work in works.items():
            start = time.process_time()
            work()
            spent = time.process_time() - start
            first = first or spent
            tracemalloc.start()
            try:
                work()
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
            print(  # noqa: T201  # the same
                f"file of {size} MiB by {name:8} memory over its size {peak / size / MIB:5.2f}   "
                f"CPU {spent:6.3f} s  x{spent / first:.3f}"
            )


def main() -> None:
    warnings.simplefilter("ignore")
    with mail_server() as (postfix, state):
        connection = MailConnection(
            name="bench", server_host="127.0.0.1", server_port=postfix.big, use_secure_authentication=False
        )
        with connect(connection) as session:
            kinds(postfix, session)
            large(postfix, session, state)


if __name__ == "__main__":
    main()
