"""A notebook as a file for the mail: the notebook itself, or a page or a PDF of it, laid out by nbconvert."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

from traitlets import List, Unicode
from traitlets.config import Config

from ..message.page import POLICY
from ..message.render.html.sanitise import can_sanitise
from ..message.render.words import preformatted
from ..message.texts import one_line
from .inert import inert_html
from .notebook_file import NotebookError, library
from .notebook_pdf import printed_page

__all__ = ["FORMATS", "Attach", "export"]

Attach = Literal["html", "pdf", "ipynb"]
FORMATS: Final = ("html", "pdf", "ipynb")

# nbconvert's page without the scripts that it brings along, under a policy by which none runs and nothing is loaded.
_INERT: Final = f"""{{%- extends 'lab/index.html.j2' -%}}
{{%- block html_head -%}}<meta http-equiv="Content-Security-Policy" content="{POLICY}">{{{{ super() }}}}{{%- endblock -%}}
{{%- block html_head_js -%}}{{%- endblock -%}}{{%- block html_head_js_mathjax -%}}{{%- endblock -%}}
{{%- block html_head_js_mermaidjs -%}}{{%- endblock -%}}{{%- block jupyter_widgets -%}}{{%- endblock -%}}
"""


def export(notebook: Any, file: Path, kind: Attach, *, code: bool, own: bool) -> dict[str, bytes]:
    """The attachment, by its name. ``code``: with the source of its cells, which the notebook itself always has.

    ``own``: it was run just here, or Jupyter trusts it, so what it shows may act. Any other one has been through
    :func:`~mailconn_jupyter.documents.inert.inert`, but to be attached itself.
    """
    if kind == "ipynb":
        return {file.name: library("nbformat", "To write a notebook").writes(notebook).encode()}
    nbconvert = library("nbconvert", f"To attach a notebook as {kind.upper()}")
    resources = {"metadata": {"name": file.stem}}
    options = {"exclude_input": not code, "exclude_output_prompt": not code, "config": _config(own=own)}
    failures: list[Exception] = []
    try:
        page = _page(nbconvert, notebook, resources, options, own=own)
        return {f"{file.stem}.{kind}": page.encode() if kind == "html" else printed_page(page, acts=own)}
    except Exception as error:  # noqa: BLE001  # nbconvert and the browser each have their own
        failures.append(error)
    if kind == "pdf" and own:
        # TeX reads what a text names: not for what somebody else has written.
        try:
            made, _ = _own_templates(nbconvert.PDFExporter)(**options).from_notebook_node(notebook, resources)
            return {f"{file.stem}.pdf": made}
        except Exception as error:  # noqa: BLE001  # the same
            failures.append(error)
    raise _not_exported(file, kind, failures, own=own) from failures[-1]


def _page(nbconvert: Any, notebook: Any, resources: dict[str, Any], options: dict[str, Any], *, own: bool) -> str:
    if own:
        made, _ = _own_templates(nbconvert.HTMLExporter)(**options).from_notebook_node(notebook, resources)
        return str(made)
    from jinja2 import pass_context  # noqa: PLC0415  # nbconvert brings it along

    exporter = _own_templates(nbconvert.HTMLExporter)(raw_template=_INERT, **options)

    @pass_context
    def markdown(context: Any, source: str) -> str:
        html = exporter.markdown2html(context, source)
        return inert_html(html)[0] if can_sanitise() else preformatted(source)

    exporter.register_filter("markdown2html", markdown)
    made, _ = exporter.from_notebook_node(notebook, resources)
    return str(made)


def _own_templates(exporter: Any) -> Any:
    """The exporter, with templates from absolute folders alone: a template names code, and is not one of whoever sent a file."""

    class Own(exporter):  # type: ignore[misc]  # of a library that may not be there
        extra_template_basedirs = List(Unicode())  # where nbconvert has the working directory

        def get_prefix_root_dirs(self) -> list[str]:
            return [folder for folder in super().get_prefix_root_dirs() if Path(folder).is_absolute()]

    return Own


def _not_exported(file: Path, kind: str, failures: list[Exception], *, own: bool) -> NotebookError:
    said = "; ".join(one_line(str(error).strip() or type(error).__name__, 150) for error in failures)
    needs = ""
    if kind == "pdf":
        needs = f" A PDF needs playwright with Chromium (nbconvert[webpdf]){', or pandoc and XeLaTeX' if own else ''}."
    hint = 'attach="html" needs neither.' if kind == "pdf" else ""
    return NotebookError(f"{file.name} cannot be exported as {kind.upper()}.{needs} ({said})", hint=hint)


def _config(*, own: bool) -> Config:
    """The configuration of nbconvert: the same tags as in the text."""
    config = Config()
    remover = config.TagRemovePreprocessor
    remover.enabled = True
    for tag, option in (
        ("cell", "remove_cell_tags"),
        ("input", "remove_input_tags"),
        ("output", "remove_all_outputs_tags"),
    ):
        setattr(remover, option, {f"remove_{tag}", f"remove-{tag}"})
    # What hides them is a class, which no foreign text keeps.
    config.HTMLExporter.exclude_anchor_links = not own
    return config
