"""Executed notebooks as single HTML pages, without code and without other files, to mail."""

import os
import re
from pathlib import Path

import nbformat
from markupsafe import Markup
from nbconvert import HTMLExporter

from simlib.core import SimlibError, written_aside
from simlib.reporting.html import render_page

POLICY = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'"


def execute_notebook(
    notebook: str | os.PathLike, executed: str | os.PathLike, parameters: dict
) -> None:
    """Run a notebook with papermill.

    Parameters
    ----------
    notebook : path-like
    executed : path-like
        To be written.
    parameters : dict
        Replace those of its parameters cell.

    Raises
    ------
    SimlibError
        That of the cell that failed, without papermill's traceback.
    """
    # Imported here, since export_report needs no papermill.
    import papermill

    Path(executed).parent.mkdir(parents=True, exist_ok=True)
    try:
        papermill.execute_notebook(
            str(notebook), str(executed), parameters, kernel_name="python3", language="python"
        )
    except UnicodeEncodeError:
        named = parameters.get("query", "parameters")
        raise SimlibError(named, "cannot be written as UTF-8", "rename the file") from None
    except papermill.PapermillExecutionError as error:
        if error.ename != SimlibError.__name__:
            raise
        subject, _, rest = error.evalue.partition(": ")
        cause, _, hint = rest.rpartition("; ")
        raise SimlibError(subject, cause, hint) from None


def export_report(
    notebook: str | os.PathLike, page: str | os.PathLike, kind: str = "report"
) -> None:
    """Turn an executed notebook into one page that needs no kernel and no network.

    Code, progress bars and standard error are left out. The first heading is the title.

    Parameters
    ----------
    notebook, page : path-like
    kind : str
        `report` or `query-page`; the style sheet has rules for each.

    Raises
    ------
    SimlibError
        If the notebook cannot be read.
    """
    try:
        content = nbformat.read(notebook, as_version=4)
    except (OSError, ValueError, AttributeError, TypeError, nbformat.ValidationError) as error:
        raise SimlibError(notebook, f"cannot be read ({error})", "run 'make repro'") from None
    for cell in content.cells:
        cell.outputs = [out for out in cell.get("outputs", []) if _is_for_readers(out)]
    exporter = HTMLExporter(template_name="basic", exclude_input=True, exclude_output_prompt=True)
    body, _ = exporter.from_notebook_node(content)
    parts = {"policy": POLICY, "title": _title(content.cells), "kind": kind, "body": Markup(body)}
    with written_aside(page) as aside:
        aside.write_text(render_page(**parts), encoding="utf-8")


def _title(cells):
    """Return the heading that a cell displays, else the first line of the notebook."""
    shown = [out.get("data", {}).get("text/html", "") for c in cells for out in c.outputs]
    if heading := re.search("<h1>(.*?)</h1>", "\n".join(shown), re.DOTALL):
        return Markup(heading[1])
    texts = (c.source.strip() for c in cells if c.cell_type == "markdown")
    return next(filter(None, texts), "simlib").splitlines()[0].lstrip("# ")


def _is_for_readers(output):
    if output.output_type == "stream":
        return output.name == "stdout"
    return "application/vnd.jupyter.widget-view+json" not in output.get("data", {})
