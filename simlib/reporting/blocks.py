"""Blocks of reports: HTML from templates."""

import os
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import pandas as pd
from markupsafe import Markup

from simlib.reporting.html import audio_player, html_table, render
from simlib.reporting.text import track_name

# The most rejected entries that a report lists.
MOST_REJECTED = 50


def query_block(
    query: pd.Series, neighbours: pd.DataFrame, data: str | os.PathLike, columns: list[str]
) -> Markup:
    """Make the block of one example query, with its ranked list to listen to.

    Parameters
    ----------
    query : pandas.Series
        A row of the tracks table.
    neighbours : pandas.DataFrame
        From `simlib.evaluation.neighbour_table`.
    data : path-like
        The catalogue's folder.
    columns : list of str
        Tag columns to show.

    Returns
    -------
    markupsafe.Markup
    """
    return _block(query, {"": neighbours}, data, columns)


def change_block(
    query: pd.Series, before: pd.DataFrame, after: pd.DataFrame, data: str | os.PathLike,
    columns: list[str],
) -> Markup:  # fmt: skip
    """Make the block of one recording whose list has changed, with both lists to listen to.

    Parameters
    ----------
    query : pandas.Series
        A row of the tracks table.
    before, after : pandas.DataFrame
        From `simlib.evaluation.before_and_after`.
    data : path-like
        The catalogue's folder.
    columns : list of str
        Tag columns to show.

    Returns
    -------
    markupsafe.Markup
    """
    return _block(query, {"Before": before, "After": after}, data, columns)


def _block(query, lists, data, columns):
    tags = " · ".join(query[column].replace(";", ", ") for column in columns)
    tables = [(title, _playable(listed, data)) for title, listed in lists.items()]
    player = audio_player(Path(data) / query["path"])
    return render("blocks", "query", track_name(query), player, tags, tables)


def _playable(listed, data):
    """Make a table of a ranked list, with a player in each row."""
    known = ["rank", "title", "artist", "similarity", "shares", "before", "after"]
    shown = listed[[column for column in known if column in listed]].copy()
    shown.insert(1, "listen", [audio_player(Path(data) / path) for path in listed["path"]])
    return html_table(shown, raw=["listen"])


def track_block(track: pd.Series) -> Markup:
    """Make a heading of a track's title and artist."""
    return render("results", "name", track_name(track))


def judgements_block(found: dict | None) -> Markup:
    """Make the block on the agreement with listeners.

    Parameters
    ----------
    found : dict or None
        From `simlib.evaluation.evaluate_judgements`.
    """
    if found is None:
        return render("blocks", "judgements", None, 0)
    rows = [{"system": system} | values for system, values in found["agreement"].items()]
    table = pd.DataFrame(rows).rename(columns={"value": "agreement", "n": "judgements"})
    return render("blocks", "judgements", html_table(table), found["left_out"])


def headline_block(text: str) -> Markup:
    """Make the first block of a page: a headline of plain text."""
    return render("blocks", "headline", text)


def summary_block(headline: str, details: list[str], tracks: int, artists: int) -> Markup:
    """Make the first block of the report: headline, details and size of the test.

    Parameters
    ----------
    headline : str
    details : list of str
        Both from `simlib.evaluation.headline_of`.
    tracks, artists : int
        Numbers of test tracks and test artists.
    """
    return render("blocks", "summary", headline, details, tracks, artists)


def rejected_block(rejected: pd.DataFrame, kept: int) -> Markup:
    """Make the block on rejected entries: counts by cause, and the first rows."""
    causes = rows = ""
    if not rejected.empty:
        counts = rejected["cause"].value_counts()
        causes = html_table(counts.rename_axis("cause").reset_index(name="entries"))
        rows = html_table(rejected.head(MOST_REJECTED))
    more = len(rejected) > MOST_REJECTED
    return render("blocks", "rejected", len(rejected), kept, causes, rows, more)


def record_block(params: str, packages: Iterable[str]) -> Markup:
    """Make the last block: parameters and package versions.

    Parameters
    ----------
    params : str
        The text of `params.yaml`.
    packages : iterable of str
        Names of installed packages.
    """
    versions = [f"{name} {version(name)}" for name in packages]
    text = "\n".join([f"Python {platform.python_version()}", *versions])
    return render("blocks", "record", params, text)
