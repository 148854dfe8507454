"""Where what is the user's own is kept: never in whatever directory a notebook happens to be in.

Jupyter takes its variables as they are. There a relative path means the working directory, and whoever sent the notebook
could have put connections, trust or tokens beside it: such a path is not used, and told.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .paths import relative

__all__ = ["Refusal", "own_folder"]

_FOLDER: Final = "mailconn"
# Each with what Jupyter goes by where it is not set (the base directories of XDG, which must be absolute, too).
_VARIABLES: Final = {
    "config": ("JUPYTER_CONFIG_DIR", "XDG_CONFIG_HOME"),
    "data": ("JUPYTER_DATA_DIR", "XDG_DATA_HOME"),
}


@dataclass(frozen=True)
class Refusal:
    """A folder or a file that is not used: why, as the end of a sentence, and what to do, as a sentence."""

    path: Path
    reason: str
    remedy: str

    @property
    def sentence(self) -> str:
        return f"It is not used: {self.reason}. {self.remedy}"


def own_folder(kind: str = "config") -> tuple[Path, Refusal | None]:
    """The user's own folder under Jupyter's ``config`` or ``data`` directory, and what was named in its place."""
    from jupyter_core import paths  # noqa: PLC0415  # 25 ms that %load_ext must not cost

    find: Callable[[], str] = {"config": paths.jupyter_config_dir, "data": paths.jupyter_data_dir}[kind]
    named = find()
    if Path(named).is_absolute():
        return Path(named, _FOLDER), None
    bad = {name: os.environ[name] for name in _VARIABLES[kind] if not Path(os.environ.get(name) or "/").is_absolute()}
    # Jupyter has no other way to say what it would be without the variables.
    for name in bad:
        del os.environ[name]
    try:
        usual = Path(find(), _FOLDER)
    finally:
        os.environ.update(bad)
    variable, value = next(iter(bad.items()), (_VARIABLES[kind][0], named))
    meant = shlex.quote(os.path.abspath(value))  # noqa: PTH100  # a link in it stays
    reason = f"{relative(variable, value)}, so {usual} is used"
    return usual, Refusal(Path(named, _FOLDER), reason, f"If that is intended, run: export {variable}={meant}")
