"""One message on its way: MAIL, RCPT, DATA or BDAT, and what the server has said to each so far (RFC 5321, 3.3)."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from ...message.mime.wire_format import Wire
from ...transport.transport_errors import readable
from .connection import CLOSING, Command, SMTPConnection
from .envelope import Envelope, Recipient, address_line
from .errors import (
    ClosedAtData,
    ClosedAtRecipient,
    ClosedAtSender,
    DataRefused,
    ExtensionMissing,
    MessageTooLarge,
    NoRecipients,
    no_smtputf8,
)
from .reply import Reply

__all__ = ["TAKEN_ALL_THE_SAME", "Fate", "Refusals", "Slot", "Transaction", "send_data"]

#: Recipient to code and text, as :mod:`smtplib` returns it.
Refusals = dict[str, tuple[int, bytes]]

#: Of a server that contradicts itself.
TAKEN_ALL_THE_SAME = "The server refused the sender, and then accepted the message."

#: What a reply is to: RSET, MAIL, a RCPT, DATA, or the content.
Slot = Literal["reset", "sender", "recipients", "go_ahead", "final"]


class Fate(NamedTuple):
    """What became of one recipient of one message.

    ``accepted``, ``refused``: the server said so, and ``reply`` is what it said; a message that it cannot be given is
    refused as well, without a reply. ``unknown``: the last byte had left, and the reply to it was never read. ``not
    sent``: it was not delivered, and may be sent again.
    """

    outcome: Literal["accepted", "refused", "unknown", "not sent"]
    reply: Reply | None = None
    words: str = ""


class Transaction:
    """One message on its way over a link, and the replies to it.

    Raises :class:`~mailconn_jupyter.errors.MessageError` for what the server cannot be given.
    """

    def __init__(self, link: SMTPConnection, envelope: Envelope, data: Wire) -> None:
        if not envelope.recipients:
            raise NoRecipients
        self.envelope, self.data = envelope, data
        self._request = envelope.request if "dsn" in link.features else None
        self._options = _options_for(link, envelope, data)
        if self._request is not None:
            self._options += self._request.for_mail
        self._esmtp = link.esmtp
        #: The replies so far.
        self.reset: Reply | None = None
        self.sender: Reply | None = None
        self.recipients: list[Reply] = []
        self.go_ahead: Reply | None = None
        self.final: Reply | None = None
        #: The 421 among them, by which the server ended it.
        self.closing: Reply | None = None
        #: How many bytes the channel has taken with the last one of the content.
        self.end = math.inf

    @property
    def names(self) -> list[str]:
        """The recipients, as they are told of."""
        return [str(each.address) for each in self.envelope.recipients]

    @property
    def mail(self) -> Command:
        return Command(address_line("mail from", self.envelope.sender, self._options))

    @property
    def rcpts(self) -> list[Command]:
        return [
            Command(address_line("rcpt to", each.address, self._parameters_of(each)))
            for each in self.envelope.recipients
        ]

    def _parameters_of(self, recipient: Recipient) -> tuple[str, ...]:
        asked = self._request.for_recipient(recipient.address) if self._request is not None else ()
        return (*recipient.parameters, *asked) if self._esmtp else ()

    # What has been heard

    @property
    def refused(self) -> Refusals:
        """Those whom the server has not taken."""
        return {
            name: reply.pair for name, reply in zip(self.names, self.recipients, strict=False) if not reply.positive
        }

    @property
    def wanted(self) -> bool:
        """Whether the server has taken a recipient."""
        return any(reply.positive for reply in self.recipients)

    @property
    def unwanted(self) -> bool:
        """Whether it has refused all of them; a 421 is about the session, not about a recipient."""
        asked = len(self.recipients) == len(self.envelope.recipients)
        return asked and not any(reply.positive or reply.code == CLOSING for reply in self.recipients)

    @property
    def sender_refused(self) -> bool:
        """Whether it has refused the sender."""
        return self.sender is not None and _says_no(self.sender)

    def heard(self, slot: Slot, reply: Reply) -> None:
        """Keep the reply to a command; a 421 is raised as its error, for the server ends the session by it."""
        if slot == "recipients":
            self.recipients.append(reply)
        else:
            setattr(self, slot, reply)
        if reply.code != CLOSING:
            return
        self.closing = reply
        if slot in {"reset", "sender"}:
            error = ClosedAtSender(reply, sender=str(self.envelope.sender))
            error.before_message = True
            raise error
        raise ClosedAtRecipient(reply, self.refused) if slot == "recipients" else ClosedAtData(reply)

    # What follows from it

    def fates(self, *, why: str = "", handed: int = 0, another: bool = False) -> dict[str, Fate]:
        """What became of each recipient; where the link is lost, ``why``, and how many bytes the channel has taken.

        ``another``: the link is another process's, which goes on with it.
        """
        rest = self._rest(readable(why), handed)
        if another and self.final is None:
            rest = Fate("unknown", words=readable(why))
        fates = dict.fromkeys(self.names, rest)
        if rest.outcome != "refused" or rest.reply is not self.sender:
            for name, reply in zip(self.names, self.recipients, strict=False):
                if _says_no(reply):
                    fates[name] = Fate("refused", reply)
                elif not reply.positive:
                    fates[name] = Fate("unknown" if rest.outcome == "accepted" else rest.outcome, reply)
        return fates

    def _rest(self, why: str, handed: int) -> Fate:
        """The fate of those of whom nothing else was said."""
        if self.sender_refused and not self.wanted:
            return Fate("refused", self.sender)
        for reply in self.final, self.go_ahead:
            if reply is not None and _says_no(reply):
                return Fate("refused", reply)
        if self.closing is not None:
            return Fate("not sent", self.closing, why)
        if self.final is not None:
            if not self.final.positive:
                return Fate("unknown", self.final, f"The server replied {self.final}.")
            contradicts = self.sender_refused
            return Fate("unknown", self.final, TAKEN_ALL_THE_SAME) if contradicts else Fate("accepted", self.final)
        if self.may_be_there(handed):
            return Fate("unknown", words=why)
        return Fate("refused", self.sender) if self.sender_refused else Fate("not sent", words=why)

    def may_be_there(self, handed: int) -> bool:
        """Whether a message whose content was not answered may have arrived, where the channel has taken so many bytes."""
        return self.closing is None and self.end <= handed


def _says_no(reply: Reply) -> bool:
    """Whether it refuses what it is about; a 421 is about the session."""
    return (reply.temporary or reply.permanent) and reply.code != CLOSING


def _options_for(link: SMTPConnection, envelope: Envelope, data: Wire) -> tuple[str, ...]:
    asked = envelope.asks_for("SMTPUTF8")
    if "size" in link.features and not envelope.asks_for("SIZE"):
        if 0 < link.size_limit < len(data):
            raise MessageTooLarge(len(data), link.size_limit, sender=str(envelope.sender))
        envelope = envelope.asking_for(f"size={len(data)}")
    if asked or envelope.international or data.international:
        if "smtputf8" not in link.features:
            raise no_smtputf8(envelope.addresses, asked=asked)
        envelope = envelope.asking_for("SMTPUTF8")
    if not data.isascii() and not envelope.asks_for("BODY"):
        if "8bitmime" not in link.features:
            raise ExtensionMissing(
                "The message contains bytes above 127, but the server accepts only 7 bits (no 8BITMIME).",
                hint="Send it as an EmailMessage, which is then encoded. Nothing was sent.",
            )
        envelope = envelope.asking_for("BODY=8BITMIME")
    return envelope.parameters if link.esmtp else ()


def send_data(link: SMTPConnection, data: Wire) -> Reply:
    """DATA and the content, by hand; returns the reply to it, or raises."""
    reply = link.command("DATA")
    if reply.code == CLOSING:
        link.close()
        raise ClosedAtData(reply)
    if not 300 <= reply.code < 400:
        raise DataRefused("The server accepts no message at the moment", reply)
    link.write_content(data.stuffed())
    return link.read_reply(link.message_patience)
