"""The evaluation beside slow loops, and what it must never count."""

import itertools
import math

import numpy as np
import pytest
import samples
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from simlib.core import SimlibError, cosine
from simlib.evaluation import (
    Evaluation,
    at_random,
    bootstrap,
    by_other_tags,
    compare_excerpts,
    compare_systems,
    evaluated_rows,
    load_comparison,
    skewness,
    standardised,
)
from simlib.relevance import artist_keys, tag_sets

# --- scores ----------------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1), st.integers(1, 14))
def test_scores_are_the_naive_loop_over_other_artists(seed, k):
    evaluation = samples.evaluation_of(seed, k=k)
    similarity = samples.similarity_of(evaluation, seed)
    found = evaluation.scores(similarity)
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
    assert list(evaluation.scores(samples.similarity_of(evaluation))) == [
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
    assert evaluation.ranked(similarity)[0].tolist() == [2, 3]
    values = evaluation.scores(similarity)["genre_ndcg@2"]
    assert np.isnan(values[:2]).all(), "nothing by others is relevant: no query at all"
    assert values[2:].tolist() == [1.0, 1.0]
    assert evaluation.interval(values)["n"] == 2


def test_tracks_without_an_artist_may_find_each_other():
    table = samples.tracks(2, artist=["", ""], genre=["rock", "rock"])
    evaluation = Evaluation(table, ["genre"], samples.evaluate_settings(k=1))
    assert evaluation.scores(np.eye(2))["genre_ndcg@1"].tolist() == [1.0, 1.0]


def test_perfect_lists_score_one_and_reversed_ones_less():
    evaluation = samples.evaluation_of(3)
    perfect = evaluation.gains
    best, worst = evaluation.scores(perfect), evaluation.scores({c: -g for c, g in perfect.items()})
    for measure in ("genre_ndcg@3", "mood_ndcg@3"):
        np.testing.assert_allclose(best[measure][np.isfinite(best[measure])], 1)
        assert np.nanmean(worst[measure]) < 0.9


def test_a_query_that_does_not_count_counts_in_no_measure():
    evaluation = samples.evaluation_of(1)
    found = evaluation.scores(samples.similarity_of(evaluation))
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


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=30))
def test_skewness_is_scipys(values):
    expected = scipy.stats.skew(values) if len(set(values)) > 1 else 0.0
    assert skewness(values) == pytest.approx(expected, abs=1e-6)


def test_a_track_in_everybodys_list_makes_a_hub():
    table = samples.tracks(30)
    evaluation = Evaluation(table, [], samples.evaluate_settings(k=1))
    similarity = np.random.default_rng(0).random((30, 30))
    similarity[:, 7] = 2
    assert evaluation.occurrence(similarity)[7] == 29
    assert evaluation.hub_skew(similarity) > 4


# --- intervals -------------------------------------------------------------------------------


def test_the_interval_resamples_artists_with_all_their_queries():
    """Against every one of the 4^4 resamples of four artists."""
    values = np.array([0.1, 0.3, 0.9, 0.2, np.nan, 0.6, 0.7, 0.8])
    artists = np.array(["a", "a", "b", "c", "c", "d", "d", "d"], dtype=object)
    found = bootstrap(values, artists, 40_000, seed=0)
    groups = [[0.1, 0.3], [0.9], [0.2], [0.6, 0.7, 0.8]]
    means = [
        np.mean([v for group in drawn for v in group])
        for drawn in itertools.product(groups, repeat=4)
    ]
    assert found["value"] == pytest.approx(np.nanmean(values), abs=1e-6)
    assert found["n"] == 7
    low, high = np.percentile(means, [2.5, 97.5])
    assert found["low"] == pytest.approx(low, abs=0.02)
    assert found["high"] == pytest.approx(high, abs=0.02)


def test_one_artists_many_songs_are_no_many_witnesses():
    values = np.tile([0.2, 0.8], 50)
    by_two = np.tile(np.array(["a", "b"], dtype=object), 50)
    single = np.array([f"artist {i}" for i in range(100)], dtype=object)
    wide, narrow = (bootstrap(values, artists, 500, 0) for artists in (by_two, single))
    assert wide["high"] - wide["low"] > 0.5
    assert narrow["high"] - narrow["low"] < 0.2


def test_an_interval_is_the_same_every_time_and_none_without_queries():
    values = np.array([0.0, 1.0, 0.5])
    artists = np.array(["a", "b", "c"], dtype=object)
    first, again, other = (bootstrap(values, artists, 200, seed) for seed in (1, 1, 2))
    assert first == again
    assert first["value"] == other["value"]
    nothing = bootstrap(np.full(3, np.nan), artists, 200, 0)
    assert nothing == {"value": None, "low": None, "high": None, "n": 0}


# --- comparing systems -----------------------------------------------------------------------


def test_leads_are_paired_query_by_query():
    evaluation = samples.evaluation_of(5, count=16)
    systems = {
        name: samples.similarity_of(evaluation, i) for i, name in enumerate(["simlib", "x", "y"])
    }
    report = compare_systems(systems, evaluation)
    assert list(report) == ["simlib", "x", "y"]
    assert "simlib_lead" not in report["simlib"]
    ours = evaluation.scores(systems["simlib"])
    for name in ("x", "y"):
        theirs = evaluation.scores(systems[name])
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

    evaluation = samples.evaluation_of(count=4)
    evaluation.gains = {c: np.zeros((4, 4)) for c in evaluation.gains}
    report = compare_systems({"simlib": np.eye(4), "x": np.eye(4)}, evaluation)
    assert report["simlib"]["genre_ndcg@3"]["n"] == 0
    json.dumps(report, allow_nan=False)


def test_tags_rank_by_the_other_columns_only():
    table = samples.tracks(
        4, genre=["a", "a", "b", "b"], mood=["x", "y", "x", "y"], key=["c", "c", "c", "d"]
    )
    evaluation = Evaluation(table, ["genre", "mood", "key"], samples.evaluate_settings())
    tags = by_other_tags(evaluation)
    assert list(tags) == ["genre", "mood", "key"]
    for column, similarity in tags.items():
        others = [c for c in tags if c != column]
        for i, j in itertools.product(range(4), repeat=2):
            shared = sum(table[c][i] == table[c][j] for c in others)
            assert similarity[i, j] == shared
    one = Evaluation(table, ["genre"], samples.evaluate_settings())
    assert by_other_tags(one) == {}, "there is nothing else to rank by"


def test_the_measure_of_a_column_looks_at_that_columns_ranking():
    evaluation = samples.evaluation_of(2)
    tags = by_other_tags(evaluation)
    found = evaluation.scores(tags)
    for column in ("genre", "mood"):
        single = evaluation.scores(tags[column])[f"{column}_ndcg@3"]
        np.testing.assert_array_equal(found[f"{column}_ndcg@3"], single)
    assert set(evaluation.scores({"mood": tags["mood"]})) == {"mood_ndcg@3"}


def test_the_random_baseline_is_the_same_every_time_and_uncorrelated():
    evaluation = samples.evaluation_of(count=40)
    np.testing.assert_array_equal(at_random(evaluation), at_random(evaluation))
    rough = np.corrcoef(at_random(evaluation).ravel(), evaluation.gains["genre"].ravel())[0, 1]
    assert abs(rough) < 0.1


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


def test_standardising_looks_at_others_only_and_weighs_groups_alike():
    rng = np.random.default_rng(0)
    others = rng.normal([5, -3, 0, 100], [2, 1, 0, 30], size=(50, 4))
    vectors = rng.normal([5, -3, 0, 100], [2, 1, 1, 30], size=(6, 4))
    found = standardised(vectors, others, [1, 3])
    for column, size in enumerate([1, 3, 3, 3]):
        spread = others[:, column].std() or 1.0
        expected = (vectors[:, column] - others[:, column].mean()) / spread / math.sqrt(size)
        np.testing.assert_allclose(found[:, column], expected)
    np.testing.assert_allclose(standardised(vectors[:1], others, [1, 3])[0], found[0])


# --- other systems' files --------------------------------------------------------------------

TABLE = samples.tracks(4).assign(track_id=["a/x", "a/y", "b/z", "w"])


def other(tmp_path, **arrays):
    np.savez(tmp_path / "other.npz", **arrays)
    return tmp_path / "other.npz"


def test_another_systems_vectors_are_compared_by_cosine(tmp_path):
    emb = np.random.default_rng(0).standard_normal((6, 3))
    ids = np.array(["w", "more", "a/y", "a/x", "b/z", "again"])
    found = load_comparison(other(tmp_path, ids=ids, emb=emb), TABLE)
    np.testing.assert_allclose(found, cosine(emb[[3, 2, 4, 0]]))


def test_another_systems_similarities_come_before_its_vectors(tmp_path):
    sim = np.random.default_rng(0).random((4, 4)).astype(np.float32)
    ids = np.array(["w", "a/y", "a/x", "b/z"])
    found = load_comparison(other(tmp_path, ids=ids, sim=sim, emb=np.eye(4)), TABLE)
    order = [2, 1, 3, 0]
    for i, j in itertools.product(range(4), repeat=2):
        assert found[i, j] == pytest.approx(sim[order[i], order[j]])
    assert found.dtype == np.float64


def test_another_system_may_name_tracks_by_their_file_names(tmp_path):
    found = load_comparison(other(tmp_path, ids=["x", "y", "z", "w"], emb=np.eye(4)), TABLE)
    np.testing.assert_allclose(found, np.eye(4))


@pytest.mark.parametrize(
    ("arrays", "cause"),
    [
        ({"emb": np.eye(4)}, "lacks 'ids'"),
        ({"ids": ["a/x", "a/y", "b/z", "w"]}, "lacks 'ids', or both"),
        ({"ids": ["a/x", "w"], "emb": np.eye(2)}, "lacks 2 of 4 test tracks, 'a/y' for one"),
        ({"ids": np.array(["a/x"] * 4, dtype=object), "emb": np.eye(4)}, "cannot be read"),
        ({"ids": ["a/x", "a/y", "b/z", "w"], "emb": np.full((4, 4), np.nan)}, "not numbers"),
        ({"ids": ["a/x", "a/y", "b/z", "w"], "sim": np.full((4, 4), np.inf)}, "not numbers"),
        ({"ids": ["a/x", "a/y", "b/z", "w"], "emb": np.eye(3)}, "shape"),
        ({"ids": ["a/x", "a/y", "b/z", "w"], "emb": np.ones(4)}, "shape"),
        ({"ids": ["a/x", "a/y", "b/z", "w"], "sim": np.ones((4, 3))}, "shape"),
        ({"ids": ["a/x", "a/y", "b/z", "w"], "sim": np.ones((5, 5))}, "shape"),
        ({"ids": ["a/x", "a/y", "b/z", "w"], "emb": np.full((4, 2), "?")}, "not numbers"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_the_reason(tmp_path, arrays, cause):
    with pytest.raises(SimlibError, match=cause) as error:
        load_comparison(other(tmp_path, **arrays), TABLE)
    assert "comparisons/" in error.value.hint
    assert "other.npz" in error.value.subject


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04 and so on", "half", "npy"])
def test_a_file_that_is_no_archive_is_refused(tmp_path, content):
    path = other(tmp_path, ids=["a/x"], emb=np.eye(1))
    if content == "half":
        content = path.read_bytes()[: path.stat().st_size // 2]
    if content == "npy":
        path = tmp_path / "other.npy"
        np.save(path, np.eye(4))
    else:
        path.write_bytes(content)
    with pytest.raises(SimlibError, match="cannot be read"):
        load_comparison(path, TABLE)
    with pytest.raises(SimlibError, match="cannot be read"):
        load_comparison(tmp_path / "absent.npz", TABLE)


# --- what is tested -------------------------------------------------------------------------


def test_the_test_split_is_the_test_artists_and_the_whole_catalogues_tags():
    table = samples.tracks(5, genre=["rock", "rock", "a", "b", "c"])
    splits = np.array(["train", "train", "test", "test", "validation"], dtype=object)
    rows, columns = evaluated_rows(table, splits)
    assert rows.tolist() == [2, 3]
    assert columns == ["genre"], "shared among the training artists, a tag all the same"
    with pytest.raises(SimlibError, match="leaves 1 recording.*split.test"):
        evaluated_rows(table, np.array(["train"] * 4 + ["test"], dtype=object))
