"""The report's headline, tables and examples."""

import itertools

import numpy as np
import pandas as pd
import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st
from samples import unit

from simlib.evaluation import (
    Evaluation,
    example_queries,
    hardest_queries,
    headline_of,
    hub_correction_cost,
    hubs_before_and_after,
    lead_table,
    long_table,
    neighbour_table,
    tag_neighbourhoods,
    wide_table,
)
from simlib.relevance import tag_sets


def lead(low, high):
    value = (low + high) / 2
    return {"value": value, "low": low, "high": high, "n": 9}


def report_with(**leads):
    entry = {"m@10": {"value": 0.5, "low": 0.4, "high": 0.6, "n": 9}}
    return {
        "simlib": entry | {"hub_skew@10": {"value": 1.25}},
        **{name: entry | {"simlib_lead": {"m@10": given}} for name, given in leads.items()},
    }


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        (0.01, 0.1, "ahead of"),
        (-0.1, -0.01, "behind"),
        (-0.01, 0.1, "level with"),
        (-0.1, 0.01, "level with"),
        (0.0, 0.1, "level with"),
    ],
)
def test_the_headline_follows_the_interval(low, high, outcome):
    report = report_with(mfcc=lead(low, high), untrained=lead(0.2, 0.3))
    headline, details = headline_of(report)
    assert headline == (
        f"The Siamese network is {outcome} the hand-crafted features on m@10; "
        "ahead of the same network untrained on m@10."
    )
    assert len(details) == 2
    assert details[0].startswith("m@10: 0.500 against 0.500 of the hand-crafted features; ")
    assert f"95% interval {low:+.3f} to {high:+.3f}" in details[0]
    assert details[0].endswith(f"{outcome.split()[0]}.")


def test_the_headline_has_each_measure():
    report = report_with(mfcc=lead(0.1, 0.2))
    for system in ("simlib", "mfcc"):
        report[system]["n@10"] = report[system]["m@10"]
    report["mfcc"]["simlib_lead"]["n@10"] = lead(-0.2, -0.1)
    headline, _ = headline_of(report, baselines=["mfcc"])
    assert "ahead of the hand-crafted features on m@10; behind the hand-craft" in headline
    assert headline.endswith("on n@10.")


def test_the_headline_of_nothing_claims_nothing():
    nothing = {"value": None, "low": None, "high": None, "n": 0}
    headline, details = headline_of(report_with(mfcc=nothing, untrained=nothing))
    assert "too few" in headline
    assert details == []


def test_the_tables_hold_every_figure():
    report = report_with(mfcc=lead(0.1, 0.2), other={"value": None, "low": None, "high": None})
    report["other"]["m@10"] = {"value": None, "low": None, "high": None, "n": 0}
    long = long_table(report)
    assert long.columns.tolist() == ["system", "measure", "value", "low", "high", "n"]
    assert long[["system", "measure"]].to_numpy().tolist() == [
        ["simlib", "m@10"],
        ["simlib", "hub_skew@10"],
        ["mfcc", "m@10"],
        ["other", "m@10"],
    ]
    assert wide_table(report).to_dict("list") == {
        "system": ["simlib", "mfcc", "other"],
        "m@10": ["0.500 [0.400, 0.600]", "0.500 [0.400, 0.600]", ""],
        "hub_skew@10": ["1.250", "", ""],
    }
    assert lead_table(report).to_dict("list") == {
        "simlib minus": ["mfcc"],
        "m@10": ["+0.150 [+0.100, +0.200]"],
    }


def test_a_neighbour_table_has_the_common_tags():
    table = samples.tracks(
        4, artist=["a", "a", "b", "c"], genre=["x;y"] * 3 + ["z"], mood=["m", "m", "m", "M"]
    )
    evaluation = Evaluation(table, ["genre", "mood"], samples.evaluate_settings(k=3))
    similarity = np.array([[1, 0.9, 0.3, 0.7]] * 4)
    found = neighbour_table(evaluation, similarity, 0)
    assert found["rank"].tolist() == [1, 2], "the own artist is not listed"
    assert found["track_id"].tolist() == ["t03", "t02"]
    assert found["similarity"].tolist() == [0.7, 0.3]
    assert found["shares"].tolist() == ["m", "m, x, y"]
    assert {"path", "title", "artist", "genre", "mood"} <= set(found)


def test_examples_spread_over_tags_and_artists():
    artists = [f"artist {i // 4}" for i in range(24)]
    table = samples.tracks(24, artist=artists, genre=["rock"] * 16 + ["jazz"] * 4 + ["folk"] * 4)
    evaluation = Evaluation(table, ["genre"], samples.evaluate_settings())
    chosen = example_queries(evaluation, 3)
    assert set(table["genre"][chosen]) == {"rock", "jazz", "folk"}
    assert example_queries(evaluation, 3) == chosen
    six = example_queries(evaluation, 6)
    assert six[:3] == chosen
    assert len({artists[row] for row in six}) == 4, "two of the rock artists, not one twice"
    assert sorted(example_queries(evaluation, 99)) == list(range(24)), "each once, at most all"
    untagged = Evaluation(table, [], samples.evaluate_settings())
    assert len({artists[row] for row in example_queries(untagged, 6)}) == 6


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 12]))
def test_the_neighbours_of_a_tag_are_the_share_with_another(seed, k):
    evaluation = samples.evaluation_of(seed, k=k)
    similarity = samples.similarity_of(evaluation, seed)
    cells = tag_neighbourhoods(evaluation, similarity)
    sets = tag_sets(evaluation.tracks["genre"])
    ranked = evaluation.ranked(similarity)
    assert set(cells.index) == set(cells.columns) == frozenset().union(*sets)
    for tag, other_tag in itertools.product(cells.index, repeat=2):
        shares = [
            np.mean([other_tag in sets[c] for c in row[row >= 0]])
            for query, row in enumerate(ranked)
            if tag in sets[query]
        ]
        assert cells.loc[tag, other_tag] == pytest.approx(np.mean(shares), abs=1e-6)
    assert len(tag_neighbourhoods(evaluation, similarity, most=2)) <= 2
    untagged = Evaluation(evaluation.tracks, [], evaluation.settings)
    assert tag_neighbourhoods(untagged, similarity).empty


def test_a_table_of_no_column_is_none():
    assert pd.DataFrame(lead_table({"simlib": {}})).empty


@given(st.integers(0, 2**32 - 1), st.integers(1, 20))
def test_the_hardest_queries_have_the_worst_lists(seed, count):
    evaluation = samples.evaluation_of(seed)
    similarity = samples.similarity_of(evaluation, seed)
    found = hardest_queries(evaluation, similarity, count)
    scores = evaluation.scores(similarity)
    means = {}
    for row in range(12):
        values = [scores[f"{column}_ndcg@3"][row] for column in ("genre", "mood")]
        values = [value for value in values if value == value]
        if values:
            means[row] = sum(values) / len(values)
    assert len(found) == len(set(found)) == min(count, len(means))
    worst = sorted(means.values())[: len(found)]
    np.testing.assert_allclose([means[row] for row in found], worst)
    untagged = Evaluation(evaluation.tracks, [], evaluation.settings)
    assert hardest_queries(untagged, similarity, count) == []


def test_hubs_are_counted_over_the_whole_catalogue_before_and_after():
    vectors = unit(60, 4) + 0.5
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    tracks = samples.tracks(60)
    tracks["artist"] = [f"Artist {row // 2}" for row in range(60)]
    index, settings = samples.index_of(vectors, tracks), samples.evaluate_settings(k=10)
    skew, table = hubs_before_and_after(index, settings)
    counts = np.zeros(60, dtype=int)
    for query in range(60):
        others = [row for row in range(60) if row // 2 != query // 2]
        others.sort(key=lambda row: -(vectors[row] @ vectors[query]))
        counts[others[:10]] += 1
    assert table["by cosine"].tolist() == sorted(counts, reverse=True)[:5]
    assert skew["corrected"] < skew["by cosine"]
    assert table.columns.tolist() == ["track_id", "title", "artist", "by cosine", "corrected"]


def test_the_headline_without_tags_has_the_limits_of_its_measure():
    report = report_with(mfcc=lead(0.01, 0.1), untrained=lead(0.2, 0.3))
    assert "all that can be measured" not in headline_of(report)[0]
    excerpts = {
        system: {"excerpt_mrr": entry["m@10"]}
        | {k: {"excerpt_mrr": v["m@10"]} for k, v in entry.items() if k == "simlib_lead"}
        for system, entry in report.items()
    }
    headline, _ = headline_of(excerpts)
    assert "ahead of the hand-crafted features on excerpt_mrr" in headline
    assert "all that can be measured" in headline


def test_the_effect_of_a_correction_is_tabulated_by_measure():
    evaluation = samples.evaluation_of(seed=1)
    before, after = (samples.similarity_of(evaluation, seed) for seed in (1, 2))
    table = hub_correction_cost(evaluation, before, after).set_index("measure")
    assert table.index.tolist() == ["genre_ndcg@3", "mood_ndcg@3"]
    for measure, row in table.iterrows():
        first, second = (evaluation.scores(s)[measure] for s in (before, after))
        assert row["by cosine"] == f"{np.nanmean(first):.3f}"
        assert row["corrected"] == f"{np.nanmean(second):.3f}"
        change = np.nanmean(second - first)
        assert row["difference"].startswith(f"{change:+.3f} [")
    same = hub_correction_cost(evaluation, before, before)
    assert set(same["difference"]) == {"+0.000 [+0.000, +0.000]"}
    untagged = Evaluation(evaluation.tracks, [], evaluation.settings)
    assert hub_correction_cost(untagged, before, after).empty
