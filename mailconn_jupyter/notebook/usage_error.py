"""The errors of a line that cannot be understood."""

from __future__ import annotations

from IPython.core.error import UsageError as IPythonUsageError

from ..errors import MailConnError

__all__ = ["PasswordRefused", "UsageError"]


class UsageError(MailConnError, IPythonUsageError):
    """The arguments of the magic are wrong.

    IPython's own :class:`~IPython.core.error.UsageError` prints its line and leaves no error in the cell, so a notebook
    that runs without a person seems to have passed. This one is caught like it, shows like it, and fails the cell.
    """


class PasswordRefused(UsageError):
    """A password stood in the cell. Nothing repeats it, so there is no longer form: a traceback quotes the cell."""

    def _render_traceback_(self) -> list[str]:
        self._shown = None
        return super()._render_traceback_()
