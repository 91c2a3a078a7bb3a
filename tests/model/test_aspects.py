import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import unit

from simlib.core import SimlibError
from simlib.model import Aspects, subspace_name

SIZES = {"sound": 5, "genre": 2, "tempo": 3}
DEFAULT = {"sound": 0.5, "genre": 0.4, "tempo": 0.1}
ASPECTS = Aspects(SIZES, DEFAULT)

some_weights = st.dictionaries(st.sampled_from(list(SIZES)), st.floats(0, 10))


def recordings(count, seed):
    """Unit vectors of each part, and what becomes of them in an index."""
    subspaces = {name: unit(count, seed + i, size) for i, (name, size) in enumerate(SIZES.items())}
    return subspaces, np.hstack(
        [np.sqrt(DEFAULT[name]) * subspace for name, subspace in subspaces.items()]
    )


@given(some_weights.filter(lambda w: set(w) < set(SIZES)), st.integers(0, 2**31))
def test_weights_scale_the_query_alone(wanted, seed):
    subspaces, vectors = recordings(6, seed)
    weights = ASPECTS.weights(wanted)
    assert sum(weights.values()) == pytest.approx(1)
    found = (vectors * ASPECTS.scale(weights)) @ vectors.T
    expected = sum(weights[name] * subspace @ subspace.T for name, subspace in subspaces.items())
    np.testing.assert_allclose(found, expected, atol=1e-5)
    weighed = ASPECTS.weighted(vectors, weights)
    np.testing.assert_allclose(weighed @ weighed.T, expected, atol=1e-5)


def test_a_part_that_is_not_named_keeps_its_default_beside_the_others():
    assert ASPECTS.weights() == DEFAULT
    turned_up = ASPECTS.weights({"tempo": 1.1})
    assert turned_up == pytest.approx({"sound": 0.25, "genre": 0.2, "tempo": 0.55})
    assert ASPECTS.weights({"sound": 0, "genre": 0}) == {"sound": 0, "genre": 0, "tempo": 1}


def test_parts_are_taken_apart_again():
    subspaces, vectors = recordings(4, 0)
    views = ASPECTS.subspaces(vectors)
    assert list(views) == list(SIZES)
    for name, view in views.items():
        np.testing.assert_allclose(view, subspaces[name], atol=1e-6)
        np.testing.assert_array_equal(ASPECTS.subspaces(vectors[1])[name], view[1])


@pytest.mark.parametrize("weight", [-0.1, float("nan"), float("inf"), "much", None])
def test_what_is_no_weight_is_refused(weight):
    with pytest.raises(SimlibError, match="weight 'genre'.*give a number of at least 0"):
        ASPECTS.weights({"genre": weight})


def test_weights_that_say_nothing_are_refused():
    with pytest.raises(SimlibError, match="'mood': names no aspect; there are sound, genre, tempo"):
        ASPECTS.weights({"mood": 1})
    with pytest.raises(SimlibError, match="are all 0"):
        ASPECTS.weights(dict.fromkeys(SIZES, 0))


def test_a_tag_column_of_a_reserved_name_has_a_part_of_its_own():
    names = [subspace_name(column) for column in ("genre", "tempo", "sound", "tempo tag")]
    assert names == ["genre", "tempo tag", "sound tag", "tempo tag"]
