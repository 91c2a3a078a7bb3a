import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import naive_proximity, unit

from simlib import hubs
from simlib.evaluate import skewness

SEEDS = st.integers(0, 2**32 - 1)


@given(st.integers(2, 12), SEEDS)
def test_proximities_are_what_a_loop_counts(count, seed):
    vectors = unit(count, seed)
    every = hubs.corrected(vectors)
    for query in range(count):
        for candidate in range(count):
            expected = naive_proximity(vectors, query, candidate, count)
            assert every[query, candidate] == pytest.approx(expected, abs=1e-6)


@given(st.integers(1, 12), st.integers(1, 12), SEEDS)
def test_a_reference_from_outside_is_counted_over_the_catalogue(count, references, seed):
    query, vectors = unit(1, seed)[0], unit(count, seed + 1)
    others = unit(references, seed + 2)
    found = hubs.mutual_proximity(vectors @ query, others @ query, vectors @ others.T)
    for candidate in range(count):
        trio = np.concatenate([[query, vectors[candidate]], others])
        expected = naive_proximity(trio, 0, 1, references)
        assert found[candidate] == pytest.approx(expected, abs=1e-6)


def test_over_many_recordings_a_sample_of_them_speaks(monkeypatch):
    monkeypatch.setattr(hubs, "REFERENCES", 5)
    vectors = unit(9, 1)
    every = hubs.corrected(vectors)
    rows = [0, 2, 4, 6, 8]
    counted = vectors[[1, 3, *rows]]
    assert every[1, 3] == pytest.approx(naive_proximity(counted, 0, 1, 5), abs=1e-6)


@given(st.integers(2, 20), SEEDS)
def test_proximity_is_mutual_and_lies_between_zero_and_one(count, seed):
    vectors = unit(count, seed)
    every = hubs.corrected(vectors)
    np.testing.assert_allclose(every, every.T, atol=1e-9)
    assert every.min() >= 0 and every.max() <= 1
    np.testing.assert_allclose(np.diagonal(every), 1, atol=1e-6)


def test_ties_fall_to_the_nearer_by_cosine():
    similarity = np.array([0.2, 0.5, -0.3])
    # All references are far from everybody, so that no candidate has one in between.
    far = np.full(4, -1.0)
    found = hubs.mutual_proximity(similarity, far, np.tile(far, (3, 1)))
    assert np.argsort(-found).tolist() == [1, 0, 2]
    assert np.ptp(found) < 1 / 4, "less than one reference counts"


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
    after = occurrence(hubs.corrected(vectors))
    assert before[:5].min() > 50, "the example has hubs"
    assert after[:5].max() < before[:5].min() / 2
    assert skewness(after) < skewness(before) / 2


@pytest.mark.parametrize(("count", "most"), [(1, 5), (5, 5), (5, 1), (7, 3), (1000, 999)])
def test_rows_are_spread_over_the_table(count, most):
    rows = hubs.spread(count, most)
    assert len(rows) == min(count, most)
    assert len(set(rows)) == len(rows)
    assert rows.min() >= 0 and rows.max() < count
    if 1 < most < count:
        assert rows[0] == 0 and rows[-1] == count - 1
        assert np.diff(rows).max() - np.diff(rows).min() <= 1
