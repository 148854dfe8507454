"""The errors of a line that cannot be understood, or that must not be."""

from __future__ import annotations

from ..errors import MailConnError

__all__ = ["PasswordGiven", "WrongUsage", "refusal"]


class WrongUsage(MailConnError):
    """The arguments of a command are wrong; nothing was done."""


class PasswordGiven(WrongUsage):
    """A password stood in the line. Nothing repeats it: a traceback would quote the line."""


def refusal(what: str) -> PasswordGiven:
    """The error for a password in a cell; ``what`` says where, without it."""
    return PasswordGiven(
        f"{what}: the notebook and the history keep what a cell says.",
        hint="Take it out of the cell and run %mailconn password NAME, which asks for it.",
    )
