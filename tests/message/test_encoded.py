from __future__ import annotations

import base64
import copy
import email
import email.policy
import io
import pickle
import random
import smtplib
import tracemalloc
from email.message import EmailMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

from hypothesis import given, settings, strategies as st

from mailconn_jupyter.message.compose import compose
from mailconn_jupyter.message.mime.encoded_part import EncodedPart, encoded_length, lines_of
from mailconn_jupyter.message.mime.wire_format import Wire, as_bytes, normalised, stuffed, wired
from mailconn_jupyter.message.render.part import File, Part
from tests.support.composed import attached, travelled


@given(st.integers(0, 200_000))
@settings(max_examples=30)
def test_a_file_of_any_length_is_base64_as_the_standard_library_makes_it(size: int) -> None:
    data = random.Random(size).randbytes(size)
    assert b"".join(lines_of(data, b"\n")) == base64.encodebytes(data)
    assert encoded_length(data) == len(b"".join(lines_of(data)))


def test_lines_that_a_renderer_wrote_travel_without_growing() -> None:
    data = b"a,b\r\n1,2\r\n" * 10_000
    message = compose("ana@example.org", "x", Part("x", files=(File("a.csv", data, as_lines=True),)))
    assert len(as_bytes(message, utf8=False, eight_bit=False)) < len(data) + 2000
    assert attached(travelled(message)) == {"a.csv": data}


def test_an_attachment_is_like_any_other_part_to_who_reads_or_changes_the_message() -> None:
    message = compose("ana@example.org", "x", "y", attachments={"a.bin": b"\0\1", "b.bin": b"\2"})
    first, second = message.iter_attachments()
    assert first.get_payload() == "AAE=\n"
    assert first.get_content() == b"\0\1"
    copied = copy.deepcopy(pickle.loads(pickle.dumps(message)))
    assert attached(travelled(copied)) == {"a.bin": b"\0\1", "b.bin": b"\2"}
    second.set_content(b"other", "application", "octet-stream", filename="b.bin")
    for read in (travelled(message), email.message_from_bytes(message.as_bytes(), policy=email.policy.default)):
        assert isinstance(read, EmailMessage)
        assert attached(read) == {"a.bin": b"\0\1", "b.bin": b"other"}


def test_the_message_is_the_same_after_it_was_sent() -> None:
    message = compose("ana@example.org", "x", "y", bcc="eve@example.org", attachments={"a.bin": b"\0" * 100})
    before = message.as_bytes()
    once, twice = (as_bytes(message, utf8=False, eight_bit=False) for _ in range(2))
    assert once == twice
    assert message.as_bytes() == before
    # What the standard library writes, without the line of Bcc.
    lines = [line for line in before.split(b"\n") if not line.startswith(b"Bcc:")]
    assert once == b"\r\n".join(lines)


def test_a_part_that_stands_in_a_message_of_another_kind_is_written_too() -> None:
    outer = MIMEMultipart()
    outer.attach(MIMEText("words"))
    part = EncodedPart(bytes(range(256)))
    part.set_raw("Content-Type", "application/octet-stream")
    part.set_raw("Content-Transfer-Encoding", "base64")
    outer.attach(part)
    read = email.message_from_bytes(as_bytes(outer, utf8=False, eight_bit=True), policy=email.policy.default)
    assert isinstance(read, EmailMessage)
    assert [part.get_content() for part in read.iter_attachments()] == [bytes(range(256))]


@given(st.lists(st.sampled_from([b".", b"..", b"\r\n", b"a", b"\r\n.\r\n", b"\n", b"\r"])))
def test_a_message_in_pieces_is_stuffed_as_the_whole_is(pieces: list[bytes]) -> None:
    whole = normalised(b"".join(pieces))
    assert bytes(Wire(whole).stuffed()) == stuffed(whole) == smtplib._quote_periods(whole) + b".\r\n"  # type: ignore[attr-defined]
    part = EncodedPart(b"\0" * 60)
    mixed = Wire(whole, part, whole)
    assert bytes(mixed.stuffed()) == stuffed(bytes(mixed))
    assert len(mixed) == len(bytes(mixed))
    assert len(mixed.stuffed()) == len(stuffed(bytes(mixed)))


def test_a_large_attachment_takes_its_own_size_of_memory_and_little_more() -> None:
    size = 8_000_000
    file = io.BytesIO(bytes(size))
    file.name = "large.bin"
    tracemalloc.start()
    try:
        message = compose("ana@example.org", "x", "y", attachments=file)
        wire = wired(message, utf8=False, eight_bit=True).stuffed()
        sent = sum(map(len, wire))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sent == len(wire) > size * 4 / 3
    assert peak < 1.5 * size
