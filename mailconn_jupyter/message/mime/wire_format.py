"""From a message to the bytes that travel: nothing injected, no bare CR or LF, and what they ask of the server."""

from __future__ import annotations

import copy
import re
import secrets
from collections.abc import Iterator
from email.generator import BytesGenerator
from email.message import Message
from email.policy import EmailPolicy, Policy, compat32, default
from io import BytesIO
from typing import Any

from ...errors import MessageError
from ..addresses import header_addresses
from .encoded_part import EncodedPart, encoded_length, lines_of
from .headers import ADDRESS_FIELDS
from .written_fields import FAULTS, LINE_END, Written, scan_headers, unwritable

__all__ = ["Wire", "as_bytes", "hidden_fields", "normalised", "stuffed", "wired"]

_PLAIN_TYPE = re.compile(
    r"""[\w.+-]+/[\w.+-]+(?:; ?(?:\r?\n[ \t])?[\w-]+=(?:"[\w'=.+:/?()@-]*"|[\w.+-]+))*""", re.ASCII
)
_UNSEEN = ("bcc", "resent-bcc")
#: What the names begin with that stand for parts: no message can hold one, for nobody is told. Asking the system for a new
#: one each time would let the other threads in.
_NAMES = secrets.token_hex(32)


class _AsItStands(EmailPolicy):
    """A policy for a generator, which asks what kind each part is: of fields it reads the text, and parses none."""

    #: The policy that writes the fields. Policies take no other attributes than those of their class.
    own: EmailPolicy[Any] = default

    def header_fetch_parse(self, name: str, value: str) -> Any:
        return compat32.header_fetch_parse(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.own.fold_binary(name, value)


class Wire:
    """The bytes of a message, in pieces: lines as they are, and the octets of large parts, encoded as they leave.

    ``international`` when a header has an address that only SMTPUTF8 can carry.
    """

    def __init__(self, *pieces: bytes | EncodedPart, international: bool = False) -> None:
        self._pieces = pieces
        self.international = international

    def __len__(self) -> int:
        return sum(
            len(piece) if isinstance(piece, bytes) else encoded_length(piece.octets or b"") for piece in self._pieces
        )

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, bytes):
                yield piece
            else:
                yield from lines_of(piece.octets or b"")

    def __bytes__(self) -> bytes:
        return b"".join(self)

    @property
    def in_pieces(self) -> bool:
        """Whether to have all of it as ``bytes`` would be to copy it."""
        return len(self._pieces) > 1

    def isascii(self) -> bool:
        """Whether no byte is over 127."""
        return all(piece.isascii() for piece in self._pieces if isinstance(piece, bytes))

    def stuffed(self) -> Wire:
        """What follows DATA (RFC 5321, 4.5.2); base64 has no dots."""
        # Each piece begins where a line does.
        dotted = [_dotted(piece) if isinstance(piece, bytes) else piece for piece in self._pieces]
        return Wire(*dotted, b".\r\n" if self._ended else b"\r\n.\r\n", international=self.international)

    def ended(self) -> Wire:
        """What follows BDAT (RFC 3030): the same bytes, with the last line ended as DATA cannot but end it."""
        return self if self._ended else Wire(*self._pieces, b"\r\n", international=self.international)

    @property
    def _ended(self) -> bool:
        last = self._pieces[-1] if self._pieces else b""
        return not isinstance(last, bytes) or not last or last.endswith(b"\r\n")


def as_bytes(message: Message[Any, Any], *, utf8: bool, eight_bit: bool, bcc: bool = False) -> bytes:
    """All the bytes of :func:`wired` at once."""
    return bytes(wired(message, utf8=utf8, eight_bit=eight_bit, bcc=bcc))


def wired(message: Message[Any, Any], *, utf8: bool, eight_bit: bool, bcc: bool = False) -> Wire:
    """The message with CR LF line ends; raises :class:`MessageError` for a field that would not be one on the wire.

    It is without Bcc, unless with ``bcc`` whoever takes it reads the recipients from it, and takes that out.

    ``utf8`` writes headers as UTF-8 (RFC 6532), for a session with SMTPUTF8. So they are in any case where one has an
    address that is not ASCII before its @, for which there is no other form: ``international`` of what is returned says
    so. Without ``eight_bit`` (8BITMIME) every part is made 7 bit.
    """
    message = message if bcc else _without_bcc(message)
    international = _is_international(message)
    policy = _on_the_wire(message, utf8=utf8 or international, cte_type="8bit" if eight_bit else "7bit")
    _fold_once(policy, scan_headers(message, policy))
    buffer = BytesIO()
    large: dict[str, EncodedPart] = {}
    texts: dict[str, bytes] = {}
    try:
        shown = _standing(message, large, texts)
        reading = _reading_little(policy) if all(map(_is_plainly_typed, message.walk())) else policy
        BytesGenerator(buffer, policy=reading, mangle_from_=False).flatten(shown)
    except FAULTS as error:
        raise MessageError(f"The message cannot be serialised ({type(error).__name__}: {error}).") from error
    data = normalised(buffer.getvalue(), ended=False)
    for name, text in texts.items():
        data = data.replace(name.encode(), text, 1)
    data = _ended(data)
    pieces: list[bytes | EncodedPart] = []
    for name, part in large.items():
        before, found, after = data.partition(name.encode() + b"\r\n")
        if not found:
            raise MessageError("The message cannot be serialised: a part of it has moved.")
        pieces += [before, (part.octets or b"") if part.as_lines else part]
        data = after
    return Wire(*pieces, data, international=international)


def hidden_fields(message: Message[Any, Any], *, utf8: bool) -> bytes:
    """The lines of Bcc, which do not travel: whoever keeps what was sent puts them before it.

    Raises :class:`MessageError` as :func:`wired`.
    """
    hidden = Message(message.policy)
    for name, value in message.raw_items():
        if name.lower() in _UNSEEN:
            hidden.set_raw(name, value)
    policy = _on_the_wire(message, utf8=utf8 or _is_international(hidden))
    return b"".join(map(normalised, scan_headers(hidden, policy).values()))


def _on_the_wire(message: Message[Any, Any], *, utf8: bool, **settings: Any) -> Policy[Any]:
    """The message's own policy with the line ends of the wire, and with these settings."""
    if isinstance(message.policy, EmailPolicy):
        # Also off where the message's own policy has it on: without SMTPUTF8 a header is ASCII.
        settings["utf8"] = utf8
    return message.policy.clone(linesep="\r\n", **settings)


def _standing(part: Message[Any, Any], large: dict[str, EncodedPart], texts: dict[str, bytes]) -> Message[Any, Any]:
    """The tree as the generator is to see it: a name in place of each part that is encoded on the way, and of each text.

    The generator copies all that is in a part, and a text line by line. It also asks for the same fields again and again,
    and the policies of today parse them each time, which is most of the time that a short message takes: the copies have
    the oldest policy.
    """
    shown = copy.copy(part)
    shown.policy = compat32
    if isinstance(part, EncodedPart) and part.octets is not None:
        name = _unused_name(large, texts)
        large[name] = part
        shown.set_payload(f"{name}\n")
        return shown
    # Asked of the copy: what is asked of the part itself parses a field of it.
    payload = shown.get_payload()
    if part.is_multipart():
        shown.set_payload([_standing(below, large, texts) for below in payload])  # type: ignore[arg-type]
    elif _is_plain(payload, shown):
        name = _unused_name(large, texts)
        texts[name] = normalised(str(payload).encode(), ended=False)
        shown.set_payload(name)
    return shown


def _unused_name(*taken: dict[str, Any]) -> str:
    return f"{_NAMES}{sum(map(len, taken)):08x}"


def _is_plain(text: Any, part: Message[Any, Any]) -> bool:
    """Whether it travels as it is, and holds nothing that could be one of the generator's boundaries (which it looks for)."""
    return isinstance(text, str) and part.get_content_maintype() == "text" and text.isascii() and "--=" not in text


def _is_plainly_typed(part: Message[Any, Any]) -> bool:
    """Whether every parser finds the same kind and the same boundary in its Content-Type."""
    return all(
        isinstance(value, str) and _PLAIN_TYPE.fullmatch(value)
        for name, value in part.raw_items()
        if name.lower() == "content-type"
    )


def _reading_little(policy: Policy[Any]) -> Policy[Any]:
    if not isinstance(policy, EmailPolicy):
        return policy
    settings: dict[str, Any] = {"own": policy, "cte_type": policy.cte_type, "utf8": policy.utf8}
    return _AsItStands(linesep=policy.linesep, **settings)


def _without_bcc(message: Message[Any, Any]) -> Message[Any, Any]:
    if not any(name.lower() in _UNSEEN for name, _ in message.raw_items()):
        return message
    shown = copy.copy(message)
    # Deleting builds a new list of headers: the message that was given keeps its own.
    for name in _UNSEEN:
        del shown[name]
    return shown


def _is_international(message: Message[Any, Any]) -> bool:
    return isinstance(message.policy, EmailPolicy) and any(
        not address.rpartition("@")[0].isascii()
        for name, value in message.raw_items()
        if name.lower() in ADDRESS_FIELDS
        for address in _addresses_beyond_ascii(name, value)
    )


def _addresses_beyond_ascii(name: str, value: Any) -> list[str]:
    try:
        return [] if str(value).isascii() else header_addresses(value)
    except FAULTS as error:
        raise unwritable(name, error) from error


def _fold_once(policy: Policy[Any], written: Written) -> None:
    """Have the policy not fold again what has been folded: that is most of what a short message costs."""
    fold = policy.fold_binary

    def fold_binary(name: str, value: Any) -> bytes:
        known = written.get((name, id(value)))
        return fold(name, value) if known is None else known

    # A policy lets nobody set an attribute; its own clone() does it so.
    object.__setattr__(policy, "fold_binary", fold_binary)


def normalised(data: bytes, *, ended: bool = True) -> bytes:
    """The same lines, each ended by CR LF: a bare CR or LF is how a message is smuggled in (CVE-2023-51764 and kin).

    ``ended`` has the last line end so, too, where it does not yet.
    """
    both, returns = data.count(b"\r\n"), data.count(b"\r")
    if both != returns:
        lines = LINE_END.sub(b"\r\n", data)
    elif both != data.count(b"\n"):
        lines = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    else:
        lines = data
    return _ended(lines) if ended else lines


def _ended(lines: bytes) -> bytes:
    return lines if not lines or lines.endswith(b"\r\n") else lines + b"\r\n"


def stuffed(data: bytes) -> bytes:
    """What follows DATA: each leading dot doubled, and the line with a single dot (RFC 5321, 4.5.2)."""
    return _dotted(data) + b".\r\n"


def _dotted(data: bytes) -> bytes:
    dotted = data.replace(b"\r\n.", b"\r\n..")
    return b"." + dotted if data.startswith(b".") else dotted
