"""The weights that come with simlib: made from a whole catalogue, and what they learned from.

They embed where nothing was trained yet. What they learned from goes with them, so that they are
never scored on it.
"""

import numpy as np

from simlib.train import train

# So much of a file's digest tells recordings apart and keeps the list short.
DIGITS = 16


def make(store, settings, checkpoint):
    """Train on every recording of a store, with nobody kept for validation or test.

    Parameters
    ----------
    store : simlib.features.Store
    settings : simlib.settings.TrainSettings
    checkpoint : pathlib.Path
        See `simlib.train.train`.

    Returns
    -------
    model : simlib.model.Model
    provenance : dict
        What `Model.save` is to write with it: `train` (the settings) and `learned_from` (digests
        of the recordings).
    """
    tracks = store.tracks()
    sides = np.full(len(tracks), "train", dtype=object)
    model, _ = train(store, tracks, sides, settings, checkpoint)
    learned_from = sorted(digest[:DIGITS] for digest in tracks["digest"])
    return model, {"train": settings.as_dict(), "learned_from": learned_from}
