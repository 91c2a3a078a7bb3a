"""The map of the catalogue: embeddings in two dimensions, in which similar tracks lie close.

A map is laid out once. Later tracks are placed among their neighbours and nothing moves, so that
people find again what they have seen. The map then depends on the order in which tracks came.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from simlib.core import stable_sample
from simlib.index.map_points import known_points
from simlib.index.settings import MapSettings

if TYPE_CHECKING:
    from simlib.index.faiss_index import Index

# A track is placed at the median of so many neighbours (Policar et al. 2019, openTSNE).
PLACED_BY = 5
# Of more new tracks than this share, nothing of a map is worth keeping.
MOST_NEW = 0.5


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


def map_catalogue(index: Index, folder: str | os.PathLike) -> np.ndarray:
    """Place every track of an index, around those of the map that a folder holds.

    Parameters
    ----------
    index : simlib.index.Index
    folder : path-like
        Of an earlier index. If its map has fewer than half of the embeddings, a new one is laid
        out; in a large catalogue, of a sample.

    Returns
    -------
    numpy.ndarray of float32, shape (n_tracks, 2)
    """
    settings = index.settings.map
    points = known_points(index.neighbours.keys, folder)
    if np.isnan(points[:, 0]).mean() > MOST_NEW:
        points[:] = np.nan
        rows = stable_sample(index.tracks["track_id"], settings.sample)
        points[rows] = project_to_plane(index.vectors_of(rows), settings)
    return _placed(points, index)


def _placed(points, index):
    """Place those without a point at the median of their nearest neighbours that have one."""
    known, new = ~np.isnan(points[:, 0]), np.flatnonzero(np.isnan(points[:, 0]))
    if not len(new):
        return points
    near = index.neighbours.rows[new]
    usable = known[near] & (near >= 0)
    usable &= usable.cumsum(axis=1) <= PLACED_BY
    alone = ~usable.any(axis=1)
    around = np.where(usable[..., None], points[near], np.nan)
    around[alone, 0] = points[_nearest_known(index, new[alone], np.flatnonzero(known))]
    points[new] = np.nanmedian(around, axis=1)
    return points


def _nearest_known(index, rows, known):
    """Return for each row the known one with the highest cosine."""
    if not len(rows):
        return rows
    return known[(index.vectors_of(rows) @ index.vectors_of(known).T).argmax(axis=1)]
