import numpy as np
import pytest
import samples
from samples import clusters, index_of, sides_of

from simlib import calibration
from simlib.artefacts import SimlibError
from simlib.calibration import Calibration, calibrate, scaled, unrelated_proximities


def test_scores_are_shares_of_unrelated_pairs_of_validation_artists():
    index = clusters()
    found = calibrate(index, sides_of(60, 20))
    vectors, tracks, pairs = index.vectors(), index.tracks, []
    for row in range(20):
        for other in range(60):
            same = tracks["artist"][row] == tracks["artist"][other]
            if not same and tracks["genre"][row] != tracks["genre"][other]:
                near = index.proximities(vectors[row], np.array([other]))
                pairs.append(scaled(index, near, vectors[row], index.artists[row])[0])
    for proximity in np.quantile(pairs, [0, 0.1, 0.5, 0.9, 1]):
        below = np.mean(np.array(pairs) < proximity)
        assert found.closer_than(proximity) == pytest.approx(below, abs=0.01)
    assert found.closer_than(np.array([-99.0, 99.0])).tolist() == [0, 1]
    assert found.remark == "Calibrated on 20 recordings of validation artists."


def test_proximities_are_scaled_by_those_to_other_artists_under_the_same_weights():
    index, weights = clusters(), {"sound": 0.2, "tempo": 0.8}
    vector = index.vectors()[4]
    others = index.proximities(vector, np.flatnonzero(index.artists != index.artists[4]), weights)
    low, middle, high = np.quantile(others, [0.1, 0.3, 0.6])
    found = scaled(index, np.array([low, middle, high]), vector, index.artists[4], weights)
    np.testing.assert_allclose(found, (np.array([low, middle, high]) - middle) / (high - low))
    assert scaled(index, middle, vector, None, weights) != pytest.approx(0, abs=1e-9)


def test_pairs_with_an_artist_or_a_tag_in_common_are_related():
    index = clusters()
    proximities = unrelated_proximities(index, np.array([0, 1]))
    assert [len(found) for found in proximities] == [40, 40]
    index.tracks["mood"] = ["calm", "calm;wild", "", "wild"] * 15
    assert len(unrelated_proximities(index, np.array([0]))[0]) == 20
    untagged = index_of(index.vectors())
    assert len(unrelated_proximities(untagged, np.array([3]))[0]) == 59


def test_without_validation_artists_the_training_artists_serve_and_it_is_said():
    sides = sides_of(60, 4)
    sides[50:] = "test"
    assert "the 50 recordings that were learned from served" in calibrate(clusters(), sides).remark


def test_company_is_that_of_other_artists():
    index = clusters()
    vectors = index.vectors()
    counts = index.artists != index.artists[0]
    centre = vectors[:, :5] / np.linalg.norm(vectors[:, :5], axis=1, keepdims=True)
    relative = centre - centre.mean(axis=0)
    relative /= np.linalg.norm(relative, axis=1, keepdims=True)
    cosines = sorted(relative[2:] @ relative[0], reverse=True)
    found = calibration.company(index, vectors[0], counts)
    assert found == pytest.approx(np.mean(cosines[:18]), abs=1e-5)


def test_a_calibration_comes_back_as_it_was_saved(tmp_path):
    found = calibrate(clusters(), sides_of(60, 20))
    found.save(tmp_path)
    assert Calibration.load(tmp_path) == found
    with pytest.raises(SimlibError, match="is not there; run 'dvc repro index'"):
        Calibration.load(tmp_path / "nowhere")
    (tmp_path / "calibration.json").write_text('{"floor": 0}')
    with pytest.raises(SimlibError, match="is of another version; run 'dvc repro index'"):
        Calibration.load(tmp_path)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_tiny_catalogue_is_calibrated_somehow(count):
    index = index_of(samples.unit(count, 0))
    sides = sides_of(count, 0)
    found = calibrate(index, sides)
    assert 0 <= found.closer_than(0.5) <= 1
    assert ("scores mean little" in found.remark) == (count == 1)
    assert not found.is_alone(index, index.vectors()[0], index.artists[0])


def test_where_all_share_a_tag_there_is_nothing_to_calibrate_on():
    index = clusters()
    index.tracks["genre"] = "rock"
    found = calibrate(index, sides_of(60, 20))
    assert "no unrelated recordings" in found.remark
    np.testing.assert_allclose(found.closer_than([0.0, 0.25, 1.0]), [0, 0.25, 1])
