"""From similarities to a list: several queries at once, artists in turn, and diversity."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from simlib.index import penalise_hubs
from simlib.search.request import Search


def ranked(search: Search, candidates: np.ndarray, depth: int) -> tuple[np.ndarray, np.ndarray]:
    """Rank the candidates of a search.

    Parameters
    ----------
    search : Search
    candidates : numpy.ndarray of bool, shape (n_tracks,)
    depth : int
        Of a single query, only the `depth` most similar tracks are ranked.

    Returns
    -------
    rows : numpy.ndarray of int64, shape (n_found,)
        Candidates, best first.
    scores : numpy.ndarray of float64, shape (n_found,)
    """
    index, weights, farthest = search.index, search.weights, search.request.farthest
    single = search.queries[0].vector if len(search.queries) == 1 and not search.unlike else None
    if single is not None and not farthest:
        rows, scores = index.search(single, depth, None, weights)
        return rows[candidates[rows]], scores[candidates[rows]]
    rows = np.flatnonzero(candidates)
    if single is not None:
        scores = -index.similarities(single, rows, weights)
    else:
        temperature = search.settings.agreement.query_temperature
        scores = agreement(_by_query(search, search.queries, rows), temperature)
        if search.unlike:
            scores -= np.maximum(_by_query(search, search.unlike, rows).max(axis=0), 0.0)
        scores = -scores if farthest else scores
    order = np.argsort(-scores, kind="stable")
    return rows[order], scores[order]


def _by_query(search, queries, rows):
    """Return the similarity of rows to each query: float64, shape (n_queries, n_rows)."""
    index, shares = search.index, list(search.weights.values())
    penalties = index.hub_penalties(rows, search.weights)
    temperature = search.settings.agreement.aspect_temperature
    found = [index.similarities_by_subspace(query.vector, rows) for query in queries]
    return np.array([
        by_any_subspace(penalise_hubs(one, penalties), shares, temperature) for one in found
    ])  # fmt: skip


def by_any_subspace(
    similarities: np.ndarray, weights: Sequence[float], temperature: float
) -> np.ndarray:
    """Combine the subspaces so that much similarity in one makes up for little in others.

    Parameters
    ----------
    similarities : numpy.ndarray of float64, shape (n_subspaces, n_candidates)
        At most 1; see `Index.similarities_by_subspace`.
    weights : sequence of float, length n_subspaces
        They sum to 1.
    temperature : float
        See `AgreementSettings.aspect_temperature`.

    Returns
    -------
    numpy.ndarray of float64, shape (n_candidates,)
        A soft maximum.
    """
    return temperature * np.log(np.asarray(weights) @ np.exp(similarities / temperature))


def agreement(similarities: np.ndarray, temperature: float) -> np.ndarray:
    """Combine several queries by a soft minimum.

    The mean would rank first what is somewhat similar to all and very similar to none.

    Parameters
    ----------
    similarities : numpy.ndarray of float64, shape (n_queries, n_candidates)
    temperature : float
        See `AgreementSettings.query_temperature`.

    Returns
    -------
    numpy.ndarray of float64, shape (n_candidates,)
    """
    return -temperature * np.log(np.exp(-similarities / temperature).mean(axis=0))


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
    before = pd.Series(artists).groupby(artists).cumcount().to_numpy()
    return np.flatnonzero(before < (per_artist or np.inf))[:k].tolist()


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
    most = np.full(len(scores), -np.inf, dtype=np.float32)
    left = np.ones(len(scores), dtype=bool)
    while left.any() and len(chosen) < k:
        marginal = (1 - diversity) * scores - diversity * most if chosen else scores
        place = int(np.argmax(np.where(left, marginal, -np.inf)))
        chosen.append(place)
        left[place] = False
        same = artists == artists[place]
        if same[chosen].sum() >= (per_artist or np.inf):
            left &= ~same
        most = np.maximum(most, vectors @ vectors[place])
    return chosen


def choose(search: Search, rows: np.ndarray, scores: np.ndarray, count: int) -> np.ndarray:
    """Choose from a ranking: artists in turn, and diversity if it is requested.

    Parameters
    ----------
    search : Search
    rows : numpy.ndarray of int64, shape (n_ranked,)
    scores : numpy.ndarray of float64, shape (n_ranked,)
        Both from `ranked`.
    count : int
        Length of the list.

    Returns
    -------
    numpy.ndarray of int64, shape (n_found,)
        Rows; at most `count`.
    """
    index, request = search.index, search.request
    artists = index.artists[rows]
    # Diversity among the most similar only: the farthest would be the most diverse.
    pool = search.settings.diversity_pool * count if request.diversity else count
    places = np.array(in_turn(artists, pool, request.per_artist), dtype=np.int64)
    if request.diversity:
        vectors = index.aspects.weighted(index.vectors_of(rows[places]), search.weights)
        pooled = scores[places], vectors, artists[places]
        places = places[diverse(*pooled, count, request.diversity, request.per_artist)]
    return rows[places]
