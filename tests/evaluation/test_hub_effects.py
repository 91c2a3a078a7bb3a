"""The effect of the hub penalty."""

import numpy as np
import pandas as pd
import samples
from samples import unit

from simlib.core import stable_sample
from simlib.evaluation import (
    Evaluation,
    hub_correction_cost,
    hubs_before_and_after,
)


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


def test_the_effect_of_a_correction_is_tabulated_by_measure():
    evaluation = samples.evaluation_of(seed=1)
    before, after = (evaluation.rank(samples.similarity_of(evaluation, s)) for s in (1, 2))
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


def test_of_many_tracks_a_sample_is_counted():
    vectors, tracks = unit(60, 4), samples.tracks(60)
    rows = stable_sample(tracks["track_id"], 20)
    few = hubs_before_and_after(
        samples.index_of(vectors[rows], tracks.iloc[rows]), samples.evaluate_settings()
    )
    found = hubs_before_and_after(
        samples.index_of(vectors, tracks), samples.evaluate_settings(most_tracks=20)
    )
    assert found[0] == few[0]
    pd.testing.assert_frame_equal(found[1], few[1])
