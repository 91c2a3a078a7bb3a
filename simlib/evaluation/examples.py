"""What an evaluation tells: tables, a verdict in words, queries to listen to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simlib.core import digest_of
from simlib.relevance import tag_sets

if TYPE_CHECKING:
    from simlib.evaluation.protocol import Evaluation


def example_queries(evaluation: Evaluation, count: int) -> list[int]:
    """Choose queries of great variety: spread over tag values and artists, the same every time.

    Returns
    -------
    list of int
        Rows of the evaluation's tracks.
    """
    tracks = evaluation.tracks
    order = np.argsort([digest_of(str(t)) for t in tracks["track_id"]])
    chosen: list[int] = []
    artists: set = set()
    seen: dict[str, int] = {}
    first = tag_sets(tracks[evaluation.columns[0]]) if evaluation.columns else None
    for _ in range(min(count, len(tracks))):
        # The next is the one whose tags, and then whose artist, have been heard least.
        def heard(row):
            tags = first[row] if first else frozenset()
            return (
                row in chosen,
                min((seen.get(tag, 0) for tag in tags), default=0),
                evaluation.artists[row] in artists,
            )

        row = min(order, key=heard)
        chosen.append(int(row))
        artists.add(evaluation.artists[row])
        for tag in first[row] if first else ():
            seen[tag] = seen.get(tag, 0) + 1
    return chosen


def hardest_queries(evaluation: Evaluation, similarity: np.ndarray, count: int) -> list[int]:
    """Name the queries whose lists are worst, by the mean of their nDCG over tag columns.

    Returns
    -------
    list of int
        Rows of the evaluation's tracks, the worst first; empty where there is no tag column.
    """
    measures = evaluation.scores(similarity)
    ndcgs = [values for name, values in measures.items() if "_ndcg@" in name]
    if not ndcgs:
        return []
    counted = np.isfinite(np.stack(ndcgs)).any(axis=0)
    mean = np.full(len(counted), np.inf)
    mean[counted] = np.nanmean(np.stack(ndcgs)[:, counted], axis=0)
    return [int(row) for row in np.argsort(mean, kind="stable")[:count] if counted[row]]


def neighbour_table(evaluation: Evaluation, similarity: np.ndarray, query: int) -> pd.DataFrame:
    """Return the ranked list of one query; see `list_neighbours`."""
    ranked = evaluation.ranked(similarity)[query]
    ranked = ranked[ranked >= 0]
    return list_neighbours(
        evaluation.tracks, evaluation.columns, query, ranked, similarity[query, ranked]
    )


def list_neighbours(tracks, columns, query, ranked, similarities):
    """Lay out a ranked list.

    Parameters
    ----------
    tracks : pandas.DataFrame
    columns : list of str
        Its tag columns.
    query : int
        Its row of the reference.
    ranked : numpy.ndarray of int, shape (n_found,)
        Rows of the results, best first.
    similarities : numpy.ndarray, shape (n_found,)

    Returns
    -------
    pandas.DataFrame
        Columns `rank, track_id, path, title, artist, similarity`, the tag columns and `shares`,
        the tags in common.
    """
    table = tracks.iloc[ranked][["track_id", "path", "title", "artist", *columns]].copy()
    table.insert(0, "rank", np.arange(1, len(ranked) + 1))
    table.insert(4, "similarity", similarities)
    sets = [tag_sets(tracks[column].iloc[[query, *ranked]]) for column in columns]
    table["shares"] = [
        ", ".join(sorted(frozenset().union(*(tags[0] & tags[at] for tags in sets))))
        for at in range(1, len(ranked) + 1)
    ]
    return table.reset_index(drop=True)
