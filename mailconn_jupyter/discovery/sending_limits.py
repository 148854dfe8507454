"""What the large providers let one mailbox send by SMTP, as they publish it; found by the server that takes the mail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["SENDING_LIMITS", "SendingLimits", "limits_of"]


@dataclass(frozen=True)
class SendingLimits:
    """Of one provider: connections at a time, messages a minute, recipients a day. 0: none is published."""

    provider: str
    connections: int = 0
    a_minute: int = 0
    recipients_a_day: int = 0


SENDING_LIMITS: Final = {
    # learn.microsoft.com/exchange/troubleshoot/send-emails/smtp-submission-improvements
    "smtp.office365.com": SendingLimits("Microsoft 365", connections=3, a_minute=30, recipients_a_day=10_000),
    # support.apple.com/102198
    "smtp.mail.me.com": SendingLimits("iCloud", recipients_a_day=1_000),
}
"""By the host of the server, which is one of :data:`~mailconn_jupyter.discovery.providers.PROVIDERS`."""


def limits_of(host: str) -> SendingLimits:
    """The limits of the provider whose server that is; none at all for any other.

    >>> limits_of("SMTP.Office365.com.").a_minute, limits_of("smtp.example.org").a_minute
    (30, 0)
    """
    return SENDING_LIMITS.get(host.casefold().rstrip("."), SendingLimits(""))
