"""Recordings and queries: what a search needs of a track id, a file, bytes or samples.

A recording holds features. A query is all of a recording, or an excerpt, as the model embeds it.
"""

from __future__ import annotations

import dataclasses
import math
import os
from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.core import Project, SimlibError, printable
from simlib.index import Index, fingerprint

if TYPE_CHECKING:
    from simlib.features import FeatureStore, RecordingFeatures
    from simlib.model import Embedder


@dataclasses.dataclass(frozen=True)
class Recording:
    """The features of a recording; excerpts of it need no further decoding.

    Attributes
    ----------
    name : str
        To display.
    row : int or None
        Of the index, if it is a track of the catalogue.
    features : simlib.features.RecordingFeatures
    begins : float
        Seconds of the file that were left out before the first frame.
    """

    name: str
    row: int | None
    features: RecordingFeatures
    begins: float = 0.0


@dataclasses.dataclass(frozen=True)
class Query:
    """A recording, or an excerpt of one, as the model embeds it.

    Attributes
    ----------
    name : str
        To display.
    row : int or None
        Of the index, if it is a track of the catalogue.
    start, end : float
        Seconds of the recording.
    vector : numpy.ndarray of float32, shape (dimensions,)
        Of unit length.
    segments : numpy.ndarray of float32, shape (n_segments, embedding)
        Of unit length.
    starts : numpy.ndarray of float, shape (n_segments,)
        Seconds from the beginning of the recording.
    fingerprint : numpy.ndarray of int8, shape (n_frames, n_bands)
        From `simlib.index.fingerprint`.
    """

    name: str
    row: int | None
    start: float
    end: float
    vector: np.ndarray
    segments: np.ndarray
    starts: np.ndarray
    fingerprint: np.ndarray


class Sources:
    """Makes recordings and queries of track ids, files, bytes and samples.

    The index alone answers for a whole track. The model and the features are loaded for the first
    recording that needs them: to import torch takes longer than such a search.

    Parameters
    ----------
    project : simlib.core.Project
    index : simlib.index.Index
    """

    def __init__(self, project: Project, index: Index):
        self.project, self.index = project, index

    @cached_property
    def model(self) -> Embedder:
        """The encoder that the catalogue was embedded with.

        Raises
        ------
        SimlibError
            If it is not there, or another one is by now.
        """
        from simlib.model import Embedder

        model = Embedder.load(self.project.weights)
        if model.digest != self.index.origin.model_digest:
            cause = "changed after the index was loaded"
            raise SimlibError(self.project.weights, cause, "make another Searcher")
        return model

    @cached_property
    def _store(self) -> FeatureStore:
        from simlib.features import FeatureStore

        return FeatureStore(self.project.features)

    @cached_property
    def _variants(self):
        # A query takes the same road as the catalogue, in the same dtype or network.
        return self._store.backbones() if self.model.backbones else {}

    def query(self, source: Any, start: float | None = None, end: float | None = None) -> Query:
        """Make a query; see `Searcher.load_query`."""
        whole = start is None and end is None
        if isinstance(source, Query):
            if not whole:
                hint = "give the recording itself, or what Searcher.load made of it"
                raise SimlibError(source.name, "is a query already, with its seconds", hint)
            return source
        _check_seconds(start, end)
        row = None
        if whole and isinstance(source, Recording):
            row = source.row
        elif whole and isinstance(source, (str, os.PathLike)):
            row = self.row_of(source, or_file=True)
        if row is None:
            return self._excerpt(self.recording(source, start, end), start, end)
        # The index has the whole track.
        seconds = float(self.index.tracks["seconds"].iloc[row])
        return Query(
            self._name(row), row, 0.0, seconds, self.index.vectors_of([row])[0],
            *self.index.segments_of(row), self.index.fingerprints.of(row),
        )  # fmt: skip

    def recording(
        self, source: Any, start: float | None = None, end: float | None = None
    ) -> Recording:
        """Decode something to search with; see `Searcher.load`."""
        if isinstance(source, Recording):
            return source
        if isinstance(source, (bytearray, memoryview)):
            source = bytes(source)
        start = start or 0.0
        if isinstance(source, (bytes, tuple)):
            from simlib.search.decoding import load_unnamed

            return load_unnamed(source, lambda path: self._load(path, start, end))
        if not isinstance(source, (str, os.PathLike)):
            kinds = "a track id, a path, bytes of an audio file, or (samples, rate)"
            cause = f"a {type(source).__name__} is no recording"
            raise SimlibError("query", cause, f"give {kinds}")
        row = self.row_of(source, or_file=True)
        if row is None:
            return self._load(source, start, end)
        return Recording(self._name(row), row, self._store.features(self.index.tracks.iloc[row]))

    def row_of(self, source: str | os.PathLike, or_file: bool = False) -> int | None:
        """Return the row of a track id; None for a file, if one is allowed.

        Raises
        ------
        SimlibError
            If it is neither.
        """
        ids = self.index.tracks["track_id"].to_numpy(dtype=object)
        rows = np.flatnonzero(ids == str(source))
        if len(rows):
            return int(rows[0])
        # Unlike Path.exists, this takes any text: a name that is too long is no file either.
        if or_file and os.path.exists(source):
            return None
        cause = "is neither a track id of the catalogue nor a file"
        cause = cause if or_file else "is no track of the catalogue"
        raise SimlibError(source, cause, f"ids look like '{printable(ids[0])}'")

    def _load(self, path, start, end):
        from simlib.search.decoding import load_recording

        return load_recording(self.model, path, start, end, self._variants)

    def _name(self, row):
        track = self.index.tracks.iloc[row]
        return track["title"] or track["track_id"]

    def _excerpt(self, recording, start, end):
        """Embed some seconds of a recording; start and end are None for all of it."""
        front_end, begins = self.model.front_end, recording.begins
        ends = begins + len(recording.features.log_mel) / front_end.frame_rate
        start = begins if start is None else start
        end = ends if end is None else min(end, ends)
        if end - start < front_end.min_seconds:
            cause = f"has {max(end - start, 0):.2f} s from {start:g} s on"
            hint = f"choose {front_end.min_seconds:g} s or more of its {ends:.1f} s"
            raise SimlibError(recording.name, cause, hint)
        excerpt = recording.features.between(start - begins, end - begins, front_end)
        vector, segments, starts = self.model.track(excerpt, self.index.hop_seconds)
        return Query(
            recording.name, recording.row, start, end, vector, segments, starts + start,
            fingerprint(excerpt.log_mel, front_end),
        )  # fmt: skip


def _check_seconds(start, end):
    start, end = start or 0.0, math.inf if end is None else end
    numbers = isinstance(start, Real) and isinstance(end, Real)
    # Written so that NaN, of which no comparison is true, is refused.
    if not (numbers and 0 <= start < end and start < math.inf):
        cause = f"are no stretch of time ({start} to {end})"
        raise SimlibError("seconds", cause, "let it end after it starts")
