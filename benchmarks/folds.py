"""How good the lists are over the whole catalogue: artist-disjoint folds, pooled.

    python benchmarks/folds.py                  # five folds, this recipe, beside what is compared
    python benchmarks/folds.py --ablation       # what each choice of the recipe is worth

Works on the catalogue in `data/` after `make repro`, and resumes where it was interrupted. The
first form draws folds over all artists, from a seed that no choice was made with; the second draws
others and leaves the test artists of `params.yaml` out, for it is what choices are made by. Writes
`benchmarks/FOLDS.md` and `benchmarks/ABLATION.md`.
"""

import argparse
import copy
import hashlib
from pathlib import Path

import joblib
import numpy as np
import torch
import yaml
from pytorch_metric_learning.losses import MultiSimilarityLoss, TripletMarginLoss
from torch import nn

from simlib import augment, hubs, losses, model, relevance, train
from simlib import evaluate as ev
from simlib.artefacts import digest_of, digest_of_modules, project_root, written_aside
from simlib.catalogue import artist_keys, split, tag_columns
from simlib.features import DESCRIPTOR_GROUPS, Store
from simlib.losses import Objective
from simlib.model import Model
from simlib.settings import EvaluateSettings, SplitSettings, TrainSettings

REPORTED = {"folds": 5, "seed": 2026}
CHOSEN_BY = {"folds": 3, "seed": 1}
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


LOSSES = {"": Objective, "triplet loss": Triplets, "multi-similarity loss": MultiSimilarity}


def fold_of(artists, folds, seed):
    """Assign every track to a fold by a hash of its artist."""
    draws = [hashlib.sha256(f"{seed}:{artist}".encode()).digest()[:8] for artist in artists]
    return np.array([int.from_bytes(draw, "big") * folds >> 64 for draw in draws])


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


class Fits:
    """Trains on some of the recordings, and keeps what it embedded of others."""

    def __init__(self, root, params):
        self.root, self.params = root, params
        self.folder = root / ".checkpoints" / "folds"
        self.store = Store(root / "features")
        self.tracks = self.store.tracks()
        self.artists = artist_keys(self.tracks)
        self.columns = tag_columns(self.tracks)
        self.hop = params["index"]["hop_seconds"]
        self.descriptors = self.store.descriptors(self.tracks["descriptor"])
        modules = (augment, losses, model, relevance, train)
        self.code = digest_of_modules(*modules)

    def all(self, jobs):
        """Work through jobs, each the arguments of `embed`, one on each core."""
        # One thread a fit: figures then do not depend on how many cores there are.
        call = joblib.delayed(self.embed)
        with joblib.parallel_config("loky", inner_max_num_threads=1):
            joblib.Parallel(-1, batch_size=1)(call(*job) for job in jobs)

    def embed(self, settings, sides, rows, tags=True, start=None, loss=""):
        """Return embeddings of some rows, by a model that learned from side `train`.

        `start`, if given, are the arguments of `model` for the weights that it begins with.
        """
        path = self._path(settings, sides, tags, start, loss, rows.tolist()).with_suffix(".npy")
        if not path.exists():
            torch.set_num_threads(1)
            trained = self.model(settings, sides, tags, start, loss)
            keys = self.tracks.loc[rows, ["log_mel", "descriptor"]].itertuples(index=False)
            vectors = [
                trained.track(self.store.log_mel(a), self.store.descriptor(b), self.hop)[0]
                for a, b in keys
            ]
            with written_aside(path) as aside, open(aside, "wb") as stream:
                np.save(stream, np.stack(vectors), allow_pickle=False)
        return np.load(path, allow_pickle=False)

    def model(self, settings, sides, tags=True, start=None, loss=""):
        """Train, or load what was trained before."""
        path = self._path(settings, sides, tags, start, loss)
        if not path.exists():
            tracks = self.tracks if tags else self.tracks.drop(columns=self.columns)
            begun = self.model(*start) if start else None
            checkpoint = path.with_suffix(".checkpoint")
            trained, _ = train.train(
                self.store, tracks, sides, settings, checkpoint, begun, LOSSES[loss]
            )
            trained.save(path)
        return Model.load(path)

    def _path(self, settings, sides, tags=True, start=None, loss="", rows=()):
        keys = self.tracks[["track_id", "log_mel"]].assign(side=sides).to_csv(index=False)
        begun = str(self._path(*start)) if start else ""
        made = [settings.as_dict(), self.hop, keys, tags, begun, loss, list(rows), self.code]
        return self.folder / f"{digest_of(made)[:32]}.safetensors"


def parts(fits, among, folds, seed):
    """Yield (learning, held), two masks over the recordings, fold by fold."""
    fold = np.where(among, fold_of(fits.artists, folds, seed), -1)
    for number in range(folds):
        yield (fold != number) & (fold >= 0), fold == number


def sides_of(learning):
    """Sides for `train`: whoever is not learned from is not looked at either."""
    return np.where(learning, "train", "test").astype(object)


def scored(fits, pairs, similarities):
    """Score systems fold by fold; return ({system: {measure: values}}, {system: skews}, artists).

    `similarities(learning, held)` gives {system: matrix of the held recordings}.
    """
    settings = EvaluateSettings.of(fits.params["evaluate"])
    pooled, skews, artists = {}, {}, []
    for learning, held in pairs:
        evaluation = ev.Evaluation(fits.tracks[held], fits.columns, settings)
        for name, similarity in similarities(learning, held).items():
            skews.setdefault(name, []).append(evaluation.hub_skew(similarity))
            for measure, values in evaluation.scores(similarity).items():
                pooled.setdefault(name, {}).setdefault(measure, []).append(values)
        artists.append(evaluation.artists)
    joined = {
        name: {measure: np.concatenate(values) for measure, values in measures.items()}
        for name, measures in pooled.items()
    }
    return joined, skews, np.concatenate(artists)


def unit(vectors):
    """Bring vectors to unit length."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def ours(fits, settings, learning, held, loss=""):
    """Similarities of the held recordings as search ranks them, and without each part of it."""
    vectors = fits.embed(settings, sides_of(learning), held, loss=loss)
    artists = fits.artists[held]
    half = settings.embedding
    return {
        "": hubs.corrected(vectors, artists),
        ", no hub correction": ev.cosine(vectors),
        ", encoder alone": hubs.corrected(unit(vectors[:, :half]), artists),
        ", describer alone": hubs.corrected(unit(vectors[:, half:]), artists),
    }


def others(fits, learning, held):
    """The hand-picked features, and the files under `evaluate.compare`."""
    scaled = ev.standardised(fits.descriptors[held], fits.descriptors[learning], DESCRIPTOR_GROUPS)
    found = {"mfcc": ev.cosine(scaled)}
    for name in fits.params["evaluate"]["compare"]:
        found[Path(name).stem] = ev.load_other(fits.root / name, fits.tracks[held])
    return found


def mean_ndcg(scores):
    """Mean over columns; a recording without a value in one column counts by the others."""
    return np.nanmean(np.stack([v for m, v in scores.items() if "_ndcg@" in m]), axis=0)


def interval(values, artists, settings):
    """Mean with its interval over artists; `settings` are those of the evaluation."""
    return ev.bootstrap(values, artists, settings.bootstrap, settings.seed)


def text(found, sign=""):
    if found["value"] is None:
        return ""
    return f"{found['value']:{sign}.3f} [{found['low']:{sign}.3f}, {found['high']:{sign}.3f}]"


def table(scores, skews, artists, base, settings):
    """Lay out scores and the paired differences to a base row, as Markdown."""
    measures = [m for m in scores[base] if "_ndcg@" in m]

    head = [*measures, "mean", f"mean against '{base}'", "hub skew"]
    lines = ["| | " + " | ".join(head) + " |", "|---" * (len(head) + 1) + "|"]
    for name, rows in scores.items():
        cells = [text(interval(rows[m], artists, settings)) for m in measures]
        mean = mean_ndcg(rows)
        difference = interval(mean - mean_ndcg(scores[base]), artists, settings)
        cells += [
            text(interval(mean, artists, settings)),
            text(difference, "+") if name != base else "",
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {np.mean(skews[name]):.2f} |")
    return lines


def leads(scores, artists, settings):
    """Lay out simlib's paired lead over every other system, as Markdown."""
    measures = list(scores["simlib"])
    lines = ["| lead over | " + " | ".join(measures) + " |", "|---" * (len(measures) + 1) + "|"]
    for name, rows in scores.items():
        if name.startswith("simlib"):
            continue
        cells = [
            text(interval(scores["simlib"][m] - rows[m], artists, settings), "+") for m in measures
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def report(fits):
    """Measure this recipe over all artists."""
    settings = TrainSettings.of(fits.params["train"])
    everybody = np.ones(len(fits.tracks), dtype=bool)

    def similarities(learning, held):
        found = {f"simlib{k}": v for k, v in ours(fits, settings, learning, held).items()}
        return found | others(fits, learning, held)

    pairs = list(parts(fits, everybody, **REPORTED))
    fits.all([(settings, sides_of(learning), held) for learning, held in pairs])
    scores, skews, artists = scored(fits, pairs, similarities)
    chosen = EvaluateSettings.of(fits.params["evaluate"])
    return "FOLDS.md", [
        "# The recipe over five folds of artists",
        "",
        "`python benchmarks/folds.py`: trained on four fifths of the artists, scored on the last,"
        f" in turn; {len(artists)} recordings, nDCG@10 and P@10 with 95% intervals over artists."
        " Mildly optimistic: the recipe was chosen on the same recordings.",
        "",
        *table(scores, skews, artists, "simlib", chosen),
        "",
        *leads(scores, artists, chosen),
    ]


def ablation(fits):
    """Measure what each choice is worth, without the test artists."""
    params = fits.params
    sides = split(fits.tracks, SplitSettings.of(params["split"]))
    first, *_ = ROWS
    recipes = {
        name: (TrainSettings.of(changed(params["train"], SHORT | changes)), "")
        for name, changes in ROWS.items()
    }
    recipes |= {loss: (recipes[first][0], loss) for loss in LOSSES if loss}
    pairs = list(parts(fits, sides != "test", **CHOSEN_BY))
    fits.all([
        (recipe, sides_of(learning), held, True, None, loss)
        for recipe, loss in recipes.values()
        for learning, held in pairs
    ])  # fmt: skip

    def similarities(learning, held):
        found = {}
        for name, (recipe, loss) in recipes.items():
            one = ours(fits, recipe, learning, held, loss)
            found[name] = one[""]
            if name == first:
                found |= {name + part: value for part, value in one.items()}
        return found

    scores, skews, artists = scored(fits, pairs, similarities)
    chosen = EvaluateSettings.of(params["evaluate"])
    return "ABLATION.md", [
        "# What each choice is worth",
        "",
        f"`python benchmarks/folds.py --ablation`: three folds over the {len(artists)} recordings"
        " of the training and validation artists, one thing changed a row;"
        f" {SHORT['epochs']} epochs a fit, nDCG@10 with 95% intervals over artists.",
        "",
        *table(scores, skews, artists, first, chosen),
    ]


def main():
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ablation", action="store_true", help="compare recipes")
    arguments = parser.parse_args()
    root = project_root()
    fits = Fits(root, yaml.safe_load((root / "params.yaml").read_text()))
    name, lines = (ablation if arguments.ablation else report)(fits)
    lines = [*lines, "", f"{len(fits.tracks)} recordings, digest {fits.code[:8]} of the code.", ""]
    with written_aside(root / "benchmarks" / name) as aside:
        aside.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
