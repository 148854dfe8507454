"""``people``: the groups whose names stand for addresses, who is in each, and who is to be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...formatting import few
from ...message.mime.mailboxes import mailboxes
from ...names import fold, quote
from ..view import View
from ..wrong_usage import WrongUsage

__all__ = ["people"]


def people(
    *, name: str | None = None, members: Sequence[str] = (), remove: Sequence[str] = (), delete: bool = False
) -> Iterator[View | str]:
    """The groups; the members of one; or one with these members more, or less."""
    from ...store.people import people as groups  # noqa: PLC0415  # reads addresses

    if name is None:
        known = groups.groups()
        rows = [
            (
                group.name,
                len(groups.members(group.name) or ()),
                few(group.members, 3),
                _kept(group.shared, group.locked),
            )
            for group in sorted(known.values(), key=lambda group: fold(group.name))
        ]
        notes = [] if rows else ["There is no group yet: %mailconn people team ana@example.org bea@example.org"]
        yield View(rows, header=("Group", "Addresses", "Members", "Kept by"), notes=notes)
        return
    if delete:
        if members or remove:
            raise WrongUsage("%mailconn people: --delete takes the name of the group alone.")
        del groups[name]
        yield f"The group {name!r} is deleted."
        return
    if members or remove:
        before = groups[name] if name in groups or not members else []
        # By their addresses: who is called otherwise now is the same.
        gone = {each.address.key for text in remove for each in mailboxes(text, "member")} | {
            fold(text) for text in remove
        }
        kept = [text for text in before if fold(text) not in gone and not gone & {*map(_key, [text])}]
        groups[name] = [*kept, *members]
        count = len(groups.members(name) or ())
        yield f"{name!r} is {count} {'address' if count == 1 else 'addresses'} now: --to {quote(name)}"
        return
    yield View([[text] for text in groups[name]], header=("Member",), caption=name)


def _key(text: str) -> str:
    return mailboxes(text, "member")[0].address.key if "@" in text else fold(text)


def _kept(shared: bool, locked: bool) -> str:
    return "you" if not shared else "an administrator, locked" if locked else "an administrator"
