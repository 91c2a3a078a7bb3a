"""Training of a model: the encoder first, then the branches on whole recordings."""

import copy
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from simlib.core import BACKBONE_PREFIX, digest_of, digest_of_code
from simlib.features import FEATURE_KINDS, FeatureStore, best_device
from simlib.model import Embedder, architecture_of, shorten_digests
from simlib.relevance import known_bpm
from simlib.training.batches import SegmentBatches
from simlib.training.branches import fit_branch, fit_subspaces
from simlib.training.data import FEWEST_RECORDINGS, TrainingData
from simlib.training.finished import load_finished, save_finished
from simlib.training.losses import Objective
from simlib.training.run import TrainingRun
from simlib.training.settings import TrainSettings
from simlib.training.validation import Validation


def train(
    data: TrainingData,
    settings: TrainSettings,
    checkpoint: Path,
    initial: Embedder | None = None,
    objective: type[Objective] = Objective,
) -> tuple[Embedder, pd.DataFrame]:
    """Train a model.

    Parameters
    ----------
    data : simlib.training.TrainingData
        With fewer than two training recordings, the initial model comes back as it is.
    settings : simlib.training.TrainSettings
    checkpoint : pathlib.Path
        A file outside every pipeline output. An interrupted run continues from it exactly, unless
        inputs, settings or code have changed. It is removed at the end. The finished training is
        kept in a folder beside it and reused under the same condition.
    initial : simlib.model.Embedder, optional
        A trained model of the architecture of the settings; random weights by default. Tuning
        that does not help the validation artists is undone.
    objective : type
        Makes the loss to minimise from training tracks, tag columns and settings.

    Returns
    -------
    model : simlib.model.Embedder
        The averaged weights that did best on the validation artists.
    curves : pandas.DataFrame
        A row for each validation: `epoch`, `loss` (mean since the last validation),
        `learning_rate`, `validation` (mean over columns), `validation_<column>`, `kept` (true in
        the row of the weights that are returned). With an initial model, the first row, epoch 0,
        is its own.

    Raises
    ------
    SimlibError
        If the loss is no longer finite.
    """
    if len(data.train.tracks) < FEWEST_RECORDINGS:
        return _unchanged(data, settings, initial)
    key = _key(data, settings, initial, objective)
    folder = checkpoint.parent / "finished"
    # Weights without a file, and losses defined elsewhere, have no digest.
    known = objective is Objective and (initial is None or bool(initial.digest))
    finished = load_finished(folder, key) if known else None
    if finished:
        print("Reused the weights of an earlier training with the same inputs, settings and code.")
    model, curves = finished or _fit(data, settings, checkpoint, key, initial, objective)
    if known and not finished:
        save_finished(folder, key, model, curves)
    checkpoint.unlink(missing_ok=True)
    model.digest = ""
    return model, pd.DataFrame(curves)


def _fit(data, settings, checkpoint, key, initial, objective):
    """Return the model and the rows of the curves; resume if there is a checkpoint."""
    tuning = initial is not None
    torch.manual_seed(settings.seed)
    losses = objective(data.train.tracks, data.columns, settings)
    model = copy.deepcopy(initial) if tuning else _random_model(settings, data.front_end)
    segments = SegmentBatches(data.train.log_mels, model.frames, settings)
    validation = Validation(data.validation, data.columns, settings.seed)
    run = TrainingRun(settings, model, losses, len(segments), tuning)
    run.resume(checkpoint, key)
    if tuning and not run.progress.curves:
        run.validate(validation)
    scored = len(data.validation.tracks) if tuning and "validation" in run.progress.curves[0] else 0
    replace = not tuning or scored >= settings.fewest_validation
    if not tuning and model.reduction is not None:
        model.reduction.fit(data.train.activations)
    if replace:
        _fit_encoder(run, segments, validation, checkpoint, key)
    run.keep_best()
    best = run.progress.best_epoch
    if best > 0:
        inputs = np.stack([data.train.descriptors, data.train.degraded])
        wanted, branch = settings.descriptor_branch, model.descriptor_branch
        fit_branch(branch, inputs, losses.pair_weights, wanted, settings, tuning=tuning)
    fit_subspaces(model, data, settings, replace)
    return model, [row | {"kept": row["epoch"] == best} for row in run.progress.curves]


def _fit_encoder(run, segments, validation, checkpoint, key):
    """Train until the epochs are done or patience ends; save after each epoch."""
    settings, progress = run.settings, run.progress
    with tqdm(total=run.steps_total, initial=progress.step, unit="step", mininterval=5) as bar:
        while run.epoch < settings.epochs and progress.without_improvement < settings.patience:
            run.train_epoch(segments, bar.update)
            if run.epoch % settings.validate_every == 0 or run.epoch == settings.epochs:
                run.validate(validation)
                bar.set_postfix(progress.curves[-1], refresh=False)
            run.save(checkpoint, key)


def pretrain(
    store: FeatureStore, settings: TrainSettings, checkpoint: Path
) -> tuple[Embedder, dict]:
    """Train on every recording of a store, from random weights: the weights that simlib ships.

    No recordings are kept for validation or test.

    Parameters
    ----------
    store : simlib.features.FeatureStore
    settings : simlib.training.TrainSettings
    checkpoint : pathlib.Path
        See `train`.

    Returns
    -------
    model : simlib.model.Embedder
    provenance : dict
        For `Embedder.save`: `train` (the settings) and `learned_from` (digests of the recordings).
    """
    tracks = store.tracks()
    everything = np.full(len(tracks), "train", dtype=object)
    data = TrainingData.read(store, tracks, everything, settings.backbones)
    model, _ = train(data, settings, checkpoint)
    learned_from = shorten_digests(tracks["digest"])
    return model, {"train": settings.as_dict(), "learned_from": learned_from}


def _unchanged(data, settings, initial):
    """Return the initial or a random model, and curves without a training."""
    model = copy.deepcopy(initial) if initial else _random_model(settings, data.front_end)
    model.digest = ""
    row = {"epoch": 0, "loss": np.nan, "learning_rate": 0.0, "validation": np.nan, "kept": True}
    return model, pd.DataFrame([row])


def _random_model(settings, front_end):
    architecture = architecture_of(settings, front_end)
    return Embedder.untrained(front_end, settings.segment_seconds, architecture, settings.seed)


def _key(data, settings, initial, objective):
    """Digest of all that changes the numbers of a training: inputs, settings, code, libraries."""
    inputs = []
    for tracks in (data.train.tracks, data.validation.tracks):
        activations = [BACKBONE_PREFIX + name for name in settings.backbones]
        columns = ["track_id", "artist", *FEATURE_KINDS, *activations, *data.columns]
        inputs += [tracks[columns].to_csv(index=False), known_bpm(tracks).tolist()]
    # What `init` chooses is the initial model.
    chosen = settings.as_dict() | {"init": None}
    start = [objective.__qualname__, initial.digest if initial is not None else "random"]
    libraries = [version(name) for name in ("librosa", "numpy", "scipy", "torch")]
    machine = [torch.get_num_threads(), str(best_device())]
    made = [inputs, data.columns, data.front_end.as_dict(), chosen, start]
    return digest_of([made, digest_of_code("simlib.training.fit"), libraries, machine])
