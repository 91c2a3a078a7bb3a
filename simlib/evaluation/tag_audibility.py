"""Audible tags: which tags the sound supports.

A tag is audible if the neighbours of recordings that carry it carry it more often than those of
other recordings. Intervals resample artists, and chance is what the same lists show if artists swap
their tags. Of many tags some would pass by chance, so a false discovery rate bounds their share
(Benjamini and Hochberg 1995).
"""

import numpy as np
import pandas as pd

from simlib.evaluation.lists import RankedLists, rank_by_other_artists
from simlib.evaluation.protocol import Evaluation
from simlib.evaluation.settings import EvaluateSettings
from simlib.evaluation.similarities import Similarity
from simlib.evaluation.statistics import (
    false_discovery_rates,
    permutation_p,
    resample_artists,
    swap_artists,
)
from simlib.relevance import artist_codes, artist_keys, tag_matrix, tag_sets


def tag_neighbourhoods(evaluation: Evaluation, lists: RankedLists, most: int = 15) -> pd.DataFrame:
    """Count the tags of the neighbours of queries with each tag, for the first tag column.

    Returns
    -------
    pandas.DataFrame
        Rows: tags of the query, columns: tags of a neighbour, both the `most` frequent; cells: the
        share of the k neighbours with that tag. Empty without tag columns.
    """
    if not evaluation.columns:
        return pd.DataFrame()
    column = evaluation.columns[0]
    tags, names = evaluation.tag_matrices[column], _tag_names(evaluation.tracks[column])
    ranked, own = lists.ranked, tags[lists.queries]
    often = np.argsort(-tags.sum(axis=0), kind="stable")[:most]
    often = often[own[:, often].sum(axis=0) > 0]
    present = (ranked >= 0)[:, :, None]
    share = (tags[np.maximum(ranked, 0)] * present).sum(axis=1)
    share = share / np.maximum(present.sum(axis=1), 1)
    queries = own[:, often]
    cells = (queries.T @ share[:, often]) / queries.sum(axis=0)[:, None]
    labels = pd.Index(names[often], name=column)
    return pd.DataFrame(cells, index=labels, columns=labels)


def _tag_names(column):
    """Return the tags of a column in alphabetical order, as in `tag_matrix`."""
    return np.array(sorted(frozenset().union(*tag_sets(column))), dtype=object)


class Neighbourhoods:
    """The neighbours, by other artists, of test recordings in the whole catalogue.

    The whole catalogue counts, since few test recordings have a rare tag.

    Parameters
    ----------
    similarity : Similarity or numpy.ndarray, shape (n_tracks, n_tracks)
    tracks : pandas.DataFrame
        The catalogue's table.
    queries : numpy.ndarray of int, shape (n_queries,)
        Rows of `tracks`.
    columns : list of str
        Tag columns; one in which no query has a tag is left out.
    settings : simlib.evaluation.EvaluateSettings

    Attributes
    ----------
    columns : dict of str to TaggedQueries
    settings : simlib.evaluation.EvaluateSettings
    """

    def __init__(
        self, similarity: Similarity | np.ndarray, tracks: pd.DataFrame, queries: np.ndarray,
        columns: list[str], settings: EvaluateSettings,
    ):  # fmt: skip
        queries, artists = np.asarray(queries), artist_codes(artist_keys(tracks))
        ranked = rank_by_other_artists(similarity, artists, queries, settings).ranked
        tagged = {c: TaggedQueries(tracks[c], queries, ranked, artists[queries]) for c in columns}
        self.columns = {column: found for column, found in tagged.items() if len(found.own)}
        self.settings = settings


class TaggedQueries:
    """The queries with any tag of a column, and the tags of their neighbours.

    Tags of exactly the same recordings are one tag: `calm = peaceful`.

    Attributes
    ----------
    names : numpy.ndarray of object, shape (n_tags,)
    tags : numpy.ndarray of bool, shape (n_tracks, n_tags)
    artists, listed : numpy.ndarray of int64, shape (n_queries,)
        Artist from 0 on, and number of neighbours.
    own : numpy.ndarray of bool, shape (n_queries, n_tags)
    near : numpy.ndarray of bool, shape (n_queries, k, n_tags)
        The tags of each neighbour.
    hits : numpy.ndarray of int64, shape (n_queries, n_tags)
        The number of neighbours with each tag.
    """

    def __init__(
        self, column: pd.Series, queries: np.ndarray, ranked: np.ndarray, artists: np.ndarray
    ):
        self.tags, group = np.unique(tag_matrix(column) > 0, axis=1, return_inverse=True)
        groups, names = range(self.tags.shape[1]), _tag_names(column)
        self.names = np.array([" = ".join(names[group == g]) for g in groups], dtype=object)
        counts = self.tags[queries].any(axis=1) & (ranked >= 0).any(axis=1)
        ranked, self.own = ranked[counts], self.tags[queries[counts]]
        self.artists = np.unique(artists[counts], return_inverse=True)[1]
        self.listed = (ranked >= 0).sum(axis=1)
        self.near = self.tags[np.maximum(ranked, 0)] & (ranked >= 0)[:, :, None]
        self.hits = self.near.sum(axis=1)

    def artists_with(self, mask: np.ndarray) -> np.ndarray:
        """Count the artists of the queries that each column of a mask picks: shape (n_tags,)."""
        return np.array([len(np.unique(self.artists[picked])) for picked in mask.T])


def tag_support_table(neighbourhoods: Neighbourhoods) -> pd.DataFrame:
    """Tabulate how well the sound supports every tag.

    Parameters
    ----------
    neighbourhoods : Neighbourhoods

    Returns
    -------
    pandas.DataFrame
        One row a tag, best supported first within its column: `column, tag`; `recordings` of the
        catalogue, `queries` and `artists` of theirs that carry it; `odds`, how much higher the odds
        of the tag are among the neighbours of these queries than of the others, with its 95%
        interval `low, high` over artists; `detectable`, the odds ratio below which chance stays 19
        times out of 20; `q`, the false discovery rate; `audibility`:

        - audible: more often than by chance.
        - barely audible: the same, but even the upper end is below the relevant odds ratio.
        - not audible: the upper end is below the relevant odds ratio, which would have shown.
        - unclear: anything else, and tags of too few artists, without an interval.
    """
    names = "column tag recordings queries artists odds low high detectable p"
    settings = neighbourhoods.settings
    tables = [_supported(c, tagged, settings) for c, tagged in neighbourhoods.columns.items()]
    table = pd.concat(tables) if tables else pd.DataFrame(columns=names.split())
    table = table.reset_index(drop=True)
    table["q"] = false_discovery_rates(table.pop("p"))
    study = settings.tag_study
    found = (table["q"] <= study.false_discoveries) & (table["low"] > 1)
    faint = table["high"] < study.relevant_odds_ratio
    table["audibility"] = np.select(
        [found & faint, found, faint & (table["detectable"] < study.relevant_odds_ratio)],
        ["barely audible", "audible", "not audible"],
        "unclear",
    )
    return table


def _supported(column, tagged, settings):
    """Make the rows of `tag_support_table` of one column, with p-values; greatest odds first."""
    own, hits, listed = tagged.own, tagged.hits, tagged.listed
    odds = _odds(own, hits, listed, np.ones((1, len(own))))[0]
    low, high, detectable, p = _tested(tagged, odds, settings)
    table = pd.DataFrame({
        "column": column, "tag": tagged.names, "recordings": tagged.tags.sum(axis=0),
        "queries": own.sum(axis=0), "artists": tagged.artists_with(own),
        "odds": odds, "low": low, "high": high, "detectable": detectable, "p": p,
    })  # fmt: skip
    return table.iloc[np.argsort(-odds, kind="stable")]


def _tested(tagged, odds, settings):
    """Compute low, high, detectable and p of every tag's odds; NaN with too few artists."""
    table = np.full((4, len(odds)), np.nan)
    fewest = np.minimum(tagged.artists_with(tagged.own), tagged.artists_with(~tagged.own))
    tested = np.flatnonzero(fewest >= settings.tag_study.fewest_artists)
    if not len(tested):
        return table
    own, hits, listed = tagged.own[:, tested], tagged.hits[:, tested], tagged.listed
    drawn = resample_artists(tagged.artists, settings.bootstrap, settings.seed)
    swaps = swap_artists(tagged.artists, settings.bootstrap, settings.seed)
    even = np.ones((1, len(own)))
    swapped = np.concatenate([_odds(own[rows], hits, listed, even) for rows in swaps])
    table[:2, tested] = np.nanpercentile(_odds(own, hits, listed, drawn), [2.5, 97.5], axis=0)
    table[2, tested] = np.nanpercentile(swapped, 95, axis=0)
    table[3, tested] = permutation_p(swapped, odds[tested])
    return table


def _odds(own, hits, listed, weights):
    """Compute the odds that a neighbour has a tag: for queries with it over queries without it.

    Half a neighbour is added to each of the four counts (Haldane 1956, Anscombe 1956), so that the
    ratio is finite.

    Parameters
    ----------
    own : numpy.ndarray of bool, shape (n_queries, n_tags)
    hits : numpy.ndarray of int64, shape (n_queries, n_tags)
    listed : numpy.ndarray of int64, shape (n_queries,)
    weights : numpy.ndarray of float64, shape (times, n_queries)
        How often each query counts.

    Returns
    -------
    numpy.ndarray of float64, shape (times, n_tags)
        NaN if all queries have the tag, or none.
    """
    met, lists = weights @ (own * hits), weights @ (own * listed[:, None])
    others_met = weights @ hits - met
    others_lists = (weights @ listed)[:, None] - lists
    with_it = (met + 0.5) / (lists - met + 0.5)
    without = (others_met + 0.5) / (others_lists - others_met + 0.5)
    return np.where((lists > 0) & (others_lists > 0), with_it / without, np.nan)
