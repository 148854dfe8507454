"""What people write, and what a type checker must know of it. It is never run."""

from __future__ import annotations

import mailbox
import poplib
import smtplib
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Literal, assert_type

import imap_tools

import mailconn_jupyter as mailconn
from mailconn_jupyter import (
    GraphSession,
    IMAPSession,
    MailConnection,
    MBOXSession,
    POP3Session,
    SMTPSession,
)


def options(any_options: dict[str, Any]) -> None:
    connection = MailConnection(
        name="ops", protocol="smtp", server_port="${PORT}", timeout=3, trusted_hosts=["a.example", "b.example"]
    )
    MailConnection(**any_options)
    assert_type(connection.protocol, Literal["SMTP", "IMAP", "POP3", "MBOX", "GRAPH"])
    assert_type(connection.server_host, str)
    assert_type(connection.server_port, int | str | None)
    assert_type(connection.trusted_hosts, str)
    assert_type(connection.timeout, float)
    assert_type(connection.use_proxy, bool)
    connection.timeout = 5
    connection.trusted_hosts = {"a.example"}
    connection.update(server_port=2525, use_proxy="off")
    assert_type(connection.copy(timeout=3), MailConnection)
    assert_type(mailconn.connections.update("ops", timeout=3), MailConnection)


def sessions(msg: EmailMessage) -> None:
    with mailconn.connect_smtp("ops") as smtp:
        assert_type(smtp, SMTPSession)
        assert_type(smtp.send_message(msg), dict[str, tuple[int, bytes]])
    with mailconn.connect_imap("inbox", readonly=True) as inbox:
        assert_type(inbox, IMAPSession)
        for message in inbox.fetch(limit=3):
            print(message.subject)  # noqa: T201  # as people do
    with mailconn.connect_pop3("old") as pop:
        assert_type(pop, POP3Session)
        assert_type(pop.stat(), tuple[int, int])
    with mailconn.open_mbox("archive") as box:
        assert_type(box, MBOXSession)
        print(box[0]["Subject"], len(box), box.keys()[0])  # noqa: T201  # as above

    with mailconn.connect_graph("cloud") as cloud:
        assert_type(cloud, GraphSession)
        assert_type(cloud.send_message(msg), dict[str, tuple[int, bytes]])
        mailconn.send(cloud, "ana@example.org", "Hello", "text")


def libraries_take_them(which: str) -> None:
    def smtp(session: smtplib.SMTP) -> None: ...
    def imap(session: imap_tools.BaseMailBox) -> None: ...
    def pop3(session: poplib.POP3) -> None: ...
    def mbox(session: mailbox.mbox) -> None: ...

    # Which it is only the name knows.
    with mailconn.connect(which) as session:
        smtp(session)
        imap(session)
        pop3(session)
        mbox(session)
        mailconn.send(session, "ana@example.org", "Hello", "")
        mailconn.messages(session)
    smtp(mailconn.connect_smtp())
    imap(mailconn.connect_imap())
    pop3(mailconn.connect_pop3())
    mbox(mailconn.open_mbox())
    mailconn.messages(mailconn.connect_imap())
    mailconn.messages("inbox", text="invoice", flagged=True, larger="1 MB", has_attachment=True)
    mailconn.to_frame("inbox", text="invoice", larger=1_000_000)
    mailconn.to_frame("inbox", text=True)
    mailconn.send(
        smtplib.SMTP("localhost"), ["ana@example.org"], mailconn.Template("{{ n }} rows"), "", variables={"n": 3}
    )


def results(message: EmailMessage) -> None:
    assert_type(mailconn.compose("ana@example.org", "Hello", "text", cc=["bob@example.org"], rows=3), EmailMessage)
    report = mailconn.send(
        "ops", "ana@example.org", "Hello", "text", zip="10 MB", headers={"X-Run": "47"}, dry_run=True
    )
    assert_type(report, mailconn.SendReport)
    mailconn.send("ops", "ana@example.org", "", "Thanks.", reply_to_message=next(mailconn.messages("inbox")))
    mailconn.send("ops", "ana@example.org", "", "Thanks.", reply_to_message=report)
    mailconn.compose("ana@example.org", "", "x", reply_to_message={"message_id": "<1@example.org>", "subject": "x"})
    mailconn.compose("ana@example.org", "", "Thanks.", reply_to_message=mailconn.sent(to="ana").iloc[0])
    mailconn.save_draft("inbox", "ana@example.org", "Hello", "text", reply_to_message="<1@example.org>")
    mailconn.send_notebook("ops", "ana@example.org", reply_to_message=message)
    assert_type(mailconn.send_again(report, dry_run=True), mailconn.SendReport)
    mailconn.send_again("<1@example.org>", mailconn.connect_smtp(), message=message, unknown=True)
    assert_type(report.outcomes, tuple[mailconn.Outcome, ...])
    assert_type(mailconn.preview(message), mailconn.Preview)
    found = mailconn.messages("inbox")
    assert_type(found, mailconn.Messages)
    assert_type(found.move("Archive", dry_run=True), mailconn.ActionReport)
    assert_type(next(found).reply("Thanks.", everybody=True), EmailMessage)
    assert_type(mailconn.Messages([next(found)]).delete(expunge=True), mailconn.ActionReport)
    assert_type(mailconn.discover("ana@example.org"), mailconn.Settings)
    assert_type(report.follow_up("inbox", since="3 days"), mailconn.FollowUp)
    assert_type(mailconn.follow_up(report, mailconn.connect_imap()), mailconn.FollowUp)
    assert_type(mailconn.follow_up(Path("invoices.sqlite3"), folder="Bounces").counts, dict[str, int])
    mailconn.bounces("inbox", since="3 days", limit=100)
    mailconn.validate(["ana@example.org"], mx=False)
    for one in mailconn.load_connections("msmtprc", source="msmtp", name="ops"):
        assert_type(one, mailconn.FoundConnection)
        assert_type(one.connection, mailconn.MailConnection)
    assert_type(mailconn.export_connection("ops", to="hop"), mailconn.Exported)
    assert_type(mailconn.set_password("ops"), str)
    assert_type(mailconn.forget_password("ops", proxy=True), str)


def merging(rows: list[dict[str, Any]], frame: Any) -> None:
    merge = mailconn.merge(
        rows,
        to="{{ name }} <{{ email }}>",
        subject=lambda row: f"Hello {row.name}",
        content=["Dear {{ name }},", mailconn.Template("# {{ id }}"), lambda row: row["table"]],
        key="id",
        cc=["boss@example.org", lambda row: row.manager],
        headers={"List-Unsubscribe": "<https://example.org/?id={{ id }}>"},
        attachments={"{{ id }}.csv": frame},
        table_rows=3,
        doubles=True,
    )
    assert_type(merge, mailconn.Merge)
    assert_type(merge[3], mailconn.MergedMessage)
    assert_type(merge[:3], list[mailconn.MergedMessage])
    assert_type(len(merge), int)
    assert_type([message.key for message in merge], list[str | None])
    mailconn.preview(mailconn.merge(frame, to="email", subject="Hello", content=frame)[0])
    try:
        mailconn.merge(frame, to="email", subject=mailconn.Template("{{ x }}", "text"), content="Text")
    except mailconn.MergeError as error:
        assert_type(error.faults[0].row, int)


def renderer(value: Path, _options: object) -> mailconn.Part:
    return mailconn.Part(str(value))


def objects_of_ones_own() -> None:
    mailconn.register(Path, renderer)
    mailconn.unregister(renderer)


def errors() -> None:
    try:
        mailconn.send("ops", "ana@example.org", "Hello", "text")
    except mailconn.DeliveryError as error:
        assert_type(error.report, mailconn.SendReport)
    except (mailconn.Refused, mailconn.DeliveryUnknown, mailconn.LinkLost, mailconn.MessageError) as error:
        assert_type(error.hint, str)
