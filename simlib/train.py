"""Siamese training: pairs of segments, the loop, the checkpoint."""

import copy
import dataclasses
import json
import math
import sys

import numpy as np
import pandas as pd
import torch
from pytorch_metric_learning.samplers import MPerClassSampler
from pytorch_metric_learning.utils import common_functions
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from simlib import artefacts, augment, features, losses, model, pretrained, relevance, tempo
from simlib.artefacts import SimlibError, written_aside
from simlib.aspects import TEMPO, part_of
from simlib.catalogue import artist_keys, tag_columns
from simlib.losses import GradedSupConLoss, Objective
from simlib.model import Model, precision, whole
from simlib.relevance import Relations, TempoRelations
from simlib.settings import AugmentSettings, BranchSettings, ExtractSettings, PositiveSettings

K = 10
# Weights that were learned already move so much slower than random ones.
TUNING = 0.3
# Recordings that a step of a branch's training compares, each as it is and worn.
BRANCH_BATCH = 256
# How often a part has to do without the encoder: of the recordings that it learns from, that says
# more than it will of others, for it has learned from them itself.
WITHHELD = 0.5
# Of fewer validation recordings, it is chance whether weights look better for tuning. On artists
# never heard it costs where there are few to learn from, too: see benchmarks/FEW.md.
JUDGES = 15


class Segments:
    """Random segments of the training recordings, in batches of pairs.

    Everything random follows from the seed and the epoch, so that a resumed run draws what an
    undisturbed one would have drawn.

    Parameters
    ----------
    log_mels : list of numpy.ndarray of float16, shape (n_frames, n_mels)
    frames : int
        Of a segment.
    settings : simlib.settings.TrainSettings
    """

    def __init__(self, log_mels, frames, settings):
        self.log_mels, self.frames, self.settings = log_mels, frames, settings
        self.augmentation = AugmentSettings.of(settings.augmentation)
        self.batch = min(settings.batch, 2 * len(log_mels))
        length = max(self.batch, settings.draws * len(log_mels))
        self.sampler = MPerClassSampler(range(len(log_mels)), 2, self.batch, length)

    def __len__(self):
        return len(self.sampler) // self.batch

    def epoch(self, number):
        """Yield (segments float32 (batch, frames, n_mels), rows int64 (batch,))."""
        rng = np.random.default_rng([self.settings.seed, number])
        common_functions.NUMPY_RANDOM = np.random.RandomState(rng.integers(2**31))
        self.sampler.labels.sort()
        rows = np.array(list(self.sampler)).reshape(-1, self.batch)
        margin = augment.margin(self.frames, self.augmentation)
        for batch in rows:
            cuts = []
            for log_mel in (self.log_mels[row] for row in batch):
                start = rng.integers(0, max(1, len(log_mel) - margin + 1))
                cuts.append(model.cut(log_mel, start, margin))
            yield augment.augment(np.stack(cuts), self.frames, self.augmentation, rng), batch


def train(
    store, tracks, sides, settings, checkpoint, start=None, objective=Objective, judges=JUDGES
):
    """Train a model.

    Parameters
    ----------
    store : simlib.features.Store
    tracks : pandas.DataFrame
        From `store.tracks()`.
    sides : numpy.ndarray of object, shape (n_tracks,)
        From `catalogue.split`; `test` is never touched.
    settings : simlib.settings.TrainSettings
    checkpoint : path-like
        A file outside every pipeline output. An interrupted run continues from it exactly, if
        nothing that it depends on has changed; it is removed at the end.
    start : simlib.model.Model, optional
        Weights to begin with, of the architecture that the settings ask for; random by default.
        Tuning that does not help the validation artists is undone.
    objective : callable
        Training recordings, tag columns and settings to what is minimised: a module like
        `simlib.losses.Objective`.
    judges : int
        Where training begins with learned weights and fewer validation recordings than these can
        tell what tuning does, the weights stay as they are, and so do the parts they came with.

    Returns
    -------
    trained : simlib.model.Model
        The averaged weights that did best on the validation artists.
    curves : pandas.DataFrame
        A row for each look at the validation artists: `epoch`, `loss` (mean since the look
        before), `learning_rate`, `validation` (mean over columns), `validation_<column>`, `kept`
        (true in the row of the weights that are returned). Where training begins with learned
        weights, the first row, epoch 0, is theirs.

    Raises
    ------
    SimlibError
        If there are too few training recordings, or the loss is no longer finite.
    """
    learning = tracks[sides == "train"].reset_index(drop=True)
    if len(learning) < 2:
        raise SimlibError(
            "training artists",
            f"the split leaves {len(learning)} recording(s) to learn from",
            "add music, or lower split.test and split.validation in params.yaml",
        )
    columns = tag_columns(tracks)
    front_end = ExtractSettings.of(store.front_end())
    torch.manual_seed(settings.seed)
    objective = objective(learning, columns, settings)
    run = Run(settings, front_end, len(learning), objective, start)
    segments = Segments(
        [store.log_mel(key) for key in learning["log_mel"]], run.model.frames, settings
    )
    validation = _Validation(store, tracks[sides == "validation"], columns, settings)
    begun = [type(objective).__qualname__, start.digest if start is not None else "random"]
    run.resume(checkpoint, _key(settings, learning, validation.tracks, front_end, begun))

    steps = len(segments)
    total, done = settings.epochs * steps, run.epoch * steps
    judged = True
    if start is not None:
        if not run.curves:
            run.look(validation)
        judging = len(validation.tracks) if "validation" in run.curves[0] else 0
        judged = judging >= judges
    epochs = settings.epochs if judged else 0
    with tqdm(total=total, initial=done, unit="step", mininterval=5) as bar:
        while run.epoch < epochs and run.looks_since_best < settings.patience:
            run.train_epoch(segments, bar)
            if run.epoch % settings.validate_every == 0 or run.epoch == settings.epochs:
                run.look(validation)
                bar.set_postfix(run.curves[-1], refresh=False)
            run.save(checkpoint)
    run.keep_best()
    if run.best_epoch > 0:
        branch = BranchSettings.of(settings.descriptor)
        views = [store.descriptors(learning[kind], kind) for kind in ("descriptor", "worn")]
        relations, tuned = objective.relations, start is not None
        fit_branch(run.model.describer, *views, relations, branch, settings, tuned=tuned)
    _fit_parts(run.model, store, learning, validation.tracks, columns, settings, judged)
    checkpoint.unlink(missing_ok=True)
    curves = pd.DataFrame(run.curves)
    return run.model, curves.assign(kept=curves["epoch"] == run.best_epoch)


def pretrain(store, settings, checkpoint):
    """Train on every recording of a store: the weights that are to come with simlib.

    Nobody is kept for validation or test, and the weights to begin with are random.

    Parameters
    ----------
    store, settings, checkpoint
        See `train`.

    Returns
    -------
    model : simlib.model.Model
    provenance : dict
        What `Model.save` is to write with it: `train` (the settings) and `learned_from` (digests
        of the recordings).
    """
    tracks = store.tracks()
    sides = np.full(len(tracks), "train", dtype=object)
    trained, _ = train(store, tracks, sides, settings, checkpoint)
    learned_from = pretrained.learned_from(tracks["digest"])
    return trained, {"train": settings.as_dict(), "learned_from": learned_from}


def _key(settings, learning, validation, front_end, begun):
    """Digest of all that a run's course depends on."""
    modules = (augment, features, losses, model, relevance, tempo, sys.modules[__name__])
    table = [frame.to_csv(index=False) for frame in (learning, validation)]
    code = artefacts.digest_of_modules(*modules)
    versions = [torch.__version__, torch.get_num_threads(), str(model.best_device())]
    return artefacts.digest_of(
        [settings.as_dict(), front_end.as_dict(), table, code, versions, begun]
    )


def _fit_parts(trained, store, learning, validation, columns, settings, replace):
    """Train a part for each tag column and for the tempo.

    One that came with the model may be replaced only by one that does better among the validation
    artists: what was learned of many recordings is not to be lost to a few.
    """
    strengths = PositiveSettings.of(settings.positives)
    # That a recording is like itself, and like its artist's others, is the sound's to say: a part
    # that learns it too finds less of what its own column means.
    column_alone = dataclasses.replace(strengths, recording=0.0, artist=0.0)
    hop = settings.segment_seconds
    learned, judged = (_Whole(trained, store, tracks, hop) for tracks in (learning, validation))
    worn = _Whole(trained, store, learning, hop, settings.seed)
    allowed = relevance.other_artists(artist_keys(validation))
    tasks = {
        part_of(column): (
            BranchSettings.of(settings.parts),
            Relations(learning, [column], column_alone),
            relevance.overlap(relevance.membership(validation[column])),
        )
        for column in columns
        if strengths.tag_weight(column)
    }
    tasks[TEMPO] = (
        BranchSettings.of(settings.tempo),
        TempoRelations(learned.bpm),
        relevance.tempo_gain(judged.bpm),
    )
    heard = trained.architecture["embedding"]
    for name, (branch, relations, gain) in tasks.items():
        if name in trained.parts and not replace:
            continue
        torch.manual_seed(settings.seed)
        new = trained.new_part(name)
        views = learned.inputs(name), worn.inputs(name)
        encoded = 0 if name == TEMPO else heard
        fit_branch(new, *views, relations, branch, settings, encoded=encoded)
        parts = [part for part in (trained.parts.get(name), new) if part is not None]
        scores = [_retrieval(part, judged.inputs(name), gain, allowed) for part in parts]
        trained.parts[name] = parts[int(np.argmax(scores))]


class _Whole:
    """What parts look at, of some recordings as wholes; worn ones, if there is a seed for it."""

    def __init__(self, trained, store, tracks, hop, seed=None):
        self.trained = trained
        self.features, self.heard, self.tempograms = [], [], []
        kind = "descriptor" if seed is None else "worn"
        rng = np.random.default_rng(seed)
        for row in tracks.itertuples():
            log_mel = store.log_mel(row.log_mel)
            if seed is not None:
                log_mel = augment.wear(log_mel, rng)
            self.features.append(store.descriptors([getattr(row, kind)], kind)[0])
            self.heard.append(whole(trained.segments(log_mel, hop)[0]))
            self.tempograms.append(tempo.tempogram(log_mel, trained.front_end))
        self.bpm = tempo.completed(tempo.known(tracks), self.tempograms, trained.front_end)

    def inputs(self, name):
        """Return float32, shape (n_tracks, n_features)."""
        seen = zip(self.heard, self.features, self.tempograms, strict=True)
        return np.array([self.trained.part_input(name, *one) for one in seen], dtype=np.float32)


def _retrieval(part, features, gain, allowed):
    """Mean nDCG of a part by itself; 0 where nothing can be told."""
    if not gain.any():
        return 0.0
    part.eval()
    with torch.inference_mode():
        vectors = part(torch.from_numpy(features).to(part.mean.device)).cpu().numpy()
    ranked = relevance.ranking(vectors @ vectors.T, allowed, K, 0)
    scores = relevance.ndcg(ranked, gain, allowed)
    return float(np.nanmean(scores)) if np.isfinite(scores).any() else 0.0


def fit_branch(branch, features, worn, relations, wanted, settings, *, tuned=False, encoded=0):
    """Train a branch on whole recordings, a matter of seconds.

    Parameters
    ----------
    branch : simlib.model.Branch
        Changed in place, to the averaged weights of the last step.
    features, worn : numpy.ndarray of float32, shape (n_recordings, features)
        Of the training recordings, and of degraded copies of them.
    relations : simlib.relevance.Relations
        Of the same recordings.
    wanted : simlib.settings.BranchSettings
    settings : simlib.settings.TrainSettings
    tuned : bool
        Whether it has learned already: its scale stays, and its weights move slower.
    encoded : int
        So many of the features, the first, are the encoder's; see `WITHHELD`.
    """
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    rate = wanted.learning_rate * (TUNING if tuned else 1.0)
    if not tuned:
        branch.scale_by(features)
    loss = GradedSupConLoss(relations, settings.temperature)
    optimizer = torch.optim.AdamW(branch.parameters(), lr=rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, wanted.steps)
    average = AveragedModel(
        branch, multi_avg_fn=get_ema_multi_avg_fn(settings.averaging), use_buffers=True
    )
    device = branch.mean.device
    branch.train()
    for _ in range(wanted.steps):
        size = min(BRANCH_BATCH, len(features))
        rows = rng.choice(len(features), size, replace=False)
        both = torch.from_numpy(np.concatenate([features[rows], worn[rows]])).to(device)
        withheld = torch.from_numpy(rng.random(len(both)) < WITHHELD).to(device)
        both[:, :encoded] = torch.where(withheld[:, None], branch.mean[:encoded], both[:, :encoded])
        value = loss(branch(both), torch.from_numpy(np.tile(rows, 2)))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        schedule.step()
        average.update_parameters(branch)
    branch.load_state_dict(average.module.state_dict())


class _Validation:
    """Retrieval among the validation artists."""

    def __init__(self, store, tracks, columns, settings):
        self.tracks = tracks.reset_index(drop=True)
        self.log_mels = [store.log_mel(key) for key in self.tracks["log_mel"]]
        self.columns, self.seed = columns, settings.seed

    def scores(self, trained):
        """Return {column: nDCG@10}; without tag columns, how well halves find each other."""
        if not len(self.tracks):
            return {}
        embedded = [trained.segments(m, trained.segment_seconds)[0] for m in self.log_mels]
        if not self.columns:
            return self._halves(embedded)
        tracks = np.stack([whole(e) for e in embedded])
        return relevance.retrieval_score(
            tracks @ tracks.T, self.tracks, artist_keys(self.tracks), self.columns, K, self.seed
        )

    def _halves(self, embedded):
        embedded = [e for e in embedded if len(e) > 1]
        if len(embedded) < 2:
            return {}
        first = np.stack([whole(e[: len(e) // 2]) for e in embedded])
        second = np.stack([whole(e[len(e) // 2 :]) for e in embedded])
        return {"excerpt": float(relevance.reciprocal_rank(first @ second.T).mean())}


class Run:
    """The state of a training run: what a checkpoint holds."""

    def __init__(self, settings, front_end, recordings, objective, start=None):
        torch.use_deterministic_algorithms(True, warn_only=True)
        self.settings = settings
        batch = min(settings.batch, 2 * recordings)
        self.steps_total = settings.epochs * max(1, settings.draws * recordings // batch)
        self.rate = settings.learning_rate
        if start is None:
            architecture = model.architecture(settings, front_end)
            self.model = Model.untrained(
                front_end, settings.segment_seconds, architecture, settings.seed
            )
        else:
            self.model = copy.deepcopy(start)
            self.rate *= TUNING
        self.dtype = precision(self.model.device)
        self.objective = objective.to(self.model.device)
        self.encoder = copy.deepcopy(self.model.encoder)
        average = get_ema_multi_avg_fn(settings.averaging)
        self.average = AveragedModel(self.encoder, multi_avg_fn=average, use_buffers=True)
        # The averaged weights are the model: what is validated is what is kept.
        self.model.encoder = self.average.module
        self.optimizer = torch.optim.AdamW(
            [*self.encoder.parameters(), *self.objective.parameters()],
            lr=self.rate,
            weight_decay=settings.weight_decay,
        )
        self.best = {}
        self.progress = {
            "epoch": 0, "step": 0, "losses": [], "curves": [], "looks_since_best": 0,
            "best_score": -math.inf, "best_epoch": None,
        }  # fmt: skip

    @property
    def epoch(self):
        return self.progress["epoch"]

    @property
    def curves(self):
        return self.progress["curves"]

    @property
    def best_epoch(self):
        return self.progress["best_epoch"]

    @property
    def looks_since_best(self):
        return self.progress["looks_since_best"]

    def train_epoch(self, segments, bar):
        """One pass over the training recordings."""
        device = self.model.device
        torch.manual_seed(self.settings.seed * 100_003 + self.epoch)
        self.encoder.train()
        for batch, rows in segments.epoch(self.epoch):
            rate = self._learning_rate()
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            batch, rows = torch.from_numpy(batch).to(device), torch.from_numpy(rows)
            with torch.autocast(device.type, self.dtype, enabled=self.dtype != torch.float32):
                raw = self.encoder.raw(batch)
            value = self.objective(raw, rows.to(device))
            if not torch.isfinite(value):
                raise SimlibError(
                    "training", "the loss is no longer finite", "lower train.learning_rate"
                )
            self.optimizer.zero_grad()
            value.backward()
            self.optimizer.step()
            self.average.update_parameters(self.encoder)
            self.progress["step"] += 1
            self.progress["losses"].append(value.item())
            bar.update()
        self.progress["epoch"] += 1

    def _learning_rate(self):
        step, total = self.progress["step"], self.steps_total
        warm_up = max(1, total // 20)
        if step < warm_up:
            return self.rate * (step + 1) / warm_up
        done = (step - warm_up) / max(1, total - warm_up)
        return self.rate * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))

    def look(self, validation):
        """Score the averaged weights on the validation artists and remember the best."""
        scores = validation.scores(self.model)
        mean = float(np.mean(list(scores.values()))) if scores else None
        recent = self.progress["losses"]
        row = {
            "epoch": self.epoch,
            "loss": round(float(np.mean(recent)), 6) if recent else None,
            "learning_rate": round(self._learning_rate(), 9),
        }
        if scores:
            row["validation"] = round(mean, 6)
            row |= {f"validation_{name}": round(value, 6) for name, value in scores.items()}
        self.progress["losses"] = []
        self.progress["curves"].append(row)
        # While the learning rate is high, a good look is luck: weights are worth keeping, and
        # patience begins, in the second half. With nobody to validate on, the last are kept.
        if 0 < 2 * self.epoch < self.settings.epochs:
            return
        self.progress["looks_since_best"] += 1
        if mean is None or mean > self.progress["best_score"]:
            self.progress["looks_since_best"] = 0
            self.progress["best_epoch"] = self.epoch
            self.progress["best_score"] = -math.inf if mean is None else mean
            self.best = {k: v.clone() for k, v in self.model.encoder.state_dict().items()}

    def keep_best(self):
        """Put the best weights into the model."""
        self.model.encoder.load_state_dict(self.best)

    def save(self, path):
        """Write the checkpoint; safetensors, so that reading it back runs no code."""
        tensors = {f"best.{k}": v for k, v in self.best.items()}
        tensors |= {f"encoder.{k}": v for k, v in self.encoder.state_dict().items()}
        tensors |= {f"objective.{k}": v for k, v in self.objective.state_dict().items()}
        tensors |= {f"average.{k}": v for k, v in self.average.state_dict().items()}
        for number, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{name}": value for name, value in state.items()}
        metadata = {"key": self.key, "progress": json.dumps(self.progress)}
        with written_aside(path) as aside:
            save_file({k: v.cpu().contiguous() for k, v in tensors.items()}, aside, metadata)

    def resume(self, path, key):
        """Continue from the checkpoint, if it belongs to this very run."""
        self.key = key
        try:
            with safe_open(path, framework="pt") as file:
                metadata = file.metadata()
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (FileNotFoundError, SafetensorError):
            return
        if metadata.get("key") != key:
            return

        def under(prefix):
            return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}

        self.progress = json.loads(metadata["progress"])
        self.best = under("best.")
        self.encoder.load_state_dict(under("encoder."))
        self.objective.load_state_dict(under("objective."))
        self.average.load_state_dict(under("average."))
        state = {}
        for name, value in under("optimizer.").items():
            number, _, name = name.partition(".")
            state.setdefault(int(number), {})[name] = value
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})
