"""``decrypt()``: an encrypted message as it was before, with the header that it travelled under."""

from __future__ import annotations

import os
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs7

from ...errors import SMIMEError
from ..incoming.header import end_of_header
from ..incoming.parsed import ParsedMessage
from . import openssl
from .own_key import OwnKey
from .signature import signed_content
from .signed_parts import encrypted_in, signed_in

__all__ = ["opened"]

_BODY_FIELDS: Final = b"content-"


def opened(message: ParsedMessage, own: OwnKey) -> ParsedMessage:
    """The message, readable. One that was signed within stays signed; its signature is for ``verify()``.

    Raises :class:`~mailconn_jupyter.errors.SMIMEError` where it is not encrypted, or not to this key.
    """
    data = encrypted_in(message.raw) if message.complete else None
    if data is None:
        raise SMIMEError("The message is not encrypted as a whole (S/MIME), or only its header was read.")
    content = _decrypted(data, own)
    if content is None:
        raise SMIMEError(
            "The message cannot be decrypted with this key.",
            hint=f"It was encrypted for a certificate other than {own.certificate.source}, or is damaged.",
        )
    return _with_content(message, content)


def _with_content(message: ParsedMessage, content: bytes) -> ParsedMessage:
    raw = _without_body_fields(message.raw[: end_of_header(message.raw)]) + content
    return ParsedMessage(
        raw, uid=message.uid, size=message.size, flags=message.flags, arrived=message.arrived, problems=message.problems
    )


def _without_body_fields(header: bytes) -> bytes:
    kept: list[bytes] = []
    drops = False
    for line in header.splitlines(keepends=True):
        if not line.strip(b"\r\n"):
            break
        if line[:1] not in {b" ", b"\t"}:
            drops = line.lower().startswith(_BODY_FIELDS)
        if not drops:
            kept.append(line)
    return b"".join(kept)


def _decrypted(data: bytes, own: OwnKey) -> bytes | None:
    try:
        return pkcs7.pkcs7_decrypt_der(data, own.certificate.parsed, own.key, [pkcs7.PKCS7Options.Binary])
    except Exception:  # noqa: BLE001  # a stranger's bytes; what is raised for them differs by version
        # It knows few algorithms: not 3DES, which many a mail program still writes, nor keys of elliptic curves.
        return _by_openssl(data, own)


def _by_openssl(data: bytes, own: OwnKey) -> bytes | None:
    if os.name == "nt" or not openssl.available():
        # There a key could be handed over in a file alone.
        return None
    key = own.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    reads, writes = os.pipe()
    try:
        # In a thread: a pipe takes little before it is read.
        feeder = threading.Thread(target=_feed, args=(writes, key), name="mailconn-key", daemon=True)
        feeder.start()
        with tempfile.NamedTemporaryFile(prefix="mailconn-", suffix=".pem") as file:
            Path(file.name).write_bytes(own.certificate.parsed.public_bytes(Encoding.PEM))
            words = ["-decrypt", "-inform", "DER", "-recip", file.name, "-inkey", f"/dev/fd/{reads}", "-binary"]
            ran = openssl.run(words, data, handed=(reads,))
    finally:
        os.close(reads)
    return ran.out if ran.code == 0 else None


def _feed(descriptor: int, data: bytes) -> None:
    with suppress(OSError), os.fdopen(descriptor, "wb") as pipe:
        pipe.write(data)


def unwrapped(message: ParsedMessage) -> ParsedMessage:
    """An opaquely signed message with its content in the place of the signature; any other as it is.

    The content is in the signature there, which ``openssl`` takes apart; without it the message stays as it came.
    """
    found = signed_in(message.raw) if message.complete else None
    if found is None or found.content is not None:
        return message
    content = signed_content(found)
    return message if content is None else _with_content(message, content)
