"""The split into train, validation and test: by artist, and stable when a catalogue grows."""

import hashlib

import numpy as np
import pandas as pd

from simlib.relevance.artists import artist_keys, own_artist_keys
from simlib.relevance.settings import SplitSettings


def split_artists(tracks: pd.DataFrame, settings: SplitSettings) -> np.ndarray:
    """Assign every track to `train`, `validation` or `test` by a hash of its artist.

    The split of an artist depends only on its name and the seed. It stays the same when other
    artists are added. Artists who recorded together are in one split: train if one of them is,
    else validation if one of them is. So a new joint recording moves artists towards train only,
    and most of a large circle of artists is trained with, not tested with.

    Parameters
    ----------
    tracks : pandas.DataFrame
    settings : simlib.relevance.SplitSettings

    Returns
    -------
    numpy.ndarray of object, shape (n_tracks,)
    """
    groups = artist_keys(tracks)
    draws: dict[str, float] = {}
    for key, group in zip(own_artist_keys(tracks), groups, strict=True):
        digest = hashlib.sha256(f"{settings.seed}:{key}".encode()).digest()
        draw = int.from_bytes(digest[:8], "big") / 2**64
        draws[group] = max(draw, draws.get(group, 0.0))
    splits = {}
    for group, draw in draws.items():
        if draw < settings.test:
            splits[group] = "test"
        elif draw < settings.test + settings.validation:
            splits[group] = "validation"
        else:
            splits[group] = "train"
    return np.array([splits[group] for group in groups], dtype=object)
