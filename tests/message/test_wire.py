"""From a message to bytes: one field a header, and the same lines."""

from __future__ import annotations

import email
import email.policy
import random
import re
from email.message import EmailMessage, Message
from email.policy import SMTP

import pytest
from hypothesis import example, given, settings, strategies as st

from mailconn_jupyter.errors import MessageError
from mailconn_jupyter.message.mime.wire_format import as_bytes, normalised, stuffed, wired
from mailconn_jupyter.message.mime.written_fields import scan_headers, unfolded

FIELD = re.compile(rb"([!-9;-~]+):")
names = st.one_of(
    st.sampled_from(
        ["Subject", "To", "From", "Cc", "Sender", "Date", "Message-ID", "List-Id", "Content-Type", "X-Note"]
    ),
    st.text(st.sampled_from("Xx-Note:\r\n \t\0é"), min_size=1, max_size=8),
)
signs = st.one_of(st.sampled_from(list('\r\n\t \0:;,<>@"\\=?=abé\x85\u2028\x0b\x0c\udcff')), st.characters())
pieces = st.sampled_from(
    ["=?utf-8?q?=0D=0ABcc:_eve@evil.test?=", "=?utf-8?b?DQpCY2M6IGU=?=", "\r\nBcc: e@x", " " * 90, "a" * 200]
)
values = st.lists(st.one_of(st.text(signs, max_size=12), pieces), max_size=6).map("".join)
POLICIES = [email.policy.default, email.policy.SMTPUTF8, email.policy.compat32, email.policy.SMTP]


def fields(data: bytes) -> list[bytes]:
    """The names of the fields, as a server that takes any line end for one reads them."""
    if data.startswith(b"\r\n"):
        return []
    head = data.partition(b"\r\n\r\n")[0]
    lines = re.split(rb"\r\n|\r|\n", head)
    return [match.group(1) if (match := FIELD.match(line)) else b"?" for line in lines if line[:1] not in {b" ", b"\t"}]


@settings(max_examples=300)
@given(names, values, st.sampled_from(POLICIES), st.booleans(), st.sampled_from(["set", "received", "forced"]))
@example("Subject", "x=?utf-8?q?=0D=0ABcc:_eve@evil.test?=", email.policy.default, False, "received")
@example("Subject", "\r\nBcc: eve@evil.test", email.policy.compat32, False, "set")
@example("To", "é@example.test", email.policy.default, False, "set")
def test_a_header_that_is_accepted_is_exactly_one_field(
    name: str, value: str, policy: email.policy.Policy, utf8: bool, how: str
) -> None:
    message = Message(policy) if policy is email.policy.compat32 else EmailMessage(policy)
    try:
        if how == "set":
            message[name] = value
        elif how == "forced":
            message._headers.append((name, value))  # type: ignore[union-attr]
        else:
            raw = f"{name}: {value}\n\n".encode("utf-8", "surrogateescape")
            message = email.message_from_bytes(raw, policy=policy)
    except (ValueError, IndexError, AttributeError, TypeError, LookupError):
        return  # email itself refuses it, one way or another
    given_names = [
        key.encode("utf-8", "replace") for key, _ in message.raw_items() if key.lower() not in {"bcc", "resent-bcc"}
    ]
    message.set_payload("hello\r\n")
    try:
        wire = wired(message, utf8=utf8, eight_bit=True)
    except MessageError:
        return
    data = bytes(wire)
    assert fields(data) == given_names
    assert b"\0" not in data.partition(b"\r\n\r\n")[0]
    if not (utf8 or wire.international) and policy is not email.policy.compat32 and how == "set":
        assert data.isascii(), "without SMTPUTF8 a header is ASCII"


@settings(max_examples=300)
@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"..", b"a", b"\0", b"\xff"]), max_size=12).map(b"".join))
def test_content_keeps_its_lines_and_ends_once(content: bytes) -> None:
    lines = re.split(rb"\r\n|\r|\n", content)
    if lines[-1] == b"":
        lines.pop()
    wire = stuffed(normalised(content))
    assert wire.endswith(b".\r\n")
    received = wire.split(b"\r\n")[:-2]
    assert wire.split(b"\r\n")[-2:] == [b".", b""]
    assert b"." not in received, "the server would take it for the end"
    assert [line[1:] if line.startswith(b".") else line for line in received] == lines
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", wire)
    assert normalised(normalised(content)) == normalised(content)


def test_bcc_is_not_written_and_the_message_keeps_it() -> None:
    message = EmailMessage()
    message["From"], message["Bcc"], message["Resent-Bcc"] = "a@x.test", "b@x.test", "c@x.test"
    message.set_content("hello")
    data = as_bytes(message, utf8=False, eight_bit=True)
    assert b"b@x.test" not in data
    assert b"c@x.test" not in data
    assert message["Bcc"] == "b@x.test"
    assert message["Resent-Bcc"] == "c@x.test"


def test_without_8bitmime_every_part_is_7_bit_and_reads_the_same() -> None:
    message = EmailMessage()
    message.set_content("grüße", cte="8bit")
    message.add_attachment("größer", subtype="plain", cte="8bit", filename="größe.txt")
    data = as_bytes(message, utf8=False, eight_bit=False)
    assert data.isascii()
    read = email.message_from_bytes(data, policy=email.policy.default)
    first, second = read.iter_parts()
    assert (first.get_content().strip(), second.get_content().strip()) == ("grüße", "größer")
    assert second.get_filename() == "größe.txt"


@pytest.mark.parametrize("value", [" " * 300, "a" + " " * 300 + "b", "grüße " * 60, "x" * 990, "\t a"])
def test_a_long_or_blank_value_that_is_one_field_is_written(value: str) -> None:
    message = EmailMessage()
    message["Subject"] = value
    message.set_content("hello")
    scan_headers(message)
    read = email.message_from_bytes(as_bytes(message, utf8=False, eight_bit=True), policy=email.policy.default)
    assert "".join(read["Subject"].split()) == "".join(value.split())


def test_a_header_name_is_printable_ascii_without_a_colon() -> None:
    for name in ("X Note", "X:Note", "X-Nöte", "", "X\r\nBcc"):
        message = Message()
        message._headers.append((name, "x"))  # type: ignore[attr-defined]
        with pytest.raises(MessageError, match="header name"):
            scan_headers(message)


def test_what_cannot_be_serialised_is_an_error_of_the_message() -> None:
    message = EmailMessage()
    message["Subject"] = "x"
    message.set_payload(object())  # type: ignore[call-overload]
    with pytest.raises(MessageError, match="cannot be serialised"):
        as_bytes(message, utf8=False, eight_bit=True)


@pytest.mark.parametrize(
    "kind", ["boundary=(c)x", 'boundary="x', 'boundary*0="x"; boundary*1=y', 'boundary="x"', "boundary=x"]
)
@pytest.mark.parametrize("nested", [False, True])
def test_the_parts_of_another_programs_message_stay_between_its_own_boundaries(kind: str, nested: bool) -> None:
    between = "xy" if "*1" in kind else "x"
    part = f"Content-Type: multipart/mixed; {kind}\n\n--{between}\n\nA text.\n--{between}--\n"
    if nested:
        part = f"Content-Type: multipart/mixed; boundary=outer\n\n--outer\n{part}\n--outer--\n"
    message = email.message_from_string(f"To: ana@example.org\n{part}", policy=email.policy.default)
    data = as_bytes(message, utf8=False, eight_bit=True)
    assert data.splitlines() == bytes(message).splitlines()
    assert b"A text." in data


def test_a_short_field_that_is_not_folded_is_what_the_standard_library_would_write() -> None:
    rng, compared = random.Random(20261126), 0
    names = ["To", "From", "Subject", "Message-ID", "Date", "References", "X-Thing", "MIME-Version", "Content-Type"]
    signs = "abcXYZ019<>@.,+_-:;/=()  "
    texts = ["Churn, week 47", "1.0", "7bit", "<1.2@example.org>", "text/plain", "a, b", "a,b", "Ana <ana@example.org>"]
    for policy in SMTP, SMTP.clone(utf8=True), SMTP.clone(cte_type="7bit", max_line_length=40):
        for _ in range(4000):
            text = rng.choice([*texts, "".join(rng.choices(signs, k=rng.randrange(60)))])
            try:
                value = policy.header_factory(rng.choice(names), text)
                written = policy.fold_binary(value.name, value)
            except Exception:  # noqa: BLE001  # what the standard library cannot read or write is not compared
                continue
            if quick := unfolded(value.name, value, policy):
                assert quick == written, (value.name, text)
                compared += 1
    assert compared > 1000
