"""How often the ranking agrees with what listeners said.

A judgement is a triplet of track ids in `triplets.csv` of the catalogue: to the `reference`, the
`nearer` track sounds more similar than the `farther` one. Listeners contradict each other and
themselves, so a judgement that contradicts another, or repeats it, is data like any other.
"""

import numpy as np

from simlib.catalogue import read_triplets, triplet_rows
from simlib.core import unit_rows
from simlib.evaluation.settings import EvaluateSettings
from simlib.evaluation.statistics import bootstrap
from simlib.evaluation.systems import EvaluationContext


def listener_agreement(
    margin: np.ndarray, triplets: np.ndarray, settings: EvaluateSettings
) -> dict:
    """Return the share of judgements that a system agrees with; a tie counts half.

    Parameters
    ----------
    margin : numpy.ndarray of float64, shape (n_triplets,)
        By how much the nearer recording is more similar to the reference than the farther one.
    triplets : numpy.ndarray of int64, shape (n_triplets, 3)
        From `triplet_rows`.
    settings : simlib.evaluation.EvaluateSettings

    Returns
    -------
    dict
        `value`, `low`, `high` and `n`; the interval is over references, see `bootstrap`.
    """
    agreed = (np.sign(margin) + 1) / 2
    return bootstrap(agreed, triplets[:, 0], settings.bootstrap, settings.seed)


def aspect_margins(subspaces: dict[str, np.ndarray], triplets: np.ndarray) -> np.ndarray:
    """Return by how much the nearer recording is more similar, subspace by subspace.

    Parameters
    ----------
    subspaces : dict of str to numpy.ndarray of float32, shape (n_tracks, d)
        Unit vectors.
    triplets : numpy.ndarray of int64, shape (n_triplets, 3)

    Returns
    -------
    numpy.ndarray of float64, shape (n_triplets, n_subspaces)
        cos(reference, nearer) - cos(reference, farther).
    """
    reference, nearer, farther = triplets.T
    margins = [
        ((vectors[nearer] - vectors[farther]).astype(np.float64) * vectors[reference]).sum(axis=1)
        for vectors in subspaces.values()
    ]
    return np.stack(margins, axis=1)


def evaluate_judgements(context: EvaluationContext, settings: EvaluateSettings) -> dict | None:
    """Compare the catalogue with what listeners said.

    Parameters
    ----------
    context : EvaluationContext
    settings : simlib.evaluation.EvaluateSettings

    Returns
    -------
    dict or None
        `agreement` of `simlib` and `mfcc`, each with its interval, and `left_out`, the number of
        judgements on recordings that are not in the catalogue. None if there is no judgement.

    Raises
    ------
    SimlibError
        If `triplets.csv` has problems.
    """
    index = context.index
    judgements, left_out = read_triplets(context.project.data, index.tracks)
    triplets = triplet_rows(judgements, index.tracks)
    if not len(triplets):
        return None
    agreement = {
        system: listener_agreement(margin, triplets, settings)
        for system, margin in system_margins(context, triplets).items()
    }
    return {"agreement": agreement, "left_out": len(left_out)}


def system_margins(context: EvaluationContext, triplets: np.ndarray) -> dict[str, np.ndarray]:
    """Return by how much the nearer recording of each judgement is more similar, by system.

    Parameters
    ----------
    context : EvaluationContext
    triplets : numpy.ndarray of int64, shape (n_triplets, 3)
        Rows of the index's tracks: reference, nearer, farther.

    Returns
    -------
    dict of str to numpy.ndarray of float64, shape (n_triplets,)
        `simlib` as search ranks, and `mfcc`.
    """
    index = context.index
    vectors = index.vectors()
    similarities = [index.similarities(vectors[row], others) for row, *others in triplets]
    described = unit_rows(context.describe(index.tracks))
    return {
        "simlib": -np.diff(similarities, axis=1)[:, 0],
        "mfcc": aspect_margins({"mfcc": described}, triplets)[:, 0],
    }
