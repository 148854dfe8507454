"""How the form looks: its style sheet in the notebook's own theme, and the small pieces of HTML that it is made of.

Whatever goes in is escaped. No state shows by its colour alone: each has a sign and a word.
"""

from __future__ import annotations

from typing import Final

from ..errors import MailConnError
from ..markup import escape

__all__ = ["CSS", "heading", "help_text", "message", "problem_text", "status"]

# A container query, not a media query: the width that counts is the output's, not the window's.
CSS: Final = """<style>
.mailconn-form {
  container-type: inline-size; width: 100%; max-width: 1160px; box-sizing: border-box; overflow: visible;
  padding: 2px 4px;
  color: var(--jp-ui-font-color1, #222); font-size: var(--jp-ui-font-size1, 13px);
  --mailconn-label: 200px;
  --mailconn-bad: var(--jp-error-color1, #c62828); --mailconn-good: var(--jp-success-color1, #2e7d32);
  --mailconn-line: var(--jp-border-color2, #ccc);
}
.mailconn-form .widget-html-content, .mailconn-form .jupyter-widgets { font-size: inherit; }
.mailconn-form .widget-html, .mailconn-form .widget-html-content { height: auto; min-height: 0; margin: 0; width: 100%; }
.mailconn-form .widget-html-content { line-height: 1.4; overflow-wrap: anywhere; }
.mailconn-form .widget-vbox, .mailconn-form .widget-hbox { margin: 0; overflow: visible; }
.mailconn-style { display: none; }
.mailconn-columns { display: flex; flex-flow: row wrap; gap: 12px 28px; align-items: flex-start; }
.mailconn-main { flex: 1 1 480px; min-width: 0; max-width: 680px; }
.mailconn-side { flex: 1 1 320px; min-width: 0; max-width: 680px; }
.mailconn-form h3, .mailconn-form h4 { margin: 0; color: inherit; font-family: inherit; }
.mailconn-form h3 { font-size: 1.25em; font-weight: 600; }
.mailconn-form h4 {
  margin: 10px 0 6px; padding-bottom: 2px; font-size: 1.05em; font-weight: 600;
  border-bottom: 1px solid var(--mailconn-line);
}
.mailconn-where { opacity: .85; }
.mailconn-form .mailconn-row { margin: 0 0 8px; }
.mailconn-row > .widget-text, .mailconn-row > .widget-dropdown { width: 100%; margin: 0; height: auto; }
.mailconn-row > .widget-checkbox { margin: 0; width: 100%; height: auto; padding-left: var(--mailconn-label); }
.mailconn-row > .widget-checkbox label { width: auto; white-space: normal; line-height: 1.4; padding: 3px 0; }
.mailconn-form .mailconn-row .widget-label {
  flex: 0 0 var(--mailconn-label); width: var(--mailconn-label); min-width: 0; text-align: left; white-space: normal;
  overflow: visible; color: inherit; margin: 0;
}
.mailconn-row input[type="text"], .mailconn-row input[type="password"], .mailconn-row select {
  min-width: 0; flex: 1 1 auto; height: 28px; min-height: 28px;
}
.mailconn-row input::placeholder { color: inherit; opacity: .65; }
.mailconn-wrong input[type="text"] { border-color: var(--mailconn-bad); box-shadow: 0 0 0 1px var(--mailconn-bad); }
.mailconn-form :focus-visible { outline: 2px solid var(--jp-brand-color1, #1976d2); outline-offset: 1px; }
.mailconn-note { padding-left: var(--mailconn-label); min-height: 1.5em !important; }
.mailconn-help { opacity: .8; font-size: .92em; }
.mailconn-is-bad { color: var(--mailconn-bad); }
.mailconn-is-good { color: var(--mailconn-good); }
.mailconn-secret { display: flex; flex-flow: row wrap; align-items: center; gap: 2px 6px; }
.mailconn-secret > .mailconn-name { flex: 0 0 calc(var(--mailconn-label) - 6px); width: auto; }
.mailconn-secret > .mailconn-state { flex: 1 1 140px; width: auto; }
.mailconn-form button.jupyter-button { width: auto; min-width: 76px; margin: 0; flex: 0 0 auto; }
.mailconn-form button.jupyter-button:disabled { opacity: .55; }
.mailconn-form .mailconn-bar { display: flex; flex-flow: row wrap; gap: 6px; align-items: center; margin: 6px 0; }
.mailconn-status { min-height: 3em !important; margin-top: 4px !important; }
.mailconn-conflict {
  border: 1px solid var(--jp-warn-color0, #b26a00); border-left-width: 4px; padding: 6px 10px; margin: 8px 0 0 !important;
}
.mailconn-panel { border: 1px solid var(--mailconn-line); border-radius: 3px; padding: 8px 12px; box-sizing: border-box; }
.mailconn-stage {
  display: grid; grid-template-columns: 1.2em 9.5em 1fr auto; gap: 0 6px; padding: 3px 0;
}
.mailconn-stage > .mailconn-learnt { grid-column: 2 / -1; }
.mailconn-stage .mailconn-time { font-variant-numeric: tabular-nums; }
.mailconn-stage .mailconn-later { opacity: .75; }
.mailconn-learnt summary { cursor: pointer; font-size: .92em; }
.mailconn-learnt dl {
  display: grid; grid-template-columns: max-content 1fr; gap: 1px 10px; margin: 2px 0 4px; font-size: .92em;
}
.mailconn-form .mailconn-learnt dt, .mailconn-form .mailconn-learnt dd { float: none; width: auto; margin: 0; display: block; }
.mailconn-form .mailconn-learnt dt { font-weight: 600; overflow-wrap: normal; }
.mailconn-form .mailconn-learnt dd { overflow-wrap: anywhere; }
@container (max-width: 560px) {
  .mailconn-row > .widget-text, .mailconn-row > .widget-dropdown { flex-flow: row wrap; }
  .mailconn-form .mailconn-row .widget-label { flex: 1 0 100%; width: 100%; line-height: 1.6; height: auto; }
  .mailconn-row > .widget-checkbox, .mailconn-note { padding-left: 0; }
  .mailconn-secret > .mailconn-name { flex: 1 0 100%; }
}
</style>"""

_SIGNS: Final = {"good": "✓", "bad": "✗", "warn": "⚠", "note": ""}


def heading(text: str, *, level: int, beside: str = "") -> str:
    """A heading, with a quiet line under it where there is something to add."""
    under = f'<div class="mailconn-where">{escape(beside)}</div>' if beside else ""
    return f"<h{level}>{escape(text)}</h{level}>{under}"


def help_text(text: str) -> str:
    """The quiet line under a field."""
    return f'<span class="mailconn-help">{escape(text)}</span>'


def problem_text(error: MailConnError, *, label: str = "") -> str:
    """An error beside its field, whose label need not be said again."""
    text = error.message.removeprefix(f"{label}: ") if label else error.message
    return message("bad", f"{text[:1].upper()}{text[1:]} {error.hint}".strip())


def message(kind: str, text: str) -> str:
    """A line with its sign: ``good``, ``bad``, ``warn`` or ``note``. What is bad is read out at once."""
    role = "alert" if kind == "bad" else "status"
    sign = f'<span aria-hidden="true">{_SIGNS[kind]} </span>' if _SIGNS[kind] else ""
    return f'<span class="mailconn-is-{kind}" role="{role}">{sign}{escape(text)}</span>'


def status(*lines: tuple[str, str]) -> str:
    """Several messages, one under the other."""
    return "<br>".join(message(kind, text) for kind, text in lines)
