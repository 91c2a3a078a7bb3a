import numpy as np
import pytest
import samples
from samples import naive_similarities, unit

from simlib.evaluation import aspect_gain_table, aspect_gains, turned_up
from simlib.model import Aspects
from simlib.relevance import ndcg, tempo_gain

ASPECTS = Aspects({"sound": 4, "genre": 3, "tempo": 3}, {"sound": 0.6, "genre": 0.3, "tempo": 0.1})
HUBS = samples.hub_settings()
BPM = np.array([60, 61, 80, 120, 90, 100, 119, 81, 70, 140, 141, 100.0])


@pytest.fixture(scope="module")
def evaluation():
    return samples.evaluation_of(seed=1)


@pytest.fixture(scope="module")
def vectors():
    subspaces = [np.sqrt(w) * unit(12, i, ASPECTS.sizes[n]) for i, (n, w) in
             enumerate(ASPECTS.default.items())]  # fmt: skip
    return np.hstack(subspaces)


def test_an_aspect_turned_up_has_half_of_all_weight():
    assert turned_up(ASPECTS.default, "genre") == pytest.approx(
        {"sound": 0.3, "genre": 0.65, "tempo": 0.05}
    )


def test_the_gain_is_that_of_the_lists_that_search_would_give(evaluation, vectors):
    scores, found = aspect_gains(vectors, ASPECTS, ASPECTS.default, evaluation, BPM, HUBS)
    assert list(scores) == ["genre", "mood", "tempo"]
    assert set(found) == {(p, m) for p in ASPECTS.sizes for m in scores}
    everyone = np.arange(12)
    gains = {column: gain[everyone] for column, gain in evaluation.gains.items()}
    gains["tempo"] = tempo_gain(BPM)

    def naive(weights, measured):
        weighed = ASPECTS.weighted(vectors, weights)
        similarity = np.array(naive_similarities(weighed, evaluation.artists))
        ranked = evaluation.rank(similarity).ranked
        return ndcg(ranked, gains[measured], evaluation.candidate_mask(everyone))

    for measured in scores:
        np.testing.assert_allclose(scores[measured], naive(ASPECTS.default, measured))
        up = naive(turned_up(ASPECTS.default, "tempo"), measured)
        np.testing.assert_allclose(found["tempo", measured], up - scores[measured])


def test_the_table_has_a_row_for_each_pair_and_nan_if_no_query_counts(evaluation, vectors):
    scores, found = aspect_gains(vectors, ASPECTS, ASPECTS.default, evaluation, BPM, HUBS)
    found["sound", "mood"] = np.full(12, np.nan)
    table = aspect_gain_table(scores, found, evaluation.interval)
    assert len(table) == 9
    assert table.columns.tolist() == ["turned up", "measured", "before", "value", "low", "high"]
    row = table.set_index(["turned up", "measured"]).loc[("genre", "tempo")]
    expected = evaluation.interval(found["genre", "tempo"])
    assert (row["value"], row["low"]) == (expected["value"], expected["low"])
    assert row["before"] == pytest.approx(np.nanmean(scores["tempo"]), abs=1e-6)
    assert table.set_index(["turned up", "measured"]).loc[("sound", "mood")][2:].isna().all()


def test_without_tags_the_tempo_is_measured(vectors):
    evaluation = samples.evaluation_of(seed=1)
    evaluation.gains.clear()
    scores, found = aspect_gains(vectors, ASPECTS, ASPECTS.default, evaluation, BPM, HUBS)
    assert list(scores) == ["tempo"]
    assert len(aspect_gain_table(scores, found, evaluation.interval)) == 3
