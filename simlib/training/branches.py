"""Training of the branches on whole recordings: the descriptor branch and the subspaces."""

from collections.abc import Callable, Iterator

import numpy as np
import torch

from simlib.features import compute_tempogram
from simlib.model import (
    TEMPO,
    Branch,
    BranchSettings,
    Embedder,
    WholeRecording,
    pool_segments,
    subspace_name,
)
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
from simlib.training.run import averaged
from simlib.training.settings import TrainSettings
from simlib.training.validation import VALIDATION_K


class SubspaceInputs:
    """Inputs of the subspaces, for some recordings or for degraded copies of them.

    Parameters
    ----------
    model : simlib.model.Embedder
    recordings : simlib.training.data.Recordings
    settings : simlib.training.TrainSettings
    degraded : bool
    """

    def __init__(
        self, model: Embedder, recordings: Recordings, settings: TrainSettings, degraded=False
    ):
        self.front_end, self.tracks = model.front_end, recordings.tracks
        descriptors = recordings.degraded if degraded else recordings.descriptors
        reduced = model.reduce(recordings.activations)
        rng = np.random.default_rng(settings.seed)
        self.recordings = []
        for row, log_mel in enumerate(recordings.log_mels):
            if degraded:
                log_mel = degrade_spectrogram(log_mel, settings.augmentation.degrade, rng)
            encoded = pool_segments(model.segments(log_mel, settings.segment_seconds)[0])
            tempogram = compute_tempogram(log_mel, model.front_end)
            one = WholeRecording(encoded, descriptors[row], tempogram, reduced[row])
            self.recordings.append(one)

    def of(self, name: str) -> np.ndarray:
        """Return a subspace's input: float32, shape (n_recordings, n_features)."""
        inputs = [one.of_subspace(name, self.front_end) for one in self.recordings]
        return np.array(inputs, dtype=np.float32)

    def bpm(self) -> np.ndarray:
        """Return tempi, estimated if unknown: float64, shape (n_recordings,)."""
        tempograms = [one.tempogram for one in self.recordings]
        return complete_bpm(known_bpm(self.tracks), tempograms, self.front_end)


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
        Whether to train subspaces that the model has already. A new one replaces the old one only
        if it does better among the validation artists: what was learned from many recordings must
        not be lost to a few.
    """
    train, validation = (SubspaceInputs(model, r, settings) for r in (data.train, data.validation))
    degraded = SubspaceInputs(model, data.train, settings, degraded=True)
    candidate_mask = artist_filter(artist_keys(data.validation.tracks))
    for name, wanted, pair_weights, gain in _tasks(data, settings, train, validation):
        existing = model.subspaces.get(name)
        if existing is not None and not replace:
            continue
        torch.manual_seed(settings.seed)
        new = model.new_subspace(name)
        inputs = np.stack([train.of(name), degraded.of(name)])
        encoded = 0 if name == TEMPO else settings.embedding
        fit_branch(new, inputs, pair_weights, wanted, settings, encoded=encoded)
        branches = [branch for branch in (existing, new) if branch is not None]
        features = validation.of(name)
        scores = [retrieval_of_branch(b, features, gain, candidate_mask) for b in branches]
        model.subspaces[name] = branches[int(np.argmax(scores))]


def _tasks(
    data: TrainingData, settings: TrainSettings, train: SubspaceInputs, validation: SubspaceInputs
) -> Iterator[tuple[str, BranchSettings, Callable[[np.ndarray], np.ndarray], np.ndarray]]:
    """Yield each subspace's name, settings, pair weights, and gains in the validation."""
    # Recording and artist are what the other branches learn. A subspace that learned them too
    # would learn less of its own column.
    tags_alone = settings.positives.model_copy(update={"recording": 0.0, "artist": 0.0})
    for column in filter(settings.positives.tag_weight, data.columns):
        pair_weights = PairWeights(data.train.tracks, [column], tags_alone)
        gain = jaccard(tag_matrix(data.validation.tracks[column]))
        yield subspace_name(column), settings.tag_subspaces, pair_weights, gain
    gain = tempo_gain(validation.bpm())
    yield TEMPO, settings.tempo_subspace, TempoPairWeights(train.bpm()), gain


def retrieval_of_branch(
    branch: Branch, features: np.ndarray, gain: np.ndarray, candidate_mask: np.ndarray
) -> float:
    """Return the mean nDCG@10 of a branch alone; 0 if nothing is relevant to any query."""
    if not gain.any():
        return 0.0
    branch.eval()
    with torch.inference_mode():
        vectors = branch(torch.from_numpy(features).to(_device(branch))).cpu().numpy()
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
        How many of the features, the first, are the encoder's embedding, which
        `settings.encoder_dropout` replaces by its mean.
    """
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    rate = wanted.learning_rate * (settings.fine_tuning_rate if tuning else 1.0)
    if not tuning:
        branch.scale_by(inputs[0])
    loss = GradedSupConLoss(pair_weights, settings.temperature)
    optimizer = torch.optim.AdamW(branch.parameters(), lr=rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, wanted.steps)
    average = averaged(branch, settings.ema_decay)
    device, count, mean = _device(branch), inputs.shape[1], branch.get_buffer("mean")
    branch.train()
    for _ in range(wanted.steps):
        rows = rng.choice(count, min(settings.branch_batch_size, count), replace=False)
        both = torch.from_numpy(np.concatenate(inputs[:, rows])).to(device)
        dropped = torch.from_numpy(rng.random(len(both)) < settings.encoder_dropout).to(device)
        both[dropped, :encoded] = mean[:encoded]
        value = loss(branch(both), torch.from_numpy(np.tile(rows, 2)))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        schedule.step()
        average.update_parameters(branch)
    branch.load_state_dict(average.module.state_dict())


def _device(module):
    return next(module.parameters()).device
