"""Log-mel spectrograms of a stream of blocks, the same as those of the whole signal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain, tee, zip_longest
from typing import TYPE_CHECKING, NamedTuple, Protocol

import librosa
import numpy as np
import scipy.fft

from simlib.features.audio import resampled

if TYPE_CHECKING:
    from simlib.features.settings import FrontEnd

FLOOR_DB = -100.0


class Frames(NamedTuple):
    """How a recording is cut into frames: the rate in Hz, window and step in samples."""

    rate: int
    n_fft: int
    hop_length: int


class Feature(Protocol):
    """What is computed of a recording while its power spectra arrive, block by block."""

    frames: Frames

    def add(self, power: np.ndarray) -> None:
        """Add the next power spectra: float32, shape (n_frames, 1 + n_fft // 2)."""

    def array(self) -> np.ndarray:
        """Return the feature, once all spectra were added."""


def power_frames(blocks: Iterable[np.ndarray], n_fft: int, hop_length: int) -> Iterator[np.ndarray]:
    """Compute the short-time power spectra of a stream of samples.

    Parameters
    ----------
    blocks : iterable of numpy.ndarray of float32, shape (n_samples,)
    n_fft, hop_length : int
        Samples.

    Yields
    ------
    numpy.ndarray of float32, shape (n_frames, 1 + n_fft // 2)
        Together the frames of `librosa.stft(y, center=True)`, zero-padded, squared.
    """
    window = librosa.filters.get_window("hann", n_fft).astype(np.float32)
    pad = np.zeros(n_fft // 2, dtype=np.float32)
    held = np.zeros(0, dtype=np.float32)
    for block in chain([pad], blocks, [pad]):
        held = np.concatenate([held, block])
        if len(held) < n_fft:
            continue
        # Frames as rows are a third faster than librosa's columns, and training reads rows.
        frames = np.lib.stride_tricks.sliding_window_view(held, n_fft)[::hop_length]
        spectra = scipy.fft.rfft(frames * window, axis=1)
        yield spectra.real**2 + spectra.imag**2
        held = held[len(frames) * hop_length :]


def feed(blocks: Iterable[tuple[np.ndarray, int]], *features: Feature) -> None:
    """Read a stream of samples once and add its power spectra to each feature.

    Features with the same frames share one computation of the spectra.

    Parameters
    ----------
    blocks : iterable of (numpy.ndarray of float32, int)
        Mono samples and their rate in Hz, from `mono_blocks`.
    *features : Feature
    """
    wanted = dict.fromkeys(feature.frames for feature in features)
    # All streams go on block by block together, so that `tee` holds a few blocks at most.
    streams = [
        power_frames(resampled(part, frames.rate), frames.n_fft, frames.hop_length)
        for part, frames in zip(tee(blocks, len(wanted)), wanted, strict=True)
    ]
    for powers in zip_longest(*streams):
        for frames, power in zip(wanted, powers, strict=True):
            for feature in features:
                if feature.frames == frames and power is not None:
                    feature.add(power)


@cache
def mel_filters(rate: int, n_fft: int, n_mels: int, f_min: float, f_max: float) -> np.ndarray:
    """Return Slaney's mel filters, as in librosa: float32, shape (n_mels, 1 + n_fft // 2)."""
    return librosa.filters.mel(sr=rate, n_fft=n_fft, n_mels=n_mels, fmin=f_min, fmax=f_max)


class LogMel:
    """The log-mel spectrogram of a recording, computed as its power spectra arrive.

    Parameters
    ----------
    front_end : simlib.features.FrontEnd
    """

    def __init__(self, front_end: FrontEnd):
        self.frames = Frames(front_end.sample_rate, front_end.n_fft, front_end.hop_length)
        rate, n_fft, _ = self.frames
        self._filters = mel_filters(rate, n_fft, front_end.n_mels, front_end.f_min, front_end.f_max)
        self._rows: list[np.ndarray] = []

    def add(self, power: np.ndarray) -> None:
        """Add the next power spectra: float32, shape (n_frames, 1 + n_fft // 2)."""
        mel = np.maximum(power @ self._filters.T, 10 ** (FLOOR_DB / 10))
        self._rows.append((10.0 * np.log10(mel)).astype(np.float16))

    def array(self) -> np.ndarray:
        """Return dB of mel power, at least -100: float16, shape (n_frames, n_mels)."""
        return np.concatenate(self._rows)


def compute_log_mel(blocks: Iterable[np.ndarray], front_end: FrontEnd) -> np.ndarray:
    """Compute the log-mel spectrogram of a stream of samples.

    Parameters
    ----------
    blocks : iterable of numpy.ndarray of float32
        Mono samples at `front_end.sample_rate`.
    front_end : simlib.features.FrontEnd

    Returns
    -------
    numpy.ndarray of float16, shape (n_frames, n_mels)
        dB of mel power (Slaney's filters, as in librosa), at least -100.
    """
    log_mel = LogMel(front_end)
    feed(((block, front_end.sample_rate) for block in blocks), log_mel)
    return log_mel.array()
