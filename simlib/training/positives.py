"""Pair weights, the ground truth of training: which recordings are similar, and how much."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from simlib.relevance import artist_codes, artist_keys, jaccard, tag_matrix, tempo_gain
from simlib.training.settings import PositiveSettings


class PairWeights:
    """Weights of positive pairs: the same recording, the same artist, common tags.

    All positives that an anchor has by one relation share that relation's weight. Otherwise a
    column with few values, in which half of the pairs agree, would outweigh one with many.

    Parameters
    ----------
    tracks : pandas.DataFrame
    columns : sequence of str
        The tag columns.
    weights : simlib.training.PositiveSettings
    """

    def __init__(self, tracks: pd.DataFrame, columns: Sequence[str], weights: PositiveSettings):
        self.weights = weights
        self.artists = artist_codes(artist_keys(tracks))
        self.tags = {c: tag_matrix(tracks[c]) for c in columns if weights.tag_weight(c)}

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Return the weight of every pair.

        Parameters
        ----------
        rows : numpy.ndarray of int, shape (n,)
            Positions of recordings in the table; a position may occur more than once.

        Returns
        -------
        numpy.ndarray of float32, shape (n, n)
            Anchors are rows. 0 means a negative pair; the diagonal is 0.
        """
        rows = np.asarray(rows)
        artists = self.artists[rows]
        total = np.zeros((len(rows), len(rows)), dtype=np.float32)
        total += self.weights.recording * _shared(rows[:, None] == rows)
        total += self.weights.artist * _shared(artists[:, None] == artists)
        for column, tags in self.tags.items():
            total += self.weights.tag_weight(column) * _shared(jaccard(tags[rows]))
        return total


class TempoPairWeights:
    """Weights of positive pairs by tempo alone.

    Parameters
    ----------
    bpm : numpy.ndarray of float64, shape (n_tracks,)
    """

    def __init__(self, bpm: np.ndarray):
        self.bpm = bpm

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Return the weight of every pair; see `PairWeights.__call__`."""
        return _shared(tempo_gain(self.bpm[np.asarray(rows)])).astype(np.float32)


def _shared(pairs):
    """Scale each anchor's pairs to the sum 1, without the pair of an item with itself."""
    pairs = pairs * (1.0 - np.eye(len(pairs)))
    sums = pairs.sum(axis=1, keepdims=True)
    return np.divide(pairs, sums, out=np.zeros_like(pairs), where=sums > 0)
