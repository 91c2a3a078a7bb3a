"""The split into train, validation and test: by artist, and stable when a catalogue grows."""

import hashlib

import numpy as np
import pandas as pd

from simlib.relevance.labels import artist_keys
from simlib.relevance.settings import SplitSettings


def split_artists(tracks: pd.DataFrame, settings: SplitSettings) -> np.ndarray:
    """Assign every track to `train`, `validation` or `test` by a hash of its artist.

    The split of an artist depends only on its name and the seed. It stays the same when other
    artists are added.

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
