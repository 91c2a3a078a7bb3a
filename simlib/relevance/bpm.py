"""The ground truth: which recordings count as alike, and how well a ranking finds them.

Both sides of the project stand on this one definition: training turns relations into positives,
the evaluation turns them into gains.
"""

import numpy as np
import pandas as pd

from simlib.features import estimate_bpm

# Tempi so far apart, in octaves, are not alike any more: 7%, about twice what is just noticed.
TEMPO_TOLERANCE = 0.1


def tempo_gain(bpm):
    """How alike tempi are: 1 for the same or an octave apart, falling to 0 at `TEMPO_TOLERANCE`.

    Parameters
    ----------
    bpm : numpy.ndarray of float64, shape (n_tracks,)
        Beats a minute.

    Returns
    -------
    numpy.ndarray of float64, shape (n_tracks, n_tracks)
    """
    octaves = np.log2(bpm)
    apart = octaves[:, None] - octaves[None, :]
    # Whether a beat is felt at half or double speed, listeners disagree themselves.
    return np.maximum(0.0, 1.0 - np.abs(apart - np.round(apart)) / TEMPO_TOLERANCE)


def known_bpm(tracks):
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


def complete_bpm(bpm, tempograms, front_end):
    """Complete the catalogue's tempi with estimates.

    Parameters
    ----------
    bpm : numpy.ndarray of float64, shape (n_tracks,)
        From `known_bpm`.
    tempograms : sequence of numpy.ndarray
        One for each track, from `compute_tempogram`.
    front_end : simlib.features.ExtractSettings

    Returns
    -------
    numpy.ndarray of float64, shape (n_tracks,)
    """
    pairs = zip(bpm, tempograms, strict=True)
    return np.array([estimate_bpm(one, front_end) if np.isnan(b) else b for b, one in pairs])


def describe_bpm_source(bpm):
    """Say where tempi come from.

    Parameters
    ----------
    bpm : numpy.ndarray of float64, shape (n_tracks,)
        From `known_bpm`.

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
