"""The ground truth: which recordings count as alike, and how well a ranking finds them.

Both sides of the project stand on this one definition: training turns relations into positives,
the evaluation turns them into gains.
"""

import numpy as np

from simlib.relevance.labels import artist_filter, jaccard, tag_matrix


def rank_candidates(similarity, candidate_mask, k, seed):
    """The k most similar allowed candidates of every query, ties in seeded random order.

    Parameters
    ----------
    similarity : numpy.ndarray, shape (n_queries, n_candidates)
    allowed : numpy.ndarray of bool, shape (n_queries, n_candidates)
    k : int
    seed : int

    Returns
    -------
    numpy.ndarray of int64, shape (n_queries, min(k, n_candidates))
        Candidates from rank 1 on; -1 where a query has fewer.
    """
    shuffled = np.random.default_rng(seed).permutation(similarity.shape[1])
    scores = np.where(candidate_mask, similarity, -np.inf)[:, shuffled]
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    found = np.take_along_axis(scores, order, axis=1) > -np.inf
    return np.where(found, shuffled[order], -1)


def ndcg(ranked, gain, candidate_mask):
    """Normalised discounted cumulative gain (Jarvelin and Kekalainen 2002), linear gain.

    Parameters
    ----------
    ranked : numpy.ndarray of int, shape (n_queries, k)
        From `rank_candidates`.
    gain : numpy.ndarray, shape (n_queries, n_candidates)
        How relevant each candidate is to each query.
    allowed : numpy.ndarray of bool, shape (n_queries, n_candidates)
        The ideal list is drawn from the same candidates.

    Returns
    -------
    numpy.ndarray of float64, shape (n_queries,)
        With discount 1 / log2(rank + 1); NaN for a query to which nothing is relevant.
    """
    k = ranked.shape[1]
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    gain = np.where(candidate_mask, gain, 0.0)
    found = np.where(ranked >= 0, np.take_along_axis(gain, np.maximum(ranked, 0), axis=1), 0.0)
    ideal = -np.sort(-gain, axis=1)[:, :k]
    best = ideal @ discount
    return np.divide(found @ discount, best, out=np.full(len(best), np.nan), where=best > 0)


def precision_at_k(ranked, relevant):
    """Share of relevant candidates among the ranked ones.

    Parameters
    ----------
    ranked : numpy.ndarray of int, shape (n_queries, k)
    relevant : numpy.ndarray of bool, shape (n_queries, n_candidates)

    Returns
    -------
    numpy.ndarray of float64, shape (n_queries,)
        NaN for a query with no candidate at all.
    """
    present = ranked >= 0
    hits = np.take_along_axis(relevant, np.maximum(ranked, 0), axis=1) & present
    count = present.sum(axis=1)
    return np.divide(hits.sum(axis=1), count, out=np.full(len(count), np.nan), where=count > 0)


def reciprocal_rank(similarity):
    """Reciprocal rank of each query's own recording among all candidates.

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


def retrieval_score(similarity, tracks, artists, columns, k, seed):
    """Mean nDCG@k over tag columns: the one number that training watches.

    Parameters
    ----------
    similarity : numpy.ndarray, shape (n_tracks, n_tracks)
    tracks : pandas.DataFrame
    artists : numpy.ndarray of object, shape (n_tracks,)
    columns : list of str
        The tag columns.
    k, seed : int

    Returns
    -------
    dict of str to float
        By column; a column in which nothing is relevant to any query is left out.
    """
    candidate_mask = artist_filter(artists)
    ranked = rank_candidates(similarity, candidate_mask, k, seed)
    scores = {}
    for column in columns:
        values = ndcg(ranked, jaccard(tag_matrix(tracks[column])), candidate_mask)
        if np.isfinite(values).any():
            scores[column] = float(np.nanmean(values))
    return scores
