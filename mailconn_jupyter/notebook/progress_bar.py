"""The progress of a long read in the output of its cell: no widget, so that nothing of it stays in the notebook."""

from __future__ import annotations

from typing import Any

from ..progress import Shown

__all__ = ["CellProgress"]


class _Bar:
    def __init__(self, messages: int, part: float) -> None:
        self._text = f"{messages} messages read, {part:.0%}"
        self._part = part

    def __repr__(self) -> str:
        return self._text

    def _repr_html_(self) -> str:
        return f'<progress max="1" value="{self._part:.3f}" aria-label="Reading"></progress> {self._text}'


class _Nothing:
    def __repr__(self) -> str:
        return ""

    def _repr_html_(self) -> str:
        return ""


class CellProgress(Shown):
    """A bar that is drawn over itself, and is gone when the read is over."""

    def __init__(self) -> None:
        super().__init__()
        self._display: Any = None

    def draw(self, messages: int, part: float) -> None:
        from IPython.display import display  # noqa: PLC0415

        if self._display is None:
            self._display = display(_Bar(messages, part), display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._display.update(_Bar(messages, part))

    def end(self) -> None:
        if self._display is not None:
            self._display.update(_Nothing())
            self._display = None
