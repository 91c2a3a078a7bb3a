import json
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st
from samples import index_of, naive_penalties, naive_similarities, unit

from simlib.core import SimlibError
from simlib.index import Index, build_index
from simlib.model import Embedder, pool_segments

HOP = samples.index_settings()


@given(st.integers(1, 30), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_search_ranks_by_cosine_with_hub_penalties(count, k, seed):
    vectors = unit(count, seed)
    query = unit(1, seed + 1)
    rows, similarities = index_of(vectors).search(query[0], k)
    assert len(rows) == min(k, count), "a longer list than there are tracks is cut"
    expected = 1 - (1 - vectors @ query[0]) * naive_penalties(vectors, range(count))
    np.testing.assert_allclose(similarities, np.sort(expected)[::-1][:k], atol=1e-5)
    np.testing.assert_allclose(expected[rows], similarities, atol=1e-5)


@given(st.integers(2, 30), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_a_track_of_the_catalogue_is_left_out_of_its_own_list(count, k, seed):
    vectors = unit(count, seed)
    row = seed % count
    rows, similarities = index_of(vectors).search(vectors[row], k, row)
    assert len(rows) == min(k, count - 1)
    assert row not in rows
    expected = np.array(naive_similarities(vectors, range(count))[row])[rows]
    np.testing.assert_allclose(similarities, expected, atol=1e-5)
    assert (np.diff(similarities) <= 1e-9).all()


def test_only_the_nearest_are_ranked_again_in_a_large_catalogue():
    vectors = unit(200, 3)
    rows, _ = index_of(vectors, candidates=20).search(vectors[7], 2, 7)
    nearest = np.argsort(-(vectors @ vectors[7]))[:20]
    assert set(rows) <= set(nearest)


def test_every_recording_is_embedded_by_the_mean_of_its_segments(built):
    index = built.index
    assert index.tracks["track_id"].tolist() == [f"s{i:02d}" for i in range(12)]
    assert index.origin.model_digest == built.model.digest
    for row, key in enumerate(index.tracks["log_mel"]):
        embedded, starts = built.model.segments(built.store.log_mel(key), 0.25)
        described = index.vectors()[row][8:]
        np.testing.assert_allclose(
            index.vectors()[row][:8] / np.sqrt(0.6 * 0.52), pool_segments(embedded), atol=1e-6
        )
        assert np.linalg.norm(described) == pytest.approx(np.sqrt(1 - 0.6 * 0.52), abs=1e-6)
        own = index.segments["track"] == row
        np.testing.assert_array_equal(index.segments["start"][own], starts)
        segments = np.asarray(index.by_segment.reconstruct_n(0, index.by_segment.ntotal))
        np.testing.assert_allclose(segments[own.to_numpy()], embedded, atol=1e-6)
    assert index.by_segment.ntotal == len(index.segments)


def test_a_recording_is_its_own_nearest_neighbour(built):
    for row, vector in enumerate(built.index.vectors()):
        rows, similarities = built.index.search(vector, 1)
        assert rows[0] == row
        assert similarities[0] == pytest.approx(1, abs=1e-5)


def test_vectors_are_arrays_also_beside_pytorch_metric_learning(built):
    """It makes FAISS answer in tensors, wherever a notebook loads it."""
    import_module("pytorch_metric_learning.utils.inference")
    assert type(built.index.vectors()) is np.ndarray
    assert built.index.vectors().dtype == np.float32
    assert all(type(found) is np.ndarray for found in built.index.search(unit(1, 0, 24)[0], 3))


@given(st.integers(2, 30), st.integers(0, 2**32 - 1))
def test_hubs_are_penalised_under_any_weights(count, seed):
    index = index_of(unit(count, seed))
    weights = index.aspects.weights({"tempo": seed % 7, "sound": 1.0})
    weighed = index.aspects.weighted(index.vectors(), weights)
    row = seed % count
    rows, similarities = index.search(index.vectors()[row], count, row, weights)
    expected = np.array(naive_similarities(weighed, range(count))[row])[rows]
    np.testing.assert_allclose(similarities, expected, atol=1e-5)
    assert (np.diff(similarities) <= 1e-9).all()
    again = index.similarities(index.vectors()[row], rows, weights)
    np.testing.assert_allclose(again, similarities, atol=1e-6)


def test_weights_of_the_settings_are_those_of_every_search(built, tmp_path):
    settings = samples.index_settings(weights={"tempo": 1.0, "sound": 0.0, "genre": 0})
    build_index(built.model, built.store, settings).save(tmp_path)
    index = Index.load(tmp_path, built.model.digest)
    assert index.weights == {"sound": 0, "genre": 0, "tempo": 1}
    np.testing.assert_allclose(index.vectors(), built.index.vectors(), atol=1e-6)
    vector = built.index.vectors()[3]
    weighted = built.index.search(vector, 5, 3, index.weights)
    np.testing.assert_array_equal(index.search(vector, 5, 3)[0], weighted[0])
    # The parts that count, in a length of one.
    assert index.weighted()[:, :20].any() == False  # noqa: E712
    np.testing.assert_allclose(np.linalg.norm(index.weighted(), axis=1), 1, atol=1e-6)
    # None keeps a default, also of an aspect that this model lacks.
    none = samples.index_settings(weights={"tempo": None, "mood": None})
    assert build_index(built.model, built.store, none).weights == built.index.weights
    wrong = samples.index_settings(weights={"gnere": 1.0})
    with pytest.raises(
        SimlibError, match="'gnere': names no aspect; there are sound, genre, tempo"
    ):
        build_index(built.model, built.store, wrong)


def test_a_smaller_hop_makes_more_segments(built):
    few = build_index(built.model, built.store, samples.index_settings(hop_seconds=1.0))
    assert few.by_segment.ntotal < built.index.by_segment.ntotal / 2
    assert few.by_track.ntotal == 12


def test_an_index_comes_back_as_it_was_saved(built, tmp_path):
    built.index.save(tmp_path / "index")
    loaded = Index.load(tmp_path / "index", built.model.digest)
    np.testing.assert_array_equal(loaded.vectors(), built.index.vectors())
    pd.testing.assert_frame_equal(loaded.tracks, built.index.tracks)
    pd.testing.assert_frame_equal(loaded.segments, built.index.segments, check_dtype=False)
    assert loaded.by_segment.ntotal == built.index.by_segment.ntotal
    assert loaded.hop_seconds == 0.25


def test_an_index_keeps_the_settings_that_it_was_made_with(built, tmp_path):
    changes = {
        "candidates": 7,
        "hubs": {"share": 1.4},
        "fingerprints": {"near_duplicate_share": 0.9},
    }
    settings = samples.index_settings(**changes)
    build_index(built.model, built.store, settings).save(tmp_path)
    loaded = Index.load(tmp_path, built.model.digest)
    assert loaded.settings == settings
    assert loaded.fingerprints.settings == settings.fingerprints
    rows = np.arange(12)
    expected = naive_penalties(loaded.weighted(), loaded.artists, share=1.4)
    np.testing.assert_allclose(loaded.hub_penalties(rows), expected, atol=1e-5)
    assert not np.allclose(built.index.hub_penalties(rows), expected, atol=1e-5)


@pytest.mark.parametrize("change", ["no settings", "no key", "another key", "no aspects"])
def test_an_index_of_another_version_is_refused_with_the_command(built, tmp_path, change):
    """An index that was made before its settings were stored, for one."""
    built.index.save(tmp_path)
    made_with = json.loads((tmp_path / "made_with.json").read_text())
    if change == "no settings":
        made_with |= {"hop_seconds": 0.25, "weights": made_with["default"]}
        del made_with["settings"]
    elif change == "no key":
        del made_with["settings"]["hubs"]
    elif change == "another key":
        made_with["settings"]["fingerprints"]["same"] = 0.6
    else:
        del made_with["sizes"]
    (tmp_path / "made_with.json").write_text(json.dumps(made_with))
    with pytest.raises(SimlibError, match="cannot be read.*run 'dvc repro index'") as refused:
        Index.load(tmp_path, built.model.digest)
    assert ("another version of simlib made it" in str(refused.value)) == (change != "no aspects")


def test_building_and_saving_twice_gives_the_same_bytes(built, tmp_path):
    for name in ("one", "two"):
        build_index(built.model, built.store, HOP).save(tmp_path / name)
    one, two = (
        {p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in ("one", "two")
    )
    assert len(one) == 9
    assert one == two


def test_an_index_of_other_weights_is_refused_with_the_command(built, tmp_path):
    built.index.save(tmp_path / "index")
    with pytest.raises(SimlibError, match="made with other weights.*run 'dvc repro index'"):
        Index.load(tmp_path / "index", "another digest")


def test_no_index_names_the_command(tmp_path):
    with pytest.raises(SimlibError, match="is not there; run 'dvc repro index'"):
        Index.load(tmp_path / "index", "digest")


@pytest.mark.parametrize(
    "name", ["tracks.faiss", "segments.faiss", "tracks.parquet", "segments.parquet"]
)
@pytest.mark.parametrize("damage", ["absent", "garbage", "half"])
def test_a_damaged_index_is_refused_with_the_command(built, tmp_path, name, damage):
    built.index.save(tmp_path / "index")
    path = tmp_path / "index" / name
    content = path.read_bytes()
    path.unlink()
    if damage != "absent":
        path.write_bytes(b"garbage" * 20 if damage == "garbage" else content[: len(content) // 2])
    with pytest.raises(SimlibError, match="cannot be read.*run 'dvc repro index'"):
        Index.load(tmp_path / "index", built.model.digest)


def test_features_of_another_front_end_are_not_embedded(built):
    other = samples.front_end(f_max=3900.0)
    model = Embedder.untrained(other, 0.5, built.model.architecture, 0)
    with pytest.raises(SimlibError, match="other settings than the encoder.*dvc repro train"):
        build_index(model, built.store, HOP)
