"""Whether judgements give back the weights that listeners have: simulated ones on real embeddings.

    python benchmarks/judgements.py

Works on the catalogue in `data/` after `make repro`. Listeners who weigh the parts of the embedding
in known ways judge triplets of recordings, with logistic noise; `fit_weights` sees the triplets
alone. Writes `benchmarks/JUDGEMENTS.md`.
"""

import joblib
import numpy as np
from fits import publish, text
from scipy.special import expit

from simlib.core import Project
from simlib.evaluation import EvaluateSettings, aspect_margins, fit_weights
from simlib.index import Index
from simlib.model import Embedder

LISTENERS = 20
JUDGEMENTS, PER_REFERENCE = 2_000, 10
SIZES = (100, 500, 2_000, 8_000)
# Deviation of a listener's log-odds: at 4, about 86 in 100 judgements follow the weights.
SHARPNESS = 4.0


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
