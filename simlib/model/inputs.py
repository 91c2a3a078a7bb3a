"""What the branches take of a recording as a whole."""

from dataclasses import dataclass

import numpy as np

from simlib.features import (
    COARSE_BINS,
    CYCLIC_BINS,
    DESCRIPTOR_GROUPS,
    OCTAVES,
    FrontEnd,
    cyclic_tempogram,
    octave_tempogram,
)
from simlib.model.aspects import TEMPO, subspace_name

DESCRIPTOR_SIZE = sum(DESCRIPTOR_GROUPS)


@dataclass(frozen=True, eq=False)
class WholeRecording:
    """A recording without its course in time.

    Attributes
    ----------
    encoded : numpy.ndarray of float32, shape (embedding,)
        The encoder's embedding, pooled over the segments.
    descriptor : numpy.ndarray of float32, shape (102,)
        Hand-crafted features.
    tempogram : numpy.ndarray of float64, shape (n_lags,)
        From `simlib.features.compute_tempogram`.
    reduced : numpy.ndarray of float32, shape (dimensions,)
        The backbones' activations, reduced; of size 0 without backbones.
    """

    encoded: np.ndarray
    descriptor: np.ndarray
    tempogram: np.ndarray
    reduced: np.ndarray

    def of_subspace(self, name: str, front_end: FrontEnd) -> np.ndarray:
        """Return the input of a subspace's branch.

        Parameters
        ----------
        name : str
        front_end : simlib.features.FrontEnd

        Returns
        -------
        numpy.ndarray of float32, shape (n_features,)
        """
        if name == TEMPO:
            return cyclic_tempogram(self.tempogram, front_end)
        inputs = [self.encoded, self.descriptor]
        if name == subspace_name(TEMPO):
            # A column of that name needs the tempo, which features averaged over time have lost.
            folded = (cyclic_tempogram, octave_tempogram)
            inputs += [fold(self.tempogram, front_end) for fold in folded]
        return np.concatenate([*inputs, self.reduced])


def tag_input_size(name: str, embedding: int, reduced: int) -> int:
    """Return the number of features that `WholeRecording.of_subspace` returns for a tag column.

    Parameters
    ----------
    name : str
        Of the subspace.
    embedding, reduced : int
        Dimensions of the encoder's embedding and of the reduced activations.
    """
    size = embedding + DESCRIPTOR_SIZE + reduced
    return size + CYCLIC_BINS + OCTAVES * COARSE_BINS if name == subspace_name(TEMPO) else size
