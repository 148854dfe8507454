"""Envelope addresses: exactly one mailbox, or refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.errors import MessageError
from mailconn_jupyter.message.addresses import envelope_address
from mailconn_jupyter.message.compose import compose
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.smtp.errors import NotSupported
from mailconn_jupyter.transport.dial import a_label
from tests.servers.postfix import Postfix
from tests.servers.script import Expect, ExpectUntil, ScriptServer, Send
from tests.servers.steps import Step

PLAIN: dict[str, Any] = {"use_secure_authentication": False, "use_authentication": False, "timeout": 5}

# Whatever a person or an attacker may give: mostly the characters that mean something in an address.
signs = st.one_of(
    st.sampled_from(list(' @.<>",;:()[]\\\r\n\0=xaZ09-_%+é\uff20\u3002\u2028\u202e\x85\u200b\udcff')), st.characters()
)
anything = st.text(signs, max_size=30)
shaped = st.builds(
    "{}{}@{}{}".format,
    st.sampled_from(["", "<", "Ana <", '"Smith, Ana" <']),
    anything,
    anything,
    st.sampled_from(["", ">"]),
)


@settings(max_examples=400)
@given(st.one_of(anything, shaped))
@example("a@[IPv6:::1%x SIZE=1]")
@example("b@x.test, Ana <a@x.test>")
def test_what_is_accepted_is_one_word_with_one_mailbox(given_address: str) -> None:
    try:
        address = envelope_address(given_address)
    except MessageError:
        return
    text = str(address)
    # As the server reads it: a path ends at ">", a parameter begins at a space, a command ends at a line break.
    assert text.isprintable()
    assert not re.search(r"[\s<>]", text)
    local, at, domain = text.rpartition("@")
    assert local
    assert at
    assert domain.isascii()
    assert "@" not in local or (local[0] == local[-1] == '"')
    assert "," not in domain
    assert len(domain) <= 255
    assert address.international is not text.isascii()
    # What was accepted is accepted again, as itself.
    assert envelope_address(text) == address
    assert envelope_address(f"Ana <{text}>") == address or "<" in text


@pytest.mark.parametrize(
    ("given_address", "text"),
    [
        ("ana@example.org", "ana@example.org"),
        ("  ana@example.org ", "ana@example.org"),
        ("<ana@example.org>", "ana@example.org"),
        ("Ana <ana@example.org>", "ana@example.org"),
        ('"Smith, Ana" <ana@example.org>', "ana@example.org"),
        ('"a \\" b, <c@d>" <ana@example.org>', None),
        ("ana@home.test <ana@example.org>", "ana@example.org"),
        ("Ána (home) <ana@example.org>", "ana@example.org"),
        ("ana+tag@example.org", "ana+tag@example.org"),
        ("o'neil!#$%&*/=?^_`{|}~-@example.org", "o'neil!#$%&*/=?^_`{|}~-@example.org"),
        ('"a.b..c"@example.org', '"a.b..c"@example.org'),
        ("ana@[192.0.2.7]", "ana@[192.0.2.7]"),
        ("ana@[IPv6:2001:db8::7]", "ana@[IPv6:2001:db8::7]"),
        ("ana@[2001:db8::7]", None),
        ("ana@[IPv6:192.0.2.7]", None),
        ("ana@[IPv6:fe80::1%eth0]", None),
        ("ana@localhost", "ana@localhost"),
        ("ana@bücher.example", "ana@xn--bcher-kva.example"),
        ("ana@BÜCHER.example", "ana@xn--bcher-kva.example"),
        ("ana@bu\u0308cher.example", "ana@xn--bcher-kva.example"),
        ("ana@例え。テスト", "ana@xn--r8jz45g.xn--zckzah"),
        # Not strasse.example, which is somebody else's.
        ("ana@straße.example", "ana@xn--strae-oqa.example"),
        ("ana@βόλος.example", "ana@xn--nxasmm1c.example"),
        ("ana@a\u200db.example", None),
        ("ana@xn--bcher-kva.example", "ana@xn--bcher-kva.example"),
        ("zoë@bücher.example", "zoë@xn--bcher-kva.example"),
        ("ana@example.org.", None),
        ("ana@exam_ple.org", "ana@exam_ple.org"),
    ],
)
def test_an_address_is_read_as_it_is_meant(given_address: str, text: str | None) -> None:
    if text is None:
        with pytest.raises(MessageError):
            envelope_address(given_address)
    else:
        assert str(envelope_address(given_address)) == text


@pytest.mark.parametrize(
    ("pasted", "sign"),
    [
        ("ana@example.org\u2019", "\u2019 (U+2019, right single quotation mark)"),
        ("\u201cana@example.org\u201d", "\u201c (U+201C, left double quotation mark)"),
        ("\u2019ana@example.org", "\u2019 (U+2019, right single quotation mark)"),
        ("ana@exam\u2019ple.org", "\u2019 (U+2019, right single quotation mark)"),
        ("ana@example.org\u200b", "(U+200B, zero width space)"),
        ("ana@exa\u00admple.org", "(U+00AD, soft hyphen)"),
        ("ana@example.org\u00a0", "(U+00A0, no-break space)"),
        ("\ufeffana@example.org", "(U+FEFF, zero width no-break space)"),
        ("ana\u200b@example.org", "(U+200B, zero width space)"),
    ],
)
def test_a_sign_that_a_pasted_address_brings_along_is_refused_and_named(pasted: str, sign: str) -> None:
    for given_address in (pasted, f"Ana <{pasted}>"):
        with pytest.raises(MessageError) as caught:
            envelope_address(given_address)
        assert caught.value.hint == f"It contains {sign}, as pasted text often does: type it again."
        with pytest.raises(MessageError, match="as pasted text often does"):
            compose(given_address, "x", "y")


def test_an_apostrophe_within_a_name_and_the_joiners_of_persian_stay() -> None:
    assert str(envelope_address("o\u2019neil@example.org")) == "o\u2019neil@example.org"
    assert (
        str(envelope_address("ana@\u0646\u0627\u0645\u0647\u200c\u0627\u06cc.example"))
        == "ana@xn--mgba3gch31f060k.example"
    )


def test_only_a_sender_may_be_empty() -> None:
    for empty in ("", "<>", " "):
        assert str(envelope_address(empty, what="sender", empty=True)) == ""
        with pytest.raises(MessageError):
            envelope_address(empty)


def test_what_is_no_text_is_no_address() -> None:
    for wrong in (None, b"ana@example.org", 7, ("Ana", "ana@example.org")):
        with pytest.raises(MessageError):
            envelope_address(wrong)  # type: ignore[arg-type]


def script(*extensions: str, mail: bytes) -> list[Step]:
    *more, last = ("mail.test", *extensions)
    reply = "".join([*(f"250-{line}\r\n" for line in more), f"250 {last}\r\n"])
    return [
        Send(b"220 mail.test\r\n"),
        Expect(rb"ehlo .*"),
        Send(reply.encode()),
        Expect(mail),
        Send(b"250 ok\r\n"),
        Expect(rb"rcpt to:<[^>]+>"),
        Send(b"250 ok\r\n"),
        Expect(rb"DATA"),
        Send(b"354 go\r\n"),
        ExpectUntil(),
        Send(b"250 ok\r\n"),
        Expect(rb"quit"),
        Send(b"221 bye\r\n"),
    ]


def to(port: int) -> MailConnection:
    return MailConnection(name="ops", server_host="localhost", server_port=port, **PLAIN)


BODY = b"Subject: x\r\n\r\nhello\r\n"


@pytest.mark.parametrize(
    ("recipient", "mail"),
    [
        ("zoë@example.test", rb"mail from:<bob@example\.test> SMTPUTF8"),
        ("zoe@bücher.example", rb"mail from:<bob@example\.test>"),
        ("zoe@example.test", rb"mail from:<bob@example\.test>"),
    ],
)
def test_smtputf8_is_declared_when_it_is_offered_and_needed_and_not_otherwise(recipient: str, mail: bytes) -> None:
    with ScriptServer(script("SMTPUTF8", mail=mail)) as server, connect(to(server.port)) as smtp:
        assert smtp.sendmail("bob@example.test", [recipient], BODY) == {}


def test_an_address_that_needs_smtputf8_is_refused_before_mail_where_it_is_not_offered() -> None:
    with (
        ScriptServer(script("8BITMIME", mail=rb"mail from:<bob@example\.test>")) as server,
        connect(to(server.port)) as smtp,
    ):
        for options in ((), ("SMTPUTF8",)):
            with pytest.raises(NotSupported, match="SMTPUTF8"):
                smtp.sendmail("bob@example.test", ["zoë@example.test"], BODY, mail_options=options)
        with pytest.raises(NotSupported, match="SMTPUTF8"):
            smtp.sendmail("bob@example.test", ["zoe@example.test"], BODY, mail_options=["SMTPUTF8"])
        smtp.sendmail("bob@example.test", ["zoe@bücher.example"], BODY)


def test_8bitmime_is_declared_for_bytes_over_127_and_they_are_refused_where_it_is_not_offered() -> None:
    eight_bit = "Subject: x\r\n\r\ngrüße\r\n".encode()
    declared = script("8BITMIME", mail=rb"mail from:<bob@example\.test> BODY=8BITMIME")
    with ScriptServer(declared) as server, connect(to(server.port)) as smtp:
        smtp.sendmail("bob@example.test", ["zoe@example.test"], eight_bit)
    with (
        ScriptServer(script("SMTPUTF8", mail=rb"mail from:<bob@example\.test>")) as server,
        connect(to(server.port)) as smtp,
    ):
        with pytest.raises(NotSupported, match="7 bit"):
            smtp.sendmail("bob@example.test", ["zoe@example.test"], eight_bit)
        smtp.sendmail("bob@example.test", ["zoe@example.test"], BODY)


def test_mail_for_an_international_mailbox_arrives(postfix: Postfix) -> None:
    import uuid  # noqa: PLC0415
    from email.message import EmailMessage  # noqa: PLC0415

    token = uuid.uuid4().hex
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "bob@example.test", "ünïcode@example.test", f"grüße {token}"
    message.set_content("Drei Dinge, größer als gestern.")
    with connect(to(postfix.relay)) as smtp:
        assert smtp.send_message(message) == {}
    received = postfix.wait_for("ünïcode", token)
    # With SMTPUTF8, headers are UTF-8 as they are.
    assert f"Subject: grüße {token}".encode() in received


@pytest.mark.parametrize("read", [a_label, lambda domain: envelope_address(f"ana@{domain}").text.partition("@")[2]])
def test_a_sharp_s_keeps_its_own_domain_as_a_host_and_in_an_address(read: Callable[[str], str]) -> None:
    assert read("straße.example") == "xn--strae-oqa.example" != read("strasse.example")
