"""Example queries and their ranked lists, to listen to."""

from collections import Counter

import numpy as np
import pandas as pd

from simlib.core import digest_order
from simlib.evaluation.lists import RankedLists
from simlib.evaluation.protocol import Evaluation
from simlib.index import Index
from simlib.relevance import tag_sets


def example_queries(evaluation: Evaluation, count: int) -> list[int]:
    """Choose queries of great variety: spread over tags and artists, the same every time.

    Returns
    -------
    list of int
        Rows of the evaluation's tracks.
    """
    tracks, artists = evaluation.tracks, evaluation.artists
    order = evaluation.queries[digest_order(tracks["track_id"].iloc[evaluation.queries])]
    columns = evaluation.columns[:1]
    tags = tag_sets(tracks[columns[0]]) if columns else [frozenset()] * len(tracks)
    chosen: list[int] = []
    for _ in range(min(count, len(order))):
        seen = Counter(tag for row in chosen for tag in tags[row])
        known = {artists[row] for row in chosen}
        # The next query has the tag that was chosen least often, if possible by another artist.
        rank = {
            row: (row in chosen, min((seen[t] for t in tags[row]), default=0), artist in known)
            for row, artist in zip(order, artists[order], strict=True)
        }
        chosen.append(int(min(order, key=rank.__getitem__)))
    return chosen


def hardest_queries(evaluation: Evaluation, lists: RankedLists, count: int) -> list[int]:
    """Find the queries with the worst lists, by the mean of their nDCG over tag columns.

    Returns
    -------
    list of int
        Rows of the evaluation's tracks, the worst first; empty without tag columns.
    """
    mean = pd.Series(evaluation.mean_ndcg(lists)).dropna()
    worst = mean.sort_values(kind="stable").index[:count]
    return lists.queries[worst].tolist()


def neighbour_table(evaluation: Evaluation, lists: RankedLists, query: int) -> pd.DataFrame:
    """Return the ranked list of one query.

    Parameters
    ----------
    evaluation : Evaluation
    lists : RankedLists
    query : int
        Row of the evaluation's tracks, among the queries of the lists.

    Returns
    -------
    pandas.DataFrame
        Columns `rank, track_id, path, title, similarity, artist`, the tag columns and `shares`,
        the tags in common.
    """
    place = int(np.flatnonzero(lists.queries == query)[0])
    listed = lists.ranked[place] >= 0
    ranked, found = lists.ranked[place, listed], lists.similarities[place, listed]
    return _list_of(evaluation.tracks, evaluation.columns, query, ranked, found)


def catalogue_neighbours(index: Index, columns: list[str], query: int, k: int) -> pd.DataFrame:
    """Return the ranked list of a track in the whole catalogue, also of its own artist.

    Parameters
    ----------
    index : simlib.index.Index
    columns : list of str
        Tag columns.
    query : int
        Row of a track.
    k : int
        Length of the list.

    Returns
    -------
    pandas.DataFrame
        As `neighbour_table`.
    """
    ranked, found = index.search(index.vectors()[query], k, query)
    return _list_of(index.tracks, columns, query, ranked, found)


def _list_of(tracks, columns, query, ranked, similarities):
    table = tracks.iloc[ranked][["track_id", "path", "title", "artist", *columns]].copy()
    table.insert(0, "rank", np.arange(1, len(ranked) + 1))
    table.insert(4, "similarity", similarities)
    sets = [tag_sets(tracks[column].iloc[[query, *ranked]]) for column in columns]
    table["shares"] = [
        ", ".join(sorted(frozenset().union(*(tags[0] & tags[at] for tags in sets))))
        for at in range(1, len(ranked) + 1)
    ]
    return table.reset_index(drop=True)
