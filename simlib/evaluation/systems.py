"""How good the ranked lists are, for artists that the model never heard, and beside what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from simlib.core import Project, cosine
from simlib.evaluation.comparisons import comparison_files, load_comparison
from simlib.evaluation.protocol import compare_excerpts, compare_systems
from simlib.features import DESCRIPTOR_BLOCK_SECONDS, DESCRIPTOR_GROUPS, FeatureStore
from simlib.index import Index, IndexSettings, hub_corrected
from simlib.model import Embedder, load_pretrained

if TYPE_CHECKING:
    from simlib.evaluation.protocol import Evaluation


def standardised(vectors: np.ndarray, reference: np.ndarray, groups: Sequence[int]) -> np.ndarray:
    """Make hand-crafted features comparable: z-scored, every group of them of equal weight.

    Parameters
    ----------
    vectors : numpy.ndarray, shape (n_tracks, d)
    reference : numpy.ndarray, shape (n_others, d)
        Other artists' recordings, which give mean and deviation.
    groups : sequence of int
        Sizes of the groups of columns; they sum to d.

    Returns
    -------
    numpy.ndarray, shape (n_tracks, d)
    """
    deviation = reference.std(axis=0)
    scores = (vectors - reference.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
    return scores / np.sqrt(np.repeat(groups, groups))


def by_other_tags(evaluation: Evaluation) -> dict[str, Any]:
    """Rank by the overlap of the other tag columns: what words can say, as a reference.

    Returns
    -------
    dict of str to numpy.ndarray, shape (n_tracks, n_tracks)
        By the column that is measured; empty where there is only one.
    """
    gains = evaluation.gains
    if len(gains) < 2:
        return {}
    return {c: sum(g for other, g in gains.items() if other != c) for c in gains}


def at_random(evaluation: Evaluation) -> np.ndarray:
    """Similarities that mean nothing: the floor of every measure."""
    rng = np.random.default_rng(evaluation.settings.seed + 1)
    return rng.random((len(evaluation.tracks),) * 2)


@dataclass(frozen=True)
class EvaluationContext:
    """Where the systems find what they need.

    Attributes
    ----------
    project : simlib.Project
    store : simlib.features.FeatureStore
    model : simlib.model.Embedder
    index : simlib.index.Index
    sides : numpy.ndarray of object, shape (n_tracks,)
        Of the index's tracks; from `split_artists`.
    settings : simlib.index.IndexSettings
        How segments are laid, for all encoders alike.
    """

    project: Project
    store: FeatureStore
    model: Embedder
    index: Index
    splits: np.ndarray
    settings: IndexSettings

    @property
    def test(self) -> pd.DataFrame:
        """The test rows of the table."""
        return self.index.tracks[self.splits == "test"].reset_index(drop=True)

    @property
    def untrained(self) -> Embedder:
        """The same network with random weights; only the features' scale is the same."""
        seed = self.model.provenance["train"]["seed"]
        model = self.model
        same = Embedder.untrained(model.front_end, model.segment_seconds, model.architecture, seed)
        same.descriptor_branch.mean, same.descriptor_branch.deviation = (
            model.descriptor_branch.mean,
            model.descriptor_branch.deviation,
        )
        return same

    @property
    def pretrained(self) -> tuple[Embedder | None, str]:
        """The weights that come with simlib, and a word on them.

        Returns
        -------
        model : simlib.model.Embedder or None
            None where they cannot be scored.
        remark : str
        """
        digests = self.index.tracks["digest"]
        return load_pretrained(self.project.pretrained_weights, self.model.front_end, digests)

    def embed(self, model: Embedder, tracks: pd.DataFrame) -> np.ndarray:
        """Embed recordings as the index does: float32, shape (n_tracks, dimensions)."""
        return np.stack([
            model.track(*self.features(row), self.settings.hop_seconds)[0]
            for row in tracks.itertuples()
        ])  # fmt: skip

    def features(self, row: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return a recording's log-mel spectrogram and its descriptor."""
        return self.store.log_mel(row.log_mel), self.store.descriptor(row.descriptor)

    def describe(self, tracks: pd.DataFrame) -> np.ndarray:
        """Hand-crafted descriptors of recordings, ready to be compared by cosine."""
        return self.standardised(self.store.descriptors(tracks["descriptor"]))

    def standardised(self, descriptors: np.ndarray) -> np.ndarray:
        """Scale descriptors by what the recordings of all but the test artists are like."""
        known = self.store.descriptors(self.index.tracks["descriptor"][self.splits != "test"])
        return standardised(descriptors, known, DESCRIPTOR_GROUPS)


def evaluate_systems(
    context: EvaluationContext, evaluation: Evaluation
) -> tuple[dict[str, np.ndarray], dict]:
    """Score all systems on the test artists.

    Parameters
    ----------
    stage : Stage
    evaluation : simlib.evaluation.Evaluation

    Returns
    -------
    systems : dict of str to numpy.ndarray, shape (n_tracks, n_tracks)
        Similarities of `simlib` and its two baselines, for lists and figures.
    report : dict
        What `metrics/evaluation.json` holds; see `simlib.evaluation.compare_systems`.

    Raises
    ------
    SimlibError
        If a file in `comparisons/` cannot be used.
    """
    tracks, hubs = evaluation.tracks, context.index.settings.hubs
    systems = {
        "simlib": hub_corrected(
            context.index.weighted()[context.splits == "test"], evaluation.artists, hubs
        ),
        "untrained": cosine(context.embed(context.untrained, tracks)),
        "mfcc": cosine(context.describe(tracks)),
    }
    if not evaluation.columns:
        return systems, compare_excerpts(_excerpts(context, tracks), evaluation)
    compared: dict[str, Any] = dict(systems)
    if (shipped := context.pretrained[0]) is not None:
        vectors = context.embed(shipped, tracks)
        compared["pretrained"] = hub_corrected(vectors, evaluation.artists, hubs)
    if words := by_other_tags(evaluation):
        compared["tags"] = words
    compared["random"] = at_random(evaluation)
    for name, path in comparison_files(context.project.comparisons).items():
        compared[name] = load_comparison(path, tracks)
    return systems, compare_systems(compared, evaluation)


def _excerpts(context, tracks):
    """Embed each recording as an excerpt, its first third, and the rest; {system: (both)}."""
    learned = {"simlib": context.model, "untrained": context.untrained}
    if (shipped := context.pretrained[0]) is not None:
        learned["pretrained"] = shipped
    parts = [_thirds(context, row) for row in tracks.itertuples()]
    found = {}
    for name, model in learned.items():
        # Without overlap of segments, as there is none of the two parts.
        hop = model.segment_seconds
        found[name] = _stacked(parts, lambda part, m=model, h=hop: m.track(*part, h)[0])
    described = _stacked(parts, lambda part: part[1].mean(axis=0))
    found["mfcc"] = tuple(context.standardised(side) for side in described)
    rng = np.random.default_rng(0)
    found["random"] = tuple(rng.standard_normal((len(tracks), 16)) for _ in range(2))
    return found


def _thirds(context, row):
    """Cut a recording's features after a third of its descriptor's blocks; None if it has one."""
    log_mel, descriptor = context.features(row)
    cut = -(-len(descriptor) // 3)
    frame = round(cut * DESCRIPTOR_BLOCK_SECONDS * context.model.front_end.frame_rate)
    if not 0 < cut < len(descriptor) or frame >= len(log_mel):
        return None
    return (log_mel[:frame], descriptor[:cut]), (log_mel[frame:], descriptor[cut:])


def _stacked(parts, embed):
    """Embed both parts of each recording; rows of NaN for those that have none."""
    halves = [None if both is None else [embed(part) for part in both] for both in parts]
    size = next((len(both[0]) for both in halves if both is not None), 1)
    nothing = [np.full(size, np.nan)] * 2
    filled = [nothing if both is None else both for both in halves]
    return tuple(np.stack([both[side] for both in filled]) for side in (0, 1))
