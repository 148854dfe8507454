"""What the large providers let one mailbox send by SMTP, as they publish it; found by the server that takes the mail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["SENDING_LIMITS", "SendingLimits", "limits_of"]


@dataclass(frozen=True)
class SendingLimits:
    """Of one provider: connections at a time, messages a minute, recipients or messages a day. 0: none is published."""

    provider: str
    connections: int = 0
    a_minute: int = 0
    recipients_a_day: int = 0
    messages_a_day: int = 0

    @property
    def a_day(self) -> int:
        """How many messages to one recipient each go in a day; 0: nobody says."""
        return min(filter(None, (self.recipients_a_day, self.messages_a_day)), default=0)


# support.google.com/mail/answer/22839
_GMAIL: Final = SendingLimits("Gmail", messages_a_day=500)
_PERSONAL: Final = frozenset({"gmail.com", "googlemail.com"})

SENDING_LIMITS: Final = {
    # learn.microsoft.com/exchange/troubleshoot/send-emails/smtp-submission-improvements
    "smtp.office365.com": SendingLimits("Microsoft 365", connections=3, a_minute=30, recipients_a_day=10_000),
    # support.apple.com/102198
    "smtp.mail.me.com": SendingLimits("iCloud", recipients_a_day=1_000),
    # support.google.com/a/answer/166852; of the recipients outside of the domain 3,000
    "smtp.gmail.com": SendingLimits("Google Workspace", recipients_a_day=10_000, messages_a_day=2_000),
}
"""By the host of the server, which is one of :data:`~mailconn_jupyter.discovery.providers.PROVIDERS`."""


def limits_of(host: str, username: str = "") -> SendingLimits:
    """The limits of the provider whose server that is, for that mailbox; none at all for any other.

    >>> limits_of("SMTP.Office365.com.").a_minute, limits_of("smtp.example.org").a_minute
    (30, 0)
    >>> limits_of("smtp.gmail.com", "ana@gmail.com").a_day, limits_of("smtp.gmail.com", "ana@example.org").a_day
    (500, 2000)
    """
    host, domain = host.casefold().rstrip("."), username.casefold().rpartition("@")[2]
    if host == "smtp.gmail.com" and domain in _PERSONAL:
        return _GMAIL
    return SENDING_LIMITS.get(host, SendingLimits(""))
