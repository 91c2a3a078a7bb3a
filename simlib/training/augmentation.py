"""What training does to log-mel segments, so that the encoder hears past the recording chain."""

import numpy as np
import scipy.signal

# Frames longer than a segment that a stretched one is cut from.
SILENCE_DB = -100.0
# What `degrade_spectrogram` draws from: dB of the noise below the segment; shares of the bands that
# a narrow channel loses below and above, and by how many dB; frames until a room is silent, 60 dB
# down.
NOISE_BELOW, LOST_BELOW, LOST_ABOVE, LOST_DB = (0.0, 25.0), (0.0, 0.12), (0.2, 0.45), (30.0, 120.0)
RINGING = (15, 70)


def cut_frames(frames, settings):
    """Return how many frames to cut for a segment of `frames`, so that it can be stretched."""
    return int(np.ceil(frames * (1 + settings.stretch)))


def augment(batch, frames, settings, rng):
    """Augment a batch of log-mel segments.

    Each segment gets a tempo change (resampled along time), a shift along the mel axis, a change
    of level, a spectral tilt, and one time and one band mask (SpecAugment, Park et al. 2019).
    Some are mixed with another one of the batch, 6 dB below or more, as sounds mix: by power, and
    some are worn; see `degrade_spectrogram`.

    Parameters
    ----------
    batch : numpy.ndarray, shape (n_segments, margin(frames), n_mels)
        Log-mel in dB.
    frames : int
        Length of the segments that come out.
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


def degrade_spectrogram(log_mel, rng):
    """Do to a log-mel spectrogram what noise, a narrow channel or a room does to a recording.

    Parameters
    ----------
    log_mel : numpy.ndarray, shape (n_frames, n_mels)
        dB.
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray of float32, shape (n_frames, n_mels)
        By one of the three, never below `SILENCE_DB`.
    """
    log_mel = np.asarray(log_mel, dtype=np.float32)
    return (_noisy, _narrow, _ringing)[rng.integers(3)](log_mel, rng)


def _noisy(log_mel, rng):
    """Lay white noise under it: with Slaney's filters, the same power in every band."""
    power = 10 ** (log_mel / 10)
    below = 10 ** (rng.uniform(*NOISE_BELOW) / 10)
    # The average power of white noise over a band of a frame is nearly the same each time.
    return _decibel(power + power.mean() / below * rng.gamma(8, 1 / 8, power.shape))


def _narrow(log_mel, rng):
    """Take the outermost bands away."""
    bands = log_mel.shape[1]
    first = round(rng.uniform(*LOST_BELOW) * bands)
    last = bands - round(rng.uniform(*LOST_ABOVE) * bands)
    lost = (np.arange(bands) < first) | (np.arange(bands) >= last)
    degraded = log_mel.copy()
    degraded[:, lost] -= rng.uniform(*LOST_DB)
    return np.maximum(degraded, SILENCE_DB)


def _ringing(log_mel, rng):
    """Let every frame die away exponentially, reverberation as loud as the direct sound."""
    kept = 10 ** (-6 / rng.uniform(*RINGING))
    power = 10 ** (log_mel / 10)
    return _decibel(power + scipy.signal.lfilter([1 - kept], [1, -kept], power, axis=0))


def _decibel(power):
    return (10 * np.log10(np.maximum(power, 10 ** (SILENCE_DB / 10)))).astype(np.float32)


def _stretched(segment, frames, change):
    """Resample along time, linearly, to play `change` faster."""
    if not change:
        return segment[:frames]
    positions = np.arange(frames) * (1 + change)
    below = np.minimum(positions.astype(int), len(segment) - 2)
    share = (positions - below).astype(np.float32)[:, None]
    return segment[below] * (1 - share) + segment[below + 1] * share


def _shifted(segment, bands):
    """Move the content `bands` mel bands up; the edge repeats."""
    if not bands:
        return segment
    moved = np.roll(segment, bands, axis=1)
    if bands > 0:
        moved[:, :bands] = segment[:, :1]
    else:
        moved[:, bands:] = segment[:, -1:]
    return moved


def _mixed(batch, share, rng):
    """Lay another segment of the batch under a share of the segments."""
    chosen = rng.random(len(batch)) < share
    others = rng.permutation(len(batch))
    below = rng.uniform(6, 20, size=len(batch)).astype(np.float32)
    mixed = batch.copy()
    for i in np.flatnonzero(chosen):
        # Both to equal level first: how loud a recording was mastered must not decide.
        under = batch[others[i]] - batch[others[i]].mean() + batch[i].mean() - below[i]
        mixed[i] = 10 * np.log10(10 ** (batch[i] / 10) + 10 ** (under / 10))
    return mixed


def _mask(segment, share, value, rng):
    """Overwrite a random run along the first axis, in place."""
    width = int(rng.uniform(0, share) * len(segment))
    start = rng.integers(0, len(segment) - width + 1)
    segment[start : start + width] = value
