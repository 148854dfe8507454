"""What a reader of a notebook's mail reads: its subject, the images of its Markdown, what its cells printed."""

from __future__ import annotations

import json
import sys
import warnings
from base64 import b64decode
from pathlib import Path
from typing import Any

import nbformat
import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter.delivery.send_notebook import send_notebook
from mailconn_jupyter.documents.notebook_file import NotebookError
from mailconn_jupyter.documents.notebook_markdown import shown_markdown
from mailconn_jupyter.errors import MailConnWarning
from mailconn_jupyter.message.render import Markdown
from tests.support.composed import harmless, html_of, tags_of, text_of, travelled, words_of
from tests.support.saved_notebooks import PIXEL, code, keep, printed, shown, words

OPS = mailconn.MailConnection(name="ops", server_host="mail.example.org", from_address="bob@example.org")
A_PNG = {"a.png": {"image/png": PIXEL}}


def message_of(folder: Path, *cells: Any, **options: Any) -> Any:
    """The message that the notebook would be."""
    report = send_notebook(OPS, "ana@example.org", keep(folder, *cells), attach=None, dry_run=True, **options)
    return travelled(report.message)


@pytest.mark.parametrize(
    ("source", "subject"),
    [
        ("# Churn, *week* **47**", "Churn, week 47"),
        ("# Title `x` y ![img](attachment:a.png) [l](http://x)", "Title x y l"),
        ("# <b>T</b> & [link](http://x) \\_ _it_ ~~old~~ &amp; &eacute;", "T & link _ it old & é"),
        ("```python\n# not title\n```\n\n# Title #", "Title"),
        ("Words.\n\nTitle\n=====", "Title"),
        ("Two\nlines\n=====", "Two lines"),
        ("## Second\n\n# First", "First"),
        ("Words.\n\n### Third\n\n## Second", "Third"),
        ("# One<br>line", "One line"),
        ("> # Quoted", "Quoted"),
        ("# ![logo](attachment:a.png)\n\n# Title", "Title"),
        ("#No heading", "churn"),
        ("# " + "x" * 300, "x" * 199 + "…"),
        ("# a < b and $x_1$", "a < b and $x_1$"),
    ],
)
@pytest.mark.filterwarnings("ignore:An image of the Markdown:mailconn_jupyter.errors.MailConnWarning")
def test_the_subject_is_the_words_of_the_first_heading(tmp_path: Path, source: str, subject: str) -> None:
    assert message_of(tmp_path, words(source))["Subject"] == subject


def test_a_heading_that_is_removed_is_no_subject(tmp_path: Path) -> None:
    message = message_of(tmp_path, words("# Draft", tags=("remove-cell",)), words("# Churn"))
    assert message["Subject"] == "Churn"


@pytest.mark.filterwarnings("ignore:Markdown is sent as plain text:mailconn_jupyter.errors.MailConnWarning")
def test_without_a_markdown_library_the_subject_is_still_the_heading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "markdown_it", None)
    message = message_of(tmp_path, words("## Second\n\n# Churn, *week 47* #\n\n![a](attachment:a.png)", A_PNG))
    assert message["Subject"] == "Churn, week 47"
    assert "[Image: a]" in text_of(message)


def test_the_images_that_a_cell_carries_are_sent_where_the_text_has_them(tmp_path: Path) -> None:
    source = 'before ![A *plot*](attachment:a.png) between\n\n- ![](<attachment:b%20c.png> "title")\n\nafter'
    message = message_of(tmp_path, words(source, A_PNG | {"b c.png": {"image/png": PIXEL}}))
    html = html_of(message)
    images = [attributes for tag, attributes in tags_of(html) if tag == "img"]
    assert [image["alt"] for image in images] == ["A *plot*", "Image"]
    assert harmless(html)
    (part,) = [part for part in message.walk() if part.get_content_type() == "image/png"]
    assert part.get_content() == b64decode(PIXEL)
    assert {image["src"] for image in images} == {f"cid:{part['Content-ID'].strip('<>')}"}
    pieces = ("before", "[Image: A *plot*]", "between", "[Image]", "after")
    places = [text_of(message).index(piece) for piece in pieces]
    assert places == sorted(places)
    assert "attachment:" not in html + text_of(message)


def test_an_image_in_a_heading_or_a_link_or_a_table_is_sent_too(tmp_path: Path) -> None:
    image = "![p](attachment:a.png)"
    source = f"# {image} Churn\n\n[{image}](https://example.org)\n\n| a |\n|---|\n| {image} |"
    html = html_of(message_of(tmp_path, words(source, A_PNG)))
    assert [tag for tag, _ in tags_of(html)].count("img") == 3


def test_what_stands_in_code_is_no_image(tmp_path: Path) -> None:
    image = "![p](attachment:a.png)"
    source = f"A ` alone.\n\n{image}\n\n```\n{image}\n```\n\nWrite `{image}`.\n\n~~~\n{image}"
    html = html_of(message_of(tmp_path, words(source, A_PNG)))
    assert [tag for tag, _ in tags_of(html)].count("img") == 1
    assert words_of(html).count(image) == 3


@pytest.mark.parametrize(
    "images",
    [
        None,
        {"b.png": {"image/png": PIXEL}},
        {"a.png": {"image/svg+xml": "PHN2Zz4="}},
        {"a.png": {"image/png": "!"}},
        {"a.png": {}},
    ],
)
def test_an_image_that_cannot_be_shown_is_told(tmp_path: Path, images: Any) -> None:
    with pytest.warns(MailConnWarning, match="An image of the Markdown is not sent"):
        message = message_of(tmp_path, words("![plot](attachment:a.png)", images))
    assert "<img" not in html_of(message)


def test_what_a_cell_prints_is_one_text_however_often_stderr_comes_between(tmp_path: Path) -> None:
    cell = code(
        "f()",
        printed("one\n"),
        printed("careful\n", "stderr"),
        printed("two\n"),
        shown({"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "IntSlider()"}),
        printed("three\n"),
    )
    message = message_of(tmp_path, cell, code("g()", printed("four\n")))
    assert text_of(message) == "one\ntwo\nthree\n\nfour\n"


def test_a_line_that_was_written_over_shows_its_last_state_across_outputs(tmp_path: Path) -> None:
    cell = code("f()", printed("\r10 %"), printed("careful\n", "stderr"), printed("\r20 %"), printed("\rdone\n"))
    assert text_of(message_of(tmp_path, cell)) == "done\n"


def test_thousands_of_prints_are_lines_and_not_paragraphs(tmp_path: Path) -> None:
    message = message_of(tmp_path, code("f()", *(printed(f"line {number}\n") for number in range(3000))))
    assert text_of(message) == "".join(f"line {number}\n" for number in range(3000))


def test_what_is_displayed_between_prints_stays_between_them(tmp_path: Path) -> None:
    error = nbformat.v4.new_output("error", ename="ValueError", evalue="x", traceback=["ValueError: x"])  # type: ignore[no-untyped-call]
    cell = code("f()", printed("one\n"), shown({"text/plain": "2.1"}), printed("two\n"), printed("three\n"), error)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        message = message_of(tmp_path, cell)
    assert text_of(message) == "one\n\n2.1\n\ntwo\nthree\n\nValueError: x\n"


@pytest.mark.parametrize(
    "unclosed",
    [
        "![",
        "`",
        "x`",
        "![](",
        "![](attachment:",
        '![](attachment:a "',
        "![x](attachment:a.png ",
        "![x ` ",
        "\n```",
        "[ \\",
    ],
)
def test_what_begins_a_hundred_thousand_times_and_never_ends_costs_no_time(unclosed: str) -> None:
    # Where each beginning were read to the end of the text, this would take hours.
    cell = words(unclosed * (100_000 // len(unclosed)), A_PNG)
    assert isinstance(shown_markdown(cell), Markdown)


def test_backticks_of_many_lengths_cost_no_time() -> None:
    source = " ".join("`" * length for length in range(1, 1500))
    assert shown_markdown(words(f"{source} ![p](attachment:a.png)", A_PNG)).pictures


@pytest.mark.filterwarnings("ignore:An image of the Markdown:mailconn_jupyter.errors.MailConnWarning")
def test_an_image_after_code_that_does_not_end_in_its_paragraph_is_sent(tmp_path: Path) -> None:
    image = "![p](attachment:a.png)"
    for source in (
        f"a `` b ` {image} ``\n\nc ` {image}",
        f"```x``` {image}\n\n`{image}`",
        f"a `\n```\n` {image}\n```\n{image}",
    ):
        html = html_of(message_of(tmp_path, words(source, A_PNG)))
        assert [tag for tag, _ in tags_of(html)].count("img") == 1


def written_by_another(folder: Path, *cells: dict[str, Any]) -> Path:
    path = folder / "other.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}))
    return path


ODD_CELLS: list[dict[str, Any]] = [
    {"cell_type": "code", "metadata": {}},
    {"cell_type": "markdown", "metadata": {}},
    {"cell_type": "markdown", "metadata": {"tags": None}, "source": "words"},
    {"cell_type": "markdown", "metadata": {"tags": 7}, "source": None},
    {"cell_type": "poem", "metadata": {}, "source": "words"},
    {"metadata": {}, "source": "words"},
]
ODD_OUTPUTS: list[dict[str, Any]] = [
    {},
    {"output_type": "display_data"},
    {"output_type": "display_data", "data": {"text/plain": "said"}},
    {"output_type": "execute_result", "data": {}, "metadata": None},
    {"output_type": "display_data", "data": {"text/plain": 5, "image/png": None, "text/html": {}}},
    {"output_type": "hologram", "light": 1},
    {"output_type": "stream", "text": "said"},
    {"output_type": "stream", "name": "stdout"},
    {"output_type": "error"},
    {"output_type": "error", "ename": "ValueError", "evalue": "said", "traceback": None},
    {"output_type": "error", "traceback": "said"},
]


@pytest.mark.filterwarnings("ignore::mailconn_jupyter.errors.MailConnWarning")
@pytest.mark.parametrize(
    "odd",
    [
        *ODD_CELLS,
        *({"cell_type": "code", "metadata": {}, "source": "f()", "outputs": [output]} for output in ODD_OUTPUTS),
    ],
    ids=str,
)
@pytest.mark.parametrize("attach", [None, "html", "ipynb"])
def test_a_notebook_that_lacks_something_is_sent_as_far_as_it_can_be_read(
    tmp_path: Path, odd: dict[str, Any], attach: Any
) -> None:
    shown_last = {
        "cell_type": "code",
        "metadata": {},
        "source": "g()",
        "outputs": [{"output_type": "stream", "text": "end"}],
    }
    path = written_by_another(tmp_path, odd, shown_last)
    try:
        report = send_notebook(OPS, "ana@example.org", path, attach=attach, code=True, dry_run=True)
    except NotebookError as error:
        # What nbconvert does not know, it cannot show.
        assert "cannot be exported" in str(error)  # noqa: PT017  # most can
        assert attach == "html"
        assert odd.get("cell_type") != "code" or "hologram" in str(odd)
        return
    text = text_of(travelled(report.message))
    assert text.endswith("end\n")
    assert ("said" in text) == ("said" in str(odd))


@pytest.mark.parametrize("outputs", [None, [5], [{"output_type": "display_data", "data": None}]])
def test_a_notebook_that_cannot_be_read_at_all_is_told(tmp_path: Path, outputs: Any) -> None:
    path = written_by_another(tmp_path, {"cell_type": "code", "metadata": {}, "source": "f()", "outputs": outputs})
    with pytest.raises(NotebookError, match=r"other\.ipynb cannot be read as a notebook"):
        send_notebook(OPS, "ana@example.org", path, dry_run=True)


def test_tags_that_are_one_text_are_one_tag(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "metadata": {"tags": tag}, "source": str(tag)} for tag in ("remove-cell", "kept")
    ]
    path = written_by_another(tmp_path, *cells)
    report = send_notebook(OPS, "ana@example.org", path, dry_run=True)
    message = travelled(report.message)
    assert text_of(message) == "kept\n"
    (page,) = [part for part in message.walk() if part.get_filename() == "other.html"]
    assert "remove-cell" not in page.get_content().partition("<body")[2]


def test_a_notebook_of_which_nothing_can_be_read_is_not_sent(tmp_path: Path) -> None:
    for cell in (code("f()", printed("careful\n", "stderr")), code("f()"), words("Draft", tags=("remove-cell",))):
        with pytest.raises(NotebookError, match=r"churn\.ipynb shows nothing: .*stderr") as caught:
            message_of(tmp_path, cell)
        assert "code=True" in caught.value.hint
        assert text_of(message_of(tmp_path, cell, attachments=[("a.csv", b"1")])).strip() == ""
    assert text_of(message_of(tmp_path, code("f()", printed("careful\n", "stderr")), code=True)) == "f()\n"
