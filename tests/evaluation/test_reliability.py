import numpy as np
import pytest
import samples
from samples import clusters, index_of, splits_of

from simlib.evaluation import no_close_match_rates, reliability_curve, without_related
from simlib.index import calibrate, unrelated_percentiles

SETTINGS = samples.evaluate_settings()


def test_a_query_whose_related_tracks_are_gone_has_no_close_match():
    index = clusters()
    found = calibrate(index, splits_of(60, 40))
    there, gone = without_related(index, found, np.arange(40), ["genre"])
    assert there.mean() <= 0.05
    assert gone.mean() > 0.9
    assert not found.has_no_close_match(index, index.vectors()[0], index.artists[0])
    stranger = -index.vectors()[0]
    assert found.has_no_close_match(index, stranger)


def test_reliability_compares_what_is_stated_with_what_is_found():
    index, splits = clusters(), splits_of(60, 20)
    splits[20:] = "test"
    found = calibrate(index, splits)
    table = reliability_curve(index, found, splits, SETTINGS)
    scores = found.closer_than(unrelated_percentiles(index, np.arange(20, 60))[0])
    for stated in (0.05, 0.5, 0.9):
        row = table.iloc[round(100 * stated) - 1]
        assert row["stated"] == pytest.approx(stated)
        assert row["found"] == pytest.approx(np.mean(scores < stated), abs=1e-6)
    index = clusters()
    index.tracks["genre"] = "rock"
    assert reliability_curve(index, found, splits, SETTINGS).empty


def test_with_many_artists_to_calibrate_on_they_find_what_is_stated():
    index, splits = clusters(600), splits_of(600, 600)
    found = calibrate(index, splits)
    table = reliability_curve(index, found, np.where(splits == "train", splits, "test"), SETTINGS)
    np.testing.assert_allclose(table["found"], table["stated"], atol=0.01)


def test_the_interval_of_reliability_draws_the_artists_of_both_splits():
    index, splits = clusters(), splits_of(60, 20)
    splits[20:] = "test"
    table = reliability_curve(index, calibrate(index, splits), splits, SETTINGS)
    (estimates, queries), artists = unrelated_percentiles(index, np.arange(60)), index.artists
    rng, drawn, grid = np.random.default_rng(SETTINGS.seed), [], np.linspace(0, 1, 1001)
    for _ in range(SETTINGS.bootstrap):
        pairs = []
        for split in ("validation", "test"):
            names = np.unique(artists[splits == split])
            often = rng.multinomial(len(names), np.full(len(names), 1 / len(names)))
            rows = [
                row
                for name, times in zip(names, often, strict=True)
                for row in np.flatnonzero(artists == name).repeat(times)
            ]
            pairs.append(np.concatenate([estimates[queries == row] for row in rows]))
        learned, test = pairs
        scores = [(np.mean(learned <= one) + 6 * one) / 7 for one in grid]
        cuts = np.interp(table["stated"], scores, grid)
        drawn.append([np.mean(test < cut) for cut in cuts])
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    np.testing.assert_allclose(table["low"], low, atol=0.01)
    np.testing.assert_allclose(table["high"], high, atol=0.01)


def test_the_rates_of_no_close_match_are_tabulated():
    index, splits = clusters(), splits_of(60, 30)
    splits[40:] = "test"
    found = calibrate(index, splits)
    table = no_close_match_rates(index, found, splits, SETTINGS).set_index("artists")
    assert table["recordings"].to_dict() == {"validation": 30, "test": 20}
    there, gone = without_related(index, found, np.arange(40, 60), ["genre"])
    assert table.loc["test", "in the whole catalogue"] == there.mean()
    assert table.loc["test", "without its genre"] == gone.mean()
    untagged = no_close_match_rates(index_of(index.vectors()), found, splits[:60], SETTINGS)
    assert untagged.columns.tolist() == ["artists", "recordings", "in the whole catalogue"]
    one = np.where(splits == "test", "test", "train")
    assert len(no_close_match_rates(index, found, one, SETTINGS)) == 1
    few = samples.evaluate_settings(exact_tracks=20, queries=7)
    sampled = no_close_match_rates(index, found, splits, few).set_index("artists")
    assert sampled["recordings"].to_dict() == {"validation": 7, "test": 20}
