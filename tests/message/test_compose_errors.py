"""What cannot become a message: which argument or which content it is, of which type, and why."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mailconn_jupyter.errors import MessageError
from mailconn_jupyter.message.compose import compose
from mailconn_jupyter.message.render import Options, register, unregister


@pytest.mark.parametrize("priority", [["x"], {}, 1.5, object()])
def test_a_priority_of_any_wrong_type_is_refused_with_the_known_ones(priority: Any) -> None:
    for name in ("priority", "importance", "sensitivity"):
        with pytest.raises(MessageError, match=f"There is no {name}") as caught:
            compose("ana@example.org", "x", **{name: priority})
        assert "normal" in caught.value.hint


@pytest.mark.parametrize("value", ["many", -1, 2.5, True, object()])
@pytest.mark.parametrize("name", ["rows", "limit"])
def test_a_count_that_is_none_is_refused_before_anything_is_drawn(name: str, value: Any) -> None:
    with pytest.raises(MessageError, match=f"{name}=.* is not a number of (rows|bytes)") as caught:
        compose("ana@example.org", "x", "text", **{name: value})
    assert caught.value.hint == "It must be a whole number, zero or more, or None."


def test_numbers_of_numpy_are_taken() -> None:
    numbers: dict[str, Any] = {"rows": np.int64(2), "limit": np.int64(10**6), "priority": np.int64(1)}
    message = compose("ana@example.org", "x", pd.DataFrame({"n": range(9)}), **numbers)
    assert message["X-Priority"] == "1 (Highest)"
    assert "the first 2 of 9 rows" in str(message.get_body(("plain",)))


def test_a_renderer_that_fails_says_which_content_of_which_type_and_why() -> None:
    class Broken:
        def _repr_html_(self) -> str:
            raise ValueError("no such\nsymbol: \\frac")

    def wrong(value: Any, options: Options) -> Any:
        return value._repr_html_()

    register(Broken, wrong)
    try:
        with pytest.raises(MessageError, match=r"Content 2 of 2 \(Broken\).*ValueError: no such symbol") as caught:
            compose("ana@example.org", "x", "y", Broken())
    finally:
        unregister(wrong)
    assert isinstance(caught.value.__cause__, ValueError)


def test_a_figure_whose_formula_is_broken_is_named() -> None:
    figure = pytest.importorskip("matplotlib.figure").Figure()
    figure.subplots().set_title(r"$\frac{1}{$")
    with pytest.raises(MessageError, match=r"Content 1 of 1 \(Figure\).*ValueError") as caught:
        compose("ana@example.org", "x", figure)
    assert caught.value.__cause__ is not None
