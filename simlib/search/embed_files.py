"""Embed audio files, with no catalogue around them."""

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from simlib.catalogue import scan_folder
from simlib.core import Project, SimlibError
from simlib.index import DEFAULT_HUBS, HubSettings, IndexSettings, hub_corrected
from simlib.model import Embedder
from simlib.search.queries import load_recording

# Above this, embed leaves the similarity matrix out: it grows with the square.
SIMILARITY_LIMIT = 5_000


def embed(
    paths: Iterable[str | os.PathLike], weights: str | os.PathLike | None = None
) -> tuple[dict[str, np.ndarray], list[SimlibError]]:
    """Embed audio files, with no catalogue around them.

    Parameters
    ----------
    paths : iterable of path-like
        Files, and folders with audio files.
    weights : path-like, optional
        Of the encoder; by default the project's `models/`, else what it ships in `pretrained/`.

    Returns
    -------
    arrays : dict of str to numpy.ndarray
        `ids` (n,): file stems; `emb` (n, embedding) float32: unit vectors; and, up to 5,000 files,
        `sim` (n, n) float32: the scores that search would give if these were the catalogue, each
        by an artist of its own.
    failed : list of SimlibError
        One for each file that could not be embedded.

    Raises
    ------
    SimlibError
        If there are no weights, no file, or two files with one stem.
    """
    model = Embedder.load(weights or _default_weights())
    vectors, ids, failed = [], [], []
    for path in _files(paths):
        try:
            recording = load_recording(model, path)
            vectors.append(model.track(recording.features, model.segment_seconds / 2)[0])
            ids.append(path.stem)
        except SimlibError as error:
            failed.append(error)
    arrays = {"ids": np.array(ids, dtype=str), "emb": np.array(vectors, dtype=np.float32)}
    if 0 < len(ids) <= SIMILARITY_LIMIT:
        artists, hubs = np.arange(len(ids)), _hub_settings().unfiltered()
        arrays["sim"] = hub_corrected(arrays["emb"], artists, hubs).astype(np.float32)
    return arrays, failed


def _default_weights():
    project = Project.find()
    trained, shipped = project.weights, project.pretrained_weights
    return shipped if shipped.exists() and not trained.exists() else trained


def _hub_settings() -> HubSettings:
    """Return the project's settings; outside a project, those that simlib ships."""
    try:
        project = Project.find()
    except SimlibError:
        return DEFAULT_HUBS
    return IndexSettings.of(project.params().get("index")).hubs


def _files(paths):
    """Return the audio files of some paths, those of a folder in order."""
    paths, found = list(map(Path, paths)), {}
    for path in paths:
        files = [path]
        if path.is_dir():
            files = sorted(path / name for name, problem in scan_folder(path) if not problem)
        for file in files:
            if file.stem in found:
                cause = f"has the same name as {found[file.stem]}"
                raise SimlibError(file, cause, "ids are file names: rename one")
            found[file.stem] = file
    if not found:
        names = ", ".join(map(str, paths))
        raise SimlibError(names, "holds no audio file", "name files or folders")
    return list(found.values())
