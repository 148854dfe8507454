"""The ``%mailconn`` magic as IPython sees it; what it does begins in :mod:`mailconn_jupyter.notebook.magic.dispatch`."""

from __future__ import annotations

from collections import ChainMap
from typing import Any

from IPython.core.magic import Magics, line_cell_magic, magics_class, needs_local_scope, no_var_expand

__all__ = ["MailConn"]


@magics_class
class MailConn(Magics):
    """Mail server connections: make, test, keep and open them, and send through them."""

    # IPython expands all of a line or nothing of it, and says nothing when it cannot.
    @no_var_expand
    @needs_local_scope
    @line_cell_magic
    def mailconn(self, line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None) -> Any:
        """Mail server connections: make, test, keep and open them, and send through them.

        %mailconn                                 the connections, each with its last test
        %mailconn new ops --server-host mail.example.org --username ana
        %mailconn password ops                    asks for the password and keeps it in the keyring
        %mailconn test ops                        opens a session stage by stage, and says what it found
        smtp = %mailconn connect ops              an open smtplib.SMTP, secured and logged in
        %mailconn send ops --to ana@example.org --subject Churn df fig
        %%mailconn send ops --to ...              as a cell's first line: sends what the cell shows
        %%mailconn notify ops --to ...            the same: a mail when the cell ends or fails
        %mailconn help                            every command; %mailconn COMMAND -h says more of one

        $name and {expression} are taken from the notebook; $$ is a dollar, {{ a brace. ${NAME} stays: it is the
        environment's, each time a session opens. A name with spaces goes in quotes.
        """
        from .dispatch import run  # noqa: PLC0415  # %load_ext must not pay for the first use

        assert self.shell is not None
        # A view, not a copy: a subject may tell of what its cell has made.
        return run(line, ChainMap(local_ns or {}, self.shell.user_ns), cell)
