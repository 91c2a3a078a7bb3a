"""The same recording once more: found in another file, and which seconds of it are which.

A re-release, an edit, another encoding or a passage inside a mix does not just sound alike, it is
alike, moment by moment. A print is a log-mel spectrogram at low resolution that keeps only what
changes: each band relative to its own mean over the seconds around, which takes level and equaliser
out, as audio fingerprints do (Haitsma and Kalker 2002). Two prints are compared by normalised
cross-correlation: coarsely with all of a catalogue, finely where that finds something.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import scipy.ndimage
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from simlib.core import written_aside

if TYPE_CHECKING:
    from simlib.features import FrontEnd

# Frames of a log-mel spectrogram that make one of a print, and bands: what is played 2% faster
# moves by less than a band.
POOLED, BANDS = 4, 32
# Seconds that a band's level is taken relative to.
AROUND_SECONDS = 2.0
# dB: what is so much weaker than the loudest is the encoder's business; and no moment is to
# outweigh all others.
DEPTH, CLIP = 70.0, 15.0
# A print is kept in eighths of a dB.
SCALE = 8
# Frames of the windows that are compared, about three seconds; a power of 2.
WINDOW = 32
# The first look pools so many frames, begins a window at every fourth of those of the query, and
# compares so many of the catalogue at once, which a processor's cache holds.
COARSE, STRIDE, CHUNK = 2, 4, 8_192
# Frames, about a second, that tell where a copy begins and ends.
EDGE = 11
# What a step out of time has to gain.
DRIFT = 0.02
# Cross-correlations: from which the first look is followed by a second, which that must reach, and
# down to which a copy goes on.
PROMISING, SAME, GOES_ON = 0.5, 0.6, 0.45
LOOKED_AT = 20
# Shifts between two recordings that are told apart, in frames, and how many of them are followed.
SHIFT, SHIFTS = 8, 4
# A copy ends where, moment by moment, so much is lost against that again.
LOST = 3.0
# Seconds: what is shorter is a chance or a sample, and no copy.
SHORTEST_SECONDS = 3.0
# No copy is so much faster or slower.
FASTER = 0.1
# Of the shorter one of two recordings, a near-duplicate has so much.
MOST = 0.5
_FILE = "prints.safetensors"


class Match(NamedTuple):
    """Seconds of a recording that are seconds of another."""

    start: float
    end: float
    other_start: float
    other_end: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.end - self.start


def fingerprint(log_mel: np.ndarray, front_end: FrontEnd) -> np.ndarray:
    """Make a recording's print.

    Parameters
    ----------
    log_mel : numpy.ndarray of float16, shape (n_frames, n_mels)
        dB.
    front_end : simlib.features.FrontEnd

    Returns
    -------
    numpy.ndarray of int8, shape (n_frames // POOLED, n_bands)
        Eighths of a dB.
    """
    count = len(log_mel) // POOLED
    frames = np.asarray(log_mel[: count * POOLED], dtype=np.float32)
    frames = np.maximum(frames, frames.max(initial=-np.inf) - DEPTH)
    bands = np.array_split(np.arange(frames.shape[1]), min(BANDS, frames.shape[1]))
    frames = frames.reshape(count, POOLED, frames.shape[1]).mean(axis=1)
    found = np.stack([frames[:, band].mean(axis=1) for band in bands], axis=1)
    around = round(AROUND_SECONDS * fingerprint_rate(front_end)) | 1
    found -= scipy.ndimage.uniform_filter1d(found, around, axis=0, mode="nearest")
    found -= found.mean(axis=1, keepdims=True)
    return (SCALE * np.clip(found, -CLIP, CLIP)).round().astype(np.int8)


def fingerprint_rate(front_end: FrontEnd) -> float:
    """Return the frames of a print in a second: float."""
    return front_end.frame_rate / POOLED


class Fingerprints:
    """The prints of a catalogue.

    Parameters
    ----------
    frames : numpy.ndarray of int8, shape (n_frames, n_bands)
        One print after the other.
    lengths : numpy.ndarray of int64, shape (n_tracks,)
    rate : float
        Frames a second.
    """

    def __init__(self, frames: np.ndarray, lengths: Sequence[int] | np.ndarray, rate: float):
        self.frames, self.lengths, self.rate = frames, np.asarray(lengths), rate
        self.ends = np.cumsum(self.lengths)

    @classmethod
    def of_all(cls, fingerprints: list[np.ndarray], rate: float) -> Fingerprints:
        """Make one of the prints of single tracks."""
        return cls(np.concatenate(fingerprints), [len(one) for one in fingerprints], rate)

    def save(self, folder: str | os.PathLike) -> None:
        """Write them beside the index."""
        kept = {"frames": self.frames, "lengths": self.lengths, "rate": np.array([self.rate])}
        with written_aside(Path(folder) / _FILE) as aside:
            save_file(kept, aside)

    @classmethod
    def load(cls, folder: str | os.PathLike) -> Fingerprints:
        """Read what `save` wrote.

        Raises
        ------
        OSError, ValueError, KeyError
            If it is absent or broken.
        """
        try:
            kept = load_file(Path(folder) / _FILE)
        except SafetensorError as error:
            raise ValueError(f"{_FILE}: {error}") from None
        return cls(kept["frames"], kept["lengths"], float(kept["rate"][0]))

    def of(self, row: int) -> np.ndarray:
        """Return the print of a track."""
        return self.frames[self.ends[row] - self.lengths[row] : self.ends[row]]

    def promising(self, query: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """Look for tracks that may share a passage with a query.

        Parameters
        ----------
        query : numpy.ndarray of int8, shape (n_frames, n_bands)
        rows : numpy.ndarray of int, optional
            The tracks to look at; all by default.

        Returns
        -------
        numpy.ndarray of int64, shape (n_found,)
            Rows, most promising first.
        """
        rows = np.arange(len(self.lengths)) if rows is None else np.asarray(rows)
        query, window = _coarse(query), WINDOW // COARSE
        found = np.full(len(rows), -1.0)
        held, size = [], 0
        for place, row in enumerate(rows):
            held.append((place, _coarse(self.of(row))))
            size += len(held[-1][1])
            if size >= CHUNK or place + 1 == len(rows):
                places, fingerprints = zip(*held, strict=True)
                alike = _windows(query, np.concatenate(fingerprints), window, STRIDE)
                best, ends = (
                    alike.max(axis=0, initial=-1),
                    np.cumsum([len(one) for one in fingerprints]),
                )
                for where, one, end in zip(places, fingerprints, ends, strict=True):
                    inside = best[end - len(one) : max(end - window + 1, end - len(one))]
                    found[where] = inside.max(initial=-1.0)
                held, size = [], 0
        order = np.argsort(-found, kind="stable")
        return rows[order[found[order] >= PROMISING]]

    def copy(self, query: np.ndarray, row: int) -> Match | None:
        """Find what a track shares with a query, moment by moment.

        Parameters
        ----------
        query : numpy.ndarray of int8, shape (n_frames, n_bands)
        row : int

        Returns
        -------
        Copy or None
            The seconds of the query and of the track; None where nothing is the same.
        """
        other = self.of(row)
        alike = _windows(_float(query), _float(other), WINDOW)
        seeds = _seeds(alike)
        if not seeds:
            return None
        found, seen = [], {}
        for row, column in seeds:
            # Of a long mix, what is too far away to be this copy is left out: it takes memory.
            reach = round((1 + FASTER) * len(other)) + WINDOW
            begin, end = max(0, row - reach), min(len(query), row + reach)
            if (begin, end) not in seen:
                seen[begin, end] = _moments(_float(query[begin:end]), _float(other))
            copy = self._around(seen[begin, end], (row - begin, column))
            shift = begin / self.rate
            found.append(copy._replace(start=copy.start + shift, end=copy.end + shift))
        longest = max(found, key=lambda one: one.seconds)
        faster = (longest.other_end - longest.other_start) / longest.seconds
        same = longest.seconds >= SHORTEST_SECONDS and abs(faster - 1) <= FASTER
        return longest if same else None

    def _around(self, moments, seed):
        """Return the Copy that a window, the same in both, is part of."""
        middle = seed[0] + WINDOW // 2, seed[1] + WINDOW // 2
        last, first = _follow(moments, middle, 1), _follow(moments, middle, -1)
        places = (first[0], last[0] + 1, first[1], last[1] + 1)
        return Match(*(float(place / self.rate) for place in places))

    def matches(self, query: np.ndarray, rows: np.ndarray | None = None) -> dict[int, Match]:
        """Find all tracks that share a passage with a query.

        Parameters
        ----------
        query : numpy.ndarray of int8, shape (n_frames, n_bands)
        rows : numpy.ndarray of int, optional
            The tracks to look at; all by default.

        Returns
        -------
        dict of int to Copy
            By row; of the most promising ones, `LOOKED_AT` or, of a long mix, one for each ten
            seconds of it.
        """
        most = max(LOOKED_AT, int(len(query) / self.rate / 10))
        found = {row: self.copy(query, row) for row in self.promising(query, rows)[:most].tolist()}
        return {row: copy for row, copy in found.items() if copy is not None}

    def is_near_duplicate(self, query: np.ndarray, row: int, copy: Match) -> bool:
        """Tell whether a `copy` of a query and a track is most of one of them."""
        shorter = min(len(query), int(self.lengths[row])) / self.rate
        return copy is not None and copy.seconds >= MOST * shorter


def _float(one):
    return one.astype(np.float32)


def _coarse(one):
    count = len(one) // COARSE
    return _float(one[: count * COARSE]).reshape(count, COARSE, one.shape[1]).mean(axis=1)


def _windows(one, other, window, stride=1):
    """Normalised cross-correlation of windows: the one's every `stride` frames, all of the other's.

    float32, shape (n_windows, n_other_windows).
    """
    if min(len(one), len(other)) < window:
        return np.zeros((0, max(len(other) - window + 1, 0)), dtype=np.float32)
    products, reach, step = one @ other.T, 1, 1
    # Sums along diagonals by doubling; rows that are not wanted are dropped as early as can be.
    while reach < window:
        ahead = reach // step
        products = products[: len(products) - ahead, :-reach] + products[ahead:, reach:]
        reach *= 2
        if step < stride:
            products, step = products[::2], 2 * step
    lengths = [np.sqrt(_sums((x * x).sum(axis=1), window)) for x in (one, other)]
    return products / np.maximum(np.outer(lengths[0][::stride], lengths[1]), 1.0)


def _sums(values, window):
    total = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    return np.maximum(total[window:] - total[:-window], 0.0).astype(np.float32)


def _seeds(alike):
    """Windows that are the same in both, one for each of the likeliest shifts between the two.

    Music of loops is the same as itself a bar later: the shift that holds for longest counts.
    """
    rows, columns = np.nonzero(alike >= SAME)
    if not len(rows):
        return []
    shifts = (columns - rows + len(alike)) // SHIFT
    seeds = []
    for shift in np.argsort(-np.bincount(shifts), kind="stable")[:SHIFTS]:
        inside = np.flatnonzero(shifts == shift)
        if len(inside):
            best = inside[np.argmax(alike[rows[inside], columns[inside]])]
            seeds.append((rows[best], columns[best]))
    return seeds


def _moments(one, other):
    """How alike about a second around each pair of frames is: float32, shape (n, n_other)."""
    half = EDGE // 2
    padded = [np.pad(x, ((half, half), (0, 0))) for x in (one, other)]
    products = padded[0] @ padded[1].T
    total = sum(
        products[shift : shift + len(one), shift : shift + len(other)] for shift in range(EDGE)
    )
    lengths = [np.sqrt(_sums((x * x).sum(axis=1), EDGE)) for x in padded]
    return total / np.maximum(np.outer(*lengths), 1.0)


def _follow(moments, place, direction):
    """Walk along both recordings while they stay the same; return the last pair of frames."""
    row, column = last = place
    gained = most = 0.0
    # One moment may be masked, or alike by chance; what is gained and lost on the way decides.
    while gained > most - LOST:
        row += direction
        if not 0 <= row < len(moments) or not 0 <= column + direction < moments.shape[1]:
            break
        # The other one may be a little slower or faster.
        steps = np.clip(column + direction * np.array([1, 0, 2]), 0, moments.shape[1] - 1)
        column = int(steps[np.argmax(moments[row, steps] - [0.0, DRIFT, DRIFT])])
        gained += moments[row, column] - GOES_ON
        if gained >= most:
            most, last = gained, (row, column)
    return last
