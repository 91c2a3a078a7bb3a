"""The ground truth: which recordings count as alike, and how well a ranking finds them.

Both sides of the project stand on this one definition: training turns relations into positives,
the evaluation turns them into gains.
"""

import numpy as np

from simlib.relevance import artist_keys, jaccard, tag_matrix, tempo_gain


class PairWeights:
    """How strongly any two recordings are meant to be alike: the ground truth of training.

    Each relation has its say in proportion to its strength, however many pairs it holds for: an
    anchor's positives by one relation share that relation's strength. Else a column with few
    values, which half of the pairs agree in, would drown one with many.

    Parameters
    ----------
    tracks : pandas.DataFrame
    columns : list of str
        Its tag columns.
    strengths : simlib.training.PositiveSettings
    """

    def __init__(self, tracks, columns, strengths):
        self.strengths = strengths
        self.artists = np.unique(artist_keys(tracks).astype(str), return_inverse=True)[1]
        self.members = {c: tag_matrix(tracks[c]) for c in columns if strengths.tag_weight(c)}

    def __call__(self, rows):
        """Return the strength of every pair.

        Parameters
        ----------
        rows : numpy.ndarray of int, shape (n,)
            Positions of recordings in the table; one may stand there more than once.

        Returns
        -------
        numpy.ndarray of float32, shape (n, n)
            For each anchor (row) the strengths of its pairs; 0 means a negative pair, and an item
            is no pair with itself.
        """
        rows = np.asarray(rows)
        artists = self.artists[rows]
        pair_weights = [
            (self.strengths.recording, rows[:, None] == rows[None, :]),
            (self.strengths.artist, artists[:, None] == artists[None, :]),
        ]
        for column, member in self.members.items():
            pair_weights.append((self.strengths.tag_weight(column), jaccard(member[rows])))
        total = np.zeros((len(rows), len(rows)), dtype=np.float32)
        for weight, pairs in pair_weights:
            total += weight * _shared_out(pairs)
        return total


class TempoPairWeights:
    """How strongly any two recordings are meant to be alike by their tempi alone.

    Parameters
    ----------
    bpm : numpy.ndarray of float64, shape (n_tracks,)
    """

    def __init__(self, bpm):
        self.bpm = bpm

    def __call__(self, rows):
        """Return the strength of every pair; see `PairWeights`."""
        return _shared_out(tempo_gain(self.bpm[np.asarray(rows)])).astype(np.float32)


def _shared_out(pairs):
    """Let the positives of each anchor share a strength of 1; an item is no pair with itself."""
    pairs = pairs * (1.0 - np.eye(len(pairs)))
    sums = pairs.sum(axis=1, keepdims=True)
    return np.divide(pairs, sums, out=np.zeros_like(pairs), where=sums > 0)
