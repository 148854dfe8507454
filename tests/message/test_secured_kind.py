"""What a message says of its own safety is read in one way, whoever asks."""

from __future__ import annotations

import pytest

from mailconn_jupyter.message.incoming.parsed import ParsedMessage
from mailconn_jupyter.message.smime.signed_parts import encrypted_in, signed_in

SIGNED, ENCRYPTED = "It is signed", "It is encrypted"


@pytest.mark.parametrize(
    ("content_type", "said"),
    [
        ('multipart/signed; protocol="application/pkcs7-signature"; boundary=b', SIGNED),
        ('Multipart/Signed; Protocol="Application/X-PKCS7-Signature"; boundary=b', SIGNED),
        ('multipart/signed; protocol="application/pgp-signature"; boundary=b', ""),
        ("multipart/signed; boundary=b", ""),
        ("application/pkcs7-mime; smime-type=signed-data", SIGNED),
        ("application/pkcs7-mime; smime-type=enveloped-data", ENCRYPTED),
        ('application/x-pkcs7-mime; smime-type="AuthEnveloped-Data"', ENCRYPTED),
        ("application/pkcs7-mime; name=smime.p7m", ENCRYPTED),
        ("application/pkcs7-mime; smime-type=certs-only; name=smime.p7c", ""),
        ("application/pkcs7-mime; smime-type=compressed-data; name=smime.p7z", ""),
        ("text/plain", ""),
        ("", ""),
    ],
)
def test_what_a_message_says_of_itself_is_what_opens_it_or_judges_it(content_type: str, said: str) -> None:
    raw = f"Content-Type: {content_type}\r\n\r\n--b\r\n\r\nHello.\r\n--b\r\n".encode()
    raw += b"Content-Type: application/pkcs7-signature\r\n\r\nMA==\r\n--b--\r\n"
    assert ParsedMessage(raw).secured.startswith(said)
    assert bool(ParsedMessage(raw).secured) is bool(said)
    assert (encrypted_in(raw) is not None) is (said == ENCRYPTED)
    assert (signed_in(raw) is not None) is (said == SIGNED)
