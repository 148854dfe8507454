"""``signin`` and ``signout``: a person once, and the connection from then on (OAuth 2.0)."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from ..credentials.naming import command
from ..errors import SignInError
from ..formatting import escape
from ..secret import Kind
from ..session import sign_in as signing
from ..store import connections
from .view import Passing

if TYPE_CHECKING:
    from ..session.invitation import Invitation

__all__ = ["signin", "signout"]


def signin(*, target: str | None = None, flow: str | None = None) -> Generator[object]:
    """Show what a person needs, wait for them, keep the sign-in, and test the connection."""
    connection = connections.pick(target)
    begun = signing.begin(connection, flow=flow or "")
    # Nothing of it is left in the notebook.
    yield Passing(InvitationView(begun.invitation))
    try:
        done = begun.finish(signing.answer(begun.invitation))
    except KeyboardInterrupt:
        again = command(connection.name, Kind.REFRESH)
        raise SignInError("The sign-in was cancelled.", cause="cancelled", hint=f"Begin anew: {again}") from None
    yield str(done)
    if done.report is not None and done.report.error is not None:
        raise done.report.error


def signout(*, target: str | None = None) -> Iterator[str]:
    """Revoke the sign-in and forget it."""
    connection = connections.pick(target)
    yield from signing.sign_out(connection)
    yield f"{connection.name!r} is signed out."


class InvitationView:
    """What a person must see, large enough to read from another device, with a button that copies the code."""

    def __init__(self, invitation: Invitation) -> None:
        self.invitation = invitation

    def __repr__(self) -> str:
        waits = "Waiting for you to approve; interrupt the cell to cancel." if self.invitation.code else ""
        return "\n".join(part for part in (str(self.invitation), waits) if part)

    def _repr_html_(self) -> str:
        invitation = self.invitation
        if not invitation.code:
            return (
                f"<p>To sign in for <b>{escape(invitation.name)}</b>, open <a href='{escape(invitation.link)}' "
                "target='_blank' rel='noopener noreferrer'>this link</a>. Its last page fails to load. Copy the address of "
                "that page, and paste it below.</p>"
            )
        direct = ""
        if invitation.link:
            direct = (
                f" Or open <a href='{escape(invitation.link)}' target='_blank' rel='noopener noreferrer'>"
                "the page with the code in it</a>."
            )
        return (
            f"<p>To sign in for <b>{escape(invitation.name)}</b>, open this page, here or on any other device, and enter "
            f"the code:</p><p style='font-size:1.4em;margin:.3em 0'><a href='{escape(invitation.uri)}' target='_blank' "
            f"rel='noopener noreferrer'>{escape(invitation.uri)}</a></p>"
            f"<p style='margin:.3em 0'><code style='font-size:2em;user-select:all'>{escape(invitation.code)}</code> "
            f"<button type='button' data-code='{escape(invitation.code)}' onclick='{_COPY}'>Copy the code</button></p>"
            f"<p>Waiting until you have approved, for {invitation.seconds / 60:.0f} minutes at most; interrupt the cell to "
            f"cancel.{direct}</p>"
        )


_COPY = (
    "navigator.clipboard.writeText(this.dataset.code).then("
    "() => this.textContent = &quot;Copied&quot;, () => this.textContent = &quot;Select it, and copy&quot;)"
)
