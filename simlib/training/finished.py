"""Finished trainings, to find again what an edited comment does not change.

DVC deletes the outputs of a stage before it runs the stage again. A copy of the weights outside of
them saves the training if inputs, settings and code are still the same.
"""

import json
from pathlib import Path

from simlib.core import SimlibError
from simlib.model import Embedder

# How many trainings are kept; older ones are removed.
KEPT = 4


def _path(folder, key):
    return folder / f"{key[:32]}.safetensors"


def load_finished(folder: Path, key: str) -> tuple[Embedder, list[dict]] | None:
    """Load what `save_finished` wrote, or None if it is absent or damaged."""
    try:
        model = Embedder.load(_path(folder, key))
        curves = json.loads(model.provenance["curves"])
    except (SimlibError, KeyError):
        return None
    _path(folder, key).touch()
    return model, curves


def save_finished(folder: Path, key: str, model: Embedder, curves: list[dict]) -> None:
    """Keep a training, and remove the oldest ones.

    Parameters
    ----------
    folder : pathlib.Path
        Outside every pipeline output.
    key : str
        A digest of all that the training depends on.
    model : simlib.model.Embedder
    curves : list of dict
        A row for each validation.
    """
    # As text, because metadata is written with sorted keys and the order of columns matters.
    model.save(_path(folder, key), curves=json.dumps(curves))
    newest = sorted(folder.glob("*.safetensors"), key=lambda path: -path.stat().st_mtime_ns)
    for path in newest[KEPT:]:
        path.unlink(missing_ok=True)
