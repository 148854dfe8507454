"""Objects that know how to show themselves, and the outputs of cells: the best of their forms that a mail can hold."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from ...errors import MessageError
from ...extras import install
from ..texts import mended, one_line
from .cell_outputs import WIDGET
from .foreign import interactive, part_of_html
from .html.drawings import drawing_acts, drawing_picture
from .html.sanitise import acts, can_sanitise
from .html.still import Still, still
from .image.dimensions import image_type
from .markdown import render_markdown
from .no_content import without_addresses
from .part import File, Options, Part, Picture, joined
from .plots.figures import picture_part
from .plots.formula_picture import formula_picture
from .taught import taught
from .values import render_repr
from .words import MimeBundle, Preformatted, note, render_preformatted

__all__ = ["loose_bundle", "render_bundle", "render_loose", "render_rich"]

_METHODS: Final = {
    "text/html": "_repr_html_",
    "text/markdown": "_repr_markdown_",
    "image/png": "_repr_png_",
    "image/jpeg": "_repr_jpeg_",
    "image/svg+xml": "_repr_svg_",
    "text/latex": "_repr_latex_",
    "application/json": "_repr_json_",
}
_NO_TEXT: Final = re.compile(r"<[\w.<>]+(?: object| at 0x[0-9a-fA-F]+| object at 0x[0-9a-fA-F]+)>")
_IMAGES: Final = ("image/png", "image/jpeg", "image/gif", "image/webp")


def render_rich(value: Any, options: Options) -> Part:
    """An object by its ``_repr_*_`` methods, asked in IPython's way."""
    name = one_line(type(value).__name__, 60)
    data, metadata, warnings = _asked(value, name)
    if WIDGET in data:
        raise MessageError(f"A widget ({name}) only works in its notebook.", hint="Send its value.")
    if not data:
        try:
            part = render_repr(value, options)
        except MessageError as error:
            # Why it has no other form says more than that it has none.
            raise MessageError(" ".join([error.message, *warnings]), hint=error.hint) from error
    else:
        data.setdefault("text/plain", _repr(value))
        part = render_bundle(MimeBundle(data, metadata, name), options)
    return joined([part, Part("", warnings=tuple(warnings))], part.text, part.html)


def loose_bundle(value: Any) -> MimeBundle:
    """IPython's ``HTML`` or ``SVG``: a text that may be from anywhere, so its author is told when its scripts go along."""
    name = one_line(type(value).__name__, 60)
    data, metadata, _ = _asked(value, name)
    return MimeBundle({"text/plain": _repr(value), **data}, metadata, name, loose=True)


def render_loose(value: Any, options: Options) -> Part:
    """The same, as a part of a message."""
    return render_bundle(loose_bundle(value), options)


def _told(file: File) -> tuple[str, ...]:
    return (f"{file.name} is attached with everything active in it, such as scripts: whoever opens it runs them.",)


def _asked(value: Any, name: str) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    data: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    warnings = []
    for kind, called, method in _forms(value, name):
        if kind in data:
            continue
        try:
            said = _said(method, whole=not kind)
        except Exception as error:  # noqa: BLE001  # a form that fails is a form less; the next one serves
            warnings.append(f"{called} failed: {one_line(repr(error))}")
            continue
        if said is None:
            continue
        said, more = said if isinstance(said, tuple) and len(said) == 2 else (said, {})
        if not kind and isinstance(said, Mapping):
            data |= said
            metadata |= more if isinstance(more, Mapping) else {}
        elif kind:
            data[kind] = said
            metadata |= {kind: more} if more else {}
    return data, metadata, warnings


def _forms(value: Any, name: str) -> Iterator[tuple[str, str, Callable[..., Any]]]:
    """What can be asked of it: the MIME type (none for a whole bundle), what the way is called, and the way."""
    for kind, function in taught(value).items():
        yield kind, f"IPython's formatter of {name}", partial(function, value)
    for kind, method in (("", "_repr_mimebundle_"), *_METHODS.items()):
        if callable(getattr(type(value), method, None)):
            yield kind, f"{name}.{method}", getattr(value, method)
    if callable(getattr(type(value), "_repr_pretty_", None)):
        yield "text/plain", f"{name}._repr_pretty_", partial(_repr, value)


def _said(method: Any, *, whole: bool) -> Any:
    """What a method says; that of a whole bundle is asked as IPython asks it."""
    if not whole:
        return method()
    try:
        return method(include=None, exclude=None)
    except TypeError:
        return method()


def _repr(value: Any) -> str:
    try:
        if callable(getattr(type(value), "_repr_pretty_", None)):
            from IPython.lib.pretty import pretty  # noqa: PLC0415  # who has this method knows IPython

            return str(pretty(value))  # type: ignore[no-untyped-call]  # IPython has no types for it
        return repr(value)
    except Exception:  # noqa: BLE001  # the other forms are what is sent
        return type(value).__name__


def render_bundle(bundle: MimeBundle, options: Options) -> Part:
    """The first that is there of: HTML that needs no script, an image, Markdown, HTML's still part, text."""
    data = bundle.data
    html = bundle.text("text/html")
    shown = still(html)
    page = acts(shown.html)
    if html and not page and can_sanitise():
        part = part_of_html(shown)
        if part.text.strip() or part.pictures:
            return part
    if (picture := _picture(bundle)) is not None:
        return picture_part(picture)
    if "text/markdown" in data:
        return render_markdown(bundle.text("text/markdown"), options)
    if html:
        return _page(bundle, html, shown, options) if page else _without_html(bundle, options)
    if "image/svg+xml" in data:
        svg = mended(bundle.text("image/svg+xml"))
        if (drawn := drawing_picture(svg)) is not None:
            return picture_part(drawn, "Drawing")
        file = File(options.own_name("image.svg"), svg.encode(), "image/svg+xml")
        said = f"The drawing is attached as {file.name}."
        return Part(
            f"[{said}]", note(said), files=(file,), warnings=_told(file) if bundle.loose and drawing_acts(svg) else ()
        )
    if "text/latex" in data and (formula := formula_picture(bundle.text("text/latex"))) is not None:
        said = _plain(bundle, options).text
        return joined([picture_part(formula)], said, picture_part(formula).html)
    return _plain(bundle, options)


def _page(bundle: MimeBundle, html: str, shown: Still, options: Options) -> Part:
    """HTML that needs scripts or frames: its page attached, and of the rest what can stand still."""
    file, said = interactive(html, bundle.name.lower() if bundle.name.isascii() else "output", options)
    rest = part_of_html(shown, attached=True) if can_sanitise() else None
    if rest is None or not (rest.text.strip() or rest.pictures):
        rest = _plain(bundle, options)
    part = joined([rest], f"{rest.text}\n{said}", f"{rest.html or ''}\n{note(said)}")
    page = Part("", files=(file,), warnings=_told(file) if bundle.loose else ())
    return joined([part, page], part.text, part.html)


def _without_html(bundle: MimeBundle, options: Options) -> Part:
    part = _plain(bundle, options)
    if can_sanitise():
        return part
    lost = f"The HTML of {bundle.name} is not sent, only its text: nh3 is not installed. {install('report')}"
    return joined([part, Part("", warnings=(lost,))], part.text, part.html)


def _plain(bundle: MimeBundle, options: Options) -> Part:
    text = bundle.text("text/plain")
    if not text or _NO_TEXT.fullmatch(text.strip()):
        # A repr that only names the object says less than any other form.
        text = f"({bundle.name})"
        if "application/json" in bundle.data:
            text = json.dumps(bundle.data["application/json"], indent=2, ensure_ascii=False, default=repr)
        elif "text/latex" in bundle.data:
            text = bundle.text("text/latex")
    return render_preformatted(Preformatted(without_addresses(text, None)), options)


def _picture(bundle: MimeBundle) -> Picture | None:
    for kind in _IMAGES:
        data = bundle.data.get(kind)
        if not data:
            continue
        if not isinstance(data, bytes):
            try:
                data = base64.b64decode(bundle.text(kind))
            except (binascii.Error, ValueError):
                continue
        if not (subtype := image_type(data)):
            continue
        said = bundle.metadata.get(kind)
        said = said if isinstance(said, Mapping) else bundle.metadata
        wide, high = said.get("width"), said.get("height")
        # A notebook says the size of a retina image in its metadata: half its pixels.
        shown = (int(wide), int(high)) if isinstance(wide, int | float) and isinstance(high, int | float) else None
        alt = said.get("alt")
        return Picture(data, one_line(alt, 250) if isinstance(alt, str) and alt else "Image", subtype, shown=shown)
    return None
