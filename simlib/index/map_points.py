"""The file of the map: points, and whose they are."""

import os
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from simlib.core import SimlibError, written_aside
from simlib.index.settings import INDEX_HINT

_FILE = "map.safetensors"
UNREADABLE = (OSError, SafetensorError, KeyError)


def save_projection(points: np.ndarray, keys: np.ndarray, folder: str | os.PathLike) -> None:
    """Write a map beside the index; `keys` are those of the table of neighbours."""
    with written_aside(Path(folder) / _FILE) as aside:
        save_file({"points": np.ascontiguousarray(points), "keys": keys}, aside)


def load_projection(folder: str | os.PathLike) -> np.ndarray:
    """Read the points that `save_projection` wrote: float32, shape (n_tracks, 2).

    Raises
    ------
    SimlibError
        If they are absent or broken.
    """
    try:
        return load_file(Path(folder) / _FILE)["points"]
    except UNREADABLE as error:
        reason = str(error).splitlines()[0]
        raise SimlibError(Path(folder) / _FILE, f"cannot be read ({reason})", INDEX_HINT) from None


def known_points(keys: np.ndarray, folder: str | os.PathLike) -> np.ndarray:
    """Look the points of tracks up in a map.

    Parameters
    ----------
    keys : numpy.ndarray of uint8, shape (n_tracks, 16)
        From the table of neighbours.
    folder : path-like
        Where the map is, if there is one.

    Returns
    -------
    numpy.ndarray of float32, shape (n_tracks, 2)
        NaN for tracks that the map does not have.
    """
    points = np.full((len(keys), 2), np.nan, dtype=np.float32)
    try:
        before = load_file(Path(folder) / _FILE)
        rows = {key.tobytes(): row for row, key in enumerate(before["keys"])}
        old = np.array([rows.get(key.tobytes(), -1) for key in keys])
        points[old >= 0] = before["points"][old[old >= 0]]
    except UNREADABLE:
        pass
    return points
