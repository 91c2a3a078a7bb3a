"""How fast a recording is, as far as its log-mel spectrogram tells."""

import librosa
import numpy as np

# Tempi are looked at over so many octaves from the slowest: folded, an octave has so many bins;
# unfolded, where 60 and 120 beats a minute are two, fewer.
OCTAVES, SLOWEST_BPM = 4, 30.0
CYCLIC_BINS, COARSE_BINS = 40, 12
# librosa's window, and the stretch that is looked at at once: a long mix fits into memory too.
TEMPOGRAM_WINDOW_SECONDS, TEMPOGRAM_STRETCH_SECONDS = 8.9, 120.0


def compute_tempogram(log_mel, front_end):
    """Autocorrelation of the onsets, averaged over the recording.

    Parameters
    ----------
    log_mel : numpy.ndarray of float16, shape (n_frames, n_mels)
        dB.
    front_end : simlib.features.ExtractSettings
        What it was made with.

    Returns
    -------
    numpy.ndarray of float64, shape (n_lags,)
        By lag in frames; at most 1. 0 throughout where there are no onsets.
    """
    rate, hop = front_end.sample_rate, front_end.hop_length
    window = round(TEMPOGRAM_WINDOW_SECONDS * front_end.frame_rate)
    stretch = round(TEMPOGRAM_STRETCH_SECONDS * front_end.frame_rate)
    total = np.zeros(window)
    for first in range(0, len(log_mel), stretch):
        part = np.asarray(log_mel[first : first + stretch], dtype=np.float32).T
        onsets = librosa.onset.onset_strength(S=part, sr=rate, hop_length=hop)
        local = librosa.feature.tempogram(
            onset_envelope=onsets, sr=rate, hop_length=hop, win_length=window
        )
        total += local.sum(axis=1)
    return total / max(len(log_mel), 1)


def cyclic_tempogram(tempogram, front_end):
    """Fold a tempogram so that a tempo and its double are one (Grosche, Mueller, Kurth 2010).

    Parameters
    ----------
    tempogram : numpy.ndarray of float64, shape (n_lags,)
        From `compute_tempogram`.
    front_end : simlib.features.ExtractSettings

    Returns
    -------
    numpy.ndarray of float32, shape (BINS,)
        Around its mean and of unit length; 0 throughout for an even tempogram.
    """
    folded = (
        octave_tempogram(tempogram, front_end, CYCLIC_BINS)
        .reshape(OCTAVES, CYCLIC_BINS)
        .mean(axis=0)
    )
    folded -= folded.mean()
    return folded / max(np.linalg.norm(folded), 1e-9)


def octave_tempogram(tempogram, front_end, bins=COARSE_BINS):
    """Sample a tempogram at tempi in place of lags.

    Parameters
    ----------
    tempogram : numpy.ndarray of float64, shape (n_lags,)
        From `compute_tempogram`.
    front_end : simlib.features.ExtractSettings
    bins : int
        Of an octave.

    Returns
    -------
    numpy.ndarray of float32, shape (OCTAVES * bins,)
        From the slowest tempo upwards.
    """
    tempi = SLOWEST_BPM * 2 ** (np.arange(OCTAVES * bins) / bins)
    lags = 60.0 * front_end.frame_rate / tempi
    strengths = np.interp(lags, np.arange(len(tempogram)), tempogram, right=0.0)
    return strengths.astype(np.float32)


def estimate_bpm(tempogram, front_end):
    """Return librosa's estimate of the tempo from a tempogram: float, beats a minute."""
    rate, hop = front_end.sample_rate, front_end.hop_length
    return float(librosa.feature.tempo(tg=tempogram[:, None], sr=rate, hop_length=hop)[0])
