"""``people``: the groups whose names stand for addresses, who is in each, and who is to be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from ...errors import MessageError, StoreError
from ...formatting import counted, did_you_mean, few
from ...message.mime.mailboxes import Mailbox, mailboxes
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
        groups[name] = [*_without(before, remove, name), *members]
        count = len(groups.members(name) or ())
        yield f"The group {name!r} now has {counted(count, 'address', 'addresses')}: --to {quote(name)}"
        return
    yield View([[text] for text in groups[name]], header=("Member",), caption=name)


def _without(members: Sequence[str], gone: Sequence[str], name: str) -> list[str]:
    """The members but those that are to go. A group among them goes by its name, also when it is not there any more."""
    left = list(members)
    for text in gone:
        known = {*map(_key, left)}
        # By its address: who is called something else by now is the same.
        asked = {fold(text)} if fold(text) in known or "@" not in text else {*map(_key_of, mailboxes(text, "member"))}
        if not asked <= known:
            raise StoreError(
                f"{text!r} is not a member of the group {name!r}.{did_you_mean(text, left)}",
                hint=f"%mailconn people {quote(name)} lists its members.",
            )
        left = [one for one in left if _key(one) not in asked]
    return left


def _key(text: str) -> str:
    """What a member is compared by; what somebody has written into the file by hand may be no address."""
    with suppress(MessageError):
        if "@" in text:
            return _key_of(mailboxes(text, "member")[0])
    return fold(text)


def _key_of(mailbox: Mailbox) -> str:
    return mailbox.address.key


def _kept(shared: bool, locked: bool) -> str:
    return "you" if not shared else "an administrator, locked" if locked else "an administrator"
