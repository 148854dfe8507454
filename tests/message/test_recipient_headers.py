"""Headers that name whom a message goes to: everybody who stands there, or nobody and a sentence."""

from __future__ import annotations

import copy
import email
import email.policy
import pickle
from collections.abc import Callable
from email.header import Header
from email.message import EmailMessage, Message
from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.delivery.send import send_composed
from mailconn_jupyter.errors import MessageError
from mailconn_jupyter.message.addresses import listed_addresses, plain_addresses
from mailconn_jupyter.message.compose import compose
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.smtp.envelope import envelope_of
from mailconn_jupyter.session.smtp.session import SMTPSession
from tests.servers.counting import CountingServer

BOB, A, B = "bob@example.test", "a@example.test", "b@example.test"

LOST = [
    f"{A}; {B}",
    f"{A} {B}",
    f"{A}\t{B}",
    f"Ana <{A}> Bea <{B}>",
    f"<{A}> <{B}>",
    f"<{A}><{B}>",
    f"{A} <{B}>",
    f"{A} (Ana) {B}",
    f"{A} / {B}",
    f"{A}/{B}",
    f"{A}:{B}",
    f"{A}|{B}",
    f"{A} bea",
    f"{A} , ; {B}",
    f"{A}, c@example.test; {B}",
    f"c@example.test, {A} {B}",
    f"{A}\u3001{B}",
    f"{A}\uff1b{B}",
    f"Ana <{A}; {B}>",
    f"Ana <{A}, {B}>",
    f"Ana@Work <{A}>",
    f"Smith, Ana <{A}>",
    f"{B}, Smith, Ana <{A}>",
    f"[{A}]",
    f"{A}@{B}",
    f'{A}, "Bea <{B}>',
    f"{A} (Bea, {B}",
    f"{A} <{A}> <{B}>",
    f"{A} <{A}>; {B}",
    f"Ana <{A}> x",
]
WHOLE = {
    f"{A} <{A}>": [A],
    f"'{A}' <{A}>": [A],
    f'"{A}" <{A}>': [A],
    f"{A.upper()} <{A}>": [A],
    f"{A} <{A}>, Bea <{B}>": [A, B],
    f"=?utf-8?q?=C3=81na=2C_B=C3=A9a?= <{B}>, {A} <{A}>": [B, A],
    f"{A}, {B}": [A, B],
    f"{A},{B},": [A, B],
    f",{A},,{B}": [A, B],
    f"{A};": [A],
    f"J. Doe <{A}>": [A],
    f"Ana (home) <{A}>": [A],
    f"{A} (Ana, at home), {B}": [A, B],
    f'"Smith, Ana" <{A}>, "x; y@z" <{B}>': [A, B],
    f"Team: {A}, {B};": [A, B],
    f"Team: {A}, {B}": [A, B],
    f"Team: {A};, {B}": [A, B],
    "undisclosed-recipients:;": [],
    f"Ana <{A}": [A],
    f"=?utf-8?q?=C3=81na?=<{A}>": [A],
    f"=?utf-8?q?=C3=81na=2C_b=40x=2Eorg?= <{A}>": [A],
    f"\u00c1na <{A}>": [A],
    "root, John": ["root", "John"],
    f"Bea <{B}>, root": [B, "root"],
    "": [],
}


def to(server: CountingServer) -> MailConnection:
    options: dict[str, Any] = {"use_secure_authentication": False, "use_authentication": False, "timeout": 5}
    return MailConnection(name="ops", server_host="localhost", server_port=server.port, **options)


def letter(kind: type[Message[Any, Any]], **headers: str) -> Message[Any, Any]:
    message = kind()
    for name, value in {"From": BOB, **headers}.items():
        message[name.replace("_", "-")] = value
    message.set_payload("hello\r\n")
    return message


def composed(field: str, given: str) -> EmailMessage:
    fields: dict[str, Any] = {"to": B, "subject": "x", field: given}
    return compose(**fields)


@pytest.mark.parametrize("header", LOST)
@pytest.mark.parametrize("kind", [EmailMessage, Message])
@pytest.mark.parametrize("name", ["To", "Cc", "Bcc"])
def test_a_header_of_which_somebody_would_be_lost_is_refused_before_anything_is_sent(
    header: str, kind: type[Message[Any, Any]], name: str
) -> None:
    # A session that is not connected: nothing can have been sent.
    with pytest.raises(MessageError) as caught:
        SMTPSession().send_message(letter(kind, **{name: header}))
    if "not a valid mail address" not in caught.value.message:
        assert caught.value.message.startswith(f"{name} is not a complete list of mail addresses: ")
        assert A[2:] in caught.value.message
        assert "commas" in caught.value.hint


@pytest.mark.parametrize("name", ["Resent-To", "Resent-Cc", "Resent-Bcc", "Resent-From", "Resent-Sender", "Reply-To"])
@pytest.mark.parametrize("kind", [EmailMessage, Message])
def test_every_header_that_a_message_goes_by_is_read_whole_or_not_at_all(
    name: str, kind: type[Message[Any, Any]]
) -> None:
    message = letter(kind, To=A, **{"Resent-Date": "Thu, 1 Jan 1970 17:42:00 +0000", "Resent-To": A})
    del message[name]
    message[name] = f"{A}; {B}"
    with pytest.raises(MessageError, match=f"^{name} is not a complete list"):
        SMTPSession().send_message(message)


@pytest.mark.parametrize("kind", [EmailMessage, Message])
@pytest.mark.parametrize("name", ["From", "Sender"])
def test_so_is_the_senders(name: str, kind: type[Message[Any, Any]]) -> None:
    message = letter(kind, To=A)
    del message[name]
    message[name] = f"{BOB}; {B}"
    with pytest.raises(MessageError, match=f"^{name} is not a complete list"):
        SMTPSession().send_message(message)


@pytest.mark.parametrize("kind", [EmailMessage, Message])
def test_a_header_that_is_not_gone_by_keeps_no_message_from_who_is_named(kind: type[Message[Any, Any]]) -> None:
    message = letter(kind, To=f"{A}; {B}", Reply_To=f"{A} {B}")
    with CountingServer() as server, connect(to(server)) as smtp:
        assert smtp.send_message(message, BOB, [A]) == {}
        assert smtp.send_message(message, to_addrs=[A]) == {}
    assert [taken.recipients for taken in server.taken] == [(A,)] * 2


@pytest.mark.parametrize(("header", "addresses"), WHOLE.items())
@pytest.mark.parametrize("kind", [EmailMessage, Message])
def test_a_header_of_which_nobody_is_lost_is_read(
    header: str, addresses: list[str], kind: type[Message[Any, Any]]
) -> None:
    values: list[Any] = [letter(kind, To=header)["To"]]
    if header.isascii():
        values.append(Header(header))
    for value in values:
        assert [address.lower() for address in listed_addresses("To", value)] == [each.lower() for each in addresses]


def test_a_list_of_texts_is_a_list_of_mailboxes() -> None:
    message = EmailMessage()
    message["To"] = [f"Ana <{A}>", B]
    assert listed_addresses("To", message["To"]) == [A, B]


def test_a_group_that_the_standard_library_cannot_read_is_refused() -> None:
    with pytest.raises(MessageError, match=r"^To is not a complete list"):
        SMTPSession().send_message(letter(Message, To=f"Team: {A}; {B}"))


@pytest.mark.parametrize("given", [f"{A} <{A}>", f'"{A}" <{A}>', f"'{A}' <{A}>", f"{A.upper()} <{A}>"])
@pytest.mark.parametrize("field", ["to", "cc", "bcc", "reply_to", "sender"])
def test_an_address_that_is_its_own_name_passes_in_compose_too(given: str, field: str) -> None:
    message = composed(field, given)
    header = {"reply_to": "Reply-To", "sender": "From"}.get(field, field)
    (address,) = message[header].addresses
    assert address.addr_spec == A
    with CountingServer() as server, connect(to(server)) as smtp:
        assert smtp.send_message(message, from_addr=BOB) == {}
    assert A in server.taken[0].recipients or field in {"reply_to", "sender"}


@pytest.mark.parametrize("given", LOST)
@pytest.mark.parametrize("field", ["to", "cc", "bcc", "reply_to", "sender"])
def test_compose_refuses_what_would_lose_somebody(given: str, field: str) -> None:
    with pytest.raises(MessageError):
        composed(field, given)


_names = st.one_of(
    st.just(""),
    st.sampled_from(
        ["Ana", "Ana Smith", "Ана Иванова", "Smith, Ana", 'An "A" a', "a@b", "=?utf-8?q?x?=", "Ana;", "  Ana"]
    ),
    st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=40),
)
_addresses = st.builds(
    "{}@{}".format,
    st.from_regex(r"[a-z][a-z0-9+._=-]{0,9}", fullmatch=True),
    st.sampled_from(["example.org", "x-1.example", "host"]),
)
_signs = st.lists(
    st.sampled_from(
        [
            A,
            f"<{A}>",
            f"Ana <{A}>",
            f'"a, b" <{B}>',
            B,
            ",",
            ", ",
            ",\n ",
            " ",
            ";",
            "\n ",
            "=?utf-8?q?=D0=90?=",
            "Ana",
            '"',
            "(x)",
            "@",
            "<",
            ">",
            "é",
        ]
    ),
    max_size=7,
).map("".join)


@settings(max_examples=400)
@given(_signs)
@example("")
@example(f"{A}, ")
@example(f"{A},")
@example(f"{A} {B}")
def test_what_is_read_at_a_glance_is_what_the_standard_library_reads(header: str) -> None:
    if (found := plain_addresses(header)) is not None:
        assert found == listed_addresses("To", header)


@settings(max_examples=100)
@given(st.lists(st.tuples(_names, _addresses), min_size=1, max_size=5))
def test_what_compose_writes_is_whom_the_envelope_names(people: list[tuple[str, str]]) -> None:
    quoted = [(name.replace("\\", "\\\\").replace('"', '\\"'), address) for name, address in people]
    texts = [f'"{name}" <{address}>' for name, address in quoted]
    try:
        message = compose(texts, "x", "y", sender=BOB)
    except MessageError:
        return
    expected = list(dict.fromkeys(address for _, address in people))
    assert envelope_of(message, None, None) == (BOB, expected)


def test_who_changes_a_field_of_a_composed_message_changes_the_envelope() -> None:
    message = compose(A, "x", "y", sender=BOB, cc=B)
    message.replace_header("To", "c@example.test")
    del message["Cc"]
    message["Bcc"] = B
    assert envelope_of(message, None, None) == (BOB, ["c@example.test", B])


ODD_NAMES = [
    '"a..b"@docomo.example',
    '"ab."@docomo.example',
    '".ab"@docomo.example',
    '"a@b"@example.test',
    '"a,b"@example.test',
]
#: What people do with a message before they send it.
TREATED: list[Callable[[EmailMessage], EmailMessage]] = [
    lambda message: message,
    copy.copy,
    copy.deepcopy,
    lambda message: pickle.loads(pickle.dumps(message)),
    lambda message: email.message_from_bytes(message.as_bytes(), policy=email.policy.default),
]


@pytest.mark.parametrize("treated", TREATED, ids=["itself", "copied", "copied deeply", "pickled", "written and read"])
@pytest.mark.parametrize("field", ["to", "cc", "bcc", "sender"])
@pytest.mark.parametrize("address", ODD_NAMES)
def test_whoever_compose_takes_is_whom_the_message_goes_by(
    address: str, field: str, treated: Callable[[EmailMessage], EmailMessage]
) -> None:
    named = {"sender": BOB, "to": A} | {field: f"Ana <{address}>"}
    message = treated(compose(named.pop("to"), "x", "y", **named))  # type: ignore[arg-type]  # texts, each
    sender, recipients = envelope_of(message, None, None)
    assert address in ({sender} if field == "sender" else set(recipients))
    with CountingServer() as server, connect(to(server)) as session:
        assert send_composed(session, message).ok
        assert any(f":<{address}>" in line for line in session.transcript)


def test_a_field_that_is_written_anew_counts_and_not_what_stood_there() -> None:
    message = compose('"a..b"@docomo.example', "x", "y", cc=B, sender=BOB)
    message.replace_header("To", A)
    assert envelope_of(message, None, None) == (BOB, [A, B])
    del message["Cc"]
    assert envelope_of(message, None, None) == (BOB, [A])
