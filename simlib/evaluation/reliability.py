"""How far a score, and "nothing here is close", can be taken at their word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simlib.index import (
    ESTIMATES,
    by_other_artists,
    corrected_percentile,
    nearest_similarity,
    unrelated_percentiles,
)
from simlib.relevance import tag_sets

if TYPE_CHECKING:
    from simlib.evaluation.settings import EvaluateSettings
    from simlib.index import Calibration, Index

# Shares of unrelated pairs that scores state.
STATED = np.linspace(0.01, 0.99, 99)


def reliability_curve(
    index: Index, calibration: Calibration, splits: np.ndarray, settings: EvaluateSettings
) -> pd.DataFrame:
    """Compare what is stated of scores with what is so among the test artists.

    Parameters
    ----------
    index : simlib.index.Index
    calibration : simlib.index.Calibration
    sides : numpy.ndarray of object, shape (n_tracks,)
        From `split_artists`.
    settings : simlib.evaluation.EvaluateSettings

    Returns
    -------
    pandas.DataFrame
        Columns `stated`, shares of unrelated pairs that are said to be less near, `found`, the
        shares that are, `low` and `high`, its 95% interval over the artists, both of those that
        were calibrated on and of the test; empty where no pair is unrelated.
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
    """Unrelated pairs of some queries, the least near first."""

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
    """Tell of references whether nothing is close, also where their kind is taken out.

    Parameters
    ----------
    index : simlib.index.Index
    calibration : simlib.index.Calibration
    rows : numpy.ndarray of int, shape (n_queries,)
    columns : list of str
        Tag columns; a reference's kind are the recordings that share a value of one with it.

    Returns
    -------
    list of numpy.ndarray of bool, shape (n_queries,)
        With the whole catalogue there, then for each column without the kind.
    """
    sets = [tag_sets(index.tracks[column]) for column in columns]
    vectors, said = index.vectors(), []
    for row in rows:
        others = by_other_artists(index, index.artists[row])
        kept = [others] + [
            others & [not tags[row] & tags[other] for other in index.reference_rows]
            for tags in sets
        ]
        nearest_similarities = [nearest_similarity(index, vectors[row], counts) for counts in kept]
        said.append(np.array(nearest_similarities) < calibration.outlier_threshold)
    return list(np.array(said).T)


def no_close_match_rates(
    index: Index, calibration: Calibration, splits: np.ndarray
) -> pd.DataFrame:
    """Tabulate how often it is said that nothing is close.

    Parameters
    ----------
    index : simlib.index.Index
    calibration : simlib.index.Calibration
    sides : numpy.ndarray of object, shape (n_tracks,)
        From `split_artists`.

    Returns
    -------
    pandas.DataFrame
        For the validation and the test artists, as far as there are any: `artists`, `recordings`,
        and the shares of them of which it is said, `in the whole catalogue` and, where there are
        tags, `without its <first tag column>`.
    """
    table = []
    for side in ("validation", "test"):
        rows = np.flatnonzero(splits == side)
        if not len(rows):
            continue
        row = {"artists": side, "recordings": len(rows)}
        there, *gone = without_related(index, calibration, rows, index.tag_columns[:1])
        row["in the whole catalogue"] = there.mean()
        row |= {f"without its {c}": g.mean() for c, g in zip(index.tag_columns, gone, strict=False)}
        table.append(row)
    return pd.DataFrame(table)


def largest_error(curve: pd.DataFrame) -> float | None:
    """Return how far scores are off at most, as a share; None without test artists.

    Parameters
    ----------
    curve : pandas.DataFrame
        From `reliability_curve`.
    """
    return float((curve["found"] - curve["stated"]).abs().max()) if len(curve) else None


def describe_error(remark: str, error: float | None) -> str:
    """Add the largest error to the remark on a calibration, in a sentence."""
    if error is None:
        return remark
    return f"{remark} Among the test artists, scores are at most {100 * error:.1f} points off."
