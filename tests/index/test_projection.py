import numpy as np
import pytest
import samples

from simlib.core import SimlibError
from simlib.index import load_projection, project_to_plane, save_projection

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


def test_a_map_comes_back_as_it_was_saved(tmp_path):
    points = np.arange(6, dtype=np.float32).reshape(3, 2)
    save_projection(points, tmp_path)
    np.testing.assert_array_equal(load_projection(tmp_path), points)
    (tmp_path / "plane.npy").write_bytes(b"broken")
    with pytest.raises(SimlibError, match="run 'dvc repro index'"):
        load_projection(tmp_path)
