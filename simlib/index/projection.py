"""The map of the catalogue: embeddings in two dimensions, in which similar tracks lie close."""

import os
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from simlib.core import SimlibError, written_aside
from simlib.index.settings import INDEX_HINT, MapSettings

_FILE = "plane.npy"


def project_to_plane(vectors: np.ndarray, settings: MapSettings) -> np.ndarray:
    """Project embeddings to two dimensions by t-SNE (van der Maaten and Hinton 2008) from PCA.

    Parameters
    ----------
    vectors : numpy.ndarray of float32, shape (n_tracks, dimensions)
    settings : MapSettings

    Returns
    -------
    numpy.ndarray of float32, shape (n_tracks, 2)
    """
    if len(vectors) < 5:
        plane = np.zeros((len(vectors), 2), dtype=np.float32)
        axes = min(2, len(vectors) - 1)
        if axes:
            plane[:, :axes] = PCA(axes, random_state=settings.seed).fit_transform(vectors)
        return plane
    perplexity = min(settings.perplexity, (len(vectors) - 1) / 3)
    tsne = TSNE(2, perplexity=perplexity, init="pca", random_state=settings.seed)
    return tsne.fit_transform(vectors)


def save_projection(points: np.ndarray, folder: str | os.PathLike) -> None:
    """Write a map beside the index."""
    with written_aside(Path(folder) / _FILE) as aside, open(aside, "wb") as stream:
        np.save(stream, points, allow_pickle=False)


def load_projection(folder: str | os.PathLike) -> np.ndarray:
    """Read what `save_projection` wrote.

    Raises
    ------
    SimlibError
        If it is absent or broken.
    """
    try:
        return np.load(Path(folder) / _FILE, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        reason = str(error).splitlines()[0]
        raise SimlibError(Path(folder) / _FILE, f"cannot be read ({reason})", INDEX_HINT) from None
