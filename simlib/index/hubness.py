"""Hub penalties: no track stands in many more ranked lists than its share.

In a space of many dimensions some points lie near everything (Radovanovic et al. 2010). Such hubs
stand in every list. Mutual proximity (Schnitzer et al. 2012) and local scaling measure every pair
anew, and so move tracks that are no hubs, too. Here only hubs get a penalty: a factor, just large
enough, that stretches every distance to them. A copy of a query stays the most similar. No tag is
used.

Which tracks become hubs depends on the other candidates, so penalties are computed over the
candidates that are ranked, in search and in the evaluation alike. They do not depend on the query.
"""

import numpy as np

from simlib.core import evenly_spread
from simlib.index.settings import HubSettings
from simlib.relevance import artist_codes


def hub_penalties(vectors: np.ndarray, artists: np.ndarray, settings: HubSettings) -> np.ndarray:
    """Find the smallest penalties with which no track stands in too many lists.

    Parameters
    ----------
    vectors : numpy.ndarray of float32, shape (n_tracks, dimensions)
        Of unit length: those that are ranked.
    artists : numpy.ndarray, shape (n_tracks,)
        Equal for tracks by one artist, which are in no list of each other.
    settings : HubSettings

    Returns
    -------
    numpy.ndarray of float64, shape (n_tracks,)
        Factors on the distances to them: at least 1, and 1 for all that are no hubs.
    """
    count, found = len(vectors), np.ones(len(vectors))
    rows = evenly_spread(count, settings.sample)
    # A list must not hold most of a small catalogue.
    length = min(round(settings.list_length * count / max(len(rows), 1)), count // 5)
    if length < 1:
        return found
    near, distance = _nearest(vectors, artists, rows, settings.breadth * length)
    listable = np.isfinite(distance)
    if not listable.any():
        return found
    distances = distance[listable]
    step = settings.step * distances.std() / max(distances.mean(), 1e-9)
    share = len(rows) * length / count
    for _ in range(settings.rounds):
        places = np.argpartition(found[near] * distance, length - 1, axis=1)[:, :length]
        listed = np.take_along_axis(near, places, axis=1)
        counts = np.take_along_axis(listable, places, axis=1)
        excess = np.bincount(listed[counts], minlength=count) / share - settings.share
        if excess.max() <= 0:
            break
        found += step * np.maximum(excess, 0)
    return found


def _nearest(vectors, artists, rows, breadth):
    """Return rows and distances of the nearest, in any order; inf for the same artist."""
    # Numbers compare faster than texts.
    artists = artist_codes(artists)
    breadth = min(breadth, len(vectors))
    near, distance = [], []
    # The last bits of a product of float32 depend on where its arrays lie in memory, and a step of
    # a penalty may depend on the last bits.
    vectors = np.asarray(vectors, dtype=np.float64)
    # Row by row, since a large catalogue's matrix would not fit into memory.
    for row in rows:
        distances = np.where(artists == artists[row], np.inf, 1 - vectors @ vectors[row])
        near.append(np.argpartition(distances, breadth - 1)[:breadth])
        distance.append(distances[near[-1]])
    return np.array(near), np.array(distance, dtype=np.float64)


def penalise_hubs(cosines: np.ndarray, penalties: np.ndarray) -> np.ndarray:
    """Return similarities, float64: cosines with the distances stretched; 1 stays 1."""
    return 1 - (1 - np.asarray(cosines, dtype=np.float64)) * penalties


def hub_corrected(vectors: np.ndarray, artists: np.ndarray, settings: HubSettings) -> np.ndarray:
    """Return the hub-corrected similarity of every pair of tracks, if these are the catalogue.

    Parameters
    ----------
    vectors : numpy.ndarray of float32, shape (n_tracks, dimensions)
        Of unit length.
    artists : numpy.ndarray, shape (n_tracks,)
        Equal for tracks by one artist.
    settings : HubSettings

    Returns
    -------
    numpy.ndarray of float64, shape (n_tracks, n_tracks)
        Rows are queries; at most 1.
    """
    return penalise_hubs(vectors @ vectors.T, hub_penalties(vectors, artists, settings))
