"""How good the ranked lists are, for artists that the model never heard, and beside what."""

import numpy as np


def cosine(left, right=None):
    """Cosine similarity of the rows of one array, or of two."""

    def unit(vectors):
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.maximum(lengths, 1e-12)

    left = unit(np.asarray(left, dtype=np.float64))
    return left @ (left if right is None else unit(np.asarray(right, dtype=np.float64))).T


def evenly_spread(count, most):
    """Rows of a table, spread evenly over it: int64, shape (min(count, most),)."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))
