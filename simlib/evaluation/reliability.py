"""The reliability of scores and of "no close match", measured on the test artists."""

import numpy as np
import pandas as pd

from simlib.evaluation.protocol import sampled_queries
from simlib.evaluation.settings import EvaluateSettings
from simlib.index import (
    ESTIMATES,
    Calibration,
    Index,
    by_other_artists,
    corrected_percentile,
    nearest_similarity,
    unrelated_percentiles,
)
from simlib.relevance import tag_sets

# Similarity percentiles at which scores are compared.
STATED = np.linspace(0.01, 0.99, 99)


def reliability_curve(
    index: Index, calibration: Calibration, splits: np.ndarray, settings: EvaluateSettings
) -> pd.DataFrame:
    """Compare the similarity percentiles that scores state with those of the test artists.

    Parameters
    ----------
    index : simlib.index.Index
    calibration : simlib.index.Calibration
    splits : numpy.ndarray of object, shape (n_tracks,)
        From `split_artists`.
    settings : simlib.evaluation.EvaluateSettings

    Returns
    -------
    pandas.DataFrame
        Columns `stated`, shares of unrelated pairs that are less similar; `found`, the same among
        the test artists; `low` and `high`, its 95% interval over the validation artists, who
        calibrate, and the test artists. Empty if no pair is unrelated.
    """
    learned, test = (_Pairs(index, np.flatnonzero(splits == s)) for s in ("validation", "test"))
    if not len(test.estimates):
        return pd.DataFrame(columns=["stated", "found", "low", "high"], dtype=float)
    found = np.searchsorted(calibration.closer_than(test.estimates), STATED) / len(test.estimates)
    rng, drawn = np.random.default_rng(settings.seed), []
    prior = index.settings.calibration.prior_artists
    for _ in range(settings.bootstrap):
        below = learned.below(ESTIMATES, rng)
        shares = corrected_percentile(below, ESTIMATES, learned.artists, prior)
        drawn.append(test.below(np.interp(STATED, shares, ESTIMATES), rng))
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    return pd.DataFrame({"stated": STATED, "found": found, "low": low, "high": high})


class _Pairs:
    """Unrelated pairs of some queries, the least similar first."""

    def __init__(self, index, rows):
        estimates, queries = unrelated_percentiles(index, rows)
        order = np.argsort(estimates, kind="stable")
        self.estimates = estimates[order]
        names, self.codes = np.unique(index.artists[queries[order]], return_inverse=True)
        self.artists = len(names)

    def below(self, estimates, rng):
        """Return the share of pairs up to estimates, if artists are drawn with replacement."""
        if not self.artists:
            return np.zeros(len(estimates))
        weights = rng.multinomial(self.artists, np.full(self.artists, 1 / self.artists))[self.codes]
        return np.interp(estimates, self.estimates, np.cumsum(weights) / weights.sum())


def without_related(
    index: Index, calibration: Calibration, rows: np.ndarray, columns: list[str]
) -> list[np.ndarray]:
    """Decide "no close match" for queries, in the whole catalogue and without related tracks.

    Parameters
    ----------
    index : simlib.index.Index
    calibration : simlib.index.Calibration
    rows : numpy.ndarray of int, shape (n_queries,)
    columns : list of str
        Tag columns; the related tracks are those that share a value of one with the query.

    Returns
    -------
    list of numpy.ndarray of bool, shape (n_queries,)
        In the whole catalogue, then for each column without the related tracks.
    """
    sets = [tag_sets(index.tracks[column]) for column in columns]
    vectors, nearest = index.vectors(), []
    for row in rows:
        others = by_other_artists(index, index.artists[row])
        kept = [others] + [
            others & [not tags[row] & tags[other] for other in index.reference_rows]
            for tags in sets
        ]
        nearest.append([nearest_similarity(index, vectors[row], mask) for mask in kept])
    return list((np.array(nearest) < calibration.outlier_threshold).T)


def no_close_match_rates(
    index: Index, calibration: Calibration, splits: np.ndarray, settings: EvaluateSettings
) -> pd.DataFrame:
    """Tabulate how often search reports "no close match".

    Parameters
    ----------
    index : simlib.index.Index
    calibration : simlib.index.Calibration
    splits : numpy.ndarray of object, shape (n_tracks,)
        From `split_artists`.
    settings : simlib.evaluation.EvaluateSettings
        Of very many recordings a sample is counted; see `sampled_queries`.

    Returns
    -------
    pandas.DataFrame
        A row for the validation and one for the test artists, if there are any: `artists`,
        `recordings`, and the share of them without a close match `in the whole catalogue` and, with
        a tag column, `without its <first tag column>`.
    """
    table, columns = [], index.tag_columns[:1]
    for split in ("validation", "test"):
        rows = np.flatnonzero(splits == split)
        rows = rows[sampled_queries(index.tracks.iloc[rows], settings)]
        if len(rows):
            rates = without_related(index, calibration, rows, columns)
            names = ["in the whole catalogue", *(f"without its {c}" for c in columns)]
            shares = {name: rate.mean() for name, rate in zip(names, rates, strict=True)}
            table.append({"artists": split, "recordings": len(rows)} | shares)
    return pd.DataFrame(table)


def largest_error(curve: pd.DataFrame) -> float | None:
    """Return the largest error of a score, as a share; None without test artists.

    Parameters
    ----------
    curve : pandas.DataFrame
        From `reliability_curve`.
    """
    return float((curve["found"] - curve["stated"]).abs().max()) if len(curve) else None


def describe_error(remark: str, error: float | None) -> str:
    """Add a sentence on the largest error to the remark on a calibration."""
    if error is None:
        return remark
    return f"{remark} Among the test artists, scores are at most {100 * error:.1f} points off."
