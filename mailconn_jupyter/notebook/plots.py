"""What plotting code leaves behind beside its figure: ``Text(0.5, 1.0, 'Churn')``, ``<Axes: >``, a list of lines.

A notebook shows it when it is the value of a cell's last line, and everybody looks past it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ..message.render.registry import type_names

__all__ = ["is_figure", "is_leftover"]

_FIGURE: Final = "matplotlib.figure.FigureBase"
_PARTS: Final = frozenset(
    {
        # Axes are artists, and so are figures inside of a tuple: plt.subplots() gives (figure, axes).
        "matplotlib.artist.Artist",
        "matplotlib.colorbar.Colorbar",
        "matplotlib.container.Container",
        "matplotlib.container.PieContainer",
        "seaborn.axisgrid._BaseGrid",
    }
)
# df.plot(subplots=True) gives an array of axes, df.groupby(...).plot() a Series of them, plt.boxplot a dict of lists.
_DEEPEST: Final = 3


def is_figure(value: Any) -> bool:
    """Whether it is a Matplotlib figure."""
    return _FIGURE in type_names(value)


def is_leftover(value: Any) -> bool:
    """Whether it is parts of a Matplotlib figure, alone or in collections, and nothing else but the numbers drawn."""
    if is_figure(value):
        return False
    found = False
    for piece in _pieces(value, _DEEPEST):
        names = set(type_names(piece))
        if names & _PARTS:
            found = True
        elif "numpy.ndarray" not in names:
            return False
    return found


def _pieces(value: Any, deepest: int) -> Iterator[Any]:
    names = set(type_names(value))
    if names & _PARTS or deepest == 0:
        yield value
        return
    if isinstance(value, dict):
        inside: Any = value.values()
    elif isinstance(value, list | tuple):
        inside = value
    elif names & {"numpy.ndarray", "pandas.Series"} and value.dtype == object:
        inside = value.ravel() if "numpy.ndarray" in names else value.array
    else:
        yield value
        return
    for each in inside:
        yield from _pieces(each, deepest - 1)
