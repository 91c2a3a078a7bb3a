"""Labels beside a slow loop that computes the same."""

import numpy as np
import pandas as pd
import samples
from hypothesis import given
from hypothesis import strategies as st

from simlib.relevance import artist_keys, jaccard, tag_columns, tag_matrix, tag_sets

TAGS = st.lists(st.sampled_from(["Rock", "rock ", "jazz", "Folk", "", "blues"]), max_size=4)
CELLS = st.lists(TAGS.map(";".join), min_size=2, max_size=12)


def naive_jaccard(a, b):
    return len(a & b) / len(a | b) if a | b else 0.0


@given(CELLS)
def test_the_jaccard_index_is_shared_over_united_tags(cells):
    column = pd.Series(cells, dtype="str")
    sets = tag_sets(column)
    found = jaccard(tag_matrix(column))
    naive = [[naive_jaccard(a, b) for b in sets] for a in sets]
    np.testing.assert_allclose(found, naive, atol=1e-6)


def test_the_tag_matrix_has_a_column_for_every_tag_in_order():
    column = pd.Series(["b; A", "", "a;c"], dtype="str")
    expected = [[1, 1, 0], [0, 0, 0], [1, 0, 1]]
    np.testing.assert_array_equal(tag_matrix(column), expected)


def test_a_column_without_any_tag_relates_nobody():
    column = pd.Series(["", ";", " "], dtype="str")
    assert tag_matrix(column).shape == (3, 0)
    assert not jaccard(tag_matrix(column)).any()


def test_artists_are_compared_stripped_and_case_folded_and_a_missing_one_is_its_own():
    names = [" Straße", "STRASSE ", "", "", "Ａｎｎ", "ann", "t:t02"]
    keys = artist_keys(samples.tracks(7, artist=names))
    assert keys[0] == keys[1]
    assert keys[4] == keys[5], "full-width letters are the same letters"
    assert len(set(keys)) == 5
    assert keys[2] != keys[3], "two unknown artists are two"
    assert keys[6] != keys[2], "nobody's name is a missing artist's key"


@given(st.lists(st.text(st.characters(exclude_characters=";"), max_size=6), max_size=5))
def test_tags_are_split_stripped_and_case_folded(values):
    found = tag_sets(pd.Series([";".join(values)], dtype="str"))
    assert found == [{v.strip().casefold() for v in values if v.strip()}]


def test_a_tag_column_is_text_with_a_value_that_two_artists_share():
    table = samples.tracks(
        4,
        artist=["ann", "ann", "bob", ""],
        genre=["rock", "rock", "Rock ; pop", "pop"],
        label=["x", "x", "y", "z"],  # shared by the recordings of one artist only
        lone=["", "", "", "x"],
        bpm=[120.0, 120.0, 120.0, 120.0],
        mood=["", "a;b", "", "B"],
        seconds=["1", "1", "1", "1"],
        title=["same"] * 4,
        album=["same"] * 4,
    )
    table["backbone.vgg"] = "key of the same recording"
    table["auto_tags"] = "rock;pop"
    assert tag_columns(table) == ["genre", "mood"]


def test_no_tag_column_is_a_catalogue_too():
    assert tag_columns(samples.tracks(3)) == []
