"""What a proximity means: how few unrelated pairs are as near, and when nothing is near at all.

Both are learned from the validation artists: recordings that the network has not learned from, as
those will be that people search with.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from simlib import artefacts, hubs
from simlib.artefacts import SimlibError
from simlib.aspects import SOUND
from simlib.catalogue import tag_columns
from simlib.relevance import membership

# References of which "nothing here is close" may be said wrongly.
FALSE_ALARMS = 0.05
# Of the catalogue, the nearest so many tell whether a reference has company. One alone says little:
# by chance somebody is near to everybody.
COMPANY = 0.3
# Fewer recordings of validation artists than this calibrate nothing.
FEWEST = 10
# Queries that proximities are counted for; more cost time and say little more.
QUERIES = 200
LEVELS = np.linspace(0.0, 1.0, 1001)
# Quantiles of a reference's proximities: from the first to the last is the unit, the middle is 0.
SCALE = (0.1, 0.3, 0.6)
_FILE = "calibration.json"
_MEND = "run 'dvc repro index'"


@dataclass(frozen=True)
class Calibration:
    """The scale of an index.

    Attributes
    ----------
    proximities : list of float
        Quantiles of the proximities of unrelated pairs, as `scaled`, at `LEVELS`.
    floor : float
        Below it, a reference's company is none.
    remark : str
        What was calibrated on.
    """

    proximities: list
    floor: float
    remark: str

    def closer_than(self, proximities):
        """Turn proximities into the share of unrelated pairs that are less near.

        Parameters
        ----------
        proximities : numpy.ndarray of float64
            From `scaled`.

        Returns
        -------
        numpy.ndarray of float64, of the same shape
            Between 0 and 1.
        """
        return np.interp(proximities, self.proximities, LEVELS)

    def is_alone(self, index, vector, artist=None):
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
        return bool(company(index, vector, others_of(index, artist)) < self.floor)

    def save(self, folder):
        """Write it beside the index."""
        artefacts.write_json(Path(folder) / _FILE, asdict(self))

    @classmethod
    def load(cls, folder):
        """Read what `save` wrote.

        Raises
        ------
        SimlibError
            If it is absent or broken.
        """
        content = artefacts.read_json(Path(folder) / _FILE, _MEND)
        try:
            return cls(**content)
        except TypeError:
            raise SimlibError(Path(folder) / _FILE, "is of another version", _MEND) from None


def calibrate(index, sides):
    """Learn the scale of an index.

    Parameters
    ----------
    index : simlib.index.Index
    sides : numpy.ndarray of object, shape (n_tracks,)
        From `catalogue.split`.

    Returns
    -------
    Calibration
    """
    rows, remark = references(sides)
    found = np.concatenate(unrelated_proximities(index, rows[hubs.spread(len(rows), QUERIES)]))
    if not len(found):
        remark = "There are no unrelated recordings to calibrate on: scores mean little."
        found = LEVELS
    vectors = index.vectors()
    companies = [company(index, vectors[row], others_of(index, index.artists[row])) for row in rows]
    floor = np.quantile(companies, FALSE_ALARMS, method="lower")
    quantiles = np.quantile(found, LEVELS)
    return Calibration(quantiles.round(6).tolist(), float(floor), remark)


def references(sides):
    """Choose whom to calibrate on.

    Parameters
    ----------
    sides : numpy.ndarray of object, shape (n_tracks,)
        From `catalogue.split`.

    Returns
    -------
    rows : numpy.ndarray of int64
    remark : str
        A sentence on who they are.
    """
    rows = np.flatnonzero(sides == "validation")
    if len(rows) >= FEWEST:
        return rows, f"Calibrated on {len(rows)} recordings of validation artists."
    rows = np.flatnonzero(sides != "test")
    return rows, (
        f"There are too few validation artists to calibrate on: the {len(rows)} recordings"
        " that were learned from served, and promise too much."
    )


def scaled(index, proximities, vector, artist=None, weights=None):
    """Take proximities relative to how near a reference is to the catalogue.

    Some references are near to much, others to little, and weights change that too; what unrelated
    pairs reach is then nearly the same for all. Related ones are few, and among the nearest: the
    quantiles that it is measured by lie below them.

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
    """
    others = index.crowd_rows[others_of(index, artist)]
    if not len(others):
        return np.asarray(proximities)
    low, middle, high = np.quantile(index.proximities(vector, others, weights), SCALE)
    return (np.asarray(proximities) - middle) / max(high - low, 1e-6)


def others_of(index, artist):
    """Tell which of the index's crowd are by another artist; None is nobody's."""
    return index.artists[index.crowd_rows] != artist


def company(index, vector, counts):
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
    crowd = index.crowd_of_sound
    cosines = crowd.vectors[counts] @ crowd.relative(index.aspects.views(vector)[SOUND])
    nearest = max(1, round(COMPANY * len(crowd.vectors)))
    return float(np.sort(cosines)[::-1][:nearest].mean())


def unrelated_proximities(index, rows):
    """Proximities, `scaled`, of recordings that have nothing to do with each other.

    Those are by different artists and have no tag in common.

    Parameters
    ----------
    index : simlib.index.Index
    rows : numpy.ndarray of int, shape (n_queries,)

    Returns
    -------
    list of numpy.ndarray of float64
        For each query the proximities of all recordings that are unrelated to it; of at most
        1,000 candidates, evenly spread.
    """
    candidates = index.crowd_rows
    related = index.artists[rows][:, None] == index.artists[candidates][None, :]
    for column in tag_columns(index.tracks):
        member = membership(index.tracks[column])
        related |= (member[rows] @ member[candidates].T) > 0
    vectors = index.vectors()
    return [
        scaled(
            index, index.proximities(vectors[row], candidates)[~related[place]], vectors[row],
            index.artists[row],
        )
        for place, row in enumerate(rows)
    ]  # fmt: skip
