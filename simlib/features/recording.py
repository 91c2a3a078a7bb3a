"""The features of one recording, which a model embeds whole or in excerpts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from simlib.core import BACKBONE_PREFIX, SimlibError
from simlib.features.backbones.names import load_card
from simlib.features.descriptor import DESCRIPTOR_BLOCK_SECONDS

if TYPE_CHECKING:
    from simlib.features.settings import FrontEnd


@dataclass(frozen=True, eq=False)
class RecordingFeatures:
    """All that a model needs of a recording.

    Attributes
    ----------
    log_mel : numpy.ndarray of float16, shape (n_frames, n_mels)
        In dB.
    descriptor : numpy.ndarray of float32, shape (n_blocks, 102)
        Hand-crafted features.
    backbones : mapping of str to numpy.ndarray of float16, shape (n_patches, size)
        Activations of each backbone.
    """

    log_mel: np.ndarray
    descriptor: np.ndarray
    backbones: Mapping[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray]) -> RecordingFeatures:
        """Make one of what `compute_features` returned."""
        prefix = BACKBONE_PREFIX
        backbones = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
        return cls(arrays["log_mel"], arrays["descriptor"], backbones)

    def activations(self, names: Iterable[str]) -> np.ndarray:
        """Average the activations of backbones over the patches, and join them.

        Parameters
        ----------
        names : iterable of str
            Of the backbones.

        Returns
        -------
        numpy.ndarray of float32, shape (n_activations,)
            Without those of the layer `tags`.

        Raises
        ------
        SimlibError
            If the activations of one were not computed.
        """
        found = [np.zeros(0, dtype=np.float32)]
        for name in names:
            if name not in self.backbones:
                cause = f"were extracted without the backbone '{name}'"
                raise SimlibError("features", cause, "run 'dvc repro extract'")
            patches = self.backbones[name][:, : load_card(name).head_size]
            found.append(np.mean(patches, axis=0, dtype=np.float32))
        return np.concatenate(found)

    def between(self, start: float, end: float, front_end: FrontEnd) -> RecordingFeatures:
        """Cut an excerpt.

        Parameters
        ----------
        start, end : float
            Seconds from the first frame.
        front_end : simlib.features.FrontEnd
            Of the log-mel frames.

        Returns
        -------
        RecordingFeatures
            The frames between the two, and every block and patch that holds some of these seconds.
        """
        rate = front_end.frame_rate
        seconds = len(self.log_mel) / rate
        return RecordingFeatures(
            self.log_mel[round(start * rate) : round(end * rate)],
            _rows(self.descriptor, start, end, DESCRIPTOR_BLOCK_SECONDS),
            {
                # Patches of one length follow each other; only the last may begin earlier.
                name: _rows(patches, start, end, seconds / len(patches))
                for name, patches in self.backbones.items()
            },
        )


def _rows(rows, start, end, length):
    """Take the rows, each of a length in seconds, that hold some of these seconds: at least one."""
    first = int(min(start // length, len(rows) - 1))
    return rows[first : max(int(np.ceil(end / length)), first + 1)]
