"""What an evaluation tells: tables, a verdict in words, queries to listen to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simlib.core import evenly_spread
from simlib.evaluation.statistics import skewness
from simlib.index import hub_corrected
from simlib.relevance import artist_filter, artist_keys, rank_candidates

if TYPE_CHECKING:
    from simlib.evaluation.protocol import Evaluation
    from simlib.index import HubSettings

# Pairs of tracks grow with the square.
MOST_TRACKS = 5_000


def hubs_before_and_after(
    vectors: np.ndarray, tracks: pd.DataFrame, k: int, seed: int, hubs: HubSettings
) -> tuple[dict[str, float], pd.DataFrame]:
    """Count in how many lists each track of the catalogue stands, without and with correction.

    Every track is a query to all the others by other artists, as search ranks them; of more than
    5,000 tracks, so many, evenly spread.

    Parameters
    ----------
    vectors : numpy.ndarray of float32, shape (n_tracks, embedding)
        Of unit length.
    tracks : pandas.DataFrame
    k, seed : int
    hubs : simlib.index.HubSettings

    Returns
    -------
    skew : dict of str to float
        Skewness of the k-occurrence `by cosine` and `corrected`.
    table : pandas.DataFrame
        The five tracks that stood in most lists by cosine: `track_id, title, artist`, and the
        two counts.
    """
    sampled = evenly_spread(len(vectors), MOST_TRACKS)
    vectors, tracks = vectors[sampled], tracks.iloc[sampled].reset_index(drop=True)
    artists = artist_keys(tracks)
    similarities = {
        "by cosine": vectors @ vectors.T,
        "corrected": hub_corrected(vectors, artists, hubs),
    }
    candidate_mask = artist_filter(artists)
    table = tracks[["track_id", "title", "artist"]].copy()
    skew = {}
    for name, similarity in similarities.items():
        ranked = rank_candidates(similarity, candidate_mask, k, seed)
        table[name] = np.bincount(ranked[ranked >= 0], minlength=len(tracks))
        skew[name] = skewness(table[name])
    return skew, table.nlargest(5, "by cosine", keep="first").reset_index(drop=True)


def hub_correction_cost(
    evaluation: Evaluation, before: np.ndarray, after: np.ndarray
) -> pd.DataFrame:
    """Lay out what a correction does to the lists of the test artists: nDCG before and after.

    Parameters
    ----------
    evaluation : simlib.evaluation.Evaluation
    before, after : numpy.ndarray, shape (n_tracks, n_tracks)
        Similarities.

    Returns
    -------
    pandas.DataFrame
        Columns `measure`, `by cosine`, `corrected` and `difference`, paired, with its interval.
    """
    first, second = evaluation.scores(before), evaluation.scores(after)
    rows = []
    for measure in first:
        change = evaluation.interval(second[measure] - first[measure])
        if "_ndcg@" not in measure or change["value"] is None:
            continue
        rows.append({
            "measure": measure,
            "by cosine": f"{np.nanmean(first[measure]):.3f}",
            "corrected": f"{np.nanmean(second[measure]):.3f}",
            "difference": f"{change['value']:+.3f} [{change['low']:+.3f}, {change['high']:+.3f}]",
        })  # fmt: skip
    return pd.DataFrame(rows, columns=["measure", "by cosine", "corrected", "difference"])


def describe_hub_skew(skew: dict[str, float]) -> str:
    """Write the hub skew before and after the correction, from `hubs_before_and_after`."""
    return (
        f"Over the whole catalogue the hub skew is {skew['by cosine']:.2f} by cosine, "
        f"{skew['corrected']:.2f} as search ranks."
    )
