import numpy as np
import pytest
import samples
from samples import clusters, index_of

from simlib.calibration import calibrate, unrelated_proximities
from simlib.reliability import alone, reliability, removed

SETTINGS = samples.evaluate_settings()


def sides_of(count, validation):
    return np.array(["validation"] * validation + ["train"] * (count - validation), dtype=object)


def test_a_reference_whose_kind_is_gone_is_alone():
    index = clusters()
    found = calibrate(index, sides_of(60, 40))
    there, gone = removed(index, found, np.arange(40), ["genre"])
    assert there.mean() <= 0.05
    assert gone.mean() > 0.9
    assert not found.is_alone(index, index.vectors()[0], index.artists[0])
    stranger = -index.vectors()[0]
    assert found.is_alone(index, stranger)


def test_reliability_compares_what_is_stated_with_what_is_found():
    index = clusters()
    found = calibrate(index, sides_of(60, 20))
    same = reliability(index, found, np.arange(20), SETTINGS)
    np.testing.assert_allclose(same["found"], same["stated"], atol=0.01)
    rows = np.arange(20, 60)
    other = reliability(index, found, rows, SETTINGS)
    scores = found.closer_than(np.concatenate(unrelated_proximities(index, rows)))
    for stated in (0.05, 0.5, 0.9):
        expected = np.mean(scores < stated)
        assert other["found"][round(100 * stated) - 1] == pytest.approx(expected, abs=1e-6)
    index.tracks["genre"] = "rock"
    assert reliability(index, found, rows, SETTINGS).empty


def test_the_interval_of_what_is_found_is_over_artists():
    """Two recordings of one artist are one witness: to have each twice tells nothing more."""
    index = clusters()
    found = calibrate(index, sides_of(60, 20))
    rows = np.arange(20, 60)
    once = reliability(index, found, rows, SETTINGS)
    assert (once["low"] <= once["found"]).all() and (once["found"] <= once["high"]).all()
    twice = reliability(index, found, np.repeat(rows, 2), SETTINGS)
    np.testing.assert_allclose(once["high"] - once["low"], twice["high"] - twice["low"], atol=1e-6)


def test_it_is_tabulated_how_often_nothing_is_close():
    index, sides = clusters(), sides_of(60, 30)
    sides[40:] = "test"
    found = calibrate(index, sides)
    table = alone(index, found, sides).set_index("artists")
    assert table["recordings"].to_dict() == {"validation": 30, "test": 20}
    there, gone = removed(index, found, np.arange(40, 60), ["genre"])
    assert table.loc["test", "in the whole catalogue"] == there.mean()
    assert table.loc["test", "without its genre"] == gone.mean()
    untagged = alone(index_of(index.vectors()), found, sides[:60])
    assert untagged.columns.tolist() == ["artists", "recordings", "in the whole catalogue"]
    assert len(alone(index, found, np.where(sides == "test", "test", "train"))) == 1
