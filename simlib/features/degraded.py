"""The descriptor of a degraded copy: a recording over a telephone, in noise or in a room.

Training learns from it which differences do not count: the hand-crafted features of a degraded copy
cannot be made from those of the original.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np

from simlib.features.audio import require_sound, resampled
from simlib.features.degrade import noise, reverberate, telephone
from simlib.features.descriptor import DESCRIPTOR_RATE, compute_descriptor
from simlib.features.readers import BLOCK_SECONDS, sample_range

if TYPE_CHECKING:
    from simlib.features.settings import DegradedSettings, ExtractSettings

# About six minutes at 44.1 kHz.
MEMORY_BYTES = 64 * 2**20


class MiddleOfRecording(tempfile.SpooledTemporaryFile):
    """The samples of a recording that passes by, of which the middle is read at its end.

    Where the middle lies is known at the end only. Samples are held in memory up to 64 MB, then in
    a temporary file: half of a long mix would not fit into memory.

    Parameters
    ----------
    folder : path-like
        For the temporary file, which has no name.
    """

    def __init__(self, folder: str | PathLike):
        super().__init__(MEMORY_BYTES, dir=str(folder))

    def record(self, blocks: Iterable[tuple[np.ndarray, int]]) -> Iterator[tuple[np.ndarray, int]]:
        """Yield the blocks of `mono_blocks` as they are, and keep a copy of them."""
        for samples, rate in blocks:
            self.write(samples.tobytes())
            self._rate = rate
            yield samples, rate

    def blocks(self, seconds: float, length: float) -> Iterator[tuple[np.ndarray, int]]:
        """Yield the middle as `mono_blocks` would.

        Parameters
        ----------
        seconds : float
            Length of the recording.
        length : float
            Seconds of its middle.

        Yields
        ------
        samples : numpy.ndarray of float32, shape (n_samples,)
        rate : int
            Hz.
        """
        start = max(0.0, (seconds - length) / 2)
        first, left = sample_range(start, start + length, self._rate)
        self.seek(first * 4)
        while left:
            count = min(left, int(BLOCK_SECONDS * self._rate))
            samples = np.frombuffer(self.read(count * 4), dtype=np.float32)
            if not len(samples):
                break
            left -= len(samples)
            yield samples, self._rate


def degrade_randomly(
    samples: np.ndarray, rate: int, rng: np.random.Generator, settings: DegradedSettings
) -> np.ndarray:
    """Degrade in one of the ways that change hand-crafted features most, to a random degree.

    Parameters
    ----------
    samples : numpy.ndarray of float32, shape (n_samples,)
        Mono.
    rate : int
        Hz.
    rng : numpy.random.Generator
    settings : simlib.features.DegradedSettings

    Returns
    -------
    numpy.ndarray of float32, shape (n_samples,)
    """
    way = rng.integers(3)
    if way == 0:
        return telephone(samples, rate, rng)
    if way == 1:
        return noise(samples, rate, rng, decibel=rng.uniform(*settings.snr_db))
    return reverberate(samples, rate, rng, seconds=rng.uniform(*settings.reverberation_seconds))


def compute_degraded_descriptor(
    path: str | PathLike,
    blocks: Iterable[tuple[np.ndarray, int]],
    settings: ExtractSettings,
    seed: int,
) -> np.ndarray:
    """Compute the descriptor of a recording over a telephone, in noise or in a room.

    Parameters
    ----------
    path : path-like
        Named if there is an error.
    blocks : iterable of (numpy.ndarray of float32, int)
        Mono samples and their rate in Hz, of the middle of the recording.
    settings : simlib.features.ExtractSettings
    seed : int
        Chooses one of the three, and its degree.

    Returns
    -------
    numpy.ndarray of float32, shape (n_blocks, 102)
        See `compute_descriptor`.

    Raises
    ------
    SimlibError
        If the samples are silent.
    """
    blocks = list(blocks)
    peak = max(float(np.abs(samples).max()) for samples, _ in blocks)
    require_sound(path, peak, settings.silence_dbfs)
    samples = np.concatenate(list(resampled(blocks, DESCRIPTOR_RATE)))
    rng = np.random.default_rng(seed)
    return compute_descriptor([degrade_randomly(samples, DESCRIPTOR_RATE, rng, settings.degraded)])
