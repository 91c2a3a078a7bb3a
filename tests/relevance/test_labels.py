"""Labels beside a slow loop that computes the same."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from simlib.relevance import jaccard, tag_matrix, tag_sets

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
