"""Augmentation of log-mel segments, so that embeddings depend less on how music was recorded."""

import numpy as np
import scipy.signal

from simlib.training.settings import AugmentSettings

# The lowest level of a log-mel frame, in dB.
SILENCE_DB = -100.0
# What `degrade_spectrogram` draws from. The level of white noise below the segment, in dB.
NOISE_BELOW = (0.0, 25.0)
# Shares of the bands that a narrow channel attenuates, at the low and at the high end.
LOST_BELOW, LOST_ABOVE = (0.0, 0.12), (0.2, 0.45)
# By how much it attenuates them, in dB.
LOST_DB = (30.0, 120.0)
# Frames until the reverberation of a room has decayed by 60 dB.
RINGING = (15, 70)


def cut_frames(frames: int, settings: AugmentSettings) -> int:
    """Return how many frames to cut for a segment of `frames`, so that it can be stretched."""
    return int(np.ceil(frames * (1 + settings.stretch)))


def augment(
    batch: np.ndarray, frames: int, settings: AugmentSettings, rng: np.random.Generator
) -> np.ndarray:
    """Augment a batch of log-mel segments.

    Each segment gets a tempo change (resampled along time), a shift along the mel axis, a change
    of level, a spectral tilt, and one time and one band mask (SpecAugment, Park et al. 2019).
    Some are mixed with another segment of the batch that is at least 6 dB quieter; powers add up.
    Some are degraded; see `degrade_spectrogram`.

    Parameters
    ----------
    batch : numpy.ndarray, shape (n_segments, cut_frames(frames, settings), n_mels)
        Log-mel in dB.
    frames : int
        Length of the augmented segments.
    settings : simlib.training.AugmentSettings
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray of float32, shape (n_segments, frames, n_mels)
    """
    batch = np.asarray(batch, dtype=np.float32)
    n, available, bands = batch.shape
    out = np.empty((n, frames, bands), dtype=np.float32)
    tilt = np.linspace(-0.5, 0.5, bands, dtype=np.float32)
    for i, segment in enumerate(batch):
        segment = _stretched(segment, frames, rng.uniform(-1, 1) * settings.stretch)
        segment = _shifted(segment, rng.integers(-settings.pitch_bands, settings.pitch_bands + 1))
        level = rng.uniform(-1, 1) * settings.gain_db
        slope = rng.uniform(-1, 1) * settings.tilt_db
        out[i] = np.maximum(segment + level + slope * tilt, SILENCE_DB)
    out = _mixed(out, settings.mix_probability, rng)
    for i in np.flatnonzero(rng.random(n) < settings.degrade_probability):
        out[i] = degrade_spectrogram(out[i], rng)
    for segment in out:
        quiet = segment.mean()
        _mask(segment, settings.time_mask, quiet, rng)
        _mask(segment.T, settings.band_mask, quiet, rng)
    return out


def degrade_spectrogram(log_mel: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Degrade a log-mel spectrogram by white noise, a narrow channel or reverberation.

    Which of the three is drawn at random.

    Parameters
    ----------
    log_mel : numpy.ndarray, shape (n_frames, n_mels)
        In dB.
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray of float32, shape (n_frames, n_mels)
        In dB, at least `SILENCE_DB`.
    """
    log_mel = np.asarray(log_mel, dtype=np.float32)
    return (_noisy, _narrow, _ringing)[rng.integers(3)](log_mel, rng)


def _noisy(log_mel, rng):
    """Add white noise; with Slaney's mel filters it has the same power in every band."""
    power = 10 ** (log_mel / 10)
    below = 10 ** (rng.uniform(*NOISE_BELOW) / 10)
    # The power of white noise, averaged over a band of a frame, varies little.
    return _decibel(power + power.mean() / below * rng.gamma(8, 1 / 8, power.shape))


def _narrow(log_mel, rng):
    """Attenuate the outermost bands."""
    bands = log_mel.shape[1]
    first = round(rng.uniform(*LOST_BELOW) * bands)
    last = bands - round(rng.uniform(*LOST_ABOVE) * bands)
    lost = (np.arange(bands) < first) | (np.arange(bands) >= last)
    degraded = log_mel.copy()
    degraded[:, lost] -= rng.uniform(*LOST_DB)
    return np.maximum(degraded, SILENCE_DB)


def _ringing(log_mel, rng):
    """Add reverberation that decays exponentially and is as loud as the direct sound."""
    kept = 10 ** (-6 / rng.uniform(*RINGING))
    power = 10 ** (log_mel / 10)
    return _decibel(power + scipy.signal.lfilter([1 - kept], [1, -kept], power, axis=0))


def _decibel(power):
    return (10 * np.log10(np.maximum(power, 10 ** (SILENCE_DB / 10)))).astype(np.float32)


def _stretched(segment, frames, change):
    """Resample along time, linearly, to be faster by the share `change`."""
    if not change:
        return segment[:frames]
    positions = np.arange(frames) * (1 + change)
    below = np.minimum(positions.astype(int), len(segment) - 2)
    share = (positions - below).astype(np.float32)[:, None]
    return segment[below] * (1 - share) + segment[below + 1] * share


def _shifted(segment, bands):
    """Move the content up by some mel bands; the edge repeats."""
    if not bands:
        return segment
    moved = np.roll(segment, bands, axis=1)
    if bands > 0:
        moved[:, :bands] = segment[:, :1]
    else:
        moved[:, bands:] = segment[:, -1:]
    return moved


def _mixed(batch, share, rng):
    """Add another, quieter segment of the batch to a share of the segments."""
    chosen = rng.random(len(batch)) < share
    others = rng.permutation(len(batch))
    below = rng.uniform(6, 20, size=len(batch)).astype(np.float32)
    mixed = batch.copy()
    for i in np.flatnonzero(chosen):
        # Both are brought to an equal level first, because mastering levels differ.
        under = batch[others[i]] - batch[others[i]].mean() + batch[i].mean() - below[i]
        mixed[i] = 10 * np.log10(10 ** (batch[i] / 10) + 10 ** (under / 10))
    return mixed


def _mask(segment, share, value, rng):
    """Overwrite a random range along the first axis, in place."""
    width = int(rng.uniform(0, share) * len(segment))
    start = rng.integers(0, len(segment) - width + 1)
    segment[start : start + width] = value
