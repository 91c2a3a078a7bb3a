"""Training of a model: the encoder first, then the branches, then what came out of it."""

import copy
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from simlib.core import digest_of, digest_of_code
from simlib.features import FeatureStore
from simlib.model import Embedder, architecture_of, best_device, shorten_digests
from simlib.training.batches import SegmentBatches
from simlib.training.branches import fit_branch, fit_subspaces
from simlib.training.data import TrainingData
from simlib.training.losses import Objective
from simlib.training.run import TrainingRun
from simlib.training.settings import TrainSettings
from simlib.training.validation import Validation

# With fewer validation recordings, it is chance whether tuned weights score better. For artists
# that are not in the training data, tuning then makes results worse; see benchmarks/FEW.md.
FEWEST_VALIDATION = 15


def train(
    data: TrainingData,
    settings: TrainSettings,
    checkpoint: Path,
    initial: Embedder | None = None,
    objective: type[Objective] = Objective,
    fewest_validation: int = FEWEST_VALIDATION,
) -> tuple[Embedder, pd.DataFrame]:
    """Train a model.

    Parameters
    ----------
    data : simlib.training.TrainingData
    settings : simlib.training.TrainSettings
    checkpoint : pathlib.Path
        A file outside every pipeline output. An interrupted run continues from it exactly, if
        nothing that it depends on has changed; it is removed at the end.
    initial : simlib.model.Embedder, optional
        A trained model to begin with, of the architecture that the settings ask for; random
        weights by default. Tuning that does not help the validation artists is undone.
    objective : type
        Makes the loss to minimise from training tracks, tag columns and settings.
    fewest_validation : int
        With fewer validation recordings, an initial model keeps its weights and its subspaces.

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
    tuning = initial is not None
    torch.manual_seed(settings.seed)
    losses = objective(data.train.tracks, data.columns, settings)
    if tuning:
        model = copy.deepcopy(initial)
    else:
        architecture = architecture_of(settings, data.front_end)
        model = Embedder.untrained(
            data.front_end, settings.segment_seconds, architecture, settings.seed
        )
    segments = SegmentBatches(data.train.log_mels, model.frames, settings)
    validation = Validation(data.validation, data.columns, settings.seed)
    run = TrainingRun(settings, model, losses, len(segments), tuning)
    key = _key(data, settings, initial, objective)
    run.resume(checkpoint, key)

    curves = run.progress.curves
    if tuning and not curves:
        run.validate(validation)
    scored = len(data.validation.tracks) if tuning and "validation" in curves[0] else 0
    replace = not tuning or scored >= fewest_validation
    if replace:
        _fit_encoder(run, segments, validation, checkpoint, key)
    run.keep_best()
    if run.progress.best_epoch > 0:
        inputs = np.stack([data.train.descriptors, data.train.degraded])
        branch = settings.descriptor_branch
        fit_branch(
            model.descriptor_branch, inputs, losses.pair_weights, branch, settings, tuning=tuning
        )
    fit_subspaces(model, data, settings, replace)
    checkpoint.unlink(missing_ok=True)
    table = pd.DataFrame(curves)
    return model, table.assign(kept=table["epoch"] == run.progress.best_epoch)


def _fit_encoder(run, segments, validation, checkpoint, key):
    """Train until the epochs are done or patience ends; save after each epoch."""
    settings, progress = run.settings, run.progress
    with tqdm(total=run.steps_total, initial=progress.step, unit="step", mininterval=5) as bar:
        while (
            run.epoch < settings.epochs and progress.epochs_without_improvement < settings.patience
        ):
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
    data = TrainingData.read(store, tracks, np.full(len(tracks), "train", dtype=object))
    model, _ = train(data, settings, checkpoint)
    learned_from = shorten_digests(tracks["digest"])
    return model, {"train": settings.as_dict(), "learned_from": learned_from}


def _key(data, settings, initial, objective):
    """Digest of all that a training's result depends on."""
    table = [frame.tracks.to_csv(index=False) for frame in (data.train, data.validation)]
    code = digest_of_code("simlib.training.fit")
    versions = [torch.__version__, torch.get_num_threads(), str(best_device())]
    begun = [objective.__qualname__, initial.digest if initial is not None else "random"]
    return digest_of([settings.as_dict(), data.front_end.as_dict(), table, code, versions, begun])
