"""Domain names beyond ASCII, as DNS, TLS and the envelope carry them."""

from __future__ import annotations

__all__ = ["ascii_domain"]


def ascii_domain(domain: str) -> str:
    """The domain in its ASCII form, label by label, as people write it (RFC 5891, UTS #46).

    Raises :class:`UnicodeError` where it has none: a sign that no registry takes, a label that only looks like one.

    >>> ascii_domain("B\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example")
    'xn--bcher-kva.example'
    """
    if domain.isascii() and "xn--" not in domain.lower():
        return domain
    import idna  # noqa: PLC0415  # its tables are large, and most domains go without

    return idna.encode(domain, uts46=True).decode("ascii")
