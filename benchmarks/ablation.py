"""What each choice of the recipe is worth, by artists that choices may be made by.

    python benchmarks/ablation.py

Works on the catalogue in `data/` after `make repro`, leaves the test artists of `params.yaml` out,
and resumes where it was interrupted. Short fits, one thing changed a row; then the two best rows
over again at full length, with other folds and two seeds. Writes `benchmarks/ABLATION.md`.
"""

import copy

import numpy as np
import torch
import yaml
from fits import Fits, mean_ndcg, ours, parts, scored, sides_of, table
from pytorch_metric_learning.losses import MultiSimilarityLoss, TripletMarginLoss
from torch import nn

from simlib.artefacts import project_root, written_aside
from simlib.catalogue import split
from simlib.losses import Objective
from simlib.settings import EvaluateSettings, SplitSettings, TrainSettings

SHORT_FOLDS = {"folds": 3, "seed": 1}
FULL_FOLDS = {"folds": 5, "seed": 2}
SEEDS = (0, 1)
# An ablation's fits are short: so many epochs, whatever params.yaml says.
SHORT = {"epochs": 28, "patience": 28}
# What differs from params.yaml, row by row.
ROWS = {
    "the recipe": {},
    "no tag heads": {"tag_heads": 0.0},
    "heavy tag heads": {"tag_heads": 2.0},
    "temperature 0.1": {"temperature": 0.1},
    "6 s segments": {"segment_seconds": 6.0},
    "batches of 128": {"batch": 128, "draws": 16},
    "no mixing": {"augmentation.mix": 0.0},
    "no masks": {"augmentation.time_mask": 0.0, "augmentation.band_mask": 0.0},
    "no change of pitch and tempo": {"augmentation.pitch_bands": 0, "augmentation.stretch": 0.0},
    "no change of level and tilt": {"augmentation.gain_db": 0.0, "augmentation.tilt_db": 0.0},
    "artists are no positives": {"positives.artist": 0.0},
    "half the channels": {"channels": [8, 16, 32, 64, 128]},
    "half the epochs": {"epochs": 14},
    "weights not averaged": {"averaging": 0.0},
}  # fmt: skip


class Pairs(nn.Module):
    """A loss on pairs that knows no degrees: a positive is who is more alike than is usual.

    Parameters
    ----------
    relations : simlib.relevance.Relations
    loss : pytorch_metric_learning.losses.BaseMetricLossFunction
    """

    def __init__(self, relations, loss):
        super().__init__()
        self.relations, self.loss = relations, loss

    def forward(self, embeddings, rows):
        """Return the loss of unit embeddings of these recordings."""
        strength = torch.from_numpy(self.relations(rows.cpu().numpy())).to(embeddings.device)
        pairs = ~torch.eye(len(rows), dtype=torch.bool, device=embeddings.device)
        alike = strength > strength.mean(dim=1, keepdim=True)
        split = (*torch.where(alike & pairs), *torch.where(~alike & pairs))
        return self.loss(embeddings, indices_tuple=split)


class Triplets(Objective):
    """Tag heads beside a triplet loss (Schroff et al. 2015)."""

    def __init__(self, tracks, columns, settings):
        super().__init__(tracks, columns, settings)
        self.contrastive = Pairs(self.relations, TripletMarginLoss(margin=0.2))


class MultiSimilarity(Objective):
    """Tag heads beside the multi-similarity loss (Wang et al. 2019)."""

    def __init__(self, tracks, columns, settings):
        super().__init__(tracks, columns, settings)
        self.contrastive = Pairs(self.relations, MultiSimilarityLoss())


LOSSES = {"triplet loss": Triplets, "multi-similarity loss": MultiSimilarity}


def changed(settings, changes):
    """Copy a section of params.yaml with some values changed, named by their paths."""
    settings = copy.deepcopy(settings)
    for path, value in changes.items():
        *sections, key = path.split(".")
        place = settings
        for section in sections:
            place = place[section]
        assert key in place, f"'{path}' is no key of this section"
        place[key] = value
    return settings


def recipes(section, common):
    """Return {row: (settings, objective)}, with `common` changes in every row."""
    found = {
        name: (TrainSettings.of(changed(section, common | changes)), Objective)
        for name, changes in ROWS.items()
    }
    first, *_ = found.values()
    return found | {name: (first[0], objective) for name, objective in LOSSES.items()}


def compared(fits, among, folds, rows):
    """Train and score rows, {name: (settings, objective)}; see `fits.scored`."""
    pairs = list(parts(fits, among, **folds))
    fits.all([
        (settings, sides_of(learning), held, True, None, objective)
        for settings, objective in rows.values()
        for learning, held in pairs
    ])  # fmt: skip
    first, *_ = rows

    def similarities(learning, held):
        found = {}
        for name, (settings, objective) in rows.items():
            one = ours(fits, settings, learning, held, objective)
            # What the recipe is without one of its parts costs no training.
            found |= {name + k: v for k, v in one.items() if not k or name == first}
        return found

    return scored(fits, pairs, similarities)


def over_seeds(scores, skews, names):
    """Average the rows `name, seed n` over the seeds, query by query."""
    found = {name: [scores[f"{name}, seed {seed}"] for seed in SEEDS] for name in names}
    joined = {
        name: {measure: np.mean([run[measure] for run in runs], axis=0) for measure in runs[0]}
        for name, runs in found.items()
    }
    return joined, {n: np.mean([skews[f"{n}, seed {s}"] for s in SEEDS]) for n in names}


def main():
    """Measure and write."""
    root = project_root()
    params = yaml.safe_load((root / "params.yaml").read_text())
    fits = Fits(root, params)
    chosen = EvaluateSettings.of(params["evaluate"])
    among = split(fits.tracks, SplitSettings.of(params["split"])) != "test"
    short = recipes(params["train"], SHORT)
    first, *_ = short
    scores, skews, artists = compared(fits, among, SHORT_FOLDS, short)
    lines = [
        "# What each choice is worth",
        "",
        f"`python benchmarks/ablation.py`: {SHORT_FOLDS['folds']} folds over the {len(artists)}"
        " recordings of the training and validation artists, one thing changed a row,"
        f" {SHORT['epochs']} epochs a fit; nDCG@10 with 95% intervals over artists.",
        "",
        *table(scores, skews, artists, first, chosen),
    ]

    def rank(name):
        return -np.nanmean(mean_ndcg(scores[name]))

    best = [first, min((name for name in short if name != first), key=rank)]
    full = {
        f"{name}, seed {seed}": recipes(params["train"], {"seed": seed})[name]
        for name in best
        for seed in SEEDS
    }
    found, skews, artists = compared(fits, among, FULL_FOLDS, full)
    lines += [
        "",
        "The recipe and the best of the other rows, at full length over"
        f" {FULL_FOLDS['folds']} other folds and {len(SEEDS)} seeds:",
        "",
        *table(*over_seeds(found, skews, best), artists, first, chosen),
        "",
        f"{len(fits.tracks)} recordings, digest {fits.code[:8]} of the code.",
        "",
    ]
    with written_aside(root / "benchmarks" / "ABLATION.md") as aside:
        aside.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
