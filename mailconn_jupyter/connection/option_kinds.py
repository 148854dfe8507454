"""The kinds of value that an option can have, each with an error that a person can act on.

A trait of traitlets says "expected an int, not the str 'x'"; these name the option by the label that the form shows,
say what is wrong with the value and what would be right. They raise :class:`~mailconn_jupyter.errors.OptionError`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Generic, SupportsFloat, SupportsIndex, TypeVar

from traitlets import TraitType, Undefined

from ..domains import ascii_domain
from ..errors import OptionError
from ..formatting import did_you_mean, shown, unfit
from ..scalars import plain
from .expansion import has_variable
from .lookalikes import hidden

Got = TypeVar("Got")
"""What an option is read as."""

Given = TypeVar("Given")
"""What it may be set to."""

Word = TypeVar("Word", bound=str)

_TRUE = frozenset({"true", "yes", "on", "1", "y"})
_FALSE = frozenset({"false", "no", "off", "0", "n"})


class Option(TraitType[Got, Given]):
    """One option of a connection: its declaration feeds the magic, the form, the file and the README.

    ``label`` is what the form calls it, ``help`` one sentence for a person, ``section`` the part of the form that it
    stands in, ``protocols`` those that have it, ``needs`` the switch that must be on for it to matter; with ``turns_on``
    naming the option turns that switch on. ``needed``: without it, where it matters, a connection is incomplete; ``labels``
    are other ones for some protocols.
    """

    def __init__(
        self,
        default: Any = Undefined,
        *,
        label: str,
        help: str,  # noqa: A002  # the word of traitlets
        section: str,
        protocols: Sequence[str],
        needs: str = "",
        turns_on: bool = False,
        needed: bool = False,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(default_value=default, help=help)
        self.tag(label=label, section=section, protocols=tuple(protocols), needs=needs)
        self.label = label
        self.section = section
        self.protocols = tuple(protocols)
        self.needs = needs
        self.turns_on = turns_on
        self.needed = needed
        self._labels = labels or {}

    def label_for(self, protocol: str) -> str:
        """What the form calls it for a connection of this protocol."""
        return self._labels.get(protocol, self.label)

    def set(self, obj: Any, value: Any) -> None:
        """Set it; a number of NumPy or pandas is as good as one of Python."""
        super().set(obj, plain(value))

    def validate(self, obj: Any, value: Any) -> Got:
        """``value`` as it is kept; raises :class:`OptionError` when it cannot be one of this option."""
        raise NotImplementedError

    def fail(self, problem: str, hint: str = "") -> OptionError:
        return OptionError(f"{self.label}: {problem}", trait=self.name or "", hint=hint)


AnyOption = Option[Any, Any]


class Line(Option[str, Given]):
    """A line of text, without leading or trailing space and without control characters; for what else stands for one."""

    default_value = ""

    def validate(self, obj: Any, value: Any) -> str:
        if not isinstance(value, str):
            raise self.fail(f"{shown(value)} is not text.")
        text = unicodedata.normalize("NFC", value.strip())
        if unfit(text):
            raise self.fail(f"{shown(text)} contains a control character, such as a line break.")
        return self.check(text)

    def check(self, text: str) -> str:
        """What a kind of text allows beyond a line; returns the text as it is kept."""
        return text

    def seen(self, text: str) -> str:
        """The text; raises :class:`OptionError` where it holds what cannot be seen, and so passes for another."""
        if sign := hidden(text):
            raise self.fail(
                f"{shown(text)} contains {sign}, which is invisible.", "Type it again instead of pasting it."
            )
        return text


class Text(Line[str]):
    """A line of text."""


class Name(Text):
    """What a connection is called: any text that a person would type."""

    def set(self, obj: Any, value: Any) -> None:
        # Only a name that is given must not be empty; a new connection begins with none.
        if isinstance(value, str) and not value.strip():
            raise self.fail("a connection needs a name.", "Any text will do, for example: ops")
        super().set(obj, value)

    def check(self, text: str) -> str:
        if len(text) > 200:
            raise self.fail(f"the name has {len(text)} characters; at most 200 are allowed.")
        return self.seen(text)


class Host(Text):
    """A host name or an address, without a scheme, a user or a port."""

    def check(self, text: str) -> str:
        if has_variable(self.seen(text)):
            return text
        if text.startswith("[") and text.endswith("]"):
            text = text[1:-1]
        if "@" in text:
            # user:password@host is not repeated: what an error says lands in the notebook.
            raise self.fail("the value contains an @, so it is not a host name.", "The user belongs in Username.")
        if "://" in text:
            raise self.fail(f"{shown(text)} is a URL.", "Give the host alone, for example: smtp.example.org")
        if re.search(r"\]:[0-9]*$", text) or text.count(":") == 1:
            raise self.fail(f"{shown(text)} includes a port.", "Give the port in its own option.")
        if text and not is_host(text):
            raise self.fail(f"{shown(text)} is not a host name.", "For example: smtp.example.org or 192.0.2.7")
        return text


def is_host(text: str) -> bool:
    """Whether the text has the form of a name or an address; whether there is such a host is seen at opening."""
    if ":" in text:
        from ipaddress import IPv6Address  # noqa: PLC0415  # few need it, and it costs some milliseconds

        try:
            IPv6Address(text)
        except ValueError:
            return False
        return True
    # RFC 1035: a part has 1 to 63 octets, the whole at most 253; a final dot says that the name is complete.
    parts = text.removesuffix(".").split(".")
    return (
        re.search(r"[\s/?#<>\"'\\,;\[\]]", text) is None
        and len(text) <= 254
        and all(0 < len(part) <= 63 for part in parts)
    )


class HeloName(Host):
    """The name of this machine for SMTP servers: a host name, or an address in brackets (RFC 5321, 4.1.3)."""

    def check(self, text: str) -> str:
        from ipaddress import ip_address  # noqa: PLC0415  # few need it, and it costs some milliseconds

        if not text or has_variable(self.seen(text)):
            return text
        try:
            address = ip_address(re.sub(r"\A\[(?:IPv6:)?|\]\Z", "", text, flags=re.IGNORECASE))
        except ValueError:
            try:
                name = ascii_domain(text)
            except UnicodeError:
                name = ""
            if re.fullmatch(r"\w(?:[\w.-]*\w)?", name, re.ASCII) and is_host(name):
                return name
            hint = "For example: notebook.example.org or [192.0.2.7]"
            raise self.fail(f"{shown(text)} is not a host name.", hint) from None
        return f"[IPv6:{address}]" if address.version == 6 else f"[{address}]"


class HostOrPath(Host):
    """A host, or for MBOX the path of the file."""

    def validate(self, obj: Any, value: Any) -> str:
        if getattr(obj, "protocol", "") != "MBOX" or not isinstance(value, str):
            return super().validate(obj, value)
        # A path is kept as it is, with its spaces; only what no file can be called, or no file can hold, is refused.
        if unfit(value):
            raise self.fail(f"{shown(value)} contains a control character, such as a line break.")
        return value


class Issuer(Text):
    """Who gives out tokens: ``microsoft``, ``google``, or a URL."""

    def check(self, text: str) -> str:
        if text.casefold() in {"microsoft", "google"}:
            return text.casefold()
        if text and not has_variable(text) and not re.fullmatch(r"https?://[^\s@#?]+", text):
            # A user and password in it are not repeated.
            said = "what is given" if "@" in text else shown(text)
            raise self.fail(
                f"{said} is not an issuer.", "Give microsoft, google, or a URL such as https://login.example.org"
            )
        return text


class Choice(Option[Word, str], Generic[Word]):
    """One word of a few, without regard to case; ``aliases`` are further spellings that are accepted."""

    def __init__(
        self, words: Sequence[Word], default: Word, aliases: Mapping[str, Word] | None = None, **declared: Any
    ) -> None:
        super().__init__(default, **declared)
        self.words = tuple(words)
        self._known = {word.casefold(): word for word in words}
        self._known.update({alias.casefold(): word for alias, word in (aliases or {}).items()})

    def validate(self, obj: Any, value: Any) -> Word:
        word = self._known.get(value.strip().casefold()) if isinstance(value, str) else None
        if word is None:
            near = did_you_mean(shown(value), self.words)
            raise self.fail(f"{shown(value)} is not one of {', '.join(filter(None, self.words))}.{near}")
        return word


class Switch(Option[bool, bool | str]):
    """On or off; the words yes, no, on, off, true and false are understood."""

    default_value = False

    def validate(self, obj: Any, value: Any) -> bool:
        if isinstance(value, bool):
            return value
        word = value.strip().casefold() if isinstance(value, str) else shown(value)
        if isinstance(value, str | int) and word in _TRUE | _FALSE:
            return word in _TRUE
        raise self.fail(f"{shown(value)} is neither on nor off.")


class Port(Option[int | str | None, SupportsIndex | str | None]):
    """A TCP port from 1 to 65535, a ``${NAME}``, or None for the usual port."""

    default_value = None
    allow_none = True

    def validate(self, obj: Any, value: Any) -> int | str | None:
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        if has_variable(value):
            return str(value).strip()
        text = value.strip() if isinstance(value, str) else shown(value)
        if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,9}", text):
            raise self.fail(f"{shown(value)} is not a port.", "A port is a whole number from 1 to 65535.")
        number = int(text)
        if not 1 <= number <= 65535:
            raise self.fail(f"{number} is not a port.", "A port is a whole number from 1 to 65535.")
        return number


class Seconds(Option[float, SupportsFloat | str]):
    """A time in seconds, more than none and at most an hour."""

    def validate(self, obj: Any, value: Any) -> float:
        try:
            seconds = float(value)
        except (TypeError, ValueError, OverflowError):
            raise self.fail(f"{shown(value)} is not a number of seconds.") from None
        if isinstance(value, bool) or not 0 < seconds <= 3600:
            raise self.fail(f"{shown(value)} is out of range: more than 0 and at most 3600 seconds.")
        return seconds
