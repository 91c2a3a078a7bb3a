"""Recordings and queries: what a search needs of a track id, a file, bytes or samples.

A recording holds features. A query is all of a recording, or an excerpt, as the model embeds it.
"""

import dataclasses
import math
import os
import tempfile
from collections.abc import Callable, Mapping
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf

from simlib.core import SimlibError, printable
from simlib.features import FeatureStore, RecordingFeatures, compute_features
from simlib.index import Index, fingerprint
from simlib.model import Embedder

# Limits of samples. An array with more channels has its axes the wrong way round.
MOST_CHANNELS, HIGHEST_RATE = 32, 768_000


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


def load_recording(
    model: Embedder,
    path: str | os.PathLike,
    start: float = 0.0,
    end: float | None = None,
    variants: Mapping[str, str] | None = None,
) -> Recording:
    """Decode an audio file and compute its features.

    Parameters
    ----------
    model : simlib.model.Embedder
    path : path-like
    start, end : float, optional
        Seconds; the whole recording by default.
    variants : mapping of str to str, optional
        Of the model's backbones; see `FeatureStore.backbones`. By default what is quick here.

    Returns
    -------
    Recording
        Named after the file.

    Raises
    ------
    SimlibError
        If it cannot be decoded, or is too short.
    """
    backbones = {name: (variants or {}).get(name) for name in model.backbones}
    arrays = compute_features(path, model.front_end, backbones=backbones, start=start, end=end)
    return Recording(Path(path).name, None, RecordingFeatures.of(arrays), start)


def load_unnamed(
    source: bytes | tuple[np.ndarray, int], load: Callable[[Path], Recording]
) -> Recording:
    """Decode bytes of an audio file, or samples with their rate.

    Parameters
    ----------
    source : bytes or (numpy.ndarray, int)
        An audio file; or samples, shape (n_samples,) or (n_samples, n_channels), float with full
        scale at 1 or signed integers, and Hz.
    load : callable
        Loads a file; see `load_recording`.

    Returns
    -------
    Recording

    Raises
    ------
    SimlibError
        If it is neither, or cannot be decoded. It names no file that is gone afterwards.
    """
    in_file = isinstance(source, bytes)
    subject = "the uploaded file" if in_file else "the samples"
    with tempfile.TemporaryDirectory(prefix="simlib-") as folder:
        path = Path(folder) / ("query" if in_file else "query.wav")
        try:
            if isinstance(source, bytes):
                path.write_bytes(source)
            else:
                _write(path, *source)
            recording = load(path)
        except SimlibError as error:
            raise SimlibError(subject, error.cause, error.hint) from None
        except (TypeError, ValueError, OverflowError) as error:
            hint = "give an array of shape (n_samples,) or (n_samples, n_channels), and a rate"
            raise SimlibError(subject, f"cannot be used ({error})", hint) from None
    return dataclasses.replace(recording, name="upload" if in_file else "samples")


def _write(path, samples, rate):
    samples = np.asarray(samples)
    if samples.dtype.kind == "i":
        # Integers as a WAV file has them: full scale is the lowest number.
        samples = samples / -float(np.iinfo(samples.dtype).min)
    samples = samples.astype(np.float32)
    if samples.ndim not in (1, 2) or samples.ndim == 2 and samples.shape[1] > MOST_CHANNELS:
        raise ValueError(f"an array of shape {samples.shape}")
    if not 0 < int(rate) <= HIGHEST_RATE:
        raise ValueError(f"a rate of {rate} Hz")
    sf.write(path, samples, int(rate), subtype="FLOAT")


class Sources:
    """Makes recordings and queries of track ids, files, bytes and samples.

    Parameters
    ----------
    model : simlib.model.Embedder
    index : simlib.index.Index
    store : simlib.features.FeatureStore
        Of the catalogue.
    """

    def __init__(self, model: Embedder, index: Index, store: FeatureStore):
        self.model, self.index, self.store = model, index, store
        # A query takes the same road as the catalogue, in the same dtype or network.
        self._variants = store.backbones() if model.backbones else {}

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
            return load_unnamed(source, lambda path: self._load(path, start, end))
        if not isinstance(source, (str, os.PathLike)):
            kinds = "a track id, a path, bytes of an audio file, or (samples, rate)"
            cause = f"a {type(source).__name__} is no recording"
            raise SimlibError("query", cause, f"give {kinds}")
        row = self.row_of(source, or_file=True)
        if row is None:
            return self._load(source, start, end)
        return Recording(self._name(row), row, self.store.features(self.index.tracks.iloc[row]))

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
