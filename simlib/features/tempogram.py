"""Tempograms: how strongly the onsets of a recording repeat at each tempo.

They are the input of a branch of the model. So the pretrained weights fix the constants here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import librosa
import numpy as np

if TYPE_CHECKING:
    from simlib.features.settings import FrontEnd

OCTAVES, SLOWEST_BPM = 4, 30.0
# Bins of an octave: folded, where 60 and 120 beats a minute are one tempo, and unfolded.
CYCLIC_BINS, COARSE_BINS = 40, 12
# librosa's window, and the length of what is computed at once, so that a long mix fits in memory.
TEMPOGRAM_WINDOW_SECONDS, TEMPOGRAM_STRETCH_SECONDS = 8.9, 120.0


def compute_tempogram(log_mel: np.ndarray, front_end: FrontEnd) -> np.ndarray:
    """Compute the autocorrelation of the onsets, averaged over the recording.

    Parameters
    ----------
    log_mel : numpy.ndarray of float16, shape (n_frames, n_mels)
        dB.
    front_end : simlib.features.FrontEnd
        The settings of the spectrogram.

    Returns
    -------
    numpy.ndarray of float64, shape (n_lags,)
        By lag in frames; at most 1. 0 throughout if there are no onsets.
    """
    rate, hop = front_end.sample_rate, front_end.hop_length
    window = round(TEMPOGRAM_WINDOW_SECONDS * front_end.frame_rate)
    stretch = round(TEMPOGRAM_STRETCH_SECONDS * front_end.frame_rate)
    total = np.zeros(window)
    for first in range(0, len(log_mel), stretch):
        excerpt = np.asarray(log_mel[first : first + stretch], dtype=np.float32).T
        onsets = librosa.onset.onset_strength(S=excerpt, sr=rate, hop_length=hop)
        local = librosa.feature.tempogram(
            onset_envelope=onsets, sr=rate, hop_length=hop, win_length=window
        )
        total += local.sum(axis=1)
    return total / max(len(log_mel), 1)


def cyclic_tempogram(tempogram: np.ndarray, front_end: FrontEnd) -> np.ndarray:
    """Fold a tempogram so that a tempo and its double are one (Grosche, Mueller, Kurth 2010).

    Parameters
    ----------
    tempogram : numpy.ndarray of float64, shape (n_lags,)
        From `compute_tempogram`.
    front_end : simlib.features.FrontEnd

    Returns
    -------
    numpy.ndarray of float32, shape (CYCLIC_BINS,)
        Of mean 0 and unit length; 0 throughout for an even tempogram.
    """
    octaves = octave_tempogram(tempogram, front_end, CYCLIC_BINS).reshape(OCTAVES, CYCLIC_BINS)
    folded = octaves.mean(axis=0)
    folded -= folded.mean()
    return folded / max(np.linalg.norm(folded), 1e-9)


def octave_tempogram(
    tempogram: np.ndarray, front_end: FrontEnd, bins: int = COARSE_BINS
) -> np.ndarray:
    """Sample a tempogram at tempi in place of lags.

    Parameters
    ----------
    tempogram : numpy.ndarray of float64, shape (n_lags,)
        From `compute_tempogram`.
    front_end : simlib.features.FrontEnd
    bins : int
        Tempi in an octave.

    Returns
    -------
    numpy.ndarray of float32, shape (OCTAVES * bins,)
        From the slowest tempo upwards.
    """
    tempi = SLOWEST_BPM * 2 ** (np.arange(OCTAVES * bins) / bins)
    lags = 60.0 * front_end.frame_rate / tempi
    strengths = np.interp(lags, np.arange(len(tempogram)), tempogram, right=0.0)
    return strengths.astype(np.float32)


def estimate_bpm(tempogram: np.ndarray, front_end: FrontEnd) -> float:
    """Return librosa's estimate of the tempo from a tempogram, in beats a minute."""
    rate, hop = front_end.sample_rate, front_end.hop_length
    return float(librosa.feature.tempo(tg=tempogram[:, None], sr=rate, hop_length=hop)[0])
