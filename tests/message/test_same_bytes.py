"""What is written quickly is what the standard library would write slowly, for every kind of message."""

from __future__ import annotations

import contextlib
import copy
import email
import email.policy
import random
import re
from collections.abc import Iterator
from email.generator import BytesGenerator
from email.header import Header
from email.headerregistry import Address, Group
from email.message import EmailMessage, Message
from email.mime.text import MIMEText
from io import BytesIO
from typing import Any

import pytest

from mailconn_jupyter.errors import MessageError
from mailconn_jupyter.message.compose import compose
from mailconn_jupyter.message.mime.wire_format import as_bytes, wired
from tests.fuzz.corpus import FOUND_FIELDS, MESSAGES

POLICIES = [
    email.policy.default,
    email.policy.SMTP,
    email.policy.SMTPUTF8,
    email.policy.SMTP.clone(max_line_length=40),
    email.policy.SMTP.clone(max_line_length=0),
    email.policy.SMTP.clone(refold_source="all"),
    email.policy.SMTP.clone(refold_source="none"),
    email.policy.compat32,
]
FIELDS = [
    "Subject", "To", "From", "Cc", "Sender", "Reply-To", "Date", "Message-ID", "References", "X-Note", "List-Id",
    "Content-Type", "Content-Disposition", "Content-Transfer-Encoding", "MIME-Version", "Resent-To", "Errors-To",
]  # fmt: skip
TEXTS = [
    "Churn, week 47", "1.0", "7bit", "base64", "<1.2@example.org>", "text/plain", 'text/plain; charset="utf-8"',
    "text/plain; charset=utf-8; format=flowed", 'attachment; filename="a b.csv"', "attachment; filename*=utf-8''%C3%BC",
    "Mon, 23 Nov 2026 10:00:00 +0000", "Mon, 23 Nov 2026 10:00:00 -0000 (UTC)", "yesterday",
    "ana@example.org", "Ana <ana@example.org>", "ana@example.org, bea@example.org", "ana@example.org,bea@example.org",
    "ana@example.org,  bea@example.org", '"Smith, Ana" <ana@example.org>', "<ana@example.org>", "ana@example.org (Ana)",
    "Ana\t<ana@example.org>", "Ана <ana@пример.example>", "=?utf-8?q?J=C3=BCrgen?= <j@example.org>", "jürgen@example.org",
    "=?utf-8?q?ana=40example=2Eorg?=", "=?utf-8?q?a=0D=0ABcc:_eve@evil.test?=", "a; b", "team: ana@example.org, b@c.d;",
    "undisclosed-recipients:;", '"ana"@example.org', "ana@[127.0.0.1]", "ana@exa mple.org", "@", "<>", "", " ", "  a  b ",
    "a" * 200, "word " * 40, "größer " * 30, "x\x7fy", "a\tb", "=?utf-8?q?x?=", "=?utf-8?q?x?= =?utf-8?q?y?=", "\udcff",
    "very.long.name." * 8 + "@example.org", ", ".join(f"ana{number}@example.org" for number in range(20)),
]  # fmt: skip
SIGNS = 'abcXYZ019<>@.,+_-:;/=()"\\  \tüЖ'


def slowly(message: Message[Any, Any], *, utf8: bool, eight_bit: bool) -> bytes:
    """By the standard library alone: each field folded by the policy, each line end mended afterwards."""
    shown = copy.copy(message)
    del shown["bcc"], shown["resent-bcc"]
    policy = message.policy.clone(linesep="\r\n", cte_type="8bit" if eight_bit else "7bit")
    if isinstance(policy, email.policy.EmailPolicy):
        policy = policy.clone(utf8=utf8)
    buffer = BytesIO()
    BytesGenerator(buffer, policy=policy, mangle_from_=False).flatten(shown, linesep="\r\n")
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", buffer.getvalue())
    return lines if lines.endswith(b"\r\n") else lines + b"\r\n"


def compared(message: Message[Any, Any]) -> int:
    """How many ways to write it were the same; what the standard library, or the scan, refuses is not compared."""
    count = 0
    for utf8, eight_bit in (False, True), (True, True), (False, False):
        random.seed(0)  # of the boundaries between parts
        try:
            wire = wired(message, utf8=utf8, eight_bit=eight_bit)
        except MessageError:
            continue
        random.seed(0)
        expected = slowly(message, utf8=utf8 or wire.international, eight_bit=eight_bit)
        assert bytes(wire) == expected
        assert len(wire) == len(expected)
        count += 1
    return count


def given(policy: email.policy.Policy, name: str, value: Any) -> Iterator[Message[Any, Any]]:
    """Messages that have the field, set by a caller and as another program sent it."""
    message = Message(policy) if policy is email.policy.compat32 else EmailMessage(policy)
    message.set_payload("hello\n")
    try:
        message[name] = value
        yield message
    except Exception:  # noqa: BLE001  # refused by the standard library, in one way or another
        pass
    if isinstance(value, str):
        raw = f"{name}: {value}\nTo: ana@example.org\n\nhello\n".encode("utf-8", "surrogateescape")
        yield email.message_from_bytes(raw, policy=policy)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_field_is_written_as_the_standard_library_writes_it(policy: email.policy.Policy) -> None:
    count, rng = 0, random.Random(POLICIES.index(policy))
    pairs = [(name, text) for name in FIELDS for text in TEXTS]
    drawn = [(rng.choice(FIELDS), "".join(rng.choices(SIGNS, k=rng.randrange(70)))) for _ in range(60)]
    for name, text in (*rng.sample(pairs, 200), *drawn):
        for message in given(policy, name, text):
            count += compared(message)
    assert count > 400


@pytest.mark.parametrize(
    "value",
    [
        Address("Ana", "ana", "example.org"),
        Address("Smith, Ana", "ana", "example.org"),
        Address("Jürgen", "j", "example.org"),
        Address("", "a b", "example.org"),
        [Address("", "ana", "example.org"), Address("", "bea", "example.org")],
        Group("team", [Address("", "ana", "example.org")]),
        Group("nobody", []),
        Header("Jürgen <j@example.org>"),
    ],
)
def test_a_field_that_was_set_from_objects_is_written_so_too(value: Any) -> None:
    policies = [email.policy.compat32] if isinstance(value, Header) else POLICIES[:-1]
    assert sum(compared(message) for policy in policies for message in given(policy, "To", value))


def test_a_field_of_a_policy_with_its_own_way_to_fold_is_written_in_that_way() -> None:
    class Loud(email.policy.EmailPolicy):
        def fold_binary(self, name: str, value: Any) -> bytes:
            return super().fold_binary(name, value).replace(b"ana@", b"ANA@")

    message = EmailMessage(Loud())
    message["To"], message["Subject"] = "ana@example.org", "Churn"
    message.set_content("hello\n")
    assert compared(message) == 3
    assert b"To: ANA@example.org\r\n" in as_bytes(message, utf8=False, eight_bit=True)


def messages() -> Iterator[Message[Any, Any]]:
    """Composed ones, those that other programs sent, broken ones."""
    to = ["Ana <ana@example.org>", "Ана <ana@пример.example>", '"Smith, Bea" <bea@example.org>']
    for count in (1, 3, 60):
        yield compose((to * 20)[:count], "Churn, week 47", "Three things moved:", sender="bob@example.org")
    yield compose(to, "Größer " * 30, "größer\r\nund\rgrößer\n" * 50, ".\n..\n", sender="Bob <bob@example.org>")
    yield compose("jürgen@example.org", "Жук", "--=====\ntext", sender="bob@example.org", bcc="eve@example.org")
    yield compose("ana@example.org", "x", "y" * 2000, sender="b@example.org", attachments={"größe.txt": "a\nb" * 500})
    yield compose("ana@example.org", "x", {"a": 1}, sender="b@example.org", attachments={"all.bin": bytes(range(256))})
    yield MIMEText("größer\n" * 20, "plain", "utf-8")
    for policy in email.policy.SMTP, email.policy.compat32:
        for raw in MESSAGES:
            # The standard library takes the square of the length of some.
            with contextlib.suppress(ValueError):
                if len(raw) < 2_000:
                    yield email.message_from_bytes(raw, policy=policy)
    for line_end in "\n", "\r\n", "\r":
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "bob@example.org", "ana@example.org", "x"
        message.set_content(f".{line_end}a{line_end}{line_end}From here{line_end}--=={line_end}")
        yield message
        part = EmailMessage()
        part.set_payload(f"a{line_end}b\r\rc\n\r\nd")
        yield part


def test_a_message_is_written_as_the_standard_library_writes_it() -> None:
    assert sum(map(compared, messages())) > 100


def test_a_hostile_field_is_written_so_too_or_refused() -> None:
    for text in FOUND_FIELDS.values():
        for message in given(email.policy.SMTP, "X-Note", text[:400].decode("utf-8", "surrogateescape")):
            compared(message)


def test_a_field_of_comments_in_each_other_is_written_or_an_error_of_the_message() -> None:
    outcomes = set()
    for depth in range(20, 1000, 20):
        message = EmailMessage()
        try:
            message["To"] = f"{'(' * depth}{')' * depth} ana@example.org"
        except RecursionError:
            break
        try:
            outcomes.add(bytes(wired(message, utf8=False, eight_bit=True)).startswith(b"To: (("))
        except MessageError:
            outcomes.add(False)
    assert True in outcomes
