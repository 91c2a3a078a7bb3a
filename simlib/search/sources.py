"""The sources of a query: track ids, files, bytes, samples, or excerpts of them."""

import dataclasses
import math
import os
import tempfile
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf

from simlib.core import SimlibError, printable
from simlib.features import FeatureStore
from simlib.index import Index
from simlib.model import Embedder
from simlib.search.queries import Query, Recording, load_recording, make_query

# Limits of samples. An array with more channels has its axes the wrong way round.
MOST_CHANNELS, HIGHEST_RATE = 32, 768_000


def load_unnamed(
    model: Embedder, source: bytes | tuple[np.ndarray, int], start: float, end: float | None
) -> Recording:
    """Decode bytes of an audio file, or samples with their rate.

    Parameters
    ----------
    model : simlib.model.Embedder
    source : bytes or (numpy.ndarray, int)
        An audio file; or samples, shape (n_samples,) or (n_samples, n_channels), float with full
        scale at 1 or signed integers, and Hz.
    start : float
    end : float or None
        Seconds.

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
            recording = load_recording(model, path, start, end)
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
    """Makes queries of what people search with.

    Parameters
    ----------
    model : simlib.model.Embedder
    index : simlib.index.Index
    store : simlib.features.FeatureStore
        Of the catalogue.
    """

    def __init__(self, model: Embedder, index: Index, store: FeatureStore):
        self.model, self.index, self.store = model, index, store

    def query(self, source: Any, start: float | None = None, end: float | None = None) -> Query:
        """Make a query; see `Searcher.load_query`."""
        whole = start is None and end is None
        if isinstance(source, Query):
            if not whole:
                hint = "give the recording itself, or what Searcher.load made of it"
                raise SimlibError(source.name, "is a query already, with its seconds", hint)
            return source
        _check_seconds(start, end)
        if whole and (row := self._row_of(source)) is not None:
            return self._indexed(row)
        recording = self.recording(source, start, end)
        return make_query(self.model, recording, self.index.hop_seconds, start, end)

    def recording(
        self, source: Any, start: float | None = None, end: float | None = None
    ) -> Recording:
        """Decode something to search with; see `Searcher.load`."""
        if isinstance(source, Recording):
            return source
        if isinstance(source, (bytearray, memoryview)):
            source = bytes(source)
        if isinstance(source, (bytes, tuple)):
            return load_unnamed(self.model, source, start or 0.0, end)
        if not isinstance(source, (str, os.PathLike)):
            kinds = "a track id, a path, bytes of an audio file, or (samples, rate)"
            cause = f"a {type(source).__name__} is no recording"
            raise SimlibError("query", cause, f"give {kinds}")
        row = self._row_of(source)
        if row is None:
            return load_recording(self.model, source, start or 0.0, end)
        track = self.index.tracks.iloc[row]
        log_mel = self.store.log_mel(track["log_mel"])
        return Recording(self._name(row), row, log_mel, self.store.descriptor(track["descriptor"]))

    def row_of(self, track_id: str) -> int:
        """Return the row of a track id, or raise SimlibError if there is none of that name."""
        row = self._row(track_id)
        if row is None:
            raise self._unknown(track_id, "is no track of the catalogue")
        return row

    def _indexed(self, row):
        """Make a query of a whole track of the catalogue, as the index has it."""
        index, seconds = self.index, float(self.index.tracks["seconds"].iloc[row])
        return Query(
            self._name(row), row, 0.0, seconds, index.vectors_of([row])[0],
            *index.segments_of(row), index.fingerprints.of(row),
        )  # fmt: skip

    def _name(self, row):
        track = self.index.tracks.iloc[row]
        return track["title"] or track["track_id"]

    def _row(self, track_id):
        """Return the row of a track id; None if the catalogue has none of that name."""
        ids = self.index.tracks["track_id"].to_numpy(dtype=object)
        rows = np.flatnonzero(ids == str(track_id))
        return int(rows[0]) if len(rows) else None

    def _row_of(self, source):
        """Return the row of a track id or of a recording of one; None for a file or for samples."""
        if isinstance(source, Recording):
            return source.row
        if not isinstance(source, (str, os.PathLike)):
            return None
        row = self._row(source)
        # Unlike Path.exists, this takes any text: a name that is too long is no file either.
        if row is None and not os.path.exists(source):
            raise self._unknown(source, "is neither a track id of the catalogue nor a file")
        return row

    def _unknown(self, source, cause):
        example = printable(self.index.tracks["track_id"].iloc[0])
        return SimlibError(source, cause, f"ids look like '{example}'")


def _check_seconds(start, end):
    start, end = start or 0.0, math.inf if end is None else end
    numbers = isinstance(start, Real) and isinstance(end, Real)
    # Written so that NaN, of which no comparison is true, is refused.
    if not (numbers and 0 <= start < end and start < math.inf):
        cause = f"are no stretch of time ({start} to {end})"
        raise SimlibError("seconds", cause, "let it end after it starts")
