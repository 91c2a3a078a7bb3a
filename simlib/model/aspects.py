"""The aspects of an embedding: its subspaces, and how weights change a query.

Similarity mixes genre, instrumentation, mood, tempo and more. An embedding is several subspaces
side by side, one for each aspect. The similarity of two recordings is the sum of the cosines in the
subspaces, each times its weight. Weights change only the query: one index serves them all.
"""

import math
from numbers import Real

import numpy as np

from simlib.core import SimlibError, unit_rows

# The sound as a whole, and the tempo. The other aspects are tag columns.
SOUND, TEMPO = "sound", "tempo"


def subspace_name(column: str) -> str:
    """Name the subspace of a tag column."""
    return f"{column} tag" if column in (SOUND, TEMPO) else column


class Aspects:
    """How the vectors of a model are made up.

    Parameters
    ----------
    sizes : dict of str to int
        Dimensions of each subspace, in their order.
    weights : dict of str to float
        Each aspect's share of a similarity, unless a query sets others. They sum to 1. The length
        of a vector in a subspace is the square root of its weight.
    """

    def __init__(self, sizes: dict[str, int], weights: dict[str, float]):
        self.sizes, self.default = sizes, weights
        ends = np.cumsum(list(sizes.values()))
        self.spans = {
            name: slice(int(end) - size, int(end))
            for (name, size), end in zip(sizes.items(), ends, strict=True)
        }

    def weights(self, wanted: dict[str, float] | None = None) -> dict[str, float]:
        """Complete the weights of a query.

        Parameters
        ----------
        wanted : dict of str to float, optional
            At least 0, relative to each other. An aspect that is not named keeps its default.

        Returns
        -------
        dict of str to float
            Of every aspect; they sum to 1.

        Raises
        ------
        SimlibError
            If there is no such aspect, or a weight is no number of at least 0, or all are 0.
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

    def weighted(self, vectors: np.ndarray, weights: dict[str, float]) -> np.ndarray:
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

    def scale(self, weights: dict[str, float]) -> np.ndarray:
        """Return the factors that give a query these weights: float32, shape (dimensions,).

        Its product with the query, times a candidate as indexed, is the weighted similarity.
        """
        factors = [weights[name] / self.default[name] for name in self.sizes]
        return np.repeat(np.array(factors, dtype=np.float32), list(self.sizes.values()))

    def subspaces(self, vectors: np.ndarray) -> dict[str, np.ndarray]:
        """Divide vectors: {subspace: float32, shape (..., size), of unit length}."""
        return {name: unit_rows(vectors[..., span]) for name, span in self.spans.items()}
