"""What each choice of the encoder's training is worth, by artists that choices may be made by.

    python benchmarks/ablation_encoder.py [ROW ...]

Works on the catalogue in `data/` after `make repro`, leaves the test artists of `params.yaml` out,
and resumes where it was interrupted. Short fits, one thing changed a row; then the two best rows
over again at full length, with other folds and two seeds. Where rows are named, only those, and no
long fits. Writes `benchmarks/ABLATION-ENCODER.md`.
"""

import copy
import sys
from typing import NamedTuple

import numpy as np
import torch
from fits import Fits, fold_masks, mean_ndcg, ours, publish, scored, splits_of, table
from pytorch_metric_learning.losses import MultiSimilarityLoss, TripletMarginLoss
from torch import nn

from simlib.core import Project
from simlib.evaluation import EvaluateSettings
from simlib.relevance import SplitSettings, split_artists
from simlib.training import Objective, TrainSettings

SHORT_FOLDS = {"folds": 3, "seed": 1}
FULL_FOLDS = {"folds": 5, "seed": 2}
SEEDS = (0, 1)
# An ablation's fits are short: so many epochs, whatever params.yaml says.
SHORT = {"epochs": 8}
# Of the dimensions that the parts have, more for the encoder and the describer.
UNDIVIDED = "undivided, of the same size"
# What differs from params.yaml, row by row.
ROWS = {
    "the recipe": {},
    "no tag heads": {"tag_loss_weight": 0.0},
    "heavy tag heads": {"tag_loss_weight": 2.0},
    "temperature 0.1": {"temperature": 0.1},
    "6 s segments": {"segment_seconds": 6.0},
    "batches of 128, half the steps": {"batch_size": 128},
    "no mixing": {"augmentation.mix_probability": 0.0},
    "no degradation": {"augmentation.degrade_probability": 0.0},
    "no masks": {"augmentation.time_mask": 0.0, "augmentation.band_mask": 0.0},
    "no change of pitch and tempo": {"augmentation.pitch_bands": 0, "augmentation.stretch": 0.0},
    "no change of level and tilt": {"augmentation.gain_db": 0.0, "augmentation.tilt_db": 0.0},
    "artists are no positives": {"positives.artist": 0.0},
    "half the channels": {"channels": [8, 16, 32, 64, 128, 128]},
    UNDIVIDED: {"embedding": 224, "descriptor_branch.embedding": 160},
    "half the epochs": {"epochs": 4},
    "weights not averaged": {"ema_decay": 0.0},
}  # fmt: skip


class Row(NamedTuple):
    """What a row of the table changes."""

    settings: TrainSettings
    objective: type = Objective
    # Whether it begins with weights that learned from the same recordings without their tags.
    begun: bool = False


class Pairs(nn.Module):
    """A loss on pairs that knows no degrees: a positive is who is more alike than is usual.

    Parameters
    ----------
    relations : simlib.training.PairWeights
    loss : pytorch_metric_learning.losses.BaseMetricLossFunction
    """

    def __init__(self, pair_weights, loss):
        super().__init__()
        self.pair_weights, self.loss = pair_weights, loss

    def forward(self, embeddings, rows):
        """Return the loss of unit embeddings of these recordings."""
        strength = torch.from_numpy(self.pair_weights(rows.cpu().numpy())).to(embeddings.device)
        pairs = ~torch.eye(len(rows), dtype=torch.bool, device=embeddings.device)
        alike = strength > strength.mean(dim=1, keepdim=True)
        split = (*torch.where(alike & pairs), *torch.where(~alike & pairs))
        return self.loss(embeddings, indices_tuple=split)


class Triplets(Objective):
    """Tag heads beside a triplet loss (Schroff et al. 2015)."""

    def __init__(self, tracks, columns, settings):
        super().__init__(tracks, columns, settings)
        self.contrastive = Pairs(self.pair_weights, TripletMarginLoss(margin=0.2))


class MultiSimilarity(Objective):
    """Tag heads beside the multi-similarity loss (Wang et al. 2019)."""

    def __init__(self, tracks, columns, settings):
        super().__init__(tracks, columns, settings)
        self.contrastive = Pairs(self.pair_weights, MultiSimilarityLoss())


LOSSES = {"triplet loss": Triplets, "multi-similarity loss": MultiSimilarity}
# Seconds from segment to segment of a track, where it is not what params.yaml says.
OTHER_HOP = 4.0


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
    """Return {name: Row}, with `common` changes in every one."""
    found = {
        name: Row(TrainSettings.of(changed(section, common | changes)))
        for name, changes in ROWS.items()
    }
    first, *_ = found.values()
    found |= {name: first._replace(objective=objective) for name, objective in LOSSES.items()}
    return found | {"begun without tags": first._replace(begun=True)}


def compared(fits, among, folds, rows, joined=None):
    """Train and score rows, {name: Row}; see `fits.scored`.

    `joined`, {name: rows}, adds rows whose similarity is the mean of others'.
    """
    pairs = list(fold_masks(fits, among, **folds))
    first, *_ = rows
    sparse = copy.copy(fits)
    sparse.hop = OTHER_HOP

    def begin(row, learning):
        return (row.settings, splits_of(learning), False) if row.begun else None

    fits.all([
        (row.settings, splits_of(learning), held, True, begin(row, learning), row.objective)
        for row in rows.values()
        for learning, held in pairs
    ])  # fmt: skip

    def similarities(learning, held):
        found = {}
        for name, row in rows.items():
            start = begin(row, learning)
            one = ours(fits, row.settings, learning, held, start, row.objective)
            # What the recipe is without one of its parts costs no training.
            found |= {name + k: v for k, v in one.items() if not k or name == first}
            if name == UNDIVIDED:
                found[name] = one[", without subspaces"]
        base = ours(sparse, rows[first].settings, learning, held)
        found[f"{first}, a segment every {OTHER_HOP:g} s"] = base[""]
        means = {k: np.mean([found[row] for row in v], axis=0) for k, v in (joined or {}).items()}
        return found | means

    return scored(fits, pairs, similarities)


def over_seeds(scores, skews, seeded, kept):
    """Average rows, {name: rows}, query by query; the rows `kept` stay as they are."""
    means = {
        name: {m: np.mean([scores[row][m] for row in rows], axis=0) for m in scores[rows[0]]}
        for name, rows in seeded.items()
    }
    skew = {name: np.mean([skews[row] for row in rows], axis=0) for name, rows in seeded.items()}
    return means | {k: scores[k] for k in kept}, skew | {k: skews[k] for k in kept}


def main():
    """Measure and write."""
    project = Project.find()
    params = project.params()
    fits = Fits(project, params)
    chosen = EvaluateSettings.of(params["evaluate"])
    among = split_artists(fits.tracks, SplitSettings.of(params["split"])) != "test"
    short = recipes(params["train"], SHORT)
    first, *others = short
    wanted = sys.argv[1:]
    if unknown := set(wanted) - set(others):
        sys.exit(f"there are no rows {sorted(unknown)}; there are {others}")
    if wanted:
        short = {name: short[name] for name in (first, *wanted)}
    scores, skews, artists = compared(fits, among, SHORT_FOLDS, short)
    lines = [
        "# What each choice of the encoder's training is worth",
        "",
        f"`python benchmarks/ablation_encoder.py`: {SHORT_FOLDS['folds']} folds over the"
        f" {len(artists)} recordings of the training and validation artists, one thing changed a"
        f" row, {SHORT['epochs']} epochs a fit; nDCG@10 with 95% intervals over artists.",
        "",
        *table(scores, skews, artists, first, chosen),
        "",
        f"{len(fits.tracks)} recordings, digest {fits.code[:8]} of the code.",
    ]

    def rank(name):
        return -np.nanmean(mean_ndcg(scores[name]))

    # The long fits take hours: what the short ones say is not to wait for them.
    publish(project.root, "ABLATION-ENCODER", lines)
    if wanted:
        return
    best = [first, min((name for name in short if name != first), key=rank)]
    seeded = {name: [f"{name}, seed {seed}" for seed in SEEDS] for name in best}
    full = {
        row: recipes(params["train"], {"seed": seed})[name]
        for name, named in seeded.items()
        for seed, row in zip(SEEDS, named, strict=True)
    }
    together = {f"{name}, the seeds' fits joined": rows for name, rows in seeded.items()}
    found, skews, artists = compared(fits, among, FULL_FOLDS, full, together)
    found, skews = over_seeds(found, skews, seeded, together)
    lines += [
        "",
        "The recipe and the best of the other rows, at full length over"
        f" {FULL_FOLDS['folds']} other folds and {len(SEEDS)} seeds:",
        "",
        *table(found, skews, artists, first, chosen),
    ]
    publish(project.root, "ABLATION-ENCODER", lines)


if __name__ == "__main__":
    main()
