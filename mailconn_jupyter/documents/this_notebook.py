"""The notebook that this runs in, as far as a front end says which it is."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["current_notebook", "named_notebook"]


def named_notebook() -> str:
    """What VS Code or Jupyter calls it; empty where neither says it."""
    said = getattr(sys.modules.get("__main__"), "__vsc_ipynb_file__", None) or os.environ.get("JPY_SESSION_NAME", "")
    return str(said)


def current_notebook() -> Path | None:
    """Its file; None where it is not known."""
    path = Path(named_notebook())
    if path.suffix != ".ipynb":
        return None
    # Older servers say it from their own folder; a kernel stands in the notebook's.
    return next((found for found in (path, Path(path.name)) if found.is_file()), None)
