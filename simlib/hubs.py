"""Hub correction: how near two recordings are, as both of them see it.

In a space of many dimensions some points come to lie near everything; such hubs stand in every
list. Mutual proximity (Schnitzer et al. 2012) asks from both ends: of all other recordings, how
many are nearer to either of the two than they are to each other?

Which recordings become hubs depends on who else is there: proximities counted over recordings
other than the candidates correct nothing. So they are counted over the candidates, in search and
in the evaluation alike; no tag and no artist has a say in it.
"""

import numpy as np

# Recordings that proximities are counted over. More cost time and say little more.
REFERENCES = 1_000


def mutual_proximity(similarity, of_query, of_candidates, own=None):
    """Empirical mutual proximity of a query to every candidate.

    The share of reference recordings that are nearer neither to the query nor to the candidate
    than these two are to each other; Schnitzer, Flexer, Schedl and Widmer (2012), equation 6.
    Candidates that tie in it keep their order by similarity.

    Parameters
    ----------
    similarity : numpy.ndarray of float32, shape (n_candidates,)
        Cosines of query and candidates.
    of_query : numpy.ndarray of float32, shape (n_references,)
        Cosines of the query and the reference recordings.
    of_candidates : numpy.ndarray of float32, shape (n_candidates, n_references)
    own : numpy.ndarray of bool, shape (n_candidates, n_references), optional
        Where a reference is the query or the candidate itself, which is nearer to neither.

    Returns
    -------
    numpy.ndarray of float64, shape (n_candidates,)
        Between 0 and 1; 1 for the query itself.
    """
    nearer = (of_query[None, :] > similarity[:, None]) | (of_candidates > similarity[:, None])
    if own is not None:
        nearer &= ~own
    below_one = (1 - np.clip(similarity.astype(np.float64), -1, 1)) / 2
    return 1 - (nearer.sum(axis=1) + below_one) / (nearer.shape[1] + 1)


def corrected(vectors):
    """Mutual proximity of every pair of recordings, as search ranks them if these are all.

    Parameters
    ----------
    vectors : numpy.ndarray of float32, shape (n_tracks, embedding)
        Of unit length.

    Returns
    -------
    numpy.ndarray of float64, shape (n_tracks, n_tracks)
        Symmetric.
    """
    rows, every = choose(len(vectors)), np.arange(len(vectors))
    similarity = vectors @ vectors.T
    seen = similarity[:, rows]
    out = np.empty(similarity.shape)
    for query in every:
        own = owners(every, rows, query)
        out[query] = mutual_proximity(similarity[query], seen[query], seen, own)
    return out


def owners(candidates, rows, query=None):
    """Where a reference is a candidate, or the query, itself.

    Parameters
    ----------
    candidates : numpy.ndarray of int, shape (n_candidates,)
        Rows of a table.
    rows : numpy.ndarray of int, shape (n_references,)
        Rows of the references in the same table.
    query : int, optional
        The query's row; None for one from outside.

    Returns
    -------
    numpy.ndarray of bool, shape (n_candidates, n_references)
    """
    own = candidates[:, None] == rows[None, :]
    return own if query is None else own | (rows == query)[None, :]


def spread(count, most):
    """Rows of a table, spread evenly over it: int64, shape (min(count, most),)."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def choose(count):
    """Rows of the recordings that proximities are counted over; see `spread`."""
    return spread(count, REFERENCES)
