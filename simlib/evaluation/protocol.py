"""The protocol of the evaluation: queries, candidates, relevance, scores and intervals.

Queries and candidates are the recordings of the test artists, of which no training used any. All
systems are scored on the same ones.
"""

import numpy as np
import pandas as pd

from simlib.core import cosine
from simlib.evaluation.settings import EvaluateSettings
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

EXCERPT = "excerpt"
# A query by one artist, and a candidate by another one.
FEWEST_ARTISTS = 2
# Rows of the tracks; without any, all of them.
Rows = np.ndarray | slice
ALL = slice(None)


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
        self.tag_matrices = {c: tag_matrix(self.tracks[c]) for c in columns}
        self.gains = {c: jaccard(tags) for c, tags in self.tag_matrices.items()}

    def ranked(self, similarity: np.ndarray, rows: Rows = ALL) -> np.ndarray:
        """Rank the candidates, artist-filtered: int64, shape (n_queries, k), -1 for none."""
        candidate_mask = self.candidate_mask[rows]
        return rank_candidates(similarity, candidate_mask, self.settings.k, self.settings.seed)

    def scores(
        self, similarity: np.ndarray | dict[str, np.ndarray], rows: Rows = ALL
    ) -> dict[str, np.ndarray]:
        """Score a system query by query.

        Parameters
        ----------
        similarity : numpy.ndarray, shape (n_queries, n_tracks)
            Or a dict of such by tag column, for a system that ranks differently for each.
        rows : numpy.ndarray of int, shape (n_queries,), optional
            The queries; by default all tracks.

        Returns
        -------
        dict of str to numpy.ndarray of float64, shape (n_queries,)
            `<column>_ndcg@k` and, if tracks have one value, `<column>_p@k`; NaN if nothing is
            relevant to a query.
        """
        k, found = self.settings.k, {}
        for column, gains in self.gains.items():
            given = similarity.get(column) if isinstance(similarity, dict) else similarity
            if given is None:
                continue
            ranked, gain = self.ranked(given, rows), gains[rows]
            values = ndcg(ranked, gain, self.candidate_mask[rows])
            found[f"{column}_ndcg@{k}"] = values
            if self.tag_matrices[column].sum(axis=1).max(initial=0) <= 1:
                exact = precision_at_k(ranked, gain > 0)
                # Both measures are means over the same queries.
                found[f"{column}_p@{k}"] = np.where(np.isnan(values), np.nan, exact)
        return found

    def mean_ndcg(self, similarity: np.ndarray, rows: Rows = ALL) -> np.ndarray:
        """Average nDCG@k over the tag columns: float64, shape (n_queries,); see `scores`."""
        scores = self.scores(similarity, rows).items()
        return pd.DataFrame([s for name, s in scores if "_ndcg@" in name]).mean().to_numpy()

    def hub_skew(self, similarity: np.ndarray) -> float:
        """Compute the skewness of the k-occurrence (Radovanovic et al. 2010): above 1, hubs."""
        return skewness(self.occurrence(similarity))

    def occurrence(self, similarity: np.ndarray) -> np.ndarray:
        """Count in how many lists each track stands, its k-occurrence: int64, shape (n_tracks,)."""
        ranked = self.ranked(similarity)
        return np.bincount(ranked[ranked >= 0], minlength=len(self.tracks))

    def interval(self, values: np.ndarray, rows: Rows = ALL) -> dict:
        """Compute the mean of a score over queries, with its 95% interval; see `bootstrap`."""
        return bootstrap(values, self.artists[rows], self.settings.bootstrap, self.settings.seed)


def compare_systems(systems: dict, evaluation: Evaluation) -> dict:
    """Score all systems, each with the paired difference from `simlib`.

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
    report = _report(scores, evaluation)
    for name, similarity in systems.items():
        if isinstance(similarity, dict):
            similarity = np.sum(list(similarity.values()), axis=0)
        skew = round(evaluation.hub_skew(similarity), 6)
        report[name][f"hub_skew@{evaluation.settings.k}"] = {"value": skew}
    return report


def _report(scores, evaluation):
    report = {
        name: {m: evaluation.interval(values) for m, values in measures.items()}
        for name, measures in scores.items()
    }
    for name, measures in scores.items():
        if name != "simlib":
            leads = {m: scores["simlib"][m] - values for m, values in measures.items()}
            report[name]["simlib_lead"] = {m: evaluation.interval(v) for m, v in leads.items()}
    return report


def compare_excerpts(systems: dict[str, tuple], evaluation: Evaluation) -> dict:
    """Score systems without tags: an excerpt is the query, the rest of its recording is relevant.

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
            reciprocal[usable] = reciprocal_rank(cosine(excerpts[usable], rests[usable]))
        hit = np.where(np.isnan(reciprocal), np.nan, reciprocal >= 1 / k)
        scores[name] = {f"{EXCERPT}_mrr": reciprocal, f"{EXCERPT}_hit@{k}": hit}
    return _report(scores, evaluation)


def unmeasurable(tracks: pd.DataFrame, splits: np.ndarray) -> str:
    """Return why a catalogue is too small to measure retrieval, in a sentence; "" if it is not.

    Parameters
    ----------
    tracks : pandas.DataFrame
    splits : numpy.ndarray of object, shape (n_tracks,)
        From `simlib.relevance.split_artists`.
    """
    artists = artist_keys(tracks)
    test = len(set(artists[splits == "test"]))
    if test >= FEWEST_ARTISTS:
        return ""
    return (
        f"Nothing was measured: of {len(set(artists))} artist(s), the split leaves {test} to"
        f" evaluate on, and a list needs {FEWEST_ARTISTS}. Add music by other artists, or raise"
        " `split.test` in params.yaml."
    )


def evaluated_rows(tracks: pd.DataFrame, splits: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Return the rows of the test artists and the tag columns of the whole catalogue."""
    return np.flatnonzero(splits == "test"), tag_columns(tracks)
