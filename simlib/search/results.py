"""The list that a search returns: how near, which seconds match which, and why."""

import numpy as np
import pandas as pd

from simlib.index import similarity_percentile
from simlib.search.excerpts import best_match

RESULT_COLUMNS = [
    "rank", "track_id", "title", "artist", "tags", "similarity", "closer_than", "query",
    "query_start", "query_end", "start", "end", "same_seconds", "near_duplicate", "why",
]  # fmt: skip


def result_table(index, calibration, likes, rows, weights, matches, length):
    """Lay out a ranked list; for its columns see `simlib.search.Searcher.query`.

    Parameters
    ----------
    index : simlib.index.Index
    calibration : simlib.index.Calibration
    likes : list of simlib.search.Query
    rows : numpy.ndarray of int64, shape (n_found,)
        Best first.
    weights : dict of str to float
        Every part's.
    copies : dict of int to list of (int, simlib.index.Match)
        Of rows that share a passage with a reference: its number in `likes`, and the seconds.
    length : float
        Seconds of a segment.

    Returns
    -------
    pandas.DataFrame
    """
    found = index.tracks.iloc[rows]
    similarities = np.array([index.similarities(one.vector, rows, weights) for one in likes])
    least = similarities.min(axis=0)
    scores = [
        calibration.closer_than(
            similarity_percentile(index, near, one.vector, index.artist(one.row), weights)
        )
        for one, near in zip(likes, similarities, strict=True)
    ]  # fmt: skip
    shares = np.mean([index.similarities_by_subspace(one.vector, rows) for one in likes], axis=0).T
    shares = (shares * list(weights.values())).round(4).tolist()
    excerpts = []
    for place, row in enumerate(rows.tolist()):
        if row in matches:
            number, copy = max(matches[row], key=lambda one: one[1].seconds)
            begun = likes[number].start
            match = copy._replace(start=copy.start + begun, end=copy.end + begun)
        else:
            number = int(np.argmax(similarities[:, place]))
            one = likes[number]
            match = best_match(one.segments, one.starts, *index.segments_of(row), length)
        excerpts.append((likes[number], match))
    ends = [min(one.end, match.end) for one, match in excerpts]
    other_ends = np.minimum([match.other_end for _, match in excerpts], found["seconds"])
    return pd.DataFrame({
        "rank": np.arange(1, len(rows) + 1),
        **{name: found[name].to_numpy() for name in ("track_id", "title", "artist")},
        "tags": _tags(found, index.tag_columns),
        "similarity": least.round(4),
        # Nearer than all pairs that were measured is not nearer than all there are.
        "closer_than": np.minimum(100 * np.min(scores, axis=0), 99.9).round(1),
        "query": pd.array([one.name for one, _ in excerpts], dtype="str"),
        "query_start": np.array([match.start for _, match in excerpts]).round(2),
        "query_end": np.array(ends).round(2),
        "start": np.array([match.other_start for _, match in excerpts]).round(2),
        "end": other_ends.to_numpy(dtype=np.float64).round(2),
        "same_seconds": [round(matched_duration(matches.get(row, ())), 2) for row in rows.tolist()],
        "near_duplicate": np.array(
            [near_duplicate(index, likes, row, matches) for row in rows.tolist()], dtype=bool
        ),
        "why": [dict(zip(weights, share, strict=True)) for share in shares],
    })[RESULT_COLUMNS]  # fmt: skip


def near_duplicate(index, likes, row, matches):
    """Tell whether most of a row, or of one of the references, is the same recording.

    Returns
    -------
    bool
    """
    return any(
        index.fingerprints.is_near_duplicate(likes[number].fingerprint, row, copy)
        for number, copy in matches.get(row, ())
    )


def matched_duration(matches):
    """Return how long the longest of a row's `copies` is, 0 for none."""
    return max((copy.seconds for _, copy in matches), default=0.0)


def sameness(row):
    """Say how much of the recording itself a row of a list is: plain text, "" for nothing."""
    if not row.same_seconds:
        return ""
    kind = "near-duplicate: " if row.near_duplicate else ""
    return f"{kind}{row.same_seconds:.0f} s are the same recording"


def _tags(tracks, columns):
    """Join each track's tags to one text."""
    cells = [tracks[column].str.replace(";", ", ").to_numpy(dtype=object) for column in columns]
    tags = [", ".join(filter(None, (c[place] for c in cells))) for place in range(len(tracks))]
    return pd.array(tags, dtype="str")
