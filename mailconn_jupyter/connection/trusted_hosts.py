"""``trusted_hosts``: whose certificate is accepted without a known authority, and which one alone."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final

from ..formatting import shown
from .expansion import has_variable
from .option_kinds import Line, is_host

__all__ = ["Trust", "TrustedHosts"]

_FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}")


#: What the form calls the option.
LABEL: Final = "Trusted hosts"


def pin_for(host: str, sha256: str) -> str:
    """What ``trusted_hosts`` takes to accept exactly this certificate for this host."""
    return f"{host}=sha256:{sha256}"


def how_to_pin(host: str, sha256: str) -> str:
    """The words for it, with the option's names in the form and in code."""
    return f"add this to {LABEL} (trusted_hosts): {pin_for(host, sha256)}"


def _same(host: str) -> str:
    """How hosts are compared: without regard to case, and to the final dot that says that a name is complete."""
    return host.casefold().removesuffix(".")


@dataclass(frozen=True)
class TrustedHosts:
    """What ``trusted_hosts`` says of one host: any certificate, exactly one (its SHA-256 in hex), or nothing."""

    everything: bool
    hosts: frozenset[str]
    pins: Mapping[str, frozenset[str]]

    def pins_of(self, host: str) -> frozenset[str]:
        """The fingerprints (lower-case hex SHA-256 of the DER) that ``host`` may show; empty: no pin."""
        return self.pins.get(_same(host), frozenset())

    def trusts(self, host: str) -> bool:
        """Whether the certificate of ``host`` is accepted without a known authority."""
        return self.everything or _same(host) in self.hosts


class Trust(Line[str | Collection[str]]):
    """Hosts separated by spaces, or several texts; ``*`` for all, ``host=sha256:HEX`` to pin a host to one certificate."""

    def validate(self, obj: Any, value: Any) -> str:
        if isinstance(value, Collection) and not isinstance(value, str | bytes | Mapping):
            if strange := [host for host in value if not isinstance(host, str)]:
                raise self.fail(f"{shown(strange[0])} is not text.")
            # In an order of its own, so that a set is stored the same each time.
            value = " ".join(sorted(value) if isinstance(value, AbstractSet) else value)
        return super().validate(obj, value)

    def check(self, text: str) -> str:
        if not has_variable(self.seen(text)):
            self.parse(text)
        return " ".join(text.split())

    def parse(self, text: str) -> TrustedHosts:
        hosts: set[str] = set()
        pins: dict[str, set[str]] = {}
        for word in text.split():
            host, equals, pin = word.partition("=")
            host = _same(host.strip("[]"))
            if "@" in word:  # as for a host: it may be a password
                raise self.fail(
                    "one of the words contains an @, so it is not a host.", "Hosts are separated by spaces."
                )
            if host != "*" and ("*" in host or host.count(":") == 1 or not is_host(host)):
                raise self.fail(
                    f"{shown(word)} is not a host.",
                    "Hosts are separated by spaces: mail.example.org, *, or mail.example.org=sha256:HEX",
                )
            if not equals:
                hosts.add(host)
                continue
            algorithm, _, digest = pin.partition(":")
            digest = digest.replace(":", "").casefold()
            if host == "*" or algorithm.casefold() != "sha256" or not _FINGERPRINT.fullmatch(digest):
                raise self.fail(
                    f"{shown(word)} is not a pin.",
                    "A pin is host=sha256: and the 64 hexadecimal digits that %mailconn test shows.",
                )
            pins.setdefault(host, set()).add(digest)
        return TrustedHosts("*" in hosts, frozenset(hosts), {host: frozenset(found) for host, found in pins.items()})
