"""The weights that come with simlib: what they have heard, and where training may begin with them.

They embed where nothing was trained yet, and training may begin with them. What they learned from
goes with them, so that they are never scored on it.
"""

from pathlib import Path

from simlib.artefacts import SimlibError
from simlib.model import Model, architecture

PATH = Path("pretrained") / "encoder.safetensors"
# So much of a file's digest tells recordings apart and keeps the list short.
DIGITS = 16


def learned_from(digests):
    """Shorten digests of files for the metadata of weights.

    Parameters
    ----------
    digests : iterable of str

    Returns
    -------
    list of str
        Sorted.
    """
    return sorted(digest[:DIGITS] for digest in digests)


def fitting(root, front_end, digests):
    """Load the weights, if they can be used on a catalogue whose test artists they have not heard.

    Parameters
    ----------
    root : pathlib.Path
        The project.
    front_end : simlib.settings.ExtractSettings
        Of the catalogue's log-mel spectrograms.
    digests : iterable of str
        Of the catalogue's files.

    Returns
    -------
    model : simlib.model.Model or None
        None where they cannot be used.
    remark : str
        A sentence on why, or that they have heard nothing of the catalogue.
    """
    folder = PATH.parent
    if not (root / PATH).exists():
        return None, f"There are no weights in {folder}/."
    model = Model.load(root / PATH)
    if model.front_end != front_end:
        return None, f"The weights in {folder}/ hear another log-mel front-end."
    heard = set(model.provenance["learned_from"])
    shared = sum(digest in heard for digest in learned_from(digests))
    if shared:
        return None, (
            f"Of this catalogue's recordings, the weights in {folder}/ learned from {shared}: "
            "scored here they would look better than they are."
        )
    return model, f"The weights in {folder}/ have heard nothing of this catalogue."


def start(root, settings, front_end, digests):
    """Choose the weights that training begins with, as `train.init` asks.

    Parameters
    ----------
    root : pathlib.Path
        The project.
    settings : simlib.settings.TrainSettings
    front_end, digests
        See `fitting`.

    Returns
    -------
    model : simlib.model.Model or None
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
    model, remark = fitting(root, front_end, digests)
    if model is not None and model.architecture != architecture(settings, front_end):
        model, remark = None, f"The weights in {PATH.parent}/ have another architecture."
    if model is not None:
        return model, f"Training began with the weights in {PATH.parent}/. {remark}"
    if settings.init == "pretrained":
        mend = "set train.init to auto or random in params.yaml"
        raise SimlibError(root / PATH, f"cannot begin the training ({remark})", mend)
    return None, f"Training began with random weights. {remark}"


def tuned(curves):
    """Tell what became of the weights that training began with.

    Parameters
    ----------
    curves : pandas.DataFrame
        From `simlib.train.train`.

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
