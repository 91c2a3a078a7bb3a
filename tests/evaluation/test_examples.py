"""Example queries and their ranked lists."""

import numpy as np
import samples
from hypothesis import given
from hypothesis import strategies as st

from simlib.evaluation import (
    Evaluation,
    example_queries,
    hardest_queries,
    neighbour_table,
)


def test_a_neighbour_table_has_the_common_tags():
    table = samples.tracks(
        4, artist=["a", "a", "b", "c"], genre=["x;y"] * 3 + ["z"], mood=["m", "m", "m", "M"]
    )
    evaluation = Evaluation(table, ["genre", "mood"], samples.evaluate_settings(k=3))
    similarity = np.array([[1, 0.9, 0.3, 0.7]] * 4)
    found = neighbour_table(evaluation, evaluation.rank(similarity), 0)
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


@given(st.integers(0, 2**32 - 1), st.integers(1, 20))
def test_the_hardest_queries_have_the_worst_lists(seed, count):
    evaluation = samples.evaluation_of(seed)
    similarity = samples.similarity_of(evaluation, seed)
    lists = evaluation.rank(similarity)
    found = hardest_queries(evaluation, lists, count)
    scores = evaluation.scores(lists)
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
    assert hardest_queries(untagged, lists, count) == []
