"""Subject and body from Jinja2 templates, with results as variables: ``{{ table }}`` is the table itself.

A value never becomes markup: a text is escaped, whatever the template is written in, and a result stands in as a token
until the template is done. The environment is Jinja2's sandbox, so a template reaches nothing but its variables; it may call
their methods, so it is code of the author's all the same. A name that is not defined is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, time, timedelta
from decimal import Decimal
from html import escape, unescape
from pathlib import Path
from typing import Any, Final, Literal

from ..errors import MessageError
from ..formatting import did_you_mean
from ..keywords import public
from ..paths import expanded, is_file
from ..scalars import plain
from .block_elements import on_own_lines, out_of_paragraphs
from .compiled import compiled, placing, require_jinja2
from .kinds import NUMBER, SCALAR, TEXT
from .render.part import Options, Part, joined
from .render.registry import registered, render
from .render.stack import fragment
from .render.words import HTML, Markdown, paragraphs
from .texts import MARK, html_text, one_line

__all__ = ["Bound", "Template", "as_words", "filled", "render_subject", "render_template", "understood", "written"]

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
_MOST_DIGITS: Final = 30
#: Texts that are kept as parts, and characters of each: of a batch the signature, and each letter but for its values.
_KEPT: Final = 8
_LONGEST: Final = 300_000
_LINK: Final = re.compile(r"(?:https?|mailto|tel):", re.IGNORECASE)
_INLINE: Final = f"{MARK}i"
_BLOCK: Final = f"{MARK}b"
_TOKEN: Final = re.compile(rf"({_INLINE}|{_BLOCK})(\d+)x")
_BLOCKS: Final = re.compile(rf"{_BLOCK}\d+x")
_ATTRIBUTE: Final = re.compile(rf'(?<![\w-])([\w-]++)="([^"]*{MARK}[ib]\d+x[^"]*)"')
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
            raise MessageError(f"There is no template kind {kind!r}.", hint="Choose one of text, markdown and html.")
        self.kind: Kind = kind

    @property
    def name(self) -> str:
        return str(self.source) if isinstance(self.source, Path) else "template"


class Bound(Template):
    """A template with what its names mean."""

    def __init__(self, template: Template, variables: Mapping[str, Any]) -> None:
        self.source, self.kind = template.source, template.kind
        self.variables = variables


def _names_a_file(source: str) -> bool:
    if "\n" in source or "{" in source or "\0" in source or len(source) > 255:
        return False
    return Path(source).suffix != "" and is_file(source)


def _kind_of(path: Path) -> Kind:
    for suffix in reversed(path.suffixes):
        kind = _KINDS.get(suffix.lower(), "text")
        if kind:
            return kind  # type: ignore[return-value]  # the table's values are the kinds
    return "text"


def render_subject(source: str | Template, variables: Mapping[str, Any]) -> str:
    """The subject, in one line; its variables are texts, numbers and dates."""
    template = source if isinstance(source, Template) else Template(source, "text")
    return " ".join(filled(template, variables, as_words).split("\n")).strip()


def render_template(template: Template, variables: Mapping[str, Any], options: Options) -> Part:
    """The body, its results in their places."""
    found: list[Part] = []
    known: dict[int, str] = {}
    kept: list[Any] = []  # so that an object's id stays its own

    def token(value: Part, mark: str) -> str:
        found.append(value)
        return f"{mark}{len(found) - 1}x"

    def placed(value: Any) -> Any:
        if isinstance(value, str) and MARK in value:
            return value  # what a macro wrote, its own values in place
        if value is None or _is_plain(value):
            # Jinja2 escapes it
            return _said(value) if template.kind == "html" else token(Part(_said(value), None), _INLINE)
        if id(value) not in known:
            known[id(value)] = token(render(value, options), _BLOCK)
            kept.append(value)
        return known[id(value)]

    body = written(template.kind, filled(template, variables, placed), options)
    if not found:
        return body

    def in_html(match: re.Match[str]) -> str:
        part = found[int(match[2])]
        return html_text(part.text) if match[1] == _INLINE else fragment(part)

    def in_attribute(match: re.Match[str]) -> str:
        name, said = match.groups()
        said = _TOKEN.sub(lambda one: escape(one_line(found[int(one[2])].text, 2000)), said)
        return f'{name}="{said}"' if name not in {"href", "src"} or _LINK.match(unescape(said)) else ""

    # What stands among words needs no lines of its own.
    text = _TOKEN.sub(lambda match: found[int(match[2])].text, on_own_lines(body.text, _BLOCKS) if known else body.text)
    html = body.html
    if html is None and any(part.html is not None for part in found):
        html = paragraphs(body.text)
    if html is not None:
        html = _ATTRIBUTE.sub(in_attribute, html)
        html = _TOKEN.sub(in_html, out_of_paragraphs(html, _BLOCKS) if known else html)
    return joined([body, *found], text, html)


def _is_plain(value: Any) -> bool:
    if type(value) is str:
        return True
    if any(hasattr(type(value), name) for name in ("_repr_html_", "_repr_markdown_")):
        return False
    return any(value in kind for kind in (TEXT, NUMBER, SCALAR))


def _said(value: Any) -> str:
    """A value among words, as people write it: no hours of a day at midnight, no powers of ten of a price."""
    own = plain(value)
    match own:
        case Decimal() if own.is_finite() and abs(own.adjusted()) < _MOST_DIGITS:
            return f"{own:f}"
        case datetime() if own is not value and own.tzinfo is None:
            # NumPy and pandas have no type for a day alone.
            return str(own.date() if own.time() == time() else own)
        case timedelta():
            return str(own)
    return str(value)


def as_words(value: Any) -> Any:
    """A number or a time as the text that people read; anything else as it is."""
    return _said(value) if value is None or _is_plain(value) else value


_kept: Final[dict[tuple[Kind, str], Part]] = {}


def written(kind: Kind, source: str, options: Options) -> Part:
    """What is written so, as a part: made once as long as others do not push it out, for the messages of a batch share it."""
    if kind == "text":
        return Part(source)
    # Who has renderers may have one for these, too.
    keeps = not registered()
    part = _kept.pop((kind, source), None) if keeps else None
    if part is None:
        part = render(Markdown(source) if kind == "markdown" else HTML(source), options)
    # What a warning says may be mended the next time: a package is installed.
    if keeps and not part.warnings and len(source) <= _LONGEST:
        _kept[kind, source] = part
        if len(_kept) > _KEPT:
            _kept.pop(next(iter(_kept)), None)
    return part


def filled(template: Template, variables: Mapping[str, Any], placed: Callable[[Any], Any]) -> str:
    """The text of the template; each value that it prints goes through ``placed``.

    Raises :class:`~mailconn_jupyter.errors.MessageError` for a name that is not given, and whatever else goes wrong in it.
    """
    jinja2 = require_jinja2()
    ready = understood(template)
    try:
        with placing(placed):
            done: str = ready.render(variables)
    except jinja2.UndefinedError as error:
        raise _undefined(error, template, variables) from error
    except jinja2.TemplateSyntaxError as error:
        # Of one that it includes.
        raise _misspelt(error, template) from error
    except jinja2.TemplateNotFound as error:
        raise MessageError(f"The {template.name} needs {error.name!r}, which is not in the same folder.") from error
    except jinja2.TemplateError as error:
        raise MessageError(f"The {template.name} cannot be filled in: {one_line(str(error), 200)}") from error
    except MessageError:
        raise
    except Exception as error:
        raise MessageError(
            f"The {template.name} cannot be filled in: {type(error).__name__}: {one_line(str(error), 200)}"
        ) from error
    return done


def understood(template: Template) -> Any:
    """The template as Jinja2 has it; :class:`~mailconn_jupyter.errors.MessageError` for what is none, or cannot be read."""
    jinja2 = require_jinja2()
    text, folder = template.source, None
    if isinstance(text, Path):
        # By its full path: another folder may be current the next time.
        file = expanded(text).absolute()
        folder = file.parent
        try:
            text = file.read_text("utf-8")
        except (OSError, ValueError) as error:
            raise MessageError(f"The template {template.name!r} cannot be read: {one_line(str(error), 160)}") from error
    try:
        return compiled(text, escaped=template.kind == "html", folder=folder)
    except jinja2.TemplateSyntaxError as error:
        raise _misspelt(error, template) from error


def _misspelt(error: Any, template: Template) -> MessageError:
    return MessageError(f"The {template.name} has an error in line {error.lineno}: {error.message}.")


def _undefined(error: Exception, template: Template, variables: Mapping[str, Any]) -> MessageError:
    match = _UNDEFINED.fullmatch(str(error))
    if match is None:
        return MessageError(f"The {template.name} refers to something that does not exist: {one_line(str(error), 200)}")
    name = match.group(1)
    return MessageError(
        f"The {template.name} needs a variable {name!r}, which is not given.{did_you_mean(name, list(variables))}",
        hint=f"Pass it in: variables={{{name!r}: ...}}",
    )
