import numpy as np
import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st

from simlib.relevance import artist_keys, split_artists

names = st.lists(st.text("abcXYZ é", max_size=4), min_size=1, max_size=20)


@given(names, names, st.integers(0, 3))
def test_a_track_never_changes_split_when_others_arrive(first, more, seed):
    settings = samples.split_settings(seed=seed)
    before = split_artists(samples.tracks(len(first), artist=first), settings)
    grown = samples.tracks(len(first) + len(more), artist=first + more)
    after = split_artists(grown, settings)
    assert after[: len(first)].tolist() == before.tolist()
    shuffled = grown.sample(frac=1, random_state=seed)
    assert split_artists(shuffled, settings).tolist() == after[shuffled.index].tolist()


@given(names)
def test_an_artist_is_in_one_split_only(artists):
    table = samples.tracks(2 * len(artists), artist=artists + [f" {a.upper()}" for a in artists])
    splits = split_artists(table, samples.split_settings(test=0.4, validation=0.3))
    found = {}
    for key, split in zip(artist_keys(table), splits, strict=True):
        assert found.setdefault(key, split) == split


def test_the_shares_are_about_those_of_the_settings_and_the_seed_draws_others():
    table = samples.tracks(4000, artist=[f"artist {i}" for i in range(4000)])
    splits = split_artists(table, samples.split_settings(test=0.25, validation=0.15))
    share = {split: np.mean(splits == split) for split in ("train", "validation", "test")}
    assert share["test"] == pytest.approx(0.25, abs=0.03)
    assert share["validation"] == pytest.approx(0.15, abs=0.03)
    assert sum(share.values()) == 1
    other = split_artists(table, samples.split_settings(seed=1))
    assert np.mean(other == splits) < 0.7


def test_a_larger_test_share_only_adds_test_artists():
    table = samples.tracks(500, artist=[f"artist {i}" for i in range(500)])
    small, large = (
        split_artists(table, samples.split_settings(test=share)) == "test" for share in (0.2, 0.3)
    )
    assert (large >= small).all()
    assert large.sum() > small.sum()


def test_the_split_is_the_one_that_published_figures_stand_on():
    """Another hash would move artists from training to test under everybody's feet."""
    table = samples.tracks(8, artist=["Ann", "bob", "Céline", "dora", "", "f", "g", "h"])
    splits = split_artists(table, samples.split_settings(test=0.4, validation=0.3))
    assert " ".join(splits) == "validation test train validation test train train train"
