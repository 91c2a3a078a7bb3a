"""Siamese training: pairs of segments, the loop, the checkpoint."""

import numpy as np

from simlib.model import pool_segments
from simlib.relevance import artist_keys, reciprocal_rank, retrieval_score

VALIDATION_K = 10


class Validation:
    """Retrieval among the validation artists."""

    def __init__(self, store, tracks, columns, settings):
        self.tracks = tracks.reset_index(drop=True)
        self.log_mels = [store.log_mel(key) for key in self.tracks["log_mel"]]
        self.columns, self.seed = columns, settings.seed

    def scores(self, trained):
        """Return {column: nDCG@10}; without tag columns, how well halves find each other."""
        if not len(self.tracks):
            return {}
        embedded = [trained.segments(m, trained.segment_seconds)[0] for m in self.log_mels]
        if not self.columns:
            return self._halves(embedded)
        tracks = np.stack([pool_segments(e) for e in embedded])
        return retrieval_score(
            tracks @ tracks.T,
            self.tracks,
            artist_keys(self.tracks),
            self.columns,
            VALIDATION_K,
            self.seed,
        )

    def _halves(self, embedded):
        embedded = [e for e in embedded if len(e) > 1]
        if len(embedded) < 2:
            return {}
        first = np.stack([pool_segments(e[: len(e) // 2]) for e in embedded])
        second = np.stack([pool_segments(e[len(e) // 2 :]) for e in embedded])
        return {"excerpt": float(reciprocal_rank(first @ second.T).mean())}
