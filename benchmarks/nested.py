"""How good the lists are where nobody chose by the scores: nested folds of artists.

    python benchmarks/nested.py

Works on the catalogue in `data/` after `make repro`, and resumes where it was interrupted. Each
outer fold chooses its settings from `GRID` by inner folds of its own training artists: layers of
the backbones, temperature, and how much each aspect counts. The inner folds train the subspaces
without the encoder, which would take hours; the outer folds train all. Writes
`benchmarks/NESTED.md`.
"""

import copy
import itertools

import joblib
import numpy as np
import scipy.linalg
import torch
from fits import (
    EmbeddingLayers,
    Fits,
    embedded,
    fold_masks,
    kept_array,
    leads,
    publish,
    scored,
    splits_of,
    table,
    with_new_branches,
)

from simlib.core import Project, cosine, digest_of, written_aside
from simlib.evaluation import EvaluateSettings, Evaluation, standardised
from simlib.features import DESCRIPTOR_GROUPS, load_card
from simlib.index import hub_corrected
from simlib.model import SOUND, TEMPO, Branch, Reduction
from simlib.relevance import jaccard, tag_matrix
from simlib.training import (
    PairWeights,
    TrainingData,
    TrainSettings,
    fit_branch,
)

OUTER, INNER = {"folds": 5, "seed": 2028}, {"folds": 3, "seed": 2029}
# What is trained, and how it is weighed. Weights follow the training, so they cost little.
TRAINED = {"layers": ("all", "embedding"), "temperature": (0.2, 0.4)}
WEIGHED = {"tag_columns": (0.5, 0.6, 0.7), "genre": (1.0, 1.5, 2.0)}
# A choice must lead musicnn in each column by this, so that no column pays for another.
MARGIN = 0.005


def products(grid):
    """Return every combination of a grid, as dicts."""
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


class Activations:
    """The activations of all recordings, of all layers or of the embedding layers only."""

    def __init__(self, fits, names):
        features = [fits.store.features(track) for _, track in fits.tracks.iterrows()]
        self.all = np.stack([one.activations(names) for one in features])
        kept = []
        for card in map(load_card, names):
            mask = np.zeros(card.head_size, dtype=bool)
            mask[card.columns(card.embedding)] = True
            kept.append(mask)
        self.embedding = np.concatenate(kept)

    def of(self, layers):
        """Return activations of which other layers are 0, as if they never changed."""
        return self.all if layers == "all" else self.all * self.embedding


def heads(fits, settings, activations, learning, held):
    """Train the subspaces without the encoder; return their embeddings of the held recordings."""
    torch.set_num_threads(1)
    reduction = Reduction(activations.shape[1], settings.reduced)
    reduction.fit(activations[learning])
    # What another process maps is not writable, which PyTorch warns of.
    with torch.inference_mode():
        reduced = reduction(torch.from_numpy(np.array(activations))).numpy()
    inputs = np.hstack([fits.descriptors, reduced])
    degraded = np.hstack([fits.store.descriptors(fits.tracks["degraded"], "degraded"), reduced])
    tracks = fits.tracks[learning].reset_index(drop=True)
    alone = settings.positives.model_copy(update={"recording": 0.0, "artist": 0.0})
    wanted, found = settings.tag_subspaces, {"sound": reduced[held]}
    for column in fits.columns:
        torch.manual_seed(settings.seed)
        branch = Branch(
            inputs.shape[1], wanted.hidden, wanted.embedding, wanted.input_dropout, wanted.dropout,
            wanted.noise, settings.reduced,
        )  # fmt: skip
        views = np.stack([inputs[learning], degraded[learning]]).astype(np.float32)
        fit_branch(branch, views, PairWeights(tracks, [column], alone), wanted, settings)
        branch.eval()
        with torch.inference_mode():
            found[column] = branch(torch.from_numpy(inputs[held].astype(np.float32))).numpy()
    return found


def weighed(parts, columns, choice):
    """Add the cosines of the parts up, weighed as a choice says."""
    relative = {c: choice["genre"] if c == "genre" else 1.0 for c in columns}
    weights = {c: choice["tag_columns"] * r / sum(relative.values()) for c, r in relative.items()}
    weights["sound"] = 1 - choice["tag_columns"]
    return sum(weight * cosine(parts[name]) for name, weight in weights.items())


def inner_scores(fits, settings, activations, learning, held):
    """Score musicnn and each choice of the grid on an inner fold: {choice: {measure: values}}."""
    made_of = [fits.code, settings.as_dict(), TRAINED, WEIGHED, learning.tolist(), held.tolist()]
    path = fits.folder / f"inner-{digest_of(made_of)[:32]}.joblib"
    if path.exists():
        return joblib.load(path)
    chosen = EvaluateSettings.of(fits.params["evaluate"])
    evaluation = Evaluation(fits.tracks[held], fits.columns, chosen)
    alone = evaluation.rank(fits.alone("musicnn", learning, held))
    found = {"musicnn": evaluation.scores(alone)}
    for trained in products(TRAINED):
        changed = settings.model_copy(update={"temperature": trained["temperature"]})
        parts = heads(fits, changed, activations.of(trained["layers"]), learning, held)
        for weights in products(WEIGHED):
            name = tuple((trained | weights).items())
            similarity = weighed(parts, fits.columns, trained | weights)
            found[name] = evaluation.scores(evaluation.rank(similarity))
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_aside(path) as aside:
        joblib.dump(found, aside)
    return found


def choose(folds, columns):
    """Return the choice with the best mean nDCG of those that lead musicnn in each column."""
    means = {
        name: np.array([
            np.nanmean(np.concatenate([fold[name][measure] for fold in folds]))
            for measure in folds[0][name] if "_ndcg@" in measure
        ])
        for name in folds[0]
    }  # fmt: skip
    rival = means.pop("musicnn")
    leading = {n: m for n, m in means.items() if (m - rival).min() >= MARGIN}
    # If none leads everywhere, the one whose worst lead is best.
    best = max(leading, key=lambda n: leading[n].mean()) if leading else None
    return dict(best or max(means, key=lambda n: (means[n] - rival).min()))


def discriminants(fits, activations, learning, held, dimensions=48, shrinkage=0.3):
    """Compare by linear discriminants with soft targets: the closed form that heads must beat.

    Directions in which recordings with common tags agree most, of all in which recordings vary
    (Fisher's criterion, with the pair weights of the training as soft classes).
    """
    given = standardised(activations.all, activations.all[learning], [activations.all.shape[1]])
    tracks = fits.tracks[learning].reset_index(drop=True)
    pairs = sum(scaled(jaccard(tag_matrix(tracks[column]))) for column in fits.columns)
    pairs = (pairs + pairs.T) / 2
    x = given[learning]
    total = x.T @ x / len(x)
    total = (1 - shrinkage) * total + shrinkage * np.trace(total) / len(total) * np.eye(len(total))
    between = x.T @ pairs @ x / pairs.sum()
    last = len(total) - 1
    values, axes = scipy.linalg.eigh(between, total, subset_by_index=[last - dimensions + 1, last])
    return cosine(given[held] @ (axes * np.sqrt(np.maximum(values, 0))))


def scaled(pairs):
    """Scale each row to the sum 1, without the pair of a recording with itself."""
    pairs = pairs * (1 - np.eye(len(pairs)))
    sums = pairs.sum(axis=1, keepdims=True)
    return np.divide(pairs, sums, out=np.zeros_like(pairs), where=sums > 0)


def with_layers(fits, layers):
    """Return fits on the activations of some layers."""
    if layers == "all":
        return fits
    other = copy.copy(fits)
    other.store, other.code = EmbeddingLayers(fits.store.folder), f"{fits.code} {layers}"
    return other


def from_scratch(fits, settings, learning, held):
    """Embed by the network without backbones, whose encoder is that of the fold."""

    def make():
        torch.set_num_threads(1)
        trained = fits.model(settings, splits_of(learning))
        bare = settings.model_copy(update={"backbones": ()})
        data = TrainingData.read(fits.store, fits.tracks, splits_of(learning))
        model = with_new_branches(trained, data, bare)
        return embedded(model, fits.store, fits.tracks[held], fits.hop)

    name = digest_of([settings.as_dict(), fits.code, learning.tolist()])
    return kept_array(fits.folder / f"scratch-{name}.npy", make)


def reweighed(vectors, aspects, choice):
    """Weigh a model's aspects as a choice says; the tempo keeps its share."""
    columns = [name for name in aspects.sizes if name not in (SOUND, TEMPO)]
    relative = {c: choice["genre"] if c == "genre" else 1.0 for c in columns}
    rest = 1 - aspects.default[TEMPO]
    tags = choice["tag_columns"]
    weights = {c: rest * tags * r / sum(relative.values()) for c, r in relative.items()}
    weights |= {SOUND: rest * (1 - tags), TEMPO: aspects.default[TEMPO]}
    return aspects.weighted(vectors, weights)


def lines_of(choices):
    """Lay the choice of each fold out as Markdown."""
    names = list(choices[0])
    lines = ["| fold | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for number, choice in enumerate(choices, start=1):
        lines.append(f"| {number} | " + " | ".join(str(choice[n]) for n in names) + " |")
    return lines


def main():
    """Measure and write."""
    project = Project.find()
    fits = Fits(project, project.params())
    settings = TrainSettings.of(fits.params["train"])
    chosen = EvaluateSettings.of(fits.params["evaluate"])
    everybody = np.ones(len(fits.tracks), dtype=bool)
    outer = list(fold_masks(fits, everybody, **OUTER))
    activations = Activations(fits, settings.backbones)
    call = joblib.delayed(inner_scores)
    jobs = [
        (fits, settings, activations, *pair)
        for learning, _ in outer
        for pair in fold_masks(fits, learning, **INNER)
    ]
    with joblib.parallel_config("loky", inner_max_num_threads=1):
        inner = joblib.Parallel(-1, batch_size=1)(call(*job) for job in jobs)
    count = INNER["folds"]
    choices = [choose(inner[n * count : (n + 1) * count], fits.columns) for n in range(len(outer))]
    wanted = [
        (settings.model_copy(update={"temperature": choice["temperature"]}), choice["layers"])
        for choice in choices
    ]
    for layers in TRAINED["layers"]:
        both = zip(wanted, outer, strict=True)
        with_layers(fits, layers).all([
            (own, splits_of(learning), held)
            for (own, kept), (learning, held) in both if kept == layers
        ])  # fmt: skip
    number = iter(range(len(outer)))

    def similarities(learning, held):
        index = next(number)
        (own, layers), artists = wanted[index], fits.artists[held]
        fold = with_layers(fits, layers)
        aspects = fold.model(own, splits_of(learning)).aspects
        vectors = fold.embed(own, splits_of(learning), held)
        vectors = reweighed(vectors, aspects, choices[index])
        scratch = from_scratch(fold, own, learning, held)
        return {
            "simlib": hub_corrected(vectors, artists, fits.hubs),
            "simlib, no hub correction": cosine(vectors),
            "from scratch": hub_corrected(scratch, artists, fits.hubs),
            "musicnn": fits.alone("musicnn", learning, held),
            "vgg": fits.alone("vgg", learning, held),
            "discriminants": discriminants(fits, activations, learning, held),
            "mfcc": cosine(
                standardised(fits.descriptors[held], fits.descriptors[learning], DESCRIPTOR_GROUPS)
            ),
        }

    scores, skews, artists = scored(fits, outer, similarities)
    lines = [
        "# Nested folds of artists",
        "",
        f"`python benchmarks/nested.py`: {OUTER['folds']} folds over {len(fits.tracks)} recordings;"
        f" each chose its settings by {INNER['folds']} inner folds of its training artists, and is"
        " scored on artists that took no part in training or choice. nDCG@10 and P@10 with 95%"
        " intervals over artists. `from scratch` has no backbones. The grid itself is not blind:"
        " these recordings were looked at when it was made.",
        "",
        *table(scores, skews, artists, "simlib", chosen),
        "",
        *leads(scores, artists, chosen),
        "",
        f"The grid: {TRAINED | WEIGHED}. Of the choices that lead musicnn by {MARGIN} in each"
        " column in the inner folds, the one with the best mean nDCG@10 was taken:",
        "",
        *lines_of(choices),
        "",
        f"{len(fits.tracks)} recordings, digest {fits.code[:8]} of the code.",
    ]
    publish(project.root, "NESTED", lines)


if __name__ == "__main__":
    main()
