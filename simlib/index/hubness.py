"""Hub penalties: no track stands in many more ranked lists than its share.

In a space of many dimensions some points lie near everything (Radovanovic et al. 2010). Such hubs
stand in every list. Mutual proximity (Schnitzer et al. 2012) and local scaling measure every pair
anew, and so move tracks that are no hubs, too. Here only hubs get a penalty: a factor that
stretches every distance to them. It is the smallest one with which a track stands in no more lists
than `share` allows. It follows from the lists of the tracks near it, so it costs nothing per query.
A copy of a query stays the most similar. No tag is used.

Which tracks become hubs depends on the other candidates, so penalties are computed over the
candidates that are ranked, in search and in the evaluation alike. They do not depend on the query.
"""

import numpy as np

from simlib.index.settings import HubSettings
from simlib.relevance import artist_codes

# Tracks whose distances to all others are in memory at once.
BLOCK = 256
# Places of a list beside those that count: who leaves a list makes room for the next.
BREADTH = 3
# The penalty of a track depends on those of the others. In the first round, these are 1.
ROUNDS = 2
# A copy lies nearer than this, and no factor takes it out of a list.
COPY = 1e-6
# A track that leaves a list lies so much beyond the last place: rounding must not decide on it.
BEYOND = 1 + 1e-5


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
    rows, distances = _nearest(vectors, artists, BREADTH * settings.list_length)
    return penalties_of_lists(rows, distances, settings)


def _nearest(vectors, artists, breadth):
    """Return rows and distances of the nearest to each track; -1 and inf for the same artist."""
    count = len(vectors)
    breadth = min(breadth, count)
    # Numbers compare faster than texts.
    codes = artist_codes(artists)
    rows = np.empty((count, breadth), dtype=np.int64)
    distances = np.empty((count, breadth))
    for first in range(0, count, BLOCK):
        block = slice(first, first + BLOCK)
        found = np.maximum(1 - vectors[block] @ vectors.T, 0)
        found[codes[block, None] == codes] = np.inf
        rows[block] = np.argpartition(found, breadth - 1, axis=1)[:, :breadth]
        distances[block] = np.take_along_axis(found, rows[block], axis=1)
    rows[np.isinf(distances)] = -1
    return rows, distances


def penalties_of_lists(
    rows: np.ndarray, distances: np.ndarray, settings: HubSettings
) -> np.ndarray:
    """Compute hub penalties from the lists of all tracks; see `hub_penalties`.

    Parameters
    ----------
    rows : numpy.ndarray of int, shape (n_tracks, breadth)
        Of the tracks nearest to each, in any order; -1 in places that nobody takes.
    distances : numpy.ndarray of float64, shape (n_tracks, breadth)
        To them; inf in places that nobody takes.
    settings : HubSettings

    Returns
    -------
    numpy.ndarray of float64, shape (n_tracks,)
    """
    # A list must not hold most of a small catalogue.
    length = min(settings.list_length, len(rows) // 5)
    penalties = np.ones(len(rows))
    for _ in range(ROUNDS if length else 0):
        penalties = _if_others_keep_theirs(rows, distances, penalties, length, settings.share)
    return penalties


def _if_others_keep_theirs(rows, distances, penalties, length, share):
    """Compute each track's penalty, if all others keep theirs.

    A track leaves the list of a query if its stretched distance exceeds that of the last place
    among the others. The factor that just does so, found for every query, is sorted: all queries
    but the allowed number must be left.
    """
    stretched = penalties[rows] * distances
    last = np.partition(stretched, (length - 1, length), axis=1)[:, length - 1 : length + 1]
    # Without the track itself, the place after the last becomes the last.
    others = np.where(stretched <= last[:, :1], last[:, 1:], last[:, :1])
    # Lists that are not full have room for everybody.
    places = np.isfinite(others) & (distances < others) & (distances > COPY)
    tracks, factors = rows[places], others[places] / distances[places]
    order = np.lexsort((-factors, tracks))
    tracks, factors = tracks[order], factors[order]
    first, end = (np.searchsorted(tracks, np.arange(len(rows)), s) for s in ("left", "right"))
    allowed = int(share * length)
    hubs = end - first > allowed
    found = np.ones(len(rows))
    found[hubs] = BEYOND * factors[first[hubs] + allowed]
    return found


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
