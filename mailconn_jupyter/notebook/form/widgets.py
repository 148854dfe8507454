"""The small widgets that every page of the form is put together from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import anywidget
import ipywidgets as widgets
from traitlets import Unicode

from . import style

__all__ = ["Manners", "bar", "box", "button", "close_all", "live", "show"]


class Manners(anywidget.AnyWidget):
    """What the form owes to keyboards and screen readers, and only a front end can do; see ``static/manners.js``.

    Where a front end cannot load it, the rest of the form works without.
    """

    _esm = style.STATIC / "manners.js"

    #: What screen readers call the whole.
    label = Unicode("Mail server connections").tag(sync=True)

    def focus(self, selector: str) -> None:
        """Move the keyboard's focus to the first usable element of the form that matches, as soon as it is there."""
        self.send({"focus": selector})


def button(description: str, tooltip: str, act: Callable[[], None], *, style: str = "") -> widgets.Button:
    """A button that calls ``act``."""
    made = widgets.Button(description=description, tooltip=tooltip, button_style=style)
    made.on_click(lambda _: act())
    return made


def box(kind: type[widgets.Box], style: str, *children: widgets.Widget) -> widgets.Box:
    """Widgets in a box with a class of the style sheet."""
    made = kind(children)
    made.add_class(style)
    return made


def bar(*buttons: widgets.Widget) -> widgets.Box:
    """Buttons side by side, as far as there is room."""
    return box(widgets.HBox, "mailconn-bar", *buttons)


def live(text: str = "", style: str = "mailconn-status") -> widgets.HTML:
    """A line that screen readers read out when it changes."""
    made = widgets.HTML(text)
    made.add_class(style)
    made.add_class("mailconn-live")
    return made


def show(widget: widgets.Widget, shown: bool = True) -> None:
    """Let the widget be seen, or not."""
    widget.layout.display = None if shown else "none"


def close_all(top: widgets.Widget) -> None:
    """Close a widget and all that is in it, here and in every front end."""
    for widget in [*_descendants(top), top]:
        # The library leaves these two open.
        for part in (widget.layout, getattr(widget, "style", None)):
            if part is not None:
                part.close()
        widgets.Widget.close(widget)


def _descendants(top: widgets.Widget) -> Iterator[widgets.Widget]:
    for child in cast("tuple[Any, ...]", getattr(top, "children", ())):
        yield from _descendants(child)
        yield child
