"""Domain names beyond ASCII, as DNS, TLS and the envelope carry them."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["ascii_domain"]

_DOTS = re.compile("[.\u3002\uff0e\uff61]")
_DEVIATIONS = re.compile("[\u00df\u1e9e\u03c2\u200c\u200d]")


def ascii_domain(domain: str) -> str:
    """The domain in its ASCII form, label by label (RFC 5890); raises :class:`UnicodeError` where it has none.

    >>> ascii_domain("b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example")
    'xn--bcher-kva.example'
    """
    return domain if domain.isascii() else ".".join(_a_label(label) for label in _DOTS.split(domain))


def _a_label(label: str) -> str:
    if not _DEVIATIONS.search(label):
        return label.encode("idna").decode("ascii")
    # The codec follows the standard of 2003, in which straße is strasse: somebody else's domain today (RFC 5891).
    name = unicodedata.normalize("NFC", label.lower())
    if not all(sign.isalnum() or sign == "-" or unicodedata.category(sign) in {"Mn", "Mc"} for sign in name):
        raise UnicodeError("not a label")
    return f"xn--{name.encode('punycode').decode('ascii')}"
