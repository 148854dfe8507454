"""What is handed over by mistake is an error that says what was meant; nothing of it is mailed."""

from __future__ import annotations

import functools
import io
import sys
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy
import pandas
import pytest
from PIL import Image

from mailconn_jupyter.errors import MessageError
from mailconn_jupyter.message.compose import compose
from tests.support.composed import arrived, html_of, tags_of, text_of


def plotted() -> Any:
    return plt.figure().add_subplot()


def told(*content: Any) -> MessageError:
    """What its author is told."""
    try:
        with pytest.raises(MessageError) as caught:
            compose("ana@example.org", "Results", *content)
    finally:
        plt.close("all")
    assert " at 0x" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda axes: axes.plot([1, 2]), "Line2D"),
        (lambda axes: axes.bar(["a"], [1]), "BarContainer"),
        (lambda axes: axes.hist([1, 2, 2]), "BarContainer"),
        (lambda axes: axes.boxplot([1, 2, 3]), "Line2D"),
        (lambda axes: axes.set_title("Churn"), "Text"),
        (lambda axes: axes.scatter([1], [2]), "PathCollection"),
        (lambda axes: (axes.plot([1], label="a"), axes.legend())[1], "Legend"),
        (lambda axes: {"lines": axes.plot([1])}, "Line2D"),
        (lambda axes: axes.figure.colorbar(axes.imshow([[1]])), "Colorbar"),
    ],
)
def test_a_part_of_a_figure_is_not_the_figure(make: Any, name: str) -> None:
    error = told("Look:", make(plotted()))
    assert error.message.endswith(f"A {name} is a part of a Matplotlib figure.")
    assert "plt.gcf()" in error.hint


def test_the_figure_itself_and_its_axes_are_sent() -> None:
    axes = plotted()
    assert html_of(arrived(axes.figure)).count("<img") == 1
    assert html_of(arrived(axes)).count("<img") == 1
    plt.close("all")


@pytest.mark.parametrize(
    ("value", "said", "hint"),
    [
        (pandas.DataFrame({"a": [1]}).head, "head is a function that was not called", "head()"),
        (len, "len is a function that was not called", "len()"),
        (told, "told is a function that was not called", "told()"),
        (functools.partial(told, 1), "A partial is a function that was not called", "f()"),
        (lambda: 1, "<lambda> is a function that was not called", "()"),
        (sys, "sys is a module", "contains"),
        ((number for number in (1, 2)), "A generator shows nothing", "list("),
        (Path("out/p.png"), "A path is not the contents of the file: out/p.png", "read_bytes()"),
        (b"%PDF-1.7", "Bytes are not text", "attachments={"),
        (bytearray(b"text"), "Bytes are not text", "decode()"),
        (memoryview(b"text"), "Bytes are not text", "decode()"),
        ([object()], "An object, in the list, shows nothing", "text about it"),
        ((1, [object()]), "An object, in the tuple, shows nothing", "text about it"),
        ({"a": object()}, "An object, in the dict, shows nothing", "text about it"),
        ({"a": {"b": [len]}}, "A builtin_function_or_method, in the dict, shows nothing", "text about it"),
        ({object()}, "An object, in the set, shows nothing", "text about it"),
        (object(), "shows nothing but its memory address", "_repr_html_"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_says_nothing_to_a_reader_is_told(value: Any, said: str, hint: str) -> None:
    error = told(value)
    assert said in error.message
    assert hint in error.hint


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
@pytest.mark.parametrize("of", [bytes, bytearray, memoryview])
def test_the_bytes_of_an_image_are_the_image(kind: str, of: Any) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (30, 20), "teal").save(buffer, kind)
    message = arrived("Look:", of(buffer.getvalue()))
    [image] = [named for tag, named in tags_of(html_of(message)) if tag == "img"]
    assert (image["width"], image["height"]) == ("30", "20")
    assert [part.get_content() for part in message.walk() if part.get_content_maintype() == "image"] == [
        buffer.getvalue()
    ]


def test_texts_and_values_that_only_look_like_it_are_sent() -> None:
    log = "<Worker object at 0x7f00aa> started"
    assert log in text_of(arrived([log, [log]]))
    assert log in text_of(arrived({"log": log}))
    assert "[1, 2.5, None, True]" in text_of(arrived([1, 2.5, None, True]))
    assert "{1, 2}" in text_of(arrived({1, 2}))
    assert "[1 2]" in text_of(arrived(numpy.array([1, 2])))
    assert "[<class 'int'>, <class 'str'>]" in text_of(arrived([int, str]))
