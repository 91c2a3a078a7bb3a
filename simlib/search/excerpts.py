"""Which seconds of two recordings sound most alike, and which seconds stand for a recording.

Segments are compared by the encoder's embeddings; a passage is a few of them in a row.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# Segments in a row that are compared: one alone is alike by chance more often.
RUN = 3


class MatchedExcerpt(NamedTuple):
    """Seconds of a recording, and the seconds of another that are most like them."""

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
    """Find the passages of two recordings that are most alike.

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
    Passage
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
    """Find the seconds that say most of a recording: those most like all of it.

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
        Of the passage.

    Returns
    -------
    start, end : float
        Seconds; the whole recording, if it is shorter.
    """
    if starts[0] + seconds >= end:
        return float(starts[0]), end
    likeness = segments @ segments.mean(axis=0)
    begins = starts[starts + seconds <= end]
    means = [
        likeness[(starts >= begin) & (starts <= max(begin, begin + seconds - length))].mean()
        for begin in begins
    ]
    start = float(begins[int(np.argmax(means))])
    return start, start + seconds


EXCERPT_SECONDS = 10.0
