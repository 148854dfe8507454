"""Named, tested mail server connections for notebooks.

``%load_ext mailconn_jupyter`` gives a notebook the ``%mailconn`` magic; in any other code
``import mailconn_jupyter as mailconn`` gives the names below. Each is imported when it is first used, so that loading
the extension costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # The public names for a type checker, which reads no dict; a test holds them to those of _ROOMS.
    from IPython.core.interactiveshell import InteractiveShell

    from . import sandbox as sandbox
    from .connection import MailConnection as MailConnection
    from .delivery.addressed import compose as compose, people as people
    from .delivery.campaigns.campaign import Campaign as Campaign
    from .delivery.campaigns.campaign_part import CampaignStopped as CampaignStopped
    from .delivery.filing.save_draft import SavedDraft as SavedDraft, save_draft as save_draft
    from .delivery.following.follow_up import follow_up as follow_up
    from .delivery.following.followed import FollowUp as FollowUp
    from .delivery.journals.journal_base import JournalError as JournalError
    from .delivery.log_handler import LogHandler as LogHandler
    from .delivery.many.many_report import DeliveryReport as DeliveryReport
    from .delivery.many.send_many import send_many as send_many
    from .delivery.merge import Merge as Merge, merge as merge
    from .delivery.merging.letter import MergedMessage as MergedMessage
    from .delivery.merging.row_faults import MergeError as MergeError
    from .delivery.preview import Preview as Preview, preview as preview
    from .delivery.report import DeliveryError as DeliveryError, Outcome as Outcome, SendReport as SendReport
    from .delivery.send import send as send
    from .delivery.send_again import send_again as send_again
    from .delivery.send_notebook import send_notebook as send_notebook
    from .delivery.sent_log.sent import sent as sent
    from .discovery.discover import discover as discover
    from .discovery.proposal import Settings as Settings
    from .discovery.validate import validate as validate
    from .documents.notebook_file import NotebookError as NotebookError
    from .errors import (
        ConnectionChanged as ConnectionChanged,
        CredentialError as CredentialError,
        MailConnError as MailConnError,
        MailConnWarning as MailConnWarning,
        MessageError as MessageError,
        OpenError as OpenError,
        OptionError as OptionError,
        SignInError as SignInError,
        SMIMEError as SMIMEError,
        StoreError as StoreError,
        UnknownKeyword as UnknownKeyword,
    )
    from .interchange.export_connection import Exported as Exported, export_connection as export_connection
    from .interchange.found import FoundConnection as FoundConnection, FoundConnections as FoundConnections
    from .interchange.import_draft import InterchangeError as InterchangeError
    from .interchange.load_connections import load_connections as load_connections
    from .mailbox.acting.action_report import ActionReport as ActionReport
    from .mailbox.bounces import bounces as bounces
    from .mailbox.dataframe import to_frame as to_frame
    from .mailbox.found_messages import Messages as Messages
    from .mailbox.mailbox_message import MailboxMessage as MailboxMessage
    from .mailbox.messages import messages as messages
    from .mailbox.secured import decrypt as decrypt, keep_certificate as keep_certificate
    from .message.incoming.parsed import ParsedMessage as ParsedMessage
    from .message.meeting.invitation import Invitation as Invitation
    from .message.render import (
        HTML as HTML,
        Markdown as Markdown,
        Part as Part,
        Preformatted as Preformatted,
        register as register,
        unregister as unregister,
    )
    from .message.smime.signature import Signature as Signature, verify as verify
    from .message.template import Template as Template
    from .notebook.compose_page.compose_form import ComposeForm as ComposeForm, compose_form as compose_form
    from .notebook.form.form import Form as Form, form as form
    from .session.check import (
        CheckReport as CheckReport,
        CheckReports as CheckReports,
        check as check,
        check_all as check_all,
    )
    from .session.connect import connect as connect
    from .session.connect_by_protocol import (
        connect_graph as connect_graph,
        connect_imap as connect_imap,
        connect_pop3 as connect_pop3,
        connect_smtp as connect_smtp,
        open_mbox as open_mbox,
    )
    from .session.graph.session import GraphSession as GraphSession
    from .session.imap.session import IMAPSession as IMAPSession
    from .session.mbox.session import MBOXSession as MBOXSession
    from .session.opening.error_classes import (
        DeliveryUnknown as DeliveryUnknown,
        LinkLost as LinkLost,
        Refused as Refused,
    )
    from .session.pop3.session import POP3Session as POP3Session
    from .session.sign_in import sign_in as sign_in, sign_out as sign_out
    from .session.sign_in_prompt import SignedIn as SignedIn, SignInPrompt as SignInPrompt
    from .session.smtp.session import SMTPSession as SMTPSession
    from .store import (
        ConnectionStore as ConnectionStore,
        UnknownConnection as UnknownConnection,
        connections as connections,
    )
    from .store.kept_secrets import forget_password as forget_password, set_password as set_password

    __all__: list[str]
    __version__: str

_ROOMS = {
    "connection": "MailConnection",
    "delivery.addressed": "compose people",
    "delivery.campaigns.campaign": "Campaign",
    "delivery.campaigns.campaign_part": "CampaignStopped",
    "delivery.filing.save_draft": "SavedDraft save_draft",
    "delivery.following.follow_up": "follow_up",
    "delivery.following.followed": "FollowUp",
    "delivery.journals.journal_base": "JournalError",
    "delivery.log_handler": "LogHandler",
    "delivery.many.many_report": "DeliveryReport",
    "delivery.many.send_many": "send_many",
    "delivery.merge": "Merge merge",
    "delivery.merging.letter": "MergedMessage",
    "delivery.merging.row_faults": "MergeError",
    "delivery.preview": "Preview preview",
    "delivery.report": "DeliveryError Outcome SendReport",
    "delivery.send": "send",
    "delivery.send_again": "send_again",
    "delivery.send_notebook": "send_notebook",
    "delivery.sent_log.sent": "sent",
    "discovery.discover": "discover",
    "discovery.proposal": "Settings",
    "discovery.validate": "validate",
    "documents.notebook_file": "NotebookError",
    "errors": "ConnectionChanged CredentialError MailConnError MailConnWarning MessageError OpenError OptionError "
    "SMIMEError SignInError StoreError UnknownKeyword",
    "interchange.import_draft": "InterchangeError",
    "interchange.export_connection": "Exported export_connection",
    "interchange.found": "FoundConnection FoundConnections",
    "interchange.load_connections": "load_connections",
    "mailbox.bounces": "bounces",
    "mailbox.acting.action_report": "ActionReport",
    "mailbox.dataframe": "to_frame",
    "mailbox.found_messages": "Messages",
    "mailbox.mailbox_message": "MailboxMessage",
    "mailbox.messages": "messages",
    "mailbox.secured": "decrypt keep_certificate",
    "message.incoming.parsed": "ParsedMessage",
    "message.meeting.invitation": "Invitation",
    "message.render": "HTML Markdown Part Preformatted register unregister",
    "message.smime.signature": "Signature verify",
    "message.template": "Template",
    "notebook.compose_page.compose_form": "ComposeForm compose_form",
    "notebook.form.form": "Form form",
    "sandbox": "sandbox",
    "session.check": "CheckReport CheckReports check check_all",
    "session.connect": "connect",
    "session.connect_by_protocol": "connect_graph connect_imap connect_pop3 connect_smtp open_mbox",
    "session.graph.session": "GraphSession",
    "session.imap.session": "IMAPSession",
    "session.mbox.session": "MBOXSession",
    "session.sign_in_prompt": "SignInPrompt SignedIn",
    "session.opening.error_classes": "DeliveryUnknown LinkLost Refused",
    "session.pop3.session": "POP3Session",
    "session.sign_in": "sign_in sign_out",
    "session.smtp.session": "SMTPSession",
    "store": "ConnectionStore UnknownConnection connections",
    "store.kept_secrets": "forget_password set_password",
}
_WHERE = {name: room for room, names in _ROOMS.items() for name in names.split()}
# What an extra brings: the module, and the extra. Where it is missing, the name is not one of the public ones.
_EXTRAS = {
    "GraphSession": ("urllib3", "oauth"),
    "IMAPSession": ("imap_tools", "imap"),
}


def __dir__() -> list[str]:
    from importlib.util import find_spec  # noqa: PLC0415  # only who looks around needs it

    missing = {name for name, (module, _) in _EXTRAS.items() if find_spec(module) is None}
    return sorted({*_WHERE, "load_ipython_extension", "unload_ipython_extension"} - missing)


def _public(name: str) -> Any:
    if name == "__all__":
        return __dir__()
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415  # 5 ms that %load_ext must not cost

        return version("mailconn-jupyter")
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        room = import_module(f".{_WHERE[name]}", __name__)
    except ModuleNotFoundError as error:
        module, extra = _EXTRAS.get(name, ("", ""))
        if (error.name or "").partition(".")[0] != module:
            raise
        from .extras import install  # noqa: PLC0415  # as above

        raise AttributeError(f"{name} needs {module}, which is not installed. Run: %{install(extra)}") from error
    value = room if name == "sandbox" else getattr(room, name)
    globals()[name] = value
    return value


if not TYPE_CHECKING:
    # A type checker would take every misspelt name for one that there is.
    __getattr__ = _public


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register the ``%mailconn`` magic; what ``%load_ext mailconn_jupyter`` calls."""
    from .notebook.extension import load  # noqa: PLC0415  # scripts and workers go without IPython

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take back all that loading added; what ``%unload_ext mailconn_jupyter`` calls."""
    from .notebook.extension import unload  # noqa: PLC0415  # as above

    unload(shell)
