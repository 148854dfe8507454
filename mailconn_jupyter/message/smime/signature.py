"""``verify()``: whether the signature of a message is good, and whose it is.

Nothing here calls a signature verified that ``openssl`` has not judged: against what was signed, byte for byte, and up to an
authority that is known. Whether the signer is who the message says that it is from, only its reader can compare.
"""

from __future__ import annotations

import base64
import secrets
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ...errors import MessageError
from ...keywords import public
from ...paths import expanded
from ..incoming.address_list import address_list
from ..incoming.header import one_line
from ..incoming.parsed import ParsedMessage
from . import openssl
from .certificate_folder import read_file
from .mail_certificate import MailCertificate
from .signed_parts import SignedParts, signed_in

__all__ = ["Signature", "judge", "signed_content", "verify"]

# Whoever it is that signed.
_ANYBODY: Final = ("-noverify",)
# Of what openssl says of a chain, the words by which it is known, and what a person reads.
_CHAIN: Final = (
    ("has expired", "its certificate has expired"),
    ("not yet valid", "its certificate is not valid yet"),
    ("unsuitable certificate purpose", "its certificate is not for mail"),
    ("unsupported certificate purpose", "its certificate is not for mail"),
    ("self-signed", "its certificate is from no authority known here"),
    ("self signed", "its certificate is from no authority known here"),
    ("unable to get", "its certificate is from no authority known here"),
    ("revoked", "its certificate has been revoked"),
)


@dataclass(frozen=True)
class Signature:
    """What is known of a message's signature. True only where it was verified.

    ``words`` says it in a sentence. ``addresses`` are those of the signer's certificate, ``issuer`` who issued it, and
    ``fingerprint`` its SHA-256: known also where nothing was verified, and then no more than what the message claims.
    """

    verified: bool
    words: str
    addresses: tuple[str, ...] = ()
    issuer: str = ""
    fingerprint: str = ""

    def __bool__(self) -> bool:
        return self.verified

    def __str__(self) -> str:
        return self.words


@public
def verify(message: ParsedMessage, *, ca_file: str = "") -> Signature:
    """Judge the signature of a message that was read (S/MIME, RFC 8551), by the program ``openssl``.

    It is verified where nothing of what was signed has changed, the certificate comes from an authority of the system, or
    of the PEM file ``ca_file``, and is for the address in From. Whether the certificate was revoked is not asked. Raises
    :class:`~mailconn_jupyter.errors.MessageError` for what is no message.
    """
    if not isinstance(message, ParsedMessage):
        raise MessageError(
            f"verify() judges a message that was read, not {one_line(type(message).__name__)}.",
            hint='For example: verify(next(mailconn.messages("inbox")))',
        )
    return judge(message, ca_file)[0]


def judge(message: ParsedMessage, ca_file: str) -> tuple[Signature, MailCertificate | None]:
    """The same, and the certificate of who signed it, as far as it is known."""
    if not message.complete:
        return Signature(False, "Only the header of the message was read, so its signature cannot be checked."), None
    found = signed_in(message.raw)
    if found is None:
        return Signature(False, "The message is not signed."), None
    if not openssl.available():
        return Signature(
            False, "The message is signed, but the signature was not verified: openssl is not installed."
        ), None
    whole, signer = _judged(found, ("-CAfile", str(expanded(ca_file))) if ca_file else ())
    sound = whole
    if whole.code:
        # Where the authority is not known, what was signed may be unchanged all the same.
        sound, signer = _judged(found, _ANYBODY)
    if sound.code != 0:
        flaw = "what was signed has been altered, or the signature is damaged" if sound.code else sound.err
        return Signature(False, f"The signature is not good: {flaw}."), None
    if signer is None:
        return Signature(
            False, "The message is signed, but the signature was not verified: the signer's certificate is missing."
        ), None
    verified, words = _of_chain(whole, signer, _sender(message))
    addresses = tuple(sorted(signer.addresses))
    return Signature(verified, words, addresses, signer.issuer, signer.fingerprint), signer


def _of_chain(whole: openssl.Ran, signer: MailCertificate, sender: str) -> tuple[bool, str]:
    """Whether the certificate is one of a known authority, and the sender's; and the sentence that says so."""
    if whole.code != 0:
        flaw = next((words for part, words in _CHAIN if part in whole.err), "its certificate could not be checked")
        return False, f"The signature is not verified: {flaw}."
    if not signer.is_for(sender):
        whose = ", ".join(sorted(signer.addresses)) or "no mail address"
        return False, f"The signature is not the sender's: it is by {whose}, and the message says it is from {sender}."
    return True, f"Signed by {sender}, verified ({signer.issuer})."


def _sender(message: ParsedMessage) -> str:
    people = [each for each in address_list(message.sender)[0] if each.address]
    return (people[0].address or "") if len(people) == 1 else ""


def signed_content(found: SignedParts) -> bytes | None:
    """What was signed, where nothing of it has changed, whoever the signer is; None otherwise, or without openssl."""
    ran, _ = _judged(found, _ANYBODY)
    return ran.out if ran.code == 0 else None


def _judged(found: SignedParts, more: Sequence[str]) -> tuple[openssl.Ran, MailCertificate | None]:
    """What openssl makes of it, above all the signed content; and the signer's certificate."""
    with tempfile.TemporaryDirectory(prefix="mailconn-") as folder:
        signer = Path(folder, "signer.pem")
        words = ["-verify", "-inform", "SMIME", "-signer", str(signer), *more]
        ran = openssl.run(words, _message(found))
        certificates = read_file(signer) if signer.exists() else ()
    # It has a parser of its own: what it has judged must be what is shown here.
    if ran.code == 0 and found.content is not None and ran.out != found.content:
        ran = openssl.Ran(None, b"", "openssl reads another text in the message than is shown")
    return ran, (certificates[0] if len(certificates) == 1 else None)


def _message(found: SignedParts) -> bytes:
    """A message with nothing but the two, for a parser that is not known for its care."""
    signature = base64.encodebytes(found.signature).replace(b"\n", b"\r\n")
    if found.content is None:
        head = b'Content-Type: application/pkcs7-mime; smime-type=signed-data; name="smime.p7m"\r\n'
        return b"MIME-Version: 1.0\r\n" + head + b"Content-Transfer-Encoding: base64\r\n\r\n" + signature
    mark = f"=_{secrets.token_hex(16)}".encode()
    return b"".join(
        [
            b'MIME-Version: 1.0\r\nContent-Type: multipart/signed; protocol="application/pkcs7-signature"; boundary="',
            *(mark, b'"\r\n\r\n--', mark, b"\r\n", found.content, b"\r\n--", mark),
            b"\r\nContent-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: base64\r\n\r\n",
            *(signature, b"\r\n--", mark, b"--\r\n"),
        ]
    )
