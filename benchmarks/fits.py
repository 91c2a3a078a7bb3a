"""What the benchmarks share: fits on parts of the artists, kept once made, and tables of scores."""

import dataclasses
import hashlib

import joblib
import numpy as np
import torch

from simlib.core import cosine, digest_of, digest_of_code, written_aside
from simlib.evaluation import (
    EvaluateSettings,
    Evaluation,
    bootstrap,
    standardised,
)
from simlib.features import FeatureStore, load_card
from simlib.index import IndexSettings, backbone_embedding, hub_corrected
from simlib.model import Embedder, architecture_of
from simlib.relevance import artist_keys, tag_columns
from simlib.training import Objective, TrainingData, fit_subspaces, train


def fold_of(artists, folds, seed):
    """Assign every track to a fold by a hash of its artist."""
    draws = [hashlib.sha256(f"{seed}:{artist}".encode()).digest()[:8] for artist in artists]
    return np.array([int.from_bytes(draw, "big") * folds >> 64 for draw in draws])


class Fits:
    """Trains on some of the recordings, and keeps what it embedded of others."""

    def __init__(self, project, params):
        self.project, self.params = project, params
        self.folder = project.checkpoints / "folds"
        self.store = FeatureStore(project.features)
        self.tracks = self.store.tracks()
        self.artists = artist_keys(self.tracks)
        self.columns = tag_columns(self.tracks)
        self.hop = params["index"]["hop_seconds"]
        self.hubs = IndexSettings.of(params["index"]).hubs
        self.descriptors = self.store.descriptors(self.tracks["descriptor"])
        self.backbones = {}
        self.code = digest_of_code("simlib.training.fit")

    def alone(self, name, learning, held):
        """Compare a backbone's embedding by cosine, standardised by recordings to learn from."""
        if name not in self.backbones:
            features = (self.store.features(track) for _, track in self.tracks.iterrows())
            self.backbones[name] = np.stack([backbone_embedding(one, name) for one in features])
        vectors = self.backbones[name]
        return cosine(standardised(vectors[held], vectors[learning], [vectors.shape[1]]))

    def all(self, jobs):
        """Work through jobs, each the arguments of `embed`, one on each core."""
        # One thread a fit: figures then do not depend on how many cores there are.
        call = joblib.delayed(self.embed)
        with joblib.parallel_config("loky", inner_max_num_threads=1):
            joblib.Parallel(-1, batch_size=1)(call(*job) for job in jobs)

    def embed(self, settings, splits, rows, tags=True, start=None, objective=Objective):
        """Return embeddings of some rows, by a model that learned from side `train`.

        `start`, if given, are the arguments of `model` for the weights that it begins with.
        """

        def make():
            torch.set_num_threads(1)
            trained = self.model(settings, splits, tags, start, objective)
            return embedded(trained, self.store, self.tracks[rows], self.hop)

        path = self._path(settings, splits, tags, start, objective, rows).with_suffix(".npy")
        return kept_array(path, make)

    def model(self, settings, splits, tags=True, start=None, objective=Objective):
        """Train, or load what was trained before."""
        path = self._path(settings, splits, tags, start, objective)
        if not path.exists():
            tracks = self.tracks if tags else self.tracks.drop(columns=self.columns)
            begun = self.model(*start) if start else None
            checkpoint = path.with_suffix(".checkpoint")
            data = TrainingData.read(self.store, tracks, splits, settings.backbones)
            # The effect of tuning is measured, however few validation recordings there are.
            settings = settings.model_copy(update={"fewest_validation": 0})
            trained, _ = train(data, settings, checkpoint, begun, objective)
            trained.save(path)
        return Embedder.load(path)

    def _path(self, settings, splits, tags=True, start=None, objective=Objective, rows=()):
        keys = self.tracks[["track_id", "log_mel"]].assign(side=splits).to_csv(index=False)
        begun = str(self._path(*start)) if start else ""
        choices = [settings.as_dict(), tags, begun, objective.__qualname__]
        # What is embedded depends on the step between segments, a model does not.
        hop = self.hop if len(rows) else self.params["index"]["hop_seconds"]
        made = [*choices, keys, np.flatnonzero(rows).tolist(), hop, self.code]
        return self.folder / f"{digest_of(made)[:32]}.safetensors"


def kept_array(path, make):
    """Load an array that was made before, or make and keep it."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_aside(path) as aside, open(aside, "wb") as stream:
            np.save(stream, make(), allow_pickle=False)
    return np.load(path, allow_pickle=False)


def embedded(model, store, tracks, hop):
    """Embed tracks: float32, shape (n_tracks, dimensions)."""
    features = (store.features(track) for _, track in tracks.iterrows())
    return np.stack([model.track(one, hop)[0] for one in features])


def with_new_branches(base, data, settings, kind=Embedder):
    """Return a model with the encoder and the descriptor branch of another, and new subspaces."""
    architecture = architecture_of(settings, base.front_end)
    model = kind.untrained(base.front_end, base.segment_seconds, architecture, 0)
    model.encoder, model.descriptor_branch = base.encoder, base.descriptor_branch
    if model.reduction is not None:
        model.reduction.fit(data.train.activations)
    fit_subspaces(model, data, settings, replace=True)
    return model


class EmbeddingLayers(FeatureStore):
    """A feature store in which all other layers of the backbones are 0."""

    def features(self, track):
        """Map the features of a row of the table."""
        found, kept = super().features(track), {}
        for name, patches in found.backbones.items():
            columns = load_card(name).columns(load_card(name).embedding)
            kept[name] = np.zeros_like(patches)
            kept[name][:, columns] = patches[:, columns]
        return dataclasses.replace(found, backbones=kept)


def fold_masks(fits, among, folds, seed):
    """Yield (learning, held), two masks over the recordings, fold by fold."""
    fold = np.where(among, fold_of(fits.artists, folds, seed), -1)
    for number in range(folds):
        yield (fold != number) & (fold >= 0), fold == number


def splits_of(learning):
    """Sides for `train`: whoever is not learned from is not looked at either."""
    return np.where(learning, "train", "test").astype(object)


def scored(fits, pairs, similarities):
    """Score systems fold by fold; return ({system: {measure: values}}, {system: skews}, artists).

    `similarities(learning, held)` gives {system: matrix of the held recordings}.
    """
    settings = EvaluateSettings.of(fits.params["evaluate"])
    pooled, skews, artists = {}, {}, []
    for learning, held in pairs:
        evaluation = Evaluation(fits.tracks[held], fits.columns, settings)
        for name, similarity in similarities(learning, held).items():
            skews.setdefault(name, []).append(evaluation.hub_skew(similarity))
            for measure, values in evaluation.scores(evaluation.rank(similarity)).items():
                pooled.setdefault(name, {}).setdefault(measure, []).append(values)
        artists.append(evaluation.artists)
    joined = {
        name: {
            measure: np.concatenate(values)
            for measure, values in measures.items()
            # Whether a column has one value a recording, and a P@10, may differ from fold to fold.
            if len(values) == len(artists)
        }
        for name, measures in pooled.items()
    }
    return joined, skews, np.concatenate(artists)


def unit(vectors):
    """Bring vectors to unit length."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def ours(fits, settings, learning, held, start=None, objective=Objective):
    """Similarities of the held recordings as search ranks them, and without each part of it."""
    vectors = fits.embed(settings, splits_of(learning), held, True, start, objective)
    artists = fits.artists[held]
    encoder = settings.embedding
    described = encoder + settings.descriptor_branch.embedding
    sound = described + (settings.reduced if settings.backbones else 0)
    views = {
        "without subspaces": slice(sound), "encoder alone": slice(encoder),
        "descriptor branch alone": slice(encoder, described),
        "subspaces alone": slice(sound, None),
    }  # fmt: skip
    if settings.backbones:
        views["backbones alone"] = slice(described, sound)
    return {
        "": hub_corrected(vectors, artists, fits.hubs),
        ", no hub correction": cosine(vectors),
        **{
            f", {k}": hub_corrected(unit(vectors[:, v]), artists, fits.hubs)
            for k, v in views.items()
        },
    }


def mean_ndcg(scores):
    """Mean over columns; a recording without a value in one column counts by the others."""
    return np.nanmean(np.stack([v for m, v in scores.items() if "_ndcg@" in m]), axis=0)


def interval(values, artists, settings):
    """Mean with its interval over artists; `settings` are those of the evaluation."""
    return bootstrap(values, artists, settings.bootstrap, settings.seed)


def text(found, sign=""):
    if found["value"] is None or np.isnan(found["value"]):
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


def publish(root, name, lines):
    """Write a page of Markdown beside the benchmarks and show it."""
    page = "\n".join(lines).rstrip("\n")
    with written_aside(root / "benchmarks" / f"{name}.md") as aside:
        aside.write_text(f"{page}\n", encoding="utf-8")
    print(page)
