"""From similarities to a list: several queries at once, artists in turn, and diversity."""

import numpy as np

from simlib.index import Index, penalise_hubs
from simlib.search.queries import Query
from simlib.search.request import SearchRequest

# How far one aspect alone may carry a candidate, and how much the query that it is least similar to
# counts; chosen on validation artists.
ASPECT, WORST = 0.5, 0.8
# A diverse list is chosen from this many times its length.
POOL = 5


def ranked(
    index: Index, queries: list[Query], unlike: list[Query], candidates: np.ndarray,
    weights: dict[str, float], farthest: bool, depth: int,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Rank the candidates of a search.

    Parameters
    ----------
    index : simlib.index.Index
    queries, unlike : list of simlib.search.queries.Query
        What results are to be similar to, and what not.
    candidates : numpy.ndarray of bool, shape (n_tracks,)
    weights : dict of str to float
        Of every aspect.
    farthest : bool
        Whether the least similar come first.
    depth : int
        Of one query alone, only the `depth` most similar tracks are looked at.

    Returns
    -------
    rows : numpy.ndarray of int64, shape (n_found,)
        Candidates, best first.
    scores : numpy.ndarray of float64, shape (n_found,)
    """
    if len(queries) == 1 and not unlike and not farthest:
        rows, scores = index.search(queries[0].vector, depth, None, weights)
        return rows[candidates[rows]], scores[candidates[rows]]
    rows = np.flatnonzero(candidates)
    if len(queries) == 1 and not unlike:
        scores = -index.similarities(queries[0].vector, rows, weights)
    else:
        scores = agreement(_by_subspace(index, queries, rows, weights))
        if unlike:
            worst = _by_subspace(index, unlike, rows, weights).max(axis=0)
            scores -= np.maximum(worst, 0.0)
        scores = -scores if farthest else scores
    order = np.argsort(-scores, kind="stable")
    return rows[order], scores[order]


def _by_subspace(index, queries, rows, weights):
    """Similarity of rows to each of several queries: float64, shape (n_queries, n_rows)."""
    penalties = index.hub_penalties(rows, weights)
    found = [index.similarities_by_subspace(one.vector, rows) for one in queries]
    shares = list(weights.values())
    return np.array([by_any_subspace(penalise_hubs(one, penalties), shares) for one in found])


def by_any_subspace(similarities: np.ndarray, weights: list[float]) -> np.ndarray:
    """Combine the subspaces so that much similarity in one makes up for little in others.

    Parameters
    ----------
    similarities : numpy.ndarray of float64, shape (n_subspaces, n_candidates)
        At most 1; see `Index.similarities_by_subspace`.
    weights : sequence of float, length n_subspaces
        They sum to 1.

    Returns
    -------
    numpy.ndarray of float64, shape (n_candidates,)
        A soft maximum.
    """
    return ASPECT * np.log(np.asarray(weights) @ np.exp(similarities / ASPECT))


def agreement(similarities: np.ndarray) -> np.ndarray:
    """Combine several queries by a soft minimum.

    The mean would rank first what is somewhat similar to all and very similar to none.

    Parameters
    ----------
    similarities : numpy.ndarray of float64, shape (n_queries, n_candidates)

    Returns
    -------
    numpy.ndarray of float64, shape (n_candidates,)
    """
    return -WORST * np.log(np.exp(-similarities / WORST).mean(axis=0))


def in_turn(artists: np.ndarray, k: int, per_artist: int | None = None) -> list[int]:
    """Choose from a ranking so that no artist fills it.

    Parameters
    ----------
    artists : numpy.ndarray of int, shape (n_ranked,)
        Of the candidates, best first.
    k : int
        Length of the list.
    per_artist : int, optional
        The most by one artist; any number by default.

    Returns
    -------
    list of int
        Places in the ranking, rising; at most k.
    """
    seen: dict[int, int] = {}
    chosen: list[int] = []
    for place, artist in enumerate(artists.tolist()):
        if len(chosen) == k:
            break
        seen[artist] = seen.get(artist, 0) + 1
        if per_artist is None or seen[artist] <= per_artist:
            chosen.append(place)
    return chosen


def diverse(
    scores: np.ndarray, vectors: np.ndarray, artists: np.ndarray, k: int, diversity: float,
    per_artist: int | None = None,
) -> list[int]:  # fmt: skip
    """Choose by maximal marginal relevance (Carbonell and Goldstein 1998).

    Each next track is similar to the query and not to the tracks that were chosen before it.

    Parameters
    ----------
    scores : numpy.ndarray of float64, shape (n_ranked,)
        Similarity to the query.
    vectors : numpy.ndarray of float32, shape (n_ranked, dimensions)
        Of unit length.
    artists : numpy.ndarray of int, shape (n_ranked,)
    k : int
    diversity : float
        From 0, similarity alone, to 1, diversity alone after the first track.
    per_artist : int, optional
        See `in_turn`.

    Returns
    -------
    list of int
        Places in the ranking, in the order of choice; at most k.
    """
    chosen: list[int] = []
    seen: dict[int, int] = {}
    most = np.zeros(len(scores))
    left = np.ones(len(scores), dtype=bool)
    while left.any() and len(chosen) < k:
        marginal = (1 - diversity) * scores - diversity * most if chosen else scores
        place = int(np.argmax(np.where(left, marginal, -np.inf)))
        chosen.append(place)
        left[place] = False
        seen[artists[place]] = seen.get(artists[place], 0) + 1
        if per_artist is not None and seen[artists[place]] >= per_artist:
            left &= artists != artists[place]
        cosines = vectors @ vectors[place]
        most = cosines if len(chosen) == 1 else np.maximum(most, cosines)
    return chosen


def choose(
    index: Index, request: SearchRequest, rows: np.ndarray, scores: np.ndarray, count: int,
    weights: dict[str, float],
) -> np.ndarray:  # fmt: skip
    """Choose from a ranking: artists in turn, and diversity if the request asks for it.

    Parameters
    ----------
    index : simlib.index.Index
    request : simlib.search.SearchRequest
    rows : numpy.ndarray of int64, shape (n_ranked,)
    scores : numpy.ndarray of float64, shape (n_ranked,)
        Both from `ranked`.
    count : int
        Length of the list.
    weights : dict of str to float
        Of every aspect.

    Returns
    -------
    numpy.ndarray of int64, shape (n_found,)
        Rows; at most `count`.
    """
    artists = index.artists[rows]
    # Diversity among the most similar only: the farthest would be the most diverse.
    pool = POOL * count if request.diversity else count
    places = np.array(in_turn(artists, pool, request.per_artist), dtype=np.int64)
    if request.diversity:
        vectors = index.aspects.weighted(index.vectors_of(rows[places]), weights)
        pooled = scores[places], vectors, artists[places]
        places = places[diverse(*pooled, count, request.diversity, request.per_artist)]
    return rows[places]
