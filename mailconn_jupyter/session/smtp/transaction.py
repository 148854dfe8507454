"""One message through an SMTP session: MAIL, RCPT, DATA, and what became of each recipient (RFC 5321, 3.3)."""

from __future__ import annotations

import contextlib
import copy
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email.message import Message
from typing import Any

from ...errors import MessageError, warn
from ...message.addresses import Address, envelope_address, header_addresses
from ...message.mime.wire_format import Wire, normalised, wired
from ...transport.transport_errors import TransportError, readable
from .errors import (
    DataRefused,
    DeliveryUnknown,
    LinkLost,
    MessageTooLarge,
    NotSupported,
    RecipientsRefused,
    Refused,
    SenderRefused,
    ServerClosing,
)
from .login import SMTPLogin

__all__ = ["Envelope", "SMTPTransaction", "envelope_of", "no_smtputf8", "warn_of"]

_CLOSING = 421


@dataclass(frozen=True)
class Envelope:
    """Sender, recipients (each once) and the options that a caller adds to MAIL and RCPT."""

    sender: Address
    recipients: tuple[Address, ...]
    mail_options: tuple[str, ...] = ()
    rcpt_options: tuple[str, ...] = ()

    @property
    def international(self) -> bool:
        """Whether only SMTPUTF8 can carry it."""
        return any(address.international for address in (self.sender, *self.recipients))


def envelope_of(
    message: Message[Any, Any], sender: str | None, recipients: str | Sequence[str] | None, *, default: str
) -> tuple[str, list[str]]:
    """The sender and the recipients of a message: those given, or its own headers (RFC 5322, 3.6.2, 3.6.3, 3.6.6)."""
    resent = message.get_all("Resent-Date")
    if resent is not None and len(resent) > 1:
        raise MessageError("The message was resent more than once; name its sender and recipients.")
    prefix = "Resent-" if resent else ""
    if sender is None:
        header = message.get(f"{prefix}Sender") or message.get(f"{prefix}From") or default
        sender = next(iter(header_addresses(header)), "")
    if recipients is None:
        fields = [value for name in ("To", "Cc", "Bcc") for value in message.get_all(prefix + name, [])]
        return sender, [address for value in fields for address in header_addresses(value)]
    return sender, [recipients] if isinstance(recipients, str) else list(recipients)


class SMTPTransaction(SMTPLogin):
    """A session that sends messages, one transaction each."""

    #: Seconds for the reply to a whole message.
    message_patience = 60.0

    @property
    def size_limit(self) -> int:
        """Bytes of the largest message that the server takes (RFC 1870); 0 when it does not say."""
        said = self.esmtp_features.get("size", "")
        # A server can say what it likes there, also digits that int() does not take.
        return int(said) if re.fullmatch("[0-9]{1,18}", said) else 0

    def mail(self, sender: str, options: Sequence[str] = ()) -> tuple[int, bytes]:
        """MAIL, with an address that is checked (:func:`~mailconn_jupyter.message.addresses.envelope_address`)."""
        address = envelope_address(sender, what="sender", empty=True)
        return self._address_command("MAIL FROM", address, options)

    def rcpt(self, recip: str, options: Sequence[str] = ()) -> tuple[int, bytes]:
        """RCPT, with an address that is checked."""
        return self._address_command("RCPT TO", envelope_address(recip), options)

    def _address_command(self, verb: str, address: Address, options: Iterable[str]) -> tuple[int, bytes]:
        words = [f"{verb}:<{address}>", *_options(options)]
        with self._lock:
            self._send(" ".join(words).encode() + b"\r\n")
            return self.getreply()

    def data(self, msg: Any) -> tuple[int, bytes]:
        """DATA and the message; returns the last reply. Line ends are made CR LF, leading dots doubled."""
        content = _content(msg)
        with self._lock:
            code, text = self.docmd("DATA")
            if code != 354:
                raise DataRefused("The server takes no message now", code, text)
            payload = content.stuffed()
            if unasked := self._channel.buffered():
                # It cannot be about a message that has not been sent, but would be taken for the answer to it.
                words = readable(unasked, 60)
                self._lost(TransportError(f"The server answers before the message: {words!r}.", cause="bad-reply"))
            self._send(b"", shown=f"(the message, {len(payload)} bytes)", more=payload)
            self._patience = self.message_patience
            try:
                return self.getreply()
            except LinkLost as error:
                error.after_message = True
                raise
            finally:
                self._patience = None

    def _deliver_message(
        self,
        message: Message[Any, Any],
        sender: str,
        recipients: Sequence[str],
        mail_options: Sequence[str],
        rcpt_options: Sequence[str],
        *,
        default: str,
    ) -> tuple[Envelope, dict[str, tuple[int, bytes]]]:
        if default and message.get("From") is None:
            message = copy.copy(message)
            message["From"] = default
        envelope = _envelope(sender, recipients, mail_options, rcpt_options)
        with self._lock:
            self._refresh()
            self.ehlo_or_helo_if_needed()
            data = wired(message, utf8=envelope.international, eight_bit=self.has_extn("8bitmime"))
            return envelope, self._deliver(envelope, data)

    def _deliver_bytes(
        self,
        sender: str,
        recipients: Sequence[str],
        message: bytes | str,
        mail_options: Sequence[str],
        rcpt_options: Sequence[str],
    ) -> tuple[Envelope, dict[str, tuple[int, bytes]]]:
        envelope, data = _envelope(sender, recipients, mail_options, rcpt_options), _content(message)
        with self._lock:
            return envelope, self._deliver(envelope, data)

    def _deliver(self, envelope: Envelope, data: Wire) -> dict[str, tuple[int, bytes]]:
        try:
            return self._transact(envelope, data)
        except Exception:
            raise
        except BaseException:
            # Interrupted within a message: what the server says next would be taken for the answer to something else.
            self.close()
            raise

    def _refresh(self) -> None:
        """Nothing here: a session that knows its connection opens it again."""

    def _transact(self, envelope: Envelope, data: Wire) -> dict[str, tuple[int, bytes]]:
        self.ehlo_or_helo_if_needed()
        options = self._options_for(envelope, data)
        sender = str(envelope.sender)
        try:
            code, text = self.mail(sender, options)
            if code == _CLOSING:
                self._closing(code, text)
        except LinkLost as error:
            error.before_message = True
            raise
        if not 200 <= code < 300:
            self._reset()
            raise SenderRefused(f"The server refused the sender {sender}", code, text, sender=sender)
        refused: dict[str, tuple[int, bytes]] = {}
        for address in map(str, envelope.recipients):
            code, text = self.rcpt(address, envelope.rcpt_options)
            if code == _CLOSING:
                self._closing(code, text)
            if code not in {250, 251}:
                refused[address] = (code, text)
        accepted = tuple(str(address) for address in envelope.recipients if str(address) not in refused)
        if not accepted:
            self._reset()
            raise RecipientsRefused(refused)
        try:
            code, text = self.data(data)
        except LinkLost as error:
            if error.after_message:
                raise DeliveryUnknown(accepted, error.message, refused=refused) from error
            raise
        except Refused as error:
            if error.smtp_code == _CLOSING:
                self._closing(error.smtp_code, error.text)
            self._reset()
            raise
        if code == _CLOSING:
            self._closing(code, text)
        if not 200 <= code < 300:
            raise DataRefused("The server refused the message", code, text)
        return refused

    def _options_for(self, envelope: Envelope, data: Wire) -> list[str]:
        options = list(envelope.mail_options)
        said = {option.partition("=")[0].upper() for option in options}
        if self.has_extn("size") and "SIZE" not in said:
            if 0 < self.size_limit < len(data):
                raise MessageTooLarge(len(data), self.size_limit, sender=str(envelope.sender))
            options.append(f"SIZE={len(data)}")
        international = envelope.international or data.international
        if (international or "SMTPUTF8" in said) and not self.has_extn("smtputf8"):
            raise no_smtputf8((envelope.sender, *envelope.recipients))
        if international and "SMTPUTF8" not in said:
            options.append("SMTPUTF8")
        if not data.isascii() and "BODY" not in said:
            if not self.has_extn("8bitmime"):
                raise NotSupported(
                    "The message holds bytes over 127, and the server takes only 7 bit (no 8BITMIME).",
                    hint="Send it as an EmailMessage, which is then encoded. Nothing was sent.",
                )
            options.append("BODY=8BITMIME")
        return options

    def _closing(self, code: int, text: bytes) -> None:
        self.close()
        raise ServerClosing(code, text)

    def _reset(self) -> None:
        with contextlib.suppress(LinkLost):
            self.rset()


def no_smtputf8(addresses: Iterable[Address]) -> NotSupported:
    """The error for a server that cannot take these addresses of an envelope, or those of its message's headers."""
    which = next((str(address) for address in addresses if address.international), "An address in a header")
    return NotSupported(
        f"{which} is not ASCII before its @, and the server does not offer SMTPUTF8.",
        hint="Use another address of that person. Nothing was sent.",
    )


def warn_of(envelope: Envelope, refused: dict[str, tuple[int, bytes]]) -> None:
    """Say whom a message did not reach that reached others: smtplib's return value for that is easily lost."""
    if refused:
        said = "; ".join(f"{address}: {code} {readable(text)}" for address, (code, text) in refused.items())
        everybody = len(envelope.recipients)
        warn(f"The message was delivered to {everybody - len(refused)} of {everybody} recipients. Refused: {said}")


def _envelope(
    sender: str, recipients: Sequence[str], mail_options: Sequence[str], rcpt_options: Sequence[str]
) -> Envelope:
    if not recipients:
        raise MessageError("The message has no recipient.", hint="Name one in To, Cc or Bcc.")
    given = envelope_address(sender, what="sender", empty=True)
    read = tuple(dict.fromkeys(envelope_address(address) for address in recipients))
    return Envelope(given, read, _options(mail_options), _options(rcpt_options))


def _options(given: Iterable[str]) -> tuple[str, ...]:
    """Parameters of MAIL or RCPT, each one word (RFC 5321, 4.1.2)."""
    options = tuple(given)
    for option in options:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9\-]*(?:=[^\s=\x00-\x20\x7f-\x9f\ud800-\udfff]+)?", option):
            raise MessageError(f"{option!r} is not one parameter of MAIL or RCPT.", hint="For example: NOTIFY=NEVER")
    return options


def _content(message: Wire | bytes | bytearray | memoryview | str) -> Wire:
    if isinstance(message, Wire):
        return message
    if isinstance(message, str):
        if not message.isascii():
            raise MessageError(
                "A message that is a text must be ASCII.", hint="Encode it as its header says, or use an EmailMessage."
            )
        message = message.encode()
    return Wire(normalised(bytes(message)))
