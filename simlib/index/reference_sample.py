"""The reference sample of a catalogue, to whose centre outliers are compared."""

import numpy as np

from simlib.core import unit_rows


class ReferenceSample:
    """The reference sample, relative to its centre.

    Parameters
    ----------
    vectors : numpy.ndarray of float32, shape (n_references, dimensions)
        Of unit length.
    """

    def __init__(self, vectors: np.ndarray):
        self.centre = vectors.mean(axis=0)
        self.vectors = self.relative(vectors)

    def relative(self, vectors: np.ndarray) -> np.ndarray:
        """Return vectors relative to the centre, of unit length: float32, of the same shape."""
        return unit_rows(vectors - self.centre, 1e-6)
