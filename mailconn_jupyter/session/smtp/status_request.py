"""What is asked of the servers on a message's way about its delivery (DSN, RFC 3461)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Self

from ...errors import OptionError
from ...formatting import did_you_mean, shown
from ...message.addresses import Address
from ...scalars import plain
from .notice_words import NOTIFY, RET

__all__ = ["NO_NOTICES", "StatusRequest"]

#: What is said of a server without the extension: the message is worth more than a notice (RFC 3461, 5.2.2).
NO_NOTICES: Final = (
    "The server offers no delivery status notifications (DSN), so notify, ret and envid are ignored; the message is sent "
    "all the same."
)
# RFC 3461, 4.4: characters of an envelope identifier, as it travels.
_MOST_ENVID: Final = 100
_MOST_ORCPT: Final = 500  # RFC 3461, 4.2
# RFC 3461, 4: what xtext does not have as it is.
_NOT_XTEXT: Final = re.compile(r"[^!-~]|[+=]")
# RFC 6533, 3: what an address beyond ASCII does not have as it is.
_NOT_UTF_8_XTEXT: Final = re.compile(r"[^!-~]|[+=\\]")


@dataclass(frozen=True)
class StatusRequest:
    """``notify``: when a notice is to come; ``ret``: what of the message it is to hold; ``envid``: what it is to name.

    What was not asked for is empty, and then left to the servers: most say so where a delivery failed.
    """

    notify: tuple[str, ...] = ()
    ret: str = ""
    envid: str = ""

    @classmethod
    def of(cls, notify: str | Iterable[str], ret: str | None, envid: str | None) -> Self | None:
        """What was asked for; None where nothing was. Raises :class:`~mailconn_jupyter.errors.OptionError`."""
        given = [notify] if isinstance(plain(notify), str) else notify
        words = [_word("notify", each, NOTIFY) for each in given or ()]
        if "never" in words and len(set(words)) > 1:
            raise OptionError(
                f"notify={shown(notify)}: never cannot be combined with anything else.",
                trait="notify",
                hint='Give notify="never" alone, or leave it out.',
            )
        asked = cls(tuple(dict.fromkeys(words)), "" if ret is None else _word("ret", ret, RET), _envid(envid))
        return asked if asked != cls() else None

    @property
    def for_mail(self) -> tuple[str, ...]:
        """The parameters of MAIL."""
        ret = (f"RET={RET[self.ret]}",) if self.ret else ()
        return (*ret, f"ENVID={_xtext(self.envid)}") if self.envid else ret

    @property
    def for_anybody(self) -> tuple[str, ...]:
        """The parameters of RCPT that are the same for every recipient."""
        return (f"NOTIFY={','.join(self.notify).upper()}",) if self.notify else ()

    def for_recipient(self, address: Address) -> tuple[str, ...]:
        """The parameters of RCPT: also whom the message was first sent to, for it may be passed on to others."""
        notify = self.for_anybody
        kind, text = "rfc822", _xtext(address.text)
        if address.international:
            kind, text = "utf-8", _NOT_UTF_8_XTEXT.sub(_as_number, address.text)
        original = f"ORCPT={kind};{text}"
        return (*notify, original) if len(original) <= _MOST_ORCPT else notify


def _word(option: str, given: Any, known: Iterable[str]) -> str:
    words = list(known)
    word = plain(given)
    if not isinstance(word, str) or word.casefold() not in words:
        raise OptionError(
            f"{option}={shown(given)} is not one of {', '.join(words)}.{did_you_mean(str(given), words)}", trait=option
        )
    return word.casefold()


def _envid(given: Any) -> str:
    text = plain(given)
    if text is None:
        return ""
    # RFC 3461, 4.4: printable US-ASCII.
    if not isinstance(text, str) or not text.isascii() or not text.isprintable():
        raise OptionError(
            f"envid={shown(given)} is not text in printable ASCII characters.",
            trait="envid",
            hint="Each notification repeats it, for example: envid='invoice-47'",
        )
    if len(_xtext(text)) > _MOST_ENVID:
        raise OptionError(
            f"envid={shown(given)} is too long: it may have {_MOST_ENVID} characters as it travels.", trait="envid"
        )
    return text


def _as_number(sign: re.Match[str]) -> str:
    return f"\\x{{{ord(sign[0]):X}}}"


def _xtext(text: str) -> str:
    return _NOT_XTEXT.sub(lambda sign: f"+{ord(sign[0]):02X}", text)
