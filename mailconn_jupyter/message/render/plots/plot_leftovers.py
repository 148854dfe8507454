"""What plotting code leaves behind beside its figure: ``Text(0.5, 1.0, 'Churn')``, ``<Axes: >``, a list of lines.

A notebook shows it when it is the value of a cell's last line, and everybody looks past it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set as AbstractSet
from typing import Any, Final

from ...kinds import ARRAY, AXES, FIGURE, PANDAS, PLOT_PARTS, SEABORN, type_names

__all__ = ["figure_of", "is_figure", "is_leftover"]

# What comes after so many arrays of numbers in what a plotting function returns.
_BESIDE_NUMBERS: Final[dict[int, AbstractSet[str]]] = {
    1: {"matplotlib.text.Text"},  # plt.xticks
    2: {"matplotlib.container.BarContainer", "matplotlib.patches.Polygon"},  # plt.hist
    3: {"matplotlib.collections.QuadMesh", "matplotlib.image.AxesImage"},  # plt.hist2d, plt.specgram
}
# df.plot(subplots=True) gives an array of axes, df.groupby(...).plot() a Series of them, plt.boxplot a dict of lists.
_DEEPEST: Final = 3


def is_figure(value: Any) -> bool:
    """Whether it is a Matplotlib figure."""
    return value in FIGURE


def figure_of(value: Any) -> Any:
    """The figure that it is, or whose axes it is or holds; None for anything else, and for axes of several figures."""
    if value in FIGURE:
        return value
    if value in AXES or value in SEABORN:
        return value.figure
    if value in ARRAY and value.dtype == object and value.size:
        first = figure_of(value.flat[0])
        return first if first is not None and all(figure_of(each) is first for each in value.flat) else None
    return None


def is_leftover(value: Any) -> bool:
    """Whether it is parts of a Matplotlib figure, alone or in collections, as plotting functions return them.

    Numbers that somebody puts beside parts of a figure are a result.
    """
    return not is_figure(value) and (_all_of(value, _is_part) or _has_numbers_first(value))


def _is_part(value: Any) -> bool:
    return value in PLOT_PARTS or value in SEABORN


def _has_numbers_first(value: Any) -> bool:
    """Whether it is numbers and then what was drawn of them, as from ``plt.hist``: ``(counts, edges, bars)``."""
    if not isinstance(value, tuple) or len(value) - 1 not in _BESIDE_NUMBERS:
        return False
    *numbers, drawn = value
    kinds = _BESIDE_NUMBERS[len(numbers)]
    are_numbers = all(each in ARRAY and each.dtype != object for each in numbers)
    return are_numbers and _all_of(drawn, lambda piece: not kinds.isdisjoint(type_names(piece)))


def _all_of(value: Any, matches: Callable[[Any], bool]) -> bool:
    pieces = list(_pieces(value, _DEEPEST))
    return bool(pieces) and all(map(matches, pieces))


def _pieces(value: Any, deepest: int) -> Iterator[Any]:
    if _is_part(value) or deepest == 0:
        yield value
        return
    if isinstance(value, dict):
        inside: Any = value.values()
    elif isinstance(value, list | tuple):
        inside = value
    elif value in ARRAY and value.dtype == object:
        inside = value.ravel()
    elif value in PANDAS and value.ndim == 1 and value.dtype == object:
        inside = value.array
    else:
        yield value
        return
    for each in inside:
        yield from _pieces(each, deepest - 1)
