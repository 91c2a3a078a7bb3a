"""Samples by digests of ids."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simlib.core import digest_of, digest_order, stable_sample

IDS = st.lists(st.text(max_size=6), unique=True, max_size=40)


@given(IDS, st.integers(0, 45), st.randoms())
def test_a_sample_is_the_same_whatever_the_order_of_the_table(ids, most, random):
    rows = stable_sample(ids, most)
    assert len(rows) == min(len(ids), most)
    assert (np.diff(rows) > 0).all(), "rows rise"
    lowest = sorted(ids, key=digest_of)[:most]
    assert {ids[row] for row in rows} == set(lowest)
    shuffled = random.sample(ids, len(ids))
    assert {shuffled[row] for row in stable_sample(shuffled, most)} == set(lowest)


@given(IDS, st.integers(0, 45), st.data())
def test_who_joins_a_catalogue_only_takes_the_places_of_a_sample_that_are_his(ids, most, data):
    earlier = ids[: data.draw(st.integers(0, len(ids)))]
    before = {earlier[row] for row in stable_sample(earlier, most)}
    after = {ids[row] for row in stable_sample(ids, most)}
    assert after & set(earlier) <= before


def test_the_order_is_that_of_the_digests():
    ids = [f"track {i}" for i in range(30)]
    assert [ids[row] for row in digest_order(ids)] == sorted(ids, key=digest_of)
