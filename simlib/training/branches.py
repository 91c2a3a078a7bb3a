"""Siamese training: pairs of segments, the loop, the checkpoint."""

import numpy as np
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from simlib.features import compute_tempogram
from simlib.model import TEMPO, pool_segments, subspace_name
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
from simlib.training.losses import GradedSupConLoss
from simlib.training.positives import PairWeights, TempoPairWeights
from simlib.training.run import FINE_TUNING_RATE
from simlib.training.validation import VALIDATION_K

# Recordings that a step of a branch's training compares, each as it is and worn.
BRANCH_BATCH = 256
# How often a part has to do without the encoder: of the recordings that it learns from, that says
# more than it will of others, for it has learned from them itself.
WITHHELD = 0.5


def fit_subspaces(trained, store, learning, validation, columns, settings, replace):
    """Train a part for each tag column and for the tempo.

    One that came with the model may be replaced only by one that does better among the validation
    artists: what was learned of many recordings is not to be lost to a few.
    """
    strengths = settings.positives
    # That a recording is like itself, and like its artist's others, is the sound's to say: a part
    # that learns it too finds less of what its own column means.
    column_alone = strengths.model_copy(update={"recording": 0.0, "artist": 0.0})
    hop = settings.segment_seconds
    learned, judged = (
        WholeRecordings(trained, store, tracks, hop) for tracks in (learning, validation)
    )
    degraded = WholeRecordings(trained, store, learning, hop, settings.seed)
    candidate_mask = artist_filter(artist_keys(validation))
    tasks = {
        subspace_name(column): (
            settings.tag_subspaces,
            PairWeights(learning, [column], column_alone),
            jaccard(tag_matrix(validation[column])),
        )
        for column in columns
        if strengths.tag_weight(column)
    }
    tasks[TEMPO] = (
        settings.tempo_subspace,
        TempoPairWeights(learned.bpm),
        tempo_gain(judged.bpm),
    )
    heard = trained.architecture["embedding"]
    for name, (branch, pair_weights, gain) in tasks.items():
        if name in trained.subspaces and not replace:
            continue
        torch.manual_seed(settings.seed)
        new = trained.new_subspace(name)
        views = learned.inputs(name), degraded.inputs(name)
        encoded = 0 if name == TEMPO else heard
        fit_branch(new, *views, pair_weights, branch, settings, encoded=encoded)
        subspaces = [
            subspace for subspace in (trained.subspaces.get(name), new) if subspace is not None
        ]
        scores = [
            retrieval_of_branch(subspace, judged.inputs(name), gain, candidate_mask)
            for subspace in subspaces
        ]
        trained.subspaces[name] = subspaces[int(np.argmax(scores))]


class WholeRecordings:
    """What parts look at, of some recordings as wholes; worn ones, if there is a seed for it."""

    def __init__(self, trained, store, tracks, hop, seed=None):
        self.trained = trained
        self.features, self.heard, self.tempograms = [], [], []
        kind = "descriptor" if seed is None else "degraded"
        rng = np.random.default_rng(seed)
        for row in tracks.itertuples():
            log_mel = store.log_mel(row.log_mel)
            if seed is not None:
                log_mel = degrade_spectrogram(log_mel, rng)
            self.features.append(store.descriptors([getattr(row, kind)], kind)[0])
            self.heard.append(pool_segments(trained.segments(log_mel, hop)[0]))
            self.tempograms.append(compute_tempogram(log_mel, trained.front_end))
        self.bpm = complete_bpm(known_bpm(tracks), self.tempograms, trained.front_end)

    def inputs(self, name):
        """Return float32, shape (n_tracks, n_features)."""
        seen = zip(self.heard, self.features, self.tempograms, strict=True)
        return np.array([self.trained.subspace_input(name, *one) for one in seen], dtype=np.float32)


def retrieval_of_branch(subspace, features, gain, candidate_mask):
    """Mean nDCG of a part by itself; 0 where nothing can be told."""
    if not gain.any():
        return 0.0
    subspace.eval()
    with torch.inference_mode():
        vectors = subspace(torch.from_numpy(features).to(subspace.mean.device)).cpu().numpy()
    ranked = rank_candidates(vectors @ vectors.T, candidate_mask, VALIDATION_K, 0)
    scores = ndcg(ranked, gain, candidate_mask)
    return float(np.nanmean(scores)) if np.isfinite(scores).any() else 0.0


def fit_branch(
    branch, features, degraded, pair_weights, wanted, settings, *, tuned=False, encoded=0
):
    """Train a branch on whole recordings, a matter of seconds.

    Parameters
    ----------
    branch : simlib.model.Branch
        Changed in place, to the averaged weights of the last step.
    features, worn : numpy.ndarray of float32, shape (n_recordings, features)
        Of the training recordings, and of degraded copies of them.
    relations : simlib.training.PairWeights
        Of the same recordings.
    wanted : simlib.model.BranchSettings
    settings : simlib.training.TrainSettings
    tuned : bool
        Whether it has learned already: its scale stays, and its weights move slower.
    encoded : int
        So many of the features, the first, are the encoder's; see `WITHHELD`.
    """
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    rate = wanted.learning_rate * (FINE_TUNING_RATE if tuned else 1.0)
    if not tuned:
        branch.scale_by(features)
    loss = GradedSupConLoss(pair_weights, settings.temperature)
    optimizer = torch.optim.AdamW(branch.parameters(), lr=rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, wanted.steps)
    average = AveragedModel(
        branch, multi_avg_fn=get_ema_multi_avg_fn(settings.ema_decay), use_buffers=True
    )
    device = branch.mean.device
    branch.train()
    for _ in range(wanted.steps):
        size = min(BRANCH_BATCH, len(features))
        rows = rng.choice(len(features), size, replace=False)
        both = torch.from_numpy(np.concatenate([features[rows], degraded[rows]])).to(device)
        withheld = torch.from_numpy(rng.random(len(both)) < WITHHELD).to(device)
        both[:, :encoded] = torch.where(withheld[:, None], branch.mean[:encoded], both[:, :encoded])
        value = loss(branch(both), torch.from_numpy(np.tile(rows, 2)))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        schedule.step()
        average.update_parameters(branch)
    branch.load_state_dict(average.module.state_dict())
