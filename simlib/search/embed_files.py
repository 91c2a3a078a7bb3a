"""Embed audio files, with no catalogue around them: by the model, or by a backbone alone."""

import os
from collections.abc import Iterable
from pathlib import Path

import joblib
import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from simlib.catalogue import scan_folder
from simlib.core import Project, SimlibError, unit_rows
from simlib.features import compute_activations, load_onnx
from simlib.index import DEFAULT_HUBS, HubSettings, IndexSettings, hub_corrected
from simlib.model import Embedder
from simlib.search.decoding import load_recording

# Above this, embed leaves the similarity matrix out: it grows with the square.
SIMILARITY_LIMIT = 5_000


def embed(
    paths: Iterable[str | os.PathLike],
    weights: str | os.PathLike | None = None,
    *,
    backbone: str | os.PathLike | None = None,
    card: str | os.PathLike | None = None,
) -> tuple[dict[str, np.ndarray], list[SimlibError]]:
    """Embed audio files, with no catalogue around them.

    Parameters
    ----------
    paths : iterable of path-like
        Files, and folders with audio files.
    weights : path-like, optional
        Of the encoder; by default the project's `models/`, else what it ships in `pretrained/`.
    backbone : path-like, optional
        A network in ONNX with its `card`, or the card alone if it names the network. The files are
        embedded by it alone, without weights: the mean of its activations over the patches.
    card : path-like, optional
        Of the backbone.

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
        If there are no weights, no file, or two files with one stem; or the backbone cannot be
        loaded.
    """
    if backbone is None and card is None:
        embed_one = _by_model(weights)
    else:
        embed_one = _by_backbone(weights, backbone, card)
    vectors, ids, failed = [], [], []
    for path, vector in _each(_files(paths), embed_one):
        if isinstance(vector, SimlibError):
            failed.append(vector)
        else:
            vectors.append(vector)
            ids.append(path.stem)
    arrays = {"ids": np.array(ids, dtype=str), "emb": np.array(vectors, dtype=np.float32)}
    if 0 < len(ids) <= SIMILARITY_LIMIT:
        # The artists of files are unknown.
        found = hub_corrected(arrays["emb"], np.arange(len(ids)), _hub_settings())
        arrays["sim"] = found.astype(np.float32)
    return arrays, failed


def _each(files, embed_one):
    """Yield each file and its vector, or the error, in order; several files at a time."""

    def embedded(path):
        try:
            return embed_one(path)
        except SimlibError as error:
            return error

    # Threads share the networks, and what takes long releases Python's lock.
    pool = joblib.Parallel(n_jobs=-1, prefer="threads", return_as="generator")
    with threadpool_limits(1), tqdm(total=len(files), desc="recordings", unit="", delay=2) as bar:
        calls = (joblib.delayed(embedded)(path) for path in files)
        for path, vector in zip(files, pool(calls), strict=True):
            bar.update()
            yield path, vector


def _by_model(weights):
    """Return what embeds a file by the trained model."""
    model = Embedder.load(weights or _default_weights())
    variants = model.provenance.get("backbones")

    def embed_one(path):
        recording = load_recording(model, path, variants=variants)
        return model.track(recording.features, model.segment_seconds / 2)[0]

    return embed_one


def _by_backbone(weights, backbone, card):
    """Return what embeds a file by a network in ONNX alone."""
    if weights is not None:
        cause = "takes no weights: it embeds files alone"
        raise SimlibError("backbone", cause, "leave one of the two out")
    if backbone is None:
        raise SimlibError(card, "is the card of no backbone", "name the network, too: --backbone")
    if card is None and Path(backbone).suffix == ".onnx":
        raise SimlibError(backbone, "has no card", "name the card that describes it: --card")
    network = load_onnx(backbone) if card is None else load_onnx(card, backbone)

    def embed_one(path):
        mean = compute_activations(path, network).mean(axis=0, dtype=np.float32)
        return unit_rows(mean[None])[0]

    return embed_one


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
