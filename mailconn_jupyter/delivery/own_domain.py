"""The domain that the mail of a connection is of, as far as anything tells: what completes a name without one."""

from __future__ import annotations

import re
from typing import Final

from ..connection import MailConnection

__all__ = ["own_domain"]

# The first word of a host that is there for mail alone; what follows is the domain.
_OF_MAIL: Final = re.compile(r"[a-z0-9-]*(?:mail|smtp|mx|relay|submission)[a-z0-9-]*\.(?=[^.]+\.)", re.IGNORECASE)
_DOMAIN: Final = re.compile(r"(?:[a-z0-9-]+\.)+[a-z][a-z0-9-]*", re.IGNORECASE)


def own_domain(sender: str, connection: MailConnection | None) -> str:
    """That of the sender, of the connection's ``from_address``, its ``username`` or its server; empty: nothing tells.

    >>> own_domain("", MailConnection(name="ops", server_host="smtp.example.org"))
    'example.org'
    """
    if connection is None:
        return _after_at(sender)
    options = connection.resolved()
    told = (_after_at(text) for text in (sender, options.from_address, options.username))
    host = _OF_MAIL.sub("", str(options.server_host), count=1)
    return next(filter(None, told), host if _DOMAIN.fullmatch(host) else "")


def _after_at(text: str) -> str:
    return text.rpartition("@")[2].rstrip("> ") if "@" in text else ""
