"""Agreement of a ranking with listening judgements."""

import numpy as np
import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st
from samples import unit

from simlib.evaluation import aspect_margins, bootstrap, listener_agreement

SETTINGS = samples.evaluate_settings()


def test_without_judgements_there_is_no_agreement():
    nothing = {"value": None, "low": None, "high": None, "n": 0}
    rows = np.zeros((0, 3), dtype=np.int64)
    assert listener_agreement(np.zeros(0), rows, SETTINGS) == nothing


@given(st.integers(0, 2**32 - 1))
def test_agreement_is_the_naive_count(seed):
    rng = np.random.default_rng(seed)
    similarity = rng.integers(0, 4, (8, 8)) / 4
    triplets = np.stack([rng.choice(8, 3, replace=False) for _ in range(20)])
    values, margin = [], []
    for reference, nearer, farther in triplets:
        near, far = similarity[reference, nearer], similarity[reference, farther]
        margin.append(near - far)
        values.append(0.5 if near == far else float(near > far))
    found = listener_agreement(np.array(margin), triplets, SETTINGS)
    assert found["value"] == pytest.approx(np.mean(values), abs=1e-6)
    assert found == bootstrap(np.array(values), triplets[:, 0], 200, 0), "over references"


def test_margins_are_differences_of_cosines():
    rng = np.random.default_rng(0)
    subspaces = {name: unit(12, seed, 4) for seed, name in enumerate(("sound", "genre"))}
    triplets = np.stack([rng.choice(12, 3, replace=False) for _ in range(10)])
    found = aspect_margins(subspaces, triplets)
    for row, (reference, nearer, farther) in enumerate(triplets):
        for column, subspace in enumerate(subspaces.values()):
            near, far = (float(np.dot(subspace[reference], subspace[i])) for i in (nearer, farther))
            assert found[row, column] == pytest.approx(near - far, abs=1e-6)
