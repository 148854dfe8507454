"""A Styler's table with each cell's style in it, written in place of pandas' own template and of a CSS inliner.

``template_html`` is where pandas' manual has subclasses put a template of theirs. A Styler with rules for more than single
cells (``set_table_styles``, tooltips) or with a template of its author's is left to that template, and then to the inliner.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

__all__ = ["InlineTemplate"]


class InlineTemplate:
    """What pandas calls to write the page; ``usual`` writes those that need more than the cells' own styles."""

    def __init__(self, usual: Any) -> None:
        self._usual = usual

    def render(self, **given: Any) -> str:
        """The table as pandas' template writes it, without its classes; all of it is still to be sanitised."""
        if given.get("table_styles") or "body" not in given or "head" not in given:
            return str(self._usual.render(**given))
        kinds = ("cellstyle", "cellstyle_index", "cellstyle_columns")
        looks = {
            selector: tuple(map(tuple, style["props"]))
            for kind in kinds
            for style in given.get(kind) or ()
            for selector in style["selectors"]
        }
        caption = given.get("caption")
        if caption and not isinstance(caption, str):
            caption = caption[0]
        head = f"<caption>{caption}</caption>\n" if caption else ""
        tags: dict[tuple[Any, ...], str] = {}
        return (
            f"<table>\n{head}<thead>\n{''.join(_rows(given['head'], looks, tags))}</thead>\n"
            f"<tbody>\n{''.join(_rows(given['body'], looks, tags))}</tbody>\n</table>\n"
        )


def _rows(
    rows: Iterable[Iterable[Mapping[str, Any]]], looks: Mapping[str, tuple[Any, ...]], tags: dict[tuple[Any, ...], str]
) -> Iterator[str]:
    for row in rows:
        yield "<tr>\n"
        for cell in row:
            if cell["is_visible"] is False:
                continue
            kind = cell["type"]
            key = (kind, looks.get(cell.get("id", ""), ()), cell.get("attributes") or "")
            if (tag := tags.get(key)) is None:
                tag = tags[key] = _tag(*key)
            yield f"{tag}{cell['display_value']}</{kind}>\n"
        yield "</tr>\n"


def _tag(kind: str, props: tuple[tuple[str, Any], ...], attributes: str) -> str:
    style = {str(name).strip().lower(): value for name, value in props}
    said = ";".join(f"{name}:{value}" for name, value in style.items())
    shown = f' style="{escape(said)}"' if said else ""
    return f"<{kind}{shown} {attributes}>" if attributes else f"<{kind}{shown}>"
