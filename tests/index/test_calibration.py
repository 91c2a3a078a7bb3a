import numpy as np
import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st
from samples import clusters, index_of, splits_of

from simlib.core import SimlibError, digest_of
from simlib.index import (
    Calibration,
    calibrate,
    nearest_similarity,
    similarity_percentile,
    unrelated_percentiles,
)

CLUSTERS = clusters()


def test_scores_are_shares_of_unrelated_pairs_of_validation_artists():
    """Counts weigh as their 10 artists, estimates as 60."""
    index = clusters()
    found = calibrate(index, splits_of(60, 20))
    vectors, tracks, pairs = index.vectors(), index.tracks, []
    for row in range(20):
        for other in range(60):
            same = tracks["artist"][row] == tracks["artist"][other]
            if not same and tracks["genre"][row] != tracks["genre"][other]:
                near = index.similarities(vectors[row], np.array([other]))
                pairs.append(
                    similarity_percentile(index, near, vectors[row], index.artists[row])[0]
                )
    for estimate in (0.03, 0.1, 0.42, 0.9, 0.99):
        below = np.mean(np.array(pairs) <= estimate)
        assert found.closer_than(estimate) == pytest.approx((below + 6 * estimate) / 7, abs=1e-3)
    assert found.closer_than(np.array([0.0, 1.0])).tolist() == [0, 1]
    assert found.remark == "Calibrated on 20 recordings of validation artists."


def naive_shares(index, vector, artist, weights=None):
    """Similarities of all tracks by others, sorted, and the share of the unrelated below each."""
    rows = np.flatnonzero(index.artists != artist)
    near = index.similarities(vector, rows, weights)
    rows = rows[np.argsort(near)]
    kinds = [
        set(f"{index.tracks['genre'][row]};{index.tracks['mood'][row]}".split(";")) - {""}
        for row in rows
    ]  # fmt: skip
    counts = [np.mean([not kinds[i] & kinds[-j] for j in range(1, 4)]) for i in range(len(rows))]
    below = [(sum(counts[:i]) + counts[i] / 2) / sum(counts) for i in range(len(rows))]
    return np.sort(near), np.array(below)


@pytest.mark.parametrize("weights", [None, {"sound": 0.2, "tempo": 0.8}])
def test_estimates_are_shares_of_what_the_nearest_have_no_tag_in_common_with(weights):
    index = clusters()
    index.tracks["mood"] = ["calm", "calm;wild", "", "wild", "", ""] * 10
    vector, artist = index.vectors()[5], index.artists[5]
    near, shares = naive_shares(index, vector, artist, weights)
    within = np.interp([0.1, 0.3, 0.55, 0.7, 0.9], shares, near)
    found = similarity_percentile(index, within, vector, artist, weights)
    np.testing.assert_allclose(found, [0.1, 0.3, 0.55, 0.7, 0.9], atol=1e-6)
    other = similarity_percentile(index, within, vector, None, weights)
    assert not np.allclose(found, other, atol=1e-6)


def test_in_a_catalogue_without_tags_all_by_others_counts_alike():
    index = index_of(samples.unit(40, 1))
    vector, artist = index.vectors()[4], index.artists[4]
    near = index.similarities(vector, np.flatnonzero(index.artists != artist))
    shares = [0.1, 0.25, 0.5, 0.9]
    within = np.quantile(near, shares, method="hazen")
    np.testing.assert_allclose(
        similarity_percentile(index, within, vector, artist), shares, atol=1e-6
    )
    rock = index_of(index.vectors())
    rock.tracks["genre"] = "rock"
    np.testing.assert_allclose(
        similarity_percentile(rock, within, vector, artist), shares, atol=1e-6
    )


@given(st.lists(st.floats(-3, 1), min_size=2, max_size=8), st.integers(0, 59))
def test_the_nearer_the_higher_within_bounds(similarities, row):
    near = np.sort(similarities)
    found = similarity_percentile(CLUSTERS, near, CLUSTERS.vectors()[row], CLUSTERS.artists[row])
    assert (np.diff(found) >= 0).all()
    assert ((found >= 0) & (found <= 1)).all()
    # Far out, the tails round to 0 and 1.
    apart = (np.diff(near) > 1e-3) & (near[1:] > 0) & (near[1:] < 1)
    assert (np.diff(found)[apart] > 0).all()


def test_the_tails_go_on_as_they_were_measured():
    """At the same slope, without a jump: the next hundredth is one."""
    index = clusters()
    index.tracks["mood"] = ""
    vector, artist = index.vectors()[4], index.artists[4]
    near, shares = naive_shares(index, vector, artist)
    levels = np.interp([0.1, 0.15, 0.85, 0.9], shares, near)
    low, high = (levels[1] - levels[0]) / 5, (levels[3] - levels[2]) / 5
    similarities = np.array(
        [levels[0] - low, levels[0] - 30 * low, levels[3] + high, levels[3] + 30 * high]
    )
    expected = [0.1 * np.exp(-0.1), 0.1 * np.exp(-3), 1 - 0.1 * np.exp(-0.1), 1 - 0.1 * np.exp(-3)]
    np.testing.assert_allclose(
        similarity_percentile(index, similarities, vector, artist), expected, atol=1e-6
    )


def test_pairs_with_an_artist_or_a_tag_in_common_are_related():
    index = clusters()
    estimates, queries = unrelated_percentiles(index, np.array([0, 1]))
    assert np.bincount(queries).tolist() == [40, 40]
    assert len(estimates) == 80
    index = clusters()
    index.tracks["mood"] = ["calm", "calm;wild", "", "wild"] * 15
    assert len(unrelated_percentiles(index, np.array([0]))[0]) == 20
    untagged = index_of(index.vectors())
    assert len(unrelated_percentiles(untagged, np.array([3]))[0]) == 59


def test_of_many_queries_two_hundred_are_counted():
    index = index_of(samples.unit(250, 0))
    queries = unrelated_percentiles(index, np.arange(10, 240))[1]
    lowest = sorted(index.tracks["track_id"].iloc[10:240], key=digest_of)[:200]
    assert set(index.tracks["track_id"].iloc[queries]) == set(lowest)


def test_a_calibration_does_not_depend_on_the_order_of_the_table():
    """Everything is sampled: the reference sample, the queries, those of the threshold."""
    changes = {"calibration": {"references": 40, "queries": 25}}
    usual, splits = clusters(300), splits_of(300, 120)
    found = []
    for order in (np.arange(300), np.random.default_rng(0).permutation(300)):
        tracks = usual.tracks.iloc[order]
        index = index_of(usual.vectors()[order], tracks, **changes)
        names = set(index.tracks["track_id"].iloc[index.reference_rows])
        found.append((names, calibrate(index, splits[order])))
    (names, one), (others, other) = found
    assert len(names) == 40
    assert names == others
    # The last bits of a similarity may move one pair across one of the thousand estimates.
    np.testing.assert_allclose(one.shares, other.shares, atol=1e-3)
    assert one.outlier_threshold == pytest.approx(other.outlier_threshold, abs=1e-6)
    assert one.remark == other.remark


def test_with_few_validation_artists_estimates_stand_and_the_remark_says_so():
    splits = splits_of(60, 4)
    splits[50:] = "test"
    found = calibrate(clusters(), splits)
    assert (
        "Scores are as estimated. The outlier threshold is that of the 50 recordings"
        in found.remark
    )
    splits[:4] = "train"
    found = calibrate(clusters(), splits)
    np.testing.assert_allclose(found.closer_than([0.0, 0.3, 0.95]), [0, 0.3, 0.95])


def test_with_test_artists_only_nothing_is_calibrated_and_no_query_is_an_outlier():
    index = clusters()
    found = calibrate(index, np.full(60, "test", dtype=object))
    assert "nothing was calibrated" in found.remark
    assert not found.has_no_close_match(index, -index.vectors()[0])
    np.testing.assert_allclose(found.closer_than([0.0, 0.3, 0.95]), [0, 0.3, 0.95])


def test_the_nearest_similarity_is_over_other_artists():
    index = clusters()
    vectors = index.vectors()
    counts = index.artists != index.artists[0]
    centre = vectors[:, :5] / np.linalg.norm(vectors[:, :5], axis=1, keepdims=True)
    relative = centre - centre.mean(axis=0)
    relative /= np.linalg.norm(relative, axis=1, keepdims=True)
    cosines = sorted(relative[2:] @ relative[0], reverse=True)
    found = nearest_similarity(index, vectors[0], counts)
    assert found == pytest.approx(np.mean(cosines[:18]), abs=1e-5)


def test_the_settings_of_the_index_are_those_of_its_calibration():
    index, splits = clusters(), splits_of(60, 20)
    usual = calibrate(index, splits)
    other = samples.index_settings(calibration={"prior_artists": 0, "false_alarms": 0.5})
    index.settings = other
    changed = calibrate(index, splits)
    below = np.mean(unrelated_percentiles(index, np.arange(20))[0] <= 0.42)
    assert changed.closer_than(0.42) == pytest.approx(below, abs=1e-3)
    assert changed.outlier_threshold > usual.outlier_threshold
    index.settings = samples.index_settings(calibration={"queries": 5, "fewest": 21})
    assert len(np.unique(unrelated_percentiles(index, np.arange(20))[1])) == 5
    assert "too few validation artists" in calibrate(index, splits).remark


@pytest.mark.parametrize("change", [{"neighbours": 1}, {"closest_share": 0.05}], ids=min)
def test_each_of_these_settings_changes_a_number(change):
    index, vectors = clusters(), CLUSTERS.vectors()
    index.tracks["mood"] = ["calm", "calm;wild", "", "wild", "", ""] * 10
    everyone = np.ones(60, dtype=bool)

    def numbers():
        near = index.similarities(vectors[5], np.arange(60))
        percentiles = similarity_percentile(index, near, vectors[5], index.artists[5])
        return np.append(percentiles, nearest_similarity(index, vectors[5], everyone))

    before = numbers()
    index.settings = samples.index_settings(calibration=change)
    assert np.abs(numbers() - before).max() > 0.01


def test_a_calibration_comes_back_as_it_was_saved(tmp_path):
    found = calibrate(clusters(), splits_of(60, 20))
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
    splits = splits_of(count, 0)
    found = calibrate(index, splits)
    assert 0 <= found.closer_than(0.5) <= 1
    assert "too few validation artists" in found.remark
    assert not found.has_no_close_match(index, index.vectors()[0], index.artists[0])


def test_if_all_share_a_tag_there_is_nothing_to_calibrate_on():
    index = clusters()
    index.tracks["genre"] = "rock"
    found = calibrate(index, splits_of(60, 20))
    assert "no unrelated recordings" in found.remark
    np.testing.assert_allclose(found.closer_than([0.0, 0.25, 1.0]), [0, 0.25, 1])
