"""The named parts of an embedding, and what weights do to a query.

"Alike" mixes genre, instrumentation, mood, tempo and more. An embedding is several parts side by
side, one for each aspect, and the similarity of two recordings is the sum of the parts' cosines,
each times its weight. Only the query needs to know the weights: one index serves them all.
"""

import math
from numbers import Real

import numpy as np

from simlib.core import SimlibError

# What a recording sounds like altogether, and how fast it is. The other parts are tag columns.
SOUND, TEMPO = "sound", "tempo"


def subspace_name(column):
    """Name the part that learns a tag column."""
    return f"{column} tag" if column in (SOUND, TEMPO) else column


class Aspects:
    """How the vectors of a model are made up.

    Parameters
    ----------
    sizes : dict of str to int
        Dimensions of each part, in their order.
    weights : dict of str to float
        Each part's share of a similarity unless a query asks for others; they sum to 1, and a
        part's stretch of a vector has the square root of its weight as length.
    """

    def __init__(self, sizes, weights):
        self.sizes, self.default = sizes, weights
        ends = np.cumsum(list(sizes.values()))
        self.spans = {
            name: slice(int(end) - size, int(end))
            for (name, size), end in zip(sizes.items(), ends, strict=True)
        }

    def weights(self, wanted=None):
        """Complete the weights of a query.

        Parameters
        ----------
        wanted : dict of str to float, optional
            At least 0; they count relative to each other, and a part that is not named keeps its
            default.

        Returns
        -------
        dict of str to float
            Every part's; they sum to 1.

        Raises
        ------
        SimlibError
            If there is no such part, or a weight is no number of at least 0, or all are 0.
        """
        wanted = wanted or {}
        known = ", ".join(self.sizes)
        for name, weight in wanted.items():
            if name not in self.sizes:
                raise SimlibError(f"weight '{name}'", "names no aspect", f"there are {known}")
            if not isinstance(weight, Real) or not 0 <= weight < math.inf:
                raise SimlibError(f"weight '{name}'", f"is {weight}", "give a number of at least 0")
        weights = {name: float(wanted.get(name, self.default[name])) for name in self.sizes}
        total = sum(weights.values())
        if not total:
            raise SimlibError("weights", "are all 0", f"give one of {known} more")
        return {name: weight / total for name, weight in weights.items()}

    def weighted(self, vectors, weights):
        """Turn vectors into what they would be if these weights were the default.

        Parameters
        ----------
        vectors : numpy.ndarray of float32, shape (..., dimensions)
        weights : dict of str to float
            From `weights`.

        Returns
        -------
        numpy.ndarray of float32, shape (..., dimensions)
            Of unit length, if the vectors are.
        """
        return vectors * np.sqrt(self.scale(weights))

    def scale(self, weights):
        """Return what turns a query into one with these weights: float32, shape (dimensions,).

        Its product with the query, times a candidate as indexed, is the weighted similarity.
        """
        factors = [weights[name] / self.default[name] for name in self.sizes]
        return np.repeat(np.array(factors, dtype=np.float32), list(self.sizes.values()))

    def subspaces(self, vectors):
        """Take vectors apart: {part: float32, shape (..., size), of unit length}."""
        views = {name: vectors[..., span] for name, span in self.spans.items()}
        return {
            name: view / np.maximum(np.linalg.norm(view, axis=-1, keepdims=True), 1e-12)
            for name, view in views.items()
        }
