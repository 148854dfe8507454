"""A session that is copied by a fork: no child speaks over the parent's link, and each that can has one of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import traceback
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mailconn_jupyter import MailConnection, connect_smtp, messages
from mailconn_jupyter.errors import MailConnError
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.imap.session import IMAPSession
from mailconn_jupyter.session.mbox.errors import ReadOnly
from mailconn_jupyter.session.opening.over_network import Opening
from mailconn_jupyter.session.pop3.errors import MailboxChanged
from mailconn_jupyter.session.pop3.session import POP3Session
from mailconn_jupyter.session.smtp.session import SMTPSession
from tests.contract.imap import IMAPKit
from tests.contract.kit import Do, ProtocolKit
from tests.contract.pop3 import POP3Kit
from tests.contract.smtp import SMTPKit
from tests.servers import Certificates, Dovecot, Postfix
from tests.servers.script import ScriptServer, Send, Silence
from tests.support.isolation import give_password
from tests.support.reading import to_dovecot, to_script

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

ROUNDS, CHILDREN = 10, 3
BODIES = 5


def child(work: Callable[[], object]) -> int:
    """Run the work in a forked process, which ends without what this one does at its end."""
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        work()
        code = 0
    except BaseException:  # noqa: BLE001  # the parent is told by the code
        traceback.print_exc()
    finally:
        os._exit(code)


def ended(*processes: int) -> list[int]:
    return [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in processes]


@pytest.fixture(params=["SSL", "plain text"])
def security(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def body(number: int) -> bytes:
    return b"%d " % number * 4000 + b"\r\n"


@pytest.fixture
def box(dovecot: Dovecot, certificates: Certificates) -> Iterator[str]:
    """A user's INBOX with messages whose bodies tell them apart, and nothing else."""
    user = "ünïcode"
    with connect(to_dovecot("IMAP", dovecot, certificates, username=user)) as mailbox:
        mailbox.delete(mailbox.uids())
        for number in range(BODIES):
            mailbox.append(b"Subject: %d\r\n\r\n%b" % (number, body(number)))
        yield user
        mailbox.folder.set("INBOX")
        mailbox.delete(mailbox.uids())


def rounds(read: Callable[[], object]) -> None:
    """Read over and over, here and in children at the same time."""
    for _ in range(ROUNDS):
        read()
        children = [child(lambda: [read() for _ in range(3)]) for _ in range(CHILDREN)]
        read()
        assert ended(*children) == [0] * CHILDREN
    read()


def test_children_and_parent_read_by_imap_at_once_and_nothing_is_mixed(
    security: str, box: str, dovecot: Dovecot, certificates: Certificates
) -> None:
    with connect(to_dovecot("IMAP", dovecot, certificates, security, username=box), readonly=True) as mailbox:
        ours = os.getpid(), mailbox.client.sock

        def read() -> None:
            found = {str(message.subject): message.text for message in mailbox.fetch(mark_seen=False)}
            assert found == {str(number): body(number).decode() for number in range(BODIES)}
            assert (mailbox.client.sock is ours[1]) is (os.getpid() == ours[0])
            assert mailbox.client.is_readonly

        rounds(read)


def test_children_and_parent_read_by_pop3_at_once_and_nothing_is_mixed(
    security: str, box: str, dovecot: Dovecot, certificates: Certificates
) -> None:
    with connect(to_dovecot("POP3", dovecot, certificates, security, username=box)) as pop:

        def read() -> None:
            found = [b"\r\n".join(lines) + b"\r\n" for _, lines in pop.retrieve(range(1, BODIES + 1))]
            assert [raw.partition(b"\r\n\r\n")[2] for raw in found] == [body(number) for number in range(BODIES)]

        rounds(read)


@pytest.mark.parametrize("protocol", ["SSL", "plain text"])
def test_children_and_parent_send_at_once_and_each_message_arrives_whole_and_once(
    protocol: str, postfix: Postfix, certificates: Certificates
) -> None:
    tls = protocol == "SSL"
    connection = MailConnection(
        name="out",
        server_host="localhost",
        server_port=postfix.smtps if tls else postfix.relay,
        username="alice" if tls else "",
        use_secure_authentication=tls,
        secure_authentication_type="SSL",
        ca_file=str(certificates.ca.pem),
    )
    batch = uuid.uuid4().hex

    def deliver(who: str) -> None:
        for number in range(2):
            text = f"Subject: {batch} {who}-{number}\r\n\r\n{f'{who}-{number} ' * 500}\r\n".encode()
            assert smtp.sendmail("alice@example.test", ["alice@example.test"], text) == {}

    give_password("out", "s3cret")
    expected = set()
    with connect(connection) as smtp:
        deliver("first")
        for turn in range(ROUNDS):
            names = [f"{turn}-{number}" for number in range(CHILDREN)]
            children = [child(lambda name=name: deliver(name)) for name in names]  # type: ignore[misc]
            deliver(f"{turn}-parent")
            assert ended(*children) == [0] * CHILDREN
            expected |= {f"{name}-{number}" for name in [*names, f"{turn}-parent"] for number in range(2)}
    for name in expected:
        postfix.wait_for("alice", f"{batch} {name}\n")
    arrived = [raw for raw in postfix.mailbox("alice") if batch.encode() in raw]
    assert len(arrived) == len(expected) + 2
    for raw in arrived:
        (name,) = re.findall(rf"^Subject: {batch} (\S+)".encode(), raw, re.MULTILINE)
        assert raw.partition(b"\n\n")[2].split() == [name] * 500


# A session that nobody knows how to open anew

KITS = {SMTPKit: SMTPSession, IMAPKit: IMAPSession, POP3Kit: POP3Session}
ASK: dict[str, Callable[[Any], object]] = {
    "SMTP": lambda session: session.noop(),
    "IMAP": lambda session: session.noop(),
    "POP3": lambda session: session.capa(),
}
USES: dict[str, Callable[[Any], object]] = {
    "asks": lambda session: ASK[session.adapter.protocol](session),
    "quits": lambda session: session.quit(),
    "closes": lambda session: session.close(),
    "forgets": lambda _: None,
    "shuts": lambda session: session.adapter.close(),
}


def answered(kit: ProtocolKit) -> Any:
    """One round trip."""
    if isinstance(kit, POP3Kit):
        return [
            Do(kit.asked_for_capabilities),
            Do(lambda talk: kit.tell_capabilities(talk, starttls=False, mechanisms=[])),
        ]
    if isinstance(kit, IMAPKit):
        return [Do(lambda talk: kit._expect(talk, rb"NOOP")), Do(lambda talk: kit._end(talk, b"OK done"))]
    return [Do(kit.asked_whether_ready), Do(kit.ready)]


@pytest.mark.parametrize("tls", [True, False], ids=["TLS", "plain text"])
@pytest.mark.parametrize("use", USES.values(), ids=USES)
@pytest.mark.parametrize("kit", KITS)
def test_a_child_says_no_word_over_the_parents_link(
    kit: type[ProtocolKit], use: Callable[[Any], object], tls: bool, certificates: Certificates
) -> None:
    server_side = kit()
    script = [*server_side.offer(), *answered(server_side), *answered(server_side), Do(server_side.farewell)]
    context = certificates.good.server_context() if tls else None
    # The server fails the test if it hears anything else.
    with ScriptServer(script, tls=context) as server:
        session = KITS[kit]()
        Opening(
            to_script(
                kit.protocol,
                server.port,
                use_secure_authentication=tls,
                secure_authentication_type="SSL",
                ca_file=str(certificates.ca.pem),
            )
        ).run(session.adapter)
        ask = ASK[kit.protocol]
        ask(session)

        def work() -> None:
            if use is USES["asks"] or (use is USES["quits"] and kit is SMTPKit):
                with pytest.raises(MailConnError, match="another process") as caught:
                    use(session)
                assert "Open a session in each process" in caught.value.hint
            else:
                use(session)

        assert ended(child(work)) == [0]
        ask(session)
        session.quit()


def test_a_child_of_a_fork_within_an_answer_gets_none_of_it(
    box: str, dovecot: Dovecot, certificates: Certificates
) -> None:
    connection = to_dovecot("IMAP", dovecot, certificates, username=box)
    with connect(connection, readonly=True) as mailbox:
        stream = mailbox.stream("1:*", "(UID BODY.PEEK[])")
        next(stream)

        def work() -> None:
            with pytest.raises(MailConnError, match="another process"):
                next(stream)
            stream.close()

        def anew() -> None:
            # The generator of the parent's is still there, and leaves the new link alone.
            assert len(list(mailbox.stream("1:*", "(UID BODY.PEEK[])"))) == BODIES
            stream.close()
            assert mailbox.noop()[0] == "OK"

        assert ended(child(work), child(anew)) == [0, 0]
        assert len(list(stream)) == BODIES - 1


def test_a_child_learns_that_numbers_of_pop3_mean_other_messages_now(
    box: str, dovecot: Dovecot, certificates: Certificates
) -> None:
    with connect(to_dovecot("POP3", dovecot, certificates, username=box)) as pop:
        with connect(to_dovecot("IMAP", dovecot, certificates, username=box)) as mailbox:
            mailbox.delete(mailbox.uids()[:1])

        def work() -> None:
            with pytest.raises(MailboxChanged, match="now mean other messages"):
                pop.dele(1)
            assert pop.stat()[0] == BODIES - 1

        assert ended(child(work)) == [0]
        assert pop.stat()[0] == BODIES


def test_a_child_that_quits_deletes_nothing_that_the_parent_has_marked(
    box: str, dovecot: Dovecot, certificates: Certificates
) -> None:
    connection = to_dovecot("POP3", dovecot, certificates, username=box)
    with connect(connection) as pop:
        pop.dele(1)
        assert ended(child(pop.quit)) == [0]
        with connect(connection) as other:
            assert other.stat()[0] == BODIES
    with connect(connection) as other:
        assert other.stat()[0] == BODIES - 1


def test_a_process_that_ends_with_a_session_open_prints_no_error_of_it() -> None:
    code = "import smtplib, mailconn_jupyter; smtplib.mine = mailconn_jupyter.SMTPSession()"
    run = subprocess.run([sys.executable, "-c", code], check=True, timeout=30, capture_output=True, text=True)
    assert (run.stdout, run.stderr) == ("", "")


def test_a_lock_that_a_thread_of_the_parent_holds_does_not_stop_a_child(
    postfix: Postfix,
) -> None:
    held, enough = threading.Event(), threading.Event()
    with connect_smtp(to_script("SMTP", postfix.relay)) as smtp:

        def hold() -> None:
            with smtp.turn():
                held.set()
                enough.wait(30)

        thread = threading.Thread(target=hold)
        thread.start()
        held.wait()
        text = b"Subject: hello\r\n\r\nworld\r\n"
        assert ended(child(lambda: smtp.sendmail("bob@example.test", ["alice@example.test"], text))) == [0]
        enough.set()
        thread.join()


# A file: its place is shared by a fork as a link is


def test_children_and_parent_read_a_file_at_once_and_nothing_is_mixed(tmp_path: Path) -> None:
    def text(number: int) -> bytes:
        return body(number).replace(b"\r\n", b"\n")

    path = tmp_path / "box"
    path.write_bytes(
        b"".join(b"From a@example.org Mon Jan  1 00:00:00 2024\nSubject: %d\n\n%b\n" % (n, text(n)) for n in range(40))
    )
    connection = MailConnection(name="box", protocol="MBOX", server_host=str(path))
    with connect(connection) as session:

        def read() -> None:
            for number in range(40):
                message = session.get_message(number)
                assert message["Subject"] == str(number)
                assert message.get_payload(decode=True) == text(number)
            assert [message.subject for message in messages(session)] == [str(number) for number in reversed(range(40))]

        rounds(read)


def test_a_child_neither_writes_nor_unlocks_the_parents_file(tmp_path: Path) -> None:
    path = tmp_path / "box"
    path.write_bytes(b"From a@example.org Mon Jan  1 00:00:00 2024\nSubject: 0\n\nx\n\n")
    connection = MailConnection(name="box", protocol="MBOX", server_host=str(path))
    with connect(connection, readonly=False) as session:
        session.add(b"Subject: 1\n\ny\n")

        def work() -> None:
            with pytest.raises(ReadOnly):
                session.add(b"Subject: 2\n\nz\n")
            session.quit()

        assert ended(child(work)) == [0]
        assert path.with_name("box.lock").exists()
        session.add(b"Subject: 3\n\nz\n")
    assert re.findall(rb"Subject: (\d)", path.read_bytes()) == [b"0", b"1", b"3"]


def test_a_program_that_ends_with_an_open_session_ends_without_a_word() -> None:
    with ScriptServer([Send(b"220 hi\r\n"), Silence(5)], strict=False) as server:
        program = f"import mailconn_jupyter as m; s = m.SMTPSession('127.0.0.1', {server.port}, timeout=5)"
        ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (ran.stdout, ran.stderr) == ("", "")
