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
    shuffled = np.random.default_rng(seed).permutation(similarity.shape[1])
    scores = np.where(candidate_mask, similarity, -np.inf)[:, shuffled]
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    found = np.take_along_axis(scores, order, axis=1) > -np.inf
    return np.where(found, shuffled[order], -1)


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
    k = ranked.shape[1]
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    gain = np.where(candidate_mask, gain, 0.0)
    found = np.where(ranked >= 0, np.take_along_axis(gain, np.maximum(ranked, 0), axis=1), 0.0)
    ideal = -np.sort(-gain, axis=1)[:, :k]
    best = ideal @ discount
    return np.divide(found @ discount, best, out=np.full(len(best), np.nan), where=best > 0)


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


def reciprocal_rank(similarity: np.ndarray) -> np.ndarray:
    """Compute the reciprocal rank of each query's own recording among all candidates.

    Parameters
    ----------
    similarity : numpy.ndarray, shape (n_recordings, n_recordings)
        Rows are excerpts, columns recordings, in the same order.

    Returns
    -------
    numpy.ndarray of float64, shape (n_recordings,)
        Ties count against the recording.
    """
    own = np.diagonal(similarity)[:, None]
    return 1.0 / (similarity >= own).sum(axis=1)


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
