from itertools import pairwise, permutations

import numpy as np
import pytest
import samples
from hypothesis import example, given
from hypothesis import strategies as st
from samples import index_of, naive_penalties, unit

from simlib.core import SimlibError
from simlib.evaluation import skewness
from simlib.model import Aspects
from simlib.search import path_between, radio

SETTINGS = samples.playlist_settings()
SEEDS = st.integers(0, 2**32 - 1)


def catalogue(count, seed, artists=None):
    """An index of random recordings; a track id is a row."""
    sound, tempo = unit(count, seed, 5), unit(count, seed + 1, 3)
    vectors = np.hstack([np.sqrt(0.7) * sound, np.sqrt(0.3) * tempo]).astype(np.float32)
    return indexed(vectors, artists)


def indexed(vectors, artists=None):
    count = len(vectors)
    index = index_of(vectors, samples.tracks(count, track_id=[str(row) for row in range(count)]))
    index.aspects = Aspects({"sound": vectors.shape[1] - 3, "tempo": 3}, index.weights)
    if artists is not None:
        index.tracks["artist"] = [f"artist {artist}" for artist in artists]
    return index


def arc(*degrees, artists=None):
    """An index of recordings on a circle, where only angles count."""
    angles = np.radians(degrees)
    vectors = np.zeros((len(degrees), 8))
    vectors[:, 0], vectors[:, 1] = np.cos(angles), np.sin(angles)
    return indexed(vectors.astype(np.float32), artists)


def hubby(count=150, hubs=4):
    """An index in which a few recordings, near the centre of all, are similar to all others."""
    vectors = np.random.default_rng(5).standard_normal((count, 60))
    vectors[:hubs] *= 0.3
    vectors += 0.8
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return indexed(vectors.astype(np.float32), np.arange(count) // 2)


def rows_of(table):
    return table["track_id"].astype(int).tolist()


def naive_distances(index, weights=None):
    """Cosine distance, times the hub penalties of both: a list of lists."""
    vectors = index.aspects.weighted(index.vectors(), weights or index.weights)
    h = naive_penalties(vectors, index.artists)
    cosines = vectors.astype(np.float64) @ vectors.T
    return [[0 if a == b else (1 - cosines[a, b]) * h[a] * h[b] for b in range(len(h))]
            for a in range(len(h))]  # fmt: skip


# --- path ------------------------------------------------------------------------------------


def naive_paths(distances, artists, first, last, steps):
    """The cost of every path: same artists beside the ends, largest jump, sum of the jumps."""
    progress = np.subtract(distances[first], distances[last])
    others = [row for row in range(len(artists)) if row not in (first, last)]
    costs = []
    for middle in permutations(others, steps - 1):
        pairs = list(pairwise([first, *middle, last]))
        same = [artists[a] == artists[b] for a, b in pairs]
        if all(progress[a] < progress[b] for a, b in pairs) and not any(same[1:-1]):
            jumps = [distances[a][b] for a, b in pairs]
            costs.append((sum(same), max(jumps), sum(jumps)))
    return costs


# Rare by chance: several paths share the least largest jump; a smoother path would have both ends
# followed by their own artists where one is enough.
@example(7, 3, 8, 1, 13)
@example(7, 3, 8, 1, 36)
@example(7, 3, 8, 1, 64)
@example(6, 3, 3, 0, 268)
@given(st.integers(2, 8), st.integers(1, 7), st.integers(1, 8), st.integers(0, 3), SEEDS)
def test_no_other_path_is_smoother(count, steps, artists, tempo, seed):
    index = catalogue(count, seed, np.random.default_rng(seed).integers(0, artists, count))
    weights = index.aspects.weights({"tempo": tempo, "sound": 1})
    distances = naive_distances(index, weights)
    first, last = np.random.default_rng(seed).choice(count, 2, replace=False).tolist()
    costs = {n: naive_paths(distances, index.artists, first, last, n) for n in range(1, count)}
    if not costs.get(steps):
        most = max(n for n in costs if costs[n])
        with pytest.raises(SimlibError, match=f"can take {most} steps at most, not {steps}"):
            path_between(index, first, last, steps, SETTINGS, weights)
        return
    found = path_between(index, first, last, steps, SETTINGS, weights)
    rows = rows_of(found)
    assert (rows[0], rows[-1], len(rows)) == (first, last, steps + 1)
    jumps = [distances[a][b] for a, b in pairwise(rows)]
    np.testing.assert_allclose(found["jump"], [np.nan, *jumps], atol=1e-5)
    same = sum(index.artists[a] == index.artists[b] for a, b in pairwise(rows))
    np.testing.assert_allclose((same, max(jumps), sum(jumps)), min(costs[steps]), atol=1e-5)


def test_a_path_has_a_row_for_each_track():
    index = arc(0, 20, 40, 60, 80)
    found = path_between(index, 4, 0, 2, SETTINGS)
    assert found.columns.tolist() == ["step", "track_id", "title", "artist", "jump"]
    assert found["step"].tolist() == [0, 1, 2]
    assert found["title"].tolist() == ["T04", "T02", "T00"]
    assert found["artist"].tolist() == ["artist t04", "artist t02", "artist t00"]


def test_steps_are_even_and_turn_neither_round_nor_aside():
    degrees = [0, 100, 75, 50, 25, -25, 125, 88, 93, 180]
    assert rows_of(path_between(arc(*degrees), 0, 1, 4, SETTINGS)) == [0, 4, 3, 2, 1]
    assert rows_of(path_between(arc(*degrees), 1, 0, 2, SETTINGS)) == [1, 3, 0]


def test_no_artist_follows_itself():
    degrees = [0, 20, 50, 80]
    assert rows_of(path_between(arc(*degrees), 0, 3, 2, SETTINGS)) == [0, 2, 3]
    assert rows_of(path_between(arc(*degrees, artists=[0, 1, 0, 3]), 0, 3, 2, SETTINGS)) == [
        0,
        1,
        3,
    ]
    by_one = arc(*degrees, artists=[0, 1, 1, 3])
    for steps in (3, 10**9):
        with pytest.raises(SimlibError, match=f"at most, not {steps}; choose fewer"):
            path_between(by_one, 0, 3, steps, SETTINGS)


def test_the_ends_may_be_by_one_artist_and_be_followed_by_it_where_nothing_else_is_left():
    assert rows_of(path_between(arc(0, 20, artists=[0, 0]), 0, 1, 1, SETTINGS)) == [0, 1]
    assert rows_of(path_between(arc(0, 10, 20, artists=[0, 0, 0]), 0, 2, 2, SETTINGS)) == [0, 1, 2]
    assert rows_of(path_between(arc(0, 10, 1, 20, artists=[0, 0, 1, 0]), 0, 3, 2, SETTINGS)) == [
        0,
        2,
        3,
    ]
    assert rows_of(path_between(arc(0, 20, 40, 80, artists=[0, 0, 1, 1]), 0, 3, 2, SETTINGS)) == [
        0,
        2,
        3,
    ]
    assert rows_of(path_between(arc(0, 40, 60, 80, artists=[0, 0, 1, 1]), 0, 3, 2, SETTINGS)) == [
        0,
        1,
        3,
    ]


def test_no_jump_of_a_path_is_as_large_as_the_straight_one():
    index = catalogue(80, 1)
    for last in range(1, 20):
        straight = path_between(index, 0, last, 1, SETTINGS)["jump"].max()
        assert path_between(index, 0, last, 3, SETTINGS)["jump"].max() <= straight


def test_in_a_large_catalogue_the_path_is_found_among_tracks_close_to_the_line():
    rng = np.random.default_rng(3)
    # Few dimensions, so that there is somebody everywhere.
    vectors = rng.standard_normal((400, 3)) @ rng.standard_normal((3, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index = indexed(vectors.astype(np.float32))
    best = [path_between(index, 0, last, 5, SETTINGS)["jump"].max() for last in range(1, 9)]
    few = samples.playlist_settings(candidates=100)
    found = [path_between(index, 0, last, 5, few) for last in range(1, 9)]
    assert [rows_of(table)[0] for table in found] == [0] * 8
    assert [rows_of(table)[-1] for table in found] == list(range(1, 9))
    jumps = np.array([table["jump"].max() for table in found])
    assert (jumps >= np.array(best) - 1e-6).all()
    assert np.mean(jumps) < 1.2 * np.mean(best)


def test_what_is_no_path_is_refused():
    index = arc(0, 20, 0)
    for last in (0, 2):
        with pytest.raises(SimlibError, match=f"path from '0' to '{last}': begins and ends with"):
            path_between(index, 0, last, 1, SETTINGS)
    for steps in (0, -1):
        with pytest.raises(SimlibError, match=f"steps = {steps}: is no whole number above 0"):
            path_between(index, 0, 1, steps, SETTINGS)


# --- radio -----------------------------------------------------------------------------------


def naive_radio(distances, artists, seed, length, gap=5, choice=10):
    played = [seed]
    while len(played) <= min(length, len(artists) - 1):
        waiting = [row for row in range(len(artists)) if row not in played]
        for rest in range(gap, -1, -1):
            recent = [artists[row] for row in played[max(0, len(played) - rest) :]]
            free = [row for row in waiting if artists[row] not in recent]
            if free:
                break
        similar = sorted(free, key=lambda row: distances[seed][row])[:choice]
        played.append(min(similar, key=lambda row, last=played[-1]: distances[last][row]))
    return played


@example(40, 30, 40, 1, 0)
@given(st.integers(1, 25), st.integers(1, 30), st.integers(1, 12), st.integers(0, 3), SEEDS)
def test_a_radio_keeps_to_its_rules(count, length, artists, tempo, seed):
    index = catalogue(count, seed, np.random.default_rng(seed).integers(0, artists, count))
    weights = index.aspects.weights({"tempo": tempo, "sound": 1})
    distances = naive_distances(index, weights)
    found = radio(index, seed % count, length, SETTINGS, weights)
    rows = rows_of(found)
    assert rows == naive_radio(distances, index.artists, seed % count, length)
    assert len(set(rows)) == min(length + 1, count), "each once, and as many as there are"
    assert found["step"].tolist() == list(range(len(rows)))
    jumps = [np.nan, *(distances[a][b] for a, b in pairwise(rows))]
    np.testing.assert_allclose(found["jump"], jumps, atol=1e-5)
    assert rows == rows_of(radio(index, seed % count, length + 1, SETTINGS, weights))[: length + 1]


@given(st.integers(0, 8), st.integers(1, 12), SEEDS)
def test_a_radio_keeps_to_its_settings(gap, choice, seed):
    index = catalogue(20, seed, np.random.default_rng(seed).integers(0, 6, 20))
    settings = samples.playlist_settings(artist_gap=gap, choice=choice)
    expected = naive_radio(naive_distances(index), index.artists, 3, 15, gap, choice)
    assert rows_of(radio(index, 3, 15, settings)) == expected


@pytest.mark.parametrize("points", [1, 2, 30])
def test_a_path_has_its_candidates_along_the_line(points, monkeypatch):
    index, searched = catalogue(60, 1), []
    search = index.search

    def spied(vector, k, *rest, **options):
        searched.append(k)
        return search(vector, k, *rest, **options)

    monkeypatch.setattr(index, "search", spied)
    settings = samples.playlist_settings(candidates=20, line_points=points)
    path_between(index, 0, 7, 1, settings)
    assert searched == [{1: 20, 2: 10, 30: 1}[points]] * points


def test_no_artist_comes_back_within_five_tracks():
    index = catalogue(120, 2, np.arange(120) // 6)
    for seed in range(0, 120, 10):
        artists = radio(index, seed, 40, SETTINGS)["artist"].tolist()
        for step, artist in enumerate(artists):
            assert artist not in artists[max(0, step - 5) : step]


def test_in_a_large_catalogue_other_artists_are_looked_for_farther_away():
    # A hundred recordings by one artist, side by side, and on the other side of them six others.
    degrees = [*np.linspace(0, 10, 100), *range(90, 150, 10)]
    index = arc(*degrees, artists=[0] * 100 + list(range(1, 7)))
    few = samples.playlist_settings(candidates=20)
    artists = radio(index, 0, 6, few)["artist"].tolist()
    assert artists[0] == "artist 0"
    assert set(artists[1:6]) <= {f"artist {other}" for other in range(1, 7)}


def occurrence(lists, count):
    return np.bincount([row for played in lists for row in played[1:]], minlength=count)


def greedy(cosines, seed, length, follow):
    """Always the most similar by cosine: to the seed, or to the track before."""
    played = [seed]
    for _ in range(length):
        order = np.argsort(-cosines[played[-1] if follow else seed])
        played.append(next(row for row in order if row not in played))
    return played


def test_radios_do_not_circle_around_hubs():
    index, length = hubby(), 10
    vectors = index.vectors()
    cosines, count = vectors @ vectors.T, len(vectors)
    ours = occurrence([rows_of(radio(index, s, length, SETTINGS)) for s in range(count)], count)
    for follow in (False, True):
        theirs = occurrence([greedy(cosines, s, length, follow) for s in range(count)], count)
        assert theirs.max() > 8 * length, "the example has hubs"
        assert ours.max() < theirs.max() / 3
        assert skewness(ours) < skewness(theirs) / 3
    assert ours.max() <= 3 * length


def test_a_radio_stays_close_to_its_seed_and_flows():
    index, length = catalogue(200, 4), 20
    vectors = index.vectors()
    cosines = vectors @ vectors.T

    def far(lists):
        return np.mean([1 - cosines[rows[0], rows[1:]].mean() for rows in lists])

    def rough(lists):
        return np.mean([1 - cosines[rows[:-1], rows[1:]].mean() for rows in lists])

    radios = [rows_of(radio(index, seed, length, SETTINGS)) for seed in range(0, 200, 5)]
    nearest, chain = ([greedy(cosines, s, length, follow) for s in range(0, 200, 5)]
                      for follow in (False, True))  # fmt: skip
    assert far(radios) < 1.15 * far(nearest) < far(chain)
    assert rough(radios) < 0.8 * rough(nearest)


@pytest.mark.parametrize("length", [0, -3])
def test_a_radio_has_a_length(length):
    with pytest.raises(SimlibError, match=f"length = {length}: is no whole number above 0"):
        radio(catalogue(3, 0), 0, length, SETTINGS)
