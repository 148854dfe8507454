"""What was refused goes again to those alone who have not got it, byte for byte, and the log has both tries."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter import MailConnection, connections
from mailconn_jupyter.console.run_line import main
from mailconn_jupyter.delivery.report import DeliveryError
from mailconn_jupyter.delivery.sent_log.log_entry import Fate, LogEntry
from mailconn_jupyter.delivery.sent_log.log_file import LogFile
from mailconn_jupyter.errors import MailConnWarning, MessageError, OptionError
from mailconn_jupyter.message.incoming.parsed import ParsedMessage
from mailconn_jupyter.message.smime.sealing import signed
from mailconn_jupyter.message.smime.signature import verify
from tests.servers.certificates import Certificates
from tests.servers.dovecot import Dovecot
from tests.servers.pipelining import BOTH, GROUPED, PipeliningServer
from tests.support.batches import letter, to
from tests.support.mail_certificates import Authority
from tests.support.mailboxes import mailbox_of
from tests.support.shells import Shell, clean_up, shell

__all__ = ["clean_up", "shell"]

ANA, BOB, EVE = "ana@example.test", "bob@example.test", "eve@example.test"
_numbers = itertools.count()


class Moody(PipeliningServer):
    """Refuses those whose names are in ``full``, for good."""

    def __init__(self, offers: tuple[str, ...] = BOTH) -> None:
        super().__init__(offers, answer=self._answer)
        self.full: set[str] = set()

    def _answer(self, line: str) -> str | None:
        full = line.upper().startswith("RCPT") and any(name in line for name in self.full)
        return "552 5.2.2 mailbox full" if full else None


@pytest.fixture
def smtp() -> Iterator[Moody]:
    with Moody() as server:
        yield server


@pytest.fixture
def box(dovecot: Dovecot, certificates: Certificates, tmp_path: Path) -> MailConnection:
    """The connection to an empty mailbox."""
    user = f"again{next(_numbers)}"
    made = mailbox_of("IMAP", user, [], dovecot=dovecot, certificates=certificates, folder=tmp_path).connection
    connections.save(made)
    return connections[user]


def through(server: PipeliningServer, **options: Any) -> MailConnection:
    connections.save(to(server.port, name="out", **options), replace=True)
    return connections["out"]


def refused(server: Moody, *who: str, act: Callable[[], object]) -> mailconn.SendReport:
    """The report of what was sent while the server refused these; from then on it takes everybody."""
    server.full = set(who)
    with pytest.raises(DeliveryError) as info:
        act()
    server.full = set()
    return info.value.report


def send(*people: str, **options: Any) -> Callable[[], object]:
    return lambda: mailconn.send("out", list(people), "Churn, Woche 47", "Grüße\n.\n", **options)


def outcomes() -> dict[str, tuple[str, int]]:
    return {row["recipient"]: (row["outcome"], row["tries"]) for row in mailconn.sent().to_dict("records")}


def in_sent(box: MailConnection) -> int:
    with mailconn.connect_imap(box) as session:
        return next((folder.messages or 0 for folder in session.folders() if folder.name == "Sent"), 0)


# The copy in the Sent folder


@pytest.mark.parametrize("offers", [BOTH, GROUPED], ids=["BDAT", "DATA"])
def test_the_copy_goes_to_those_who_were_refused_byte_for_byte_and_to_nobody_else(
    offers: tuple[str, ...], box: MailConnection
) -> None:
    with Moody(offers) as smtp:
        through(smtp, save_sent_to=box.name)
        files = {"data.bin": bytes(range(256)) * 1000}
        first = refused(smtp, BOB, act=send(ANA, BOB, cc=EVE, bcc="hidden@example.test", attachments=files))
        report = mailconn.send_again(first.message_id)
        assert report.accepted == (BOB,)
        before, after = smtp.taken
        assert set(before.recipients) == {ANA, EVE, "hidden@example.test"}
        assert after.recipients == (BOB,)
        assert after.content == before.content
        assert after.sender == before.sender
    assert outcomes() == {
        ANA: ("accepted", 1),
        BOB: ("accepted", 2),
        EVE: ("accepted", 1),
        "hidden@example.test": ("accepted", 1),
    }
    # One copy is enough.
    assert in_sent(box) == 1


def test_a_header_of_another_language_stays_as_it_was(smtp: Moody, box: MailConnection) -> None:
    through(smtp, save_sent_to=box.name, from_address="Ана Größe <ana@example.test>")
    first = refused(smtp, BOB, act=send("Ея <eya@example.test>", f"Bob Größe <{BOB}>", headers={"X-Run": "ä" * 99}))
    mailconn.send_again(first.message_id)
    assert smtp.taken[0].content == smtp.taken[1].content


def test_an_address_that_only_smtputf8_can_carry_stays_as_it_was(smtp: Moody, box: MailConnection) -> None:
    through(smtp, save_sent_to=box.name)
    first = refused(smtp, BOB, act=send("Größe@example.test", BOB))
    mailconn.send_again(first.message_id)
    assert smtp.taken[0].content == smtp.taken[1].content
    assert "größe".encode() in smtp.taken[1].content.lower()


def test_a_signature_holds(smtp: Moody, box: MailConnection, tmp_path: Path) -> None:
    authority = Authority()
    own = authority.person(ANA).own(tmp_path)
    plain = mailconn.compose(
        [EVE, BOB], "Größe", "Grüße\n.\n" * 50, sender=ANA, attachments=[("a.bin", b"\0\xff" * 999)]
    )
    message = signed(plain, own, ANA)
    through(smtp, save_sent_to=box.name)
    with mailconn.connect_smtp("out") as session:
        from mailconn_jupyter.delivery.send import send_composed  # noqa: PLC0415  # as send() does with what it has sealed

        first = refused(smtp, BOB, act=lambda: send_composed(session, message))
    mailconn.send_again(first.message_id)
    assert smtp.taken[0].content == smtp.taken[1].content
    assert verify(ParsedMessage(smtp.taken[1].content), ca_file=authority.write(tmp_path))


def test_the_log_the_magic_the_terminal_and_a_row_name_the_message(
    smtp: Moody, box: MailConnection, shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    through(smtp, save_sent_to=box.name)
    refused(smtp, BOB, EVE, act=send(ANA, BOB, EVE))
    shown = shell.ok("%mailconn sent").text
    assert "1 accepted, 2 REFUSED" in shown
    assert "%mailconn sent --again ID sends one again, only to recipients marked refused or not sent." in shown
    (key,) = {word for line in shown.splitlines() if "REFUSED" in line for word in line.split()[-1:]}
    tried = shell.ok(f"%mailconn sent --again {key} --dry-run")
    assert tried.text.startswith("Not sent, as asked: 'Churn, Woche 47', ")
    assert f", to {BOB}, {EVE}\n" in tried.text
    assert len(smtp.taken) == 1
    smtp.full = {EVE}
    assert "was not delivered to everybody" in shell.fails(f"%mailconn sent --again {key}")
    assert "1 REFUSED (2 tries)" in shell.ok("%mailconn sent").text
    smtp.full = set()
    assert main(["sent", "--again", key, "--dry-run"]) == 0
    assert f", to {EVE}\n" in capsys.readouterr().out
    report = mailconn.send_again(mailconn.sent(to="eve").iloc[0])
    assert report.accepted == (EVE,)
    shown = shell.ok("%mailconn sent").text
    assert "accepted (3 tries)" in shown
    assert "--again" not in shown
    assert outcomes() == {ANA: ("accepted", 1), BOB: ("accepted", 2), EVE: ("accepted", 3)}
    assert "was accepted for everybody: nobody is left" in shell.fails(f"%mailconn sent --again {key}")


def test_that_others_have_it_is_said_where_it_is_refused_again(smtp: Moody, box: MailConnection) -> None:
    through(smtp, save_sent_to=box.name)
    first = refused(smtp, BOB, act=send(ANA, BOB))
    smtp.full = {BOB}
    with pytest.raises(DeliveryError, match="The others have received it"):
        mailconn.send_again(first.message_id)


# What is given


def test_a_report_and_the_message_itself_bring_the_content_along(smtp: Moody) -> None:
    through(smtp)
    first = refused(smtp, BOB, act=send(ANA, BOB))
    assert mailconn.send_again(first).accepted == (BOB,)
    first = refused(smtp, BOB, act=send(ANA, BOB))
    assert mailconn.send_again(first.message).accepted == (BOB,)
    first = refused(smtp, BOB, act=send(ANA, BOB))
    assert mailconn.send_again(first.message_id, message=ParsedMessage(smtp.taken[-1].content)).accepted == (BOB,)
    assert smtp.taken[-1].content == smtp.taken[-2].content


def test_what_was_refused_to_everybody_and_goes_at_last_is_kept_in_the_sent_folder(
    smtp: Moody, box: MailConnection
) -> None:
    through(smtp, save_sent_to=box.name)
    first = refused(smtp, BOB, act=send(BOB))
    assert in_sent(box) == 0
    mailconn.send_again(first)
    assert in_sent(box) == 1


def test_another_connection_an_open_session_or_another_sender_of_the_envelope_may_send_it(smtp: Moody) -> None:
    through(smtp)
    with PipeliningServer(BOTH) as second:
        connections.save(to(second.port, name="second"))
        mailconn.send_again(refused(smtp, BOB, act=send(ANA, BOB)), "second", bounce_to="bounces@example.test")
        assert [(each.sender, each.recipients) for each in second.taken] == [("bounces@example.test", (BOB,))]
    first = refused(smtp, BOB, act=send(ANA, BOB))
    with mailconn.connect_smtp("out") as session:
        assert mailconn.send_again(first, session).accepted == (BOB,)
        assert session.sock is not None


def test_what_reads_mail_sends_nothing_again(smtp: Moody, box: MailConnection) -> None:
    through(smtp)
    first = refused(smtp, BOB, act=send(ANA, BOB))
    with mailconn.connect_imap(box) as session, pytest.raises(OptionError, match="IMAP reads mail"):
        mailconn.send_again(first, session)  # type: ignore[arg-type]  # as a notebook may
    with pytest.raises(OptionError, match="IMAP reads mail"):
        mailconn.send_again(first, box.name)


def test_another_message_than_the_one_of_the_log_is_refused(smtp: Moody) -> None:
    through(smtp)
    first = refused(smtp, BOB, act=send(BOB))
    with pytest.raises(MessageError, match=r"The message given is <.*>, not <.*>") as info:
        mailconn.send_again(first.message_id, message=letter(BOB))
    assert info.value.hint == "A new message is sent by mailconn.send(...)."
    with pytest.raises(MessageError, match="one without a Message-ID"):
        mailconn.send_again(first.message_id, message=EmailMessage())
    header = ParsedMessage(b"Message-ID: " + first.message_id.encode() + b"\n\n").without_body()
    with pytest.raises(MessageError, match="Only the header of the message was read"):
        mailconn.send_again(first.message_id, message=header)
    assert smtp.taken == []


# Where there is nothing to send, or nobody to send it to


def test_where_its_content_is_nowhere_it_says_what_to_do(smtp: Moody, box: MailConnection) -> None:
    through(smtp)
    first = refused(smtp, BOB, act=send(ANA, BOB))
    with pytest.raises(MessageError) as info:
        mailconn.send_again(first.message_id)
    assert info.value.message == (
        "The content of 'Churn, Woche 47' is not known: the log has none, and the connection keeps no copies (save_sent_to)."
    )
    assert f'mailconn.send_again("{first.message_id}", message=message)' in info.value.hint
    through(smtp, save_sent_to=box.name)
    for _ in range(2):
        with pytest.raises(MessageError, match=f"no copy of it is in the Sent folder of {box.name}"):
            mailconn.send_again(first.message_id)
        mailconn.send("out", EVE, "Another", "x")
    with mailconn.connect_imap(box) as session:
        assert [each.subject for each in session.fetch()] == []


def test_looking_for_a_copy_makes_no_folder(smtp: Moody, box: MailConnection) -> None:
    through(smtp, save_sent_to=box.name)
    first = refused(smtp, BOB, act=send(BOB))
    with pytest.raises(MessageError, match="no copy of it"):
        mailconn.send_again(first.message_id)
    with mailconn.connect_imap(box) as session:
        assert session.folders().names == ["INBOX"]


def test_whoever_may_have_it_gets_it_only_where_that_is_asked_for(smtp: Moody) -> None:
    through(smtp)
    first = refused(smtp, BOB, act=send(ANA, BOB))
    doubt = {EVE: Fate("unknown")}
    LogFile().add([LogEntry(datetime.now(UTC), "out", first.subject, first.message_id, first.size, doubt)])
    with pytest.warns(MailConnWarning, match=rf"may have reached {EVE} \(unknown\), and is sent there again only with"):
        assert mailconn.send_again(first).accepted == (BOB,)
    with pytest.raises(MessageError, match="only with unknown=True") as info:
        mailconn.send_again(first)
    assert "(--unknown)" in info.value.message
    assert mailconn.send_again(first, unknown=True).accepted == (EVE,)
    assert outcomes()[EVE] == ("accepted", 2)


def test_a_message_that_the_log_does_not_have_is_told(shell: Shell) -> None:
    with pytest.raises(MessageError, match=r"<9@example\.org> is not in the log of sent mail"):
        mailconn.send_again("<9@example.org>")
    assert "abc1234 is not in the log of sent mail." in shell.fails("%mailconn sent --again abc1234")
    assert "belong to --again" in shell.fails("%mailconn sent --dry-run")
    assert "leave out NAME, --since, --to and --subject" in shell.fails("%mailconn sent --again abc1234 --to bob")
    assert "not allowed with argument" in shell.fails("%mailconn sent --again abc1234 --off")


def test_an_id_that_several_messages_may_have_is_told() -> None:
    fates = {BOB: Fate("refused")}
    entries = [LogEntry(datetime.now(UTC), "out", "x", f"<{number}@example.test>", 1, fates) for number in range(400)]
    LogFile().add(entries)
    short = next(one.key[:4] for one, other in itertools.combinations(entries, 2) if one.key[:4] == other.key[:4])
    with pytest.raises(MessageError, match=f"{short} may be one of 2 messages: ") as info:
        mailconn.send_again(short)
    assert info.value.hint == "Give the whole Message-ID."


def test_what_belongs_to_no_connection_asks_for_one(smtp: Moody) -> None:
    LogFile().add([LogEntry(datetime.now(UTC), "", "Churn", "<1@example.test>", 1, {BOB: Fate("refused")})])
    with pytest.raises(MessageError, match="through a session that belongs to no connection"):
        mailconn.send_again("<1@example.test>")
