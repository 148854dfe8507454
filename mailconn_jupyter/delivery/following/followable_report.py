"""What every report of what was sent has in common: it can be followed up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .sent_rows import Followable

if TYPE_CHECKING:
    from ...connection import MailConnection
    from ...mailbox.selection import When
    from ...progress import Tell
    from ...session.any_session import ReadingSession
    from .followed import FollowUp

__all__ = ["FollowableReport"]


class FollowableReport(Followable):
    """A report; its class has an ``as_sent()``."""

    def follow_up(
        self,
        target: str | MailConnection | ReadingSession | None = None,
        *,
        since: When = None,
        folder: str | None = "INBOX",
        progress: bool | Tell | None = None,
    ) -> FollowUp:
        """What has come back to a mailbox: :func:`~mailconn_jupyter.delivery.following.follow_up.follow_up` of this report."""
        from .follow_up import follow_up  # noqa: PLC0415  # who only sends needs no mailbox

        return follow_up(self, target, since=since, folder=folder, progress=progress)
