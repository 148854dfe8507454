"""What was asked for of a batch, as it can be used, or an error that says what is wrong with it."""

from __future__ import annotations

import smtplib
from collections.abc import Iterable
from typing import Any, Final

from ...connection import MailConnection
from ...discovery.sending_limits import SendingLimits, limits_of
from ...errors import OptionError
from ...formatting import shown
from ...scalars import count_of
from ...session.connect import protocol_of
from ...session.smtp.session import SMTPSession
from ...store import connections as stored
from ..send import require_sending
from .rate import Rate

__all__ = [
    "MOST_CONNECTIONS",
    "MOST_WINDOW",
    "count_within",
    "limits_for",
    "rate_for",
    "target_of",
    "words_of_again",
]

#: Each has a thread, and no server takes so many of one client.
MOST_CONNECTIONS: Final = 100
#: So many, and as many that wait, are in memory at once.
MOST_WINDOW: Final = 1000
_AGAIN: Final = ("unknown", "refused")


def target_of(target: Any, called: str = "send_many()") -> tuple[MailConnection | None, SMTPSession | None]:
    """The connection of a name, of None or of itself, and the session where that is the target; it sends over SMTP."""
    if isinstance(target, SMTPSession):
        return target.connection, target
    if isinstance(target, smtplib.SMTP) or protocol_of(target):
        raise OptionError(
            f"{called} cannot send over {'an smtplib.SMTP' if isinstance(target, smtplib.SMTP) else protocol_of(target)}.",
            hint="Name an SMTP connection, or open one: mailconn.connect_smtp(name)",
        )
    connection = stored.pick(target, sends=True)
    require_sending(connection)
    if connection.protocol != "SMTP":
        raise OptionError(
            f"{connection.name}: {called} sends over SMTP alone, not over {connection.protocol}.",
            trait="protocol",
            hint="Send its messages one by one: mailconn.send(...)",
        )
    return connection, None


def count_within(name: str, value: Any, most: int | None = None) -> int:
    """A whole number from 1 to ``most``."""
    number = count_of(value)
    if not number or (most is not None and number > most):
        bounds = "1 or more" if most is None else f"from 1 to {most}"
        raise OptionError(f"{name} must be a whole number, {bounds}, not {shown(value)}.", trait=name)
    return number


def limits_for(connection: MailConnection) -> SendingLimits:
    """The limits of the provider that the connection leads to."""
    options = connection.resolved()
    return limits_of(str(options.server_host), str(options.username))


def rate_for(given: str | None, limits: SendingLimits) -> Rate | None:
    """The rate that was asked for, or the provider's own."""
    if given is not None:
        return Rate.of(given)
    return Rate(limits.a_minute, "minute") if limits.a_minute else None


def words_of_again(again: Any, *, journal: bool) -> frozenset[str]:
    """What of a journal is to be sent again."""
    taken = [again] if isinstance(again, str) or not isinstance(again, Iterable) else list(again)
    if any(word not in _AGAIN for word in taken) or (taken and not journal):
        raise OptionError(
            f"again={shown(again)} cannot be sent again.",
            trait="again",
            hint='It takes "unknown" or "refused", and needs journal="NAME".',
        )
    return frozenset(taken)
