"""Graded relevance: the gain of each candidate for each query.

A gain of all pairs of a large catalogue would not fit into memory. So gains are computed for blocks
of queries, or for the candidates of ranked lists only.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from simlib.relevance import jaccard, tempo_gain


class Gain(Protocol):
    """What gains are, whatever they are computed from."""

    def __getitem__(self, rows: np.ndarray, /) -> np.ndarray:
        """Return the gains of all tracks for some queries: shape (n_rows, n_tracks)."""
        ...

    def __hash__(self) -> int:
        """Ideal lists are kept by the gain that they are of."""
        ...

    def of(self, queries: np.ndarray, ranked: np.ndarray) -> np.ndarray:
        """Return the gains of ranked tracks, shape (n_queries, k), for the query of each row."""
        ...


class TagGain:
    """The Jaccard index of the tags of query and candidate.

    Parameters
    ----------
    tags : numpy.ndarray of float32, shape (n_tracks, n_tags)
        From `simlib.relevance.tag_matrix`.
    """

    def __init__(self, tags: np.ndarray):
        self.tags = tags

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """Return the gains for some queries: float32, shape (n_rows, n_tracks)."""
        return jaccard(self.tags[rows], self.tags)

    def of(self, queries: np.ndarray, ranked: np.ndarray) -> np.ndarray:
        """Return the gains of ranked tracks: float32, shape (n_queries, k)."""
        own = self.tags[queries][:, None]
        # Rank by rank: the tags of all lists at once would take gigabytes.
        gains = [jaccard(own, self.tags[listed][:, None])[:, 0, 0] for listed in ranked.T]
        return np.stack(gains, axis=1)

    def among(self, rows: np.ndarray) -> TagGain:
        """Return the same among some tracks only."""
        return TagGain(self.tags[rows])


class TempoGain:
    """The gain by tempo; see `simlib.relevance.tempo_gain`.

    Parameters
    ----------
    bpm : numpy.ndarray of float64, shape (n_tracks,)
    """

    def __init__(self, bpm: np.ndarray):
        self.bpm = bpm

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """Return the gains for some queries: float64, shape (n_rows, n_tracks)."""
        return tempo_gain(self.bpm[rows], self.bpm)

    def of(self, queries: np.ndarray, ranked: np.ndarray) -> np.ndarray:
        """Return the gains of ranked tracks: float64, shape (n_queries, k)."""
        return tempo_gain(self.bpm[queries], self.bpm[ranked])
