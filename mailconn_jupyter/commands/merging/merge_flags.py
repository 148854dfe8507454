"""The arguments of the command that sends a message to each row of a table."""

from __future__ import annotations

from ..arguments import Arguments, Words, positive, whole_number
from ..sending_flags import marks, people, returns, shapes, stays

__all__ = ["merge_flags"]


def merge_flags(parser: Arguments) -> None:
    """The arguments of ``%mailconn merge`` and ``%%mailconn merge``."""
    people(
        parser,
        "A stored connection; if omitted, the default or the only one.",
        who="COLUMN",
        to='To whom: a column, or a template ("{{ name }} <{{ email }}>"); may be repeated.',
    )
    parser.add_argument(
        "results",
        metavar="ROWS",
        nargs="*",
        help="The table, by its name; then what each message shows: templates in quotes, names, expressions.",
    )
    parser.add_argument(
        "--subject", required=True, metavar="TEXT", help="The subject: a template, in which the columns are variables."
    )
    parser.add_argument("--key", metavar="COLUMN", help="The column that identifies a row; a journal needs one.")
    parser.add_argument("--doubles", action="store_true", help="Several rows may have the same recipient.")
    shapes(parser)
    marks(parser)
    returns(parser, who="COLUMN")
    stays(parser)
    parser.add_argument(
        "--row",
        type=whole_number,
        default=0,
        metavar="N",
        help="Which row --preview shows, from 0 (default: the first).",
    )
    parser.add_argument("--rate", metavar="RATE", help="The most messages to send in a given time: 30/min, 1000/hour.")
    parser.add_argument(
        "--journal",
        metavar="NAME",
        help="Record the outcome of each message, so that the same line carries on where it left off.",
    )
    parser.add_argument(
        "--again",
        type=Words("unknown", "refused"),
        metavar="{unknown,refused}",
        help="Also resend what the journal records as unknown or refused.",
    )
    parser.add_argument(
        "--connections", type=positive, metavar="N", help="How many connections to use at a time (default: 3)."
    )
    cell = parser.add_argument_group("In a cell's first line (%%mailconn merge), where the cell is the content")
    cell.add_argument(
        "--kind",
        type=Words("markdown", "text", "html"),
        default="markdown",
        metavar="{markdown,text,html}",
        help="What it is written in (default: markdown).",
    )
