"""The answer to a long recording, excerpt by excerpt: what plays when in a mix."""

import math
from collections.abc import Callable, Iterable
from numbers import Real

import pandas as pd

from simlib.core import SimlibError
from simlib.features import FrontEnd
from simlib.search.queries import Recording


def excerpt_spans(
    recording: Recording, seconds: float, front_end: FrontEnd
) -> list[tuple[float, float]]:
    """Divide a recording into excerpts of one length.

    Parameters
    ----------
    recording : simlib.search.queries.Recording
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
    rate, length = front_end.frame_rate, len(recording.log_mel)
    frames, shortest = math.ceil(seconds * rate), math.ceil(least * rate)
    starts = range(0, max(length - max(frames // 2, shortest), 0) + 1, frames)
    ends = [start + frames for start in starts[:-1]] + [length]
    return [(start / rate, end / rate) for start, end in zip(starts, ends, strict=True)]


def timeline_table(
    spans: Iterable[tuple[float, float]], answer: Callable[[float, float], pd.DataFrame]
) -> pd.DataFrame:
    """Answer excerpts one by one, and join those that have one answer.

    Parameters
    ----------
    spans : iterable of (float, float)
        From `excerpt_spans`.
    answer : callable
        Start and end in seconds to a ranked list of one track.

    Returns
    -------
    pandas.DataFrame
        See `Searcher.timeline`.
    """
    answers = []
    for start, end in spans:
        found = answer(start, end)
        found.insert(0, "excerpt_start", round(start, 2))
        found.insert(1, "excerpt_end", round(end, 2))
        found["no_close_match"] = found.attrs["no_close_match"]
        answers.append(found)
    table = pd.concat(answers, ignore_index=True)
    # Excerpts in a row with one answer become one row: that of the most similar of them.
    kind = table[["track_id", "no_close_match"]]
    run = (kind != kind.shift()).any(axis=1).cumsum()
    best = table.loc[table.groupby(run)["similarity"].idxmax()].reset_index(drop=True)
    runs = table.groupby(run)
    return best.assign(
        excerpt_start=runs["excerpt_start"].min().to_numpy(),
        excerpt_end=runs["excerpt_end"].max().to_numpy(),
    )
