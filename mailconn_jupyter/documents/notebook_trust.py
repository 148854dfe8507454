"""Whether what a saved notebook shows is the user's own: Jupyter signs what this user has run, or has said to trust."""

from __future__ import annotations

from contextlib import closing
from importlib import import_module
from typing import Any

from ..own_folder import own_folder

__all__ = ["is_trusted"]


def is_trusted(notebook: Any) -> bool:
    """Whether Jupyter has signed the notebook, as nbformat reads it: saved after a run, or by ``jupyter trust``."""
    folder = own_folder("data")[0].parent
    # Asking would make them where they are not.
    if not all((folder / name).is_file() for name in ("nbsignatures.db", "notebook_secret")):
        return False
    try:
        notary = import_module("nbformat.sign").NotebookNotary(data_dir=str(folder))
        # It has a close() of its own since nbformat 5.11 alone.
        with closing(notary.store):
            return bool(notary.check_signature(notebook))
    except Exception:  # noqa: BLE001  # a database that is locked or broken has signed nothing
        return False
