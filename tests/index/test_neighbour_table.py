"""The table of neighbours: naive twin, growth, and what is read back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import unit

from simlib.index import NeighbourTable, build_table, neighbour_table
from simlib.model import Aspects

SEEDS = st.integers(0, 2**32 - 1)
ASPECTS = Aspects({"sound": 6, "genre": 4, "tempo": 3}, {"sound": 0.5, "genre": 0.3, "tempo": 0.2})


def catalogue(count, seed):
    """Embeddings of recordings, ids and artists; a recording is the same in every catalogue."""
    parts = [unit(200, seed + n, size) for n, size in enumerate(ASPECTS.sizes.values())]
    scales = np.sqrt(list(ASPECTS.default.values()))
    vectors = np.hstack([s * part for s, part in zip(scales, parts, strict=True)])
    rows = np.random.default_rng(seed).permutation(200)[:count]
    return vectors.astype(np.float32), rows


def table_of(vectors, rows, before=None, renamed=()):
    artists = [f"new {row}" if row in renamed else f"artist {row // 3}" for row in rows]
    return build_table(vectors[rows], ASPECTS, [f"id {row}" for row in rows], artists, before)


def naive_lists(vectors, rows, row):
    """The neighbours of a track by default weights and by each aspect, as sets."""
    found = []
    others = [one for one in range(len(rows)) if rows[one] // 3 != rows[row] // 3]
    parts = {"": vectors[rows], **ASPECTS.subspaces(vectors[rows])}
    for name, part in parts.items():
        near = sorted(others, key=lambda one, part=part: -float(part[one] @ part[row]))
        found.append(set(near[: 20 if name else 50]))
    return found


@pytest.mark.parametrize("count", [1, 2, 7, 60, 120])
def test_each_track_has_its_neighbours_by_all_aspects_and_by_each(count):
    vectors, rows = catalogue(count, 1)
    table = table_of(vectors, rows)
    for row in range(count):
        found = table.rows[row][table.rows[row] >= 0]
        assert set(found) == set().union(*naive_lists(vectors, rows, row))
        assert len(found) == len(set(found))
        parts = ASPECTS.subspaces(vectors[rows])
        for number, part in enumerate(parts.values()):
            cosines = table.cosines[row, : len(found), number]
            np.testing.assert_allclose(cosines, part[found] @ part[row], atol=1e-6)


def test_distances_follow_the_weights_nearest_first_by_default():
    vectors, rows = catalogue(60, 2)
    table = table_of(vectors, rows)
    by_default = table.distances(list(ASPECTS.default.values()))
    taken = table.rows >= 0
    assert (np.diff(np.where(taken, by_default, 9), axis=1) > -1e-6).all()
    assert np.isinf(by_default[~taken]).all()
    weights = {"sound": 0.1, "genre": 0.9, "tempo": 0.0}
    other = ASPECTS.weighted(vectors[rows], weights)
    found = table.distances(list(weights.values()))
    for row in range(60):
        near = table.rows[row][taken[row]]
        np.testing.assert_allclose(found[row][taken[row]], 1 - other[near] @ other[row], atol=1e-5)


@settings(max_examples=40)
@given(SEEDS, st.integers(60, 120), st.integers(0, 12), st.integers(0, 12), st.integers(0, 3))
def test_a_table_that_grew_is_that_of_a_build_from_nothing(seed, kept, gone, new, renamed):
    """Tracks come, go, move to other rows and change their artist."""
    vectors, rows = catalogue(kept + gone + new, seed % 1000)
    before = table_of(vectors, rows[: kept + gone])
    after = np.random.default_rng(seed).permutation(np.r_[rows[:kept], rows[kept + gone :]])
    changed = set(after[:renamed])
    grown = table_of(vectors, after, before, changed)
    expected = table_of(vectors, after, None, changed)
    for row in range(len(after)):
        assert set(grown.rows[row]) == set(expected.rows[row])
    np.testing.assert_allclose(grown.cosines, expected.cosines, atol=1e-5)
    np.testing.assert_array_equal(grown.keys, expected.keys)


def test_a_new_track_is_compared_with_others_and_no_others_with_each_other(monkeypatch):
    vectors, rows = catalogue(200, 3)
    before = table_of(vectors, rows[:199])
    compared = []
    between = neighbour_table._Cosines.between

    def counted(self, some, others):
        compared.extend(some)
        return between(self, some, others)

    monkeypatch.setattr(neighbour_table._Cosines, "between", counted)
    table_of(vectors, rows, before)
    assert compared == [199]
    lists = [row for row in range(199) if 17 in before.rows[row]]
    compared.clear()
    table_of(vectors, np.delete(rows, 17), table_of(vectors, rows[:199]))
    assert len(lists) < 190
    assert len(compared) == 199 + len(lists) + 1, "the table itself, lists with a gap, a new track"


def test_a_table_is_read_back_and_another_file_is_none(tmp_path):
    vectors, rows = catalogue(60, 4)
    table = table_of(vectors, rows)
    table.save(tmp_path)
    loaded = NeighbourTable.load(tmp_path)
    for name, array in vars(table).items():
        np.testing.assert_array_equal(getattr(loaded, name), array)
    assert NeighbourTable.load(tmp_path / "none") is None
    (tmp_path / "neighbours.safetensors").write_bytes(b"no table")
    assert NeighbourTable.load(tmp_path) is None
