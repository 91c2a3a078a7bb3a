import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import unit

from simlib.search import best_match, representative_excerpt


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4), st.integers(0, 999))
def test_the_best_match_by_a_naive_implementation(count, others, most, seed):
    one, other = unit(count, seed), unit(others, seed + 1)
    starts, other_starts = np.arange(count) * 2.0, np.arange(others) * 2.0
    run = min(most, count, others)
    best = max(
        (sum(float(one[i + n] @ other[j + n]) for n in range(run)), -i, -j)
        for i in range(count - run + 1)
        for j in range(others - run + 1)
    )
    found = best_match(one, starts, other, other_starts, 4.0, most)
    assert (found.start, found.other_start) == (-2.0 * best[1], -2.0 * best[2])
    assert found.end - found.start == found.other_end - found.other_start == 2.0 * run + 2.0


def test_the_representative_excerpt_is_the_one_most_similar_to_the_whole():
    verse, bridge = unit(2, 3)
    segments = np.stack([bridge, verse, verse, verse, verse, bridge])
    start, end = representative_excerpt(segments, np.arange(6) * 2.0, 4.0, 14.0, 6.0)
    assert start in (2.0, 4.0)
    assert end == start + 6.0


@pytest.mark.parametrize("seconds", [8.0, 100.0])
def test_of_a_short_recording_all_is_representative(seconds):
    assert representative_excerpt(unit(3, 0), np.arange(3) * 2.0, 4.0, 8.0, seconds) == (0, 8)
