"""HTML that carries everything in itself: players, tables, and notebooks as pages to mail."""

import html
import re
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter

from simlib.core import SimlibError, written_aside

POLICY = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'"
STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem;
  color: #1c2430; background: #fff; overflow-wrap: break-word; }
h1 { line-height: 1.2; } h2 { margin-top: 2.4rem; border-bottom: 1px solid #dde3ea; }
img { max-width: 100%; height: auto; }
.jp-OutputArea-output, .output_html, .scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; margin: .6rem 0; }
th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid #e6ebf0;
  vertical-align: middle; }
th { background: #f4f7fa; } td.number { text-align: right; font-variant-numeric: tabular-nums; }
audio { height: 2.2rem; width: 15rem; max-width: 100%; vertical-align: middle; }
pre { white-space: pre-wrap; font-size: .85rem; background: #f4f7fa; padding: .6rem; }
.verdict { background: #eef5ff; border-left: 4px solid #2b6cb0; padding: .6rem 1rem; }
.query { border: 1px solid #dde3ea; border-radius: 8px; padding: .6rem 1rem; margin: 1rem 0; }
.query h3 { margin: .2rem 0 .5rem; }
.jp-InputPrompt, .jp-OutputPrompt, .prompt, .anchor-link { display: none; }
@media (max-width: 40rem) { body { font-size: 15px; padding: .6rem; }
  .query thead { display: none; } .query table, .query tbody, .query tr { display: block; }
  .query td { display: inline-block; border: 0; padding: .1rem .3rem; }
  .query tr { border-bottom: 1px solid #e6ebf0; padding: .35rem 0; } }
"""


def execute_notebook(notebook, executed, parameters):
    """Run a notebook with papermill.

    Parameters
    ----------
    notebook : path-like
    executed : path-like
        To be written.
    parameters : dict
        In place of those of its parameters cell.

    Raises
    ------
    SimlibError
        That of the cell that failed, without papermill's account of how it came to that.
    """
    # Not at the top: what only makes a page needs no papermill.
    import papermill

    Path(executed).parent.mkdir(parents=True, exist_ok=True)
    try:
        papermill.execute_notebook(
            str(notebook), str(executed), parameters, kernel_name="python3", language="python"
        )
    except UnicodeEncodeError:
        named = parameters.get("reference", "parameters")
        raise SimlibError(named, "cannot be written as UTF-8", "rename the file") from None
    except papermill.PapermillExecutionError as error:
        if error.ename != SimlibError.__name__:
            raise
        subject, _, rest = error.evalue.partition(": ")
        cause, _, hint = rest.rpartition("; ")
        raise SimlibError(subject, cause, hint) from None


def export_report(notebook, page):
    """Turn an executed notebook into one page that needs no kernel and no network.

    Code is left out, and so are progress bars and whatever was written to standard error. The page
    has the name of the first heading.

    Parameters
    ----------
    notebook, page : path-like

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
    with written_aside(page) as aside:
        aside.write_text(
            "<!doctype html>\n"
            '<html lang="en"><head><meta charset="utf-8">'
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{_title(content.cells)}</title><style>{STYLE}</style></head>\n"
            f"<body>\n{body}\n</body></html>\n",
            encoding="utf-8",
        )


def _title(cells):
    """Return, as HTML, the heading that a cell displays, else what the notebook begins with."""
    shown = [out.get("data", {}).get("text/html", "") for c in cells for out in c.outputs]
    if heading := re.search("<h1>(.*?)</h1>", "\n".join(shown), re.DOTALL):
        return heading[1]
    words = (c.source.strip() for c in cells if c.cell_type == "markdown")
    return html.escape(next(filter(None, words), "simlib").splitlines()[0].lstrip("# "))


def _is_for_readers(output):
    if output.output_type == "stream":
        return output.name == "stdout"
    return "application/vnd.jupyter.widget-view+json" not in output.get("data", {})
