"""A text in the first line of a cell that tells of what the cell makes: ``--subject "Mean {m:.1f}"``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .expand import Code, Word, as_written, expand, foresee

__all__ = ["Later"]


@dataclass(frozen=True)
class Later:
    """A text with expressions that are evaluated when the cell has run."""

    word: Word
    namespace: Mapping[str, Any]

    @classmethod
    def of(cls, word: Word, namespace: Mapping[str, Any], cell: str) -> str | Later:
        """The text itself where it has no expressions.

        Raises :class:`~mailconn_jupyter.notebook.usage_error.UsageError` for what can be told before the ``cell`` has run.
        """
        if not any(isinstance(part, Code) for part in word):
            return as_written(word)
        foresee(word, namespace, cell)
        return cls(word, namespace)

    @property
    def written(self) -> str:
        """The text as it stands in the cell."""
        return as_written(self.word)

    def text(self) -> str:
        """The text with the values as they are now; raises as :func:`~mailconn_jupyter.notebook.magic.expand.expand` does."""
        return expand(self.word, self.namespace)
