"""Excerpts: the seconds of two recordings that match, and the most representative ones of one.

Segments are compared by the encoder's embeddings. A matched excerpt is a few segments in a row.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from simlib.core import SimlibError
from simlib.search.queries import Recording

if TYPE_CHECKING:
    from simlib.features import FrontEnd


class MatchedExcerpt(NamedTuple):
    """Seconds of a recording, and the most similar seconds of another."""

    start: float
    end: float
    other_start: float
    other_end: float


def best_match(
    segments: np.ndarray, starts: np.ndarray, other_segments: np.ndarray,
    other_starts: np.ndarray, length: float, most: int,
) -> MatchedExcerpt:  # fmt: skip
    """Find the most similar excerpts of two recordings.

    Parameters
    ----------
    segments, other_segments : numpy.ndarray of float32, shape (n_segments, dimensions)
        Of unit length.
    starts, other_starts : numpy.ndarray of float, shape (n_segments,)
        Seconds.
    length : float
        Seconds of a segment.
    most : int
        Segments of an excerpt; fewer, if one of the recordings has fewer.

    Returns
    -------
    MatchedExcerpt
        Segments in a row, as many of both.
    """
    run = min(most, len(starts), len(other_starts))
    similarity = segments @ other_segments.T
    rows, columns = len(starts) - run + 1, len(other_starts) - run + 1
    total = sum(similarity[i : i + rows, i : i + columns] for i in range(run))
    row, column = np.unravel_index(np.argmax(total), total.shape)
    one, other = starts[row : row + run], other_starts[column : column + run]
    return MatchedExcerpt(*map(float, (one[0], one[-1] + length, other[0], other[-1] + length)))


def representative_excerpt(
    segments: np.ndarray, starts: np.ndarray, length: float, end: float, seconds: float
) -> tuple[float, float]:
    """Find the excerpt that is most similar to the whole recording.

    Parameters
    ----------
    segments : numpy.ndarray of float32, shape (n_segments, dimensions)
        Of unit length.
    starts : numpy.ndarray of float, shape (n_segments,)
        Seconds.
    length : float
        Seconds of a segment.
    end : float
        Seconds, of the recording.
    seconds : float
        Of the excerpt.

    Returns
    -------
    start, end : float
        Seconds; the whole recording, if it is shorter.
    """
    if starts[0] + seconds >= end:
        return float(starts[0]), end
    similarity = segments @ segments.mean(axis=0)
    begins = starts[starts + seconds <= end]
    means = [
        similarity[(starts >= begin) & (starts <= max(begin, begin + seconds - length))].mean()
        for begin in begins
    ]
    start = float(begins[int(np.argmax(means))])
    return start, start + seconds


def excerpt_spans(
    recording: Recording, seconds: float, front_end: FrontEnd
) -> list[tuple[float, float]]:
    """Divide a recording into excerpts of one length.

    Parameters
    ----------
    recording : simlib.search.Recording
    seconds : float
        Of an excerpt.
    front_end : simlib.features.FrontEnd

    Returns
    -------
    list of (float, float)
        Start and end of each in seconds. A rest that is too short for an excerpt joins the last.

    Raises
    ------
    SimlibError
        If the length is shorter than the shortest recording, or no number.
    """
    least = front_end.min_seconds
    if not (isinstance(seconds, Real) and least <= seconds < math.inf):
        hint = f"give {least:g} s or more"
        raise SimlibError(f"seconds = {seconds}", "is no length of an excerpt", hint)
    rate, length = front_end.frame_rate, len(recording.features.log_mel)
    frames, shortest = math.ceil(seconds * rate), math.ceil(least * rate)
    starts = range(0, max(length - max(frames // 2, shortest), 0) + 1, frames)
    ends = [start + frames for start in starts[:-1]] + [length]
    return [(start / rate, end / rate) for start, end in zip(starts, ends, strict=True)]


def joined_answers(answers: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Join the answers to a recording's excerpts, one row for those that have one answer.

    Parameters
    ----------
    answers : sequence of pandas.DataFrame
        Ranked lists of one track or none, with `excerpt_start`, `excerpt_end` and `no_close_match`.

    Returns
    -------
    pandas.DataFrame
        See `Searcher.timeline`. Of excerpts in a row with one answer, the most similar stands.
    """
    table = pd.concat(answers, ignore_index=True)
    kind = table[["track_id", "no_close_match"]]
    runs = table.groupby((kind != kind.shift()).any(axis=1).cumsum())
    best = table.loc[runs["similarity"].idxmax()].reset_index(drop=True)
    return best.assign(
        excerpt_start=runs["excerpt_start"].min().to_numpy(),
        excerpt_end=runs["excerpt_end"].max().to_numpy(),
    )
