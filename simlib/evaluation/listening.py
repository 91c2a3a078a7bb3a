"""What listeners say sounds more alike: read, kept, compared with, and fitted to.

A judgement is a triplet of track ids in `triplets.csv` of the catalogue: to the `reference`, the
`nearer` one sounds more alike than the `farther` one. Listeners contradict each other and
themselves, so a judgement that contradicts another, or repeats it, is data like any other.
"""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_expit

from simlib.catalogue import read_triplets, triplet_rows
from simlib.evaluation.statistics import bootstrap

# Of fewer references, no interval is to be believed.
FEWEST = 10
FOLDS = 5
# How strongly the fit is pulled towards the default weights: cross-validation chooses.
PULLS = tuple(10.0**power for power in range(-5, 2))
# Judgements that never contradict the weights would have them grow for ever.
_RIDGE = 1e-6


def listener_agreement(margin, triplets, settings):
    """Share of the judgements in which the nearer recording is nearer; a tie counts half.

    Parameters
    ----------
    margin : numpy.ndarray of float64, shape (n_triplets,)
        By how much it is more similar to the reference than the farther one.
    triplets : numpy.ndarray of int64, shape (n_triplets, 3)
        From `triplet_rows`.
    settings : simlib.evaluation.EvaluateSettings

    Returns
    -------
    dict
        `value`, `low`, `high` and `n`; the interval is over references, see `bootstrap`.
    """
    return _interval(_agreed(margin), triplets, settings)


def _agreed(margin):
    return (np.sign(margin) + 1) / 2


def _interval(values, triplets, settings):
    return bootstrap(values, triplets[:, 0], settings.bootstrap, settings.seed)


def aspect_margins(subspaces, triplets):
    """By how much the nearer recording is nearer, part by part.

    Parameters
    ----------
    parts : dict of str to numpy.ndarray of float32, shape (n_tracks, d)
        Unit vectors.
    triplets : numpy.ndarray of int64, shape (n_triplets, 3)

    Returns
    -------
    numpy.ndarray of float64, shape (n_triplets, n_parts)
        cos(reference, nearer) - cos(reference, farther).
    """
    reference, nearer, farther = triplets.T
    return np.stack(
        [
            ((subspace[nearer] - subspace[farther]).astype(np.float64) * subspace[reference]).sum(
                axis=1
            )
            for subspace in subspaces.values()
        ],
        axis=1,
    )


def fit_weights(subspaces, triplets, default, settings):
    """Fit the weights of an embedding's parts to judgements.

    The model is Bradley and Terry's (1952) on similarities: a listener calls `nearer` the nearer
    one with probability 1 / (1 + exp(-sum_p b_p x_p)), where x_p is the margin of part p (see
    `aspect_margins`), b_p >= 0, and the weights are b / sum(b). The size of b is how sure
    listeners are.
    The mean logistic loss is convex in b, as in learning a metric from relative comparisons
    (Schultz and Joachims 2003; McFee and Lanckriet 2011), with a weight for each part in place of
    one for each dimension.

    Parts are correlated: where two say the same of all judged triplets, judgements cannot share a
    weight out between them. So the square of b's distance from the direction of the default
    weights, |b - sum(b) default|^2, is added; its strength is chosen by cross-validation over
    references. That is done anew, inside, for each fold that agreement is measured on: no weight
    has seen a judgement on a reference that it is scored on.

    Parameters
    ----------
    parts : dict of str to numpy.ndarray of float32, shape (n_tracks, d)
        Unit vectors.
    triplets : numpy.ndarray of int64, shape (n_triplets, 3)
        From `triplet_rows`.
    default : dict of str to float
        The weights that the parts have, of sum 1.
    settings : simlib.evaluation.EvaluateSettings

    Returns
    -------
    dict
        `weights`: by part, of sum 1; `default`, `fitted`: the agreement with the default weights
        and, out of fold, with fitted ones; `gain`: their paired difference; `sentence`: whether it
        is beyond chance. With judgements on fewer than 10 references the default weights stay.
    """
    x, before = aspect_margins(subspaces, triplets), np.array([default[name] for name in subspaces])
    usual = _agreed(x @ before)
    references = len(np.unique(triplets[:, 0]))
    if references < FEWEST or len(subspaces) < 2:
        weights, held = before, np.full(len(x), np.nan)
    else:
        folds = _folds(triplets[:, 0])
        held = np.empty(len(x))
        for fold in range(FOLDS):
            learned = _chosen(x[folds != fold], triplets[folds != fold, 0], before)
            held[folds == fold] = _agreed(x[folds == fold] @ learned)
        weights = _chosen(x, triplets[:, 0], before)
    found = {
        "weights": {name: round(float(w), 6) for name, w in zip(subspaces, weights, strict=True)},
        "default": _interval(usual, triplets, settings),
        "fitted": _interval(held, triplets, settings),
        "gain": _interval(held - usual, triplets, settings),
    }
    return found | {"sentence": _sentence(found, references)}


def _sentence(found, references):
    gain, fitted = found["gain"], found["fitted"]
    if gain["value"] is None:
        reason = (
            f"Judgements on {references} reference(s) are too few to fit weights to, {FEWEST} are "
            "the fewest"
            if references < FEWEST
            else "An embedding of one part has no weights to fit"
        )
        return f"{reason}: the default weights stay."
    side = "beyond chance" if gain["low"] > 0 else "not beyond chance"
    return (
        f"Weights fitted to judgements agree with {fitted['value']:.3f} of those on other "
        f"references, the default ones with {found['default']['value']:.3f}; difference "
        f"{gain['value']:+.3f}, 95% interval {gain['low']:+.3f} to {gain['high']:+.3f}: {side}."
    )


def _folds(references):
    """Deal references out: a fold for each judgement, all on one reference in the same."""
    return np.unique(references, return_inverse=True)[1] % FOLDS


def _chosen(x, references, default):
    """Fit weights with the pull that foretells judgements on other references best."""
    folds, losses = _folds(references), np.zeros(len(PULLS))
    for fold in range(FOLDS):
        learning, held = x[folds != fold], x[folds == fold]
        losses += [-log_expit(held @ _steepness(learning, default, pull)).sum() for pull in PULLS]
    steepness = _steepness(x, default, PULLS[np.argmin(losses)])
    total = steepness.sum()
    # Nothing to go by: judgements speak for no part at all.
    return steepness / total if total > 1e-6 else default


def _steepness(x, default, pull):
    """Minimise the loss of `fit_weights`: float64, shape (n_parts,), none below 0."""
    away = np.eye(len(default)) - default[:, None]
    penalty = pull * away.T @ away + _RIDGE * np.eye(len(default))

    def loss(b):
        agreed = x @ b
        slope = -(expit(-agreed) @ x) / len(x)
        return b @ penalty @ b - log_expit(agreed).mean(), 2 * penalty @ b + slope

    bounds = [(0, None)] * len(default)
    options = {"ftol": 1e-12, "gtol": 1e-8, "maxiter": 1000}
    return minimize(loss, default, jac=True, bounds=bounds, options=options).x


def evaluate_judgements(stage, data, settings):
    """Compare the catalogue with what listeners say, and fit the weights of its parts to it.

    Parameters
    ----------
    stage : Stage
    data : path-like
        The catalogue's folder.
    settings : simlib.evaluation.EvaluateSettings

    Returns
    -------
    dict or None
        `agreement` of `simlib` and `mfcc`, each with its interval; `left_out`, the judgements
        whose recordings are not there; `before`, the index's weights; and all that
        `simlib.evaluation.fit_weights` returns. None where there is no judgement.

    Raises
    ------
    SimlibError
        If `triplets.csv` has problems.
    """
    index = stage.index
    said, left_out = read_triplets(data, index.tracks)
    triplets = triplet_rows(said, index.tracks)
    if not len(triplets):
        return None
    agreed = {
        system: listener_agreement(margin, triplets, settings)
        for system, margin in system_margins(stage, triplets).items()
    }
    subspaces = index.aspects.subspaces(index.vectors())
    fitted = fit_weights(subspaces, triplets, index.weights, settings)
    return {"agreement": agreed, "left_out": len(left_out), "before": index.weights, **fitted}


def system_margins(stage, triplets):
    """By how much the nearer recording of each judgement is nearer, system by system.

    Parameters
    ----------
    stage : Stage
    triplets : numpy.ndarray of int64, shape (n_triplets, 3)
        Rows of the index's tracks: reference, nearer, farther.

    Returns
    -------
    dict of str to numpy.ndarray of float64, shape (n_triplets,)
        `simlib` as search ranks, and `mfcc`.
    """
    index, near = stage.index, []
    vectors, described = index.vectors(), stage.describe(index.tracks)
    for reference, *others in triplets:
        near.append(index.similarities(vectors[reference], others))
    described /= np.maximum(np.linalg.norm(described, axis=1, keepdims=True), 1e-12)
    return {
        "simlib": -np.diff(near, axis=1)[:, 0],
        "mfcc": aspect_margins({"mfcc": described}, triplets)[:, 0],
    }
