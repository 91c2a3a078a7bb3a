import numpy as np
import pytest
import samples
from samples import index_of, unit

from simlib.core import SimlibError, stable_sample
from simlib.index import load_projection, map_catalogue, project_to_plane, save_projection

MAP = samples.index_settings().map


@pytest.mark.parametrize("count", [1, 2, 4, 5, 40])
def test_the_plane_keeps_what_is_near_together(count):
    rng = np.random.default_rng(0)
    splits = np.arange(count) % 2
    vectors = (10 * splits[:, None] + rng.normal(size=(count, 6))).astype(np.float32)
    points = project_to_plane(vectors, MAP)
    assert points.shape == (count, 2)
    assert np.isfinite(points).all()
    np.testing.assert_array_equal(points, project_to_plane(vectors, MAP))
    if count == 40:
        distances = np.linalg.norm(points[:, None] - points[None], axis=2)
        np.fill_diagonal(distances, np.inf)
        assert (splits[distances.argmin(axis=1)] == splits).mean() > 0.9


def keep(index, folder):
    points = map_catalogue(index, folder)
    save_projection(points, index.neighbours.keys, folder)
    return points


def some(rows, vectors, **changes):
    """An index of some recordings, each of which is the same in every index."""
    table = samples.tracks(len(vectors)).iloc[rows]
    return index_of(vectors[rows], table, map=MAP.as_dict() | changes)


def test_new_tracks_are_placed_among_their_neighbours_and_nothing_moves(tmp_path):
    vectors = unit(80, 0)
    # Two recordings of the same sound, by other artists, far from everything else.
    vectors[70] = vectors[5]
    before = keep(some(np.arange(70), vectors), tmp_path)
    order = np.random.default_rng(0).permutation(80)
    grown = some(order, vectors)
    points = map_catalogue(grown, tmp_path)
    for row in range(70):
        np.testing.assert_array_equal(points[np.flatnonzero(order == row)[0]], before[row])
    new = int(np.flatnonzero(order == 70)[0])
    near = [order[row] for row in grown.neighbours.rows[new] if order[row] < 70][:5]
    assert near[0] == 5
    np.testing.assert_allclose(points[new], np.median(before[near], axis=0), atol=1e-5)
    assert np.isfinite(points).all()


def test_removed_tracks_are_no_reason_to_move(tmp_path):
    vectors = unit(80, 1)
    before = keep(some(np.arange(80), vectors), tmp_path)
    points = map_catalogue(some(np.arange(5, 80), vectors), tmp_path)
    np.testing.assert_array_equal(points, before[5:])


def test_a_catalogue_that_has_more_than_doubled_is_laid_out_anew(tmp_path):
    vectors = unit(80, 2)
    keep(some(np.arange(30), vectors), tmp_path)
    anew = map_catalogue(some(np.arange(80), vectors), tmp_path)
    np.testing.assert_array_equal(anew, map_catalogue(some(np.arange(80), vectors), tmp_path / "0"))


def test_a_large_catalogue_is_laid_out_of_a_sample(tmp_path):
    vectors = unit(80, 3)
    index = some(np.arange(80), vectors, sample=30)
    points = map_catalogue(index, tmp_path)
    rows = stable_sample(index.tracks["track_id"], 30)
    np.testing.assert_array_equal(points[rows], project_to_plane(vectors[rows], MAP))
    assert np.isfinite(points).all()


def test_tracks_of_one_artist_are_placed_by_the_nearest(tmp_path):
    """No neighbour is by another artist, so the table of neighbours is empty."""
    vectors = unit(40, 4)
    table = samples.tracks(40).assign(artist="one and the same")
    keep(index_of(vectors[:30], table[:30]), tmp_path)
    points = map_catalogue(index_of(vectors, table), tmp_path)
    nearest = (vectors[30:] @ vectors[:30].T).argmax(axis=1)
    np.testing.assert_array_equal(points[30:], points[nearest])


def test_a_map_comes_back_as_it_was_saved(tmp_path):
    points = np.arange(6, dtype=np.float32).reshape(3, 2)
    save_projection(points, np.zeros((3, 16), dtype=np.uint8), tmp_path)
    np.testing.assert_array_equal(load_projection(tmp_path), points)
    (tmp_path / "map.safetensors").write_bytes(b"broken")
    with pytest.raises(SimlibError, match="run 'dvc repro index'"):
        load_projection(tmp_path)
