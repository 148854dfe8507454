"""Results as their reader gets them: through a real Postfix, from the recipient's mailbox, by the standard parser."""

from __future__ import annotations

import email
import email.policy
import re
import string
import zipfile
from collections.abc import Iterator
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.delivery.send import send
from mailconn_jupyter.errors import MessageError
from mailconn_jupyter.message.compose import compose
from mailconn_jupyter.message.file_names import file_name
from mailconn_jupyter.message.mime.wire_format import as_bytes
from mailconn_jupyter.message.render.image.dimensions import dimensions
from mailconn_jupyter.message.render.words import Preformatted
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.smtp.session import SMTPSession
from tests.servers.certificates import Certificates
from tests.servers.postfix import Postfix
from tests.support.composed import attached, html_of, tags_of, text_of, travelled
from tests.support.results import KINDS, Kind, figure, png, table

SENDER, SECRET_READER = "bob@example.test", "carol@example.test"


@pytest.fixture(scope="module")
def session(postfix: Postfix, certificates: Certificates) -> Iterator[SMTPSession]:
    connection = MailConnection(
        name="big",
        server_host="localhost",
        server_port=postfix.big,
        secure_authentication_type="TLS",
        ca_file=str(certificates.ca.pem),
        from_address=SENDER,
    )
    with connect(connection) as opened:
        yield opened


def delivered(postfix: Postfix, session: SMTPSession, *content: object, **options: Any) -> tuple[EmailMessage, bytes]:
    """What alice found in her mailbox, parsed and as it lay there."""
    report = send(session, "Ana Ünal <alice@example.test>", "Results: 結果 für alle", *content, **options)
    assert report.ok
    raw = postfix.wait_for("alice", report.message_id)
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert str(message["Message-ID"]) == report.message_id
    return message, raw


def images_of(message: EmailMessage) -> dict[str, bytes]:
    return {
        f"cid:{str(part['Content-ID']).strip('<>')}": part.get_content()
        for part in message.walk()
        if part["Content-ID"]
    }


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_each_kind_of_result_is_whole_in_the_recipients_mailbox(
    kind: Kind, postfix: Postfix, session: SMTPSession
) -> None:
    message, raw = delivered(postfix, session, kind.make(), bcc=SECRET_READER)
    assert str(message["Subject"]) == "Results: 結果 für alle"
    assert str(message["To"]) == "Ana Ünal <alice@example.test>"
    assert str(message["From"]) == SENDER
    assert message["Date"].datetime.tzinfo is not None
    assert message["Bcc"] is None
    # The server's own lines about the delivery name alice alone.
    assert SECRET_READER.encode() not in raw
    assert max(map(len, raw.splitlines())) <= 998
    assert not [defect for part in message.walk() for defect in part.defects]
    text = text_of(message)
    for words in kind.says:
        assert words in text
    assert "<td" not in text
    assert "object at 0x" not in text
    assert list(attached(message)) == list(kind.files)
    images = images_of(message)
    assert len(images) == kind.pictures
    if not kind.html:
        assert message.get_content_type() == "text/plain"
        return
    html = html_of(message)
    assert html.startswith("<!DOCTYPE html>")
    assert html.rstrip().endswith("</body></html>")
    shown = [attributes for tag, attributes in tags_of(html) if tag == "img"]
    assert {attributes["src"] for attributes in shown} == set(images)
    for attributes in shown:
        assert attributes["alt"]
        own = dimensions(images[attributes["src"]])
        assert own is not None
        # Its pixels, or half of them for a retina image; for Outlook no more than a narrow pane has.
        sizes = [own, (round(own[0] / 2), round(own[1] / 2))]
        sizes += [(572, round(high * 572 / wide)) for wide, high in sizes if wide > 572]
        assert (int(attributes["width"]), int(attributes["height"])) in sizes


def test_bcc_recipients_get_the_message_and_nobody_sees_that(postfix: Postfix, session: SMTPSession) -> None:
    _, raw = delivered(postfix, session, "A word.", cc="dave@example.test", bcc=SECRET_READER)
    identity = re.search(rb"(?m)^Message-ID: (\S+)", raw)
    assert identity is not None
    for reader in ("carol", "dave"):
        copy = postfix.wait_for(reader, identity.group(1))
        assert b"Bcc" not in copy
        assert b"Cc: dave@example.test" in copy


def test_everything_at_once_arrives_in_its_order_and_once(postfix: Postfix, session: SMTPSession) -> None:
    kinds = {name: kind for name, kind in KINDS.items() if name not in {"plotly", "altair"}}
    message, _ = delivered(postfix, session, *(kind.make() for kind in kinds.values()))
    text, place = text_of(message), 0
    for kind in kinds.values():
        for words in kind.says:
            assert words in text[place:]
        place = text.index(kind.says[0], place) if kind.says else place
    # The axes' figure is the figure, and sent once.
    assert len(images_of(message)) == sum(kind.pictures for kind in kinds.values()) - 1
    assert list(attached(message)) == [name for kind in kinds.values() for name in kind.files]


def test_attachments_of_every_sort_arrive_byte_for_byte(tmp_path: Path, postfix: Postfix, session: SMTPSession) -> None:
    every_byte = bytes(range(256)) * 300
    files = {
        "noise.bin": every_byte,
        "unix.txt": b"From here\n.\n..two dots\nno end",
        "dos.txt": b"one\r\n.\r\n\r\n",
        "mixed.txt": b"a\r\nb\nc\rd",
        "long-line.txt": b"x" * 5000 + b"\r\n",
        "empty.csv": b"",
        'Übersicht für 東京; "Q3".csv': "Größe,東京\r\n1,2\r\n".encode(),
        "zero\x00.dat": b"\0",
    }
    on_disk = tmp_path / "report (final).pdf"
    on_disk.write_bytes(b"%PDF-1.7\n" + every_byte)
    handle = BytesIO(every_byte[:1000])
    handle.name = "from-a-file-object.bin"
    frame = table()
    message, _ = delivered(
        postfix,
        session,
        "All of them.",
        attachments=[
            files,
            on_disk,
            ("pair.bin", b"\r\n\0"),
            handle,
            {"t.csv": frame, "t.xlsx": frame, "p.png": figure()},
        ],
    )
    got = attached(message)
    expected = {name.replace("\x00", ""): data for name, data in files.items()}
    expected |= {on_disk.name: on_disk.read_bytes(), "pair.bin": b"\r\n\0", handle.name: every_byte[:1000]}
    assert {name: got[name] for name in expected} == expected
    assert b"N\xc3\xb8rth" in got["t.csv"]
    assert zipfile.ZipFile(BytesIO(got["t.xlsx"])).testzip() is None
    assert got["p.png"].startswith(b"\x89PNG")


@pytest.mark.parametrize("size", [20_000_000, 57 * 512 * 3, 57 * 512 * 3 + 1, 0, 1, 57, 58])
def test_a_file_of_any_size_arrives_byte_for_byte(size: int, postfix: Postfix, session: SMTPSession) -> None:
    data = (bytes(range(251)) * (size // 251 + 1))[:size]
    message, _ = delivered(postfix, session, "Here.", attachments={"large.bin": data}, limit=None)
    assert attached(message)["large.bin"] == data


def test_an_archive_of_all_attachments_arrives_whole(postfix: Postfix, session: SMTPSession) -> None:
    files = {"a.bin": bytes(range(256)), "ü.txt": b"one\r\n"}
    message, _ = delivered(postfix, session, "Zipped.", attachments=files, zip="all of it")
    archive = zipfile.ZipFile(BytesIO(attached(message)["all of it.zip"]))
    assert {name: archive.read(name) for name in archive.namelist()} == files


def test_no_two_messages_have_one_message_id(postfix: Postfix, session: SMTPSession) -> None:
    identities = {str(delivered(postfix, session, "The same.")[0]["Message-ID"]) for _ in range(5)}
    assert len(identities) == 5


def test_two_hundred_figures_and_fifty_megabytes_get_a_clear_answer_before_anything_is_sent(
    postfix: Postfix, session: SMTPSession
) -> None:
    before = len(session.transcript)
    noise = [png(20, 20, f"#{number:06x}") + bytes(250_000) for number in range(200)]
    content = [type("Shot", (), {"_repr_png_": lambda _, data=data: data})() for data in noise]
    with pytest.raises(MessageError) as caught:
        send(session, "alice@example.test", "Too much", *content)
    assert re.match(
        r"The message would be \S+ MB, more than the \S+ MB that it may be, with 200 images", str(caught.value)
    )
    assert "zip" in caught.value.hint
    assert len(session.transcript) == before


def test_fifty_megabytes_of_printed_text_get_a_clear_answer_before_anything_is_sent(session: SMTPSession) -> None:
    before = len(session.transcript)
    with pytest.raises(MessageError, match=r"more than the .* that it may be.*the text"):
        send(session, "alice@example.test", "Too much", Preformatted("0123456789 " * 4_600_000))
    assert len(session.transcript) == before


# Letters of every language, and what mail treats in a special way. Surrogates are no text; controls are taken out.
TEXT = st.text(
    st.one_of(
        st.characters(exclude_categories=("Cs", "Cc", "Co", "Cn", "Zl", "Zp")),
        st.sampled_from("\n\t.=?_<>&\"',;:@()[]\\ " + string.ascii_letters),
    ),
    max_size=300,
)
LINE = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Co", "Cn", "Zl", "Zp", "Cf")), min_size=1, max_size=120
).map(lambda text: " ".join(text.split()))
WORDS = LINE.filter(bool)


def said(text: str) -> str:
    """The text as plain text can say it: no spaces at the ends of lines, no empty lines at its ends."""
    return "\n".join(line.rstrip() for line in text.strip().split("\n"))


def name_in(raw: bytes) -> str:
    """The recipient's name, decoded by RFC 2047.

    By the parser of old: for a name of several encoded words, the one of the default policy keeps the spaces between
    them, in Python 3.11, which RFC 2047, 6.2, tells it to drop.
    """
    words, _ = parseaddr(str(email.message_from_bytes(raw)["To"]))
    decoded = str(make_header(decode_header(words)))
    message = email.message_from_bytes(raw, policy=email.policy.default)
    if words.count("=?") < 2:
        assert message["To"].addresses[0].display_name == decoded
    return decoded


@given(text=TEXT, subject=WORDS, name=WORDS, file=WORDS)
@settings(max_examples=150)
def test_any_text_in_any_language_with_any_names_comes_back_from_the_wire(
    text: str, subject: str, name: str, file: str
) -> None:
    quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    made = compose(f"{quoted} <alice@example.test>", subject, text, sender=SENDER, attachments={f"a{file}.bin": b"\0"})
    message = travelled(made)
    assert said(text_of(message)) == said(text)
    assert str(message["Subject"]) == subject
    assert (name_in(as_bytes(made, utf8=False, eight_bit=True)), message["To"].addresses[0].addr_spec) == (
        name,
        "alice@example.test",
    )
    assert attached(message) == {f"a{file}.bin": b"\0"} or file_name(f"a{file}.bin") != f"a{file}.bin"
    assert list(attached(message).values()) == [b"\0"]


@given(text=TEXT, subject=WORDS, name=WORDS)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_in_any_language_comes_back_from_the_mailbox(
    text: str, subject: str, name: str, postfix: Postfix, session: SMTPSession
) -> None:
    quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    report = send(session, f"{quoted} <alice@example.test>", subject, text)
    raw = postfix.wait_for("alice", report.message_id)
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert said(text_of(message)) == said(text)
    assert str(message["Subject"]) == subject
    assert name_in(raw) == name
