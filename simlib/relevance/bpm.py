"""Tempi of recordings, and how relevant they make recordings to each other."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from simlib.features import FrontEnd, estimate_bpm

# Tempi that differ by this many octaves, 7%, have no gain. Listeners notice about half of it.
TEMPO_TOLERANCE = 0.1


def tempo_gain(bpm: np.ndarray, others: np.ndarray | None = None) -> np.ndarray:
    """Compute gains by tempo: 1 for equal tempi or octaves, falling to 0 at `TEMPO_TOLERANCE`.

    Parameters
    ----------
    bpm : numpy.ndarray of float64, shape (n_tracks,)
        In beats per minute.
    others : numpy.ndarray of float64, shape (n_others,) or (n_tracks, n_others), optional
        Of the tracks to compare each with; by default the same ones.

    Returns
    -------
    numpy.ndarray of float64, shape (n_tracks, n_others)
    """
    apart = np.log2(bpm)[:, None] - np.log2(bpm if others is None else others)
    # Listeners disagree whether a beat is at half or at double speed.
    return np.maximum(0.0, 1.0 - np.abs(apart - np.round(apart)) / TEMPO_TOLERANCE)


def known_bpm(tracks: pd.DataFrame) -> np.ndarray:
    """Return the tempi that the catalogue has.

    Parameters
    ----------
    tracks : pandas.DataFrame

    Returns
    -------
    numpy.ndarray of float64, shape (n_tracks,)
        From the numeric column `bpm`; NaN without that column or a positive value in it.
    """
    if "bpm" not in tracks or not pd.api.types.is_numeric_dtype(tracks["bpm"]):
        return np.full(len(tracks), np.nan)
    bpm = tracks["bpm"].to_numpy(dtype=np.float64)
    return np.where(np.isfinite(bpm) & (bpm > 0), bpm, np.nan)


def complete_bpm(
    bpm: np.ndarray, tempograms: Sequence[np.ndarray], front_end: FrontEnd
) -> np.ndarray:
    """Complete the catalogue's tempi with estimates.

    Parameters
    ----------
    bpm : numpy.ndarray of float64, shape (n_tracks,)
        From `known_bpm`.
    tempograms : sequence of numpy.ndarray
        One for each track, from `compute_tempogram`.
    front_end : simlib.features.FrontEnd

    Returns
    -------
    numpy.ndarray of float64, shape (n_tracks,)
    """
    pairs = zip(bpm, tempograms, strict=True)
    return np.array([estimate_bpm(one, front_end) if np.isnan(b) else b for b, one in pairs])


def describe_bpm_source(bpm: np.ndarray) -> str:
    """Describe where tempi come from, in a sentence.

    Parameters
    ----------
    bpm : numpy.ndarray of float64, shape (n_tracks,)
        From `known_bpm`.

    Returns
    -------
    str
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
