"""The protocol of the evaluation: queries, candidates, relevance, scores and intervals.

Queries and candidates are the recordings of the test artists, of which no training used any. All
systems are scored on the same ones. If there are very many, the queries are a sample; the
candidates never are.
"""

from functools import lru_cache

import numpy as np
import pandas as pd

from simlib.core import stable_sample, unit_rows
from simlib.evaluation.gains import Gain, TagGain
from simlib.evaluation.lists import RankedLists, query_blocks, rank_block, rank_by_other_artists
from simlib.evaluation.settings import EvaluateSettings
from simlib.evaluation.similarities import Similarity, SummedSimilarity, among
from simlib.evaluation.statistics import bootstrap, skewness
from simlib.relevance import (
    artist_codes,
    artist_keys,
    discounted_gain,
    ideal_gain,
    normalised_gain,
    precision_at_k,
    reciprocal_rank,
    tag_columns,
    tag_matrix,
)

EXCERPT = "excerpt"
# A query by one artist, and a candidate by another one.
FEWEST_ARTISTS = 2


class Evaluation:
    """The queries, the candidates and the ground truth that all systems share.

    Parameters
    ----------
    tracks : pandas.DataFrame
        Of the test artists: the candidates.
    columns : list of str
        Tag columns of the whole catalogue.
    settings : simlib.evaluation.EvaluateSettings

    Attributes
    ----------
    artists : numpy.ndarray of object, shape (n_tracks,)
    queries : numpy.ndarray of int64, shape (n_queries,)
        Rows of the tracks; see `sampled_queries`.
    gains : dict of str to simlib.evaluation.gains.TagGain
        By tag column.
    """

    def __init__(self, tracks: pd.DataFrame, columns: list[str], settings: EvaluateSettings):
        self.tracks = tracks.reset_index(drop=True)
        self.columns, self.settings = columns, settings
        self.artists = artist_keys(self.tracks)
        self.queries = sampled_queries(self.tracks, settings)
        self.tag_matrices = {c: tag_matrix(self.tracks[c]) for c in columns}
        self.gains = {column: TagGain(tags) for column, tags in self.tag_matrices.items()}
        # Numbers compare faster than texts.
        self._codes = artist_codes(self.artists)
        self._ideal_of_queries = lru_cache(maxsize=None)(self._ideal)

    def candidate_mask(self, queries: np.ndarray) -> np.ndarray:
        """Mark the tracks by other artists than a query's: bool, shape (n_queries, n_tracks)."""
        return self._codes[queries][:, None] != self._codes

    def candidate_counts(self) -> np.ndarray:
        """Count the candidates of each track: int64, shape (n_tracks,)."""
        return len(self.tracks) - np.bincount(self._codes)[self._codes]

    def rank(
        self, similarity: Similarity | np.ndarray, queries: np.ndarray | None = None
    ) -> RankedLists:
        """Rank the candidates, artist-filtered.

        Parameters
        ----------
        similarity : Similarity or numpy.ndarray, shape (n_tracks, n_tracks)
        queries : numpy.ndarray of int64, shape (n_queries,), optional
            Rows of the tracks; by default the evaluation's own.

        Returns
        -------
        RankedLists
        """
        queries = self.queries if queries is None else queries
        return rank_by_other_artists(similarity, self._codes, queries, self.settings)

    def rank_block(self, block: np.ndarray, queries: np.ndarray) -> RankedLists:
        """Rank the candidates of some queries by similarities, shape (n_queries, n_tracks)."""
        return rank_block(block, self._codes, queries, self.settings)

    def scores(self, lists: RankedLists | dict[str, RankedLists]) -> dict[str, np.ndarray]:
        """Score a system query by query.

        Parameters
        ----------
        lists : RankedLists
            From `rank`; or a dict of such by tag column, for a system that ranks differently for
            each.

        Returns
        -------
        dict of str to numpy.ndarray of float64, shape (n_queries,)
            `<column>_ndcg@k` and, if tracks have one value, `<column>_p@k`; NaN if nothing is
            relevant to a query.
        """
        k, found = self.settings.k, {}
        for column, gain in self.gains.items():
            given = lists.get(column) if isinstance(lists, dict) else lists
            if given is None:
                continue
            values = self.ndcg(given, gain)
            found[f"{column}_ndcg@{k}"] = values
            if self.tag_matrices[column].sum(axis=1).max(initial=0) <= 1:
                places = np.where(given.ranked >= 0, np.arange(given.ranked.shape[1]), -1)
                exact = precision_at_k(places, gain.of(given.queries, given.ranked) > 0)
                # Both measures are means over the same queries.
                found[f"{column}_p@{k}"] = np.where(np.isnan(values), np.nan, exact)
        return found

    def ndcg(self, lists: RankedLists, gain: Gain) -> np.ndarray:
        """Compute nDCG@k by some gain: float64, shape (n_queries,); NaN if nothing is relevant."""
        listed = np.where(lists.ranked >= 0, gain.of(lists.queries, lists.ranked), 0.0)
        own = lists.queries is self.queries
        ideal = self._ideal_of_queries(gain) if own else self._ideal(gain, lists.queries)
        return normalised_gain(discounted_gain(listed), ideal)

    def _ideal(self, gain, queries=None):
        """Compute the gain of ideal lists; those of the evaluation's own queries are kept."""
        blocks = query_blocks(self.queries if queries is None else queries, len(self.tracks))
        k = self.settings.k
        ideal = [ideal_gain(gain[rows], self.candidate_mask(rows), k) for rows in blocks]
        return np.concatenate([np.empty(0), *ideal])

    def mean_ndcg(self, lists: RankedLists) -> np.ndarray:
        """Average nDCG@k over the tag columns: float64, shape (n_queries,); see `scores`."""
        scores = self.scores(lists).items()
        return pd.DataFrame([s for name, s in scores if "_ndcg@" in name]).mean().to_numpy()

    def hub_skew(self, similarity: Similarity | np.ndarray) -> float:
        """Compute the skewness of the k-occurrence (Radovanovic et al. 2010): above 1, hubs."""
        return skewness(self.occurrence(similarity))

    def occurrence(self, similarity: Similarity | np.ndarray) -> np.ndarray:
        """Count in how many lists each track stands, its k-occurrence: int64, shape (n_counted,).

        Each track that is counted is a query, and a candidate of the others. In lists of sampled
        queries among all candidates most tracks would stand once or never, by chance.

        Parameters
        ----------
        similarity : Similarity or numpy.ndarray, shape (n_tracks, n_tracks)

        Returns
        -------
        numpy.ndarray of int64, shape (n_counted,)
            Of all tracks or, if they are more than the settings' `most_tracks`, of a sample.
        """
        counted = stable_sample(self.tracks["track_id"], self.settings.most_tracks)
        everyone = np.arange(len(counted))
        if len(counted) < len(self.tracks):
            similarity = among(similarity, counted)
        codes = self._codes[counted]
        lists = rank_by_other_artists(similarity, codes, everyone, self.settings)
        return lists.occurrence(len(counted))

    def interval(self, values: np.ndarray, queries: np.ndarray | None = None) -> dict:
        """Compute the mean of a score over queries, with its 95% interval; see `bootstrap`."""
        artists = self.artists[self.queries if queries is None else queries]
        return bootstrap(values, artists, self.settings.bootstrap, self.settings.seed)


def sampled_queries(tracks: pd.DataFrame, settings: EvaluateSettings) -> np.ndarray:
    """Choose the queries: all tracks or, if there are very many, a sample.

    Parameters
    ----------
    tracks : pandas.DataFrame
        With `track_id`, by whose digests the sample is drawn.
    settings : simlib.evaluation.EvaluateSettings
        `queries` and `exact_tracks`.

    Returns
    -------
    numpy.ndarray of int64, shape (n_queries,)
        Rows, rising.
    """
    exact = len(tracks) <= settings.exact_tracks
    return stable_sample(tracks["track_id"], len(tracks) if exact else settings.queries)


def compare_systems(systems: dict, evaluation: Evaluation) -> dict:
    """Score all systems, each with the paired difference from `simlib`.

    Parameters
    ----------
    systems : dict of str to Similarity or numpy.ndarray, shape (n_tracks, n_tracks)
        `simlib` among them; or a dict of such by tag column, for a system that ranks differently
        for each.
    evaluation : Evaluation

    Returns
    -------
    dict
        `{system: {measure: {"value", "low", "high", "n"}, "hub_skew@k": {"value"},
        "simlib_lead": {measure: ...}}}`; the lead is simlib's minus the system's, query by query.
    """
    scores = {name: evaluation.scores(_ranked(s, evaluation)) for name, s in systems.items()}
    report = _report(scores, evaluation)
    for name, similarity in systems.items():
        if isinstance(similarity, dict):
            similarity = SummedSimilarity(list(similarity.values()))
        skew = round(evaluation.hub_skew(similarity), 6)
        report[name][f"hub_skew@{evaluation.settings.k}"] = {"value": skew}
    return report


def _ranked(similarity, evaluation):
    if isinstance(similarity, dict):
        return {column: evaluation.rank(one) for column, one in similarity.items()}
    return evaluation.rank(similarity)


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
        reciprocal = _reciprocal_ranks(excerpts, rests, evaluation.queries)
        hit = np.where(np.isnan(reciprocal), np.nan, reciprocal >= 1 / k)
        scores[name] = {f"{EXCERPT}_mrr": reciprocal, f"{EXCERPT}_hit@{k}": hit}
    return _report(scores, evaluation)


def _reciprocal_ranks(excerpts, rests, queries):
    """Rank the rest of each query's recording among all rests; NaN for one not cut in two."""
    usable = np.isfinite(excerpts).all(axis=1) & np.isfinite(rests).all(axis=1)
    found = np.full(len(excerpts), np.nan)
    column = np.cumsum(usable) - 1
    candidates = unit_rows(np.asarray(rests[usable], dtype=np.float64))
    for rows in query_blocks(queries[usable[queries]], len(candidates)):
        cosines = unit_rows(np.asarray(excerpts[rows], dtype=np.float64)) @ candidates.T
        found[rows] = reciprocal_rank(cosines, column[rows])
    return found[queries]


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
