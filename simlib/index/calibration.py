"""The meaning of a similarity: its percentile among unrelated pairs, and the outlier threshold.

The percentile is estimated from the reference sample and corrected by the validation artists. The
threshold is learned from them. The network has not learned from these recordings, as it will not
have learned from those that people search with.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from simlib.core import SimlibError, read_json, stable_sample, write_json
from simlib.index.settings import INDEX_HINT
from simlib.model import SOUND

if TYPE_CHECKING:
    from simlib.index.faiss_index import Index

# Shares at which the unrelated are measured. Beyond them an exponential tail is assumed; without it
# most results of a small catalogue would reach the highest percentile.
MEASURED = np.linspace(0.1, 0.9, 17)
# The grid on which shares are stored.
ESTIMATES = np.linspace(0.0, 1.0, 1001)
_FILE = "calibration.json"


@dataclass(frozen=True)
class Calibration:
    """The scale of an index.

    Attributes
    ----------
    shares : list of float
        The share of unrelated pairs below each estimate of `ESTIMATES`.
    outlier_threshold : float
        A query whose `nearest_similarity` is lower has no close match.
    remark : str
        What was calibrated on.
    """

    shares: list[float]
    outlier_threshold: float
    remark: str

    def closer_than(self, estimates: np.ndarray) -> np.ndarray:
        """Turn estimates into the share of unrelated pairs that are less similar.

        Parameters
        ----------
        estimates : numpy.ndarray of float64
            From `similarity_percentile`.

        Returns
        -------
        numpy.ndarray of float64, of the same shape
            Between 0 and 1.
        """
        return np.interp(estimates, ESTIMATES, self.shares)

    def has_no_close_match(
        self, index: Index, vector: np.ndarray, artist: int | None = None
    ) -> bool:
        """Tell whether nothing in the catalogue is close to a query.

        Parameters
        ----------
        index : simlib.index.Index
        vector : numpy.ndarray of float32, shape (dimensions,)
            Of the query.
        artist : int, optional
            The query's among `index.artists`; None for a query from outside.

        Returns
        -------
        bool
        """
        return bool(
            nearest_similarity(index, vector, by_other_artists(index, artist))
            < self.outlier_threshold
        )

    def save(self, folder: str | os.PathLike) -> None:
        """Write it beside the index."""
        write_json(Path(folder) / _FILE, asdict(self))

    @classmethod
    def load(cls, folder: str | os.PathLike) -> Calibration:
        """Read what `save` wrote.

        Raises
        ------
        SimlibError
            If it is absent or broken.
        """
        content = read_json(Path(folder) / _FILE, INDEX_HINT)
        try:
            return cls(**content)
        except TypeError:
            raise SimlibError(Path(folder) / _FILE, "is of another version", INDEX_HINT) from None


def calibrate(index: Index, splits: np.ndarray) -> Calibration:
    """Calibrate the scores of an index on its validation artists.

    Parameters
    ----------
    index : simlib.index.Index
    splits : numpy.ndarray of object, shape (n_tracks,)
        From `split_artists`.

    Returns
    -------
    Calibration
    """
    rows = np.flatnonzero(splits == "validation")
    settings = index.settings.calibration
    estimates, queries = unrelated_percentiles(index, rows)
    below = np.searchsorted(np.sort(estimates), ESTIMATES, side="right") / max(len(estimates), 1)
    artists = len(np.unique(index.artists[queries]))
    shares = corrected_percentile(below, ESTIMATES, artists, settings.prior_artists)
    remark = f"Calibrated on {len(rows)} recordings of validation artists."
    if len(rows) < settings.fewest:
        rows = np.flatnonzero(splits != "test")
        remark = (
            "There are too few validation artists to calibrate on. Scores are as estimated. The"
            f" outlier threshold is that of the {len(rows)} recordings that were learned from, so"
            ' "no close match" is reported too often.'
        )
        if not len(rows):
            remark = (
                "There are test artists only, so nothing was calibrated. Scores are as estimated,"
                ' and "no close match" is never reported.'
            )
    elif not len(estimates):
        remark = "There are no unrelated recordings: scores are shares of the catalogue."
    rows = _sampled(index, rows, settings.references)
    vectors = index.vectors()
    nearest_similarities = [
        nearest_similarity(index, vectors[row], by_other_artists(index, index.artists[row]))
        for row in rows
    ]
    outlier_threshold = -1.0
    if nearest_similarities:
        outlier_threshold = np.quantile(nearest_similarities, settings.false_alarms, method="lower")
    return Calibration(shares.round(6).tolist(), float(outlier_threshold), remark)


def corrected_percentile(
    shares: np.ndarray, estimates: np.ndarray, artists: int, prior_artists: int
) -> np.ndarray:
    """Average counted and estimated shares, by the number of artists that were counted.

    Parameters
    ----------
    shares : numpy.ndarray of float64
        The counted share of unrelated pairs below each estimate.
    estimates : numpy.ndarray of float64, of the same shape
    artists : int
        Number of artists that the count is over.
    prior_artists : int
        See `simlib.index.CalibrationSettings`.

    Returns
    -------
    numpy.ndarray of float64, of the same shape
    """
    return (artists * shares + prior_artists * estimates) / (artists + prior_artists)


def similarity_percentile(
    index: Index, similarities: np.ndarray, vector: np.ndarray, artist: int | None = None,
    weights: dict[str, float] | None = None,
) -> np.ndarray:  # fmt: skip
    """Estimate the share of tracks unrelated to a query that are less similar to it.

    The reference sample is sorted by its similarity to the query. Each track counts by how
    unrelated it is: the share of the query's most similar tracks with which it has no common tag.
    Some queries are similar to many tracks, others to few, and weights change that too; a
    percentile means the same for all.

    Parameters
    ----------
    index : simlib.index.Index
    similarities : numpy.ndarray of float64
        From `Index.similarities`.
    vector : numpy.ndarray of float32, shape (dimensions,)
        Of the query.
    artist : int, optional
        The query's among `index.artists`; None for a query from outside.
    weights : dict of str to float, optional
        Those of the similarities; the index's own by default.

    Returns
    -------
    numpy.ndarray of float64, of the same shape
        From 0 to 1, rising with the similarities.
    """
    others = by_other_artists(index, artist)
    if not others.any():
        return np.clip(similarities, 0.0, 1.0)
    there = index.similarities(vector, index.reference_rows[others], weights)
    order = np.argsort(there, kind="stable")
    tags, neighbours = index.reference_tags[others], index.settings.calibration.neighbours
    counts = ((tags[order[-neighbours:]] @ tags.T) == 0).mean(axis=0)[order]
    if not counts.any():
        counts[:] = 1.0
    # Quantiles need shares that rise, also over tracks that do not count.
    counts += 1e-9
    shares = (np.cumsum(counts) - counts / 2) / counts.sum()
    quantiles = np.interp(MEASURED, shares, there[order]) + 1e-9 * np.arange(len(MEASURED))
    return _share_below(similarities, quantiles)


def _share_below(values, quantiles):
    """Interpolate between quantiles; beyond them, start with the slope that was measured last."""
    slopes = np.diff(MEASURED) / np.diff(quantiles)
    least, most = MEASURED[0], 1 - MEASURED[-1]
    shares = np.interp(values, quantiles, MEASURED)
    shares *= np.exp(-slopes[0] / least * np.maximum(quantiles[0] - values, 0))
    beyond = most * np.exp(-slopes[-1] / most * np.maximum(values - quantiles[-1], 0))
    return shares + most - beyond


def by_other_artists(index: Index, artist: int | None) -> np.ndarray:
    """Return the mask of the reference sample's tracks by other artists; all for None."""
    return index.artists[index.reference_rows] != artist


def nearest_similarity(index: Index, vector: np.ndarray, counts: np.ndarray) -> float:
    """Return the mean similarity of a query's most similar tracks, by the sound as a whole.

    Parameters
    ----------
    index : simlib.index.Index
    vector : numpy.ndarray of float32, shape (dimensions,)
    counts : numpy.ndarray of bool, shape (n_references,)
        The tracks of the reference sample that count: none by the query's artist.

    Returns
    -------
    float
        Mean cosine, relative to the catalogue's centre; 1 if no track counts.
    """
    if not counts.any():
        return 1.0
    sample = index.reference_sample
    cosines = sample.vectors[counts] @ sample.relative(index.aspects.subspaces(vector)[SOUND])
    nearest = max(1, round(index.settings.calibration.closest_share * len(sample.vectors)))
    return float(np.sort(cosines)[::-1][:nearest].mean())


def unrelated_percentiles(index: Index, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Estimate the percentiles of unrelated pairs: by different artists, without a common tag.

    Parameters
    ----------
    index : simlib.index.Index
    rows : numpy.ndarray of int, shape (n_queries,)
        Queries. If they are more than the settings allow, a sample of them.

    Returns
    -------
    estimates : numpy.ndarray of float64, shape (n_pairs,)
        From `similarity_percentile`, of each query and the reference sample.
    queries : numpy.ndarray of int64, shape (n_pairs,)
        The query of each pair.
    """
    rows = _sampled(index, rows, index.settings.calibration.queries)
    apart = (index.tags_of(rows) @ index.reference_tags.T) == 0
    vectors, found = index.vectors(), [np.empty(0)]
    apart &= index.artists[rows][:, None] != index.artists[index.reference_rows]
    for row, counts in zip(rows, apart, strict=True):
        near = index.similarities(vectors[row], index.reference_rows[counts])
        found.append(similarity_percentile(index, near, vectors[row], index.artists[row]))
    return np.concatenate(found), np.repeat(rows, apart.sum(axis=1))


def _sampled(index, rows, most):
    """Return at most so many of some rows, whatever the order of the table."""
    return rows[stable_sample(index.tracks["track_id"].iloc[rows], most)]
