"""The table of neighbours: which tracks are nearest to each, by all aspects and by each one alone.

The table is exact, and it grows with the catalogue. A track that comes changes the lists of the few
tracks that it is nearest to; a track that goes, the lists that it stood in. All other lists stay.
With the cosines of the table, hubs are found under any weights without looking at all pairs again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from simlib.core import written_aside
from simlib.model import Aspects
from simlib.relevance import artist_codes

# Places of a track's list by default weights, and of each of its lists by one aspect.
PLACES, ASPECT_PLACES = 50, 20
# Tracks whose cosines to all others are in memory at once.
BLOCK = 64
# Two products of the same vectors differ by less.
ROUNDING = 1e-5
KEY_BYTES = 16


class NeighbourTable:
    """The lists of all tracks; make one with `build_table`.

    Parameters
    ----------
    keys : numpy.ndarray of uint8, shape (n_tracks, 16)
        Digests of the tracks' ids, artists and embeddings.
    weights : numpy.ndarray of float64, shape (n_aspects,)
        The default weights.
    rows : numpy.ndarray of int32, shape (n_tracks, places)
        The neighbours, nearest by default weights first; -1 after the last one.
    cosines : numpy.ndarray of float32, shape (n_tracks, places, n_aspects)
        To each neighbour, by each aspect; 0 after the last one.
    reach : numpy.ndarray of float32, shape (n_tracks, 1 + n_aspects)
        The lowest cosine in each list, the one by default weights first; -2 if it is not full.
    """

    def __init__(
        self,
        keys: np.ndarray,
        weights: np.ndarray,
        rows: np.ndarray,
        cosines: np.ndarray,
        reach: np.ndarray,
    ):
        self.keys, self.weights = keys, weights
        self.rows, self.cosines, self.reach = rows, cosines, reach

    def distances(self, weights: Sequence[float]) -> np.ndarray:
        """Return the distances to the neighbours under some weights.

        Parameters
        ----------
        weights : sequence of float
            Of each aspect, in their order; they sum to 1.

        Returns
        -------
        numpy.ndarray of float64, shape (n_tracks, places)
            1 - cosine, at least 0; inf after the last neighbour.
        """
        cosines = (self.cosines @ np.asarray(weights, dtype=np.float32)).astype(np.float64)
        return np.where(self.rows < 0, np.inf, np.maximum(1 - cosines, 0))

    def save(self, path: str | os.PathLike) -> None:
        """Write the table as one safetensors file."""
        with written_aside(path) as aside:
            save_file(
                {name: np.ascontiguousarray(array) for name, array in vars(self).items()}, aside
            )

    @classmethod
    def load(cls, path: str | os.PathLike) -> NeighbourTable | None:
        """Read what `save` wrote; None if there is none, or one of another version."""
        try:
            with safe_open(path, framework="np") as file:
                return cls(**{name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
        except (OSError, SafetensorError, TypeError):
            return None


def build_table(
    vectors: np.ndarray, aspects: Aspects, ids: Iterable[str], artists: Iterable[str],
    before: NeighbourTable | None = None,
) -> NeighbourTable:  # fmt: skip
    """Find the neighbours of every track, without those by its own artist.

    Parameters
    ----------
    vectors : numpy.ndarray of float32, shape (n_tracks, dimensions)
        The embeddings.
    aspects : simlib.model.Aspects
    ids, artists : iterable of str
        Of the tracks. Artists are equal for tracks by one artist.
    before : NeighbourTable, optional
        An earlier table. Only what has changed since is computed. The result is the same.

    Returns
    -------
    NeighbourTable
    """
    keys = _keys(vectors, ids, artists)
    weights = np.array([aspects.default[name] for name in aspects.sizes])
    cosines = _Cosines(
        vectors, aspects, artist_codes(np.array(list(artists), dtype=object)), weights
    )
    count, places = len(vectors), cosines.places
    table = NeighbourTable(
        keys, weights,
        np.full((count, places), -1, dtype=np.int32),
        np.zeros((count, places, len(weights)), dtype=np.float32),
        np.full((count, 1 + len(weights)), -2, dtype=np.float32),
    )  # fmt: skip
    stale = np.arange(count)
    if before is not None and _comparable(before, table):
        stale = _taken_over(table, before, cosines)
    for first in range(0, len(stale), BLOCK):
        block = stale[first : first + BLOCK]
        table.rows[block], table.cosines[block], table.reach[block] = cosines.lists(block)
    return table


class _Cosines:
    """The cosines of tracks by each aspect, and what is nearest by them."""

    def __init__(self, vectors, aspects, codes, weights):
        # Of unit length in each subspace. Products of slices would be several times as slow.
        unit = aspects.weighted(vectors, dict.fromkeys(aspects.sizes, 1.0))
        self.parts = [np.ascontiguousarray(unit[:, span]) for span in aspects.spans.values()]
        self.codes, self.weights = codes, weights.astype(np.float32)
        self.lengths = [min(PLACES, len(codes))]
        self.lengths += [min(ASPECT_PLACES, len(codes))] * len(self.parts)
        self.places = sum(self.lengths)

    def between(self, some, others):
        """Return cosines by default weights and by each aspect; -2 for tracks by one artist."""
        by_aspect = np.stack([part[some] @ part[others].T for part in self.parts])
        every = np.concatenate([np.tensordot(self.weights, by_aspect, 1)[None], by_aspect])
        every[:, self.codes[some][:, None] == self.codes[others]] = -2
        return every

    def lists(self, block):
        """Return rows, cosines and reach of some tracks."""
        every = self.between(block, slice(None))
        found, reach = [], []
        for cosines, length in zip(every, self.lengths, strict=True):
            places = np.argpartition(-cosines, length - 1, axis=1)[:, :length]
            values = np.take_along_axis(cosines, places, axis=1)
            reach.append(values.min(axis=1))
            found.append(np.where(values > -2, places, -1))
        rows = _without_repetition(np.concatenate(found, axis=1))
        own = np.take_along_axis(every, np.maximum(rows, 0)[None], axis=2)
        own[:, rows < 0] = -2
        order = np.argsort(-own[0], axis=1, kind="stable")
        rows = np.take_along_axis(rows, order, axis=1)
        cosines = np.take_along_axis(own[1:], order[None], axis=2).transpose(1, 2, 0)
        cosines = np.where(rows[..., None] < 0, 0, cosines)
        return rows, cosines, np.stack(reach, axis=1)


def _without_repetition(rows):
    """Sort each row and set to -1 what stands in it before."""
    rows = np.sort(rows, axis=1)
    rows[:, 1:][rows[:, 1:] == rows[:, :-1]] = -1
    return rows


def _keys(vectors, ids, artists):
    digests = [
        hashlib.blake2b(
            repr((str(name), str(artist))).encode() + vector.tobytes(), digest_size=KEY_BYTES
        ).digest()
        for name, artist, vector in zip(ids, artists, vectors, strict=True)
    ]
    return np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(len(vectors), KEY_BYTES)


def _comparable(before, table):
    return (
        np.array_equal(before.weights, table.weights)
        and before.rows.shape[1] == table.rows.shape[1]
    )


def _taken_over(table, before, cosines):
    """Copy the lists that have not changed; return the tracks whose lists must be computed."""
    now = {key.tobytes(): row for row, key in enumerate(table.keys)}
    moved = np.array([now.get(key.tobytes(), -1) for key in before.keys], dtype=np.int64)
    old = np.flatnonzero(moved >= 0)
    rows = np.where(before.rows[old] < 0, -1, moved[before.rows[old]])
    complete = ((rows >= 0) == (before.rows[old] >= 0)).all(axis=1)
    old, rows = old[complete], rows[complete]
    kept = moved[old]
    new = np.setdiff1d(np.arange(len(table.keys)), moved[moved >= 0])
    changed = np.zeros(len(kept), dtype=bool)
    for first in range(0, len(kept), 64 * BLOCK) if len(new) else ():
        part = slice(first, first + 64 * BLOCK)
        nearest = cosines.between(kept[part], new).max(axis=2).T
        changed[part] = (nearest > before.reach[old[part]] - ROUNDING).any(axis=1)
    old, rows, kept = old[~changed], rows[~changed], kept[~changed]
    table.rows[kept], table.reach[kept] = rows, before.reach[old]
    table.cosines[kept] = before.cosines[old]
    return np.setdiff1d(np.arange(len(table.keys)), kept)
