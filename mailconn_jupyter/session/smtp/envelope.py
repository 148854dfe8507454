"""Who a message is from and to, beside the message: what MAIL and RCPT say (RFC 5321, 3.3)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from email.message import Message
from typing import Any, Self

from ...errors import MessageError
from ...formatting import shown
from ...message.addresses import Address, envelope_address, listed_addresses, once, plain_addresses
from ...message.mime.headers import AddressField
from .status_request import StatusRequest

__all__ = ["Envelope", "Parameters", "Recipient", "address_line", "envelope_of", "parameters"]

# RFC 5321, 4.1.2: esmtp-param; RFC 6531, 3.3 for what is beyond ASCII.
_PARAMETER = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-]*(?:=[^\s=\x00-\x20\x7f-\x9f\ud800-\udfff]+)?")

#: The same for every recipient, or recipient to its own.
Parameters = Sequence[str] | Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Recipient:
    """One recipient, and the parameters of its RCPT: those of DSN differ from one to the next (RFC 3461)."""

    address: Address
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True)
class Envelope:
    """Sender, recipients (each once), the parameters of MAIL, and what is asked of a server that offers DSN."""

    sender: Address
    recipients: tuple[Recipient, ...]
    parameters: tuple[str, ...] = ()
    request: StatusRequest | None = None

    @classmethod
    def of(
        cls,
        sender: str,
        recipients: Iterable[str],
        mail_options: Iterable[str] = (),
        rcpt_options: Parameters = (),
        *,
        local: bool = False,
        request: StatusRequest | None = None,
    ) -> Self:
        """The envelope of these texts. ``rcpt_options`` are for each recipient, or a mapping of recipient to its own.

        ``local`` allows names without a domain; ``request`` is for a server that offers DSN. Raises
        :class:`~mailconn_jupyter.errors.MessageError`.
        """
        given = envelope_address(sender, what="sender", empty=True, local=local)
        read = once(envelope_address(each, local=local) for each in recipients)
        options = _of_each(read, rcpt_options, local=local)
        return cls(given, tuple(Recipient(each, options[each]) for each in read), parameters(mail_options), request)

    @property
    def addresses(self) -> tuple[Address, ...]:
        """The sender's, and those of the recipients."""
        return self.sender, *(recipient.address for recipient in self.recipients)

    @property
    def international(self) -> bool:
        """Whether only SMTPUTF8 can carry it."""
        return any(address.international for address in self.addresses)

    def asks_for(self, name: str) -> bool:
        """Whether MAIL has the parameter, with whatever value."""
        return any(parameter.partition("=")[0].upper() == name for parameter in self.parameters)

    def asking_for(self, *more: str) -> Self:
        """The same, with these parameters of MAIL where it does not have them yet."""
        missing = [each for each in more if not self.asks_for(each.partition("=")[0])]
        return replace(self, parameters=(*self.parameters, *missing))


def envelope_of(
    message: Message[Any, Any], sender: str | None, recipients: str | Iterable[str] | None, *, default: str = ""
) -> tuple[str, list[str]]:
    """The sender and the recipients of a message: those given, or its own headers (RFC 5322, 3.6.2, 3.6.3, 3.6.6).

    ``default`` is the sender of a message that names none. Raises :class:`~mailconn_jupyter.errors.MessageError` for a
    header of which somebody would be lost.
    """
    resent = message.get_all("Resent-Date")
    if resent is not None and len(resent) > 1:
        raise MessageError("The message was resent more than once; name its sender and recipients.")
    prefix = "Resent-" if resent else ""
    written: dict[str, list[Any]] = {}
    for field, value in message.raw_items():  # undocumented, but to ask for a field by its name is to have it parsed
        written.setdefault(field.lower(), []).append(value)

    def of(*names: str) -> list[str]:
        return [address for name in names for address in _listed(message, name, written.get(name.lower(), []))]

    if sender is None:
        name = next((name for name in (f"{prefix}Sender", f"{prefix}From") if any(written.get(name.lower(), []))), None)
        sender = default if name is None else next(iter(of(name)), "")
    if recipients is None:
        # Of an answer's addresses one could be lost, too.
        of("Reply-To")
        return sender, of(f"{prefix}To", f"{prefix}Cc", f"{prefix}Bcc")
    return sender, [recipients] if isinstance(recipients, str) else list(recipients)


def _listed(message: Message[Any, Any], name: str, written: Sequence[Any]) -> list[str]:
    """The addresses of all the fields of that name; ``written`` is what stands in them."""
    plain = [value.addresses if isinstance(value, AddressField) else plain_addresses(value) for value in written]
    if None in plain:
        return [address for value in message.get_all(name, []) for address in listed_addresses(name, value)]
    return [address for found in plain for address in found or ()]


def _of_each(recipients: tuple[Address, ...], given: Parameters, *, local: bool) -> dict[Address, tuple[str, ...]]:
    if not isinstance(given, Mapping):
        return dict.fromkeys(recipients, parameters(given))
    own = {envelope_address(name, local=local): parameters(options) for name, options in given.items()}
    if stranger := next((address for address in own if address not in recipients), None):
        raise MessageError(f"There are parameters for {stranger}, who is not a recipient of the message.")
    return {address: own.get(address, ()) for address in recipients}


def parameters(given: Iterable[str]) -> tuple[str, ...]:
    """Parameters of MAIL or RCPT, each one word (RFC 5321, 4.1.2)."""
    found = tuple(given)
    for each in found:
        if not _PARAMETER.fullmatch(each):
            breaks = (
                f" It contains prohibited newline characters: {shown(' '.join(found))}."
                if {"\r", "\n"} & {*each}
                else ""
            )
            raise MessageError(
                f"{shown(each)} is not a single parameter of MAIL or RCPT.{breaks}", hint="For example: NOTIFY=NEVER"
            )
    return found


def address_line(command: str, address: Address, given: Iterable[str]) -> bytes:
    """The line of MAIL or RCPT (``mail from``, ``rcpt to``)."""
    return " ".join([f"{command}:<{address}>", *given]).encode()
