"""Augmentation of log-mel segments, so that embeddings depend less on how music was recorded."""

import numpy as np
import scipy.signal

from simlib.training.settings import AugmentSettings, DegradeSettings

# The lowest level of a log-mel frame, in dB.
SILENCE_DB = -100.0


def cut_frames(frames: int, settings: AugmentSettings) -> int:
    """Return how many frames to cut for a segment of `frames`, so that it can be stretched."""
    return int(np.ceil(frames * (1 + settings.stretch)))


def augment(
    batch: np.ndarray, frames: int, settings: AugmentSettings, rng: np.random.Generator
) -> np.ndarray:
    """Augment a batch of log-mel segments.

    Each segment gets a tempo change (resampled along time), a shift along the mel axis, a change
    of level, a spectral tilt, and one time and one band mask (SpecAugment, Park et al. 2019).
    Some are mixed with another, quieter segment of the batch; powers add up.
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
    n, _, bands = batch.shape
    out = np.empty((n, frames, bands), dtype=np.float32)
    tilt = np.linspace(-0.5, 0.5, bands, dtype=np.float32)
    for i, segment in enumerate(batch):
        segment = _stretched(segment, frames, rng.uniform(-1, 1) * settings.stretch)
        segment = _shifted(segment, rng.integers(-settings.pitch_bands, settings.pitch_bands + 1))
        level = rng.uniform(-1, 1) * settings.gain_db
        slope = rng.uniform(-1, 1) * settings.tilt_db
        out[i] = np.maximum(segment + level + slope * tilt, SILENCE_DB)
    out = _mixed(out, settings, rng)
    for row in np.flatnonzero(rng.random(n) < settings.degrade_probability):
        out[row] = degrade_spectrogram(out[row], settings.degrade, rng)
    for segment in out:
        quiet = segment.mean()
        _mask(segment, settings.time_mask, quiet, rng)
        _mask(segment.T, settings.band_mask, quiet, rng)
    return out


def degrade_spectrogram(
    log_mel: np.ndarray, settings: DegradeSettings, rng: np.random.Generator
) -> np.ndarray:
    """Degrade a log-mel spectrogram by white noise, a narrow channel or reverberation.

    Which of the three is drawn at random.

    Parameters
    ----------
    log_mel : numpy.ndarray, shape (n_frames, n_mels)
        In dB.
    settings : simlib.training.DegradeSettings
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray of float32, shape (n_frames, n_mels)
        In dB, at least `SILENCE_DB`.
    """
    log_mel = np.asarray(log_mel, dtype=np.float32)
    return (_noisy, _narrow, _reverberant)[rng.integers(3)](log_mel, settings, rng)


def _noisy(log_mel, settings, rng):
    """Add white noise; with Slaney's mel filters it has the same power in every band."""
    power = 10 ** (log_mel / 10)
    below = 10 ** (rng.uniform(*settings.noise_db) / 10)
    # The power of white noise, averaged over a band of a frame, varies little.
    return _decibel(power + power.mean() / below * rng.gamma(8, 1 / 8, power.shape))


def _narrow(log_mel, settings, rng):
    """Attenuate the outermost bands."""
    bands = log_mel.shape[1]
    first = round(rng.uniform(*settings.low_cut) * bands)
    last = bands - round(rng.uniform(*settings.high_cut) * bands)
    lost = (np.arange(bands) < first) | (np.arange(bands) >= last)
    degraded = log_mel.copy()
    degraded[:, lost] -= rng.uniform(*settings.cut_db)
    return np.maximum(degraded, SILENCE_DB)


def _reverberant(log_mel, settings, rng):
    """Add reverberation that decays exponentially and is as loud as the direct sound."""
    kept = 10 ** (-6 / rng.uniform(*settings.decay_frames))
    power = 10 ** (log_mel / 10)
    return _decibel(power + scipy.signal.lfilter([1 - kept], [1, -kept], power, axis=0))


def _decibel(power):
    return (10 * np.log10(np.maximum(power, 10 ** (SILENCE_DB / 10)))).astype(np.float32)


def _stretched(segment, frames, change):
    """Resample linearly along time; `change` is the relative change of tempo."""
    positions = np.arange(frames) * (1 + change)
    below = np.minimum(positions.astype(int), len(segment) - 2)
    share = (positions - below).astype(np.float32)[:, None]
    return segment[below] * (1 - share) + segment[below + 1] * share


def _shifted(segment, bands):
    """Move the content up by some mel bands; the edge repeats."""
    source = np.clip(np.arange(segment.shape[1]) - bands, 0, segment.shape[1] - 1)
    return segment[:, source]


def _mixed(batch, settings, rng):
    """Add another, quieter segment of the batch to a share of the segments."""
    chosen = rng.random(len(batch)) < settings.mix_probability
    others = rng.permutation(len(batch))
    below = rng.uniform(*settings.mix_db, size=len(batch)).astype(np.float32)
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
