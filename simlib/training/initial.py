"""The initial model of a training: pretrained weights if they fit, else random ones."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from simlib.core import SimlibError
from simlib.features import FrontEnd
from simlib.model import Embedder, architecture_of, load_pretrained
from simlib.training.data import FEWEST_RECORDINGS, TrainingData
from simlib.training.settings import TrainSettings


def initial_embedder(
    path: Path, settings: TrainSettings, front_end: FrontEnd, digests: Iterable[str]
) -> tuple[Embedder | None, str]:
    """Choose the weights that training begins with, by the setting `train.init`.

    Parameters
    ----------
    path : pathlib.Path
        The pretrained weights.
    settings : simlib.training.TrainSettings
    front_end, digests
        See `load_pretrained`.

    Returns
    -------
    model : simlib.model.Embedder or None
        None for random weights.
    remark : str
        A sentence on which weights they are, and why.

    Raises
    ------
    SimlibError
        If `train.init` is `pretrained` and these weights cannot be used.
    """
    if settings.init == "random":
        return None, "Training began with random weights, because `train.init` is `random`."
    model, remark = load_pretrained(path, front_end, digests)
    wanted = architecture_of(settings, front_end)
    if model is not None and model.architecture | {"shares": wanted["shares"]} != wanted:
        model, remark = None, f"The weights in {path.parent.name}/ have another architecture."
    if model is not None:
        model.architecture = wanted
        return model, f"Training began with the weights in {path.parent.name}/. {remark}"
    if settings.init == "pretrained":
        hint = "set train.init to auto or random in params.yaml"
        raise SimlibError(path, f"cannot begin the training ({remark})", hint)
    return None, f"Training began with random weights. {remark}"


def describe_training(data: TrainingData, curves: pd.DataFrame, tuning: bool) -> str:
    """Describe what a training changed, in a sentence.

    Parameters
    ----------
    data : simlib.training.TrainingData
    curves : pandas.DataFrame
        From `simlib.training.train`.
    tuning : bool
        Whether training began with trained weights.

    Returns
    -------
    str
        Empty if random weights were trained, which needs no remark.
    """
    count = len(data.train.tracks)
    if count < FEWEST_RECORDINGS:
        return (
            f"Nothing could be trained: the split leaves {count} recording(s) to learn from. Add"
            " music by other artists, or lower `split.test` and `split.validation`."
        )
    if not tuning:
        return ""
    if curves["epoch"].max() == 0:
        return "They were not tuned: there are too few validation recordings to measure the effect."
    [epoch] = curves.loc[curves["kept"], "epoch"]
    if epoch == 0:
        return "They were kept: tuning did not improve retrieval among the validation artists."
    return f"They were tuned for {epoch} epochs."
