"""Agreement of the ranking with listening judgements.

A judgement is a triplet of track ids in `triplets.csv` of the catalogue: to the `reference`, the
`nearer` track sounds more similar than the `farther` one. Listeners contradict each other and
themselves, so contradicting and repeated judgements are data like any other.
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
    """Compute the share of judgements that a system agrees with; a tie counts half.

    Parameters
    ----------
    margin : numpy.ndarray of float64, shape (n_triplets,)
        Similarity of the nearer track minus that of the farther one.
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
    """Compute by how much the nearer track is more similar than the farther one, by subspace.

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


def system_margins(context: EvaluationContext, triplets: np.ndarray) -> dict[str, np.ndarray]:
    """Compute by how much the nearer track is more similar than the farther one, by system.

    Parameters
    ----------
    context : simlib.evaluation.EvaluationContext
    triplets : numpy.ndarray of int64, shape (n_triplets, 3)
        Rows of the index's tracks: reference, nearer, farther.

    Returns
    -------
    dict of str to numpy.ndarray of float64, shape (n_triplets,)
        `simlib`, hub-corrected, and `mfcc`.
    """
    index = context.index
    vectors = index.vectors()
    similarities = [index.similarities(vectors[row], others) for row, *others in triplets]
    return {
        "simlib": -np.diff(similarities, axis=1)[:, 0],
        "mfcc": aspect_margins({"mfcc": unit_rows(context.described)}, triplets)[:, 0],
    }


def evaluate_judgements(context: EvaluationContext, settings: EvaluateSettings) -> dict | None:
    """Compare the rankings with the judgements in the catalogue.

    Parameters
    ----------
    context : simlib.evaluation.EvaluationContext
    settings : simlib.evaluation.EvaluateSettings

    Returns
    -------
    dict or None
        `agreement` of `simlib` and `mfcc`, each with its interval, and `left_out`, the number of
        judgements on tracks that are not in the catalogue. None if there is no judgement.

    Raises
    ------
    SimlibError
        If `triplets.csv` has problems.
    """
    tracks = context.index.tracks
    judgements, left_out = read_triplets(context.project.data, tracks)
    triplets = triplet_rows(judgements, tracks)
    if not len(triplets):
        return None
    margins = system_margins(context, triplets)
    agreement = {s: listener_agreement(m, triplets, settings) for s, m in margins.items()}
    return {"agreement": agreement, "left_out": len(left_out)}
