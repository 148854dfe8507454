"""Named, tested mail server connections for notebooks.

``%load_ext mailconn_jupyter`` gives a notebook the ``%mailconn`` magic; in any other code
``import mailconn_jupyter as mailconn`` gives the names below. Each is imported when it is first used, so that loading
the extension costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from . import sandbox
    from .connection import MailConnection
    from .delivery.report import DeliveryError, SendReport
    from .delivery.send import send
    from .delivery.send_notebook import send_notebook
    from .discovery.discover import discover
    from .errors import (
        ConnectionChanged,
        CredentialError,
        MailConnError,
        MailConnWarning,
        OpenError,
        OptionError,
        StoreError,
    )
    from .mailbox.dataframe import to_frame
    from .mailbox.messages import messages
    from .message.compose import compose
    from .message.incoming.parsed import ParsedMessage
    from .message.render import HTML, Markdown, Preformatted, register
    from .message.template import Template
    from .notebook.form.form import form
    from .session.check import CheckReport, check, check_all
    from .session.connect import connect
    from .session.smtp.session import SMTPSession
    from .store import ConnectionStore, UnknownConnection, connections
    from .store.kept_secrets import set_password

__all__ = [
    "HTML",
    "CheckReport",
    "ConnectionChanged",
    "ConnectionStore",
    "CredentialError",
    "DeliveryError",
    "MailConnError",
    "MailConnWarning",
    "MailConnection",
    "Markdown",
    "OpenError",
    "OptionError",
    "ParsedMessage",
    "Preformatted",
    "SMTPSession",
    "SendReport",
    "StoreError",
    "Template",
    "UnknownConnection",
    "check",
    "check_all",
    "compose",
    "connect",
    "connections",
    "discover",
    "form",
    "load_ipython_extension",
    "messages",
    "register",
    "sandbox",
    "send",
    "send_notebook",
    "set_password",
    "to_frame",
    "unload_ipython_extension",
]

_ROOMS = {
    "connection": ("MailConnection",),
    "delivery.send_notebook": ("send_notebook",),
    "delivery.report": ("DeliveryError", "SendReport"),
    "delivery.send": ("send",),
    "errors": (
        "ConnectionChanged",
        "CredentialError",
        "MailConnError",
        "MailConnWarning",
        "OpenError",
        "OptionError",
        "StoreError",
    ),
    "message.compose": ("compose",),
    "message.incoming.parsed": ("ParsedMessage",),
    "message.render": ("HTML", "Markdown", "Preformatted", "register"),
    "message.template": ("Template",),
    "notebook.form.form": ("form",),
    "sandbox": ("sandbox",),
    "session.check": ("CheckReport", "check", "check_all"),
    "session.connect": ("connect",),
    "discovery.discover": ("discover",),
    "mailbox.dataframe": ("to_frame",),
    "mailbox.messages": ("messages",),
    "session.smtp.session": ("SMTPSession",),
    "store": ("ConnectionStore", "UnknownConnection", "connections"),
    "store.kept_secrets": ("set_password",),
}
_WHERE = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415  # 5 ms that %load_ext must not cost

        return version("mailconn-jupyter")
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    room = import_module(f".{_WHERE[name]}", __name__)
    value = room if name == "sandbox" else getattr(room, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register the ``%mailconn`` magic; what ``%load_ext mailconn_jupyter`` calls."""
    from .notebook.extension import load  # noqa: PLC0415  # scripts and workers go without IPython

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take back all that loading added; what ``%unload_ext mailconn_jupyter`` calls."""
    from .notebook.extension import unload  # noqa: PLC0415  # as above

    unload(shell)
