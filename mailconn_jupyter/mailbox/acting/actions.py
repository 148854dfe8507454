"""The methods that act on mail, said once: those of a message are those of all that were asked for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from os import PathLike

from ...keywords import public
from ...message.incoming.parsed import ParsedMessage
from .action import FLAGGED, SEEN, Action, flag_name, folder_name
from .action_report import ActionReport
from .saved_files import SavedFiles, save

__all__ = ["Actions"]


class Actions:
    """What can be done with messages in their mailbox.

    Each returns an :class:`~mailconn_jupyter.mailbox.acting.action_report.ActionReport`; with ``dry_run`` it says what would
    be done, and nothing is. A message that is gone meanwhile is left out, and the report says so. Raises
    :class:`~mailconn_jupyter.errors.OptionError` for what the protocol cannot do, and the session's own errors.
    """

    @abstractmethod
    def _act(self, action: Action) -> ActionReport:
        """Do it."""

    @public
    def move(self, folder: str, *, dry_run: bool = False) -> ActionReport:
        """Move to another folder (IMAP), which must exist.

        By MOVE (RFC 6851). Where the server has none, each is copied, marked as deleted, and removed by its UID (RFC 4315);
        where it has not even that, it stays there with the mark, and the report says so: EXPUNGE would also remove what
        others have marked. When the link breaks it is opened again once, to finish what was begun.
        """
        return self._act(Action("move", folder_name(folder), dry_run=dry_run))

    @public
    def copy(self, folder: str, *, dry_run: bool = False) -> ActionReport:
        """Copy to another folder (IMAP), which must exist."""
        return self._act(Action("copy", folder_name(folder), dry_run=dry_run))

    @public
    def delete(self, *, expunge: bool = False, dry_run: bool = False) -> ActionReport:
        """Move to the trash (IMAP): the folder that the server names as such (RFC 6154).

        With ``expunge`` it is deleted for good, as it always is by POP3 and in a mailbox file, where it must be said, too.
        """
        return self._act(Action("expunge" if expunge else "delete", dry_run=dry_run))

    @public
    def save_attachments(
        self,
        folder: str | PathLike[str],
        *,
        pattern: str = "*",
        inline: bool = False,
        overwrite: bool = False,
        dry_run: bool = False,
    ) -> SavedFiles:
        """Save what is attached into a folder on this machine, which is made where it is missing.

        ``pattern`` is about the names (``*.pdf``, without regard to case); with ``inline`` the pictures in the text are
        saved, too. Names are made safe. Nothing is overwritten: a file whose name is taken gets a number (``a-2.pdf``),
        unless with ``overwrite`` it takes the place of what was there before. Returns a
        :class:`~mailconn_jupyter.mailbox.acting.saved_files.SavedFiles`, with the path and the size of each.
        """
        chosen = self._with_bodies()
        return save(chosen, folder, pattern=pattern, inline=inline, overwrite=overwrite, dry_run=dry_run)

    @abstractmethod
    def _with_bodies(self) -> Iterable[ParsedMessage]:
        """The messages themselves."""

    @public
    def flag(self, flag: str = FLAGGED, *, dry_run: bool = False) -> ActionReport:
        r"""Mark with a flag, or a star (IMAP); or with another flag: ``\Answered``, or a keyword such as ``$Work``."""
        return self._act(Action("mark", flag=flag_name(flag), dry_run=dry_run))

    @public
    def unflag(self, flag: str = FLAGGED, *, dry_run: bool = False) -> ActionReport:
        """Take the flag off (IMAP)."""
        return self._act(Action("unmark", flag=flag_name(flag), dry_run=dry_run))

    @public
    def mark_seen(self, seen: bool = True, *, dry_run: bool = False) -> ActionReport:
        """Mark as read (IMAP), or with False as unread."""
        return self._act(Action("mark" if seen else "unmark", flag=SEEN, dry_run=dry_run))
