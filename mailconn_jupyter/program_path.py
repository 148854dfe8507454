"""Programs of this machine: found by ``PATH``, and never in whatever folder a notebook happens to be in."""

from __future__ import annotations

import os
import shutil

__all__ = ["program_path"]


def program_path(name: str) -> str | None:
    """The full path of a program in ``PATH``; None where there is none.

    What is not absolute in ``PATH`` would be of the notebook's folder, too, and is passed over.
    """
    path = os.pathsep.join(filter(os.path.isabs, os.get_exec_path()))
    found = shutil.which(name, path=path)
    # On Windows the working directory is looked through whatever the path says.
    return found if found is not None and os.path.isabs(found) else None  # noqa: PTH117  # a Path would lose ./
