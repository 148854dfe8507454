"""``autoload``: the magic in every notebook, by a file of its own among IPython's startup files.

IPython runs what is in the folder ``startup`` of a profile, and of ``etc/ipython`` of the environment and the system, in
each session. So no configuration of a person's is changed, and taking the file away undoes it. The file asks whether the
package is there: a profile is one for all environments of a person, and some have it not.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from ...errors import StoreError
from ...paths import is_there, relative
from ...store import atomic_files
from ..wrong_usage import WrongUsage

__all__ = ["autoload"]

_NAME: Final = "50-mailconn.py"
_MOST_BYTES: Final = 10_000

# A notebook's own folder is on the path of its kernel, and what somebody put there must not run before any cell does.
_TEXT: Final = """# Adds %mailconn to IPython. Written by "jupyter mailconn autoload on"; "jupyter mailconn autoload off" takes it away.
def _autoload_mailconn():
    import os, sys

    path, here = sys.path[:], os.path.realpath(os.getcwd())
    sys.path[:] = [folder for folder in path if folder and os.path.realpath(folder) != here]
    try:
        get_ipython().extension_manager.load_extension("mailconn_jupyter")
    except ImportError:
        pass
    finally:
        sys.path[:] = path


_autoload_mailconn()
del _autoload_mailconn
"""
_MADE: Final = "# Folders that were made for it: "
_WHOSE: Final = {False: "Each of your sessions", True: "Each session in this environment"}


def autoload(*, state: str | None = None, sys_prefix: bool = False) -> Iterator[str]:
    """Turn it on or off, for the user or for the whole environment; or say how it is."""
    if state is None:
        if sys_prefix:
            raise WrongUsage("%mailconn autoload: --sys-prefix needs on or off.")
        yield from _told()
        return
    file = _file(everybody=sys_prefix)
    yield from (_on if state == "on" else _off)(file, everybody=sys_prefix)


def _told() -> Iterator[str]:
    for everybody, who in (False, "for you"), (True, "for everybody in this environment"):
        file = _file(everybody=everybody)
        yield f"{who[0].upper()}{who[1:]} it is {'on' if is_there(file) else 'off'}: {atomic_files.show(file)}"
    for config in ("ipython_config.py", "ipython_config.json"):
        path = _profile() / config
        try:
            mentioned = b"mailconn_jupyter" in atomic_files.read(path, 1_000_000)
        except OSError:
            continue
        if mentioned:
            yield f"{atomic_files.show(path)} mentions mailconn_jupyter as well."


def _on(file: Path, *, everybody: bool) -> Iterator[str]:
    if _found(file) is None:
        with _told_errors(file):
            missing = [folder for folder in (file.parent, *file.parents[1:3]) if not is_there(folder)]
            for folder in reversed(missing):
                folder.mkdir(mode=0o755 if everybody else 0o700)
            atomic_files.write(file, f"{_TEXT}{_MADE}{len(missing)}\n".encode())
            if everybody:
                file.chmod(0o644)
    yield f"{_WHOSE[everybody]} now has the magic from the start: {atomic_files.show(file)}"


def _off(file: Path, *, everybody: bool) -> Iterator[str]:
    text = _found(file)
    if text is None:
        yield "It is already off."
        return
    with _told_errors(file):
        atomic_files.remove(file)
    # Those that were made for it, the innermost first, as far as nothing else came into them.
    with suppress(OSError):
        for folder in (file.parent, *file.parents[1:3])[: int(text[-2:-1])]:
            folder.rmdir()
    yield f"{_WHOSE[everybody]} no longer has the magic, until you run %load_ext mailconn_jupyter."


def _found(file: Path) -> str | None:
    """The text of our file; None where there is none. Raises where it is not as it was written."""
    with _told_errors(file), suppress(FileNotFoundError):
        text = atomic_files.read(file, _MOST_BYTES).decode("utf-8", "replace")
        if not re.fullmatch(f"{re.escape(_TEXT + _MADE)}[0-3]\n", text):
            raise StoreError(
                f"{atomic_files.show(file)} has been changed since it was written, so it was left alone.",
                hint="If nobody needs it any more, delete it.",
            )
        return text
    return None


@contextmanager
def _told_errors(file: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreError(f"{atomic_files.show(file)} cannot be written: {error.strerror or error}.") from error


def _file(*, everybody: bool) -> Path:
    """Where it is: in the user's default profile, or in the environment."""
    return (Path(sys.prefix, "etc", "ipython") if everybody else _profile()) / "startup" / _NAME


def _profile() -> Path:
    """IPython's default profile, found as IPython finds it."""
    named = os.environ.get("IPYTHONDIR")
    folder = os.path.expanduser("~/.ipython" if named is None else named)  # noqa: PTH111  # of an empty one Path makes a dot
    if flaw := relative("IPython's folder" if named is None else "IPYTHONDIR", folder):
        raise StoreError(
            f"{flaw}.", hint="Set IPYTHONDIR to a full path." if named is None else "Give its full path, or unset it."
        )
    return Path(folder, "profile_default")
