"""What is proposed for a mail address: options of a connection, or why there are none, and what was tried."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from ..connection import MailConnection
from ..errors import MailConnError
from ..formatting import columns, few, prose, table
from .probe import Probe

__all__ = ["Settings", "said_by"]


@dataclass(frozen=True, repr=False)
class Settings:
    """A proposal: ``options`` for ``MailConnection.update()``, empty where there is none; true when there is one.

    ``provider`` is the one that is known by the address's domain, or by its MX record, ``note`` what a person must know or
    do, ``found`` each server that was tried, the preferred first. ``meant`` is an address at a large provider that this one
    may be a slip of.
    """

    address: str
    options: dict[str, Any]
    provider: str = ""
    note: str = ""
    found: tuple[Probe, ...] = field(default=())
    meant: str = ""

    def connection(self, name: str) -> MailConnection:
        """A connection of that name with the options; raises the note as an error where there is no proposal."""
        if not self.options:
            raise MailConnError(self.note, hint=self.question)
        return MailConnection(name=name, **self.options)

    def __bool__(self) -> bool:
        return bool(self.options)

    @property
    def question(self) -> str:
        """Whether another address was meant; empty where none is near."""
        return f"Did you mean {self.meant}?" if self.meant else ""

    @property
    def summary(self) -> str:
        """The proposal in one line."""
        if not self.options:
            return f"No settings for {self.address}"
        whose = f", as {self.provider} publishes them" if self.provider else ", as found by trying"
        return f"Settings for {self.address}{whose}"

    def _rows(self) -> list[tuple[str, str]]:
        labels = MailConnection.options()
        words = {True: "yes", False: "no"}
        return [
            (labels[name].label, words[value] if isinstance(value, bool) else str(value))
            for name, value in self.options.items()
        ]

    def _tried(self) -> list[tuple[str, str, str, str]]:
        # Of the usual names of a domain that has none of them, one line is enough.
        unknown = [probe for probe in self.found if probe.cause == "host-unknown"]
        rows = [
            (f"{probe.host}:{probe.port}", probe.security, "works" if probe.ok else "no", said_by(probe))
            for probe in self.found
            if probe.cause != "host-unknown" or len(unknown) == 1
        ]
        if len(unknown) > 1:
            hosts = list(dict.fromkeys(probe.host for probe in unknown))
            rows.append((few(hosts), "", "no", "No such name." if len(hosts) == 1 else "There are no such names."))
        return rows

    def __repr__(self) -> str:
        parts = [
            self.question,
            self.summary,
            columns(self._rows(), header=("Option", "Value")) if self.options else "",
            self.note,
        ]
        if self.found:
            parts.append(columns(self._tried(), header=_TRIED))
        return "\n".join(filter(None, parts))

    def _repr_html_(self) -> str:
        caption = self.summary
        question = f"<p>{prose(self.question)}</p>" if self.question else ""
        shown = table(self._rows(), header=("Option", "Value"), caption=caption) if self.options else ""
        note = f"<p>{prose(self.note)}</p>" if self.note else ""
        tried = table(self._tried(), header=_TRIED, caption="Tried") if self.found else ""
        return question + (shown or f"<p>{prose(caption)}</p>") + note + tried


_TRIED: Final = ("Server", "Security", "Outcome", "What it said")


def said_by(probe: Probe) -> str:
    """What a server said, and what to do about it."""
    return f"{probe.message} {probe.hint}".strip()
