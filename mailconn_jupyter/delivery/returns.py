"""What is to come back of a message, and to whom: the sender of its envelope, and the notices of its delivery."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from email.message import Message
from typing import Any, Self

from ..message.addresses import envelope_address
from ..session.smtp.envelope import Envelope, envelope_of
from ..session.smtp.status_request import StatusRequest

__all__ = ["Returns"]


@dataclass(frozen=True)
class Returns:
    """``bounce_to`` is the sender of the envelope, None for that of the headers; empty, nothing comes back at all."""

    bounce_to: str | None = None
    request: StatusRequest | None = None

    @classmethod
    def of(
        cls,
        bounce_to: str | None,
        notify: str | Iterable[str] = (),
        ret: str | None = None,
        envid: str | None = None,
    ) -> Self:
        """What was asked for.

        Raises :class:`~mailconn_jupyter.errors.MessageError`, and :class:`~mailconn_jupyter.errors.OptionError`, for what
        cannot be.
        """
        if bounce_to is not None:
            bounce_to = str(envelope_address(bounce_to, what="address for bounces", empty=True))
        return cls(bounce_to, StatusRequest.of(notify, ret, envid))

    def unless(self, own: Returns | None) -> Returns:
        """What is asked for where a message has its ``own``, which comes first."""
        if own is None:
            return self
        bounce_to = self.bounce_to if own.bounce_to is None else own.bounce_to
        return Returns(bounce_to, own.request or self.request)

    def envelope(self, message: Message[Any, Any], recipients: Iterable[str] | None = None) -> Envelope:
        """The envelope of the message, for these recipients or for those of its headers."""
        return Envelope.of(*envelope_of(message, self.bounce_to, recipients), request=self.request)
