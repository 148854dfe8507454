"""The errors of a line that cannot be understood, as IPython knows them."""

from __future__ import annotations

from IPython.core.error import UsageError as IPythonUsageError

from ..commands.wrong_usage import PasswordGiven, WrongUsage

__all__ = ["PasswordRefused", "UsageError", "as_ipythons"]


class UsageError(WrongUsage, IPythonUsageError):
    """The arguments of the magic are wrong.

    IPython's own :class:`~IPython.core.error.UsageError` prints its line and leaves no error in the cell, so a notebook
    that runs without a person seems to have passed. This one is caught like it, shows like it, and fails the cell.
    """


class PasswordRefused(UsageError, PasswordGiven):
    """A password stood in the cell. Nothing repeats it, so there is no longer form: a traceback quotes the cell."""

    def _render_traceback_(self) -> list[str]:
        self._shown = None
        return super()._render_traceback_()


def as_ipythons(error: WrongUsage) -> UsageError:
    """The same error, to be raised in a cell."""
    if isinstance(error, UsageError):
        return error
    kind = PasswordRefused if isinstance(error, PasswordGiven) else UsageError
    made = kind(error.message, hint=error.hint).with_traceback(error.__traceback__)
    made.__cause__ = error.__cause__
    return made
