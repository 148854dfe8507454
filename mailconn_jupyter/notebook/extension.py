"""What ``%load_ext`` adds to IPython, and ``%unload_ext`` takes away.

Only what is registered is imported here; the first use of the magic, or of Tab, brings the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from IPython.core.completer import CompletionContext, SimpleMatcherResult, completion_matcher

from .. import progress
from .magic.magic import MailConn

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["load", "matcher", "unload"]


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


def _formatters(shell: InteractiveShell) -> Iterator[tuple[Any, Callable[..., Any]]]:
    if shell.display_formatter is not None:
        yield from ((shell.display_formatter.formatters[kind], show) for kind, show in _SHOWN.items())


def _shows(formatter: Any) -> Any:
    """What shows messages now; None where nothing of its own does."""
    try:
        return formatter.lookup_by_type(".".join(_MESSAGE))
    except KeyError:
        return None


def load(shell: InteractiveShell) -> None:
    """Add the magic and its completion; loading twice leaves one of each."""
    unload(shell)
    shell.register_magics(MailConn(shell=shell))
    progress.maker = _progress
    for formatter, show in _formatters(shell):
        # Who has a way of their own to show messages keeps it.
        if not _shows(formatter):
            formatter.for_type_by_name(*_MESSAGE, show)
    completer = getattr(shell, "Completer", None)
    if completer is not None:
        completer.custom_matchers.append(matcher)


def unload(shell: InteractiveShell) -> None:
    """Remove the magic, its place in ``%config`` and its completion; a magic of that name that is not ours stays."""
    progress.maker = None
    for formatter, show in _formatters(shell):
        if _shows(formatter) is show:
            formatter.pop(".".join(_MESSAGE))
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
