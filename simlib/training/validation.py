"""Validation: how well the encoder's embeddings retrieve among the validation artists."""

from collections.abc import Sequence

import numpy as np

from simlib.model import Embedder, pool_segments
from simlib.relevance import reciprocal_rank, retrieval_score
from simlib.training.data import Recordings

# The length of the ranked lists, as in nDCG@10.
VALIDATION_K = 10


class Validation:
    """Retrieval among the validation artists.

    Parameters
    ----------
    recordings : simlib.training.data.Recordings
    columns : sequence of str
        The tag columns.
    seed : int
        For the order of ties.
    """

    def __init__(self, recordings: Recordings, columns: Sequence[str], seed: int):
        self.recordings, self.columns, self.seed = recordings, columns, seed

    def scores(self, model: Embedder) -> dict[str, float]:
        """Score a model.

        Returns
        -------
        dict of str to float
            nDCG@10 by tag column. Without tag columns, `excerpt`: the mean reciprocal rank of a
            recording's second half, its first half being the query. Empty if there is nothing
            to score.
        """
        tracks, log_mels = self.recordings.tracks, self.recordings.log_mels
        if not len(tracks):
            return {}
        embedded = [model.segments(log_mel, model.segment_seconds)[0] for log_mel in log_mels]
        if not self.columns:
            return self._halves(embedded)
        vectors = np.stack([pool_segments(e) for e in embedded])
        similarity = vectors @ vectors.T
        return retrieval_score(similarity, tracks, self.columns, VALIDATION_K, self.seed)

    def _halves(self, embedded):
        embedded = [e for e in embedded if len(e) > 1]
        if len(embedded) < 2:
            return {}
        first = np.stack([pool_segments(e[: len(e) // 2]) for e in embedded])
        second = np.stack([pool_segments(e[len(e) // 2 :]) for e in embedded])
        return {"excerpt": float(reciprocal_rank(first @ second.T).mean())}
