"""HTML that carries everything in itself: players, tables, and notebooks as pages to mail."""

import base64
import html
import platform
import re
from importlib.metadata import version
from pathlib import Path

import nbformat
import pandas as pd
from nbconvert import HTMLExporter

from simlib import audio
from simlib.artefacts import SimlibError, written_aside

EXCERPT_SECONDS = 8.0
EXCERPT_RATE = 22050
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


def player(path, *, start=None, seconds=EXCERPT_SECONDS):
    """Make an audio player that carries a short excerpt of a recording.

    Parameters
    ----------
    path : path-like
    start : float, optional
        Seconds; by default the excerpt is the middle of the recording.
    seconds : float
        Length of the excerpt.

    Returns
    -------
    str
        An HTML element with the excerpt as mono MP3; a sentence where it cannot be decoded.
    """
    try:
        return player_of(excerpt(path, start=start, seconds=seconds))
    except SimlibError as error:
        return f"<em>{html.escape(error.cause)}</em>"


def excerpt(path, *, start=None, seconds=EXCERPT_SECONDS):
    """Decode an excerpt for listening: float32 at `EXCERPT_RATE`, faded at both ends."""
    if start is None:
        start = max(0.0, (audio.duration(path) - seconds) / 2)
    samples = audio.decode(path, EXCERPT_RATE, start=start, end=start + seconds)
    return audio.faded(samples, EXCERPT_RATE)


def player_of(samples, rate=EXCERPT_RATE):
    """Make an audio player of mono samples."""
    data = base64.b64encode(audio.mp3_bytes(samples, rate)).decode("ascii")
    return f'<audio controls preload="none" src="data:audio/mpeg;base64,{data}"></audio>'


def table(frame, *, raw=()):
    """Make an HTML table; every cell is escaped but those of the `raw` columns.

    Parameters
    ----------
    frame : pandas.DataFrame
    raw : iterable of str
        Columns that hold HTML of our own making.

    Returns
    -------
    str
    """

    def cell(name, value):
        if name in raw:
            return f"<td>{value}</td>"
        if isinstance(value, float):
            return f'<td class="number">{value:.3f}</td>' if value == value else "<td></td>"
        return f"<td>{html.escape(str(value))}</td>"

    head = "".join(f"<th>{html.escape(str(name))}</th>" for name in frame.columns)
    columns = [frame[name].tolist() for name in frame.columns]
    body = "".join(
        "<tr>" + "".join(map(cell, frame.columns, row)) + "</tr>"
        for row in zip(*columns, strict=True)
    )
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        "</div>"
    )


def query_block(reference, neighbours, data, columns, remark=""):
    """Make the block of one example query: the reference and its ranked list, to listen to.

    Parameters
    ----------
    reference : pandas.Series
        A row of the tracks table.
    neighbours : pandas.DataFrame
        From `simlib.findings.neighbour_table`.
    data : path-like
        The catalogue's folder.
    columns : list of str
        Tag columns to show.

    Returns
    -------
    str
    """
    said = f"<p>{html.escape(remark)}</p>" if remark else ""
    return _block(reference, data, columns, said + _listed(neighbours, data))


def change_block(reference, before, after, data, columns):
    """Make the block of one recording whose list has changed: both lists, to listen to.

    Parameters
    ----------
    reference : pandas.Series
        A row of the tracks table.
    before, after : pandas.DataFrame
        From `simlib.changes.before_and_after`.
    data : path-like
        The catalogue's folder.
    columns : list of str
        Tag columns to show.

    Returns
    -------
    str
    """
    lists = f"<h4>Before</h4>{_listed(before, data)}<h4>After</h4>{_listed(after, data)}"
    return _block(reference, data, columns, lists)


def _block(reference, data, columns, lists):
    tags = " · ".join(html.escape(reference[c].replace(";", ", ")) for c in columns)
    return (
        f'<div class="query"><h3>{name(reference)}</h3>'
        f"<p>{player(Path(data) / reference['path'])} <small>{tags}</small></p>"
        f"{lists}</div>"
    )


def _listed(neighbours, data):
    known = ["rank", "title", "artist", "similarity", "shares", "before", "after"]
    shown = neighbours[[column for column in known if column in neighbours]].copy()
    paths = [Path(data) / path for path in neighbours["path"]]
    shown.insert(1, "listen", [player(path) for path in paths])
    return table(shown, raw=["listen"])


def judgements_block(found):
    """Make the block on what listeners say.

    Parameters
    ----------
    found : dict or None
        From `simlib.systems.judged`.

    Returns
    -------
    str
    """
    if found is None:
        return "<p>There is no judgement in <code>data/triplets.csv</code>.</p>"
    agreed = pd.DataFrame(
        [{"system": system} | values for system, values in found["agreement"].items()]
    )
    agreed = agreed.rename(columns={"value": "agreement", "n": "judgements"})
    parts = list(found["weights"])
    weights = pd.DataFrame(
        {
            "part": parts,
            "weight": [found["before"][part] for part in parts],
            "fitted": [found["weights"][part] for part in parts],
        }
    )
    left_out = found["left_out"]
    more = f" {left_out} more are on recordings that are not there." if left_out else ""
    return (
        f"{table(agreed)}<p>{html.escape(found['sentence'] + more)}</p>{table(weights)}"
        "<p>To search by fitted weights, give them to <code>index.weights</code> in "
        "<code>params.yaml</code>.</p>"
    )


def name(track):
    """Return a track's title and artist as escaped HTML."""
    artist = f" – {track['artist']}" if track["artist"] else ""
    return html.escape(f"{track['title'] or track['track_id']}{artist}")


def headline_block(text):
    """Make the block that a comparison opens with: one sentence of plain text."""
    return f'<div class="verdict"><p><b>{html.escape(text)}</b></p></div>'


def verdict_block(verdict, tracks, artists):
    """Make the block that a report opens with.

    Parameters
    ----------
    verdict : tuple of (str, list of str)
        Headline and details, from `simlib.findings.verdict`.
    tracks, artists : int
        How many were tested.

    Returns
    -------
    str
    """
    headline, details = verdict
    items = "".join(f"<li>{html.escape(text)}</li>" for text in details)
    return (
        f'<div class="verdict"><p><b>{html.escape(headline)}</b></p>'
        f"<p>Tested on {tracks} recordings by {artists} artists that the network never heard. "
        "Ahead and behind mean beyond chance: the 95% interval of the paired difference leaves "
        f"out 0.</p><details><summary>In figures</summary><ul>{items}</ul></details></div>"
    )


def rejected_block(rejected, kept):
    """Make the summary of what could not be used: counts by cause, and up to 50 rows."""
    if rejected.empty:
        return f"<p>Nothing: all {kept} recordings are in.</p>"
    causes = rejected["cause"].value_counts().rename_axis("cause").reset_index(name="entries")
    more = "" if len(rejected) <= 50 else "<p>The rest is in reports/rejected.csv.</p>"
    return (
        f"<p>{len(rejected)} entries were left out, {kept} recordings are in.</p>"
        f"{table(causes)}{table(rejected.head(50))}{more}"
    )


def record_block(params, packages):
    """Make the closing block: the parameters and the versions that made the report.

    Parameters
    ----------
    params : str
        The text of `params.yaml`.
    packages : iterable of str
        Names of installed packages.

    Returns
    -------
    str
    """
    versions = "\n".join(f"{name} {version(name)}" for name in packages)
    versions = f"Python {platform.python_version()}\n{versions}"
    return (
        f"<details><summary>Parameters</summary><pre>{html.escape(params)}</pre></details>"
        f"<details><summary>Versions</summary><pre>{html.escape(versions)}</pre></details>"
    )


def execute(notebook, executed, parameters):
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
        cause, _, mend = rest.rpartition("; ")
        raise SimlibError(subject, cause, mend) from None


def export(notebook, page):
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
