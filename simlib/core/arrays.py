"""Small helpers for arrays of vectors."""

import numpy as np


def unit_rows(vectors: np.ndarray, shortest: float = 1e-12) -> np.ndarray:
    """Scale vectors to unit length.

    Parameters
    ----------
    vectors : numpy.ndarray, shape (..., dimensions)
    shortest : float
        Vectors shorter than this are divided by it, so that a vector of zeros stays one.

    Returns
    -------
    numpy.ndarray
        Of the same shape and dtype.
    """
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), shortest)


def cosine(left: np.ndarray, right: np.ndarray | None = None) -> np.ndarray:
    """Compare the rows of one array, or of two, by the cosine of their angle.

    Parameters
    ----------
    left, right : numpy.ndarray, shape (n_left, dimensions) and (n_right, dimensions)
        The rows of `left` are compared with each other if there is no `right`.

    Returns
    -------
    numpy.ndarray of float64, shape (n_left, n_right)
    """
    left = unit_rows(np.asarray(left, dtype=np.float64))
    return left @ (left if right is None else unit_rows(np.asarray(right, dtype=np.float64))).T


def evenly_spread(count: int, most: int) -> np.ndarray:
    """Choose rows of a table, spread evenly over it.

    Parameters
    ----------
    count : int
        Rows of the table.
    most : int
        Rows to choose at most.

    Returns
    -------
    numpy.ndarray of int64, shape (min(count, most),)
        Rising.
    """
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))
