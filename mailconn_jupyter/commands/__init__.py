"""The commands: how each is used, and which function does it, without IPython and without a terminal.

A front end (the magic; a shell's command) reads a line by a row of this table, runs the row's function, and shows what it
says. A new command is one row and one function.
"""

from __future__ import annotations

import argparse
import re
from typing import Final

from ..interchange.programs import TARGETS
from .arguments import Arguments, Words, group, person, positive
from .command import Command
from .merging.merge_flags import merge_flags
from .option_flags import add_options
from .sending_flags import notify_flags, send_flags
from .setting_up.set_up_flags import autoload_flags, check_flags, export_flags, import_flags
from .view import View

__all__ = ["COMMANDS", "Command", "Overview"]


# A dot, a path, an address of IPv6, a variable.
_HOST: Final = re.compile(r"[.:/\\$]|^localhost$")
_SINCE: Final = "Only from this day on: 2026-11-22, '3 days', yesterday."


def _none(parser: Arguments) -> None:
    pass


def _new(parser: Arguments) -> None:
    parser.add_argument("target", metavar="NAME", help="What to call it; in quotes when it has spaces.")
    parser.add_argument(
        "host", type=_host, metavar="HOST", nargs="?", help="The server's host; of MBOX the path of the file."
    )
    parser.add_argument("--replace", action="store_true", help="Replace a connection of that name.")
    add_options(parser)


def _host(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("the host is empty")
    # What looks like none may be the second word of a name, or a password: it is not kept, and not shown.
    if not _HOST.search(text):
        raise argparse.ArgumentTypeError("the second word is not a host; a name with spaces goes in quotes")
    return text


def _find(parser: Arguments) -> None:
    parser.add_argument("address", metavar="ADDRESS", help="A mail address; only its domain leaves this machine.")
    parser.add_argument("--protocol", metavar="PROTOCOL", default="SMTP", help="SMTP (default), GRAPH, IMAP or POP3.")
    parser.add_argument("--via", metavar="NAME", help="Use the proxy and the authority file of this connection.")
    parser.add_argument("--save", metavar="NAME", help="Save what is found as a connection of this name.")
    parser.add_argument("--replace", action="store_true", help="Replace a connection of that name.")


def _edit(parser: Arguments) -> None:
    _stored(parser)
    parser.add_argument(
        "--unset",
        action="append",
        default=[],
        metavar="OPTION",
        help="Set OPTION back to its default; may be repeated.",
    )
    add_options(parser)


def _stored(parser: Arguments) -> None:
    parser.add_argument("target", metavar="NAME", help="A stored connection.")


def _one(parser: Arguments) -> None:
    parser.add_argument(
        "target", metavar="NAME", nargs="?", help="A stored connection; if omitted, the default or the only one."
    )


def _test(parser: Arguments) -> None:
    parser.add_argument(
        "targets", metavar="NAME", nargs="*", help="Stored connections; if omitted, the default or the only one."
    )
    parser.add_argument("--all", action="store_true", help="Test all stored connections, at the same time.")
    parser.add_argument(
        "--verbose",
        action="store_true",
        help="Also print the conversation with the server, with stars in place of secrets.",
    )
    parser.add_argument(
        "--mail", type=person, metavar="ADDRESS", help="Once the test has passed, also send a message there."
    )


def _inbox(parser: Arguments) -> None:
    _one(parser)
    _at_most(parser)
    parser.add_argument("--unseen", action="store_true", help="Only what is not marked as read (IMAP, MBOX).")
    parser.add_argument(
        "--from",
        "--sender",
        dest="sender",
        metavar="TEXT",
        default="",
        help="Only from senders with TEXT in their name or address.",
    )
    parser.add_argument(
        "--to", metavar="TEXT", default="", help="Only to recipients with TEXT in their name or address."
    )
    parser.add_argument("--subject", metavar="TEXT", default="", help="Only with TEXT in the subject.")
    parser.add_argument("--text", metavar="TEXT", default="", help="Only with TEXT in the header or the body.")
    parser.add_argument("--flagged", action="store_true", help="Only what has a flag or a star (IMAP, MBOX).")
    parser.add_argument("--larger", metavar="SIZE", help="Only what is larger: 500000, '10 MB'.")
    parser.add_argument("--has-attachment", action="store_true", help="Only messages with an attachment.")
    parser.add_argument("--since", metavar="WHEN", help=_SINCE)
    parser.add_argument("--before", metavar="WHEN", help="Only from before this day.")
    parser.add_argument("--folder", metavar="FOLDER", default="INBOX", help="The folder (IMAP; default: INBOX).")


def _bounces(parser: Arguments) -> None:
    _one(parser)
    parser.add_argument("--since", metavar="WHEN", help=_SINCE)
    _at_most(parser)
    parser.add_argument("--folder", metavar="FOLDER", default="INBOX", help="The folder (IMAP; default: INBOX).")


def _at_most(parser: Arguments) -> None:
    parser.add_argument(
        "--limit", type=positive, metavar="N", default=20, help="How many messages at most (default: 20)."
    )


def _password(parser: Arguments) -> None:
    _stored(parser)
    parser.add_argument("rest", nargs="*", default=(), help=argparse.SUPPRESS)
    parser.add_argument("--proxy", action="store_true", help="The proxy's password, not the server's.")
    parser.add_argument("--client", action="store_true", help="The client secret of the app that signs in.")
    parser.add_argument("--smime", action="store_true", help="The passphrase of the S/MIME key.")
    parser.add_argument(
        "--delete",
        action="store_true",
        help="Forget the server's and the proxy's passwords; with --proxy, --client or --smime, only that one.",
    )


def _signin(parser: Arguments) -> None:
    _one(parser)
    parser.add_argument(
        "--flow",
        type=Words("device", "link"),
        metavar="{device,link}",
        help="With a code (device) or with a link (default: what the issuer offers).",
    )


def _two(parser: Arguments) -> None:
    parser.add_argument("old", metavar="OLD", help="A stored connection.")
    parser.add_argument("new", metavar="NEW", help="A name that is not taken.")


def _delete(parser: Arguments) -> None:
    _stored(parser)
    parser.add_argument("--yes", action="store_true", help="Do not ask first.")


def _form(parser: Arguments) -> None:
    parser.add_argument(
        "name", metavar="NAME", nargs="?", help="A stored connection to edit; if omitted, the list of all."
    )


def _compose(parser: Arguments) -> None:
    parser.add_argument(
        "name", metavar="NAME", nargs="?", help="A stored connection; if omitted, the default or the only one."
    )


def _default(parser: Arguments) -> None:
    parser.add_argument("target", metavar="NAME", nargs="?", help="The new default; if omitted, say which it is.")
    parser.add_argument("--unset", action="store_true", help="Have no default.")


def _journal(parser: Arguments) -> None:
    parser.add_argument(
        "name", metavar="NAME", nargs="?", help="A journal, or the path of one; if omitted, all of them."
    )
    parser.add_argument(
        "--follow-up", metavar="INBOX", help="Show what has come back to the mailbox of the connection INBOX."
    )


def _sent(parser: Arguments) -> None:
    parser.add_argument("target", metavar="NAME", nargs="?", help="Only what went through this connection.")
    parser.add_argument("--since", metavar="WHEN", help=_SINCE)
    parser.add_argument("--to", metavar="TEXT", default="", help="Only to recipients with TEXT in their address.")
    parser.add_argument("--subject", metavar="TEXT", default="", help="Only with TEXT in the subject.")
    _at_most(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--off", action="store_true", help="Log nothing from now on.")
    what.add_argument("--on", action="store_true", help="Log what is sent, which is the default.")
    what.add_argument("--forget", action="store_true", help="Delete the log.")
    what.add_argument(
        "--again",
        metavar="ID",
        help="Send this message again, only to recipients marked refused or not sent; its content comes from the Sent folder.",
    )
    again = parser.add_argument_group("With --again")
    again.add_argument(
        "--unknown", action="store_true", help="Also to recipients marked unknown, who may have it already."
    )
    again.add_argument("--dry-run", action="store_true", help="Send nothing: say to whom it would go.")


def _people(parser: Arguments) -> None:
    parser.add_argument("name", type=group, metavar="GROUP", nargs="?", help="A group; if omitted, all of them.")
    parser.add_argument(
        "members", type=person, metavar="ADDRESS", nargs="*", default=(), help="Whom to add; groups, too."
    )
    parser.add_argument(
        "--remove", type=person, metavar="ADDRESS", action="append", default=[], help="Whom to remove; may be repeated."
    )
    parser.add_argument("--delete", action="store_true", help="Delete the group.")


def _sandbox(parser: Arguments) -> None:
    parser.add_argument("--stop", action="store_true", help="Stop the server.")
    parser.add_argument(
        "--name", metavar="NAME", default="sandbox", help="What to call its connection (default: sandbox)."
    )


_ALL: Final = (
    Command(
        "list", "", "The connections, each with its last test; %mailconn alone does the same.", "listing:list_", _none
    ),
    Command("new", "NAME HOST [flags]", "Make a connection and keep it.", "keeping:new", _new),
    Command(
        "find",
        "ADDRESS [flags]",
        "Propose server, port and security for a mail address.",
        "finding:find",
        _find,
    ),
    Command(
        "edit",
        "NAME [flags] [--unset OPTION]",
        "Change the named options of a stored connection, and nothing else.",
        "keeping:edit",
        _edit,
        1,
    ),
    Command(
        "show", "[NAME]", "The options of a connection, and where it and its secrets are.", "listing:show", _one, 1
    ),
    Command(
        "test",
        "[NAME ... | --all] [--mail ADDRESS] [--verbose]",
        "Open a session, close it, and report on each stage; if the test fails, so does the cell.",
        "connecting:run_tests",
        _test,
        -1,
    ),
    Command(
        "connect",
        "[NAME]",
        "Open a session: smtp = %mailconn connect NAME",
        "connecting:connect",
        _one,
        1,
        notebook=True,
    ),
    Command(
        "send",
        "[NAME] --to ADDRESS --subject TEXT [flags] RESULT ...",
        "Send results by name; as %%mailconn send in a cell's first line, send what the cell shows.",
        "sending:send",
        send_flags,
        1,
        below="cell_mail:send_shown",
        results=True,
        later=("--subject",),
        objects=("--reply-to-message",),
        notebook=True,
    ),
    Command(
        "merge",
        "[NAME] ROWS --to COLUMN --subject TEXT [flags] CONTENT ...",
        "Send a message for each row of a table; as %%mailconn merge in a cell's first line, the cell is the text.",
        "merging.merge_line:merge",
        merge_flags,
        1,
        below="merging.merge_line:merge",
        results=True,
        templates=True,
        notebook=True,
    ),
    Command(
        "notify",
        "[NAME] --to ADDRESS [--if-longer SECONDS] [flags]",
        "In a cell's first line: send a message when the cell finishes or fails.",
        "",
        notify_flags,
        1,
        below="cell_mail:notify",
        later=("--subject",),
        notebook=True,
    ),
    Command(
        "journal",
        "[NAME [--follow-up INBOX]]",
        "The journals of batches; or of one, what became of each message, or what has come back.",
        "history.journals_shown:journal",
        _journal,
    ),
    Command(
        "sent",
        "[NAME] [--since WHEN] [--to TEXT] [--again ID] [flags]",
        "What was sent from this machine, to whom, and what became of it; or send one of it again.",
        "history.sending_log:sent",
        _sent,
        1,
    ),
    Command(
        "people",
        "[GROUP [ADDRESS ...]] [--remove ADDRESS] [--delete]",
        "Groups of addresses; the name of one stands wherever an address goes: --to team.",
        "setting_up.grouping:people",
        _people,
    ),
    Command(
        "inbox",
        "[NAME] [flags]",
        "The newest messages of a mailbox; none is marked as read.",
        "reading:inbox",
        _inbox,
        1,
    ),
    Command(
        "bounces",
        "[NAME] [--since WHEN] [flags]",
        "Whose mail came back, and why, as the notifications in a mailbox say.",
        "reading:bounces",
        _bounces,
        1,
    ),
    Command(
        "password",
        "NAME [--proxy | --client | --smime] [--delete]",
        "Ask for a password and keep it.",
        "passwords:password",
        _password,
        1,
    ),
    Command(
        "signin",
        "[NAME] [--flow device|link]",
        "Sign in with OAuth 2.0, once; the connection stays signed in.",
        "signing:signin",
        _signin,
        1,
    ),
    Command("signout", "[NAME]", "Revoke the sign-in and forget it.", "signing:signout", _one, 1),
    Command(
        "copy", "OLD NEW", "Make a connection with the same options; passwords are not copied.", "keeping:copy", _two, 1
    ),
    Command("rename", "OLD NEW", "Rename a connection to NEW; its passwords move with it.", "keeping:rename", _two, 1),
    Command("delete", "NAME [--yes]", "Delete a connection and its passwords.", "keeping:delete", _delete, 1),
    Command(
        "import",
        "SOURCE [--from PROGRAM] [--save]",
        "Show the connections of another program (Hop, URLs, msmtp, Airflow, autoconfig); --save keeps them.",
        "setting_up.interchanging:import_",
        import_flags,
        files=True,
    ),
    Command(
        "export",
        f"NAME --to {'|'.join(TARGETS)}",
        "Print a connection in another program's format, without its secrets.",
        "setting_up.interchanging:export",
        export_flags,
        1,
    ),
    Command(
        "check",
        "FILE ... [--installed]",
        "Check connection files for mistakes and secrets before users get them; fails if there are any.",
        "setting_up.checking:check",
        check_flags,
        files=True,
    ),
    Command(
        "autoload",
        "[on|off] [--sys-prefix]",
        "Load the magic in every notebook, without %load_ext; on its own, show whether it is on.",
        "setting_up.autoloading:autoload",
        autoload_flags,
    ),
    Command("compose", "[NAME]", "Write a mail in a form, and send it.", "", _compose, 1, notebook=True),
    Command("form", "[NAME]", "Make or edit a connection in a form.", "", _form, 1, notebook=True),
    Command(
        "default", "[NAME] [--unset]", "Which connection is meant when none is named.", "listing:default", _default, 1
    ),
    Command("doctor", "", "Where things are kept, what is installed, and what is wrong.", "doctor:doctor", _none),
    Command(
        "sandbox",
        "[--stop] [--name NAME]",
        "A mail server inside this kernel, for trying things out.",
        "connecting:sandbox",
        _sandbox,
        notebook=True,
    ),
)

COMMANDS: Final = {command.name: command for command in _ALL}
"""The subcommands, in the order of the help."""


class Overview(View):
    """The help of ``%mailconn`` itself: how each command is used, and what it does."""

    def __init__(self) -> None:
        rows = [(command.line, command.summary) for command in COMMANDS.values()]
        super().__init__(rows, header=("Command", "What it does"), caption=_LEAD, notes=_FOOT)

    def __repr__(self) -> str:
        # Side by side no window would be wide enough.
        shown = [f"{line}\n    {summary}" for line, summary in self.rows]
        return "\n".join([self.caption, "", *shown, "", *self.notes])


_LEAD: Final = "Mail server connections: make, test, keep and open them."
_FOOT: Final = (
    "%mailconn COMMAND -h says more about one.",
    "$name and {expression} come from the notebook ($$ and {{ stand for the characters themselves).",
    "${NAME} comes from the environment, each time a session opens.",
)
