"""The table that a search returns: similarities, matching excerpts, and the reasons."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from simlib.core import AUTO_TAGS
from simlib.index import Calibration, Match, similarity_percentile
from simlib.search.excerpts import best_match
from simlib.search.request import Search


class SameRecording(NamedTuple):
    """What a track has in common with the recordings of the queries: its longest match."""

    number: int
    match: Match
    near_duplicate: bool


def find_matches(search: Search, candidates: np.ndarray) -> dict[int, SameRecording]:
    """Find tracks that hold the recording of a query, or seconds of it, by their fingerprints.

    Parameters
    ----------
    search : Search
    candidates : numpy.ndarray of bool, shape (n_tracks,)

    Returns
    -------
    dict of int to SameRecording
        By row: the number of the query, its match, and whether most of the row, or of one of the
        queries, is the same recording.
    """
    index = search.index
    found: dict[int, list[SameRecording]] = {}
    for number, query in enumerate(search.queries):
        rows = np.flatnonzero(candidates)
        if query.row is not None:
            count = search.settings.near_duplicate_candidates
            rows = index.search(query.vector, count, query.row)[0]
            rows = rows[candidates[rows]]
        for row, match in index.fingerprints.matches(query.fingerprint, rows).items():
            duplicate = index.fingerprints.is_near_duplicate(query.fingerprint, row, match)
            found.setdefault(row, []).append(SameRecording(number, match, duplicate))
    return {
        row: max(every, key=lambda one: one.match.seconds)._replace(
            near_duplicate=any(one.near_duplicate for one in every)
        )
        for row, every in found.items()
    }


def result_table(
    search: Search, rows: np.ndarray, matches: dict[int, SameRecording], calibration: Calibration,
    length: float,
) -> pd.DataFrame:  # fmt: skip
    """Lay out a ranked list; for its columns see `simlib.search.Searcher.answer`.

    Parameters
    ----------
    search : Search
    rows : numpy.ndarray of int64, shape (n_found,)
        Best first.
    matches : dict of int to SameRecording
        From `find_matches`.
    calibration : simlib.index.Calibration
    length : float
        Seconds of a segment.

    Returns
    -------
    pandas.DataFrame
    """
    index, queries, weights = search.index, search.queries, search.weights
    found, same = index.tracks.iloc[rows], [matches.get(row) for row in rows.tolist()]
    similarities = np.array([index.similarities(one.vector, rows, weights) for one in queries])
    percentiles = [
        similarity_percentile(index, values, one.vector, index.artist(one.row), weights)
        for one, values in zip(queries, similarities, strict=True)
    ]
    scores = [calibration.closer_than(values) for values in percentiles]
    by_subspace = [index.similarities_by_subspace(one.vector, rows) for one in queries]
    shares = np.mean(by_subspace, axis=0).T * list(weights.values())
    excerpts = [
        _excerpts(search, row, similarities[:, place], matches.get(row), length)
        for place, row in enumerate(rows.tolist())
    ]
    spans = np.array([span for _, span in excerpts]).reshape(-1, 4).T
    return pd.DataFrame({
        "rank": np.arange(1, len(rows) + 1),
        **{name: found[name].to_numpy() for name in ("track_id", "title", "artist")},
        "tags": joined_cells(found, index.tag_columns),
        "auto_tags": joined_cells(found, [AUTO_TAGS] if AUTO_TAGS in found else []),
        "similarity": similarities.min(axis=0).round(4),
        # More similar than all measured pairs is not more similar than all there are.
        "closer_than": np.minimum(100 * np.min(scores, axis=0), 99.9).round(1),
        "query": pd.array([one.name for one, _ in excerpts], dtype="str"),
        "query_start": spans[0].round(2),
        "query_end": np.minimum(spans[1], [one.end for one, _ in excerpts]).round(2),
        "start": spans[2].round(2),
        "end": np.minimum(spans[3], found["seconds"].to_numpy(dtype=np.float64)).round(2),
        "same_seconds": [round(one.match.seconds, 2) if one else 0.0 for one in same],
        "near_duplicate": np.array([bool(one and one.near_duplicate) for one in same], dtype=bool),
        "why": [dict(zip(weights, share, strict=True)) for share in shares.round(4).tolist()],
    })  # fmt: skip


def _excerpts(search, row, similarities, same, length):
    """Return the query of a result that matches best, and the seconds of both."""
    if same is not None:
        query, match = search.queries[same.number], same.match
        return query, (match.start + query.start, match.end + query.start, *match[2:])
    query = search.queries[int(np.argmax(similarities))]
    others = search.index.segments_of(row)
    run = search.settings.matched_segments
    return query, best_match(query.segments, query.starts, *others, length, run)


def sameness(row: Any) -> str:
    """Write how much of the query's recording a result holds: plain text, "" for nothing."""
    if not row.same_seconds:
        return ""
    kind = "near-duplicate: " if row.near_duplicate else ""
    return f"{kind}{row.same_seconds:.0f} s are the same recording"


def joined_cells(tracks: pd.DataFrame, columns: Iterable[str]) -> pd.api.extensions.ExtensionArray:
    """Join each track's tags in some columns to one text."""
    cells = [tracks[column].str.replace(";", ", ").to_numpy(dtype=object) for column in columns]
    tags = [", ".join(filter(None, (c[place] for c in cells))) for place in range(len(tracks))]
    return pd.array(tags, dtype="str")
