"""Playlists through the catalogue: a path from one track to another, a radio around one.

The distance of two tracks is their weighted cosine distance times the hub penalties of both. It is
the same in both directions, and each track ranks the others exactly as search does. The mean of the
two directions would correct only half: a track's own penalty is the same for all the others.
"""

import numpy as np
import pandas as pd

from simlib.core import SimlibError, at_least_one
from simlib.index import Index
from simlib.search.request import Weights
from simlib.search.settings import PlaylistSettings


def path_between(
    index: Index, first: int, last: int, steps: int, settings: PlaylistSettings,
    weights: Weights = None,
) -> pd.DataFrame:  # fmt: skip
    """Make a path from one track to another whose largest jump is as small as possible.

    The distance to the first track minus that to the last grows with every step, so that no path
    circles. No two tracks in a row are by one artist, unless every path of this length needs it;
    then only beside the ends, and once rather than twice. Of these paths the one with the smallest
    largest jump is taken, and then the one with the smallest sum of jumps.

    Parameters
    ----------
    index : simlib.index.Index
    first, last : int
        Rows of `index.tracks`.
    steps : int
        A path of n steps has n + 1 tracks, both ends included.
    settings : PlaylistSettings
    weights : dict of str to float, optional
        From `Aspects.weights`; the index's own by default.

    Returns
    -------
    pandas.DataFrame
        One row a track: `step` (0 for the first), `track_id`, `title`, `artist`, and `jump`, the
        distance from the track before, NaN for the first. The best path through the catalogue; if
        that has more than `settings.candidates` tracks, through those closest to the straight line.

    Raises
    ------
    SimlibError
        If there is not even one step, the ends sound the same, or too few tracks lie between them.
    """
    steps = at_least_one("steps", steps)
    weights = weights or index.weights
    rows = _along(index, first, last, settings, weights)
    start, end = np.searchsorted(rows, [first, last])
    distances = _distance(index, rows, weights)(slice(None), slice(None))
    np.fill_diagonal(distances, 0)
    progress = distances[start] - distances[end]
    subject = "path from '{}' to '{}'".format(*index.tracks["track_id"].iloc[[first, last]])
    if progress[start] >= progress[end]:
        raise SimlibError(subject, "begins and ends with the same sound", "choose other tracks")
    between = np.flatnonzero((progress[start] < progress) & (progress < progress[end]))
    ordered = np.array([start, *between[np.argsort(progress[between])], end])
    forward = progress[ordered][:, None] < progress[ordered]
    jumps = np.where(forward, distances[np.ix_(ordered, ordered)], np.inf)
    artists = index.artists[rows[ordered]]
    most = _longest(_without_repeats(jumps, artists, True, True))
    if steps > most:
        raise SimlibError(subject, f"can take {most} steps at most, not {steps}", "choose fewer")
    for exceptions in ([(False, False)], [(True, False), (False, True)], [(True, True)]):
        largest, _, places = min(
            _smoothest(_without_repeats(jumps, artists, *ends), steps) for ends in exceptions
        )
        if np.isfinite(largest):
            break
    return _table(index, rows[ordered[places]], jumps[places[:-1], places[1:]])


def radio(
    index: Index, seed: int, length: int, settings: PlaylistSettings, weights: Weights = None
) -> pd.DataFrame:
    """Make a playlist around one track.

    Of the unplayed tracks, the `choice` most similar to the seed are considered. The next track is
    the one of them that is most similar to the track before. Artists of the last `artist_gap`
    tracks wait; if no other is left, the artist that has waited longest is next. A longer radio
    begins with the tracks of a shorter one.

    Parameters
    ----------
    index : simlib.index.Index
    seed : int
        Row of `index.tracks`.
    length : int
        Tracks after the seed; all tracks, if there are fewer.
    settings : PlaylistSettings
    weights : dict of str to float, optional
        From `Aspects.weights`; the index's own by default.

    Returns
    -------
    pandas.DataFrame
        As of `path_between`; step 0 is the seed.

    Raises
    ------
    SimlibError
        If the length is less than 1.
    """
    length = at_least_one("length", length)
    weights = weights or index.weights
    rows = np.array([seed, *_around(index, seed, length, settings, weights)])
    distance = _distance(index, rows, weights)
    artists, gap = index.artists[rows], settings.artist_gap
    last_played = np.full(artists.max() + 1, -np.inf)
    last_played[artists[0]] = 0
    played, jumps, waiting = [0], [], np.arange(1, len(rows))
    while len(waiting) and len(played) <= length:
        rested = np.minimum(len(played) - last_played[artists[waiting]], gap + 1)
        choice = waiting[rested == rested.max()][: settings.choice]
        distances = distance(choice, played[-1])
        chosen = choice[distances.argmin()]
        last_played[artists[chosen]] = len(played)
        played.append(chosen)
        jumps.append(distances.min())
        waiting = waiting[waiting != chosen]
    return _table(index, rows[played], jumps)


def _along(index, first, last, settings, weights):
    """Return the rows, rising, of the tracks close to the straight line, both ends included."""
    if index.by_track.ntotal <= settings.candidates:
        return np.arange(index.by_track.ntotal)
    ends = np.asarray(index.by_track.reconstruct_batch([first, last]))
    one, other = index.aspects.weighted(ends, weights)
    # Points at even angles between the two, of unit length under the weights.
    angle = np.arccos(np.clip(one @ other, -1, 1))
    angles = np.linspace(0, angle, settings.line_points, dtype=np.float32)
    points = np.sin([angle - angles, angles]).T @ ends / max(np.sin(angle), 1e-6)
    each = -(-settings.candidates // settings.line_points)
    found = [index.search(point, each, weights=weights)[0] for point in points]
    return np.unique(np.concatenate([[first, last], *found]))


def _around(index, seed, length, settings, weights):
    """Return the rows most similar to the seed, enough for artists to take turns."""
    vector = np.asarray(index.by_track.reconstruct(seed))
    depth, turns = max(settings.candidates, 2 * length), -(-length // (settings.artist_gap + 1))
    while True:
        rows, _ = index.search(vector, depth, seed, weights)
        enough = np.minimum(np.bincount(index.artists[rows]), turns).sum() >= length
        if enough or depth >= index.by_track.ntotal:
            return rows
        depth *= 2


def _distance(index, rows, weights):
    """Return the function of two selections of the rows to their distances."""
    vectors = index.aspects.weighted(index.vectors_of(rows), weights)
    penalties = index.hub_penalties(rows, weights)

    def distance(some, others):
        distances = np.maximum(1 - vectors[some] @ vectors[others].T, 0)
        return distances * np.multiply.outer(penalties[some], penalties[others])

    return distance


def _without_repeats(jumps, artists, leaving, arriving):
    """Bar jumps between tracks by one artist, except from the first or to the last if allowed."""
    same = artists[:, None] == artists
    same[0] &= not leaving
    same[:, -1] &= not arriving
    return np.where(same, np.inf, jumps)


def _smoothest(jumps, steps):
    """Return largest jump, sum and places of the smoothest path; inf if there is none."""
    largest, _ = _cheapest(jumps, steps, np.maximum)
    return largest, *_cheapest(np.where(jumps <= largest, jumps, np.inf), steps, np.add)


def _cheapest(jumps, steps, join):
    """Return cost and places of the cheapest path from first to last; `join` adds costs."""
    cost, came_from = np.where(np.arange(len(jumps)) == 0, 0, np.inf), []
    for _ in range(steps):
        costs = join(cost[:, None], jumps)
        came_from.append(costs.argmin(axis=0))
        cost = costs.min(axis=0)
    places = [len(jumps) - 1]
    for before in reversed(came_from):
        places.append(int(before[places[-1]]))
    return float(cost[-1]), places[::-1]


def _longest(jumps):
    """Return the steps of the longest path to the last place, if all jumps lead to later places.

    If jumps from the first are free, there is a path of any fewer: it leaves out the next ones.
    """
    steps = np.full(len(jumps), -np.inf)
    steps[0] = 0
    for place in range(1, len(jumps)):
        steps[place] = 1 + steps[np.isfinite(jumps[:, place])].max(initial=-np.inf)
    return int(steps[-1])


def _table(index, rows, jumps):
    chosen = index.tracks.iloc[rows][["track_id", "title", "artist"]].assign(jump=[np.nan, *jumps])
    return chosen.reset_index(drop=True).rename_axis("step").reset_index()
