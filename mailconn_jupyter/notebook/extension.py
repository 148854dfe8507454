"""What ``%load_ext`` adds to IPython, and ``%unload_ext`` takes away.

Only what is registered is here, in one module, for each costs a look-up on the disk; the first use of the magic, or of Tab,
brings the rest, which begins in :mod:`mailconn_jupyter.notebook.magic.dispatch`.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from IPython.core.completer import CompletionContext, SimpleMatcherResult, completion_matcher
from IPython.core.magic import Magics, line_cell_magic, magics_class, needs_local_scope, no_var_expand

from .. import progress

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["MailConn", "load", "matcher", "unload"]


@magics_class
class MailConn(Magics):
    """Mail server connections: make, test, keep and open them, and send through them."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell=shell)
        self._showing: list[tuple[Any, Callable[..., Any]]] = []

    # IPython expands all of a line or nothing of it, and says nothing when it cannot.
    @no_var_expand
    @needs_local_scope
    @line_cell_magic
    def mailconn(self, line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None) -> Any:
        """Mail server connections: make, test, keep and open them, and send through them.

        %mailconn                                 the connections, each with its last test
        %mailconn new ops mail.example.org --username ana
        %mailconn password ops                    asks for the password and keeps it in the keyring
        %mailconn test ops                        opens a session stage by stage, and says what it found
        smtp = %mailconn connect ops              an open smtplib.SMTP, secured and logged in
        %mailconn send ops --to ana@example.org --subject Churn df fig
        %%mailconn send ops --to ...              as a cell's first line: sends what the cell shows
        %%mailconn notify ops --to ...            the same: a mail when the cell ends or fails
        %%mailconn merge ops df --to email ...    the same: a message for each row, the cell is its template
        %mailconn help                            every command; %mailconn COMMAND -h says more of one

        $name and {expression} are taken from the notebook; $$ is a dollar, {{ a brace. ${NAME} stays: it is the
        environment's, each time a session opens. A name with spaces goes in quotes.
        """
        from .magic.dispatch import run  # noqa: PLC0415  # %load_ext must not pay for the first use

        assert self.shell is not None
        # A view, not a copy: a subject may tell of what its cell has made.
        return run(line, ChainMap(local_ns or {}, self.shell.user_ns), cell)

    def show_messages(self, _: Any = None) -> None:
        """Have a composed message shown as it will arrive, from the next cell on.

        IPython makes its table of formatters when it first shows something, which loading must not pay for.
        """
        self._leave_events()
        for formatter, show in self._formatters():
            # Who has a way of their own to show messages keeps it.
            if _shows(formatter) is None:
                formatter.for_type_by_name(*_MESSAGE, show)
                self._showing.append((formatter, show))

    def leave(self) -> None:
        """Undo that."""
        self._leave_events()
        for formatter, show in self._showing:
            if _shows(formatter) is show:
                formatter.pop(".".join(_MESSAGE))

    def _leave_events(self) -> None:
        assert self.shell is not None
        with suppress(ValueError):
            self.shell.events.unregister("pre_run_cell", self.show_messages)

    def _formatters(self) -> Iterator[tuple[Any, Callable[..., Any]]]:
        found = getattr(self.shell, "display_formatter", None)
        if found is not None:
            yield from ((found.formatters[kind], show) for kind, show in _SHOWN.items())


@completion_matcher(identifier="mailconn", api_version=2)  # type: ignore[untyped-decorator]  # of IPython
def matcher(context: CompletionContext) -> SimpleMatcherResult:
    """Complete what stands after ``%mailconn``, alone or in an assignment."""
    from .magic.completion import complete  # noqa: PLC0415  # %load_ext must not pay for Tab

    return complete(context)


def _progress() -> Any:
    """What ``progress=True`` shows of a long read."""
    from .progress_bar import CellProgress  # noqa: PLC0415  # only a long read needs it

    return CellProgress()


def _html(message: Any) -> str | None:
    from .shown_message import html  # noqa: PLC0415  # as above

    return html(message)


def _text(message: Any, printer: Any, cycle: bool) -> None:
    from .shown_message import text  # noqa: PLC0415

    text(message, printer, cycle)


#: How a composed message is shown, by the kind of output.
_MESSAGE: Final = "email.message", "EmailMessage"
_SHOWN: Final[dict[str, Callable[..., Any]]] = {"text/html": _html, "text/plain": _text}


def _shows(formatter: Any) -> Any:
    """What shows messages now; None where nothing of its own does."""
    try:
        return formatter.lookup_by_type(".".join(_MESSAGE))
    except KeyError:
        return None


def load(shell: InteractiveShell) -> None:
    """Add the magic and its completion; loading twice leaves one of each."""
    unload(shell)
    magics = MailConn(shell=shell)
    shell.register_magics(magics)
    shell.events.register("pre_run_cell", magics.show_messages)
    progress.maker = _progress
    completer = getattr(shell, "Completer", None)
    if completer is not None:
        completer.custom_matchers.append(matcher)


def unload(shell: InteractiveShell) -> None:
    """Remove the magic, its place in ``%config`` and its completion; a magic of that name that is not ours stays."""
    progress.maker = None
    for part in shell.configurables:
        if isinstance(part, MailConn):
            part.leave()
    shell.configurables[:] = [part for part in shell.configurables if not isinstance(part, MailConn)]
    manager = shell.magics_manager
    for magics in manager.magics.values():
        # Only ours is looked at: IPython imports a magic of its own when something asks for an attribute of it.
        if isinstance(getattr(magics.get("mailconn"), "__self__", None), MailConn):
            del magics["mailconn"]
    if isinstance(manager.registry.get(MailConn.__name__), MailConn):
        del manager.registry[MailConn.__name__]
    completer = getattr(shell, "Completer", None)
    if completer is not None:
        completer.custom_matchers[:] = [part for part in completer.custom_matchers if part is not matcher]
