"""Whether a message, or a part of one, says of itself that it is signed or encrypted (RFC 1847; S/MIME, RFC 8551)."""

from __future__ import annotations

from enum import Enum
from typing import Final

from .structured_field import StructuredField

__all__ = ["SEALED", "SIGNATURES", "SecuredKind", "secured_kind"]

#: What a signature is that stands beside what was signed.
SIGNATURES: Final = frozenset({"application/pkcs7-signature", "application/x-pkcs7-signature"})
_WRAPPED: Final = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
#: What is good only as it is, byte for byte, also where nothing here can open or judge it.
SEALED: Final = _WRAPPED | {"multipart/signed", "multipart/encrypted"}


class SecuredKind(Enum):
    """How: by a signature that stands beside it, by one that holds it (opaque), or encrypted."""

    SIGNED = "signed"
    OPAQUE = "opaque"
    ENCRYPTED = "encrypted"


_BY_TYPE: Final = {
    "signed-data": SecuredKind.OPAQUE,
    "enveloped-data": SecuredKind.ENCRYPTED,
    "authenveloped-data": SecuredKind.ENCRYPTED,
    # What does not say what it is, is taken for that.
    "": SecuredKind.ENCRYPTED,
}


def secured_kind(content_type: StructuredField) -> SecuredKind | None:
    """What a Content-Type says; None for anything else, such as certificates alone (certs-only)."""
    if content_type.word in _WRAPPED:
        return _BY_TYPE.get(content_type.token("smime-type").lower())
    protocol = content_type.exact("protocol") if content_type.word == "multipart/signed" else None
    return SecuredKind.SIGNED if protocol and protocol.decode("latin-1").lower() in SIGNATURES else None
