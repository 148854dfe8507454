"""Subject and body from Jinja2 templates, with results as variables: ``{{ table }}`` is the table itself.

A value never becomes markup: a text is escaped, whatever the template is written in, and a result stands in as a token
until the template is done. The environment is Jinja2's sandbox, so a template reaches nothing but its variables; it may call
their methods, so it is code of the author's all the same. A name that is not defined is an error.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from html import escape, unescape
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Literal

from ..errors import MessageError
from ..formatting import did_you_mean
from ..keywords import public
from .block_elements import on_own_lines, out_of_paragraphs
from .kinds import NUMBER, SCALAR, TEXT
from .render.part import Options, Part, joined
from .render.registry import render
from .render.stack import fragment
from .render.words import HTML, Markdown, paragraphs
from .texts import html_text, one_line

__all__ = ["Template", "render_subject", "render_template"]

Kind = Literal["text", "markdown", "html"]
_KINDS: Final = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".j2": "",
    ".jinja": "",
    ".jinja2": "",
}
_LINK: Final = re.compile(r"(?:https?|mailto|tel):", re.IGNORECASE)
_UNDEFINED: Final = re.compile(r"'([^']*)' is undefined")


class Template:
    """A body written in Jinja2, as content of a message.

    ``source`` is the text of the template, or a :class:`~pathlib.Path` to it, whose suffix says what it is written in
    (``.md``, ``.html``, else text; ``report.md.j2`` is Markdown) and whose folder other templates are included from.
    ``kind`` says it otherwise; the default for a text is Markdown.
    """

    @public
    def __init__(self, source: str | Path, kind: Kind | None = None) -> None:
        if isinstance(source, str) and _names_a_file(source):
            raise MessageError(f"{source!r} is the path of a file, not a template.", hint=f"Template(Path({source!r}))")
        self.source = source
        if kind is None:
            kind = _kind_of(source) if isinstance(source, Path) else "markdown"
        if kind not in {"text", "markdown", "html"}:
            raise MessageError(f"There is no template kind {kind!r}.", hint="There are text, markdown and html.")
        self.kind: Kind = kind

    @property
    def name(self) -> str:
        return str(self.source) if isinstance(self.source, Path) else "template"


def _names_a_file(source: str) -> bool:
    if "\n" in source or "{" in source or "\0" in source or len(source) > 255:
        return False
    return Path(source).suffix != "" and Path(source).is_file()


def _kind_of(path: Path) -> Kind:
    for suffix in reversed(path.suffixes):
        kind = _KINDS.get(suffix.lower(), "text")
        if kind:
            return kind  # type: ignore[return-value]  # the table's values are the kinds
    return "text"


def render_subject(source: str | Template, variables: Mapping[str, Any]) -> str:
    """The subject, in one line; its variables are texts, numbers and dates."""
    template = source if isinstance(source, Template) else Template(source, "text")
    return " ".join(_filled(template, variables, lambda value: value).split("\n")).strip()


def render_template(template: Template, variables: Mapping[str, Any], options: Options) -> Part:
    """The body, its results in their places."""
    mark = f"mailconn{secrets.token_hex(8)}x"
    found: list[Part] = []
    known: dict[int, int] = {}

    def placed(value: Any) -> Any:
        if isinstance(value, str) and mark in value:
            return value  # what a macro wrote, its own values in place
        if value is None or _is_plain(value):
            if template.kind == "html":
                return value  # Jinja2 escapes it
            value = Part(str(value), None)
            inline = True
        else:
            inline = False
        number = known.get(id(value)) if not inline else None
        if number is None:
            number = len(found)
            found.append(value if inline else render(value, options))
            kept.append(value)  # so that its id stays its own
            known[id(value)] = number
            inlines.append(inline)
        return f"{mark}{number}x"

    kept: list[Any] = []
    inlines: list[bool] = []
    source = _filled(template, variables, placed)
    body = _written(template.kind, source, options)
    token = re.compile(rf"{mark}(\d+)x")
    blocks = [str(number) for number, inline in enumerate(inlines) if not inline]
    block = re.compile(rf"{mark}(?:{'|'.join(blocks)})x") if blocks else None

    def in_html(match: re.Match[str]) -> str:
        number = int(match.group(1))
        return html_text(found[number].text) if inlines[number] else fragment(found[number])

    def in_attribute(match: re.Match[str]) -> str:
        name, said = match.groups()
        said = token.sub(lambda one: escape(one_line(found[int(one.group(1))].text, 2000)), said)
        return f'{name}="{said}"' if name not in {"href", "src"} or _LINK.match(unescape(said)) else ""

    text = token.sub(
        lambda match: found[int(match.group(1))].text, on_own_lines(body.text, block) if block else body.text
    )
    html = body.html
    if html is None and any(part.html is not None for part in found):
        html = paragraphs(body.text)
    if html is not None:
        attribute = re.compile(rf'(?<![\w-])([\w-]++)="([^"]*{mark}\d+x[^"]*)"')
        html = attribute.sub(in_attribute, html)
        html = token.sub(in_html, out_of_paragraphs(html, block) if block else html)
    return joined([body, *found], text, html)


def _is_plain(value: Any) -> bool:
    if any(hasattr(type(value), name) for name in ("_repr_html_", "_repr_markdown_")):
        return False
    return any(value in kind for kind in (TEXT, NUMBER, SCALAR))


def _written(kind: str, source: str, options: Options) -> Part:
    if kind == "text":
        return Part(source)
    return render(Markdown(source) if kind == "markdown" else HTML(source), options)


def _filled(template: Template, variables: Mapping[str, Any], placed: Callable[[Any], Any]) -> str:
    try:
        jinja2, sandbox = import_module("jinja2"), import_module("jinja2.sandbox")
    except ImportError as error:
        raise MessageError(
            "Templates need Jinja2, which is missing.", hint="pip install mailconn-jupyter[templates]"
        ) from error

    def finalize(value: Any) -> Any:
        if isinstance(value, jinja2.Undefined):
            str(value)  # a strict one raises
        return value if _is_markup(value) else placed(value)

    loader = None
    text = template.source
    if isinstance(text, Path):
        loader = jinja2.FileSystemLoader(text.expanduser().parent)
        try:
            text = text.expanduser().read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise MessageError(f"The template {template.name!r} cannot be read: {one_line(str(error), 160)}") from error
    environment = sandbox.SandboxedEnvironment(
        undefined=jinja2.StrictUndefined,
        autoescape=template.kind == "html",
        finalize=finalize,
        loader=loader,
        keep_trailing_newline=False,
    )
    try:
        filled: str = environment.from_string(text).render(**variables)
    except jinja2.UndefinedError as error:
        raise _undefined(error, template, variables) from error
    except jinja2.TemplateSyntaxError as error:
        raise MessageError(f"The {template.name} is wrong in line {error.lineno}: {error.message}.") from error
    except jinja2.TemplateNotFound as error:
        raise MessageError(f"The {template.name} needs {error.name!r}, which is not beside it.") from error
    except jinja2.TemplateError as error:
        raise MessageError(f"The {template.name} cannot be filled in: {one_line(str(error), 200)}") from error
    except MessageError:
        raise
    except Exception as error:
        raise MessageError(
            f"The {template.name} cannot be filled in: {type(error).__name__}: {one_line(str(error), 200)}"
        ) from error
    return filled


def _is_markup(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] == "markupsafe" or type(value).__name__ in {
        "Macro",
        "BlockReference",
    }


def _undefined(error: Exception, template: Template, variables: Mapping[str, Any]) -> MessageError:
    match = _UNDEFINED.fullmatch(str(error))
    if match is None:
        return MessageError(f"The {template.name} asks for what is not there: {one_line(str(error), 200)}")
    name = match.group(1)
    return MessageError(
        f"The {template.name} needs a variable {name!r}, which is not given.{did_you_mean(name, list(variables))}",
        hint=f"compose(..., variables={{{name!r}: ...}})",
    )
