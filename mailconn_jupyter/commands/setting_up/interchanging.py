"""``import`` and ``export``: connections from and to other programs. No secret passes through here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from ...interchange.programs import TARGETS
from ...names import quote
from ..view import Aside
from ..wrong_usage import WrongUsage

if TYPE_CHECKING:
    from ...interchange.programs import Source, Target

__all__ = ["export", "import_"]


def import_(
    *,
    what: str,
    source: str | None = None,
    name: str = "",
    address: str = "",
    save: bool = False,
    replace: bool = False,
) -> Iterator[object]:
    """What was found, what was not mapped and why; with ``save`` it is kept, and where not all could be, that fails."""
    from ...interchange.import_draft import InterchangeError  # noqa: PLC0415  # few need it
    from ...interchange.load_connections import load_connections  # noqa: PLC0415  # as above

    if replace and not save:
        raise WrongUsage("%mailconn import: --replace needs --save.")
    found = load_connections(what, cast("Source", source or ""), name=name, address=address)
    yield found
    if not save:
        yield f"Nothing has been saved yet; --save keeps {'it' if len(found) == 1 else 'them'}."
        return
    yield from found.save_each(replace=replace)
    yield f"Try it: %mailconn test {quote(found[0].connection.name) if len(found) == 1 else '--all'}"
    if found.problems:
        count = len(found.problems)
        raise InterchangeError(
            f"{count} of {count + len(found)} connections were not imported; the table says why.",
            hint=str(found.problems[0]) if count == 1 else "",
        )


def export(*, target: str, to: str | None = None) -> Iterator[str]:
    """The connection as the other program reads it, and aside from it what a person must know."""
    from ...interchange.export_connection import export_connection  # noqa: PLC0415  # few need it

    if to is None:
        raise WrongUsage(f"%mailconn export: name the program with --to, one of {', '.join(TARGETS)}.")
    exported = export_connection(target, cast("Target", to))
    yield exported
    yield from map(Aside, exported.notes)
