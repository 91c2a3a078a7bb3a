"""Metrics of ranked lists.

The rows of a similarity matrix are queries, its columns candidates. A candidate mask of the same
shape marks the candidates that may be ranked.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from simlib.relevance.artists import artist_filter, artist_keys
from simlib.relevance.labels import jaccard, tag_matrix


def rank_candidates(
    similarity: np.ndarray, candidate_mask: np.ndarray, k: int, seed: int
) -> np.ndarray:
    """Rank the k most similar candidates of every query.

    Parameters
    ----------
    similarity : numpy.ndarray, shape (n_queries, n_candidates)
    candidate_mask : numpy.ndarray of bool, shape (n_queries, n_candidates)
    k : int
    seed : int
        Of the random order of ties.

    Returns
    -------
    numpy.ndarray of int64, shape (n_queries, min(k, n_candidates))
        Candidates from rank 1 on; -1 if a query has fewer.
    """
    count = similarity.shape[1]
    k = min(k, count)
    ranked = np.full((len(similarity), k), -1)
    if not k:
        return ranked
    place = np.empty(count, dtype=np.int64)
    place[np.random.default_rng(seed).permutation(count)] = np.arange(count)
    scores = np.where(candidate_mask, similarity, -np.inf)
    # Sorting all candidates of a large catalogue would take far longer than finding the best k.
    least = np.partition(scores, count - k, axis=1)[:, count - k]
    for row, values in enumerate(scores):
        near = np.flatnonzero((values >= least[row]) & (values > -np.inf))
        near = near[np.lexsort((place[near], -values[near]))[:k]]
        ranked[row, : len(near)] = near
    return ranked


def ndcg(ranked: np.ndarray, gain: np.ndarray, candidate_mask: np.ndarray) -> np.ndarray:
    """Compute the normalised discounted cumulative gain (Jarvelin and Kekalainen 2002).

    The gain is linear, the discount 1 / log2(rank + 1).

    Parameters
    ----------
    ranked : numpy.ndarray of int, shape (n_queries, k)
        From `rank_candidates`.
    gain : numpy.ndarray, shape (n_queries, n_candidates)
        How relevant each candidate is to each query.
    candidate_mask : numpy.ndarray of bool, shape (n_queries, n_candidates)
        The ideal list is drawn from the same candidates.

    Returns
    -------
    numpy.ndarray of float64, shape (n_queries,)
        NaN for a query to which nothing is relevant.
    """
    listed = np.take_along_axis(gain, np.maximum(ranked, 0), axis=1)
    found = discounted_gain(np.where(ranked >= 0, listed, 0.0))
    return normalised_gain(found, ideal_gain(gain, candidate_mask, ranked.shape[1]))


def discounted_gain(gains: np.ndarray) -> np.ndarray:
    """Compute the discounted cumulative gain of lists.

    Parameters
    ----------
    gains : numpy.ndarray, shape (n_queries, k)
        Of what stands at each rank; 0 for nothing.

    Returns
    -------
    numpy.ndarray of float64, shape (n_queries,)
    """
    return gains @ (1.0 / np.log2(np.arange(2, gains.shape[1] + 2)))


def ideal_gain(gain: np.ndarray, candidate_mask: np.ndarray, k: int) -> np.ndarray:
    """Compute the discounted cumulative gain of the best lists of k that there can be.

    Parameters
    ----------
    gain : numpy.ndarray, shape (n_queries, n_candidates)
    candidate_mask : numpy.ndarray of bool, shape (n_queries, n_candidates)
    k : int

    Returns
    -------
    numpy.ndarray of float64, shape (n_queries,)
    """
    gain = np.where(candidate_mask, gain, 0.0)
    count = gain.shape[1]
    k = min(k, count)
    best = np.partition(gain, count - k, axis=1)[:, count - k :] if k else gain
    return discounted_gain(-np.sort(-best, axis=1))


def normalised_gain(found: np.ndarray, ideal: np.ndarray) -> np.ndarray:
    """Divide the gain of lists by that of ideal ones: NaN if nothing is relevant to a query."""
    return np.divide(found, ideal, out=np.full(len(ideal), np.nan), where=ideal > 0)


def precision_at_k(ranked: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Compute the share of relevant candidates among the ranked ones.

    Parameters
    ----------
    ranked : numpy.ndarray of int, shape (n_queries, k)
    relevant : numpy.ndarray of bool, shape (n_queries, n_candidates)

    Returns
    -------
    numpy.ndarray of float64, shape (n_queries,)
        NaN for a query without candidates.
    """
    present = ranked >= 0
    hits = np.take_along_axis(relevant, np.maximum(ranked, 0), axis=1) & present
    count = present.sum(axis=1)
    return np.divide(hits.sum(axis=1), count, out=np.full(len(count), np.nan), where=count > 0)


def reciprocal_rank(similarity: np.ndarray, own: np.ndarray | None = None) -> np.ndarray:
    """Compute the reciprocal rank of each query's own recording among all candidates.

    Parameters
    ----------
    similarity : numpy.ndarray, shape (n_queries, n_recordings)
        Rows are excerpts, columns recordings.
    own : numpy.ndarray of int, shape (n_queries,), optional
        The column of each excerpt's recording; by default they are in the same order.

    Returns
    -------
    numpy.ndarray of float64, shape (n_queries,)
        Ties count against the recording.
    """
    rows = np.arange(len(similarity))
    known = similarity[rows, rows if own is None else own][:, None]
    return 1.0 / (similarity >= known).sum(axis=1)


def retrieval_score(
    similarity: np.ndarray, tracks: pd.DataFrame, columns: Sequence[str], k: int, seed: int
) -> dict[str, float]:
    """Compute the mean nDCG@k for each tag column; training is validated by it.

    Parameters
    ----------
    similarity : numpy.ndarray, shape (n_tracks, n_tracks)
    tracks : pandas.DataFrame
    columns : sequence of str
        The tag columns.
    k, seed : int
        See `rank_candidates`.

    Returns
    -------
    dict of str to float
        By column; without columns in which nothing is relevant to any query.
    """
    candidate_mask = artist_filter(artist_keys(tracks))
    ranked = rank_candidates(similarity, candidate_mask, k, seed)
    scores = {}
    for column in columns:
        values = ndcg(ranked, jaccard(tag_matrix(tracks[column])), candidate_mask)
        if np.isfinite(values).any():
            scores[column] = float(np.nanmean(values))
    return scores
