"""Patches of a recording, cut while its spectra or samples arrive.

All arithmetic runs on one patch at a time. So the numbers do not depend on the size of the blocks
that a decoder delivers: matrix products of other shapes round otherwise.
"""

from collections.abc import Iterator
from functools import cache

import librosa
import numpy as np

from simlib.features.backbones.front_ends import MelFrontEnd


class Patches:
    """A recording as patches: one after the other, and the last one ends with the recording.

    The last patch overlaps the one before it, unless the length fits. A recording shorter than a
    patch is repeated.

    Parameters
    ----------
    length : int
        Rows of a patch: power spectra or samples.
    """

    def __init__(self, length: int):
        self._length = length
        # The rows of the patch before stay, since the last patch may need them.
        self._before: np.ndarray | None = None
        self._held: np.ndarray | None = None

    def add(self, rows: np.ndarray) -> Iterator[np.ndarray]:
        """Take the next rows, and yield the patches that they complete.

        Parameters
        ----------
        rows : numpy.ndarray of float32, shape (n_rows, ...)

        Yields
        ------
        numpy.ndarray of float32, shape (length, ...)
        """
        held = rows if self._held is None else np.concatenate([self._held, rows])
        while len(held) >= self._length:
            # A view would keep the whole block in memory.
            self._before, held = held[: self._length].copy(), held[self._length :]
            yield self._before
        self._held = held.copy()

    def rest(self) -> Iterator[np.ndarray]:
        """Yield the last patch, once all rows were added, unless the length fits."""
        if len(self._held) or self._before is None:
            rows = [self._held] if self._before is None else [self._before, self._held]
            last = np.concatenate(rows)[-self._length :]
            yield np.resize(last, (self._length, *last.shape[1:]))


def log_mel_patch(power: np.ndarray, front_end: MelFrontEnd) -> np.ndarray:
    """Compute one patch.

    Parameters
    ----------
    power : numpy.ndarray of float32, shape (frames, 1 + n_fft // 2)
    front_end : MelFrontEnd

    Returns
    -------
    numpy.ndarray of float32, shape (frames, n_mels)
    """
    magnitude = front_end.spectrum == "magnitude"
    spectra = np.ascontiguousarray(np.sqrt(power) if magnitude else power)
    mel = spectra @ _mel_filters(front_end).T
    x = np.float32(front_end.gain) * mel + np.float32(front_end.offset)
    if front_end.log == "ln":
        return np.log(x)
    decibels = np.float32(20 if magnitude else 10)
    return decibels * np.log10(x) if front_end.log == "db" else np.log10(x)


@cache
def _mel_filters(front_end):
    return librosa.filters.mel(
        sr=front_end.sample_rate,
        n_fft=front_end.n_fft,
        n_mels=front_end.n_mels,
        fmin=front_end.f_min,
        fmax=front_end.f_max,
        htk=front_end.mel_scale == "htk",
        norm="slaney" if front_end.mel_norm == "slaney" else None,
    )
