"""How good the ranked lists are, for artists that the model never heard, and beside what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simlib.core import SimlibError, cosine
from simlib.evaluation.statistics import bootstrap, skewness
from simlib.relevance import (
    artist_filter,
    artist_keys,
    jaccard,
    ndcg,
    precision_at_k,
    rank_candidates,
    reciprocal_rank,
    tag_columns,
    tag_matrix,
)

if TYPE_CHECKING:
    from simlib.evaluation.settings import EvaluateSettings

EXCERPT = "excerpt"


class Evaluation:
    """The queries, the candidates and the ground truth that all systems share.

    Parameters
    ----------
    tracks : pandas.DataFrame
        Of the test artists.
    columns : list of str
        Tag columns of the whole catalogue.
    settings : simlib.evaluation.EvaluateSettings
    """

    def __init__(self, tracks: pd.DataFrame, columns: list[str], settings: EvaluateSettings):
        self.tracks = tracks.reset_index(drop=True)
        self.columns, self.settings = columns, settings
        self.artists = artist_keys(self.tracks)
        self.candidate_mask = artist_filter(self.artists)
        self.members = {c: tag_matrix(self.tracks[c]) for c in columns}
        self.gains = {c: jaccard(member) for c, member in self.members.items()}

    def ranked(self, similarity: np.ndarray) -> np.ndarray:
        """Return each query's list, artist-filtered: int64, shape (n_tracks, k), -1 for none."""
        return rank_candidates(similarity, self.candidate_mask, self.settings.k, self.settings.seed)

    def scores(self, similarity: np.ndarray | dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Score a system query by query.

        Parameters
        ----------
        similarity : numpy.ndarray, shape (n_tracks, n_tracks)
            Or a dict of such by tag column, for a system that looks at other columns.

        Returns
        -------
        dict of str to numpy.ndarray of float64, shape (n_tracks,)
            `<column>_ndcg@k` and, where tracks have one value, `<column>_p@k`; NaN where a query
            has nothing to find.
        """
        k, found = self.settings.k, {}
        for column in self.columns:
            given = similarity.get(column) if isinstance(similarity, dict) else similarity
            if given is None:
                continue
            ranked = self.ranked(given)
            gain = self.gains[column]
            values = ndcg(ranked, gain, self.candidate_mask)
            found[f"{column}_ndcg@{k}"] = values
            if self.members[column].sum(axis=1).max(initial=0) <= 1:
                exact = precision_at_k(ranked, gain > 0)
                # A query with nothing to find leaves both measures, or they speak of two sets.
                found[f"{column}_p@{k}"] = np.where(np.isnan(values), np.nan, exact)
        return found

    def hub_skew(self, similarity: np.ndarray) -> float:
        """Skewness of the k-occurrence (Radovanovic et al. 2010): above 1, hubs fill the lists."""
        return skewness(self.occurrence(similarity))

    def occurrence(self, similarity: np.ndarray) -> np.ndarray:
        """In how many other tracks' lists each track stands: int64, shape (n_tracks,)."""
        ranked = self.ranked(similarity)
        return np.bincount(ranked[ranked >= 0], minlength=len(self.tracks))

    def interval(self, values: np.ndarray) -> dict:
        """Mean of a score over queries with its 95% interval; see `bootstrap`."""
        return bootstrap(values, self.artists, self.settings.bootstrap, self.settings.seed)


def compare_systems(systems: dict, evaluation: Evaluation) -> dict:
    """Score all systems, each with its paired distance from `simlib`.

    Parameters
    ----------
    systems : dict of str to numpy.ndarray (or dict, see `Evaluation.scores`)
        Similarities; `simlib` among them.
    evaluation : Evaluation

    Returns
    -------
    dict
        `{system: {measure: {"value", "low", "high", "n"}, "hub_skew@k": {"value"},
        "simlib_lead": {measure: ...}}}`; the lead is simlib's minus the system's, query by query.
    """
    scores = {name: evaluation.scores(similarity) for name, similarity in systems.items()}
    return _report(scores, evaluation, hubs={
        name: evaluation.hub_skew(_overall(similarity)) for name, similarity in systems.items()
    })  # fmt: skip


def _overall(similarity):
    return sum(similarity.values()) if isinstance(similarity, dict) else similarity


def _report(scores, evaluation, hubs):
    ours, report = scores["simlib"], {}
    for name, measures in scores.items():
        entry = {m: evaluation.interval(values) for m, values in measures.items()}
        if name in hubs:
            entry[f"hub_skew@{evaluation.settings.k}"] = {"value": round(hubs[name], 6)}
        if name != "simlib":
            entry["simlib_lead"] = {
                m: evaluation.interval(ours[m] - values) for m, values in measures.items()
            }
        report[name] = entry
    return report


def compare_excerpts(systems: dict[str, tuple], evaluation: Evaluation) -> dict:
    """Score systems where there are no tags: finding a recording from an excerpt of itself.

    Parameters
    ----------
    systems : dict of str to tuple
        Name to (excerpts, rests): vectors of one excerpt of each recording and of the rest of it,
        shape (n_tracks, d); rows of NaN for a recording too short to be cut in two.
    evaluation : Evaluation

    Returns
    -------
    dict
        As `compare_systems`, with the measures `excerpt_mrr` (mean reciprocal rank) and
        `excerpt_hit@k`.
    """
    k, scores = evaluation.settings.k, {}
    for name, (excerpts, rests) in systems.items():
        usable = np.isfinite(excerpts).all(axis=1) & np.isfinite(rests).all(axis=1)
        reciprocal = np.full(len(excerpts), np.nan)
        if usable.any():
            similarity = cosine(excerpts[usable], rests[usable])
            reciprocal[usable] = reciprocal_rank(similarity)
        hit = np.where(np.isnan(reciprocal), np.nan, reciprocal >= 1 / k)
        scores[name] = {f"{EXCERPT}_mrr": reciprocal, f"{EXCERPT}_hit@{k}": hit}
    return _report(scores, evaluation, hubs={})


def evaluated_rows(tracks: pd.DataFrame, splits: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Return the rows of the test artists and the tag columns of the whole catalogue.

    Raises
    ------
    SimlibError
        If there are fewer than two test recordings.
    """
    rows = np.flatnonzero(splits == "test")
    if len(rows) < 2:
        raise SimlibError(
            "test artists",
            f"the split leaves {len(rows)} recording(s) to evaluate on",
            "add music by more artists, or raise split.test in params.yaml",
        )
    return rows, tag_columns(tracks)
