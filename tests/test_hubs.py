import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import naive_proximity, naive_proximity_among, unit

from simlib import hubs
from simlib.evaluate import skewness

SEEDS = st.integers(0, 2**32 - 1)


def artists_of(count, seed):
    return np.random.default_rng(seed).integers(0, max(1, count // 2), size=count)


@given(st.integers(2, 12), SEEDS)
def test_proximities_are_what_a_loop_counts(count, seed):
    vectors, artists = unit(count, seed), artists_of(count, seed)
    every = hubs.corrected(vectors, artists)
    for first in range(count):
        for second in set(range(count)) - {first}:
            expected = naive_proximity_among(vectors, artists, first, second)
            assert every[first, second] == pytest.approx(expected, abs=1e-5)


@given(st.integers(1, 12), st.integers(1, 12), SEEDS)
def test_a_reference_from_outside_is_counted_over_the_crowd(count, size, seed):
    query, vectors, others = unit(1, seed)[0], unit(count, seed + 1), unit(size, seed + 2)
    crowd = hubs.Crowd(others, artists_of(size, seed))
    artists = artists_of(count, seed + 1)
    found = crowd.proximity(query, vectors, artists)
    for vector, artist, proximity in zip(vectors, artists, found, strict=True):
        expected = naive_proximity(query, vector, others, crowd.artists != artist)
        assert proximity == pytest.approx(expected, abs=1e-5)


@given(st.integers(2, 20), SEEDS)
def test_proximity_is_mutual_and_lies_between_zero_and_one(count, seed):
    every = hubs.corrected(unit(count, seed), np.arange(count))
    np.testing.assert_allclose(every, every.T, atol=1e-6)
    assert every.min() >= 0 and every.max() <= 1
    np.testing.assert_allclose(np.diagonal(every), 1, atol=1e-6)


def test_ties_fall_to_the_nearer_by_cosine():
    crowd = hubs.Crowd(np.eye(4, dtype=np.float32), np.arange(4))
    # By an artist that is everybody's, so that nothing is counted but the cosine.
    crowd.artists[:] = 7
    query = np.array([1, 0, 0, 0], dtype=np.float32)
    candidates = unit(6, 0, dimensions=4)
    found = crowd.proximity(query, candidates, np.full(6, 7))
    cosines = crowd.relative(candidates) @ crowd.relative(query)
    assert np.argsort(-found).tolist() == np.argsort(-cosines).tolist()


def test_recordings_by_the_artist_of_either_do_not_stand_between():
    near, far = [0.8, 0.6, 0], [-1, 0, 0]
    vectors = np.array([[1, 0, 0], near, near, near, near, far], dtype=np.float32)
    alone = hubs.corrected(vectors, np.array([0, 1, 1, 1, 1, 2]))
    strangers = hubs.corrected(vectors, np.arange(6))
    assert alone[0, 1] > strangers[0, 1] + 0.2


def test_a_hub_loses_its_place_in_most_lists():
    rng = np.random.default_rng(5)
    # Around a common centre, what is nearest to the centre is near to everything.
    vectors = rng.standard_normal((200, 30)) + 0.6
    vectors[:5] = 0.3 * vectors[:5] + 0.7 * 0.6
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)

    def occurrence(similarity):
        similarity = similarity - 9 * np.eye(len(similarity))
        lists = np.argsort(-similarity, axis=1)[:, :10]
        return np.bincount(lists.ravel(), minlength=len(similarity))

    before = occurrence(vectors @ vectors.T)
    after = occurrence(hubs.corrected(vectors, np.arange(200)))
    assert before[:5].min() > 50, "the example has hubs"
    assert after[:5].max() < before[:5].min() / 2
    assert skewness(after) < skewness(before) / 2


def test_over_many_recordings_a_sample_of_them_speaks(monkeypatch):
    monkeypatch.setattr(hubs, "REFERENCES", 5)
    vectors = unit(9, 1)
    every = hubs.corrected(vectors, np.arange(9))
    expected = naive_proximity(vectors[1], vectors[3], vectors[[0, 2, 4, 6, 8]], [True] * 5)
    assert every[1, 3] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("count", [1, 2])
def test_the_smallest_catalogues_have_proximities(count):
    every = hubs.corrected(np.tile(unit(1, 0), (count, 1)), np.arange(count))
    assert np.isfinite(every).all()


@pytest.mark.parametrize(("count", "most"), [(1, 5), (5, 5), (5, 1), (7, 3), (1000, 999)])
def test_rows_are_spread_over_the_table(count, most):
    rows = hubs.spread(count, most)
    assert len(rows) == min(count, most)
    assert len(set(rows)) == len(rows)
    assert rows.min() >= 0 and rows.max() < count
    if 1 < most < count:
        assert rows[0] == 0 and rows[-1] == count - 1
        assert np.diff(rows).max() - np.diff(rows).min() <= 1
