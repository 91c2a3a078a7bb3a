"""Whether judgements give back the weights that listeners have: simulated ones on real embeddings.

    python benchmarks/judgements.py

Works on the catalogue in `data/` after `make repro`. Listeners who weigh the parts of the embedding
in known ways judge triplets of recordings, with logistic noise; `fit_weights` sees the triplets
alone. Writes `benchmarks/JUDGEMENTS.md`.
"""

import joblib
import numpy as np
from fits import publish, text
from scipy.optimize import minimize
from scipy.special import expit, log_expit

from simlib.core import Project
from simlib.evaluation import EvaluateSettings, aspect_margins, bootstrap
from simlib.index import Index
from simlib.model import Embedder

LISTENERS = 20
JUDGEMENTS, PER_REFERENCE = 2_000, 10
SIZES = (100, 500, 2_000, 8_000)
# Deviation of a listener's log-odds: at 4, about 86 in 100 judgements follow the weights.
SHARPNESS = 4.0
# Of fewer references, no interval is to be believed.
FEWEST = 10
FOLDS = 5
# How strongly the fit is pulled towards the default weights: cross-validation chooses.
PULLS = tuple(10.0**power for power in range(-5, 2))
# Without it, weights that no judgement contradicts would grow without limit.
RIDGE = 1e-6


def agreed(margin):
    """1 for each judgement that is agreed with, 0 for each that is not, a half for a tie."""
    return (np.sign(margin) + 1) / 2


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

    def interval(values):
        return bootstrap(values, triplets[:, 0], settings.bootstrap, settings.seed)

    x, before = aspect_margins(subspaces, triplets), np.array([default[name] for name in subspaces])
    usual = agreed(x @ before)
    references = len(np.unique(triplets[:, 0]))
    if references < FEWEST or len(subspaces) < 2:
        weights, held = before, np.full(len(x), np.nan)
    else:
        folds = _folds(triplets[:, 0])
        held = np.empty(len(x))
        for fold in range(FOLDS):
            learned = _chosen(x[folds != fold], triplets[folds != fold, 0], before)
            held[folds == fold] = agreed(x[folds == fold] @ learned)
        weights = _chosen(x, triplets[:, 0], before)
    found = {
        "weights": {name: round(float(w), 6) for name, w in zip(subspaces, weights, strict=True)},
        "default": interval(usual),
        "fitted": interval(held),
        "gain": interval(held - usual),
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
    penalty = pull * away.T @ away + RIDGE * np.eye(len(default))

    def loss(b):
        agreed = x @ b
        slope = -(expit(-agreed) @ x) / len(x)
        return b @ penalty @ b - log_expit(agreed).mean(), 2 * penalty @ b + slope

    bounds = [(0, None)] * len(default)
    options = {"ftol": 1e-12, "gtol": 1e-8, "maxiter": 1000}
    return minimize(loss, default, jac=True, bounds=bounds, options=options).x


def listeners(default):
    """Ways to weigh the parts: {name: weights}."""
    usual, count = np.array(list(default.values())), len(default)
    others = np.arange(count) > 0
    mostly_first = np.where(np.arange(count) == 1, 0.6, 0.4 / (count - 1))
    return {
        "the default": usual,
        "all alike": np.full(count, 1 / count),
        "no sound": others / others.sum(),
        f"mostly {list(default)[1]}": mostly_first,
        f"no {list(default)[-1]}": np.append(usual[:-1], 0) / usual[:-1].sum(),
        "sound alone": 1.0 - others,
    }


def judged(parts, weights, count, seed):
    """Let a listener judge random triplets: int64, shape (count, 3)."""
    rng = np.random.default_rng(seed)
    tracks = len(next(iter(parts.values())))
    references = rng.permutation(tracks)[: max(1, count // PER_REFERENCE)]
    triplets = np.empty((count, 3), dtype=np.int64)
    triplets[:, 0] = np.resize(references, count)
    for row in triplets:
        # From 1 on, and past the reference: three different recordings.
        row[1:] = (row[0] + 1 + rng.choice(tracks - 1, 2, replace=False)) % tracks
    margin = aspect_margins(parts, triplets) @ weights
    against = rng.random(count) > expit(SHARPNESS * margin / margin.std())
    triplets[against] = triplets[against][:, [0, 2, 1]]
    return triplets


def least_error(parts, triplets, weights):
    """Standard error of each weight that no unbiased estimate falls below (Cramer and Rao)."""
    x = aspect_margins(parts, triplets)
    margin = x @ weights
    # Judged, margins are no longer spread about 0.
    scale = np.sqrt((margin**2).mean()) / SHARPNESS
    sure = expit(margin / scale)
    information = (x * (sure * (1 - sure))[:, None]).T @ x
    slope = (np.eye(len(weights)) - weights[:, None]) * scale
    return np.sqrt(np.diag(slope @ np.linalg.inv(information) @ slope.T))


def fitted(parts, default, settings, weights, count):
    """Fit weights to every listener's judgements; return those, and what `fit` says."""
    call = joblib.delayed(fit_weights)
    runs = [judged(parts, weights, count, seed) for seed in range(LISTENERS)]
    found = joblib.Parallel(-1)(call(parts, run, default, settings) for run in runs)
    return np.array([list(one["weights"].values()) for one in found]), found


def recovery(parts, default, settings):
    """Lay out true and recovered weights, as Markdown."""
    head = [*parts, "off by", "at best", "off by at most", "agreement, default", "fitted", "gain"]
    lines = ["| listener | " + " | ".join(head) + " |", "|---" * (len(head) + 1) + "|"]
    for name, weights in listeners(default).items():
        recovered, found = fitted(parts, default, settings, weights, JUDGEMENTS)
        away = np.abs(recovered - weights)
        best = least_error(parts, judged(parts, weights, JUDGEMENTS, 0), weights)
        cells = [f"{t:.2f}: {r:.2f}" for t, r in zip(weights, recovered.mean(axis=0), strict=True)]
        cells += [f"{np.sqrt((away**2).mean(axis=0)).max():.3f}", f"{best.max():.3f}"]
        cells += [f"{away.max():.3f}"]
        cells += [text(found[0]["default"]), text(found[0]["fitted"]), text(found[0]["gain"], "+")]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def by_size(parts, default, settings):
    """Lay out how many judgements it takes, as Markdown."""
    head = ["judgements", "references", "off by", "off by at most", "gain", "beyond chance"]
    lines = ["| listener | " + " | ".join(head) + " |", "|---" * (len(head) + 1) + "|"]
    for name, weights in list(listeners(default).items())[:3]:
        for count in SIZES:
            recovered, found = fitted(parts, default, settings, weights, count)
            away = np.abs(recovered - weights)
            references = len(np.unique(judged(parts, weights, count, 0)[:, 0]))
            gains = [one["gain"] for one in found]
            cells = [f"{count} | {references} | {np.sqrt((away**2).mean(axis=0)).max():.3f}"]
            cells += [f"{away.max():.3f}", f"{np.mean([gain['value'] for gain in gains]):+.3f}"]
            cells += [f"{sum(gain['low'] > 0 for gain in gains)} of {LISTENERS}"]
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def main():
    """Simulate, fit and write."""
    project = Project.find()
    params = project.params()
    settings = EvaluateSettings.of(params["evaluate"])
    model = Embedder.load(project.weights)
    index = Index.load(project.index, model.digest)
    parts, default = index.aspects.subspaces(index.vectors()), index.aspects.default
    lines = [
        "# Weights from judgements",
        "",
        f"`python benchmarks/judgements.py`: {JUDGEMENTS} simulated judgements on"
        f" {JUDGEMENTS // PER_REFERENCE} references, {LISTENERS} times for each way to weigh the"
        f" parts of the embeddings of {len(next(iter(parts.values())))} recordings. Weights are"
        " given as `true: recovered`, the mean of all times; `off by` is the root mean square error"
        " of the weight that is worst recovered, `at best` the standard error that no unbiased"
        " estimate falls below, for the parts are correlated; `off by at most` is the largest"
        " error of any weight at any time. Agreement, with 95% intervals over references, is that"
        " of the first time, out of fold.",
        "",
        *recovery(parts, default, settings),
        "",
        "How many judgements it takes. Where listeners weigh as the default does, a gain `beyond"
        " chance` is a false alarm.",
        "",
        *by_size(parts, default, settings),
        "",
    ]
    publish(project.root, "JUDGEMENTS", lines)


if __name__ == "__main__":
    main()
