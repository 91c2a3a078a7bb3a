"""The weights that come with simlib: what they have heard, and where training may begin with them.

They embed where nothing was trained yet, and training may begin with them. What they learned from
goes with them, so that they are never scored on it.
"""

from simlib.core import SimlibError
from simlib.model import architecture_of, load_pretrained


def initial_embedder(path, settings, front_end, digests):
    """Choose the weights that training begins with, as `train.init` asks.

    Parameters
    ----------
    path : pathlib.Path
        Of the weights that come with simlib.
    settings : simlib.training.TrainSettings
    front_end, digests
        See `load_pretrained`.

    Returns
    -------
    model : simlib.model.Embedder or None
        None for random weights.
    remark : str
        A sentence on which and why.

    Raises
    ------
    SimlibError
        If `train.init` asks for the pretrained weights and they cannot be used.
    """
    if settings.init == "random":
        return None, "Training began with random weights, as `train.init` asks."
    model, remark = load_pretrained(path, front_end, digests)
    if model is not None and model.architecture != architecture_of(settings, front_end):
        model, remark = None, f"The weights in {path.parent.name}/ have another architecture."
    if model is not None:
        return model, f"Training began with the weights in {path.parent.name}/. {remark}"
    if settings.init == "pretrained":
        hint = "set train.init to auto or random in params.yaml"
        raise SimlibError(path, f"cannot begin the training ({remark})", hint)
    return None, f"Training began with random weights. {remark}"


def describe_tuning(curves):
    """Tell what became of the weights that training began with.

    Parameters
    ----------
    curves : pandas.DataFrame
        From `simlib.training.train`.

    Returns
    -------
    str
        A sentence.
    """
    if curves["epoch"].max() == 0:
        return "They stay as they are: too few validation recordings could tell what tuning does."
    [epoch] = curves.loc[curves["kept"], "epoch"]
    if epoch == 0:
        return "They stay as they are: tuning found no more among the validation artists."
    return f"They were tuned for {epoch} epochs."
