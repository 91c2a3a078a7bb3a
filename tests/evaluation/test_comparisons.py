"""Files of other systems: read, or refused with the reason."""

import itertools

import numpy as np
import pytest
import samples

from simlib.core import SimlibError, cosine
from simlib.evaluation import (
    load_comparison,
)

TABLE = samples.tracks(4).assign(track_id=["a/x", "a/y", "b/z", "w"])


def other(tmp_path, **arrays):
    np.savez(tmp_path / "other.npz", **arrays)
    return tmp_path / "other.npz"


def test_another_systems_vectors_are_compared_by_cosine(tmp_path):
    emb = np.random.default_rng(0).standard_normal((6, 3))
    ids = np.array(["w", "more", "a/y", "a/x", "b/z", "again"])
    found = load_comparison(other(tmp_path, ids=ids, emb=emb), TABLE)[np.arange(4)]
    np.testing.assert_allclose(found, cosine(emb[[3, 2, 4, 0]]))


def test_another_systems_similarities_come_before_its_vectors(tmp_path):
    sim = np.random.default_rng(0).random((4, 4)).astype(np.float32)
    ids = np.array(["w", "a/y", "a/x", "b/z"])
    found = load_comparison(other(tmp_path, ids=ids, sim=sim, emb=np.eye(4)), TABLE)
    order = [2, 1, 3, 0]
    for i, j in itertools.product(range(4), repeat=2):
        assert found[i, j] == pytest.approx(sim[order[i], order[j]])
    assert found.dtype == np.float64


def test_another_system_may_name_tracks_by_their_file_names(tmp_path):
    found = load_comparison(other(tmp_path, ids=["x", "y", "z", "w"], emb=np.eye(4)), TABLE)
    found = found[np.arange(4)]
    np.testing.assert_allclose(found, np.eye(4))


@pytest.mark.parametrize(
    ("arrays", "cause"),
    [
        ({"emb": np.eye(4)}, "lacks 'ids'"),
        ({"ids": ["a/x", "a/y", "b/z", "w"]}, "lacks 'ids', or both"),
        ({"ids": ["a/x", "w"], "emb": np.eye(2)}, "lacks 2 of 4 test tracks, 'a/y' for one"),
        ({"ids": np.array(["a/x"] * 4, dtype=object), "emb": np.eye(4)}, "cannot be read"),
        ({"ids": ["a/x", "a/y", "b/z", "w"], "emb": np.full((4, 4), np.nan)}, "not numbers"),
        ({"ids": ["a/x", "a/y", "b/z", "w"], "sim": np.full((4, 4), np.inf)}, "not numbers"),
        ({"ids": ["a/x", "a/y", "b/z", "w"], "emb": np.eye(3)}, "shape"),
        ({"ids": ["a/x", "a/y", "b/z", "w"], "emb": np.ones(4)}, "shape"),
        ({"ids": ["a/x", "a/y", "b/z", "w"], "sim": np.ones((4, 3))}, "shape"),
        ({"ids": ["a/x", "a/y", "b/z", "w"], "sim": np.ones((5, 5))}, "shape"),
        ({"ids": ["a/x", "a/y", "b/z", "w"], "emb": np.full((4, 2), "?")}, "not numbers"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_the_reason(tmp_path, arrays, cause):
    with pytest.raises(SimlibError, match=cause) as error:
        load_comparison(other(tmp_path, **arrays), TABLE)
    assert "comparisons/" in error.value.hint
    assert "other.npz" in error.value.subject


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04 and so on", "half", "npy"])
def test_a_file_that_is_no_archive_is_refused(tmp_path, content):
    path = other(tmp_path, ids=["a/x"], emb=np.eye(1))
    if content == "half":
        content = path.read_bytes()[: path.stat().st_size // 2]
    if content == "npy":
        path = tmp_path / "other.npy"
        np.save(path, np.eye(4))
    else:
        path.write_bytes(content)
    with pytest.raises(SimlibError, match="cannot be read"):
        load_comparison(path, TABLE)
    with pytest.raises(SimlibError, match="cannot be read"):
        load_comparison(tmp_path / "absent.npz", TABLE)
