"""Values of header fields and addresses, changed at random and composed: a message without another field, or a sentence."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from email.mime.text import MIMEText
from typing import Any, Final

from mailconn_jupyter import ParsedMessage, compose
from mailconn_jupyter.errors import MailConnError
from mailconn_jupyter.message.addresses import envelope_address, listed_addresses
from mailconn_jupyter.message.mime.wire_format import wired
from mailconn_jupyter.session.smtp.envelope import address_line, envelope_of, parameters

from .corpus import FIELD_TOKENS, VALUES
from .report import run, within

__all__ = ["check"]

_LONGEST: Final = 1_500  # characters of an error
_LIMIT: Final = 998  # RFC 5322, 2.1.1
_FIELD: Final = re.compile(rb"(?m)^([!-9;-~]+):")

_WAYS: Final[list[Callable[[str], dict[str, Any]]]] = [
    lambda text: {"to": text},
    lambda text: {"to": ["ana@example.org", text]},
    lambda text: {"cc": text, "bcc": [text]},
    lambda text: {"sender": text, "reply_to": text},
    lambda text: {"subject": text},
    lambda text: {"headers": {"X-Note": text}},
    lambda text: {"headers": {text: "x"}},
    lambda text: {"headers": {"Message-ID": text, "Date": text}},
    lambda text: {"headers": {"List-Unsubscribe": text, "References": [text, text]}},
    lambda text: {"attachments": [(text, b"data")]},
]


def check(raw: bytes) -> None:
    """Raises where something is not as it should be, whatever the value."""
    # Half a surrogate pair stands for a byte that is no UTF-8, as in the name of a file.
    text = raw.decode("utf-8", "surrogateescape")
    with within(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for way in _WAYS:
            given = {"to": "ana@example.org", "subject": "week 47"} | way(text)
            message = ours(lambda given=given: compose(given.pop("to"), given.pop("subject"), "Three things.", **given))  # type: ignore[misc]
            if message is not None:
                _travels(message, given)
        _addresses(text)


def ours(work: Callable[[], Any]) -> Any:
    """What it returns; an error of ours is a result, and can be shown."""
    try:
        return work()
    except MailConnError as error:
        said = str(error)
        said.encode()
        assert len(said) < _LONGEST, len(said)
        return None


def _travels(message: Any, given: dict[str, Any]) -> None:
    """It has the fields that it was given and no other, in lines of which each can travel."""
    wire = wired(message, utf8=False, eight_bit=False)
    data = bytes(wire)
    assert wire.international or data.isascii()
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\x00", data)
    assert max(map(len, data.split(b"\r\n"))) <= _LIMIT
    head = data.partition(b"\r\n\r\n")[0]
    usual = {b"Date", b"From", b"To", b"Cc", b"Reply-To", b"Subject", b"Message-ID", b"MIME-Version"}
    usual |= {b"Content-Type", b"Content-Transfer-Encoding", b"Content-Disposition", b"Content-Language"}
    own = {name.encode() for name in given.get("headers") or {}}
    found = _FIELD.findall(head)
    assert set(found) <= usual | own, set(found) - usual - own
    assert len(found) == len(set(found)), found
    # Each that it is sent to is one address, and those whom readers see are found in it again.
    _, recipients = envelope_of(message, None, None)
    assert recipients
    said = ParsedMessage(data)
    seen = [*listed_addresses("To", message["To"] or ""), *listed_addresses("Cc", message["Cc"] or "")]
    shown = f"{said.header('To')}, {said.header('Cc')}"
    assert all(address in shown for address in seen), (seen, shown)
    for recipient in recipients:
        assert b"\r" not in address_line("rcpt to", envelope_address(recipient), ())


def _addresses(text: str) -> None:
    address = ours(lambda: envelope_address(text, local=True))
    if address is not None:
        line = address_line("mail from", address, ())
        assert not set(line) & set(b"\r\n\x00")
        assert line.count(b">") == 1 or b'"' in line
        assert line.isascii() or address.international
    ours(lambda: listed_addresses("To", text))
    message = MIMEText("x")
    message["To"] = text
    ours(lambda: envelope_of(message, "ana@example.org", None))
    ours(lambda: bytes(wired(message, utf8=True, eight_bit=True)))
    ours(lambda: parameters([text]))


if __name__ == "__main__":
    run(check, VALUES, "header values and addresses to compose", tokens=FIELD_TOKENS)
