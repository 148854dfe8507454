"""Ana, who writes, and Bob, who reads: people of an ``authority`` that each module of tests has, and mail as it travels."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from mailconn_jupyter.message.mime.wire_format import as_bytes
from tests.support.mail_certificates import Authority, Person

__all__ = ["ANA", "BOB", "ana", "bob", "wire"]

ANA, BOB = "ana@example.org", "bob@example.org"


@pytest.fixture(scope="module")
def ana(authority: Authority) -> Person:
    return authority.person(ANA)


@pytest.fixture(scope="module")
def bob(authority: Authority) -> Person:
    return authority.person(BOB)


def wire(message: EmailMessage) -> bytes:
    return as_bytes(message, utf8=False, eight_bit=True)
