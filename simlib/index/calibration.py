"""What a proximity means: how few unrelated pairs are as near, and when nothing is near at all.

The first is estimated from what surrounds a reference and set right by the validation artists, the
second is learned from them: recordings that the network has not learned from, as those will be that
people search with.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from simlib.core import SimlibError, evenly_spread, read_json, write_json
from simlib.model import SOUND

# References of which "nothing here is close" may be said wrongly.
FALSE_ALARMS = 0.05
# Of the catalogue, the nearest so many tell whether a reference has company. One alone says little:
# by chance somebody is near to everybody.
COMPANY = 0.3
# Fewer recordings of validation artists than this tell nothing of company.
FEWEST = 10
# Queries that pairs are counted for; more cost time and say little more.
QUERIES = 200
# So many nearest tell what a reference is related to; those further off share less with it.
NEIGHBOURS = 3
# Shares at which what is not related is measured; beyond them it thins out exponentially.
MEASURED = np.linspace(0.1, 0.9, 17)
# Estimates have as much say as so many artists that are calibrated on.
SAY = 60
ESTIMATES = np.linspace(0.0, 1.0, 1001)
_FILE = "calibration.json"
INDEX_HINT = "run 'dvc repro index'"


@dataclass(frozen=True)
class Calibration:
    """The scale of an index.

    Attributes
    ----------
    shares : list of float
        Of unrelated pairs, the shares that estimates of `ESTIMATES` stand for.
    floor : float
        Below it, a reference's company is none.
    remark : str
        What was calibrated on.
    """

    shares: list
    outlier_threshold: float
    remark: str

    def closer_than(self, estimates):
        """Turn estimates into the share of unrelated pairs that are less near.

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

    def has_no_close_match(self, index, vector, artist=None):
        """Tell whether nothing in the catalogue is close to a reference.

        Parameters
        ----------
        index : simlib.index.Index
        vector : numpy.ndarray of float32, shape (dimensions,)
            The reference's.
        artist : int, optional
            The reference's among `index.artists`; None for a reference from outside.

        Returns
        -------
        bool
        """
        return bool(
            nearest_similarity(index, vector, by_other_artists(index, artist))
            < self.outlier_threshold
        )

    def save(self, folder):
        """Write it beside the index."""
        write_json(Path(folder) / _FILE, asdict(self))

    @classmethod
    def load(cls, folder):
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


def calibrate(index, splits):
    """Learn the scale of an index.

    Parameters
    ----------
    index : simlib.index.Index
    sides : numpy.ndarray of object, shape (n_tracks,)
        From `split_artists`.

    Returns
    -------
    Calibration
    """
    rows = np.flatnonzero(splits == "validation")
    estimates, queries = unrelated_percentiles(index, rows)
    below = np.searchsorted(np.sort(estimates), ESTIMATES, side="right") / max(len(estimates), 1)
    shares = corrected_percentile(below, ESTIMATES, len(np.unique(index.artists[queries])))
    remark = f"Calibrated on {len(rows)} recordings of validation artists."
    if len(rows) < FEWEST:
        rows = np.flatnonzero(splits != "test")
        remark = (
            "There are too few validation artists to calibrate on: scores are as estimated, and the"
            f" {len(rows)} recordings that were learned from tell when nothing is close, too often."
        )
    elif not len(estimates):
        remark = "There are no unrelated recordings: scores are shares of the catalogue."
    vectors = index.vectors()
    nearest_similarities = [
        nearest_similarity(index, vectors[row], by_other_artists(index, index.artists[row]))
        for row in rows
    ]
    outlier_threshold = np.quantile(nearest_similarities, FALSE_ALARMS, method="lower")
    return Calibration(shares.round(6).tolist(), float(outlier_threshold), remark)


def corrected_percentile(shares, estimates, artists):
    """Weigh what was counted against what was estimated.

    Parameters
    ----------
    shares : numpy.ndarray of float64
        Of unrelated pairs, those up to each estimate.
    estimates : numpy.ndarray of float64, of the same shape
    artists : int
        Whom was counted for: few of them say little.

    Returns
    -------
    numpy.ndarray of float64, of the same shape
    """
    return (artists * shares + SAY * estimates) / (artists + SAY)


def similarity_percentile(index, similarities, vector, artist=None, weights=None):
    """Estimate which share of what is not related to a reference is less near to it.

    The catalogue is sorted by how near it is to this reference, and everything in it counts as far
    as it is not related: by the share of the reference's nearest that it has no tag in common with.
    Some references are near to much, others to little, and weights change that too; estimates mean
    the same for all.

    Parameters
    ----------
    index : simlib.index.Index
    proximities : numpy.ndarray of float64
        From `Index.proximities`.
    vector : numpy.ndarray of float32, shape (dimensions,)
        The reference's.
    artist : int, optional
        The reference's among `index.artists`; None for a reference from outside.
    weights : dict of str to float, optional
        Those of the proximities; the index's own by default.

    Returns
    -------
    numpy.ndarray of float64, of the same shape
        From 0 to 1, rising with the proximities.
    """
    others = by_other_artists(index, artist)
    if not others.any():
        return np.clip(similarities, 0.0, 1.0)
    there = index.similarities(vector, index.reference_rows[others], weights)
    order = np.argsort(there, kind="stable")
    tags = index.reference_tags[others]
    counts = ((tags[order[-NEIGHBOURS:]] @ tags.T) == 0).mean(axis=0)[order]
    if not counts.any():
        counts[:] = 1.0
    # Where nothing counts, shares stand still, and quantiles need them to rise.
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


def by_other_artists(index, artist):
    """Tell which of the index's crowd are by another artist; None is nobody's."""
    return index.artists[index.reference_rows] != artist


def nearest_similarity(index, vector, counts):
    """How near the nearest of the catalogue are to a reference, by their sound as a whole.

    Parameters
    ----------
    index : simlib.index.Index
    vector : numpy.ndarray of float32, shape (dimensions,)
    counts : numpy.ndarray of bool, shape (n_references,)
        Of the index's crowd, who counts: nobody by the reference's artist.

    Returns
    -------
    float
        Mean cosine, relative to the catalogue's centre; 1 where nobody counts, of which nothing
        follows.
    """
    if not counts.any():
        return 1.0
    sample = index.reference_sample
    cosines = sample.vectors[counts] @ sample.relative(index.aspects.subspaces(vector)[SOUND])
    nearest = max(1, round(COMPANY * len(sample.vectors)))
    return float(np.sort(cosines)[::-1][:nearest].mean())


def unrelated_percentiles(index, rows):
    """Estimates for recordings that have nothing to do with each other.

    Those are by different artists and have no tag in common.

    Parameters
    ----------
    index : simlib.index.Index
    rows : numpy.ndarray of int, shape (n_queries,)
        Of more than 200, as many are asked, evenly spread.

    Returns
    -------
    estimates : numpy.ndarray of float64, shape (n_pairs,)
        From `similarity_percentile`; of each query, and of at most 1,000 candidates, evenly spread.
    queries : numpy.ndarray of int64, shape (n_pairs,)
        Whose they are.
    """
    rows = rows[evenly_spread(len(rows), QUERIES)]
    apart = (index.tags_of(rows) @ index.reference_tags.T) == 0
    vectors, found = index.vectors(), [np.empty(0)]
    apart &= index.artists[rows][:, None] != index.artists[index.reference_rows]
    for row, counts in zip(rows, apart, strict=True):
        near = index.similarities(vectors[row], index.reference_rows[counts])
        found.append(similarity_percentile(index, near, vectors[row], index.artists[row]))
    return np.concatenate(found), np.repeat(rows, apart.sum(axis=1))


class ReferenceSample:
    """Recordings, seen from their centre.

    Parameters
    ----------
    vectors : numpy.ndarray of float32, shape (n_references, dimensions)
        Of unit length.
    """

    def __init__(self, vectors):
        self.centre = vectors.mean(axis=0)
        self.vectors = self.relative(vectors)

    def relative(self, vectors):
        """Take vectors relative to the centre, at unit length: float32, of the same shape."""
        relative = vectors - self.centre
        length = np.linalg.norm(relative, axis=-1, keepdims=True)
        return relative / np.maximum(length, 1e-6)
