"""The arguments of the commands that send: to whom, what, and when."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Final

from ..session.smtp.notice_words import NOTIFY, RET
from .arguments import Arguments, Words, number, person, whole_number

__all__ = ["marks", "notify_flags", "people", "returns", "seals", "send_flags", "shapes", "stays"]

_LATER: Final = "; for a cell, $name and {expression} in it are evaluated once the cell has run."


def people(
    parser: Arguments, name: str, *, who: str = "ADDRESS", to: str = "The recipient; may be repeated, or list several."
) -> None:
    """Through which connection, to whom, and from whom; ``who`` is what the help calls one of them."""
    kind = _kind(who)
    parser.add_argument("target", metavar="NAME", nargs="?", help=name)
    parser.add_argument("--to", action="append", type=kind, required=True, metavar=who, help=to)
    for flag, about in (
        ("--cc", "Who gets a copy; may be repeated."),
        ("--bcc", "The same, hidden from the other recipients."),
    ):
        parser.add_argument(flag, action="append", type=kind, default=[], metavar=who, help=about)
    parser.add_argument(
        "--from",
        "--sender",
        dest="sender",
        type=kind,
        default="",
        metavar=who,
        help="The sender; by default the connection's own address.",
    )
    parser.add_argument(
        "--reply-to",
        action="append",
        type=kind,
        default=[],
        metavar=who,
        help="Where replies go, if not to the sender; may be repeated.",
    )


def _kind(who: str) -> Callable[[str], str]:
    return person if who == "ADDRESS" else str


def marks(parser: Arguments) -> None:
    """What mail programs show beside a message, and the headers of one's own."""
    for flag, words, about in (
        ("--priority", ("highest", "high", "normal", "low", "lowest"), "How urgent it is."),
        ("--importance", ("high", "normal", "low"), "How important it is."),
        (
            "--sensitivity",
            ("normal", "personal", "private", "confidential"),
            "How confidential the reader is asked to keep it.",
        ),
    ):
        parser.add_argument(flag, type=Words(*words), metavar=f"{{{','.join(words)}}}", help=about)
    parser.add_argument(
        "--header",
        action="append",
        default=[],
        type=_header,
        metavar='"NAME: VALUE"',
        help="A header of your own; may be repeated.",
    )


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise argparse.ArgumentTypeError('a name and a value are expected: "X-Run: 47"')
    return name.strip(), value.strip()


def _size(text: str) -> int:
    from ..message.texts import bytes_of  # noqa: PLC0415  # other commands go without messages

    found = bytes_of(text)
    if found is None:
        raise argparse.ArgumentTypeError("a size is expected, such as 40MB")
    return found


def shapes(parser: Arguments) -> None:
    """What is attached, and how tables are shown."""
    from ..message.render.part import ROWS  # noqa: PLC0415  # as above

    parser.add_argument(
        "--attach",
        action="append",
        default=[],
        metavar="PATH",
        help="A file, or a pattern (out/*.csv); may be repeated.",
    )
    parser.add_argument("--zip", action="store_true", help="Pack all attachments into one archive.")
    parser.add_argument(
        "--rows",
        type=whole_number,
        metavar="N",
        help=f"Rows of a table to show (default: as many as fit, at most {ROWS}).",
    )
    parser.add_argument(
        "--index", action=argparse.BooleanOptionalAction, help="Show a table's index (default: if it is meaningful)."
    )
    formats = Words("csv", "xlsx", "parquet")
    parser.add_argument(
        "--table-as",
        type=formats,
        default="csv",
        metavar="{csv,xlsx,parquet}",
        help="The format of the file that holds the whole of a table that was cut (default: csv).",
    )
    parser.add_argument(
        "--formulas",
        type=Words("keep", "quote"),
        default="keep",
        metavar="{keep,quote}",
        help="Text in a CSV that a spreadsheet would compute: keep it, with a warning (default), or put an apostrophe before it.",
    )
    parser.add_argument(
        "--limit",
        type=_size,
        metavar="BYTES",
        help="How large the message may be, such as 40MB (default: what most servers accept).",
    )


def seals(parser: Arguments) -> None:
    """What keeps it from being read, or changed, by others."""
    parser.add_argument("--sign", action="store_true", help="Sign it with the S/MIME certificate of the connection.")
    parser.add_argument(
        "--encrypt",
        action="store_true",
        help="Encrypt it (S/MIME) to the certificates of the recipients; the subject stays readable.",
    )


def returns(parser: Arguments, *, who: str = "ADDRESS") -> None:
    """What is to come back of a message, and to whom."""
    parser.add_argument(
        "--bounce-to",
        type=_kind(who),
        metavar=who,
        help="Where mail that cannot be delivered is returned, if not to the sender.",
    )
    parser.add_argument(
        "--notify",
        action="append",
        default=[],
        type=Words(*NOTIFY),
        metavar=f"{{{','.join(NOTIFY)}}}",
        help="Have a delivery status notification (DSN) sent there in this case, if the server can; may be repeated.",
    )
    parser.add_argument(
        "--ret",
        type=Words(*RET),
        metavar=f"{{{','.join(RET)}}}",
        help="How much of the message a notification returns.",
    )
    parser.add_argument("--envid", metavar="TEXT", help="A text that each notification repeats.")


def stays(parser: Arguments) -> None:
    """What keeps it from being sent."""
    parser.add_argument(
        "--dry-run", action="store_true", help="Do everything but send: say to whom it would go, and its size."
    )
    parser.add_argument("--preview", action="store_true", help="Show the message as it will arrive; send nothing.")


def send_flags(parser: Arguments) -> None:
    """The arguments of ``%mailconn send`` and ``%%mailconn send``."""
    people(
        parser,
        "A stored connection; if omitted, the default or the only one. If there is also a variable of that name, "
        "the connection is meant; write {NAME} for the variable.",
    )
    parser.add_argument(
        "results", metavar="RESULT", nargs="*", help="What to send: names, expressions, and texts in quotes."
    )
    parser.add_argument("--subject", metavar="TEXT", help=f"The subject{_LATER}")
    parser.add_argument(
        "--reply-to-message",
        metavar="MESSAGE",
        help="The message that this one answers: {message} where it was read, a Message-ID, or the ID in %%mailconn sent. "
        "It stays in that thread, and without --subject has its subject.",
    )
    shapes(parser)
    marks(parser)
    seals(parser)
    returns(parser)
    stays(parser)
    cell = parser.add_argument_group("In a cell's first line (%%mailconn send)")
    cell.add_argument("--code", action="store_true", help="Send the cell's source, too, before what it shows.")
    cell.add_argument("--stderr", action="store_true", help="Send warnings, logs and progress bars, too.")
    cell.add_argument(
        "--on-error",
        type=Words("skip", "send", "always"),
        default="skip",
        metavar="{skip,send,always}",
        help="When the cell fails: skip sends nothing (default); send sends what it showed and the error; always sends how "
        "the cell ended, even if it did not fail or showed nothing. The cell still fails; if you interrupt it, nothing is "
        "sent.",
    )


def notify_flags(parser: Arguments) -> None:
    """The arguments of ``%%mailconn notify``."""
    people(parser, "A stored connection; if omitted, the default or the only one.")
    parser.add_argument("--subject", default="", metavar="TEXT", help=f"What the subject begins with{_LATER}")
    parser.add_argument(
        "--if-longer",
        type=number,
        default=0.0,
        metavar="SECONDS",
        help="Send nothing if the cell takes less than this many seconds, whether it fails or not.",
    )
    parser.add_argument("--code", action="store_true", help="Send the cell's source, too.")
    marks(parser)
