"""Results as HTML: one row of the panel's list, one block of the query page, a timeline."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from simlib.reporting import clock, render, short
from simlib.search import sameness


def match_texts(row: Any) -> dict[str, str]:
    """Return the texts of a match: both excerpts, the query's name and the score.

    Parameters
    ----------
    row : namedtuple
        Of `Searcher.query`.
    """
    return {
        "excerpt": f"{clock(row.start)}–{clock(row.end)}",
        "query_excerpt": f"{clock(row.query_start)}–{clock(row.query_end)}",
        "query": short(row.query, 40),
        "closer_than": f"{row.closer_than:.1f}",
    }


def result_markup(row: Any) -> Markup:
    """Make the text of one row of the panel's list.

    Parameters
    ----------
    row : namedtuple
        Of `Searcher.query`.
    """
    title, artist, tags = short(row.title or row.track_id), short(row.artist), short(row.tags, 90)
    automatic = short(row.auto_tags, 90)
    texts = (row.rank, title, artist, tags, automatic, sameness(row), match_texts(row))
    return render("results", "row", *texts)


def timeline_markup(found: pd.DataFrame) -> Markup:
    """Draw the excerpts of a long recording along time, each by its most similar track.

    Parameters
    ----------
    found : pandas.DataFrame
        From `Searcher.timeline`.

    Returns
    -------
    markupsafe.Markup
        A block for each excerpt, as wide as it is long, with the number of its row. The more
        similar its track, the darker it is; pointing at it shows the rest.
    """
    blocks = []
    for row in found.itertuples():
        span = f"{clock(row.excerpt_start)}–{clock(row.excerpt_end)}"
        score = "no close match" if row.no_close_match else f"closer than {row.closer_than:.1f}%"
        blocks.append(
            {
                "width": f"{row.excerpt_end - row.excerpt_start:.2f}",
                "shade": f"{0.0 if row.no_close_match else row.closer_than:.0f}",
                "text": f"{span} {row.title or row.track_id}, {score}",
            }
        )
    ends = clock(found["excerpt_start"].iloc[0]), clock(found["excerpt_end"].iloc[-1])
    return render("results", "timeline", blocks, *ends)


def bars(why: Mapping[str, float], weights: Mapping[str, float]) -> Markup:
    """Make bars of how similar two recordings are in each aspect.

    Parameters
    ----------
    why, weights : dict of str to float
        What each aspect adds to the similarity, and the most that it can.

    Returns
    -------
    markupsafe.Markup
        A bar is what an aspect adds as a share of the most, of another colour if it takes away;
        the number behind it is what it adds, in hundredths.
    """
    rows = [
        (aspect, round(100 * share), f"{100 * abs(share) / weights[aspect]:.0f}")
        for aspect, share in why.items()
        if weights[aspect]
    ]
    return render("results", "aspects", rows)
