"""Hub correction: recordings that would stand in everybody's list step back.

In a space of many dimensions some points come to lie near everything (Radovanovic et al. 2010);
such hubs stand in every list. Mutual proximity (Schnitzer et al. 2012) and local scaling undo that
by measuring every pair anew, and so move recordings that were no hubs, too. Here hubs alone are
touched: each gets a handicap, a factor that stretches every distance to it, just so large that it
stands in few more lists than its share. What is the same stays nearest. No tag is looked at.

Which recordings become hubs depends on who else is there, so handicaps are found over the
candidates that are ranked, in search and in the evaluation alike. They do not depend on the query:
a reference from outside meets the same ones.
"""

import numpy as np

from simlib.core import evenly_spread

# Recordings whose lists are looked at. More cost time and say little more.
REFERENCE_SAMPLE = 1_000
# In so many of their lists a recording stands on average, where the catalogue is large enough.
LISTED = 10
# Nobody is to stand in more than so many times the average. Where artists are not known, recordings
# by one artist take places in each other's lists that an artist filter will clear.
SHARE, UNFILTERED_SHARE = 1.7, 1.6
# Candidates for a list, in lengths of a list.
BREADTH = 8
# Of a handicap, by the relative deviation of the distances; and how often it may grow.
STEP, STEPS = 0.02, 500


def hub_penalties(vectors, artists, most=SHARE):
    """Find how far each recording has to be set back, so that none stands in too many lists.

    Parameters
    ----------
    vectors : numpy.ndarray of float32, shape (n_tracks, dimensions)
        Of unit length: those that are ranked.
    artists : numpy.ndarray, shape (n_tracks,)
        Anything that is equal for recordings by one artist; they are in no list of each other.
    most : float
        In so many times the average number of lists a recording may stand.

    Returns
    -------
    numpy.ndarray of float64, shape (n_tracks,)
        Factors on the distances to them: at least 1, and 1 for all that are no hubs.
    """
    count, found = len(vectors), np.ones(len(vectors))
    rows = evenly_spread(count, REFERENCE_SAMPLE)
    # Of a small catalogue, a list must not be the most.
    length = min(round(LISTED * count / max(len(rows), 1)), count // 5)
    if length < 1:
        return found
    near, distance = _nearest(vectors, artists, rows, BREADTH * length)
    listable = np.isfinite(distance)
    if not listable.any():
        return found
    step = STEP * distance[listable].std() / max(distance[listable].mean(), 1e-9)
    share = len(rows) * length / count
    for _ in range(STEPS):
        places = np.argpartition(found[near] * distance, length - 1, axis=1)[:, :length]
        listed = np.take_along_axis(near, places, axis=1)
        counts = np.take_along_axis(listable, places, axis=1)
        excess = np.bincount(listed[counts], minlength=count) / share - most
        if excess.max() <= 0:
            break
        found += step * np.maximum(excess, 0)
    return found


def _nearest(vectors, artists, rows, breadth):
    """Rows and distances of the nearest by other artists, in any order; inf for the same artist."""
    # Numbers compare faster than texts.
    artists = np.unique(artists.astype(str), return_inverse=True)[1]
    breadth = min(breadth, len(vectors))
    near, distance = [], []
    # One by one: a large catalogue's matrix would not fit into memory.
    for row in rows:
        distances = np.where(artists == artists[row], np.inf, 1 - vectors @ vectors[row])
        near.append(np.argpartition(distances, breadth - 1)[:breadth])
        distance.append(distances[near[-1]])
    return np.array(near), np.array(distance, dtype=np.float64)


def penalise_hubs(cosines, penalties):
    """Return similarities: cosines with the distances stretched; 1 stays 1."""
    return 1 - (1 - np.asarray(cosines, dtype=np.float64)) * penalties


def hub_corrected(vectors, artists, most=SHARE):
    """Similarity of every pair of recordings, as search ranks them if these are all.

    Parameters
    ----------
    vectors : numpy.ndarray of float32, shape (n_tracks, dimensions)
        Of unit length.
    artists : numpy.ndarray, shape (n_tracks,)
        Anything that is equal for recordings by one artist.
    most : float
        See `hub_penalties`.

    Returns
    -------
    numpy.ndarray of float64, shape (n_tracks, n_tracks)
        Rows are queries; at most 1.
    """
    return penalise_hubs(vectors @ vectors.T, hub_penalties(vectors, artists, most))
