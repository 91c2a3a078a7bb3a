"""Training of the branches on whole recordings: the descriptor branch and the subspaces."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from simlib.features import compute_tempogram
from simlib.model import TEMPO, Branch, BranchSettings, Embedder, pool_segments, subspace_name
from simlib.relevance import (
    artist_filter,
    artist_keys,
    complete_bpm,
    jaccard,
    known_bpm,
    ndcg,
    rank_candidates,
    tag_matrix,
    tempo_gain,
)
from simlib.training.augmentation import degrade_spectrogram
from simlib.training.data import Recordings, TrainingData
from simlib.training.losses import GradedSupConLoss
from simlib.training.positives import PairWeights, TempoPairWeights
from simlib.training.run import FINE_TUNING_RATE, averaged
from simlib.training.settings import TrainSettings
from simlib.training.validation import VALIDATION_K

# Recordings in a batch, each with its degraded copy.
BRANCH_BATCH = 256
# Share of the items for which a tag subspace is trained without the encoder's embedding. The
# encoder was trained on the same recordings, so its embedding is more telling there than elsewhere.
WITHHELD = 0.5


class RecordingInputs:
    """Inputs of the subspaces, for some recordings.

    Parameters
    ----------
    model : simlib.model.Embedder
    recordings : simlib.training.data.Recordings
    hop : float
        Seconds between two segments.
    seed : int, optional
        Of random degradations. Without it, the recordings are taken as they are.
    """

    def __init__(
        self, model: Embedder, recordings: Recordings, hop: float, seed: int | None = None
    ):
        self.model, self.tempograms = model, []
        self.descriptors = recordings.descriptors if seed is None else recordings.degraded
        self.encoded = []
        rng = np.random.default_rng(seed)
        for log_mel in recordings.log_mels:
            if seed is not None:
                log_mel = degrade_spectrogram(log_mel, rng)
            self.encoded.append(pool_segments(model.segments(log_mel, hop)[0]))
            self.tempograms.append(compute_tempogram(log_mel, model.front_end))

    def of(self, name: str) -> np.ndarray:
        """Return a subspace's input: float32, shape (n_recordings, n_features)."""
        inputs = zip(self.encoded, self.descriptors, self.tempograms, strict=True)
        return np.array([self.model.subspace_input(name, *one) for one in inputs], dtype=np.float32)


@dataclass
class SubspaceTask:
    """How to train one subspace.

    Attributes
    ----------
    settings : simlib.model.BranchSettings
    pair_weights : callable
        See `simlib.training.PairWeights`.
    gain : numpy.ndarray, shape (n_validation, n_validation)
        Relevance among the validation recordings.
    encoded : int
        How many of the features, the first, are the encoder's embedding.
    """

    settings: BranchSettings
    pair_weights: Callable[[np.ndarray], np.ndarray]
    gain: np.ndarray
    encoded: int = 0


def fit_subspaces(
    model: Embedder, data: TrainingData, settings: TrainSettings, replace: bool
) -> None:
    """Train a subspace for each tag column and one for the tempo.

    Parameters
    ----------
    model : simlib.model.Embedder
        Its subspaces are changed in place.
    data : simlib.training.TrainingData
    settings : simlib.training.TrainSettings
    replace : bool
        Whether to train those anew that the model has already. A new one replaces the old one only
        if it does better among the validation artists: what was learned from many recordings must
        not be lost to a few.
    """
    hop = settings.segment_seconds
    train, validation = (RecordingInputs(model, r, hop) for r in (data.train, data.validation))
    degraded = RecordingInputs(model, data.train, hop, settings.seed)
    bpm = [
        complete_bpm(known_bpm(recordings.tracks), inputs.tempograms, model.front_end)
        for recordings, inputs in ((data.train, train), (data.validation, validation))
    ]
    candidate_mask = artist_filter(artist_keys(data.validation.tracks))
    for name, task in _tasks(model, data, bpm, settings).items():
        existing = model.subspaces.get(name)
        if existing is not None and not replace:
            continue
        torch.manual_seed(settings.seed)
        new = model.new_subspace(name)
        inputs = np.stack([train.of(name), degraded.of(name)])
        fit_branch(new, inputs, task.pair_weights, task.settings, settings, encoded=task.encoded)
        branches = [branch for branch in (existing, new) if branch is not None]
        scores = [
            retrieval_of_branch(branch, validation.of(name), task.gain, candidate_mask)
            for branch in branches
        ]
        model.subspaces[name] = branches[int(np.argmax(scores))]


def _tasks(model, data, bpm, settings):
    """Return {subspace: SubspaceTask}; `bpm` are those of the training and validation tracks."""
    positives = settings.positives
    # Recording and artist are what the other branches learn. A subspace that learned them too
    # would learn less of its own column.
    tags_alone = positives.model_copy(update={"recording": 0.0, "artist": 0.0})
    tasks = {
        subspace_name(column): SubspaceTask(
            settings.tag_subspaces,
            PairWeights(data.train.tracks, [column], tags_alone),
            jaccard(tag_matrix(data.validation.tracks[column])),
            encoded=model.architecture["embedding"],
        )
        for column in data.columns
        if positives.tag_weight(column)
    }
    train, validation = bpm
    tempo = settings.tempo_subspace
    tasks[TEMPO] = SubspaceTask(tempo, TempoPairWeights(train), tempo_gain(validation))
    return tasks


def retrieval_of_branch(
    branch: Branch, features: np.ndarray, gain: np.ndarray, candidate_mask: np.ndarray
) -> float:
    """Return the mean nDCG@10 of a branch alone; 0 if nothing is relevant to any query."""
    if not gain.any():
        return 0.0
    branch.eval()
    with torch.inference_mode():
        vectors = branch(torch.from_numpy(features).to(branch.mean.device)).cpu().numpy()
    ranked = rank_candidates(vectors @ vectors.T, candidate_mask, VALIDATION_K, 0)
    scores = ndcg(ranked, gain, candidate_mask)
    return float(np.nanmean(scores)) if np.isfinite(scores).any() else 0.0


def fit_branch(
    branch: Branch,
    inputs: np.ndarray,
    pair_weights: Callable[[np.ndarray], np.ndarray],
    wanted: BranchSettings,
    settings: TrainSettings,
    *,
    tuning: bool = False,
    encoded: int = 0,
) -> None:
    """Train a branch on whole recordings; this takes seconds.

    Parameters
    ----------
    branch : simlib.model.Branch
        Changed in place, to the averaged weights of the last step.
    inputs : numpy.ndarray of float32, shape (2, n_recordings, n_features)
        Of the training recordings, and of degraded copies of them.
    pair_weights : callable
        Of the same recordings; see `simlib.training.PairWeights`.
    wanted : simlib.model.BranchSettings
    settings : simlib.training.TrainSettings
    tuning : bool
        Whether the branch has been trained before. Its scale then stays, and its weights move
        slower.
    encoded : int
        How many of the features, the first, are the encoder's embedding; see `WITHHELD`.
    """
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    rate = wanted.learning_rate * (FINE_TUNING_RATE if tuning else 1.0)
    if not tuning:
        branch.scale_by(inputs[0])
    loss = GradedSupConLoss(pair_weights, settings.temperature)
    optimizer = torch.optim.AdamW(branch.parameters(), lr=rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, wanted.steps)
    average = averaged(branch, settings.ema_decay)
    device, count = branch.mean.device, inputs.shape[1]
    branch.train()
    for _ in range(wanted.steps):
        rows = rng.choice(count, min(BRANCH_BATCH, count), replace=False)
        both = torch.from_numpy(np.concatenate(inputs[:, rows])).to(device)
        withheld = torch.from_numpy(rng.random(len(both)) < WITHHELD).to(device)
        both[:, :encoded] = torch.where(withheld[:, None], branch.mean[:encoded], both[:, :encoded])
        value = loss(branch(both), torch.from_numpy(np.tile(rows, 2)))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        schedule.step()
        average.update_parameters(branch)
    branch.load_state_dict(average.module.state_dict())
