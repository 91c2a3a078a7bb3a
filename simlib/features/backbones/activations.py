"""Activations of a recording, computed while it is decoded."""

from typing import Protocol

import numpy as np
import soxr

from simlib.features.backbones.front_ends import MelFrontEnd, WaveformFrontEnd
from simlib.features.backbones.patches import Patches, log_mel_patch
from simlib.features.spectrogram import Frames

LARGEST = float(np.finfo(np.float16).max)


class Network(Protocol):
    """What turns patches into activations."""

    def activations(self, patches: np.ndarray) -> np.ndarray:
        """Compute float32 of shape (n_patches, size)."""


class _Activations:
    def __init__(self, network, length):
        self._network, self._patches = network, Patches(length)
        self._rows = []

    def _take(self, rows):
        self._rows += [self._row(patch) for patch in self._patches.add(rows)]

    def array(self) -> np.ndarray:
        """Return the activations, once all was added: float16, shape (n_patches, size)."""
        return np.stack([*self._rows, *(self._row(patch) for patch in self._patches.rest())])

    def _row(self, rows):
        [row] = self._network.activations(self._patch(rows)[None])
        return np.clip(row, -LARGEST, LARGEST).astype(np.float16)

    def _patch(self, rows):
        return rows


class MelActivations(_Activations):
    """The activations of a network that takes log-mel patches, as power spectra arrive.

    Parameters
    ----------
    network : Network
    front_end : MelFrontEnd
    """

    def __init__(self, network: Network, front_end: MelFrontEnd):
        super().__init__(network, front_end.frames)
        self.frames = Frames(front_end.sample_rate, front_end.n_fft, front_end.hop_length)
        self._front_end = front_end

    def add(self, power: np.ndarray) -> None:
        """Add the next power spectra: float32, shape (n_frames, 1 + n_fft // 2)."""
        self._take(power)

    def _patch(self, rows):
        return log_mel_patch(rows, self._front_end)


class WaveformActivations(_Activations):
    """The activations of a network that takes samples, as decoded blocks arrive.

    Parameters
    ----------
    network : Network
    front_end : WaveformFrontEnd
    """

    def __init__(self, network: Network, front_end: WaveformFrontEnd):
        super().__init__(network, front_end.patch["samples"])
        self._rate = front_end.sample_rate
        self._resampler: soxr.ResampleStream | None = None

    def add(self, samples: np.ndarray, rate: int) -> None:
        """Add the next samples: mono, float32, at a rate in Hz that stays the same."""
        if rate != self._rate:
            if self._resampler is None:
                self._resampler = soxr.ResampleStream(rate, self._rate, 1, dtype="float32")
            samples = self._resampler.resample_chunk(samples)
        self._take(samples)

    def array(self) -> np.ndarray:
        """Return the activations, once all was added: float16, shape (n_patches, size)."""
        if self._resampler is not None:
            self._take(self._resampler.resample_chunk(np.zeros(0, dtype=np.float32), last=True))
            self._resampler = None
        return super().array()
