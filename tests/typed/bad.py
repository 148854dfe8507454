"""What a type checker must find: each line says after ``# E:`` the code, and words, of the error that it is. It is never run."""

from __future__ import annotations

# fmt: off
from email.message import EmailMessage

import mailconn_jupyter as mailconn
from mailconn_jupyter import MailConnection, connect, send


def mistakes() -> None:
    MailConnection(server_hots="h")  # E: call-arg "server_hots" for "MailConnection"; did you mean "server_host"
    MailConnection(host="h")  # E: call-arg "host" for "MailConnection"
    MailConnection(server_host=7)  # E: arg-type expected "str"
    MailConnection(server_port=2.5)  # E: arg-type expected "SupportsIndex | str | None"
    MailConnection(use_proxy=None)  # E: arg-type expected "bool | str"
    MailConnection("ops")  # E: call-arg Too many positional arguments for "MailConnection"
    connection = MailConnection(name="ops")
    connection.timout = 3  # E: attr-defined "timout"
    connection.timeout = None  # E: assignment "SupportsFloat | str"
    connection.server_port + 1  # E: operator Unsupported
    _ = connection.protocol == "SMPT"  # E: comparison-overlap Non-overlapping
    connection.update(timout=3)  # E: call-arg "timout" for "update" of "MailConnection"
    connection.copy(server_hots="h")  # E: call-arg "server_hots" for "copy" of "MailConnection"
    mailconn.connections.update("ops", timout=3)  # E: call-arg "timout" for "update" of "ConnectionStore"

    letter = EmailMessage()
    with connect("ops") as session:
        session.send_mesage(letter)  # E: attr-defined "send_mesage"
    with mailconn.connect_smtp("ops") as smtp:
        smtp.send_mesage(letter)  # E: attr-defined "SMTPSession" has no attribute "send_mesage"; maybe "send_message"?
        smtp.fetch()  # E: attr-defined "SMTPSession" has no attribute "fetch"
    with mailconn.connect_imap("inbox") as inbox:
        inbox.fecth()  # E: attr-defined "IMAPSession" has no attribute "fecth"
    with mailconn.connect_pop3("old") as pop:
        pop.retreive([1])  # E: attr-defined "POP3Session" has no attribute "retreive"
    with mailconn.open_mbox("archive", read_only=False) as box:  # E: call-arg "read_only" for "open_mbox"
        box.kyes()  # E: attr-defined "MBOXSession" has no attribute "kyes"
    with mailconn.connect_graph("cloud") as cloud:
        cloud.ehlo()  # E: attr-defined "GraphSession" has no attribute "ehlo"
    mailconn.connect_smtp("ops", readonly=True)  # E: call-arg "readonly" for "connect_smtp"
    connect(7)  # E: arg-type expected "str | MailConnection | None"
    connect("ops", timeout=3)  # E: call-arg "timeout" for "connect"

    send("ops", 42, "s", "t")  # E: arg-type Argument 2 to "send"
    send("ops", "ana@example.org", "s", "t", attachment="x")  # E: call-arg "attachment" for "send"; did you mean "attachments"
    send("ops", "ana@example.org", "s", "t", rows="many")  # E: arg-type "rows" to "send"
    send("ops", "ana@example.org", "s", "t", table_as="xls")  # E: arg-type "table_as" to "send"
    send(connect, "ana@example.org", "s", "t")  # E: arg-type Argument 1 to "send"
    send("ops", "ana@example.org")  # E: call-arg Missing positional argument "subject"
    mailconn.compose("ana@example.org", "s", bbc="eve@example.org")  # E: call-arg "bbc" for "compose"
    mailconn.compose("ana@example.org", "s", reply_to_message=47)  # E: arg-type "reply_to_message" to "compose"
    send("ops", "ana@example.org", "s", "t", reply_to_mesage="<1@example.org>")  # E: call-arg "reply_to_mesage" for "send"; did you mean "reply_to_message"
    mailconn.send_again("<1@example.org>", message="text")  # E: arg-type "message" to "send_again"
    mailconn.send_again("<1@example.org>", again="unknown")  # E: call-arg "again" for "send_again"
    mailconn.send_notebook("ops", "ana@example.org", dryrun=True)  # E: call-arg "dryrun" for "send_notebook"
    mailconn.send_notebook("ops", "ana@example.org", on_error="always")  # E: arg-type "on_error" to "send_notebook"

    mailconn.check("ops", timout=3)  # E: call-arg "timout" for "check"
    mailconn.set_password("ops", pasword="x")  # E: call-arg "pasword" for "set_password"
    mailconn.forget_password()  # E: call-arg Missing positional argument "target"
    mailconn.preview("ops")  # E: arg-type Argument 1 to "preview"
    mailconn.sned("ops", "ana@example.org", "s")  # E: attr-defined "sned"


def mistakes_of_a_merge() -> None:
    mailconn.merge([], to="email", subject="s", contents="c")  # E: call-arg "contents" for "merge"; did you mean "content"
    mailconn.merge([], "email", subject="s", content="c")  # E: call-arg arguments for "merge"
    mailconn.merge([], to=47, subject="s", content="c")  # E: arg-type "to" to "merge"
    mailconn.merge([], to="email", subject="s", content="c", doubles="yes")  # E: arg-type "doubles" to "merge"
    mailconn.merge([], to="email", subject="s", content="c").keys()  # E: attr-defined "Merge" has no attribute "keys"
    mailconn.merge([], to="email", subject="s", content="c")["a"]  # E: call-overload No overload variant of "__getitem__"


def mistakes_of_reading() -> None:
    mailconn.messages(42)  # E: arg-type Argument 1 to "messages"
    mailconn.messages(mailconn.connect_smtp())  # E: arg-type Argument 1 to "messages"
    mailconn.messages("inbox", limt=3)  # E: call-arg "limt" for "messages"; did you mean "limit"
    mailconn.messages("inbox", larger=1.5)  # E: arg-type "larger" to "messages"
    mailconn.messages("inbox").move()  # E: call-arg Missing positional argument "folder"
    mailconn.messages("inbox").delete(dryrun=True)  # E: call-arg "dryrun" for "delete" of "Actions"; did you mean "dry_run"
    mailconn.messages("inbox", has_attachments=True)  # E: call-arg "has_attachments" for "messages"; did you mean "has_attachment"
    mailconn.bounces("inbox", sinse="today")  # E: call-arg "sinse" for "bounces"; did you mean "since"
    mailconn.follow_up(42, "inbox")  # E: arg-type Argument 1 to "follow_up"
    mailconn.validate(42)  # E: arg-type Argument 1 to "validate"
    mailconn.load_connections("msmtprc", source="mstmp")  # E: arg-type "source" to "load_connections"
    mailconn.export_connection("ops", to="mutt")  # E: arg-type "to" to "export_connection"
    mailconn.to_frame("inbox", limt=3)  # E: call-arg "limt" for "to_frame"; did you mean "limit"
    mailconn.to_frame("inbox", since=3)  # E: arg-type "since" to "to_frame"
