"""What is asked for: no more than the protocol needs, and to stay signed in."""

from __future__ import annotations

from typing import Final

from .identity import Identity
from .metadata import Metadata

__all__ = ["scope_of"]

_PERMISSIONS: Final = {"SMTP": "SMTP.Send", "IMAP": "IMAP.AccessAsUser.All", "POP3": "POP.AccessAsUser.All"}
_GOOGLE_MAIL: Final = "https://mail.google.com/"
#: Who it is, and a refresh token (OpenID Connect Core 1.0, 5.4 and 11).
_PERSON: Final = ("openid", "email", "offline_access")


def scope_of(identity: Identity, metadata: Metadata) -> str:
    """The connection's own, or that of provider and protocol.

    Of a server that is not known it asks for those of the usual words that its metadata have: ``openid``, ``email``,
    ``offline_access``, ``mail`` and the protocol's name; where they have none, for the three first.
    """
    if identity.scope:
        return identity.scope
    if metadata.is_microsoft:
        if identity.protocol == "GRAPH":
            # A national cloud's Graph is a resource of its own (https://learn.microsoft.com/graph/deployments).
            graph = f"https://{identity.host}"
            return f"{graph}/.default" if identity.unattended else f"{graph}/Mail.Send openid profile offline_access"
        if identity.unattended:
            return "https://outlook.office365.com/.default"
        return f"https://outlook.office.com/{_PERMISSIONS[identity.protocol]} openid profile offline_access"
    if metadata.is_google:
        return _GOOGLE_MAIL if identity.unattended else f"{_GOOGLE_MAIL} openid email"
    words = (
        ("mail", identity.protocol.casefold())
        if identity.unattended
        else (*_PERSON, "mail", identity.protocol.casefold())
    )
    offered = metadata.scopes
    return " ".join(word for word in words if word in (offered or ([] if identity.unattended else _PERSON)))
