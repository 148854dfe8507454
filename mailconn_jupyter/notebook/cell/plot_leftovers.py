"""What plotting code leaves behind beside its figure: ``Text(0.5, 1.0, 'Churn')``, ``<Axes: >``, a list of lines.

A notebook shows it when it is the value of a cell's last line, and everybody looks past it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

from ...message.render.registry import type_names

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
# What comes after so many arrays of numbers in what a plotting function returns.
_BESIDE_NUMBERS: Final = {
    1: {"matplotlib.text.Text"},  # plt.xticks
    2: {"matplotlib.container.BarContainer", "matplotlib.patches.Polygon"},  # plt.hist
    3: {"matplotlib.collections.QuadMesh", "matplotlib.image.AxesImage"},  # plt.hist2d, plt.specgram
}
# df.plot(subplots=True) gives an array of axes, df.groupby(...).plot() a Series of them, plt.boxplot a dict of lists.
_DEEPEST: Final = 3


def is_figure(value: Any) -> bool:
    """Whether it is a Matplotlib figure."""
    return _FIGURE in type_names(value)


def is_leftover(value: Any) -> bool:
    """Whether it is parts of a Matplotlib figure, alone or in collections, as plotting functions return them.

    Numbers that somebody puts beside parts of a figure are a result.
    """
    return not is_figure(value) and (_all_of(value, _PARTS) or _has_numbers_first(value))


def _has_numbers_first(value: Any) -> bool:
    """Whether it is numbers and then what was drawn of them, as from ``plt.hist``: ``(counts, edges, bars)``."""
    if not isinstance(value, tuple) or len(value) - 1 not in _BESIDE_NUMBERS:
        return False
    *numbers, drawn = value
    are_numbers = all("numpy.ndarray" in type_names(each) and each.dtype != object for each in numbers)
    return are_numbers and _all_of(drawn, _BESIDE_NUMBERS[len(numbers)])


def _all_of(value: Any, kinds: Collection[str]) -> bool:
    pieces = list(_pieces(value, _DEEPEST))
    return bool(pieces) and all(any(name in kinds for name in type_names(piece)) for piece in pieces)


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
