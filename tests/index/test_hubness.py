import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import hub_settings, naive_penalties, naive_similarities, unit

from simlib.core import evenly_spread
from simlib.evaluation import skewness
from simlib.index import hub_corrected, hub_penalties, penalise_hubs

SEEDS = st.integers(0, 2**32 - 1)
HUBS = hub_settings()


def artists_of(count, seed):
    return np.random.default_rng(seed).integers(0, max(1, count // 2), size=count)


@given(st.integers(1, 30), SEEDS)
def test_hub_penalties_are_what_a_loop_finds(count, seed):
    vectors, artists = unit(count, seed), artists_of(count, seed)
    found = hub_penalties(vectors, artists, HUBS)
    np.testing.assert_allclose(found, naive_penalties(vectors, artists), atol=1e-6)
    expected = naive_similarities(vectors, artists)
    np.testing.assert_allclose(hub_corrected(vectors, artists, HUBS), expected, atol=1e-5)


def most_lists(vectors, artists, penalties):
    """In how many lists of 10 the track stands that stands in most."""
    similarity = penalise_hubs(vectors @ vectors.T, penalties)
    candidate_mask = artists[:, None] != artists[None, :]
    lists = np.argsort(-np.where(candidate_mask, similarity, -9), axis=1)[:, :10]
    return np.bincount(lists.ravel(), minlength=len(vectors)).max()


@pytest.mark.parametrize("count", range(50, 91, 8))
@pytest.mark.parametrize("share", [1.3, 1.5, 2.0])
def test_hubs_alone_are_penalised_and_stand_in_few_more_than_their_share_of_lists(count, share):
    for seed in range(8):
        vectors, artists = unit(count, seed), artists_of(count, seed)
        found = hub_penalties(vectors, artists, hub_settings(share=share))
        before = most_lists(vectors, artists, np.ones(count))
        # Penalties suppose those of the others, so some lists more are left.
        assert most_lists(vectors, artists, found) <= min(before, int(10 * share) + 6)
        assert found.min() == 1, "some track is no hub"


def test_penalties_of_the_same_vectors_in_another_order_are_the_same():
    vectors, artists = unit(300, 1), artists_of(300, 1)
    order = np.random.default_rng(0).permutation(300)
    found = hub_penalties(vectors, artists, HUBS)
    shuffled = hub_penalties(vectors[order], artists[order], HUBS)
    np.testing.assert_allclose(shuffled, found[order], atol=1e-5)


def test_many_copies_are_not_hidden_from_others():
    """Twenty times the same recording by different artists: no factor parts them."""
    vectors = unit(100, 0)
    vectors[:20] = vectors[0]
    found = hub_penalties(vectors, np.arange(100), HUBS)
    assert found.max() < 2


def test_without_hubs_no_track_is_penalised():
    around = np.exp(2j * np.pi * np.arange(60) / 60)
    vectors = np.stack([around.real, around.imag], axis=1).astype(np.float32)
    assert (hub_penalties(vectors, np.arange(60), HUBS) == 1).all()


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
    after = occurrence(hub_corrected(vectors, np.arange(200), HUBS))
    assert before[:5].min() > 50, "the example has hubs"
    assert after[:5].max() < before[:5].min() / 2
    assert skewness(after) < skewness(before) / 2


@pytest.mark.parametrize("count", [1, 2])
def test_the_smallest_catalogues_have_similarities(count):
    every = hub_corrected(np.tile(unit(1, 0), (count, 1)), np.arange(count), HUBS)
    assert np.isfinite(every).all()


@pytest.mark.parametrize(("count", "most"), [(1, 5), (5, 5), (5, 1), (7, 3), (1000, 999)])
def test_rows_are_spread_over_the_table(count, most):
    rows = evenly_spread(count, most)
    assert len(rows) == min(count, most)
    assert len(set(rows)) == len(rows)
    assert rows.min() >= 0 and rows.max() < count
    if 1 < most < count:
        assert rows[0] == 0 and rows[-1] == count - 1
        assert np.diff(rows).max() - np.diff(rows).min() <= 1
