"""HTML that carries everything in itself: players, tables, and notebooks as pages to mail."""

import html
import platform
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from simlib.reporting.html import audio_player, html_table
from simlib.reporting.text import recording_name


def query_block(reference, neighbours, data, columns, remark=""):
    """Make the block of one example query: the reference and its ranked list, to listen to.

    Parameters
    ----------
    reference : pandas.Series
        A row of the tracks table.
    neighbours : pandas.DataFrame
        From `simlib.evaluation.neighbour_table`.
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
        From `simlib.evaluation.before_and_after`.
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
        f'<div class="query"><h3>{recording_name(reference)}</h3>'
        f"<p>{audio_player(Path(data) / reference['path'])} <small>{tags}</small></p>"
        f"{lists}</div>"
    )


def _listed(neighbours, data):
    known = ["rank", "title", "artist", "similarity", "shares", "before", "after"]
    shown = neighbours[[column for column in known if column in neighbours]].copy()
    paths = [Path(data) / path for path in neighbours["path"]]
    shown.insert(1, "listen", [audio_player(path) for path in paths])
    return html_table(shown, raw=["listen"])


def judgements_block(found):
    """Make the block on what listeners say.

    Parameters
    ----------
    found : dict or None
        From `simlib.evaluation.evaluate_judgements`.

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
        f"{html_table(agreed)}<p>{html.escape(found['sentence'] + more)}</p>{html_table(weights)}"
        "<p>To search by fitted weights, give them to <code>index.weights</code> in "
        "<code>params.yaml</code>.</p>"
    )


def headline_block(text):
    """Make the block that a comparison opens with: one sentence of plain text."""
    return f'<div class="verdict"><p><b>{html.escape(text)}</b></p></div>'


def verdict_block(verdict, tracks, artists):
    """Make the block that a report opens with.

    Parameters
    ----------
    verdict : tuple of (str, list of str)
        Headline and details, from `simlib.evaluation.headline_of`.
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
        f"{html_table(causes)}{html_table(rejected.head(50))}{more}"
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
