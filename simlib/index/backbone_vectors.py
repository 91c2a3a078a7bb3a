"""Embeddings by a backbone alone, which simlib is compared with."""

import numpy as np

from simlib.features import RecordingFeatures, load_card


def backbone_embedding(features: RecordingFeatures, name: str) -> np.ndarray:
    """Embed a recording by a backbone alone, as its users do: the mean of its embedding layer.

    Parameters
    ----------
    features : simlib.features.RecordingFeatures
    name : str

    Returns
    -------
    numpy.ndarray of float32, shape (size,)
    """
    card = load_card(name)
    columns = card.columns(card.embedding)
    return features.backbones[name][:, columns].mean(axis=0, dtype=np.float32)
