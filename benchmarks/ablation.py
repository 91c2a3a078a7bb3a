"""What each part of the model is worth: backbones, own encoder, descriptor, subspaces, and more.

    python benchmarks/ablation.py

Works on the catalogue in `data/` after `make repro`, leaves the test artists of `params.yaml` out,
and resumes where it was interrupted. In each fold of artists one encoder is trained, at the length
of the ablations of the encoder itself (`ablation_encoder.py`), and the branches anew for each row.
Two rows are other ways to use the backbones: musicnn's dense layer is tuned with the pair weights
of training, and the similarities of the whole model are distilled into an encoder without
backbones. Writes `benchmarks/ABLATION.md`.
"""

import dataclasses
from typing import NamedTuple

import joblib
import numpy as np
import torch
from ablation_encoder import SHORT, SHORT_FOLDS, changed
from fits import (
    EmbeddingLayers,
    Fits,
    embedded,
    fold_masks,
    kept_array,
    publish,
    scored,
    splits_of,
    table,
    unit,
    with_new_branches,
)
from torch import nn

from simlib.core import Project, cosine, digest_of
from simlib.evaluation import EvaluateSettings
from simlib.features import FeatureStore, load_backbone, load_card
from simlib.features.audio import mono_blocks
from simlib.features.backbones.activations import MelActivations
from simlib.features.spectrogram import feed
from simlib.index import hub_corrected
from simlib.model import Embedder
from simlib.relevance import SplitSettings, split_artists
from simlib.training import (
    GradedSupConLoss,
    Objective,
    PairWeights,
    TrainingData,
    TrainSettings,
)

RECIPE = "the model"


class Row(NamedTuple):
    """What a row of the table changes: settings, layers of the backbones, parts of a branch."""

    changes: dict
    layers: str = "all"
    linear: bool = True


ROWS = {
    RECIPE: Row({}),
    "no backbones: from scratch": Row({"backbones": []}),
    "musicnn only": Row({"backbones": ["musicnn"]}),
    "vgg only": Row({"backbones": ["vgg"]}),
    "their embedding layers only": Row({}, layers="embedding"),
    "128 components": Row({"reduced": 128}),
    "300 components": Row({"reduced": 300}),
    "subspaces without a linear map": Row({}, linear=False),
    "subspaces without the encoder": Row({"encoder_dropout": 1.0}),
    "temperature 0.4": Row({"temperature": 0.4}),
    "musicnn's dense layer tuned": Row({}, layers="tuned"),
}
# Of the tuning: a small rate, as few steps as the branches have.
TUNING_RATE, TUNING_STEPS, TUNING_PATCHES = 1e-4, 250, 3
# How sharp the similarities of the teacher are, as targets of the distilled encoder.
TEACHER_TEMPERATURE = 0.1


class HiddenOnly(Embedder):
    """An embedder whose subspaces have no linear map beside their hidden layer."""

    def new_subspace(self, name):
        """Make a branch whose linear map is 0 and stays 0."""
        branch = super().new_subspace(name)
        nn.init.zeros_(branch.linear.weight).requires_grad_(False)
        return branch


class DenseInputs:
    """What musicnn's dense layer takes, as a network that `MelActivations` can use."""

    def __init__(self, backbone):
        self.backbone, self.rows = backbone, []
        norm = backbone._network.pooled_norm
        norm.register_forward_hook(lambda module, given, made: self.rows.append(made.numpy()))

    def activations(self, patches):
        """Compute float32 of shape (n_patches, 1506)."""
        self.rows.clear()
        self.backbone.activations(patches)
        return np.stack(self.rows)


class DenseLayer(nn.Module):
    """Musicnn's dense layer, to be tuned."""

    def __init__(self, network):
        super().__init__()
        dense, norm = network.dense, network.dense_norm
        given = (dense.weight, dense.bias, norm.factor, norm.offset)
        names = ("weight", "bias", "factor", "offset")
        for name, tensor in zip(names, given, strict=True):
            self.register_parameter(name, nn.Parameter(tensor.clone()))

    def forward(self, pooled):
        """Compute the penultimate layer."""
        dense = nn.functional.linear(pooled, self.weight, self.bias)
        return torch.relu(dense) * self.factor + self.offset


class TunedLayers(FeatureStore):
    """A feature store in which musicnn's penultimate layer is another one."""

    def __init__(self, folder, penultimate):
        super().__init__(folder)
        self.penultimate = penultimate

    def features(self, track):
        """Map the features of a row of the table."""
        found = super().features(track)
        patches = np.array(found.backbones["musicnn"])
        patches[:, load_card("musicnn").columns("penultimate")] = self.penultimate[track.track_id]
        return dataclasses.replace(found, backbones=found.backbones | {"musicnn": patches})


def dense_inputs(fits):
    """Return what musicnn's dense layer takes, {track_id: (n_patches, 1506)}."""

    def one(track):
        torch.set_num_threads(1)
        path = fits.folder / f"dense-{digest_of([track.digest, fits.code])[:32]}.npy"

        def make():
            network = DenseInputs(load_backbone("musicnn"))
            feature = MelActivations(network, load_card("musicnn").front_end)
            feed(mono_blocks(fits.project.data / track.path), feature)
            return feature.array()

        return kept_array(path, make)

    rows = [track for _, track in fits.tracks.iterrows()]
    with joblib.parallel_config("loky", inner_max_num_threads=1):
        found = joblib.Parallel(-1)(joblib.delayed(one)(track) for track in rows)
    return dict(zip(fits.tracks["track_id"], found, strict=True))


def tuned_penultimate(fits, settings, pooled, learning):
    """Tune the dense layer on recordings to learn from; return its output for all of them."""
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    layer = DenseLayer(load_backbone("musicnn", "float32")._network)
    tracks = fits.tracks[learning].reset_index(drop=True)
    patches = [torch.from_numpy(pooled[name].astype(np.float32)) for name in tracks["track_id"]]
    with torch.no_grad():
        before = torch.stack([layer(one).mean(dim=0) for one in patches])
    mean, deviation = before.mean(dim=0), before.std(dim=0).clamp(min=1e-6)
    loss = GradedSupConLoss(
        PairWeights(tracks, fits.columns, settings.positives), settings.temperature
    )
    optimizer = torch.optim.AdamW(layer.parameters(), TUNING_RATE, weight_decay=0.01)
    for _ in range(TUNING_STEPS):
        size = min(settings.branch_batch_size, len(tracks))
        rows = np.tile(rng.choice(len(tracks), size, replace=False), 2)
        drawn = [patches[row][rng.integers(0, len(patches[row]), TUNING_PATCHES)] for row in rows]
        made = layer(torch.stack(drawn)).mean(dim=1)
        embedded = nn.functional.normalize((made - mean) / deviation, dim=1)
        value = loss(embedded, torch.from_numpy(rows))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    with torch.inference_mode():
        return {
            name: layer(torch.from_numpy(one.astype(np.float32))).numpy()
            for name, one in pooled.items()
        }


def distilled(teacher):
    """Return an objective: to find alike what a teacher does, {track_id: embedding}."""

    class Distilled(Objective):
        """The similarities of the teacher are the pair weights."""

        def __init__(self, tracks, columns, settings):
            super().__init__(tracks, columns, settings)
            vectors = torch.from_numpy(np.stack([teacher[name] for name in tracks["track_id"]]))

            def pair_weights(rows):
                logits = vectors[rows] @ vectors[rows].T / TEACHER_TEMPERATURE
                return logits.fill_diagonal_(-torch.inf).softmax(dim=1).numpy()

            self.pair_weights = pair_weights
            self.contrastive = GradedSupConLoss(pair_weights, settings.temperature)

    return Distilled


def refitted(fits, row, settings, learning, held, pooled):
    """Embed the held recordings with branches trained anew on the encoder of the fold."""
    made_of = [row, settings.as_dict(), learning.tolist(), held.tolist(), fits.code, fits.hop]
    made_of += [TUNING_RATE, TUNING_STEPS, TUNING_PATCHES]

    def make():
        torch.set_num_threads(1)
        wanted = TrainSettings.of(changed(settings.as_dict(), row.changes))
        base = fits.model(settings, splits_of(learning))
        store = fits.store
        if row.layers == "embedding":
            store = EmbeddingLayers(store.folder)
        elif row.layers == "tuned":
            store = TunedLayers(store.folder, tuned_penultimate(fits, wanted, pooled, learning))
        data = TrainingData.read(store, fits.tracks, splits_of(learning), wanted.backbones)
        model = with_new_branches(base, data, wanted, Embedder if row.linear else HiddenOnly)
        return embedded(model, store, fits.tracks[held], fits.hop)

    return kept_array(fits.folder / f"ablation-{digest_of(made_of)[:32]}.npy", make)


def taught(fits, settings, learning, held):
    """Embed the held recordings by an encoder that the fold's model was distilled into."""

    def make():
        torch.set_num_threads(1)
        tracks = fits.tracks[learning]
        teacher = embedded(fits.model(settings, splits_of(learning)), fits.store, tracks, fits.hop)
        objective = distilled(dict(zip(tracks["track_id"], teacher, strict=True)))
        student = settings.model_copy(update={"backbones": ()})
        return fits.embed(student, splits_of(learning), held, True, None, objective)

    made_of = [settings.as_dict(), learning.tolist(), held.tolist(), fits.code, fits.hop]
    made_of += ["distilled", TEACHER_TEMPERATURE]
    return kept_array(fits.folder / f"ablation-{digest_of(made_of)[:32]}.npy", make)


def without(vectors, part):
    """Set the columns of a part to 0."""
    vectors = vectors.copy()
    vectors[:, part] = 0
    return unit(vectors)


def main():
    """Measure and write."""
    project = Project.find()
    params = project.params()
    fits = Fits(project, params)
    settings = TrainSettings.of(changed(params["train"], SHORT))
    chosen = EvaluateSettings.of(params["evaluate"])
    among = split_artists(fits.tracks, SplitSettings.of(params["split"])) != "test"
    folds = list(fold_masks(fits, among, **SHORT_FOLDS))
    pooled = dense_inputs(fits)
    fits.all([(settings, splits_of(learning), held) for learning, held in folds])
    call = joblib.delayed(refitted)
    with joblib.parallel_config("loky", inner_max_num_threads=1):
        joblib.Parallel(-1, batch_size=1)(
            call(fits, row, settings, *fold, pooled if row.layers == "tuned" else None)
            for row in ROWS.values()
            for fold in folds
        )
        joblib.Parallel(-1, batch_size=1)(
            joblib.delayed(taught)(fits, settings, *fold) for fold in folds
        )
    encoder = slice(settings.embedding)
    descriptor = slice(
        settings.embedding, settings.embedding + settings.descriptor_branch.embedding
    )
    backbones = slice(descriptor.stop, descriptor.stop + settings.reduced)
    sound, subspaces = slice(backbones.stop), slice(backbones.stop, None)

    def similarities(learning, held):
        def corrected(vectors):
            return hub_corrected(vectors, fits.artists[held], fits.hubs)

        made = {
            name: refitted(fits, row, settings, learning, held, pooled)
            for name, row in ROWS.items()
        }
        whole, student = made[RECIPE], taught(fits, settings, learning, held)
        parts = {
            "no hub correction": cosine(whole),
            "the sound without the encoder": corrected(without(whole, encoder)),
            "the sound without the descriptor": corrected(without(whole, descriptor)),
            "the sound without the backbones": corrected(without(whole, backbones)),
            "the sound alone, no subspaces": corrected(unit(whole[:, sound])),
            "subspaces alone": corrected(unit(whole[:, subspaces])),
            "backbones alone, reduced": corrected(unit(whole[:, backbones])),
            "encoder alone": corrected(unit(whole[:, encoder])),
            "descriptor alone": corrected(unit(whole[:, descriptor])),
            "distilled, no backbones": corrected(student),
            "distilled, encoder alone": corrected(unit(student[:, encoder])),
            **{
                f"{name}, a cosine": fits.alone(name, learning, held) for name in ("musicnn", "vgg")
            },
        }
        return {name: corrected(vectors) for name, vectors in made.items()} | parts

    scores, skews, artists = scored(fits, folds, similarities)
    publish(project.root, "ABLATION", [
        "# What each part is worth",
        "",
        f"`python benchmarks/ablation.py`: {SHORT_FOLDS['folds']} folds over the {len(artists)}"
        " recordings of the training and validation artists, one thing changed a row; the encoder"
        f" trained for {SHORT['epochs']} epochs; nDCG@10 with 95% intervals over artists.",
        "",
        *table(scores, skews, artists, RECIPE, chosen),
        "",
        f"`musicnn's dense layer tuned`: {TUNING_STEPS} steps at a rate of {TUNING_RATE:g} with the"
        " pair weights of training, then branches on it. `distilled`: the encoder learned the"
        " similarities of the whole model in place of pair weights.",
        "",
        f"{len(fits.tracks)} recordings, digest {fits.code[:8]} of the code.",
    ])  # fmt: skip


if __name__ == "__main__":
    main()
