"""Reading connections that another program keeps. Nothing is saved, and nothing connects."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

from ..connection.expansion import Environment
from ..credentials.without_traceback import sealed
from ..errors import MailConnError
from ..formatting import cut, did_you_mean, how_large, shown
from ..keywords import public
from ..names import fold
from ..paths import expanded, is_folder
from ..store import atomic_files
from . import airflow, autoconfig, hop, mail_urls, msmtprc
from .found import FoundConnection, FoundConnections
from .given import Given, Reading
from .import_draft import LONGEST, InterchangeError
from .programs import SOURCES, Source

__all__ = ["load_connections"]

_GIVE: Final = "Give a file, a folder, a URL, or the name of a variable."
_MOST_BYTES: Final = 1_000_000
_MOST_FILES: Final = 10_000
_IS_TEXT: Final = re.compile(rf"\s*(?:[{{<]|(?:export\s+)?{airflow.PREFIX}\w+=|[A-Za-z][A-Za-z0-9+.-]*://)")
_AIRFLOW_LINE: Final = re.compile(rb"^\s*(?:export\s+)?AIRFLOW_CONN_\w+=", re.MULTILINE)
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


@public
def load_connections(
    what: str | os.PathLike[str] | bytes | Mapping[str, Any],
    source: Source | Literal[""] = "",
    *,
    name: str = "",
    address: str = "",
) -> FoundConnections:
    """The connections of a file, a folder, an environment variable or a text of another program.

    ``source`` is whose it is: ``hop`` (Apache Hop: a metadata file, or a project's folder), ``url`` (as curl means it, and
    Symfony and Apprise), ``django`` (a URL as django-environ means it), ``msmtp`` (msmtprc), ``airflow`` (a variable
    ``AIRFLOW_CONN_...``, ``os.environ``, or JSON), ``autoconfig`` (Mozilla's XML); without it, it is recognised. ``name`` is
    what to call the connection, where there is one; ``address`` whose mail it is, which autoconfig's usernames are made
    of.

    A connection that accepts anybody's certificate is refused. Raises
    :class:`~mailconn_jupyter.interchange.import_draft.InterchangeError` where nothing can be read; where some can, the
    errors of the others are in ``problems``. Nothing is saved; ``save()`` of the result, or of one connection, does
    that.
    """
    held = [what]
    # From here on no frame holds what may be a URL with a password.
    del what
    return sealed(lambda: _load(held.pop(), source, name, address))


def _load(what: object, source: str, name: str, address: str) -> FoundConnections:
    if source and source not in SOURCES:
        near = did_you_mean(source, SOURCES)
        raise InterchangeError(f"{shown(source)} is not one of {', '.join(SOURCES)}.{near}")
    found: dict[str, FoundConnection] = {}
    problems: list[MailConnError] = []
    for place, make in _readings(what, source, address):
        one = _attempt(place, make, problems)
        if one is not None and found.setdefault(fold(one.connection.name), one) is not one:
            problems.append(InterchangeError(f"{place}: there is already a connection called {one.connection.name!r}."))
    if not found and problems:
        more = f" There are {len(problems) - 1} more errors." if len(problems) > 1 else ""
        raise InterchangeError(f"{problems[0].message}{more}", hint=problems[0].hint)
    if not found:
        raise InterchangeError("It contains no mail server connection.")
    return FoundConnections(_renamed([*found.values()], name), problems)


def _renamed(found: Sequence[FoundConnection], name: str) -> Sequence[FoundConnection]:
    if not name:
        return found
    if len(found) > 1:
        raise InterchangeError(f"{len(found)} connections were found, so one name cannot be given.")
    [only] = found
    return [dataclasses.replace(only, connection=only.connection.copy(name=name))]


def _readings(what: object, source: str, address: str) -> Iterator[Reading]:
    if isinstance(what, Mapping):
        if source not in {"", "airflow"}:
            raise InterchangeError("A mapping is only read as environment variables with Airflow's connections.")
        return airflow.read(Given("", airflow.variables_of(Environment(what)).encode("utf-8", "replace")))
    if (folder := _folder(what)) is not None:
        return _of_folder(folder, source)
    given = dataclasses.replace(_given(what), address=address)
    if len(given.data) > _MOST_BYTES:
        raise InterchangeError(f"The text is larger than {how_large(_MOST_BYTES)}.")
    # Here what cannot be read at all is one problem, and not one of many.
    found: list[MailConnError] = []
    readings = _attempt(given.place, lambda: [*_READERS[source or _guess(given)](given)], found)
    if found:
        raise found[0]
    return iter(readings)


def _attempt(place: str, action: Callable[[], Any], problems: list[MailConnError]) -> Any:
    """What it gives, or None, and the error then is among the problems, with nothing that it came through."""
    try:
        return sealed(action)
    except MailConnError as error:
        lead = f"{place}: " if place else ""
        problems.append(InterchangeError(cut(f"{lead}{error.message}", LONGEST), hint=error.hint))
        return None


_READERS: Final[Mapping[str, Callable[[Given], Iterator[Reading]]]] = {
    "hop": hop.read,
    "url": mail_urls.read_curl,
    "django": mail_urls.read_django,
    "msmtp": msmtprc.read,
    "airflow": airflow.read,
    "autoconfig": autoconfig.read,
}


def _is_text(what: object) -> bool:
    return isinstance(what, str) and ("\n" in what or _IS_TEXT.match(what) is not None)


def _folder(what: object) -> Path | None:
    if isinstance(what, str | os.PathLike) and os.fspath(what) and not _is_text(what):
        with suppress(OSError, ValueError):
            path = expanded(os.fsdecode(what))
            return path if is_folder(path) else None
    return None


def _given(what: object) -> Given:
    if isinstance(what, bytes | bytearray):
        return Given("", bytes(what))
    if not isinstance(what, str | os.PathLike):
        raise InterchangeError(f"A file, a folder or text is expected, not {type(what).__name__}.")
    text = os.fsdecode(what)
    if not text.strip():
        raise InterchangeError("There is nothing to read.", hint=_GIVE)
    if _is_text(what):
        return Given("", text.encode("utf-8", "replace"))
    # A URL or a connection of Airflow's stands in a variable, where no line of a notebook shows its password.
    if isinstance(what, str) and text in os.environ and not os.path.lexists(text):
        if not os.environ[text].strip():
            raise InterchangeError(f"The variable {text} is empty.")
        return Given(text, os.environ[text].encode("utf-8", "replace"))
    if text == f"{airflow.PREFIX}*":
        return Given("", airflow.variables_of(os.environ).encode("utf-8", "replace"))
    return _file(expanded(text))


def _file(path: Path) -> Given:
    try:
        return Given(path.name, atomic_files.read(path, _MOST_BYTES))
    except (OSError, ValueError) as error:
        problem = f"cannot be read: {getattr(error, 'strerror', None) or error}"
    # What was given may be a password in the wrong place.
    shown_path = "The given path" if "@" in str(path) else cut(atomic_files.show(path), 200)
    raise InterchangeError(f"{shown_path} {problem}.", hint=_GIVE)


def _of_folder(folder: Path, source: str) -> Iterator[Reading]:
    if source not in {"", "hop"}:
        raise InterchangeError(f"{atomic_files.show(folder)} is a folder; only Hop's projects are folders.")
    kept = next((each for each in (folder / hop.FOLDER, folder / Path(hop.FOLDER).name) if is_folder(each)), folder)
    try:
        paths = sorted(path for path in kept.iterdir() if path.suffix == ".json")
    except OSError as error:
        raise InterchangeError(f"{atomic_files.show(kept)} cannot be read: {error.strerror}.") from None
    if not paths:
        raise InterchangeError(
            f"{atomic_files.show(folder)} has no {hop.FOLDER}/*.json, where Hop keeps its connections."
        )
    if len(paths) > _MOST_FILES:
        raise InterchangeError(f"{atomic_files.show(kept)} has more than {_MOST_FILES} files.")
    return ((path.name, partial(_of_file, path)) for path in paths)


def _of_file(path: Path) -> FoundConnection | None:
    [(_, read)] = hop.read(_file(path))
    return read()


def _guess(given: Given) -> str:
    """Whose it is, by its form."""
    head = given.data[:200].removeprefix(b"\xef\xbb\xbf").lstrip().decode("utf-8", "replace")
    if given.place.startswith(airflow.PREFIX) or re.search(_AIRFLOW_LINE, given.data):
        return "airflow"
    if _URL.match(head):
        return "url"
    if head.startswith("<"):
        return "autoconfig"
    if head.startswith("{"):
        return "airflow" if b'"conn_type"' in given.data else "hop"
    if re.search(rb"^\s*(account|defaults|host)\b", given.data, re.MULTILINE):
        return "msmtp"
    raise InterchangeError(
        "It is unclear which program it is from.", hint=f"Name it with --from (source=), one of {', '.join(SOURCES)}."
    )
