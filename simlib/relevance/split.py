"""The tracks table: read, checked, completed from the files' own tags, and split by artist.

A catalogue is a folder with `audio/**` and `tracks.csv`. Nothing here looks at samples.
"""

import hashlib

import numpy as np

from simlib.relevance.labels import artist_keys


def split_artists(tracks, settings):
    """Assign every track to `train`, `validation` or `test` by a hash of its artist.

    An artist's side depends on nothing but its name and the seed: it stays when others arrive.

    Parameters
    ----------
    tracks : pandas.DataFrame
    settings : simlib.relevance.SplitSettings

    Returns
    -------
    numpy.ndarray of object, shape (n_tracks,)
    """
    splits = []
    for key in artist_keys(tracks):
        digest = hashlib.sha256(f"{settings.seed}:{key}".encode()).digest()
        draw = int.from_bytes(digest[:8], "big") / 2**64
        if draw < settings.test:
            splits.append("test")
        elif draw < settings.test + settings.validation:
            splits.append("validation")
        else:
            splits.append("train")
    return np.array(splits, dtype=object)
