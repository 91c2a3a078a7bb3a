"""The systems that are compared: simlib, its baselines, and other systems' files."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from simlib.core import Project
from simlib.evaluation.comparisons import comparison_files, load_comparison
from simlib.evaluation.protocol import Evaluation, compare_excerpts, compare_systems
from simlib.evaluation.similarities import (
    CosineSimilarity,
    HubCorrectedSimilarity,
    RandomSimilarity,
    Similarity,
    SummedSimilarity,
)
from simlib.evaluation.thirds import thirds
from simlib.features import DESCRIPTOR_GROUPS, FeatureStore
from simlib.index import EmbeddingStore, Index, IndexSettings, backbone_embedding
from simlib.model import Embedder, load_pretrained


def standardised(vectors: np.ndarray, others: np.ndarray, groups: Sequence[int]) -> np.ndarray:
    """Standardise hand-crafted features; every group of them gets equal weight.

    Parameters
    ----------
    vectors : numpy.ndarray, shape (n_tracks, d)
    others : numpy.ndarray, shape (n_others, d)
        Recordings by other artists, which give mean and standard deviation.
    groups : sequence of int
        Sizes of the groups of columns; they sum to d.

    Returns
    -------
    numpy.ndarray, shape (n_tracks, d)
    """
    deviation = others.std(axis=0)
    scores = (vectors - others.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
    return scores / np.sqrt(np.repeat(groups, groups))


def by_other_tags(evaluation: Evaluation) -> dict[str, SummedSimilarity]:
    """Rank by the Jaccard index of the other tag columns: a baseline that uses tags only.

    Returns
    -------
    dict of str to SummedSimilarity
        By the column that is measured; empty if there is only one.
    """
    gains = evaluation.gains
    if len(gains) < 2:
        return {}
    return {c: SummedSimilarity([g for o, g in gains.items() if o != c]) for c in gains}


def at_random(evaluation: Evaluation) -> RandomSimilarity:
    """Draw similarities at random: the lowest level of every measure."""
    return RandomSimilarity(len(evaluation.tracks), evaluation.settings.seed + 1)


@dataclass(frozen=True)
class EvaluationContext:
    """What the systems are computed from.

    Descriptors and models are read once. Log-mel spectrograms are read when they are embedded: in
    memory they would take gigabytes.

    Attributes
    ----------
    project : simlib.Project
    store : simlib.features.FeatureStore
    model : simlib.model.Embedder
    index : simlib.index.Index
    splits : numpy.ndarray of object, shape (n_tracks,)
        Of the index's tracks; from `split_artists`.
    settings : simlib.index.IndexSettings
        How recordings are cut into segments, for all networks alike.
    """

    project: Project
    store: FeatureStore
    model: Embedder
    index: Index
    splits: np.ndarray
    settings: IndexSettings

    @property
    def test(self) -> pd.DataFrame:
        """The test tracks."""
        return self.index.tracks[self.splits == "test"].reset_index(drop=True)

    @cached_property
    def untrained(self) -> Embedder:
        """The same network with random weights; the backbones and all scales are the same."""
        model, seed = self.model, self.model.provenance["train"]["seed"]
        same = Embedder.untrained(model.front_end, model.segment_seconds, model.architecture, seed)
        branch, trained = same.descriptor_branch, model.descriptor_branch
        branch.mean, branch.deviation = trained.mean, trained.deviation
        same.reduction = model.reduction
        return same

    @cached_property
    def pretrained(self) -> tuple[Embedder | None, str]:
        """The weights that come with simlib, and a remark on them.

        Returns
        -------
        model : simlib.model.Embedder or None
            None if they cannot be scored.
        remark : str
        """
        path, digests = self.project.pretrained_weights, self.index.tracks["digest"]
        model, remark = load_pretrained(path, self.model.front_end, digests)
        needed = model.backbones if model is not None else ()
        for name in needed:
            if name not in self.store.backbones():
                where = f"The weights in {path.parent.name}/ need the activations of '{name}'"
                return None, f"{where}, which `train.backbones` leaves out."
        return model, remark

    @cached_property
    def embeddings(self) -> EmbeddingStore:
        """What earlier evaluations computed of each recording."""
        return EmbeddingStore(self.project.evaluation_embeddings)

    @cached_property
    def descriptors(self) -> np.ndarray:
        """The hand-crafted descriptors of the catalogue: float32, shape (n_tracks, 102)."""
        return self.store.descriptors(self.index.tracks["descriptor"])

    @property
    def described(self) -> np.ndarray:
        """The descriptors of the catalogue, standardised, to be compared by cosine."""
        return self.standardised(self.descriptors)

    @cached_property
    def backbones(self) -> dict[str, np.ndarray]:
        """Each backbone's embedding of the catalogue: float32, shape (n_tracks, size)."""
        tracks, names = self.index.tracks, self.model.backbones
        return {name: self.embeddings.backbone(name, self.store, tracks) for name in names}

    def standardised_backbone(self, name: str, vectors: np.ndarray) -> np.ndarray:
        """Standardise embeddings by a backbone alone; see `standardised`."""
        known = self.backbones[name][self.splits != "test"]
        return standardised(vectors, known, [known.shape[1]])

    def standardised(self, descriptors: np.ndarray) -> np.ndarray:
        """Standardise descriptors by the tracks of all but the test artists."""
        return standardised(descriptors, self.descriptors[self.splits != "test"], DESCRIPTOR_GROUPS)

    def embed(self, model: Embedder, tracks: pd.DataFrame) -> np.ndarray:
        """Embed recordings as the index does: float32, shape (n_tracks, dimensions)."""
        return self.embeddings.vectors(model, self.store, tracks, self.settings.hop_seconds)


def evaluate_systems(
    context: EvaluationContext, evaluation: Evaluation
) -> tuple[dict[str, Similarity], dict]:
    """Score all systems on the test artists.

    Parameters
    ----------
    context : EvaluationContext
    evaluation : simlib.evaluation.Evaluation

    Returns
    -------
    systems : dict of str to Similarity
        Of `simlib` and its two baselines, for lists and figures.
    report : dict
        What `metrics/evaluation.json` holds; see `simlib.evaluation.compare_systems`.

    Raises
    ------
    SimlibError
        If a file in `comparisons/` cannot be used.
    """
    tracks, artists, hubs = evaluation.tracks, evaluation.artists, context.index.settings.hubs
    test = context.splits == "test"
    systems: dict[str, Similarity] = {
        "simlib": HubCorrectedSimilarity(context.index.weighted()[test], artists, hubs),
        "untrained": CosineSimilarity(context.embed(context.untrained, tracks)),
        "mfcc": CosineSimilarity(context.described[test]),
    }
    if not evaluation.columns:
        return systems, compare_excerpts(_excerpts(context, tracks), evaluation)
    compared: dict[str, Any] = dict(systems)
    if (shipped := context.pretrained[0]) is not None:
        vectors = context.embed(shipped, tracks)
        compared["pretrained"] = HubCorrectedSimilarity(vectors, artists, hubs)
    for name in context.model.backbones:
        embedded = context.standardised_backbone(name, context.backbones[name][test])
        compared[name] = CosineSimilarity(embedded)
    if tags := by_other_tags(evaluation):
        compared["tags"] = tags
    compared["random"] = at_random(evaluation)
    for name, path in comparison_files(context.project.comparisons).items():
        compared[name] = load_comparison(path, tracks)
    return systems, compare_systems(compared, evaluation)


def _excerpts(context, tracks):
    """Embed the first third of each recording, and the rest: {system: (excerpts, rests)}."""
    networks = {"simlib": context.model, "untrained": context.untrained}
    if (shipped := context.pretrained[0]) is not None:
        networks["pretrained"] = shipped
    front_end = context.model.front_end
    cut = [thirds(context.store.features(track), front_end) for _, track in tracks.iterrows()]
    found = {}
    for name, model in networks.items():
        # The step is a whole segment, so that no second counts twice.
        hop = model.segment_seconds
        vectors = context.embeddings.parts(model, context.store, tracks, hop, thirds)
        found[name] = _stacked(vectors, lambda vector: vector)
    described = _stacked(cut, lambda part: part.descriptor.mean(axis=0))
    found["mfcc"] = tuple(context.standardised(vectors) for vectors in described)
    for name in context.model.backbones:
        parts = _stacked(cut, lambda part, n=name: backbone_embedding(part, n))
        found[name] = tuple(context.standardised_backbone(name, vectors) for vectors in parts)
    rng = np.random.default_rng(0)
    found["random"] = tuple(rng.standard_normal((len(tracks), 16)) for _ in range(2))
    return found


def _stacked(cut, embed):
    """Embed excerpt and rest of each recording; rows of NaN for those that are not cut."""
    embedded = [None if pair is None else [embed(features) for features in pair] for pair in cut]
    size = next((len(pair[0]) for pair in embedded if pair is not None), 1)
    missing = [np.full(size, np.nan)] * 2
    return tuple(np.stack(rows) for rows in zip(*(p or missing for p in embedded), strict=True))
