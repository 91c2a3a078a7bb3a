"""The searchable catalogue: exact FAISS indexes of whole tracks and of segments."""

from __future__ import annotations

import os
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pandas as pd

from simlib.core import stable_sample
from simlib.index.fingerprints import Fingerprints
from simlib.index.hubness import penalise_hubs, penalties_of_lists
from simlib.index.neighbour_table import NeighbourTable, build_table
from simlib.index.reference_sample import ReferenceSample
from simlib.index.storage import (
    TABLES,
    IndexOrigin,
    Stored,
    read_index,
    read_stored,
    write_index,
    write_stored,
)
from simlib.model import SOUND
from simlib.relevance import artist_codes, artist_keys, tag_columns, tag_matrix


class Index:
    """A searchable catalogue.

    Both indexes are exact (inner product of unit vectors, that is, cosine similarity): a million
    segments still answer in tens of milliseconds, and exact lists need no tuning.

    Parameters
    ----------
    tracks : pandas.DataFrame
        The catalogue's table; row i is vector i of `by_track`.
    segments : pandas.DataFrame
        Columns `track` (row of `tracks`) and `start` (seconds); row i is vector i of `by_segment`.
    by_track, by_segment : faiss.IndexFlatIP
    fingerprints : simlib.index.Fingerprints
        Of the tracks.
    origin : IndexOrigin
    auto_tags : pandas.DataFrame, optional
        Row i holds the scores of track i from `tag_scores`, float32, a column for each automatic
        tag; none by default.

    Attributes
    ----------
    settings : simlib.index.IndexSettings
    hop_seconds : float
        Step between two segments, for queries as for the catalogue.
    aspects : simlib.model.Aspects
    weights : dict of str to float
        Of every aspect, for searches that set none.

    Raises
    ------
    SimlibError
        If the settings have a weight for no aspect.
    """

    def __init__(
        self, tracks: pd.DataFrame, segments: pd.DataFrame, by_track: faiss.Index,
        by_segment: faiss.Index, fingerprints: Fingerprints, origin: IndexOrigin,
        auto_tags: pd.DataFrame | None = None,
    ):  # fmt: skip
        self.tracks, self.segments = tracks, segments
        self.by_track, self.by_segment = by_track, by_segment
        self.fingerprints, self.origin = fingerprints, origin
        self.auto_tags = pd.DataFrame() if auto_tags is None else auto_tags
        self.settings, self.aspects = origin.settings, origin.aspects
        self.hop_seconds = self.settings.hop_seconds
        self.weights = self.aspects.weights(self.settings.set_weights)
        self._stored: Stored | None = None
        self._penalties = lru_cache(maxsize=8)(self._hub_penalties)

    def search(
        self, vector: np.ndarray, k: int, row: int | None = None,
        weights: dict[str, float] | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
        """Return the k most similar tracks, hub-corrected; see `simlib.index.hubness`.

        Parameters
        ----------
        vector : numpy.ndarray of float32, shape (dimensions,)
            Of unit length.
        k : int
        row : int, optional
            The query's row, if it is a track of the catalogue; it is left out.
        weights : dict of str to float, optional
            From `Aspects.weights`; the index's own by default. Hubs are corrected under them too.

        Returns
        -------
        rows : numpy.ndarray of int64, shape (n_found,)
            Rows of `tracks`, most similar first; k, or as many as there are.
        similarities : numpy.ndarray of float64, shape (n_found,)
            At most 1, falling.
        """
        weights = weights or self.weights
        depth = min(max(self.settings.candidates, 10 * k), self.by_track.ntotal)
        query = vector * self.aspects.scale(weights)
        rows = np.asarray(self.by_track.search(query[None], depth)[1])[0]
        rows = rows[rows != row]
        similarities = self.similarities(vector, rows, weights)
        order = np.argsort(-similarities, kind="stable")[:k]
        return rows[order], similarities[order]

    def similarities(
        self, vector: np.ndarray, rows: Any,
        weights: dict[str, float] | None = None,
    ) -> np.ndarray:  # fmt: skip
        """Return the hub-corrected weighted cosines of tracks and a query: float64, (n_rows,).

        Parameters
        ----------
        vector : numpy.ndarray of float32, shape (dimensions,)
        rows : numpy.ndarray of int, shape (n_rows,)
        weights : dict of str to float, optional
            See `search`.
        """
        weights = weights or self.weights
        cosines = self.vectors_of(rows) @ (vector * self.aspects.scale(weights))
        return penalise_hubs(cosines, self.hub_penalties(rows, weights))

    def similarities_by_subspace(self, vector: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return the cosines in each subspace: float64, shape (n_subspaces, n_rows).

        Their weighted sum is the cosine of the whole.

        Parameters
        ----------
        vector : numpy.ndarray of float32, shape (dimensions,)
        rows : numpy.ndarray of int, shape (n_rows,)
        """
        query = self.aspects.subspaces(vector)
        found = self.aspects.subspaces(self.vectors_of(rows))
        return np.array([found[name] @ query[name] for name in query], dtype=np.float64)

    def hub_penalties(self, rows: Any, weights: dict[str, float] | None = None) -> np.ndarray:
        """Return tracks' hub penalties under some weights: float64, shape (n_rows,)."""
        return self._penalties(tuple((weights or self.weights).items()))[rows]

    def segments_of(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """Return a track's segments: embeddings, float32, and their starts in seconds."""
        first, last = np.searchsorted(self._segment_tracks, [row, row + 1])
        embedded = np.empty((last - first, self.by_segment.d), dtype=np.float32)
        self.by_segment.reconstruct_n(int(first), int(last - first), embedded)
        return embedded, self.segments["start"].to_numpy()[first:last]

    @cached_property
    def _segment_tracks(self):
        return self.segments["track"].to_numpy()

    @cached_property
    def tag_columns(self) -> list[str]:
        """The tag columns' names; see `simlib.relevance.tag_columns`."""
        return tag_columns(self.tracks)

    @cached_property
    def artists(self) -> np.ndarray:
        """The tracks' artists as numbers: int64, shape (n_tracks,)."""
        return artist_codes(artist_keys(self.tracks))

    def artist(self, row: int | None) -> int | None:
        """Return the number of a track's artist; None for no row."""
        return None if row is None else self.artists[row]

    @cached_property
    def reference_rows(self) -> np.ndarray:
        """The rows of the reference sample, rising: int64, shape (n_references,)."""
        return stable_sample(self.tracks["track_id"], self.settings.calibration.references)

    @cached_property
    def reference_sample(self) -> ReferenceSample:
        """The reference sample in the subspace of the sound as a whole."""
        return ReferenceSample(self.aspects.subspaces(self.vectors_of(self.reference_rows))[SOUND])

    @cached_property
    def reference_tags(self) -> np.ndarray:
        """The tags of the reference sample; see `tags_of`."""
        return self.tags_of(self.reference_rows)

    def tags_of(self, rows: np.ndarray) -> np.ndarray:
        """Return which tags tracks carry: float32, shape (n_rows, n_tags), 0 or 1."""
        columns = [tag_matrix(self.tracks[name])[rows] for name in self.tag_columns]
        return np.hstack([np.empty((len(rows), 0), dtype=np.float32), *columns])

    def vectors_of(self, rows: Any) -> np.ndarray:
        """Return some tracks' embeddings: float32, shape (n_rows, dimensions)."""
        return np.asarray(self.by_track.reconstruct_batch(rows))

    def vectors(self) -> np.ndarray:
        """Return the tracks' embeddings: float32, shape (n_tracks, dimensions), of unit length."""
        # Into an array of its own: once pytorch-metric-learning is loaded, FAISS hands out tensors.
        vectors = np.empty((self.by_track.ntotal, self.by_track.d), dtype=np.float32)
        return self.by_track.reconstruct_n(0, len(vectors), vectors)

    def weighted(self) -> np.ndarray:
        """Return the embeddings under the index's own weights, as search compares them."""
        return self.aspects.weighted(self.vectors(), self.weights)

    @cached_property
    def neighbours(self) -> NeighbourTable:
        """The table of neighbours; computed when it is first used, if none was stored."""
        stored = NeighbourTable.load(self._stored.folder) if self._stored else None
        return stored or self.find_neighbours()

    def find_neighbours(self, before: NeighbourTable | None = None) -> NeighbourTable:
        """Compute the table of neighbours, from an earlier one where there is one."""
        ids, artists = self.tracks["track_id"], artist_keys(self.tracks)
        return build_table(self.vectors(), self.aspects, ids, artists, before)

    def _hub_penalties(self, weights):
        if self._stored and dict(weights) == self.weights:
            # A search under these weights need not read the table.
            return self._stored.penalties
        distances = self.neighbours.distances([weight for _, weight in weights])
        return penalties_of_lists(self.neighbours.rows, distances, self.settings.hubs)

    def save(self, folder: str | os.PathLike) -> None:
        """Write the indexes, the fingerprints, the tables and `made_with.json` into a folder."""
        tables = {name: getattr(self, name) for name in TABLES}
        write_index(
            Path(folder), tables, self.by_track, self.by_segment, self.fingerprints, self.origin
        )
        write_stored(Path(folder), self.neighbours, self.hub_penalties(slice(None)))

    @classmethod
    def load(cls, folder: str | os.PathLike, model_digest: str) -> Index:
        """Read what `save` wrote.

        Parameters
        ----------
        folder : path-like
        model_digest : str
            Of the weights that queries will be embedded with.

        Raises
        ------
        SimlibError
            If there is none, another version of simlib made it, or other weights.
        """
        index = cls(**read_index(Path(folder), model_digest))
        index._stored = read_stored(Path(folder), len(index.tracks))
        return index
