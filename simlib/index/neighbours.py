"""The tracks nearest to each track of a catalogue, exactly, block by block."""

import numpy as np

from simlib.relevance import artist_codes

# Tracks whose similarities to all others are in memory at once.
BLOCK = 256


def nearest(
    vectors: np.ndarray, artists: np.ndarray, breadth: int
) -> tuple[np.ndarray, np.ndarray]:
    """Find the tracks nearest to each, without those by its own artist.

    Parameters
    ----------
    vectors : numpy.ndarray of float32, shape (n_tracks, dimensions)
        Of unit length.
    artists : numpy.ndarray, shape (n_tracks,)
        Equal for tracks by one artist.
    breadth : int
        The most tracks for each.

    Returns
    -------
    rows : numpy.ndarray of int64, shape (n_tracks, min(breadth, n_tracks))
        In any order; -1 where there are fewer.
    distances : numpy.ndarray of float64, of the same shape
        1 - cosine, at least 0; inf where there are fewer.
    """
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
