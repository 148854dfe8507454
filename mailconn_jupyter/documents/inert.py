"""A notebook that was not run just here: what it shows is data, in which nothing acts, loads or reads a file."""

from __future__ import annotations

import base64
import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..extras import install
from ..message.render.cell_outputs import PLOTLY, WIDGET
from ..message.render.html.drawings import drawing_acts
from ..message.render.html.sanitise import acts, can_sanitise, sanitised
from ..message.render.html.still import still
from ..message.render.part import Picture
from ..message.render.words import MimeBundle
from .notebook_cells import tags_of

__all__ = ["SCRIPTS_LOST", "inert", "inert_html", "inert_outputs"]

# What an output may be; scripts, widgets, diagrams and what one program alone can read are none of them.
_KEPT: Final = frozenset(
    f"application/json image/gif image/jpeg image/png image/svg+xml image/webp {PLOTLY} "
    "text/html text/latex text/markdown text/plain".split()
)
_SCRIPTS: Final = frozenset({"application/javascript", "text/javascript", "text/vnd.mermaid"})
_LANGUAGE: Final = re.compile(r"[\w+#.-]{1,40}")
# In a chart: what a browser that draws it would fetch, from the disk too; a map fetches its tiles and outlines.
_FETCHED: Final = frozenset({"geojson", "source"})
_MAPS: Final = re.compile("choropleth|(?:choropleth|density|scatter)(?:geo|map|mapbox)")
_MARKUP: Final = re.compile(
    r"""<(?=[a-z/!])(?!/?(?:b|br|em|i|strong|sub|sup)\s*/?>|/a>|a\s+href=["'][^"'<>]*["']\s*>)""", re.IGNORECASE
)
#: What is said of all that acts.
SCRIPTS_LOST: Final = (
    "Scripts, frames and drawings of the HTML in the notebook are not sent: it was not run here, and Jupyter does not trust "
    "it. execute=True runs it first; jupyter trust marks it as yours."
)


def inert(notebook: Any) -> tuple[Any, list[str]]:
    """A copy of the notebook that is data alone, and a sentence for each kind of thing that was lost on the way.

    Its Markdown is still Markdown: whoever makes a page of it puts that through :func:`inert_html`.
    """
    copied = copy.deepcopy(notebook)
    lost: list[str] = []
    language = (copied.metadata.get("language_info") or {}).get("name")
    known = isinstance(language, str) and _LANGUAGE.fullmatch(language)
    copied["metadata"] = type(copied)({"language_info": type(copied)(name=language)} if known else {})
    copied["cells"] = [cell for cell in copied.cells if cell.cell_type in {"code", "markdown"}]
    for cell in copied.cells:
        if cell.cell_type == "code":
            cell["outputs"], said = inert_outputs(cell)
            lost += said
        elif acts(cell.source):
            lost.append(SCRIPTS_LOST)
        cell["metadata"] = type(copied)(tags=sorted(tags_of(cell)))
    return copied, list(dict.fromkeys(lost))


def inert_outputs(cell: Any) -> tuple[list[Any], list[str]]:
    """The outputs of a cell of code, and what was lost of them."""
    outputs: list[Any] = []
    lost: list[str] = []
    for output in cell.outputs:
        kept = copy.copy(output)
        if "data" in kept:
            if WIDGET in kept.data:
                continue  # its other form is a name
            lost += [SCRIPTS_LOST] if _SCRIPTS & kept.data.keys() else []
            forms = dict(_inert_forms(kept.data, lost))
            if kept.data and not forms:
                continue
            kept["data"] = type(output)(forms)
            kept["metadata"] = type(output)(_sizes(kept.get("metadata"), forms))
        outputs.append(kept)
    return outputs, lost


def _inert_forms(data: Mapping[str, Any], lost: list[str]) -> Iterator[tuple[str, Any]]:
    bundle = MimeBundle(data)
    for kind, value in data.items():
        match kind:
            case "text/html":
                html, said = inert_html(bundle.text(kind))
                lost += said
                if html:
                    yield kind, html
            case "image/svg+xml" if drawing_acts(bundle.text(kind)):
                lost.append(SCRIPTS_LOST)
            case _ if kind == PLOTLY and _fetches(value):
                lost.append(
                    "A chart of the notebook is not drawn: it would fetch something from the disk or the network."
                )
            case _ if kind in _KEPT:
                yield kind, value


def inert_html(html: str) -> tuple[str, list[str]]:
    """The HTML as a mail may hold it, with its images in it, and what was lost; nothing of it without what can sanitise."""
    if not can_sanitise():
        return "", [f"The HTML of the notebook is not sent: nh3 is not installed. {install('report')}"]
    page = still(html)
    result = sanitised(page.html)
    urls = {f"cid:{picture.cid}": _data_url(picture) for picture in result.pictures}
    lost = [*page.warnings, *result.warnings, *([SCRIPTS_LOST] if acts(page.html) else [])]
    return re.sub(r'(?<=src=")cid:[^"]*', lambda found: urls[found[0]], result.html), lost


def _data_url(picture: Picture) -> str:
    return f"data:image/{picture.subtype};base64,{base64.b64encode(picture.data).decode()}"


def _sizes(metadata: Any, forms: Mapping[str, Any]) -> dict[str, Any]:
    """How large the images are to be shown, and what they show: numbers and words, no more."""
    given = metadata if isinstance(metadata, Mapping) else {}
    found = {}
    for kind in forms:
        said = given[kind] if isinstance(given.get(kind), Mapping) else given
        known = {name: said[name] for name in ("width", "height") if isinstance(said.get(name), int | float)}
        found[kind] = known | ({"alt": said["alt"]} if isinstance(said.get("alt"), str) else {})
    return found


def _fetches(figure: Any) -> bool:
    """Whether a browser that draws the chart would load something."""
    left: list[tuple[str, Any]] = [("", figure)]
    while left:
        key, value = left.pop()
        match value:
            case Mapping():
                left += value.items()
            case list():
                left += [(key, entry) for entry in value]
            case str() if key in _FETCHED and not value.startswith("data:image/"):
                return True
            case str() if key == "type" and _MAPS.fullmatch(value):
                return True
            case str() if key != "bdata" and _MARKUP.search(value):
                return True
    return False
