"""The arguments of the commands that set things up."""

from __future__ import annotations

from ...interchange.programs import SOURCES, TARGETS
from ..arguments import Arguments, Words

__all__ = ["autoload_flags", "check_flags", "export_flags", "import_flags"]


def import_flags(parser: Arguments) -> None:
    parser.add_argument(
        "what",
        metavar="SOURCE",
        help="A file, a folder of Hop's, a URL, or the name of an environment variable that holds one.",
    )
    parser.add_argument(
        "--from",
        dest="source",
        type=Words(*SOURCES),
        metavar="PROGRAM",
        help="Whose it is: hop, url (as curl means it), django (django-environ's URL), msmtp, airflow or autoconfig; "
        "without it, its form says.",
    )
    parser.add_argument("--name", metavar="NAME", default="", help="What to call the connection, where it is one.")
    parser.add_argument(
        "--address", metavar="ADDRESS", default="", help="Whose mail it is; autoconfig's usernames are made of it."
    )
    parser.add_argument("--save", action="store_true", help="Keep them, and their passwords where passwords are kept.")
    parser.add_argument("--replace", action="store_true", help="Take the place of connections of the same names.")


def export_flags(parser: Arguments) -> None:
    parser.add_argument("target", metavar="NAME", help="A stored connection.")
    parser.add_argument(
        "--to",
        type=Words(*TARGETS),
        metavar="PROGRAM",
        help="For whom: hop, url (as curl means it), msmtp or airflow.",
    )


def check_flags(parser: Arguments) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", help="Files of connections, or folders of them.")
    parser.add_argument(
        "--installed",
        action="store_true",
        help="They are where Jupyter reads them: also ask who else could change them.",
    )


def autoload_flags(parser: Arguments) -> None:
    parser.add_argument(
        "state", metavar="on|off", nargs="?", type=Words("on", "off"), help="Without it, say how it is."
    )
    parser.add_argument(
        "--sys-prefix", action="store_true", help="For everybody who uses this Python environment, not for you alone."
    )
