"""Siamese training: pairs of segments, the loop, the checkpoint."""

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from simlib.core import SimlibError, digest_of, digest_of_code
from simlib.features import FrontEnd
from simlib.model import best_device, shorten_digests
from simlib.relevance import tag_columns
from simlib.training.batches import SegmentBatches
from simlib.training.branches import fit_branch, fit_subspaces
from simlib.training.losses import Objective
from simlib.training.run import TrainingRun
from simlib.training.validation import Validation

# Of fewer validation recordings, it is chance whether weights look better for tuning. On artists
# never heard it costs where there are few to learn from, too: see benchmarks/FEW.md.
FEWEST_VALIDATION = 15


def train(
    store,
    tracks,
    splits,
    settings,
    checkpoint,
    start=None,
    objective=Objective,
    judges=FEWEST_VALIDATION,
):
    """Train a model.

    Parameters
    ----------
    store : simlib.features.FeatureStore
    tracks : pandas.DataFrame
        From `store.tracks()`.
    sides : numpy.ndarray of object, shape (n_tracks,)
        From `split_artists`; `test` is never touched.
    settings : simlib.training.TrainSettings
    checkpoint : path-like
        A file outside every pipeline output. An interrupted run continues from it exactly, if
        nothing that it depends on has changed; it is removed at the end.
    start : simlib.model.Embedder, optional
        Weights to begin with, of the architecture that the settings ask for; random by default.
        Tuning that does not help the validation artists is undone.
    objective : callable
        Training recordings, tag columns and settings to what is minimised: a module like
        `simlib.training.Objective`.
    judges : int
        Where training begins with learned weights and fewer validation recordings than these can
        tell what tuning does, the weights stay as they are, and so do the parts they came with.

    Returns
    -------
    trained : simlib.model.Embedder
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
    learning = tracks[splits == "train"].reset_index(drop=True)
    if len(learning) < 2:
        raise SimlibError(
            "training artists",
            f"the split leaves {len(learning)} recording(s) to learn from",
            "add music, or lower split.test and split.validation in params.yaml",
        )
    columns = tag_columns(tracks)
    front_end = FrontEnd.of(store.front_end())
    torch.manual_seed(settings.seed)
    objective = objective(learning, columns, settings)
    run = TrainingRun(settings, front_end, len(learning), objective, start)
    segments = SegmentBatches(
        [store.log_mel(key) for key in learning["log_mel"]], run.model.frames, settings
    )
    validation = Validation(store, tracks[splits == "validation"], columns, settings)
    begun = [type(objective).__qualname__, start.digest if start is not None else "random"]
    run.resume(checkpoint, _key(settings, learning, validation.tracks, front_end, begun))

    steps = len(segments)
    total, done = settings.epochs * steps, run.epoch * steps
    judged = True
    if start is not None:
        if not run.curves:
            run.validate(validation)
        judging = len(validation.tracks) if "validation" in run.curves[0] else 0
        judged = judging >= judges
    epochs = settings.epochs if judged else 0
    with tqdm(total=total, initial=done, unit="step", mininterval=5) as bar:
        while run.epoch < epochs and run.epochs_without_improvement < settings.patience:
            run.train_epoch(segments, bar)
            if run.epoch % settings.validate_every == 0 or run.epoch == settings.epochs:
                run.validate(validation)
                bar.set_postfix(run.curves[-1], refresh=False)
            run.save(checkpoint)
    run.keep_best()
    if run.best_epoch > 0:
        branch = settings.descriptor_branch
        views = [store.descriptors(learning[kind], kind) for kind in ("descriptor", "degraded")]
        pair_weights, tuned = objective.pair_weights, start is not None
        fit_branch(run.model.descriptor_branch, *views, pair_weights, branch, settings, tuned=tuned)
    fit_subspaces(run.model, store, learning, validation.tracks, columns, settings, judged)
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
    model : simlib.model.Embedder
    provenance : dict
        What `Model.save` is to write with it: `train` (the settings) and `learned_from` (digests
        of the recordings).
    """
    tracks = store.tracks()
    splits = np.full(len(tracks), "train", dtype=object)
    trained, _ = train(store, tracks, splits, settings, checkpoint)
    learned_from = shorten_digests(tracks["digest"])
    return trained, {"train": settings.as_dict(), "learned_from": learned_from}


def _key(settings, learning, validation, front_end, begun):
    """Digest of all that a run's course depends on."""
    table = [frame.to_csv(index=False) for frame in (learning, validation)]
    code = digest_of_code("simlib.training.fit")
    versions = [torch.__version__, torch.get_num_threads(), str(best_device())]
    return digest_of([settings.as_dict(), front_end.as_dict(), table, code, versions, begun])
