"""What an evaluation tells: tables, a verdict in words, queries to listen to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simlib.evaluation.examples import list_neighbours
from simlib.evaluation.statistics import (
    chance_of,
    false_discovery_rates,
    resamples,
    swapped_artists,
)
from simlib.relevance import artist_keys, rank_candidates, tag_matrix, tag_sets

if TYPE_CHECKING:
    from simlib.evaluation.protocol import Evaluation
    from simlib.evaluation.settings import EvaluateSettings


def tag_neighbourhoods(
    evaluation: Evaluation, similarity: np.ndarray, most: int = 15
) -> pd.DataFrame:
    """Whose company the queries with a tag keep, for the first tag column.

    Returns
    -------
    pandas.DataFrame
        Rows: tags of the query, columns: tags of a neighbour, both the most frequent `most`; cells:
        the share of the k neighbours with that tag. Empty where there is no tag column.
    """
    if not evaluation.columns:
        return pd.DataFrame()
    column = evaluation.columns[0]
    member = evaluation.members[column]
    names = np.array(sorted(frozenset().union(*tag_sets(evaluation.tracks[column]))), dtype=object)
    often = np.argsort(-member.sum(axis=0), kind="stable")[:most]
    often = often[member[:, often].sum(axis=0) > 0]
    ranked = evaluation.ranked(similarity)
    present = (ranked >= 0)[:, :, None]
    share = (member[np.maximum(ranked, 0)] * present).sum(axis=1)
    share = share / np.maximum(present.sum(axis=1), 1)
    queries = member[:, often]
    cells = (queries.T @ share[:, often]) / queries.sum(axis=0)[:, None]
    names = pd.Index(names[often], name=column)
    return pd.DataFrame(cells, index=names, columns=names)


# The share of what is claimed that may be wrong.
FALSE_DISCOVERIES = 0.05
# A word of fewer artists than this among the queries is not judged.
FEWEST_ARTISTS = 5
# Times the odds: who would not even hear these, does not hear the word.
WORTH = 3.0
# Of the neighbours, to say that they agree; of a word's own pull, to say that another has it too.
HALF = 0.5


class Neighbourhoods:
    """The neighbours, by other artists, of recordings that the model never learned from.

    Parameters
    ----------
    similarity : numpy.ndarray, shape (n_queries, n_tracks)
        To the whole catalogue, so that rare tags have somebody to meet.
    tracks : pandas.DataFrame
        The catalogue's table.
    queries : numpy.ndarray of int, shape (n_queries,)
        Rows of `tracks`.
    columns : list of str
        Tag columns; one in which no query has a tag is left out.
    settings : simlib.evaluation.EvaluateSettings
    """

    def __init__(
        self,
        similarity: Sequence[np.ndarray],
        tracks: pd.DataFrame,
        queries: np.ndarray,
        columns: list[str],
        settings: EvaluateSettings,
    ):
        self.tracks, self.queries, self.settings = tracks, np.asarray(queries), settings
        self.columns, self.similarity = columns, np.asarray(similarity)
        artists = np.unique(artist_keys(tracks).astype(str), return_inverse=True)[1]
        candidate_mask = artists[self.queries][:, None] != artists[None, :]
        self.artists = artists
        self.ranked = rank_candidates(self.similarity, candidate_mask, settings.k, settings.seed)
        words = {column: _Words(self, column) for column in columns}
        self.words = {column: found for column, found in words.items() if len(found.queries)}

    def nearest(self, row: int) -> pd.DataFrame:
        """Lay out the list of the query in this row of the tracks; see `list_neighbours`."""
        [at] = np.flatnonzero(self.queries == row)
        ranked = self.ranked[at][self.ranked[at] >= 0]
        return list_neighbours(self.tracks, self.columns, row, ranked, self.similarity[at, ranked])


class _Words:
    """The words of one column, among the queries that have any and among their neighbours.

    Words that stand on the same recordings throughout are one word: `calm = peaceful`.

    Attributes
    ----------
    names : numpy.ndarray of object, shape (n_words,)
    member : numpy.ndarray of bool, shape (n_tracks, n_words)
    queries, artists, listed : numpy.ndarray of int64, shape (n_queries,)
        Row, artist from 0 on, and number of neighbours.
    own : numpy.ndarray of bool, shape (n_queries, n_words)
    near : numpy.ndarray of bool, shape (n_queries, k, n_words)
    hits : numpy.ndarray of int64, shape (n_queries, n_words)
        How many neighbours carry each word.
    """

    def __init__(self, neighbourhoods, column):
        cells = neighbourhoods.tracks[column]
        names = np.array(sorted(frozenset().union(*tag_sets(cells))), dtype=object)
        self.member, group = np.unique(tag_matrix(cells) > 0, axis=1, return_inverse=True)
        groups = range(self.member.shape[1])
        self.names = np.array([" = ".join(names[group == g]) for g in groups], dtype=object)
        ranked, queries = neighbourhoods.ranked, neighbourhoods.queries
        counts = self.member[queries].any(axis=1) & (ranked >= 0).any(axis=1)
        ranked, self.queries = ranked[counts], queries[counts]
        codes = neighbourhoods.artists[self.queries]
        self.artists = np.unique(codes, return_inverse=True)[1]
        self.listed = (ranked >= 0).sum(axis=1)
        self.own = self.member[self.queries]
        self.near = self.member[np.maximum(ranked, 0)] & (ranked >= 0)[:, :, None]
        self.hits = self.near.sum(axis=1)


def tag_support_table(neighbourhoods: Neighbourhoods) -> pd.DataFrame:
    """Say of every word how well the sound supports it.

    Parameters
    ----------
    neighbourhoods : Neighbourhoods

    Returns
    -------
    pandas.DataFrame
        One row a word, best supported first within its column: `column, tag`; `recordings` of the
        catalogue, `queries` and `artists` of theirs that carry it; `share` of these queries'
        neighbours with the word and `elsewhere`, the same of the other tagged queries; `odds`, the
        ratio of the odds of both, which frequent and rare words share one scale by, with its 95%
        interval `low, high` over artists; `detectable`, the odds that chance stays below 19 times
        out of 20; `q`, the false discovery rate at which it would be called heard; `verdict`:

        - heard: more often than by chance.
        - barely heard: the same, but even at the upper end less than three times the odds.
        - not heard: less than three times even at the upper end, and three times would have shown.
        - cannot tell: anything else, and words of fewer than five artists, without an interval.
    """
    names = "column tag recordings queries artists share elsewhere odds low high detectable p"
    rows = [
        row
        for column, words in neighbourhoods.words.items()
        for row in _supported(column, words, neighbourhoods.settings)
    ]
    table = pd.DataFrame(rows, columns=names.split())
    table["q"] = false_discovery_rates(table.pop("p"))
    found = (table["q"] <= FALSE_DISCOVERIES) & (table["low"] > 1)
    faint = table["high"] < WORTH
    table["verdict"] = np.select(
        [found & faint, found, faint & (table["detectable"] < WORTH)],
        ["barely audible", "audible", "not audible"],
        "unclear",
    )
    return table


def _supported(column, words, settings):
    """Rows of `tag_support_table`, and how often chance does as well; greatest odds first."""
    own, hits, listed = words.own, words.hits, words.listed
    odds = _odds(own, hits, listed, np.ones((1, len(own))))[0]
    counts = [words.member.sum(axis=0), own.sum(axis=0), witnesses(words, own)]
    shares = [_share(carry, hits, listed) for carry in (own, ~own)]
    told = [*counts, *shares, odds, *_judged(words, odds, settings)]
    order = np.argsort(-odds, kind="stable")
    return zip([column] * len(odds), words.names[order], *(t[order] for t in told), strict=True)


def _judged(words, odds, settings):
    """Low, high, detectable and chance of every word's odds; NaN where artists are too few."""
    table = np.full((4, len(odds)), np.nan)
    fewest = np.minimum(witnesses(words, words.own), witnesses(words, ~words.own))
    judged = np.flatnonzero(fewest >= FEWEST_ARTISTS)
    if not len(judged):
        return table
    own, hits, listed = words.own[:, judged], words.hits[:, judged], words.listed
    drawn = resamples(words.artists, settings.bootstrap, settings.seed)
    swaps = swapped_artists(words.artists, settings.bootstrap, settings.seed)
    even = np.ones((1, len(own)))
    swapped = np.concatenate([_odds(own[rows], hits, listed, even) for rows in swaps])
    interval = np.nanpercentile(_odds(own, hits, listed, drawn), [2.5, 97.5], axis=0)
    table[:2, judged] = interval
    table[2, judged] = np.nanpercentile(swapped, 95, axis=0)
    table[3, judged] = chance_of(swapped, odds[judged])
    return table


def witnesses(words, carry):
    """Count the artists of the queries that each mask, shape (n_queries, n_words), picks."""
    return np.array([len(np.unique(words.artists[mask])) for mask in carry.T])


def _share(carry, hits, listed):
    neighbours = (carry * listed[:, None]).sum(axis=0)
    return np.divide(
        (carry * hits).sum(axis=0), neighbours, out=np.full(hits.shape[1], np.nan),
        where=neighbours > 0,
    )  # fmt: skip


def _odds(own, hits, listed, weights):
    """Odds that a neighbour carries a word, for queries with it over queries without it.

    Half a neighbour is added to each of the four counts (Haldane 1956, Anscombe 1956), so that a
    word that was never met has odds too.

    Parameters
    ----------
    own : numpy.ndarray of bool, shape (n_queries, n_words)
    hits : numpy.ndarray of int64, shape (n_queries, n_words)
    listed : numpy.ndarray of int64, shape (n_queries,)
    weights : numpy.ndarray of float64, shape (times, n_queries)
        How often each query counts.

    Returns
    -------
    numpy.ndarray of float64, shape (times, n_words)
        NaN where all queries carry the word, or none.
    """
    met, lists = weights @ (own * hits), weights @ (own * listed[:, None])
    others_met = weights @ hits - met
    others_lists = (weights @ listed)[:, None] - lists
    with_it = (met + 0.5) / (lists - met + 0.5)
    without = (others_met + 0.5) / (others_lists - others_met + 0.5)
    return np.where((lists > 0) & (others_lists > 0), with_it / without, np.nan)
