"""Excerpts: the most similar seconds of two recordings, and the most representative of one.

Segments are compared by the encoder's embeddings. A matched excerpt is a few segments in a row.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# Segments in a row that are compared: a single one is similar by chance more often.
RUN = 3
# Length of an excerpt that stands for a recording, and of one of a timeline.
EXCERPT_SECONDS = 10.0


class MatchedExcerpt(NamedTuple):
    """Seconds of a recording, and the most similar seconds of another."""

    start: float
    end: float
    other_start: float
    other_end: float


def best_match(
    segments: np.ndarray,
    starts: np.ndarray,
    other_segments: np.ndarray,
    other_starts: np.ndarray,
    length: float,
) -> MatchedExcerpt:
    """Find the most similar excerpts of two recordings.

    Parameters
    ----------
    segments, other_segments : numpy.ndarray of float32, shape (n_segments, dimensions)
        Of unit length.
    starts, other_starts : numpy.ndarray of float, shape (n_segments,)
        Seconds.
    length : float
        Seconds of a segment.

    Returns
    -------
    MatchedExcerpt
        Up to `RUN` segments in a row, as many on both sides.
    """
    run = min(RUN, len(starts), len(other_starts))
    similarity = segments @ other_segments.T
    rows, columns = len(starts) - run + 1, len(other_starts) - run + 1
    total = sum(similarity[i : i + rows, i : i + columns] for i in range(run))
    row, column = np.unravel_index(np.argmax(total), total.shape)
    return MatchedExcerpt(
        float(starts[row]),
        float(starts[row + run - 1] + length),
        float(other_starts[column]),
        float(other_starts[column + run - 1] + length),
    )


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
