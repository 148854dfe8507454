"""What a batch will take, said before it begins: how many messages, at which rate, until when, and what is in its way."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from ...discovery.sending_limits import SendingLimits
from ...errors import warn
from ...formatting import counted, how_long
from .rate import Rate

__all__ = ["Plan"]

_DAY: Final = 86400.0


@dataclass(frozen=True)
class Plan:
    """``messages`` are to be sent (None: nobody knows how many), at a ``rate`` (None: as fast as the server takes them).

    ``before`` are those of the same journal that were sent already. Its text is for a person.
    """

    messages: int | None
    rate: Rate | None
    limits: SendingLimits
    before: int = 0

    @property
    def seconds(self) -> float | None:
        """From the first message to the last; None where nothing tells."""
        if self.rate is None or self.messages is None:
            return None
        return max(self.messages - 1, 0) * self.rate.interval

    @property
    def obstacle(self) -> str:
        """What is more than the provider takes in a day, in a sentence; empty where nothing is."""
        limits, messages = self.limits, self.messages or 0
        spread = self.rate is not None and _DAY / self.rate.interval <= limits.a_day
        if not limits.a_day or messages <= limits.a_day or spread:
            return ""
        whom = f"{limits.a_day:,} {'messages' if limits.a_day == limits.messages_a_day else 'recipients'}"
        what = f"mail to {whom}" if limits.a_day == limits.recipients_a_day else whom
        return (
            f"{limits.provider} takes {what} a day from one mailbox, and these are {messages:,} messages: "
            "what goes beyond that will be refused. With a journal you can go on with it the next day."
        )

    def warn(self) -> None:
        """Say what is in its way, as a :class:`~mailconn_jupyter.errors.MailConnWarning`."""
        if obstacle := self.obstacle:
            warn(obstacle)

    def __str__(self) -> str:
        before = f" ({self.before:,} more were sent before)" if self.before else ""
        how_many = "However many messages come" if self.messages is None else counted(self.messages, "message")
        if self.rate is None:
            return f"{how_many}, as fast as the server takes them{before}."
        whose = f", the limit of {self.limits.provider}" if self.rate == Rate(self.limits.a_minute, "minute") else ""
        said = f"{how_many} at {self.rate}{whose}"
        seconds = self.seconds
        return (
            f"{said}{before}."
            if seconds is None
            else f"{said}: about {how_long(seconds)}, until {_clock(seconds)}{before}."
        )

    __repr__ = __str__


def _clock(seconds: float) -> str:
    """When that is, by the clock of this machine; with the day where it is not today's."""
    end = time.localtime(time.time() + seconds)
    today = time.localtime()[:3] == end[:3]
    return time.strftime("%H:%M" if today else "%Y-%m-%d %H:%M", end)
