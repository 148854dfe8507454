"""A proxy as people write it in one word: ``socks5://ana@proxy.example.org:1080``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from ..errors import OptionError
from ..secret import STARS, Secret
from . import MailConnection

__all__ = ["ProxyURL"]

_TYPES = {
    "socks5": "SOCKS5",
    "socks5h": "SOCKS5",
    "socks": "SOCKS5",
    "socks4": "SOCKS4",
    "socks4a": "SOCKS4",
    "http": "HTTP",
}


@dataclass(frozen=True)
class ProxyURL:
    """The parts of a proxy's URL; the password, if the URL has one, is a secret and shows as stars."""

    proxy_type: str
    proxy_host: str
    proxy_port: int | None
    proxy_username: str
    password: Secret

    @classmethod
    def parse(cls, url: str) -> ProxyURL:
        """Take it apart; a URL that is none raises :class:`~mailconn_jupyter.errors.OptionError` without repeating it.

        Without a type it is that of an HTTP proxy, as for other programs. Signs that mean something in a URL are written
        as ``%40`` in a user or password.

        >>> ProxyURL.parse("socks5://ana@proxy.example.org:1080").proxy_port
        1080
        """
        secret, url = Secret(url.strip()), STARS
        try:
            parsed = _parse(secret)
        except ValueError:
            # Raised below: neither this error nor its frames, which hold the password, may be seen.
            parsed = None
        if parsed is None:
            raise OptionError(
                "The proxy's URL is malformed, or its type is unknown.",
                trait="proxy_host",
                hint=f"Write TYPE://user@host:port, where TYPE is one of {', '.join(_TYPES)}.",
            )
        return parsed

    def options(self) -> dict[str, Any]:
        """As options of a connection, without the password."""
        return {
            "use_proxy": True,
            "proxy_type": self.proxy_type,
            "proxy_host": self.proxy_host,
            "proxy_port": self.proxy_port,
            "proxy_username": self.proxy_username,
        }


def _parse(secret: Secret) -> ProxyURL | None:
    # urlsplit() would drop tabs and line breaks, and take what follows a / ? or # for no part of the host.
    if any(sign <= " " or sign in "\x7f?#" for sign in secret.reveal()):
        return None
    parts = urlsplit(secret.reveal() if "://" in secret.reveal() else f"http://{secret.reveal()}")
    user = unquote(parts.username or "", errors="strict")
    password = Secret(unquote(parts.password or "", errors="strict"))
    if password and password.flaw():
        return None
    if parts.scheme not in _TYPES or not parts.hostname or parts.port == 0 or parts.path not in {"", "/"}:
        return None
    parsed = ProxyURL(_TYPES[parts.scheme], parts.hostname, parts.port, user, password)
    MailConnection(**parsed.options())  # raises for a host that is none; an OptionError is a ValueError
    return parsed
