"""The arguments of the commands that set things up."""

from __future__ import annotations

from ...interchange.programs import SOURCES, TARGETS
from ..arguments import Arguments, Words

__all__ = ["autoload_flags", "check_flags", "export_flags", "import_flags"]


def import_flags(parser: Arguments) -> None:
    parser.add_argument(
        "what",
        metavar="SOURCE",
        help="A file, a Hop project, a URL, or the name of an environment variable that contains one.",
    )
    parser.add_argument(
        "--from",
        dest="source",
        type=Words(*SOURCES),
        metavar="PROGRAM",
        help="The program: hop, url (as curl reads it), django (django-environ's URL), msmtp, airflow or autoconfig; "
        "by default it is recognised.",
    )
    parser.add_argument("--name", metavar="NAME", default="", help="The connection's name, if there is only one.")
    parser.add_argument(
        "--address", metavar="ADDRESS", default="", help="The mail address, for the usernames in autoconfig."
    )
    parser.add_argument(
        "--save", action="store_true", help="Save the connections, and keep their passwords where passwords are kept."
    )
    parser.add_argument("--replace", action="store_true", help="Replace connections with the same names.")


def export_flags(parser: Arguments) -> None:
    parser.add_argument("target", metavar="NAME", help="A stored connection.")
    parser.add_argument(
        "--to",
        type=Words(*TARGETS),
        metavar="PROGRAM",
        help="The program: hop, url (as curl reads it), msmtp or airflow.",
    )


def check_flags(parser: Arguments) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", help="Connection files, or folders of them.")
    parser.add_argument(
        "--installed",
        action="store_true",
        help="Also check who else could change the files, where Jupyter reads them.",
    )


def autoload_flags(parser: Arguments) -> None:
    parser.add_argument(
        "state", metavar="on|off", nargs="?", type=Words("on", "off"), help="Without it, show whether it is on."
    )
    parser.add_argument(
        "--sys-prefix", action="store_true", help="For everyone who uses this Python environment, not just for you."
    )
