import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import unit

from simlib.search import agreement, by_any_subspace, diverse, in_turn


def test_agreement_puts_similar_to_both_before_very_similar_to_one():
    similarities = np.array([[0.9, 0.4, 0.1], [-0.1, 0.4, 0.1]])
    found = agreement(similarities, 0.8)
    assert np.argsort(-found).tolist() == [1, 0, 2]
    assert (similarities.min(axis=0) <= found + 1e-9).all()
    assert (found <= similarities.mean(axis=0) + 1e-9).all()
    np.testing.assert_allclose(agreement(similarities[:1], 0.8), similarities[0])


def test_much_of_one_aspect_makes_up_for_others():
    even, uneven = by_any_subspace(np.array([[0.4, 0.9], [0.4, -0.1]]), [0.5, 0.5], 0.5)
    assert even == pytest.approx(0.4)
    assert 0.4 < uneven < 0.9


def test_temperatures_lie_between_the_extreme_and_the_mean():
    similarities = np.array([[0.4, 0.9], [0.2, -0.1]])
    cold, hot = (by_any_subspace(similarities, [0.5, 0.5], t) for t in (0.01, 1000.0))
    np.testing.assert_allclose(cold, similarities.max(axis=0), atol=0.01)
    np.testing.assert_allclose(hot, similarities.mean(axis=0), atol=0.01)
    cold, hot = (agreement(similarities, t) for t in (0.01, 1000.0))
    np.testing.assert_allclose(cold, similarities.min(axis=0), atol=0.01)
    np.testing.assert_allclose(hot, similarities.mean(axis=0), atol=0.01)


@given(
    st.lists(st.integers(0, 3), max_size=12),
    st.integers(1, 6),
    st.one_of(st.none(), st.integers(1, 3)),
)
def test_artists_take_turns_by_a_naive_implementation(artists, k, most):
    expected = []
    for place, artist in enumerate(artists):
        before = [p for p in expected if artists[p] == artist]
        if len(expected) < k and (most is None or len(before) < most):
            expected.append(place)
    assert in_turn(np.array(artists, dtype=int), k, most) == expected


@given(st.integers(1, 9), st.integers(1, 9), st.floats(0, 1), st.integers(0, 99))
def test_a_diverse_list_by_a_naive_implementation(count, k, diversity, seed):
    vectors, scores = unit(count, seed), np.random.default_rng(seed).random(count)
    expected = []
    while len(expected) < min(k, count):
        left = [place for place in range(count) if place not in expected]

        def worth(place):
            if not expected:
                return scores[place]
            most_similar = max(float(vectors[place] @ vectors[one]) for one in expected)
            return (1 - diversity) * scores[place] - diversity * most_similar

        expected.append(max(left, key=worth))
    found = diverse(scores, vectors, np.arange(count), k, diversity)
    assert found == expected


def test_a_diverse_list_keeps_to_the_artist_rule():
    artists = np.array([0, 0, 0, 1, 1, 2])
    found = diverse(np.arange(6.0), unit(6, 0), artists, 6, 0.5, per_artist=1)
    assert sorted(artists[found]) == [0, 1, 2]
