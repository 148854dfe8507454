"""The arguments of the commands that send: to whom, what, and when."""

from __future__ import annotations

import argparse

from .arguments import Arguments, Words, number, whole_number

__all__ = ["notify_flags", "send_flags"]


def _people(parser: Arguments) -> None:
    """To whom, and from whom."""
    parser.add_argument(
        "target", metavar="NAME", nargs="?", help="A stored connection; without it the default, or the only one."
    )
    parser.add_argument(
        "--to", action="append", required=True, metavar="ADDRESS", help="To whom; may be repeated, or hold several."
    )
    for flag, about in (("--cc", "Who gets a copy; may be repeated."), ("--bcc", "The same, and nobody sees it.")):
        parser.add_argument(flag, action="append", default=[], metavar="ADDRESS", help=about)
    parser.add_argument(
        "--from",
        dest="sender",
        default="",
        metavar="ADDRESS",
        help="From whom; by default the connection's own address.",
    )


def send_flags(parser: Arguments) -> None:
    """The arguments of ``%mailconn send`` and ``%%mailconn send``."""
    _people(parser)
    parser.add_argument(
        "results", metavar="RESULT", nargs="*", help="What to send: names, expressions, and texts in quotes."
    )
    parser.add_argument("--subject", required=True, metavar="TEXT", help="The subject.")
    parser.add_argument(
        "--attach",
        action="append",
        default=[],
        metavar="PATH",
        help="A file, or a pattern (out/*.csv); may be repeated.",
    )
    parser.add_argument("--zip", action="store_true", help="Pack all attachments into one archive.")
    parser.add_argument(
        "--rows", type=whole_number, metavar="N", help="Rows of a table to show (default: as many as fit, at most 100)."
    )
    parser.add_argument(
        "--index", action=argparse.BooleanOptionalAction, help="Show a table's index (default: when it says something)."
    )
    formats = Words("csv", "xlsx", "parquet")
    parser.add_argument(
        "--table-as",
        type=formats,
        default="csv",
        metavar="{csv,xlsx,parquet}",
        help="How a table is attached of which not all is shown (default: csv).",
    )
    parser.add_argument("--preview", action="store_true", help="Show the message as it will arrive; send nothing.")
    cell = parser.add_argument_group("In a cell's first line (%%mailconn send)")
    cell.add_argument("--code", action="store_true", help="Send the cell's source, too, before what it shows.")
    cell.add_argument("--stderr", action="store_true", help="Send warnings, logs and progress bars, too.")
    cell.add_argument(
        "--on-error",
        type=Words("skip", "send", "always"),
        default="skip",
        metavar="{skip,send,always}",
        help="When the cell fails: skip sends nothing (default); send sends what it showed, and the error; always sends "
        "whatever happens, also when nothing was shown, and says first how the cell ended. The cell fails in any case.",
    )


def notify_flags(parser: Arguments) -> None:
    """The arguments of ``%%mailconn notify``."""
    _people(parser)
    parser.add_argument("--subject", default="", metavar="TEXT", help="What the subject begins with.")
    parser.add_argument(
        "--if-longer",
        type=number,
        default=0.0,
        metavar="SECONDS",
        help="Send nothing when the cell ends, well or not, before so many seconds.",
    )
    parser.add_argument("--code", action="store_true", help="Send the cell's source, too.")
