import json
import pickle

import numpy as np
import pytest
import samples
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from simlib.core import SimlibError, digest_of_file
from simlib.features import RecordingFeatures
from simlib.model import (
    TEMPO,
    Embedder,
    Encoder,
    cut_segment,
    pool_segments,
    segment_frames,
    segment_starts,
)

FRONT_END = samples.front_end()
SIZES = {"n_mels": 32, "channels": [4, 8], "embedding": 8, "dropout": 0.5}
ARCHITECTURE = samples.ARCHITECTURE | {"encoder": SIZES}


def model_of(seed=0, **changes):
    return Embedder.untrained(FRONT_END, 0.5, ARCHITECTURE | changes, seed)


@pytest.fixture(scope="module")
def model():
    return model_of()


def log_mel(frames, seed=0):
    return samples.log_mel_of("low", frames, seed)


# --- backbones -------------------------------------------------------------------------------


def recording(frames=60, **backbones):
    return RecordingFeatures(log_mel(frames), np.ones((2, 102), dtype=np.float32), backbones)


def test_the_sound_holds_the_reduced_activations_and_their_share():
    model = model_of(backbones=["musicnn"])
    made = np.random.default_rng(0).normal(size=(30, 584)).astype(np.float32)
    model.reduction.fit(made)
    patches = np.stack([np.pad(row, (0, 50)) for row in made[:3]]).astype(np.float16)
    vector, _, _ = model.track(recording(musicnn=patches), 0.5)
    size = model.architecture["reduced"]
    assert vector.shape == (8 + 8 + size,)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    # The shares of the sound are 0.6, 0.4 and 1.
    assert np.linalg.norm(vector[-size:]) == pytest.approx(np.sqrt(0.5), abs=1e-5)
    expected = model.reduce(patches[:, :584].mean(axis=0, dtype=np.float32)[None])[0]
    expected *= np.sqrt(0.5) / np.linalg.norm(expected)
    np.testing.assert_allclose(vector[-size:], expected, atol=1e-5)


def test_the_tags_of_a_backbone_are_no_input():
    model = model_of(backbones=["musicnn"])
    model.subspaces = {"genre": model.new_subspace("genre")}
    patches = np.random.default_rng(0).normal(size=(3, 634)).astype(np.float16)
    other = patches.copy()
    other[:, 584:] = 0.5
    one, two = (model.track(recording(musicnn=p), 0.5)[0] for p in (patches, other))
    np.testing.assert_array_equal(one, two)


def test_features_without_the_activations_of_a_backbone_name_the_command():
    with pytest.raises(SimlibError, match="without the backbone 'vgg'") as error:
        model_of(backbones=["vgg"]).track(recording(musicnn=np.zeros((1, 634))), 0.5)
    assert "dvc repro extract" in error.value.hint


# --- shares ----------------------------------------------------------------------------------


def test_the_shares_are_those_of_the_architecture():
    sound = samples.SHARES["sound"] | {"descriptor": 0.0}
    shares = samples.SHARES | {"tag_columns": 0.6, "tempo": 0.1, "sound": sound}
    model = model_of(shares=shares)
    model.subspaces = {name: model.new_subspace(name) for name in ("genre", "mood", TEMPO)}
    assert model.aspects.default == pytest.approx(
        {"sound": 0.3, "genre": 0.3, "mood": 0.3, "tempo": 0.1}
    )
    described = model.aspects.spans["sound"].stop - ARCHITECTURE["descriptor_branch"]["embedding"]
    features = RecordingFeatures(log_mel(60), np.ones((2, 102), dtype=np.float32))
    vector, _, _ = model.track(features, 0.5)
    assert not vector[described : model.aspects.spans["sound"].stop].any()


def test_tag_columns_divide_their_share_by_their_weights():
    columns = {"default": 1.0, "genre": 2.0}
    model = model_of(shares=samples.SHARES | {"tag_columns": 0.6, "tempo": 0.1, "columns": columns})
    model.subspaces = {name: model.new_subspace(name) for name in ("genre", "mood", TEMPO)}
    assert model.aspects.default == pytest.approx(
        {"sound": 0.3, "genre": 0.4, "mood": 0.2, "tempo": 0.1}
    )


@pytest.mark.parametrize(
    "shares",
    [
        {"tempo": 0.0},
        {"tag_columns": 0.97},
        {"sound": samples.SHARES["sound"] | {"encoder": 0.0}},
        {"columns": {"genre": 1.0}},
    ],
)
def test_shares_that_leave_an_aspect_nothing_are_refused(shares):
    with pytest.raises(SimlibError, match="shares"):
        samples.train_settings(shares=samples.SHARES | shares)


# --- segments --------------------------------------------------------------------------------


@given(st.integers(1, 400), st.integers(1, 60), st.integers(1, 80))
def test_segments_start_at_every_hop_and_reach_both_ends(available, frames, hop):
    starts = segment_starts(available, frames, hop)
    last = max(0, available - frames)
    assert starts[0] == 0
    assert starts[-1] == last
    assert starts == sorted(set(starts))
    assert all(start % hop == 0 for start in starts[:-1])
    assert all(b - a <= hop for a, b in zip(starts, starts[1:], strict=False))
    if hop <= frames and available >= frames:
        covered = {i for start in starts for i in range(start, start + frames)}
        assert covered == set(range(available)), "a frame that no segment holds, or none such"


def test_segments_of_a_recording_worked_out_by_hand():
    assert segment_starts(100, 20, 30) == [0, 30, 60, 80]
    assert segment_starts(80, 20, 30) == [0, 30, 60]
    assert segment_starts(20, 20, 7) == segment_starts(5, 20, 7) == [0]
    assert segment_frames(0.5, FRONT_END) == round(0.5 * 8000 / 256) == 16


def test_a_short_recording_is_repeated_to_a_segments_length():
    short = log_mel(7)
    found = cut_segment(short, 0, 16)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.concatenate([short, short, short[:2]]))
    np.testing.assert_array_equal(cut_segment(log_mel(40), 10, 16), log_mel(40)[10:26])


def test_pooling_is_the_mean_direction():
    vectors = np.random.default_rng(0).standard_normal((5, 8)).astype(np.float32)
    mean = sum(vectors) / 5
    np.testing.assert_allclose(pool_segments(vectors), mean / np.sqrt(sum(mean**2)), rtol=1e-5)
    opposite = np.array([[1.0, 0.0], [-1.0, 0.0]])
    assert np.isfinite(pool_segments(opposite)).all()


# --- the encoder -----------------------------------------------------------------------------


@pytest.mark.parametrize("frames", [1, 3, 16, 17, 50, 200])
def test_embeddings_have_unit_length_however_long_the_recording(model, frames):
    embedded, starts = model.segments(log_mel(frames), 0.25)
    assert embedded.dtype == starts.dtype == np.float32
    assert embedded.shape == (len(starts), 8)
    np.testing.assert_allclose(np.linalg.norm(embedded, axis=1), 1, atol=1e-5)
    expected = segment_starts(frames, 16, 8)
    np.testing.assert_allclose(starts, np.array(expected) * 256 / 8000, rtol=1e-6)


def test_each_segment_is_embedded_by_itself(model):
    """In the batch of a long recording as alone, and without dropout."""
    recording = log_mel(16 * 150)
    embedded, starts = model.segments(recording, 0.512)
    assert len(starts) == 150
    for row in (0, 63, 64, 149):
        alone, _ = model.segments(recording[16 * row : 16 * row + 16], 1.0)
        np.testing.assert_allclose(alone[0], embedded[row], atol=1e-5)


def test_loudness_does_not_count(model):
    recording = log_mel(64).astype(np.float32)
    quiet, _ = model.segments(recording - 20, 0.5)
    loud, _ = model.segments(recording + 12.5, 0.5)
    np.testing.assert_allclose(quiet, loud, atol=1e-4)
    tilted, _ = model.segments(recording + np.linspace(-6, 6, 32, dtype=np.float32), 0.5)
    assert np.abs(tilted - loud).max() > 1e-3, "the spectrum does"


def test_every_band_and_frame_counts(model):
    recording = log_mel(16).astype(np.float32)
    reference = model.segments(recording, 0.5)[0]
    for row, band in [(0, 5), (15, 5), (8, 0), (8, 31)]:
        changed = recording.copy()
        changed[row, band] += 40
        assert np.abs(model.segments(changed, 0.5)[0] - reference).max() > 1e-6


@pytest.mark.parametrize("n_mels", [8, 31, 32, 33, 96])
@pytest.mark.parametrize("channels", [[4], [4, 8], [2, 3, 4, 5, 6]])
def test_any_number_of_bands_and_blocks_fits(n_mels, channels):
    encoder = Encoder(n_mels, channels, 6, 0.0)
    for frames in (1, 15, 64):
        embedded = encoder(torch.randn(2, frames, n_mels))
        assert embedded.shape == (2, 6)


def test_random_weights_follow_from_the_seed():
    first, again, other = (model_of(seed).segments(log_mel(32), 0.5)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3


# --- files of weights ------------------------------------------------------------------------


def saved(model, path, **provenance):
    model.save(path, **provenance)
    return path


def test_a_saved_model_embeds_to_the_same_bit(tmp_path):
    model = model_of(3)
    with torch.no_grad():  # as after training: statistics that are not the initial ones
        model.encoder.train()(torch.randn(8, 16, 32) * 20 - 40)
    path = saved(model, tmp_path / "encoder.safetensors", train={"seed": 3}, note="ü")
    loaded = Embedder.load(path)
    np.testing.assert_array_equal(
        loaded.segments(log_mel(50), 0.25)[0], model.segments(log_mel(50), 0.25)[0]
    )
    assert loaded.front_end == FRONT_END
    assert loaded.segment_seconds == 0.5
    assert loaded.architecture == ARCHITECTURE
    assert loaded.provenance == {"train": {"seed": 3}, "note": "ü"}
    assert loaded.digest == digest_of_file(path)
    assert model.digest == ""


def test_the_same_weights_are_the_same_bytes(tmp_path):
    paths = [
        saved(model_of(3), tmp_path / name, b={"y": 1, "x": 2}, a=[1]) for name in ("one", "two")
    ]
    paths.append(saved(Embedder.load(paths[0]), tmp_path / "three", a=[1], b={"x": 2, "y": 1}))
    assert len({path.read_bytes() for path in paths}) == 1
    other = saved(model_of(4), tmp_path / "other", b={"y": 1, "x": 2}, a=[1])
    assert other.read_bytes() != paths[0].read_bytes()


@pytest.mark.parametrize("content", [b"", b"garbage" * 100, b"\xff" * 64, b"{}"])
def test_what_is_no_file_of_weights_is_refused(tmp_path, content):
    path = tmp_path / "encoder.safetensors"
    path.write_bytes(content)
    with pytest.raises(SimlibError, match="no encoder of this version.*run 'make repro'"):
        Embedder.load(path)


def test_weights_that_are_not_there_name_the_command(tmp_path):
    with pytest.raises(SimlibError, match="is not there; run 'make repro'"):
        Embedder.load(tmp_path / "encoder.safetensors")
    with pytest.raises(SimlibError):
        Embedder.load(tmp_path)


@pytest.mark.parametrize("kind", ["pickle", "torch"])
def test_nothing_is_unpickled(tmp_path, kind):
    class Trap:
        def __reduce__(self):
            return (tmp_path.joinpath("sprung").touch, ())

    path = tmp_path / "encoder.safetensors"
    if kind == "pickle":
        path.write_bytes(pickle.dumps(Trap()))
    else:
        torch.save({"trap": Trap()}, path)
    with pytest.raises(SimlibError):
        Embedder.load(path)
    assert not (tmp_path / "sprung").exists()


def rewritten(path, change, weights=None):
    """Save the file once more with changed metadata or weights."""
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        metadata = json.loads(file.metadata()["simlib"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    change(metadata)
    if weights:
        weights(tensors)
    save_file(tensors, path, {"simlib": json.dumps(metadata)})


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.pop("front_end"),
        lambda m: m["front_end"].pop("n_mels"),
        lambda m: m["front_end"].update(extra=1),
        lambda m: m.pop("architecture"),
        lambda m: m["architecture"]["encoder"].update(embedding=9),
        lambda m: m["architecture"]["encoder"].update(channels=[4, 8, 16]),
        lambda m: m["architecture"]["encoder"].update(depth=2),
        lambda m: m.pop("segment_seconds"),
        lambda m: m.pop("provenance"),
    ],
)
def test_weights_of_another_version_are_refused(tmp_path, change):
    path = saved(model_of(), tmp_path / "encoder.safetensors")
    rewritten(path, change)
    with pytest.raises(SimlibError, match="no encoder of this version") as error:
        Embedder.load(path)
    assert error.value.subject == str(path), "the file is at fault, not params.yaml"


def test_weights_with_the_keys_of_former_versions_name_the_command(tmp_path):
    former = {"descriptor_branch": "describer", "tag_subspaces": "parts", "tempo_subspace": "tempo"}

    def renamed(metadata):
        built = metadata["architecture"]
        metadata["architecture"] = {former.get(key, key): value for key, value in built.items()}
        metadata["parts"] = metadata.pop("subspaces")

    path = saved(model_of(), tmp_path / "encoder.safetensors")
    rewritten(path, renamed)
    with pytest.raises(SimlibError, match="no encoder of this version.*; run 'make repro'"):
        Embedder.load(path)


@pytest.mark.parametrize(
    "weights",
    [
        lambda t: t.pop("encoder.project.bias"),
        lambda t: t.update({"encoder.project.more": torch.zeros(1)}),
        lambda t: t.pop("encoder.blocks.1.running_mean"),
    ],
)
def test_weights_that_do_not_fit_are_refused(tmp_path, weights):
    path = saved(model_of(), tmp_path / "encoder.safetensors")
    rewritten(path, lambda metadata: None, weights)
    with pytest.raises(SimlibError, match="weights do not fit"):
        Embedder.load(path)


def test_weights_of_another_program_are_refused(tmp_path):
    path = tmp_path / "encoder.safetensors"
    save_file({"w": torch.zeros(2)}, path)
    with pytest.raises(SimlibError, match="no encoder of this version"):
        Embedder.load(path)
