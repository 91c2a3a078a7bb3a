"""Patches of log-mel spectrograms, cut while power spectra arrive.

All arithmetic runs on one patch at a time. So the numbers do not depend on the size of the blocks
that a decoder delivers: matrix products of other shapes round otherwise.
"""

from collections.abc import Iterator

import numpy as np

from simlib.features.backbones.cards import PatchFrontEnd
from simlib.features.spectrogram import mel_filters


class Patches:
    """A recording as patches: one after the other, and the last one ends with the recording.

    The last patch overlaps the one before it, unless the length fits. A recording shorter than a
    patch is repeated.

    Parameters
    ----------
    front_end : PatchFrontEnd
    """

    def __init__(self, front_end: PatchFrontEnd):
        self._front_end = front_end
        # The frames of the patch before stay, since the last patch may need them.
        self._before = self._held = np.zeros((0, 1 + front_end.n_fft // 2), dtype=np.float32)

    def add(self, power: np.ndarray) -> Iterator[np.ndarray]:
        """Take the next power spectra, and yield the patches that they complete.

        Parameters
        ----------
        power : numpy.ndarray of float32, shape (n_frames, 1 + n_fft // 2)

        Yields
        ------
        numpy.ndarray of float32, shape (frames, n_mels)
        """
        length = self._front_end.frames
        held = np.concatenate([self._held, power])
        while len(held) >= length:
            # A view would keep the whole block in memory.
            self._before, held = held[:length].copy(), held[length:]
            yield log_mel_patch(self._before, self._front_end)
        self._held = held.copy()

    def rest(self) -> Iterator[np.ndarray]:
        """Yield the last patch, once all spectra were added, unless the length fits."""
        if len(self._held) or not len(self._before):
            frames = np.concatenate([self._before, self._held])[-self._front_end.frames :]
            repeated = np.resize(frames, (self._front_end.frames, frames.shape[1]))
            yield log_mel_patch(repeated, self._front_end)


def log_mel_patch(power: np.ndarray, front_end: PatchFrontEnd) -> np.ndarray:
    """Compute one patch.

    Parameters
    ----------
    power : numpy.ndarray of float32, shape (frames, 1 + n_fft // 2)
    front_end : PatchFrontEnd

    Returns
    -------
    numpy.ndarray of float32, shape (frames, n_mels)
        log10(gain x mel power + 1).
    """
    filters = mel_filters(
        front_end.sample_rate,
        front_end.n_fft,
        front_end.n_mels,
        front_end.f_min,
        front_end.f_max,
    )
    mel = np.ascontiguousarray(power) @ filters.T
    return np.log10(np.float32(front_end.gain) * mel + np.float32(1))
