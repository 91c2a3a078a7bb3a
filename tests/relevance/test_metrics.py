"""Every measure beside a slow loop that says the same."""

import math

import numpy as np
import pytest
import samples
from hypothesis import given, settings
from hypothesis import strategies as st

from simlib.relevance import (
    artist_filter,
    artist_keys,
    ndcg,
    precision_at_k,
    rank_candidates,
    reciprocal_rank,
    retrieval_score,
    tag_sets,
)


@st.composite
def retrievals(draw):
    """Similarities with ties, artists and gains of some tracks, and a length of list."""
    count = draw(st.integers(2, 14))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    similarity = rng.integers(0, draw(st.integers(1, 20)), size=(count, count)) / 7
    artists = np.array([f"a:{i}" for i in rng.integers(0, count, size=count)], dtype=object)
    gain = rng.choice([0.0, 0.0, 1.0, 0.5, 1 / 3], size=(count, count))
    return similarity, artists, gain, draw(st.integers(1, 12))


def naive_jaccard(a, b):
    return len(a & b) / len(a | b) if a | b else 0.0


@given(retrievals())
def test_a_list_holds_the_best_of_other_artists_each_once(case):
    similarity, artists, _, k = case
    candidate_mask = artist_filter(artists)
    ranked = rank_candidates(similarity, candidate_mask, k, seed=3)
    count = len(artists)
    assert ranked.shape == (count, min(k, count))
    for query, row in enumerate(ranked):
        found = row[row >= 0]
        candidates = [c for c in range(count) if artists[c] != artists[query]]
        assert len(found) == min(k, len(candidates))
        assert (row[len(found) :] == -1).all(), "a gap inside the list"
        assert len(set(found)) == len(found), "a track twice"
        assert all(artists[c] != artists[query] for c in found), "the query's own artist"
        best = sorted((similarity[query, c] for c in candidates), reverse=True)[: len(found)]
        assert similarity[query, found].tolist() == best


@given(retrievals(), st.booleans())
def test_lists_are_those_of_sorting_all_candidates_ties_included(case, coarse):
    similarity, artists, _, k = case
    similarity = np.round(similarity) if coarse else similarity
    candidate_mask = artist_filter(artists)
    found = rank_candidates(similarity, candidate_mask, k, seed=5)
    shuffled = np.random.default_rng(5).permutation(len(artists))
    scores = np.where(candidate_mask, similarity, -np.inf)[:, shuffled]
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    listed = np.take_along_axis(scores, order, axis=1) > -np.inf
    np.testing.assert_array_equal(found, np.where(listed, shuffled[order], -1))


def test_ties_break_at_random_but_the_same_for_one_seed():
    similarity, candidate_mask = np.zeros((1, 50)), np.ones((1, 50), dtype=bool)
    first = [
        rank_candidates(similarity, candidate_mask, 10, seed)[0].tolist() for seed in (0, 0, 1)
    ]
    assert first[0] == first[1]
    assert first[0] != first[2]
    assert first[0] != list(range(10)), "the table's order decides"


def naive_ndcg(ranked, gain, artists, query, k):
    def discounted(gains):
        return sum(g / math.log2(rank + 1) for rank, g in enumerate(gains, start=1))

    others = [c for c in range(len(artists)) if artists[c] != artists[query]]
    ideal = discounted(sorted((gain[query, c] for c in others), reverse=True)[:k])
    return discounted(gain[query, c] for c in ranked if c >= 0) / ideal if ideal else math.nan


@given(retrievals())
def test_ndcg_is_the_textbook_formula_over_the_filtered_candidates(case):
    similarity, artists, gain, k = case
    candidate_mask = artist_filter(artists)
    ranked = rank_candidates(similarity, candidate_mask, k, seed=0)
    found = ndcg(ranked, gain, candidate_mask)
    naive = [naive_ndcg(ranked[q], gain, artists, q, k) for q in range(len(artists))]
    np.testing.assert_allclose(found, naive, atol=1e-12)
    assert ((found >= 0) & (found <= 1 + 1e-12) | np.isnan(found)).all()


def test_ndcg_of_a_list_worked_out_by_hand():
    ranked = np.array([[1, 2, 3]])
    gain = np.array([[0.0, 0.0, 1.0, 0.5]])
    candidate_mask = np.array([[False, True, True, True]])
    found = (1 / math.log2(3) + 0.5 / 2) / (1 + 0.5 / math.log2(3))
    assert ndcg(ranked, gain, candidate_mask)[0] == pytest.approx(found)


def test_the_perfect_list_scores_one_and_the_useless_zero():
    gain = np.array([[0, 1, 1, 0, 0]] * 2, dtype=float)
    candidate_mask = np.ones((2, 5), dtype=bool)
    assert ndcg(np.array([[1, 2], [0, 3]]), gain, candidate_mask).tolist() == [1.0, 0.0]


@given(retrievals())
def test_precision_counts_hits_among_the_listed(case):
    similarity, artists, gain, k = case
    ranked = rank_candidates(similarity, artist_filter(artists), k, seed=0)
    for query, value in enumerate(precision_at_k(ranked, gain > 0)):
        listed = [c for c in ranked[query] if c >= 0]
        hits = [c for c in listed if gain[query, c] > 0]
        assert value == pytest.approx(len(hits) / len(listed) if listed else math.nan, nan_ok=True)


@given(st.integers(1, 9), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_reciprocal_rank_counts_ties_against_the_recording(count, levels, seed):
    similarity = np.random.default_rng(seed).integers(0, levels, size=(count, count))
    found = reciprocal_rank(similarity)
    for query, row in enumerate(similarity):
        better = sum(value >= row[query] for c, value in enumerate(row) if c != query)
        assert found[query] == 1 / (1 + better)


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_the_retrieval_score_is_the_mean_ndcg_of_each_column(seed):
    rng = np.random.default_rng(seed)
    table = samples.tracks(
        8,
        artist=rng.choice(["a", "b", "c", "d"], 8).tolist(),
        genre=rng.choice(["x", "y", "x;y"], 8).tolist(),
        empty=[""] * 8,
    )
    similarity, artists = rng.random((8, 8)), artist_keys(table)
    found = retrieval_score(similarity, table, ["genre", "empty"], 5, 0)
    sets = tag_sets(table["genre"])
    gain = np.array([[naive_jaccard(a, b) for b in sets] for a in sets])
    ranked = rank_candidates(similarity, artist_filter(artists), 5, 0)
    naive = [naive_ndcg(ranked[q], gain, artists, q, 5) for q in range(8)]
    if np.isnan(naive).all():
        assert found == {}
    else:
        assert list(found) == ["genre"], "a column with nothing to find has no score"
        assert found["genre"] == pytest.approx(np.nanmean(naive), abs=1e-6)
