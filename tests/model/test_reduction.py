import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from simlib.model import Reduction


def reduced(activations, dimensions, given=None):
    reduction = Reduction(activations.shape[1], dimensions)
    reduction.fit(activations)
    inputs = activations if given is None else given
    return reduction(torch.from_numpy(inputs)).numpy()


def made_up(count, features, seed=0):
    """Correlated activations of very different sizes, some of them constant."""
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(count, 4)) @ rng.normal(size=(4, features))
    made = (mixed + 0.1 * rng.normal(size=mixed.shape)) * 10.0 ** rng.integers(-3, 3, features)
    made[:, 0] = 7.0
    return made.astype(np.float32)


@given(st.integers(3, 40), st.integers(5, 30), st.integers(0, 1000))
def test_all_components_keep_the_products_of_the_standardised_activations(count, features, seed):
    """No component left out: what remains is a rotation and one scale."""
    made = made_up(count, features, seed)
    deviation = made.std(axis=0)
    standardised = (made - made.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
    found = reduced(made, features)
    products, expected = found @ found.T, standardised @ standardised.T
    scale = np.trace(products) / np.trace(expected)
    np.testing.assert_allclose(products, scale * expected, atol=2e-3 * np.abs(products).max())
    assert (found**2).mean() == pytest.approx(1.0, rel=1e-3)


def test_the_first_components_vary_most():
    found = reduced(made_up(50, 20), 8)
    variances = found.var(axis=0)
    assert (np.diff(variances) <= 1e-5).all()
    assert variances[3] > 20 * variances[4], "four directions were made"


def test_components_that_few_recordings_cannot_show_are_zero():
    found = reduced(made_up(3, 20), 8)
    assert found.shape == (3, 8)
    assert np.abs(found[:, 2:]).max() < 1e-4, "three recordings span two directions"


def test_an_activation_far_from_all_that_was_seen_is_clipped():
    made = made_up(30, 10)
    far, farther = made[:1].copy(), made[:1].copy()
    far[0, 3], farther[0, 3] = 1e6, 1e9
    np.testing.assert_array_equal(reduced(made, 5, far), reduced(made, 5, farther))


def test_the_same_recordings_give_the_same_components():
    made = made_up(30, 10)
    np.testing.assert_array_equal(reduced(made, 5), reduced(made.copy(), 5))
