"""Skewness and bootstrap intervals beside slow loops."""

import itertools

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from simlib.evaluation import (
    bootstrap,
    skewness,
)


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=30))
def test_skewness_is_scipys(values):
    expected = scipy.stats.skew(values) if len(set(values)) > 1 else 0.0
    assert skewness(values) == pytest.approx(expected, abs=1e-6)


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
