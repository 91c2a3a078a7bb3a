"""The table that a search returns: similarities, matching excerpts, and the reasons."""

from typing import Any

import numpy as np
import pandas as pd

from simlib.index import Calibration, Index, Match, similarity_percentile
from simlib.search.excerpts import best_match
from simlib.search.queries import Query

# Tracks most similar to a track of the catalogue that are looked at for near-duplicates.
NEAREST = 30

RESULT_COLUMNS = [
    "rank", "track_id", "title", "artist", "tags", "similarity", "closer_than", "query",
    "query_start", "query_end", "start", "end", "same_seconds", "near_duplicate", "why",
]  # fmt: skip


def result_table(
    index: Index, calibration: Calibration, queries: list[Query], rows: np.ndarray,
    weights: dict[str, float], matches: dict[int, list], length: float,
) -> pd.DataFrame:  # fmt: skip
    """Lay out a ranked list; for its columns see `simlib.search.Searcher.answer`.

    Parameters
    ----------
    index : simlib.index.Index
    calibration : simlib.index.Calibration
    queries : list of simlib.search.Query
    rows : numpy.ndarray of int64, shape (n_found,)
        Best first.
    weights : dict of str to float
        Of every aspect.
    matches : dict of int to list of (int, simlib.index.Match)
        From `find_matches`.
    length : float
        Seconds of a segment.

    Returns
    -------
    pandas.DataFrame
    """
    found = index.tracks.iloc[rows]
    similarities = np.array([index.similarities(one.vector, rows, weights) for one in queries])
    least = similarities.min(axis=0)
    scores = [
        calibration.closer_than(
            similarity_percentile(index, near, one.vector, index.artist(one.row), weights)
        )
        for one, near in zip(queries, similarities, strict=True)
    ]  # fmt: skip
    by_subspace = [index.similarities_by_subspace(one.vector, rows) for one in queries]
    shares = np.mean(by_subspace, axis=0).T * list(weights.values())
    excerpts = []
    for place, row in enumerate(rows.tolist()):
        if row in matches:
            number, match = max(matches[row], key=lambda one: one[1].seconds)
            shift = queries[number].start
            match = match._replace(start=match.start + shift, end=match.end + shift)
        else:
            number = int(np.argmax(similarities[:, place]))
            one = queries[number]
            match = best_match(one.segments, one.starts, *index.segments_of(row), length)
        excerpts.append((queries[number], match))
    ends = [min(one.end, match.end) for one, match in excerpts]
    other_ends = np.minimum([match.other_end for _, match in excerpts], found["seconds"])
    return pd.DataFrame({
        "rank": np.arange(1, len(rows) + 1),
        **{name: found[name].to_numpy() for name in ("track_id", "title", "artist")},
        "tags": _tags(found, index.tag_columns),
        "similarity": least.round(4),
        # More similar than all measured pairs is not more similar than all there are.
        "closer_than": np.minimum(100 * np.min(scores, axis=0), 99.9).round(1),
        "query": pd.array([one.name for one, _ in excerpts], dtype="str"),
        "query_start": np.array([match.start for _, match in excerpts]).round(2),
        "query_end": np.array(ends).round(2),
        "start": np.array([match.other_start for _, match in excerpts]).round(2),
        "end": other_ends.to_numpy(dtype=np.float64).round(2),
        "same_seconds": [round(matched_duration(matches.get(row, [])), 2) for row in rows.tolist()],
        "near_duplicate": np.array(
            [near_duplicate(index, queries, row, matches) for row in rows.tolist()], dtype=bool
        ),
        "why": [dict(zip(weights, share, strict=True)) for share in shares.round(4).tolist()],
    })[RESULT_COLUMNS]  # fmt: skip


def find_matches(index: Index, queries: list[Query], candidates: np.ndarray) -> dict[int, list]:
    """Find tracks that hold the recording of a query, or seconds of it, by their fingerprints.

    Parameters
    ----------
    index : simlib.index.Index
    queries : list of simlib.search.Query
    candidates : numpy.ndarray of bool, shape (n_tracks,)

    Returns
    -------
    dict of int to list of (int, simlib.index.Match)
        By row: the number of the query, and the match.
    """
    found: dict[int, list] = {}
    for number, one in enumerate(queries):
        rows = np.flatnonzero(candidates)
        if one.row is not None:
            rows = index.search(one.vector, NEAREST, one.row)[0]
            rows = rows[candidates[rows]]
        for row, match in index.fingerprints.matches(one.fingerprint, rows).items():
            found.setdefault(row, []).append((number, match))
    return found


def near_duplicate(index: Index, queries: list[Query], row: int, matches: dict[int, list]) -> bool:
    """Tell whether most of a row, or of one of the queries, is the same recording.

    Returns
    -------
    bool
    """
    return any(
        index.fingerprints.is_near_duplicate(queries[number].fingerprint, row, match)
        for number, match in matches.get(row, ())
    )


def matched_duration(matches: list[tuple[int, Match]]) -> float:
    """Return the seconds of the longest of a row's matches, 0 for none."""
    return max((match.seconds for _, match in matches), default=0.0)


def sameness(row: Any) -> str:
    """Write how much of the recording itself a result holds: plain text, "" for nothing."""
    if not row.same_seconds:
        return ""
    kind = "near-duplicate: " if row.near_duplicate else ""
    return f"{kind}{row.same_seconds:.0f} s are the same recording"


def _tags(tracks, columns):
    """Join each track's tags to one text."""
    cells = [tracks[column].str.replace(";", ", ").to_numpy(dtype=object) for column in columns]
    tags = [", ".join(filter(None, (c[place] for c in cells))) for place in range(len(tracks))]
    return pd.array(tags, dtype="str")
