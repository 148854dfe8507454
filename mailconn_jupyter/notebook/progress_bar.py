"""The progress of a long piece of work in the output of its cell: no widget, so that nothing of it stays in the notebook."""

from __future__ import annotations

from typing import Any

from ..formatting import prose
from ..progress import Shown

__all__ = ["CellProgress"]


class _Bar:
    def __init__(self, text: str, part: float | None) -> None:
        self._text = text
        self._part = part

    def __repr__(self) -> str:
        return self._text

    def _repr_html_(self) -> str:
        # Without a value it moves, and says no part.
        value = "" if self._part is None else f' max="1" value="{self._part:.3f}"'
        return f'<progress{value} aria-label="Progress"></progress> {prose(self._text)}'


class _Nothing:
    def __repr__(self) -> str:
        return ""

    def _repr_html_(self) -> str:
        return ""


class CellProgress(Shown):
    """A bar that is drawn over itself, and is gone when the work is over."""

    def __init__(self) -> None:
        super().__init__()
        self._display: Any = None

    def draw(self, text: str, part: float | None) -> None:
        from IPython.display import display  # noqa: PLC0415

        if self._display is None:
            self._display = display(_Bar(text, part), display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._display.update(_Bar(text, part))

    def end(self) -> None:
        if self._display is not None:
            self._display.update(_Nothing())
            self._display = None
