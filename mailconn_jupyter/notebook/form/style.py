"""How the form looks: its style sheet in the notebook's own theme, and the small pieces of HTML that it is made of.

Whatever goes in is escaped. No state shows by its colour alone: each has a sign and a word.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ...errors import MailConnError
from ...formatting import prose

__all__ = [
    "CSS",
    "GONE",
    "LEFT",
    "STATIC",
    "heading",
    "help_text",
    "instead",
    "kept",
    "message",
    "problem_text",
    "status",
]

STATIC: Final = Path(__file__).parent / "static"

CSS: Final = f"<style>{(STATIC / 'form.css').read_text(encoding='utf-8')}</style>"

LEFT: Final = "The form ended with its kernel. Run the cell again to get it back."

# A notebook that is opened again has the form's output, but no form: JupyterLab says "Error displaying widget: model not
# found". This second output, which shows nothing of its own, puts a sentence in its place; nothing else runs there.
_BEFORE: Final = ".jp-OutputArea-child:has(+ .jp-OutputArea-child .mailconn-gone) > .jupyter-widgets:not(:has(*))"
GONE: Final = f"""<div class="mailconn-gone"></div><style>
{_BEFORE} {{ font-size: 0; }}
{_BEFORE}::after {{
  content: "{{left}}"; font-size: var(--jp-ui-font-size1, 13px); color: var(--jp-ui-font-color1, #222);
}}
.jp-OutputArea-child:has(.mailconn-gone) {{ display: none; }}
</style>""".replace("{left}", LEFT)

# The same for a list that also stands there as a table: the table shows where the list does not, and its scripts run nowhere.
_KEPT: Final = """<div class="mailconn-kept">{table}</div><style>
.jp-OutputArea-child:has(+ .jp-OutputArea-child .mailconn-kept):not(:has(.mailconn-form)) { display: none; }
.vscode-light:has(.mailconn-form) .mailconn-kept, .vscode-dark:has(.mailconn-form) .mailconn-kept { display: none; }
.jp-OutputArea-child:has(.mailconn-form) + .jp-OutputArea-child:has(.mailconn-kept) { display: none; }
</style>"""

_SIGNS: Final = {"good": "✓", "bad": "✗", "warn": "⚠", "note": ""}


def heading(text: str, *, level: int, beside: str = "") -> str:
    """A heading, with a quiet line under it where there is something to add."""
    under = f'<div class="mailconn-where">{prose(beside)}</div>' if beside else ""
    return f"<h{level}>{prose(text)}</h{level}>{under}"


def help_text(text: str) -> str:
    """The quiet line under a field."""
    return f'<span class="mailconn-help">{prose(text)}</span>'


def problem_text(error: MailConnError, *, label: str = "") -> str:
    """An error beside its field, whose label need not be said again."""
    text = error.message.removeprefix(f"{label}: ") if label else error.message
    return message("bad", f"{text[:1].upper()}{text[1:]} {error.hint}".strip())


def instead(text: str, line: str) -> str:
    """What to do where a widget cannot be shown: a line of the magic."""
    return f'<span class="mailconn-help">{prose(text)} <code>{prose(line)}</code></span>'


def kept(table: str) -> str:
    """A table, shown as long as the widget before it is not."""
    return _KEPT.replace("{table}", table)


def message(kind: str, text: str) -> str:
    """A line with its sign: ``good``, ``bad``, ``warn`` or ``note``. What is bad is read out at once."""
    role = ' role="alert"' if kind == "bad" else ""
    sign = f'<span aria-hidden="true">{_SIGNS[kind]} </span>' if _SIGNS[kind] else ""
    return f'<span class="mailconn-is-{kind}"{role}>{sign}{prose(text)}</span>'


def status(*lines: tuple[str, str]) -> str:
    """Several messages, one under the other."""
    return "<br>".join(message(kind, text) for kind, text in lines)
