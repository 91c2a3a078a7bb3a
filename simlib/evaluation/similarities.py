"""Similarities that are computed in blocks of queries.

The matrix of all pairs grows with the square of the catalogue: 80 GB at 100,000 tracks. So a system
is anything that gives rows of that matrix, `similarity[rows]`. A matrix is one, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from simlib.core import unit_rows
from simlib.index import HubSettings, Index, hub_penalties, penalise_hubs


class Similarity(Protocol):
    """What the systems are to the evaluation."""

    def __getitem__(self, rows: np.ndarray, /) -> np.ndarray:
        """Return the similarity of all tracks to some queries: shape (n_rows, n_tracks)."""
        ...

    def among(self, rows: np.ndarray) -> Similarity:
        """Return the similarity that the system would give if these tracks were all."""
        ...


class CosineSimilarity:
    """The cosine of the embeddings.

    Parameters
    ----------
    vectors : numpy.ndarray, shape (n_tracks, dimensions)
        Of any length.
    """

    def __init__(self, vectors: np.ndarray):
        # In float64 the size of a block decides no rank: its last bits are far below a difference.
        self.vectors = unit_rows(np.asarray(vectors, dtype=np.float64))

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """Return the cosines of all tracks and some queries: float64, (n_rows, n_tracks)."""
        return self.vectors[rows] @ self.vectors.T

    def among(self, rows: np.ndarray) -> CosineSimilarity:
        """Return the same among some tracks only."""
        return CosineSimilarity(self.vectors[rows])


class HubCorrectedSimilarity(CosineSimilarity):
    """The hub-corrected similarity, as search ranks by it if these tracks are the catalogue.

    Parameters
    ----------
    vectors : numpy.ndarray, shape (n_tracks, dimensions)
        Of unit length.
    artists : numpy.ndarray, shape (n_tracks,)
        Equal for tracks by one artist.
    hubs : simlib.index.HubSettings
    penalties : numpy.ndarray of float64, shape (n_tracks,), optional
        If they are known; see `simlib.index.hub_penalties`.
    """

    def __init__(
        self, vectors: np.ndarray, artists: np.ndarray, hubs: HubSettings,
        penalties: np.ndarray | None = None,
    ):  # fmt: skip
        super().__init__(vectors)
        self.artists, self.hubs = artists, hubs
        self.penalties = hub_penalties(vectors, artists, hubs) if penalties is None else penalties

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """Return the similarity of all tracks to some queries: float64, (n_rows, n_tracks)."""
        return penalise_hubs(super().__getitem__(rows), self.penalties)

    def among(self, rows: np.ndarray) -> HubCorrectedSimilarity:
        """Return the same among some tracks only, with the penalties that those would have."""
        return HubCorrectedSimilarity(self.vectors[rows], self.artists[rows], self.hubs)


class SummedSimilarity:
    """The sum of similarities.

    Parameters
    ----------
    parts : sequence of Similarity
    """

    def __init__(self, parts: Sequence[Similarity | np.ndarray]):
        self.parts = parts

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """Return the sums for some queries: shape (n_rows, n_tracks)."""
        return np.sum([part[rows] for part in self.parts], axis=0)

    def among(self, rows: np.ndarray) -> SummedSimilarity:
        """Return the same among some tracks only."""
        return SummedSimilarity([among(part, rows) for part in self.parts])


class RandomSimilarity:
    """Similarities drawn at random, the same every time.

    Parameters
    ----------
    count : int
        Number of tracks.
    seed : int
    """

    def __init__(self, count: int, seed: int):
        self.count, self.seed = count, seed

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """Return the numbers of some queries: float64, shape (n_rows, n_tracks)."""
        # One stream of numbers, row after row, of which any part can be drawn.
        starts = [np.random.PCG64(self.seed).advance(int(row) * self.count) for row in rows]
        return np.stack([np.random.Generator(start).random(self.count) for start in starts])

    def among(self, rows: np.ndarray) -> RandomSimilarity:
        """Return as random numbers for fewer tracks."""
        return RandomSimilarity(len(rows), self.seed)


def among(similarity: Similarity | np.ndarray, rows: np.ndarray) -> Similarity | np.ndarray:
    """Return a system's similarity if some tracks were all; see `Similarity.among`."""
    if isinstance(similarity, np.ndarray):
        return similarity[np.ix_(rows, rows)]
    return similarity.among(rows)


def catalogue_similarity(index: Index) -> HubCorrectedSimilarity:
    """Return the similarity of all tracks of an index, as search ranks them by default."""
    return HubCorrectedSimilarity(
        index.weighted(), index.artists, index.settings.hubs,
        index.hub_penalties(np.arange(len(index.tracks))),
    )  # fmt: skip
