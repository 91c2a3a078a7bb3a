"""Fingerprints: the same recording found in another file, and the seconds that match.

A re-release, an edit, another encoding or an excerpt in a mix is the same recording, moment by
moment. A fingerprint is a log-mel spectrogram at low resolution that keeps only changes: each band
relative to its mean over the seconds around. That removes level and equaliser, as in other audio
fingerprints (Haitsma and Kalker 2002). Two fingerprints are compared by normalised
cross-correlation, coarsely with all tracks, then finely with the candidates.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import scipy
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from simlib.core import written_aside
from simlib.index.settings import FingerprintSettings

if TYPE_CHECKING:
    from simlib.features import FrontEnd

# The format of a fingerprint. Frames of a log-mel spectrogram that make one of a fingerprint, and
# bands: a speed change of 2% moves sound by less than a band.
POOLED, BANDS = 4, 32
# Seconds over which the mean level of a band is taken.
AROUND_SECONDS = 2.0
# dB below the maximum, where encoders differ, and the largest change, so that no frame dominates.
DEPTH, CLIP = 70.0, 15.0
# Values are stored in eighths of a dB.
SCALE = 8
# Frames of the windows that are compared, about three seconds; a power of 2.
WINDOW = 32
# The coarse comparison pools this number of frames, starts a window at every fourth of the query,
# and takes this number of frames of the catalogue at once, which fit into a processor's cache.
COARSE, STRIDE, CHUNK = 2, 4, 8_192
# Frames, about a second, whose correlation shows where a match begins and ends.
EDGE = 11
# Resolution of the shift between two recordings, in frames, and the shifts that are followed.
SHIFT, SHIFTS = 8, 4
# Seconds of a query for which one more candidate is compared finely, as a long mix needs.
SECONDS_PER_CANDIDATE = 10
_FILE = "fingerprints.safetensors"


class Match(NamedTuple):
    """Seconds of a query that are the same recording as seconds of a track."""

    start: float
    end: float
    other_start: float
    other_end: float

    @property
    def seconds(self) -> float:
        """Duration in the query."""
        return self.end - self.start


def fingerprint(log_mel: np.ndarray, front_end: FrontEnd) -> np.ndarray:
    """Compute a recording's fingerprint.

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
    levels = np.stack([frames[:, band].mean(axis=1) for band in bands], axis=1)
    around = round(AROUND_SECONDS * fingerprint_rate(front_end)) | 1
    levels -= scipy.ndimage.uniform_filter1d(levels, around, axis=0, mode="nearest")
    levels -= levels.mean(axis=1, keepdims=True)
    return (SCALE * np.clip(levels, -CLIP, CLIP)).round().astype(np.int8)


def fingerprint_rate(front_end: FrontEnd) -> float:
    """Return the frames of a fingerprint in a second."""
    return front_end.frame_rate / POOLED


class Fingerprints:
    """The fingerprints of a catalogue.

    Parameters
    ----------
    frames : numpy.ndarray of int8, shape (n_frames, n_bands)
        One fingerprint after the other.
    lengths : numpy.ndarray of int64, shape (n_tracks,)
    rate : float
        Frames a second.
    settings : FingerprintSettings
        What makes a match.
    """

    def __init__(
        self, frames: np.ndarray, lengths: Sequence[int] | np.ndarray, rate: float,
        settings: FingerprintSettings,
    ):  # fmt: skip
        self.frames, self.lengths = frames, np.asarray(lengths)
        self.rate, self.settings = rate, settings
        self.ends = np.cumsum(self.lengths)

    @classmethod
    def of_all(
        cls, fingerprints: list[np.ndarray], rate: float, settings: FingerprintSettings
    ) -> Fingerprints:
        """Join the fingerprints of single tracks."""
        lengths = [len(one) for one in fingerprints]
        return cls(np.concatenate(fingerprints), lengths, rate, settings)

    def save(self, folder: str | os.PathLike) -> None:
        """Write the fingerprints beside the index."""
        arrays = {"frames": self.frames, "lengths": self.lengths, "rate": np.array([self.rate])}
        with written_aside(Path(folder) / _FILE) as aside:
            save_file(arrays, aside)

    @classmethod
    def load(cls, folder: str | os.PathLike, settings: FingerprintSettings) -> Fingerprints:
        """Read what `save` wrote.

        Raises
        ------
        OSError, ValueError, KeyError
            If it is absent or broken.
        """
        path = Path(folder) / _FILE
        try:
            with safe_open(path, framework="np") as file:
                lengths, rate = file.get_tensor("lengths"), float(file.get_tensor("rate")[0])
        except SafetensorError as error:
            raise ValueError(f"{_FILE}: {error}") from None
        return cls(_mapped(path, "frames"), lengths, rate, settings)

    def of(self, row: int) -> np.ndarray:
        """Return the fingerprint of a track."""
        return self.frames[self.ends[row] - self.lengths[row] : self.ends[row]]

    def candidates(self, query: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """Compare a query coarsely with tracks.

        Parameters
        ----------
        query : numpy.ndarray of int8, shape (n_frames, n_bands)
            A fingerprint.
        rows : numpy.ndarray of int, optional
            The tracks to compare with; all by default.

        Returns
        -------
        numpy.ndarray of int64, shape (n_found,)
            Rows of the tracks that may match, the highest correlation first.
        """
        rows = np.arange(len(self.lengths)) if rows is None else np.asarray(rows)
        query, best = _coarse(query), np.full(len(rows), -1.0)
        chunk, size = [], 0
        for place, row in enumerate(rows):
            chunk.append(_coarse(self.of(row)))
            size += len(chunk[-1])
            if size >= CHUNK or place + 1 == len(rows):
                best[place + 1 - len(chunk) : place + 1] = _best_correlations(query, chunk)
                chunk, size = [], 0
        order = np.argsort(-best, kind="stable")
        return rows[order[best[order] >= self.settings.candidate_correlation]]

    def match(self, query: np.ndarray, row: int) -> Match | None:
        """Compare a query finely with one track.

        Parameters
        ----------
        query : numpy.ndarray of int8, shape (n_frames, n_bands)
            A fingerprint.
        row : int

        Returns
        -------
        Match or None
            The longest match; None if nothing matches.
        """
        other, settings = _float(self.of(row)), self.settings
        correlations = _windows(_float(query), other, WINDOW)
        found, edges = [], {}
        for seed_row, column in _seeds(correlations, settings.match_correlation):
            # A long mix is cut to what this match can reach, which saves memory.
            reach = round((1 + settings.speed_change) * len(other)) + WINDOW
            begin, end = max(0, seed_row - reach), min(len(query), seed_row + reach)
            if (begin, end) not in edges:
                edges[begin, end] = _edges(_float(query[begin:end]), other)
            match = self._extend(edges[begin, end], (seed_row - begin, column))
            shift = begin / self.rate
            found.append(match._replace(start=match.start + shift, end=match.end + shift))
        if not found:
            return None
        longest = max(found, key=lambda one: one.seconds)
        speed = (longest.other_end - longest.other_start) / longest.seconds
        same = abs(speed - 1) <= settings.speed_change
        return longest if same and longest.seconds >= settings.shortest_seconds else None

    def _extend(self, edges, seed):
        """Return the match that a pair of matching windows belongs to."""
        middle = seed[0] + WINDOW // 2, seed[1] + WINDOW // 2
        first, last = (_follow(edges, middle, way, self.settings) for way in (-1, 1))
        places = (first[0], last[0] + 1, first[1], last[1] + 1)
        return Match(*(float(place / self.rate) for place in places))

    def matches(self, query: np.ndarray, rows: np.ndarray | None = None) -> dict[int, Match]:
        """Find the tracks that match a query.

        Parameters
        ----------
        query : numpy.ndarray of int8, shape (n_frames, n_bands)
            A fingerprint.
        rows : numpy.ndarray of int, optional
            The tracks to compare with; all by default.

        Returns
        -------
        dict of int to Match
            By row, among the best candidates: the number of the settings or, for a long mix, one
            for each ten seconds.
        """
        seconds = len(query) / self.rate
        most = max(self.settings.candidates, int(seconds / SECONDS_PER_CANDIDATE))
        candidates = self.candidates(query, rows)[:most].tolist()
        found = {row: self.match(query, row) for row in candidates}
        return {row: match for row, match in found.items() if match is not None}

    def is_near_duplicate(self, query: np.ndarray, row: int, match: Match | None) -> bool:
        """Tell whether a match covers most of the query or of the track."""
        shorter = min(len(query), int(self.lengths[row])) / self.rate
        share = self.settings.near_duplicate_share
        return match is not None and match.seconds >= share * shorter


def _mapped(path, name):
    """Map an array of int8 in a safetensors file: a search reads few fingerprints of many."""
    with open(path, "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        entry = json.loads(file.read(size))[name]
    start = 8 + size + entry["data_offsets"][0]
    return np.memmap(path, np.int8, "r", start, tuple(entry["shape"]))


def _float(one):
    return one.astype(np.float32)


def _coarse(one):
    count = len(one) // COARSE
    return _float(one[: count * COARSE]).reshape(count, COARSE, one.shape[1]).mean(axis=1)


def _best_correlations(query, chunk):
    """Return the highest correlation of a query's windows with each fingerprint, all coarse."""
    window = WINDOW // COARSE
    best = _windows(query, np.concatenate(chunk), window, STRIDE).max(axis=0, initial=-1)
    ends = np.cumsum([len(one) for one in chunk])
    # Windows that reach into the next fingerprint do not count.
    inside = [
        best[end - len(one) : max(end - window + 1, end - len(one))]
        for one, end in zip(chunk, ends, strict=True)
    ]
    return [one.max(initial=-1.0) for one in inside]


def _windows(one, other, window, stride=1):
    """Correlate windows: the one's at every `stride` frames with all of the other's.

    float32, shape (n_windows, n_other_windows).
    """
    if min(len(one), len(other)) < window:
        return np.zeros((0, max(len(other) - window + 1, 0)), dtype=np.float32)
    products, reach, step = one @ other.T, 1, 1
    # Sums along diagonals by doubling. Rows that the stride skips are dropped as early as possible.
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


def _seeds(correlations, least):
    """Return pairs of matching windows, one for each of the most frequent shifts.

    A loop also matches itself a bar later. The shift that holds for longest is the right one.
    """
    rows, columns = np.nonzero(correlations >= least)
    if not len(rows):
        return []
    shifts = (columns - rows + len(correlations)) // SHIFT
    seeds = []
    for shift in np.argsort(-np.bincount(shifts), kind="stable")[:SHIFTS]:
        inside = np.flatnonzero(shifts == shift)
        if len(inside):
            best = inside[np.argmax(correlations[rows[inside], columns[inside]])]
            seeds.append((rows[best], columns[best]))
    return seeds


def _edges(one, other):
    """Correlate about a second around each pair of frames: float32, shape (n, n_other)."""
    half = EDGE // 2
    padded = [np.pad(x, ((half, half), (0, 0))) for x in (one, other)]
    products = padded[0] @ padded[1].T
    total = sum(
        products[shift : shift + len(one), shift : shift + len(other)] for shift in range(EDGE)
    )
    lengths = [np.sqrt(_sums((x * x).sum(axis=1), EDGE)) for x in padded]
    return total / np.maximum(np.outer(*lengths), 1.0)


def _follow(edges, place, direction, settings):
    """Follow a match in one direction and return its last pair of frames."""
    row, column = last = place
    gained = most = 0.0
    # A single second may be masked, or match by chance, so gains and losses are summed.
    while gained > most - settings.extend_loss:
        row += direction
        if not 0 <= row < len(edges) or not 0 <= column + direction < edges.shape[1]:
            break
        # The other recording may be a little slower or faster.
        steps = np.clip(column + direction * np.array([1, 0, 2]), 0, edges.shape[1] - 1)
        penalties = [0.0, settings.drift_penalty, settings.drift_penalty]
        column = int(steps[np.argmax(edges[row, steps] - penalties)])
        gained += edges[row, column] - settings.extend_correlation
        if gained >= most:
            most, last = gained, (row, column)
    return last
