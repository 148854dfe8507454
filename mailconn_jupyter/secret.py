"""A password or token that does not show itself: not in a repr, a traceback with locals, a pickle or a copy's state."""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Callable
from enum import StrEnum
from typing import NoReturn

__all__ = ["STARS", "Kind", "Secret"]

#: What stands for a secret wherever one would be shown.
STARS = "********"


class Kind(StrEnum):
    """Which of a connection's secrets: the server's (a password or an access token), the proxy's, those of OAuth 2.0, S/MIME's."""

    PASSWORD = "password"  # noqa: S105  # the word, not one
    PROXY = "proxy"
    #: The client's own, which an app's registration may have.
    CLIENT = "client"
    #: What keeps a person signed in.
    REFRESH = "refresh"
    #: What opens the key that mail is signed and decrypted with.
    SMIME = "smime"


class Secret:
    """A text that only :meth:`reveal` gives out.

    Keep it in variables and attributes in place of the text: ``%xmode Verbose`` prints the locals of every frame, and
    prints stars for this one. Call :meth:`reveal` within the expression that needs the text.
    """

    # A function in the slot, not the text: a debugger's view of the attributes shows values, not closures.
    __slots__ = ("_give",)

    _give: Callable[[], str]

    def __init__(self, text: str) -> None:
        self._give = lambda: text

    @classmethod
    def of(cls, value: object) -> Secret | None:
        """``value`` as a secret, None if it is no text. Never raises, so no traceback holds the value."""
        if isinstance(value, Secret):
            return value
        return cls(value) if isinstance(value, str) else None

    @classmethod
    def decode(cls, data: bytes) -> Secret | None:
        """UTF-8, with or without a byte order mark, as a secret; None if it is no UTF-8."""
        try:
            return cls(data.decode("utf-8-sig"))
        except UnicodeDecodeError:
            # The error holds the data: it stays here.
            return None

    def reveal(self) -> str:
        """The text. Hand it on at once: not into a variable, an attribute or an error's arguments."""
        return self._give()

    def flaw(self, *, lines: bool = False) -> str:
        """What keeps the text from being a password, as the end of a sentence; empty if nothing does.

        ``lines``: it may have several, as a key has.
        """
        if not self:
            return "is empty"
        if any(sign in self.reveal() for sign in ("\0" if lines else "\r\n\0")):
            return "contains a line break or a NUL, which no login can send"
        if any("\ud800" <= character <= "\udfff" for character in self.reveal()):
            return "is not UTF-8"
        return ""

    def oddity(self) -> str:
        """A sign that pasted texts bring along, as the end of a sentence; empty if there is none. It may be meant."""
        for sign in self.reveal():
            if sign != " " and unicodedata.category(sign) in {"Cf", "Zs"}:
                return f"contains U+{ord(sign):04X} ({unicodedata.name(sign, 'no name').lower()}), as pasted text often does"
        return "begins or ends with a space" if self.reveal() != self.reveal().strip(" ") else ""

    def _bytes(self) -> bytes:
        return self._give().encode("utf-8", "surrogatepass")

    def __bool__(self) -> bool:
        return bool(self._give())

    def __eq__(self, other: object) -> bool:
        """In a time that does not tell where the two differ."""
        return hmac.compare_digest(self._bytes(), other._bytes()) if isinstance(other, Secret) else NotImplemented

    # A hash of the text would be a trace of it.
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return STARS

    def __format__(self, spec: str) -> str:
        return format(STARS, spec)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __getstate__(self) -> NoReturn:
        raise TypeError("A secret is not written anywhere.")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A secret cannot be pickled.")
