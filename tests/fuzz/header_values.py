"""Values of header fields, changed at random: each reader takes each value, and no address is lost."""

from __future__ import annotations

import re

from mailconn_jupyter import ParsedMessage
from mailconn_jupyter.message.incoming.address_list import address_list, as_read
from mailconn_jupyter.message.incoming.charsets import text_of
from mailconn_jupyter.message.incoming.encoded_words import decoded
from mailconn_jupyter.message.incoming.header import Header, one_line
from mailconn_jupyter.message.incoming.sent_date import date_of
from mailconn_jupyter.message.incoming.structured_field import StructuredField
from tests.message.test_parsed import everything

from .corpus import VALUES
from .report import run

__all__ = ["check"]

# Not one that touches a quotation mark: it may be a part of a longer one.
_ADDRESS = re.compile(r'(?<![\w.+"-])[a-z]+@[a-z]+(?![\w.+"-])')


def check(value: bytes) -> None:
    """Raises where something is not as it should be, whatever the value."""
    field = StructuredField(value)
    assert field.word == field.word.lower()
    for name in ("filename", "name", "charset", "boundary", "a"):
        field.text(name, "gbk")[0].encode("utf-8")
        field.token(name).encode("utf-8")
        field.exact(name)
    text = text_of(value, "utf-8")[0]
    decoded(text)[0].encode("utf-8")
    date_of(text)
    shown = as_read(address_list(text)[0])
    shown.encode("utf-8")
    # A comment may be left out, the way to an address, and what encoded words hide.
    if not re.search(r"[()]|=\?|<\s*@", text):
        assert all(address in shown for address in _ADDRESS.findall(text))
    header = Header(b"From: " + value + b"\nSubject: " + value + b"\nDate: " + value)
    for name in ("From", "Subject", "Date"):
        assert header.text(name) == one_line(header.text(name))
    header.problems("From", "Subject", "Date")


def as_message(value: bytes) -> bytes:
    """A message each of whose fields has this value."""
    names = (b"From: ", b"Subject: ", b"Date: ", b"Content-Type: ", b"Content-Disposition: ")
    return b"\n".join(name + value.replace(b"\n", b"\n ") for name in names) + b"\n\n"


def read(raw: bytes) -> object:
    """All that a message reads of its fields."""
    return everything(ParsedMessage(raw))


if __name__ == "__main__":
    run(check, VALUES, "header values", read=read, as_message=as_message)
