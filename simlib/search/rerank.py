"""From nearness to a list: several references at once, artists in turn, and variety."""

import numpy as np

# How far one aspect alone may carry a candidate, and how much the reference that it is less like
# counts; chosen on validation artists.
ASPECT, WORST = 0.5, 0.8


def by_any_subspace(similarities, weights):
    """How near candidates are to a reference, where much of one aspect makes up for others.

    Parameters
    ----------
    proximities : numpy.ndarray of float64, shape (n_parts, n_candidates)
        At most 1; see `Index.proximities_by_part`.
    weights : numpy.ndarray of float, shape (n_parts,)
        They sum to 1.

    Returns
    -------
    numpy.ndarray of float64, shape (n_candidates,)
        A soft maximum.
    """
    return ASPECT * np.log(np.asarray(weights) @ np.exp(similarities / ASPECT))


def agreement(nearness):
    """How near candidates are to all of several references: a soft minimum over them.

    The mean would rank first what is somewhat like all and much like none.

    Parameters
    ----------
    nearness : numpy.ndarray of float64, shape (n_references, n_candidates)

    Returns
    -------
    numpy.ndarray of float64, shape (n_candidates,)
    """
    return -WORST * np.log(np.exp(-nearness / WORST).mean(axis=0))


def in_turn(artists, k, per_artist=None):
    """Choose from a ranking so that no artist fills it.

    Parameters
    ----------
    artists : numpy.ndarray of int, shape (n_ranked,)
        Of the candidates, best first.
    k : int
        Length of the list.
    per_artist : int, optional
        At most so many by one artist; any number by default.

    Returns
    -------
    list of int
        Places in the ranking, rising; at most k.
    """
    seen, chosen = {}, []
    for place, artist in enumerate(artists.tolist()):
        if len(chosen) == k:
            break
        seen[artist] = seen.get(artist, 0) + 1
        if per_artist is None or seen[artist] <= per_artist:
            chosen.append(place)
    return chosen


def diverse(scores, vectors, artists, k, diversity, per_artist=None):
    """Choose by maximal marginal relevance (Carbonell and Goldstein 1998).

    Each next one is near to the reference and far from those that were chosen before it.

    Parameters
    ----------
    scores : numpy.ndarray of float64, shape (n_ranked,)
        Nearness to the reference.
    vectors : numpy.ndarray of float32, shape (n_ranked, dimensions)
        Of unit length.
    artists : numpy.ndarray of int, shape (n_ranked,)
    k : int
    diversity : float
        From 0, nearness alone, to 1, after the first one only variety.
    per_artist : int, optional
        See `in_turn`.

    Returns
    -------
    list of int
        Places in the ranking, in the order of choice; at most k.
    """
    chosen, seen = [], {}
    alike = np.zeros(len(scores))
    left = np.ones(len(scores), dtype=bool)
    while left.any() and len(chosen) < k:
        marginal = (1 - diversity) * scores - diversity * alike if chosen else scores
        place = int(np.argmax(np.where(left, marginal, -np.inf)))
        chosen.append(place)
        left[place] = False
        seen[artists[place]] = seen.get(artists[place], 0) + 1
        if per_artist is not None and seen[artists[place]] >= per_artist:
            left &= artists != artists[place]
        cosines = vectors @ vectors[place]
        alike = cosines if len(chosen) == 1 else np.maximum(alike, cosines)
    return chosen
