"""Since when a connection is signed in, and until when: what a person is told, without asking anybody."""

from __future__ import annotations

from datetime import UTC, datetime

from .. import credentials
from ..connection import MailConnection
from ..credentials.memory import memory
from ..credentials.naming import command
from ..credentials.oauth import token_files
from ..credentials.oauth.token_files import About
from ..errors import OptionError
from ..secret import Kind
from .opening.sign_in_way import identity_of

__all__ = ["about", "in_words", "kind_of", "signed_in_since", "state_of"]


def about(connection: MailConnection) -> About:
    """What is known without asking a keyring; of a sign-in that is over with its kernel, nothing."""
    try:
        identity = identity_of(connection.resolved())
    except OptionError:
        identity = None
    if identity is None:
        return About()
    found = token_files.about(identity)
    return found if found.lasting or memory.get(identity.grant) else About(until=found.until)


def signed_in_since(connection: MailConnection) -> str:
    """Since when, in a few words for a list; empty where nobody is signed in, as far as files tell."""
    since = about(connection).since
    return f"signed in since {since.astimezone():%Y-%m-%d}" if since else ""


def kind_of(connection: MailConnection) -> Kind:
    """The secret that it signs in with: a person's, or for a job the client's own."""
    return Kind.CLIENT if connection.needs_nobody else Kind.REFRESH


def state_of(connection: MailConnection) -> str:
    """Whether, since when and as whom one is signed in, where that is kept, and until when there is a token."""
    kind = kind_of(connection)
    kept = credentials.where(connection, kind=kind)
    if not kept:
        return f"no; run {command(connection.name, kind)}"
    known = about(connection)
    first, *rest = in_words(known)
    return ", ".join(filter(None, ["by the client's secret" if kind is Kind.CLIENT else first, kept, *rest]))


def in_words(known: About) -> list[str]:
    """Since when and as whom, empty where that is not known; and then until when there is a token, if there is one."""
    since = f"since {_when(known.since)}" if known.since else ""
    words = [f"{since}{f', as {known.who}' if known.who and since else ''}"]
    if known.until and known.until > datetime.now(UTC):
        words.append(f"the token at hand until {_when(known.until)}, then renewed by itself")
    return words


def _when(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"
