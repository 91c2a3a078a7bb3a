"""How fast a recording is, as far as its log-mel spectrogram tells."""

import librosa
import numpy as np
import pandas as pd

# Tempi are looked at over so many octaves from the slowest: folded, an octave has so many bins;
# unfolded, where 60 and 120 beats a minute are two, fewer.
OCTAVES, SLOWEST = 4, 30.0
BINS, COARSE_BINS = 40, 12
# librosa's window, and the stretch that is looked at at once: a long mix fits into memory too.
WINDOW_SECONDS, STRETCH_SECONDS = 8.9, 120.0


def tempogram(log_mel, front_end):
    """Autocorrelation of the onsets, averaged over the recording.

    Parameters
    ----------
    log_mel : numpy.ndarray of float16, shape (n_frames, n_mels)
        dB.
    front_end : simlib.settings.ExtractSettings
        What it was made with.

    Returns
    -------
    numpy.ndarray of float64, shape (n_lags,)
        By lag in frames; at most 1. 0 throughout where there are no onsets.
    """
    rate, hop = front_end.sample_rate, front_end.hop_length
    window = round(WINDOW_SECONDS * front_end.frame_rate)
    stretch = round(STRETCH_SECONDS * front_end.frame_rate)
    total = np.zeros(window)
    for first in range(0, len(log_mel), stretch):
        part = np.asarray(log_mel[first : first + stretch], dtype=np.float32).T
        onsets = librosa.onset.onset_strength(S=part, sr=rate, hop_length=hop)
        local = librosa.feature.tempogram(
            onset_envelope=onsets, sr=rate, hop_length=hop, win_length=window
        )
        total += local.sum(axis=1)
    return total / max(len(log_mel), 1)


def cyclic(tempogram, front_end):
    """Fold a tempogram so that a tempo and its double are one (Grosche, Mueller, Kurth 2010).

    Parameters
    ----------
    tempogram : numpy.ndarray of float64, shape (n_lags,)
        From `tempogram`.
    front_end : simlib.settings.ExtractSettings

    Returns
    -------
    numpy.ndarray of float32, shape (BINS,)
        Around its mean and of unit length; 0 throughout for an even tempogram.
    """
    folded = spread(tempogram, front_end, BINS).reshape(OCTAVES, BINS).mean(axis=0)
    folded -= folded.mean()
    return folded / max(np.linalg.norm(folded), 1e-9)


def spread(tempogram, front_end, bins=COARSE_BINS):
    """Sample a tempogram at tempi in place of lags.

    Parameters
    ----------
    tempogram : numpy.ndarray of float64, shape (n_lags,)
        From `tempogram`.
    front_end : simlib.settings.ExtractSettings
    bins : int
        Of an octave.

    Returns
    -------
    numpy.ndarray of float32, shape (OCTAVES * bins,)
        From the slowest tempo upwards.
    """
    tempi = SLOWEST * 2 ** (np.arange(OCTAVES * bins) / bins)
    lags = 60.0 * front_end.frame_rate / tempi
    strengths = np.interp(lags, np.arange(len(tempogram)), tempogram, right=0.0)
    return strengths.astype(np.float32)


def estimate(tempogram, front_end):
    """Return librosa's estimate of the tempo from a tempogram: float, beats a minute."""
    rate, hop = front_end.sample_rate, front_end.hop_length
    return float(librosa.feature.tempo(tg=tempogram[:, None], sr=rate, hop_length=hop)[0])


def known(tracks):
    """Return the tempi that the catalogue knows.

    Parameters
    ----------
    tracks : pandas.DataFrame

    Returns
    -------
    numpy.ndarray of float64, shape (n_tracks,)
        Of the numeric column `bpm`; NaN where it, or a positive value in it, is missing.
    """
    if "bpm" not in tracks or not pd.api.types.is_numeric_dtype(tracks["bpm"]):
        return np.full(len(tracks), np.nan)
    bpm = tracks["bpm"].to_numpy(dtype=np.float64)
    return np.where(np.isfinite(bpm) & (bpm > 0), bpm, np.nan)


def completed(bpm, tempograms, front_end):
    """Complete the catalogue's tempi with estimates.

    Parameters
    ----------
    bpm : numpy.ndarray of float64, shape (n_tracks,)
        From `known`.
    tempograms : sequence of numpy.ndarray
        One for each track, from `tempogram`.
    front_end : simlib.settings.ExtractSettings

    Returns
    -------
    numpy.ndarray of float64, shape (n_tracks,)
    """
    pairs = zip(bpm, tempograms, strict=True)
    return np.array([estimate(one, front_end) if np.isnan(b) else b for b, one in pairs])


def source(bpm):
    """Say where tempi come from.

    Parameters
    ----------
    bpm : numpy.ndarray of float64, shape (n_tracks,)
        From `known`.

    Returns
    -------
    str
        A sentence.
    """
    given = int(np.isfinite(bpm).sum())
    if not given:
        return f"The tempi of all {len(bpm)} recordings are librosa's estimates."
    if given == len(bpm):
        return f"The tempi of all {len(bpm)} recordings come from the column `bpm`."
    return (
        f"Of {len(bpm)} tempi, {given} come from the column `bpm`; the others are librosa's "
        "estimates."
    )
