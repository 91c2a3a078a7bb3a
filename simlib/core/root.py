"""The root of a project: what all its paths are relative to."""

import os
from pathlib import Path

from simlib.core.errors import SimlibError


def project_root(start: str | os.PathLike | None = None) -> Path:
    """Find the root: the nearest folder upwards with `dvc.yaml` and `params.yaml`.

    A notebook's kernel starts in `notebooks/` under JupyterLab and in the root under papermill.

    Parameters
    ----------
    start : path-like, optional
        Where to begin; the working directory by default.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    SimlibError
        If no folder on the way up is a project.
    """
    start = Path(start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "dvc.yaml").is_file() and (folder / "params.yaml").is_file():
            return folder
    raise SimlibError(
        start,
        "no simlib project here or above (a folder with dvc.yaml and params.yaml)",
        "change into your checkout and try again",
    )
