"""The evaluation beside slow loops, and what it must never count."""

import math

import numpy as np
import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st

from simlib.core import cosine
from simlib.evaluation import (
    Evaluation,
    by_other_tags,
    compare_excerpts,
    compare_systems,
    evaluated_rows,
    skewness,
    unmeasurable,
)
from simlib.relevance import artist_keys, tag_sets

# --- scores ----------------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1), st.integers(1, 14))
def test_scores_are_the_naive_loop_over_other_artists(seed, k):
    evaluation = samples.evaluation_of(seed, k=k)
    similarity = samples.similarity_of(evaluation, seed)
    found = evaluation.scores(evaluation.rank(similarity))
    assert list(found)[0] == f"genre_ndcg@{k}"
    artists = artist_keys(evaluation.tracks)
    for column in ("genre", "mood"):
        sets = tag_sets(evaluation.tracks[column])
        for query in range(12):
            others = [c for c in range(12) if artists[c] != artists[query]]
            ranked = sorted(others, key=lambda c: -similarity[query, c])[:k]

            def gain(c, query=query, sets=sets):
                union = sets[query] | sets[c]
                return len(sets[query] & sets[c]) / len(union) if union else 0.0

            def dcg(gains):
                return sum(g / math.log2(rank + 1) for rank, g in enumerate(gains, start=1))

            ideal = dcg(sorted(map(gain, others), reverse=True)[:k])
            expected = dcg(map(gain, ranked)) / ideal if ideal else math.nan
            assert found[f"{column}_ndcg@{k}"][query] == pytest.approx(
                expected, nan_ok=True, abs=1e-6
            )
            name = f"{column}_p@{k}"
            if name in found:
                hits = np.mean([gain(c) > 0 for c in ranked]) if ideal else math.nan
                assert found[name][query] == pytest.approx(hits, nan_ok=True)


def test_precision_is_scored_only_if_tracks_have_one_value():
    evaluation = samples.evaluation_of()
    lists = evaluation.rank(samples.similarity_of(evaluation))
    assert list(evaluation.scores(lists)) == [
        "genre_ndcg@3",
        "genre_p@3",
        "mood_ndcg@3",
    ]


def test_the_own_artist_is_neither_found_nor_relevant():
    """Two songs by one artist, and nothing else of that genre."""
    table = samples.tracks(
        4, artist=["Ann", " ann ", "Bob", "Cid"], genre=["rock", "rock", "folk", "folk"]
    )
    evaluation = Evaluation(table, ["genre"], samples.evaluate_settings(k=2))
    similarity = np.array(
        [[1, 0.99, 0.2, 0.1], [0.99, 1, 0.2, 0.1], [0, 0, 1, 0.9], [0, 0, 0.9, 1]], dtype=float
    )
    lists = evaluation.rank(similarity)
    assert lists.ranked[0].tolist() == [2, 3]
    values = evaluation.scores(lists)["genre_ndcg@2"]
    assert np.isnan(values[:2]).all(), "nothing by others is relevant: no query at all"
    assert values[2:].tolist() == [1.0, 1.0]
    assert evaluation.interval(values)["n"] == 2


def test_tracks_without_an_artist_may_find_each_other():
    table = samples.tracks(2, artist=["", ""], genre=["rock", "rock"])
    evaluation = Evaluation(table, ["genre"], samples.evaluate_settings(k=1))
    assert evaluation.scores(evaluation.rank(np.eye(2)))["genre_ndcg@1"].tolist() == [1.0, 1.0]


def test_perfect_lists_score_one_and_reversed_ones_less():
    evaluation = samples.evaluation_of(3)
    everyone, gains = np.arange(12), evaluation.gains
    best, worst = (
        evaluation.scores({c: evaluation.rank(sign * g[everyone]) for c, g in gains.items()})
        for sign in (1, -1)
    )
    for measure in ("genre_ndcg@3", "mood_ndcg@3"):
        np.testing.assert_allclose(best[measure][np.isfinite(best[measure])], 1)
        assert np.nanmean(worst[measure]) < 0.9


def test_a_query_that_does_not_count_counts_in_no_measure():
    evaluation = samples.evaluation_of(1)
    found = evaluation.scores(evaluation.rank(samples.similarity_of(evaluation)))
    none = np.isnan(found["genre_ndcg@3"])
    assert 0 < none.sum() < 12
    np.testing.assert_array_equal(np.isnan(found["genre_p@3"]), none)


# --- hubs ------------------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1))
def test_occurrence_counts_the_lists_that_a_track_stands_in(seed):
    evaluation = samples.evaluation_of(seed)
    similarity = samples.similarity_of(evaluation, seed)
    found = evaluation.occurrence(similarity)
    artists = artist_keys(evaluation.tracks)
    naive = [0] * 12
    for query in range(12):
        others = [c for c in range(12) if artists[c] != artists[query]]
        for c in sorted(others, key=lambda c: -similarity[query, c])[:3]:
            naive[c] += 1
    assert found.tolist() == naive
    assert evaluation.hub_skew(similarity) == pytest.approx(skewness(naive))


def test_a_track_in_everybodys_list_makes_a_hub():
    table = samples.tracks(30)
    evaluation = Evaluation(table, [], samples.evaluate_settings(k=1))
    similarity = np.random.default_rng(0).random((30, 30))
    similarity[:, 7] = 2
    assert evaluation.occurrence(similarity)[7] == 29
    assert evaluation.hub_skew(similarity) > 4


# --- comparing systems -----------------------------------------------------------------------


def test_leads_are_paired_query_by_query():
    evaluation = samples.evaluation_of(5, count=16)
    systems = {
        name: samples.similarity_of(evaluation, i) for i, name in enumerate(["simlib", "x", "y"])
    }
    report = compare_systems(systems, evaluation)
    assert list(report) == ["simlib", "x", "y"]
    assert "simlib_lead" not in report["simlib"]
    ours = evaluation.scores(evaluation.rank(systems["simlib"]))
    for name in ("x", "y"):
        theirs = evaluation.scores(evaluation.rank(systems[name]))
        for measure, lead in report[name]["simlib_lead"].items():
            assert lead == evaluation.interval(ours[measure] - theirs[measure])
            difference = report["simlib"][measure]["value"] - report[name][measure]["value"]
            assert lead["value"] == pytest.approx(difference, abs=2e-6)
            assert lead["n"] == report[name][measure]["n"]
        skew = evaluation.hub_skew(systems[name])
        assert report[name]["hub_skew@3"] == {"value": round(skew, 6)}


def test_a_lead_over_oneself_is_nothing():
    evaluation = samples.evaluation_of()
    same = samples.similarity_of(evaluation)
    lead = compare_systems({"simlib": same, "x": same}, evaluation)["x"]["simlib_lead"]
    for entry in lead.values():
        assert (entry["value"], entry["low"], entry["high"]) == (0.0, 0.0, 0.0)


def test_the_report_is_json_without_nan():
    import json

    tags = {"genre": list("abcd"), "mood": [""] * 4}
    evaluation = Evaluation(samples.tracks(4, **tags), list(tags), samples.evaluate_settings())
    report = compare_systems({"simlib": np.eye(4), "x": np.eye(4)}, evaluation)
    assert report["simlib"]["genre_ndcg@3"]["n"] == 0
    json.dumps(report, allow_nan=False)


def test_the_measure_of_a_column_looks_at_that_columns_ranking():
    evaluation = samples.evaluation_of(2)
    tags = {column: evaluation.rank(s) for column, s in by_other_tags(evaluation).items()}
    found = evaluation.scores(tags)
    for column in ("genre", "mood"):
        single = evaluation.scores(tags[column])[f"{column}_ndcg@3"]
        np.testing.assert_array_equal(found[f"{column}_ndcg@3"], single)
    assert set(evaluation.scores({"mood": tags["mood"]})) == {"mood_ndcg@3"}


def test_excerpts_are_scored_by_the_rank_of_their_own_recording():
    table = samples.tracks(4)
    evaluation = Evaluation(table, [], samples.evaluate_settings(k=2))
    rests = np.eye(3)[[0, 1, 2, 2]]
    excerpts = np.array([[1, 0, 0], [1, 0.5, 0], [0.5, 0.4, 0.3], [np.nan] * 3])
    report = compare_excerpts({"simlib": (excerpts, rests), "x": (rests, rests)}, evaluation)
    assert report["simlib"]["excerpt_mrr"]["value"] == pytest.approx((1 + 1 / 2 + 1 / 3) / 3, 1e-5)
    assert report["simlib"]["excerpt_hit@2"]["value"] == pytest.approx(2 / 3, abs=1e-6)
    assert report["simlib"]["excerpt_mrr"]["n"] == 3
    assert "hub_skew@2" not in report["simlib"]
    # The last two rests are alike: a tie counts against the recording.
    assert report["x"]["excerpt_mrr"]["value"] == pytest.approx((1 + 1 + 1 / 2 + 1 / 2) / 4)
    assert report["x"]["simlib_lead"]["excerpt_mrr"]["n"] == 3


@given(st.integers(0, 2**32 - 1))
def test_cosine_is_the_angle_of_every_pair(seed):
    rng = np.random.default_rng(seed)
    left, right = rng.standard_normal((3, 4)), rng.standard_normal((5, 4))
    for found, others in ((cosine(left, right), right), (cosine(left), left)):
        for i, a in enumerate(left):
            for j, b in enumerate(others):
                expected = sum(a * b) / math.sqrt(sum(a * a) * sum(b * b))
                assert found[i, j] == pytest.approx(expected)
    assert np.isfinite(cosine(np.zeros((2, 3)))).all()


# --- what is tested -------------------------------------------------------------------------


def test_the_test_split_is_the_test_artists_and_the_whole_catalogues_tags():
    table = samples.tracks(5, genre=["rock", "rock", "a", "b", "c"])
    splits = np.array(["train", "train", "test", "test", "validation"], dtype=object)
    rows, columns = evaluated_rows(table, splits)
    assert rows.tolist() == [2, 3]
    assert columns == ["genre"], "shared among the training artists, a tag all the same"


@pytest.mark.parametrize(
    ("artists", "splits", "reason"),
    [
        (["a", "a"], ["test", "test"], "of 1 artist(s), the split leaves 1 to evaluate on"),
        (["a", "b", "c"], ["test", "train", "train"], "of 3 artist(s), the split leaves 1"),
        (["a", "b"], ["train", "validation"], "of 2 artist(s), the split leaves 0"),
        (["a", "b"], ["test", "test"], ""),
        (["a", "A ", "b"], ["test", "test", "train"], "leaves 1 to evaluate on"),
    ],
)
def test_a_catalogue_with_fewer_than_two_test_artists_cannot_be_measured(artists, splits, reason):
    table = samples.tracks(len(artists), artist=artists)
    found = unmeasurable(table, np.array(splits, dtype=object))
    assert reason in found
    assert bool(found) == bool(reason)
