"""The table of neighbours: which tracks are nearest to each, by all aspects and by each one alone.

The table is exact, and it grows with the catalogue. A new track is compared with all others, and
takes a place where it is nearer than others. Where a track goes, the lists that it stood in are
made anew. The result is that of a build from nothing. Hubs are found under any weights from the
cosines of the table, without looking at all pairs again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

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
# Of tracks by one artist, in place of their cosine: no place in a list.
BARRED = -2.0
KEY_BYTES = 16
_FILE = "neighbours.safetensors"


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
    """

    def __init__(
        self, keys: np.ndarray, weights: np.ndarray, rows: np.ndarray, cosines: np.ndarray
    ):
        self.keys, self.weights, self.rows, self.cosines = keys, weights, rows, cosines

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

    def save(self, folder: str | os.PathLike) -> None:
        """Write the table into a folder, as one safetensors file."""
        with written_aside(Path(folder) / _FILE) as aside:
            save_file(
                {name: np.ascontiguousarray(array) for name, array in vars(self).items()}, aside
            )

    @classmethod
    def load(cls, folder: str | os.PathLike) -> NeighbourTable | None:
        """Read what `save` wrote; None if there is none, or one of another version."""
        try:
            with safe_open(Path(folder) / _FILE, framework="np") as file:
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
    artists = np.array(list(artists), dtype=object)
    keys = _keys(vectors, ids, artists)
    weights = np.array([aspects.default[name] for name in aspects.sizes])
    cosines = _Cosines(vectors, aspects, artist_codes(artists), weights)
    count, places = len(vectors), cosines.places
    table = NeighbourTable(
        keys, weights,
        np.full((count, places), -1, dtype=np.int32),
        np.zeros((count, places, len(weights)), dtype=np.float32),
    )  # fmt: skip
    stale = np.arange(count)
    if before is not None and _comparable(before, table):
        stale = _taken_over(table, before, cosines)
    for first in range(0, len(stale), BLOCK):
        block = stale[first : first + BLOCK]
        every = cosines.between(block, slice(None))
        table.rows[block], table.cosines[block] = cosines.nearest(every, np.arange(count)[None])
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
        """Return cosines of the default weights and of each aspect."""
        by_aspect = np.stack([part[some] @ part[others].T for part in self.parts])
        return self._with_default(by_aspect, self.codes[some][:, None] == self.codes[others])

    def _with_default(self, by_aspect, barred):
        every = np.concatenate([np.tensordot(self.weights, by_aspect, 1)[None], by_aspect])
        every[:, barred] = BARRED
        return every

    def nearest(self, every, candidates):
        """Choose the neighbours among candidates; return their rows and cosines.

        `every` are the candidates' cosines, (1 + n_aspects, n, n_candidates), and `candidates`
        their rows, (n, n_candidates) or (1, n_candidates).
        """
        places = np.concatenate([
            np.argpartition(-cosines, length - 1, axis=1)[:, :length]
            for cosines, length in zip(every, self.lengths, strict=True)
        ], axis=1)  # fmt: skip
        places.sort(axis=1)
        found = np.take_along_axis(every, places[None], axis=2)
        # A candidate counts once, and one by the same artist never.
        found[:, :, 1:][:, places[:, 1:] == places[:, :-1]] = BARRED
        order = np.argsort(-found[0], axis=1, kind="stable")
        found = np.take_along_axis(found, order[None], axis=2)
        taken = found[0] > BARRED
        rows = np.take_along_axis(
            np.broadcast_to(candidates, (len(places), candidates.shape[1])),
            np.take_along_axis(places, order, axis=1), axis=1,
        )  # fmt: skip
        cosines = np.where(taken[..., None], found[1:].transpose(1, 2, 0), 0)
        return np.where(taken, rows, -1), cosines

    def joined(self, rows, cosines, block, new):
        """Let new tracks into the lists of a block of others; return rows and cosines."""
        by_aspect = np.stack([part[block] @ part[new].T for part in self.parts])
        by_aspect = np.concatenate([cosines.transpose(2, 0, 1), by_aspect], axis=2)
        same = self.codes[block][:, None] == self.codes[new]
        every = self._with_default(by_aspect, np.concatenate([rows < 0, same], axis=1))
        return self.nearest(every, np.hstack([rows, np.tile(new, (len(rows), 1))]))


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
    """Take lists over and let new tracks in; return the tracks whose lists must be made anew."""
    now = {key.tobytes(): row for row, key in enumerate(table.keys)}
    moved = np.array([now.get(key.tobytes(), -1) for key in before.keys], dtype=np.int64)
    old = np.flatnonzero(moved >= 0)
    rows = np.where(before.rows[old] < 0, -1, moved[before.rows[old]])
    complete = ((rows >= 0) == (before.rows[old] >= 0)).all(axis=1)
    old, rows = old[complete], rows[complete]
    kept = moved[old]
    every = np.arange(len(table.keys))
    new = np.setdiff1d(every, moved[moved >= 0])
    for first in range(0, len(kept), BLOCK):
        part = slice(first, first + BLOCK)
        found = cosines.joined(rows[part], before.cosines[old[part]], kept[part], new)
        table.rows[kept[part]], table.cosines[kept[part]] = found
    return np.setdiff1d(every, kept)
