"""Ranked lists of many queries, made in blocks."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from simlib.evaluation.settings import EvaluateSettings
from simlib.evaluation.similarities import Similarity
from simlib.relevance import rank_candidates

# Pairs of a query and a candidate that are in memory at once: 64 MB of float64.
BLOCK = 2**23


@dataclass(frozen=True)
class RankedLists:
    """The lists that a system gives.

    Attributes
    ----------
    queries : numpy.ndarray of int64, shape (n_queries,)
        Rows of the tracks.
    ranked : numpy.ndarray of int64, shape (n_queries, k)
        Rows of the tracks from rank 1 on, artist-filtered; -1 for none.
    similarities : numpy.ndarray, shape (n_queries, k)
        Of the ranked tracks to the query; not defined for none.
    """

    queries: np.ndarray
    ranked: np.ndarray
    similarities: np.ndarray

    def occurrence(self, count: int) -> np.ndarray:
        """Count in how many lists each of `count` tracks stands: int64, shape (count,)."""
        return np.bincount(self.ranked[self.ranked >= 0], minlength=count)


def query_blocks(queries: np.ndarray, candidates: int) -> Iterator[np.ndarray]:
    """Yield the queries in blocks whose pairs with all candidates fit into memory.

    Parameters
    ----------
    queries : numpy.ndarray of int64, shape (n_queries,)
    candidates : int
        Number of candidates.

    Yields
    ------
    numpy.ndarray of int64, shape (n_block,)
    """
    step = max(1, BLOCK // max(candidates, 1))
    for first in range(0, len(queries), step):
        yield queries[first : first + step]


def rank_block(
    block: np.ndarray, artists: np.ndarray, queries: np.ndarray, settings: EvaluateSettings
) -> RankedLists:
    """Rank the candidates of some queries; see `rank_by_other_artists`.

    Parameters
    ----------
    block : numpy.ndarray, shape (n_queries, n_tracks)
        Similarities.
    artists : numpy.ndarray, shape (n_tracks,)
    queries : numpy.ndarray of int64, shape (n_queries,)
    settings : simlib.evaluation.EvaluateSettings

    Returns
    -------
    RankedLists
    """
    candidate_mask = artists[queries][:, None] != artists
    ranked = rank_candidates(block, candidate_mask, settings.k, settings.seed)
    return RankedLists(queries, ranked, np.take_along_axis(block, np.maximum(ranked, 0), axis=1))


def rank_by_other_artists(
    similarity: Similarity | np.ndarray, artists: np.ndarray, queries: np.ndarray,
    settings: EvaluateSettings,
) -> RankedLists:  # fmt: skip
    """Rank the tracks by other artists for many queries, in blocks.

    Parameters
    ----------
    similarity : Similarity or numpy.ndarray, shape (n_tracks, n_tracks)
    artists : numpy.ndarray, shape (n_tracks,)
        Equal for tracks by one artist.
    queries : numpy.ndarray of int64, shape (n_queries,)
        Rows of the tracks.
    settings : simlib.evaluation.EvaluateSettings
        `k`, and `seed` of the random order of ties.

    Returns
    -------
    RankedLists
    """
    blocks = [
        rank_block(similarity[rows], artists, rows, settings)
        for rows in query_blocks(queries, len(artists))
    ]
    size = min(settings.k, len(artists))
    none = RankedLists(queries[:0], np.empty((0, size), dtype=np.int64), np.empty((0, size)))
    parts = blocks or [none]
    return RankedLists(
        queries, np.concatenate([part.ranked for part in parts]),
        np.concatenate([part.similarities for part in parts]),
    )  # fmt: skip
