"""Messages that Graph does not take whole: a draft, its attachments by themselves, and then it is sent."""

from __future__ import annotations

import email
import random
import traceback
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.errors import MailConnWarning
from mailconn_jupyter.message.compose import compose
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.graph.attached_files import is_sealed, take_apart
from tests.servers import Certificates
from tests.servers.graph import Answer, Cut, GraphServer, answer, error, html, options_for
from tests.support.isolation import give_password

TOKEN = "eyJ0eXAiOiJKV1QiLCJub25jZSI6Ij.large-test-token.c2lnbmF0dXJl"
MB = 10**6
CHUNK = 12 * 320 * 1024


@pytest.fixture
def graph(certificates: Certificates) -> Iterator[GraphServer]:
    with GraphServer(certificates.good.server_context(), TOKEN) as server:
        yield server


@pytest.fixture
def connection(graph: GraphServer, certificates: Certificates) -> MailConnection:
    give_password("ops", TOKEN)
    return MailConnection(**options_for(graph, certificates))


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def letter(attachments: dict[str, bytes], **more: Any) -> EmailMessage:
    given: dict[str, Any] = {"sender": "Ана <ana@company.example>", "bcc": "carl@example.org"} | more
    return compose("bea@example.org", "Выручка", "Three things moved:", attachments=attachments, limit=None, **given)


def sent(connection: MailConnection, message: EmailMessage) -> None:
    with connect(connection) as session, pytest.warns(MailConnWarning, match="Exchange rebuilds it around the bytes"):
        assert session.send_message(message) == {}


def kept(message: EmailMessage) -> list[tuple[str, str]]:
    """Its headers but those of its form."""
    return [(name, str(value)) for name, value in message.items() if not name.startswith("Content-")]


TWENTY = {"небо.bin": noise(11 * MB), "small.bin": noise(1000, 2), "b.bin": noise(9 * MB, 3)}


def test_twenty_megabytes_arrive_byte_for_byte_with_a_cut_between_two_chunks(
    graph: GraphServer, connection: MailConnection
) -> None:
    # The first chunk arrives; the link of the second breaks, once before anything of it is looked at, once behind it.
    graph.script["PUT upload"] = [None, Cut(), Cut(done=True)]
    message = letter(TWENTY)
    sent(connection, message)
    (done,) = graph.sent
    assert done.files == TWENTY
    assert list(done.files) == list(TWENTY)
    rest = email.message_from_bytes(done.mime, policy=default)
    assert kept(rest) == kept(message)
    assert rest["Bcc"] == "carl@example.org"
    assert list(rest.iter_attachments()) == []
    assert "Three things moved:" in rest.get_body().get_content()  # type: ignore[union-attr]
    assert graph.drafts == {}
    assert graph.deleted == []
    puts = [one for one in graph.asked if one.method == "PUT"]
    assert {one.size for one in puts} == {CHUNK, 11 * MB % CHUNK, 9 * MB % CHUNK}
    assert sum(one.method == "GET" for one in graph.asked) == 2


def test_an_upload_goes_to_its_own_address_without_the_token(graph: GraphServer, connection: MailConnection) -> None:
    sent(connection, letter({"a.bin": noise(4 * MB)}))
    for one in graph.asked:
        assert ("authorization" in one.headers) is not one.path.startswith("/upload/")
        assert one.headers["host"].startswith("127.0.0.1" if one.path.startswith("/upload/") else "localhost")


def test_every_link_comes_from_the_address_that_was_chosen(graph: GraphServer, connection: MailConnection) -> None:
    with connect(connection, source_address=("127.0.0.7", 0)) as session, pytest.warns(MailConnWarning):
        session.send_message(letter({"a.bin": noise(4 * MB)}))
    assert len(graph.asked) > 4
    assert {one.peer for one in graph.asked} == {"127.0.0.7"}


@pytest.mark.parametrize(
    ("size", "how"),
    [(2_999_999, "attachments"), (3_000_000, "both"), (3 * 2**20 - 1, "both"), (3 * 2**20, "createUploadSession")],
)
def test_what_is_under_three_megabytes_is_attached_by_one_request_whichever_megabyte_is_meant(
    size: int, how: str, graph: GraphServer, connection: MailConnection
) -> None:
    file = noise(size)
    sent(connection, letter({"a.bin": file}))
    assert graph.sent[0].files == {"a.bin": file}
    words = ["attachments", "createUploadSession"] if how == "both" else [how]
    assert [word for word in ("attachments", "createUploadSession") if graph.count("POST", f"/{word}")] == words


def test_an_image_in_the_text_stays_one_also_where_it_is_large(graph: GraphServer, connection: MailConnection) -> None:
    message = letter({"a.bin": noise(10)})
    html_part = EmailMessage()
    html_part.set_content('<img src="cid:plot@x">', subtype="html")
    image = noise(4 * MB, 5)
    html_part.add_related(image, "image", "png", cid="<plot@x>")
    message.set_payload([html_part, *list(message.get_payload())[1:]])
    sent(connection, message)
    (done,) = graph.sent
    assert done.files["attachment"] == image
    inline = next(about for about in done.about if about["name"] == "attachment")
    assert (inline["contentId"], inline["isInline"], inline["contentType"]) == ("plot@x", True, "image/png")
    assert b'<img src="cid:plot@x">' in done.mime


def test_a_draft_that_could_not_be_sent_is_deleted(graph: GraphServer, connection: MailConnection) -> None:
    no = error(403, "ErrorMessageSubmissionBlocked", "Blocked.")
    for place in ("POST attachments", "POST createUploadSession", "PUT upload", "POST send"):
        graph.script[place] = [no]
        with pytest.warns(MailConnWarning), pytest.raises(mailconn.DeliveryError) as caught:
            mailconn.send(connection, "bea@example.org", "x", "y", attachments=ATTACHED, limit=None)
        (outcome,) = caught.value.report.outcomes
        assert (outcome.outcome, outcome.code) == ("refused", 403), place
        assert graph.drafts == {}
    assert len(graph.deleted) == 4
    assert graph.sent == []


ATTACHED = {"large.bin": noise(4 * MB), "small.bin": noise(10)}


def test_without_the_right_to_make_a_draft_nothing_is_sent_and_the_right_is_named(
    graph: GraphServer, connection: MailConnection
) -> None:
    graph.permissions = {"Mail.Send"}
    with connect(connection) as session, pytest.warns(MailConnWarning), pytest.raises(mailconn.Refused) as caught:
        session.send_message(letter(ATTACHED))
    assert "Mail.ReadWrite" in caught.value.hint
    with pytest.warns(MailConnWarning), pytest.raises(mailconn.DeliveryError) as failed:
        mailconn.send(connection, "bea@example.org", "x", "y", attachments=ATTACHED, limit=None)
    assert failed.value.hint.startswith(
        "As far as is known, nobody has received it. The app needs the permission Mail.Send"
    )
    assert (graph.drafts, graph.sent) == ({}, [])


def test_an_interrupt_leaves_no_draft(
    graph: GraphServer, connection: MailConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mailconn_jupyter.session.graph.client.GraphClient.put", interrupted)
    with connect(connection) as session, pytest.warns(MailConnWarning), pytest.raises(KeyboardInterrupt):
        session.send_message(letter(ATTACHED))
    assert len(graph.deleted) == 1
    assert (graph.drafts, graph.sent) == ({}, [])


def test_a_draft_that_can_neither_be_sent_nor_deleted_is_named(graph: GraphServer, connection: MailConnection) -> None:
    graph.script["POST send"] = [error(400, "ErrorInvalidRecipients", "No.")]
    graph.script["DELETE AAMk0="] = [error(403, "ErrorAccessDenied", "No.")]
    with (
        connect(connection) as session,
        pytest.warns(MailConnWarning) as warned,
        pytest.raises(mailconn.Refused, match="ErrorInvalidRecipients"),
    ):
        session.send_message(letter(ATTACHED))
    assert "its draft is left in Drafts: Graph refused it: 403 ErrorAccessDenied" in str(warned[-1].message)


@pytest.mark.parametrize("what", [Cut(), Cut(done=True), html(504)])
def test_a_lost_reply_to_the_sending_of_a_draft_is_unknown_and_the_draft_is_left_alone(
    what: Cut | Answer, graph: GraphServer, connection: MailConnection
) -> None:
    graph.script["POST send"] = [what]
    with pytest.warns(MailConnWarning), pytest.raises(mailconn.DeliveryError) as caught:
        mailconn.send(connection, "bea@example.org", "x", "y", attachments=ATTACHED, limit=None)
    assert caught.value.report.unknown == ("bea@example.org",)
    assert graph.count("POST", "/send") == 1
    assert graph.deleted == []


@pytest.mark.parametrize("place", ["POST messages", "POST attachments", "POST createUploadSession"])
def test_a_reply_that_got_lost_before_that_leaves_nobody_in_doubt(
    place: str, graph: GraphServer, connection: MailConnection
) -> None:
    graph.script[place] = [Cut(done=True)]
    with pytest.warns(MailConnWarning), pytest.raises(mailconn.DeliveryError) as caught:
        mailconn.send(connection, "bea@example.org", "x", "y", attachments=ATTACHED, limit=None)
    assert [outcome.outcome for outcome in caught.value.report.outcomes] == ["not sent"]
    assert graph.count("POST", "/send") == 0
    assert bool(graph.drafts) is (place == "POST messages")


def test_a_server_that_takes_no_more_of_a_file_is_not_asked_for_ever(
    graph: GraphServer, connection: MailConnection
) -> None:
    graph.script["PUT upload"] = [answer(200, nextExpectedRanges=["0"])] * 20
    with (
        connect(connection) as session,
        pytest.warns(MailConnWarning),
        pytest.raises(mailconn.LinkLost, match="no more of"),
    ):
        session.send_message(letter(ATTACHED))
    assert sum(one.method == "PUT" for one in graph.asked) == 4
    assert len(graph.deleted) == 1


@pytest.mark.parametrize(
    "ranges",
    [["3932160-", "0-"], ["9" * 5000], ["-5"], ["99999999999-"], ["٣-"]],
    ids=["to and fro", "of 5000 digits", "below zero", "behind the end", "other digits"],
)
def test_a_server_whose_places_in_a_file_make_no_sense_is_left_soon_and_the_draft_is_deleted(
    ranges: list[str], graph: GraphServer, connection: MailConnection
) -> None:
    for method in ("PUT", "GET"):
        graph.script[f"{method} upload"] = [answer(200, nextExpectedRanges=[each]) for each in ranges * 20]
    with connect(connection) as session, pytest.warns(MailConnWarning), pytest.raises(mailconn.LinkLost):
        session.send_message(letter(ATTACHED))
    assert sum(one.path.startswith("/upload/") for one in graph.asked) <= 6
    assert len(graph.deleted) == 1
    assert graph.sent == []


def test_a_chunk_that_graph_has_no_time_for_is_sent_again(
    graph: GraphServer, connection: MailConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("mailconn_jupyter.transport.deadline.Limit.sleep", lambda _, seconds: slept.append(seconds))
    graph.script["PUT upload"] = [None, error(503, "Busy", "Later.", Retry_After="3"), html(500)]
    sent(connection, letter({"a.bin": TWENTY["b.bin"]}))
    assert graph.sent[0].files == {"a.bin": TWENTY["b.bin"]}
    assert slept == [3.0]


@pytest.mark.parametrize("scheme", ["http", "ftp", "https://ana:pw@"])
def test_an_upload_goes_over_verified_https_alone(scheme: str, graph: GraphServer, connection: MailConnection) -> None:
    graph.upload_scheme = scheme
    with (
        connect(connection) as session,
        pytest.warns(MailConnWarning),
        pytest.raises(mailconn.LinkLost, match="no https address"),
    ):
        session.send_message(letter(ATTACHED))
    assert not any(one.path.startswith("/upload/") for one in graph.asked)
    assert len(graph.deleted) == 1


def test_what_accepts_graphs_certificate_does_not_accept_that_of_an_upload(
    graph: GraphServer, connection: MailConnection, certificates: Certificates
) -> None:
    connection.update(ca_file="", trusted_hosts=f"localhost=sha256:{certificates.good.sha256}")
    with (
        connect(connection) as session,
        pytest.warns(MailConnWarning),
        pytest.raises(mailconn.LinkLost, match="unknown authority"),
    ):
        session.send_message(letter(ATTACHED))
    assert not any(one.path.startswith("/upload/") for one in graph.asked)


# What is good only as it is


def signed(size: int) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "ana@company.example", "bea@example.org", "signed"
    message.set_content("text")
    message.add_attachment(noise(size), "application", "octet-stream", filename="a.bin")
    inner = message.as_bytes().partition(b"\n\n")[2]
    assert inner
    message.set_type("multipart/signed")
    return message


def test_what_is_signed_goes_whole_or_not_at_all(graph: GraphServer, connection: MailConnection) -> None:
    with connect(connection) as session:
        session.send_message(signed(1000))
        with pytest.raises(mailconn.MessageError) as caught:
            session.send_message(signed(4 * MB))
    assert "a signed or encrypted message must stay as it is" in caught.value.message
    assert len(graph.sent) == 1
    assert graph.count("POST", "/messages") == 0


@pytest.mark.parametrize(
    ("kind", "sealed"),
    [
        ("application/pkcs7-mime", True),
        ("application/x-pkcs7-mime", True),
        ("multipart/encrypted", True),
        ("text/x", False),
    ],
)
def test_what_is_encrypted_is_known_by_its_type(kind: str, sealed: bool) -> None:
    message = EmailMessage()
    message["Content-Type"] = kind
    assert is_sealed(message) is sealed


def test_an_attachment_of_over_150_megabytes_is_refused_before_anything_is_sent(
    graph: GraphServer, connection: MailConnection
) -> None:
    message = letter({"huge.bin": bytes(150 * MB + 1)})
    with connect(connection) as session, pytest.raises(mailconn.MessageError, match=r"'huge\.bin' is 150\.0 MB"):
        session.send_message(message)
    assert graph.count("POST", "/messages") == 0


# Taking apart


def test_a_message_within_a_message_is_a_file_of_its_bytes() -> None:
    inner = EmailMessage()
    inner["Subject"] = "inner"
    inner.set_content("text")
    message = letter({})
    message.add_attachment(inner)
    rest, (file,) = take_apart(message)
    assert (file.name, file.kind) == ("message.eml", "message/rfc822")
    assert email.message_from_bytes(file.data)["Subject"] == "inner"
    assert list(rest.iter_attachments()) == []  # type: ignore[attr-defined]


def test_a_message_that_is_nothing_but_a_file_keeps_its_headers_and_an_empty_text() -> None:
    message = EmailMessage()
    message["Subject"] = "only a file"
    message.set_content(b"data", "application", "octet-stream", disposition="attachment", filename="a.bin")
    rest, (file,) = take_apart(message)
    assert (file.name, file.data) == ("a.bin", b"data")
    assert (rest["Subject"], rest.get_content_type(), rest.get_payload()) == ("only a file", "text/plain", "")
    assert message["Content-Disposition"] is not None
    both = letter({"a.bin": b"x"})
    both.set_payload(list(both.get_payload())[1:])
    rest, files = take_apart(both)
    assert len(files) == 1
    assert not rest.is_multipart()


# No secret


def test_an_uploads_address_is_in_no_transcript_error_or_traceback(
    graph: GraphServer, connection: MailConnection
) -> None:
    graph.script["PUT upload"] = [error(400, "ErrorInvalid", "What is {path}?")]
    with connect(connection) as session, pytest.warns(MailConnWarning), pytest.raises(mailconn.Refused) as caught:
        session.send_message(letter(ATTACHED))
    told = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    told += str(session.transcript) + repr(vars(session.client))
    (secret,) = graph.upload_secrets
    assert "upload: bytes 0-3932159/4000000" in told
    assert "What is /upload/0?authtoken=********?" in told
    assert secret not in told
    assert TOKEN not in told.replace(repr(TOKEN), "")
