"""Recordings and queries: what the model needs of a file, and of an excerpt of it."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from simlib.core import SimlibError
from simlib.features import DESCRIPTOR_BLOCK_SECONDS, compute_features
from simlib.index import fingerprint
from simlib.model import Embedder


@dataclass(frozen=True)
class Recording:
    """The features of a recording; excerpts of it need no further decoding.

    Attributes
    ----------
    name : str
        For people.
    row : int or None
        Of the index, if it is a track of the catalogue.
    log_mel : numpy.ndarray of float16, shape (n_frames, n_mels)
    descriptor : numpy.ndarray of float32, shape (n_blocks, 102)
    begins : float
        Seconds of the file that were left out before the first frame.
    """

    name: str
    row: int | None
    log_mel: np.ndarray
    descriptor: np.ndarray
    begins: float = 0.0


@dataclass(frozen=True)
class Query:
    """A recording, or an excerpt of one, as the model embeds it.

    Attributes
    ----------
    name : str
        For people.
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
    model: Embedder, path: str | os.PathLike, start: float = 0.0, end: float | None = None
) -> Recording:
    """Decode an audio file and compute its features.

    Parameters
    ----------
    model : simlib.model.Embedder
    path : path-like
    start, end : float, optional
        Seconds; the whole recording by default.

    Returns
    -------
    Recording
        Named after the file.

    Raises
    ------
    SimlibError
        If it cannot be decoded, or is too short.
    """
    features = compute_features(path, model.front_end, start=start, end=end)
    return Recording(Path(path).name, None, features["log_mel"], features["descriptor"], start)


def make_query(
    model: Embedder, recording: Recording, hop_seconds: float, start: float | None = None,
    end: float | None = None,
) -> Query:  # fmt: skip
    """Make a query of a recording, or of an excerpt of it.

    Parameters
    ----------
    model : simlib.model.Embedder
    recording : Recording
    hop_seconds : float
        Step between two segments.
    start, end : float, optional
        Seconds of the file.

    Returns
    -------
    Query

    Raises
    ------
    SimlibError
        If it has no such seconds, or too few of them.
    """
    front_end, begins = model.front_end, recording.begins
    rate, ends = front_end.frame_rate, begins + len(recording.log_mel) / front_end.frame_rate
    start = begins if start is None else start
    end = ends if end is None else min(end, ends)
    if end - start < front_end.min_seconds:
        cause = f"has {max(end - start, 0):.2f} s from {start:g} s on"
        hint = f"choose {front_end.min_seconds:g} s or more of its {ends:.1f} s"
        raise SimlibError(recording.name, cause, hint)
    log_mel = recording.log_mel[round((start - begins) * rate) : round((end - begins) * rate)]
    described = _blocks(recording.descriptor, start - begins, end - begins)
    vector, segments, starts = model.track(log_mel, described, hop_seconds)
    shown = fingerprint(log_mel, front_end)
    return Query(recording.name, recording.row, start, end, vector, segments, starts + start, shown)


def _blocks(descriptor, start, end):
    """Take the rows of a descriptor that hold these seconds."""
    first = int(min(start // DESCRIPTOR_BLOCK_SECONDS, len(descriptor) - 1))
    return descriptor[first : max(int(np.ceil(end / DESCRIPTOR_BLOCK_SECONDS)), first + 1)]
