"""What mail programs make of a page: each element, attribute and style that it uses, looked up in what they support.

``mail_support.tsv`` holds caniemail.com's findings (MIT licence), one feature a row, one program a column. What a program
supports in part has its rule here, as the notes there say it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

__all__ = ["GRACEFUL", "findings"]

_DATA: Final = Path(__file__).with_name("mail_support.tsv")
_VOID: Final = frozenset({"br", "col", "hr", "img", "meta"})
#: Older than any mail program: there is no row for them.
_PLAIN_TAGS: Final = frozenset(
    [
        "a",
        "b",
        "body",
        "br",
        "caption",
        "center",
        "col",
        "colgroup",
        "em",
        "font",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "head",
        "html",
        "i",
        "li",
        "meta",
        "s",
        "sub",
        "sup",
        "tbody",
        "td",
        "th",
        "thead",
        "title",
        "tr",
        "u",
    ]
)
_PLAIN_ATTRIBUTES: Final = frozenset(
    [
        "alt",
        "bgcolor",
        "border",
        "charset",
        "colspan",
        "content",
        "href",
        "name",
        "nowrap",
        "rowspan",
        "scope",
        "src",
        "start",
        "style",
        "title",
    ]
)
_PLAIN_STYLES: Final = frozenset({"color", "font-family", "font-style", "font-variant"})
_ROWS: Final = {
    "blockquote": "<blockquote> element",
    "ul": "<ul>, <ol> and <dl>",
    "ol": "<ul>, <ol> and <dl>",
    "details": "HTML5 semantics",
    "mark": "HTML5 semantics",
}
_LONGHAND: Final = re.compile(r"(border|margin|padding|background|list-style|overflow)-")
_UNIT: Final = re.compile(r"(?<![\w#.-])-?[\d.]+(px|em|ex|rem|pt|ch|vw|vh|%)")
_FUNCTION: Final = re.compile(r"\b(rgba?|calc|min|max|clamp|var|hsla?|lab|oklch)\(")
_FUNCTIONS: Final = {"calc": "CSS calc() function", "var": "CSS Variables (Custom Properties)"}
_NEGATIVE: Final = re.compile(r"(?:^|\s)-[\d.]|auto")

#: What may be used although a program does not know it: nothing is lost there that a reader needs. Each is used (a test).
GRACEFUL: Final = {
    "<body> element": "Outlook and Gmail make a box of it; what it says stands once more within it",
    "HTML5 doctype": "others are drawn in the manner of old browsers, in which this page looks the same",
    "color-scheme meta tag": "who does not know it inverts colours, and all of them stand in pairs",
    "height property": "of a picture, Outlook takes the attribute",
    "white-space": "Outlook keeps the spaces of <pre> by itself",
    "word-break": "a word that is longer than any column stays whole",
    "table-layout": "Outlook and Yahoo set the columns by what stands in them",
    "min-width property": "Outlook for Windows, whose windows are wide, sets the columns by what stands in them",
    "role attribute": "Yahoo reads a table where there is none",
}


@dataclass
class _Element:
    tag: str
    attributes: dict[str, str]
    style: list[tuple[str, str]]


#: What is supported in part: whether a use of it is the part that is not.
_IN_PART: Final[dict[str, Callable[[_Element, str], bool]]] = {
    # Of cells it is known everywhere.
    "align attribute": lambda element, _: element.tag not in {"td", "th", "tr"},
    # What decides by itself is not known to Word, and a link is turned about.
    "dir attribute": lambda element, value: element.tag == "a" or value not in {"ltr", "rtl"},
    # Negative ones are dropped, auto centres nothing.
    "margin": lambda _, value: _NEGATIVE.search(value) is not None,
    # Word pads cells, and neither paragraphs nor boxes.
    "padding": lambda element, value: element.tag not in {"td", "th"} and value != "0",
    # Word draws no ground behind <body>; the colour is all that stands there.
    "background": lambda _, value: not value.startswith("#"),
    "border": lambda element, _: element.tag not in {"table", "td", "th", "img", "pre"},
    "display": lambda element, value: not (element.tag == "img" and value == "block"),
    "display:block": lambda element, _: element.tag != "img",
    "font-size": lambda _, value: not value.endswith("px"),
    "font-weight": lambda _, value: value not in {"bold", "normal"},
    "line-height": lambda _, value: not re.fullmatch(r"[\d.]+", value),
    "text-align": lambda _, value: value not in {"left", "right", "center"},
    "text-decoration": lambda _, value: value not in {"none", "underline", "line-through"},
    # The width of a picture in pixels, and of a table in percent.
    "width attribute": lambda _, value: not re.fullmatch(r"\d+|100%", value),
    "height attribute": lambda element, value: element.tag != "img" or not value.isdecimal(),
    "width property": lambda element, _: element.tag == "img" and "width" not in element.attributes,
    "max-width": lambda element, _: element.tag == "img" and "width" not in element.attributes,
    "<ul>, <ol> and <dl>": lambda element, _: element.tag == "dl",
    "% unit": lambda _, __: False,
}


@cache
def _support() -> dict[str, dict[str, str]]:
    with _DATA.open(encoding="utf-8") as file:
        lines = csv.DictReader((line for line in file if not line.startswith("#")), delimiter="\t")
        return {row.pop("feature").strip(): row for row in lines}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.elements: list[_Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        parts = [part.partition(":") for part in attributes.get("style", "").split(";") if part.strip()]
        style = [(name.strip().lower(), value.strip()) for name, _, value in parts]
        self.elements.append(_Element(tag, attributes, style))


def findings(html: str) -> list[str]:
    """What of the page some program does not show, each once: the feature, the element, and who does not."""
    reader = _Reader()
    reader.feed(html)
    found: dict[str, None] = {}
    if html.startswith("<!DOCTYPE html>"):
        found |= dict.fromkeys(_judged(_Element("!doctype", {}, []), "HTML5 doctype", ""))
    for element in reader.elements:
        for feature, value in _features(element):
            found |= dict.fromkeys(_judged(element, feature, value))
    return list(found)


def _features(element: _Element) -> Iterator[tuple[str, str]]:
    tag, attributes = element.tag, element.attributes
    if tag == "body" or tag not in _PLAIN_TAGS:
        yield _ROWS.get(tag, f"<{tag}> element"), ""
    for name, value in attributes.items():
        if name == "content" and attributes.get("name") == "color-scheme":
            yield "color-scheme meta tag", value
        elif name not in _PLAIN_ATTRIBUTES:
            yield f"{name} attribute", value
    for name, value in element.style:
        yield from _of_style(name, value)


def _of_style(name: str, value: str) -> Iterator[tuple[str, str]]:
    known = _support()
    if name == "font":
        yield "font shorthand", value
    elif name not in _PLAIN_STYLES:
        base = "background-color" if name == "background-color" else (m[1] if (m := _LONGHAND.match(name)) else name)
        whole = name if name in known else base
        yield whole if whole in known else f"{whole} property", value
    for unit in _UNIT.findall(value):
        yield f"{unit} unit", value
    for function in _FUNCTION.findall(value):
        yield _FUNCTIONS.get(function, f"{function}()"), value
    if name == "display" and f"display:{value}" in known:
        yield f"display:{value}", value


def _judged(element: _Element, feature: str, value: str) -> Iterator[str]:
    row = _support().get(feature)
    if row is None:
        yield f"{feature}: nothing is known of it (in <{element.tag}>)"
        return
    lost = [program for program, said in row.items() if "/" in program and said == "n"]
    partly = [program for program, said in row.items() if "/" in program and said == "a"]
    rule = _IN_PART.get(feature)
    if feature in GRACEFUL and (rule is None or not rule(element, value)):
        return
    if lost:
        yield f"{feature}: {value!r} in <{element.tag}> is nothing to {', '.join(lost)}"
    elif partly and (rule is None or rule(element, value)):
        yield f"{feature}: {value!r} in <{element.tag}> is less than it says to {', '.join(partly)}"
