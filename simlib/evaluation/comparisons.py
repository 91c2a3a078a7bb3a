"""Other systems to compare with: `.npz` files in the project's folder `comparisons/`."""

import shutil
import zlib
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from simlib.core import SimlibError, digest_of_file, written_aside
from simlib.evaluation.similarities import CosineSimilarity
from simlib.features import SHIPPED

# The systems that simlib compares itself; no file may have the name of one.
RESERVED_NAMES = ("simlib", "untrained", "pretrained", "mfcc", "tags", "random", *SHIPPED)
HINT = "write ids (n,) and emb (n, d), or ids and sim (n, n), or take it out of comparisons/"


def comparison_files(folder: Path) -> dict[str, Path]:
    """Return the files of other systems by the systems' names, in alphabetical order.

    Raises
    ------
    SimlibError
        If a file has the name of a system of simlib's own.
    """
    files = {path.stem: path for path in sorted(folder.glob("*.npz"))}
    for name, path in files.items():
        _check_name(name, path)
    return files


def add_comparison(path: Path, folder: Path) -> Path:
    """Copy another system's file into the folder of comparisons.

    Parameters
    ----------
    path : pathlib.Path
    folder : pathlib.Path
        The project's `comparisons/`.

    Returns
    -------
    pathlib.Path
        The copy.

    Raises
    ------
    SimlibError
        If the file cannot be read, or has the name of a system of simlib's own.
    """
    _check_name(path.stem, path)
    _read(path)
    copy = folder / f"{path.stem}.npz"
    if not copy.exists() or digest_of_file(copy) != digest_of_file(path):
        with written_aside(copy) as aside:
            shutil.copyfile(path, aside)
    return copy


def load_comparison(path: Path, tracks: pd.DataFrame) -> CosineSimilarity | np.ndarray:
    """Read another system's similarities of some tracks.

    Parameters
    ----------
    path : path-like
        `.npz` with `ids` (n,) and `emb` (n, d), compared by cosine, or `sim` (n, n).
    tracks : pandas.DataFrame
        The tracks that it must cover.

    Returns
    -------
    CosineSimilarity, or numpy.ndarray of float64, shape (n_tracks, n_tracks), for a `sim`

    Raises
    ------
    SimlibError
        If the file is absent or malformed, or lacks tracks.
    """
    ids, name, values = _read(path)
    position = {str(one): place for place, one in enumerate(ids)}
    wanted = list(tracks["track_id"].to_numpy(dtype=object))
    # Other programs know files by their names.
    keys = [t if t in position else Path(t).name for t in wanted]
    absent = [t for t, key in zip(wanted, keys, strict=True) if key not in position]
    if absent:
        cause = f"lacks {len(absent)} of {len(wanted)} test tracks, '{absent[0]}' for one"
        raise SimlibError(path, cause, HINT)
    rows = np.array([position[key] for key in keys])
    values = values[np.ix_(rows, rows)] if name == "sim" else values[rows]
    if not np.isfinite(values).all():
        raise SimlibError(path, "holds values that are not numbers", HINT)
    return values.astype(np.float64) if name == "sim" else CosineSimilarity(values)


def _check_name(name, path):
    if name in RESERVED_NAMES:
        raise SimlibError(path, f"'{name}' names a system already", "rename the file")


def _read(path):
    """Return a file's ids, which of `sim` and `emb` it holds, and that array."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files if name in ("ids", "emb", "sim")}
    except (OSError, ValueError, TypeError, EOFError, BadZipFile, zlib.error) as error:
        raise SimlibError(path, f"cannot be read ({error})", HINT) from None
    if "ids" not in arrays or not {"emb", "sim"} & set(arrays):
        raise SimlibError(path, "lacks 'ids', or both 'emb' and 'sim'", HINT)
    name = "sim" if "sim" in arrays else "emb"
    ids, values = arrays["ids"], arrays[name]
    fits = values.shape == (ids.size,) * 2 if name == "sim" else values.ndim == 2
    if ids.ndim != 1 or not fits or len(values) != ids.size:
        cause = f"'{name}' of shape {values.shape} does not fit {ids.size} 'ids'"
        raise SimlibError(path, cause, HINT)
    if values.dtype.kind not in "fiu":
        raise SimlibError(path, "holds values that are not numbers", HINT)
    return ids, name, values
