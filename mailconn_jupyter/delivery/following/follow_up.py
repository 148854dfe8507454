"""``follow_up()``: what was sent, joined with what has come back: bounces, delays, automatic replies, answers.

Nothing that comes by mail proves who wrote it. What is believed here is only what a stranger cannot know: a notification,
or a reply, counts for a message whose Message-ID it names, and for somebody who was its recipient. So whoever got the
message could still forge one about another recipient; nobody else could.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from os import PathLike
from typing import TYPE_CHECKING, Any, Final

from ...connection import MailConnection
from ...errors import OptionError
from ...keywords import public
from ...mailbox.messages import taken
from ...mailbox.returned_mail import BEGINNING, NOTIFICATIONS, selected, tell_unread
from ...mailbox.selection import When
from ...mailbox.sought import Sought, Words, any_of, header_has
from ...message.incoming.address_list import address_list
from ...message.incoming.parsed import ParsedMessage
from ...message.incoming.returned.notice import Notice
from ...message.incoming.returned.notices import notices_in
from ...message.incoming.returned.original import ids_in
from ...message.incoming.returned.signs import is_automatic, may_be_returned
from ...progress import Tell
from ..journals.recorded import recorded
from .followed import BECAME, Followed, FollowUp
from .sent_rows import Followable, Sent, SentRow, address_key

if TYPE_CHECKING:
    from ...session.any_session import ReadingSession

__all__ = ["follow_up"]

_MOST_DOUBTFUL: Final = 1000
# In one search; more would be a line that a server does not take.
_MOST_NAMES: Final = 8
_BEFORE: Final = timedelta(days=1)  # clocks differ, and so do zones
_FROM_ACTION: Final = {"failed": "bounced"}


@public
def follow_up(
    sent: Followable | str | PathLike[str],
    target: str | MailConnection | ReadingSession | None = None,
    *,
    since: When = None,
    folder: str | None = "INBOX",
    progress: bool | Tell | None = None,
) -> FollowUp:
    """What became of messages that were sent, from what has come back to a mailbox.

    ``sent`` is the report of ``send()`` or ``send_many()``, or the name (or path) of a journal; ``target`` the mailbox
    that bounces and replies go to: the name of a connection (IMAP, POP3 or MBOX), a connection, an open session, or
    None for the default. It is read from a day before the first message was sent, or ``since`` then (as for
    :func:`~mailconn_jupyter.mailbox.messages.messages`); an IMAP server does the search. Of answers only headers are
    read, and nothing is marked as read.

    For each recipient the report says ``answered`` (a reply to the message, by In-Reply-To or References), ``bounced``,
    ``auto-replied`` (RFC 3834 and what programs do in its place), ``delivered``, ``relayed``, ``expanded`` or
    ``delayed`` (RFC 3464), or, where nothing has come back, what the server said when it was sent: mostly ``accepted``.
    Of several the one that says most counts.

    A notification counts only if it names the Message-ID of one of these messages and one of its recipients; any other that
    names a recipient is among ``doubtful``. Whoever has the message itself could forge one, and nobody else.

    Raises :class:`~mailconn_jupyter.errors.MailConnError` for a journal that does not exist, and what ``messages`` raises.
    """
    rows = _sent(sent)
    when = since if since is not None or rows.since is None else rows.since - _BEFORE
    join = _Join(rows)
    sought = Sought(
        _words(rows.ids()),
        takes=lambda message: may_be_returned(message) or bool(join.replied_to(message)),
        whole=may_be_returned,
        most=BEGINNING,
    )
    reading = selected(sought, since=when, before=None, folder=folder, progress=progress)
    with taken(target, reading) as found:
        for message in found:
            join.add(message)
    tell_unread(join.unread)
    return FollowUp(join.rows, join.doubtful, where=_name(target))


def _sent(given: Any) -> Sent:
    if isinstance(given, Followable):
        return given.as_sent()
    if not isinstance(given, str | PathLike):
        raise OptionError(
            f"follow_up() takes a report or the name of a journal, not {type(given).__name__}.",
            hint="mailconn.send(...) and mailconn.send_many(...) give reports.",
        )
    known = recorded(given)
    rows = [
        # What it says without a code is a remark of its own.
        SentRow(each.key, each.message_id, "", each.recipient, each.settled, each.words if each.code else "")
        for each in known
    ]
    return Sent(rows, min((datetime.fromisoformat(each.at) for each in known), default=None))


def _name(target: Any) -> str:
    return target if isinstance(target, str) else getattr(getattr(target, "connection", target), "name", "") or ""


def _words(ids: list[str]) -> Words:
    """The words of the search; replies to many messages are found by what their Message-IDs end in."""
    names = ids
    if len(names) > _MOST_NAMES:
        names = list(dict.fromkeys(f"@{name.rpartition('@')[2]}" for name in ids))
    if not ids or len(names) > _MOST_NAMES:
        # All of that time, of which the headers tell.
        return NOTIFICATIONS if not ids else ()
    headers = [header_has(header, name) for name in names for header in ("In-Reply-To", "References")]
    return any_of([NOTIFICATIONS, *headers])


class _Join:
    """The rows of what was sent, brought up to date by one message after the other."""

    def __init__(self, sent: Sent) -> None:
        self.sent = sent
        self.rows = [
            Followed(
                row.key, row.message_id, row.subject, row.recipient, row.outcome, words=_said(row.outcome, row.words)
            )
            for row in sent.rows
        ]
        self.doubtful: list[Notice] = []
        self.unread = 0

    def replied_to(self, message: ParsedMessage) -> str:
        """The Message-ID of ours that it is a reply to; empty where it is none."""
        ids = [*ids_in(message.header("In-Reply-To")), *reversed(ids_in(message.header("References")))]
        return next((each for each in ids if self.sent.people(each)), "")

    def add(self, message: ParsedMessage) -> None:
        """Take one message in, whatever it is."""
        found, more = notices_in(message) if message.complete else ((), False)
        for notice in found:
            self._add_notice(notice)
        if found:
            return
        self.unread += more
        if message_id := self.replied_to(message):
            self._add_reply(message, self.sent.people(message_id))

    def _add_notice(self, notice: Notice) -> None:
        addresses = (notice.recipient, notice.final_recipient)
        people = self.sent.people(notice.message_id)
        place = next((people[key] for address in addresses if (key := address_key(address)) in people), None)
        if place is not None:
            became = _FROM_ACTION.get(notice.action, notice.action)
            self._become(place, became, status=notice.status, words=notice.words, date=notice.date)
        elif (people or self.sent.has_recipient(addresses)) and len(self.doubtful) < _MOST_DOUBTFUL:
            self.doubtful.append(notice)

    def _add_reply(self, message: ParsedMessage, people: dict[str, int]) -> None:
        senders = [address_key(one.address) for one in address_list(message.sender)[0] if one.address]
        place = next((people[sender] for sender in senders if sender in people), None)
        if place is None and len(people) == 1:
            # People have several addresses, mostly of one domain.
            (only,) = people
            domain = only.rpartition("@")[2]
            place = people[only] if any(sender.rpartition("@")[2] == domain for sender in senders) else None
        if place is not None:
            became = "auto-replied" if is_automatic(message) else "answered"
            self._become(place, became, words=message.subject[:500], date=message.date)

    def _become(self, place: int, became: str, **said: Any) -> None:
        row = self.rows[place]
        before, now = BECAME.index(row.became), BECAME.index(became)
        later = row.date is None or (said["date"] is not None and said["date"] > row.date)
        if now > before or (now == before and later):
            self.rows[place] = replace(row, became=became, **{"status": "", **said})


def _said(outcome: str, words: str) -> str:
    """Of what was accepted, the words are of no interest any more."""
    return "" if outcome == "accepted" else words
