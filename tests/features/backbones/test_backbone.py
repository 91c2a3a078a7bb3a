"""Backbones: from blocks of samples to activations, and what is shipped."""

import tracemalloc

import librosa
import numpy as np
import pytest
import samples
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from simlib.core import SimlibError, cosine, digest_of_file
from simlib.features import power_frames
from simlib.features.audio import mono_blocks
from simlib.features.backbones import SHIPPED, Backbone, Card, load_backbone, load_card
from simlib.features.backbones.backbone import DTYPES
from simlib.features.backbones.cards import WEIGHTS
from simlib.features.spectrogram import feed

RATE, HOP, FRAMES = 16000, 256, 187


class Mean(torch.nn.Module):
    """A network that is quick: each band's mean over the frames, and its first frame."""

    def forward(self, patch):
        return {"mean": patch.mean(dim=0), "first": patch[0]}


def quick_backbone(network=None):
    layers = {"mean": 96, "first": 96}
    card = load_card("vgg").model_copy(update={"layers": layers})
    return Backbone(card, network or Mean(), "float32", "digest")


def activations(sound, backbone, sizes=None):
    feature = backbone.feature()
    blocks = samples.in_blocks(sound, sizes) if sizes else [sound]
    feed(((block, RATE) for block in blocks), feature)
    return feature.array()


def log_mel(sound):
    """Return librosa's spectrogram, as the networks were trained with it."""
    mel = librosa.feature.melspectrogram(
        y=sound, sr=RATE, n_fft=512, hop_length=HOP, n_mels=96, pad_mode="constant"
    )
    return np.log10(10000 * mel.T + 1)


def song(seconds):
    return samples.melody(seconds, 3, RATE)


def test_patches_are_librosas_spectrogram_and_the_last_ends_with_the_recording():
    sound = song(8.0)
    whole = log_mel(sound)
    assert len(whole) == 501
    found = activations(sound, quick_backbone())
    assert found.shape == (3, 192)
    assert found.dtype == np.float16
    for row, start in zip(found, (0, FRAMES, 501 - FRAMES), strict=True):
        patch = whole[start : start + FRAMES]
        expected = np.concatenate([patch.mean(axis=0), patch[0]])
        np.testing.assert_allclose(row, expected, atol=2e-3)


def test_no_patch_follows_the_last_whole_one():
    # 2 * 187 frames: a frame begins at each step, the last one in the padding.
    sound = song(8.0)[: (2 * FRAMES - 1) * HOP]
    assert len(log_mel(sound)) == 2 * FRAMES
    assert len(activations(sound, quick_backbone())) == 2
    assert len(activations(sound[: FRAMES * HOP - HOP], quick_backbone())) == 1


def test_what_is_short_is_repeated():
    sound = song(1.0)
    whole = log_mel(sound)
    assert len(whole) == 63
    repeated = np.concatenate([whole] * 3)[:FRAMES]
    [row] = activations(sound, quick_backbone())
    np.testing.assert_allclose(row[:96], repeated.mean(axis=0), atol=2e-3)


@given(st.lists(st.integers(1, 40_000), min_size=1, max_size=6), st.integers(8_000, 110_000))
def test_patches_are_the_same_whatever_the_blocks(sizes, count):
    sound = song(7.0)[:count]
    backbone = quick_backbone()
    whole, parts = activations(sound, backbone), activations(sound, backbone, sizes)
    np.testing.assert_array_equal(parts, whole)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SHIPPED)
@hypothesis_settings(max_examples=5)
@given(sizes=st.lists(st.integers(300, 50_000), min_size=1, max_size=4))
def test_activations_are_the_same_whatever_the_blocks(name, dtype, sizes):
    sound = song(6.5)
    backbone = load_backbone(name, dtype)
    whole, parts = activations(sound, backbone), activations(sound, backbone, sizes)
    assert whole.shape == (3, backbone.size)
    np.testing.assert_array_equal(parts, whole)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_second_of_sound_and_loud_sound_give_finite_activations(name):
    backbone = load_backbone(name)
    loudest = 1e6 * song(4.0)
    for sound, count in ((song(1.0), 1), (loudest, 2), (np.zeros(RATE, np.float32), 1)):
        found = activations(sound, backbone)
        assert found.shape == (count, backbone.size)
        assert np.isfinite(found).all()


def test_activations_beyond_half_precision_are_clipped():
    class Huge(torch.nn.Module):
        def forward(self, patch):
            return {"mean": torch.full((96,), 1e6), "first": torch.full((96,), -1e6)}

    [row] = activations(song(1.0), quick_backbone(Huge()))
    assert (row[:96] == 65504).all()
    assert (row[96:] == -65504).all()


def test_three_hours_are_a_stream():
    """Memory holds a few blocks and the activations, whatever the length."""
    rng = np.random.default_rng(0)
    minute = rng.standard_normal(60 * RATE).astype(np.float32)
    feature = quick_backbone().feature()
    feature.add(np.concatenate(list(power_frames([minute], 512, HOP))))
    tracemalloc.start()
    try:
        # The spectra of a block of five seconds come again and again: only the patches count.
        block = np.concatenate(list(power_frames([minute[: 5 * RATE]], 512, HOP)))
        for _ in range(3 * 3600 // 5):
            feature.add(block)
        rows = feature.array()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    frames = 1 + 60 * RATE // HOP + len(block) * (3 * 3600 // 5)
    assert len(rows) == -(-frames // FRAMES)
    assert peak < rows.nbytes * 2 + 10 * block.nbytes + 5_000_000


def test_a_recording_goes_through_both_networks_in_one_reading(tmp_path):
    path = samples.write(tmp_path / "song.wav", samples.melody(7.0, 3, 22050), 22050)
    backbones = [load_backbone(name) for name in SHIPPED]
    features = [backbone.feature() for backbone in backbones]
    feed(mono_blocks(path), *features)
    for backbone, feature in zip(backbones, features, strict=True):
        found = feature.array()
        assert found.shape == (3, backbone.size)
        tags = found[:, backbone.layers["tags"]]
        assert ((tags >= 0) & (tags <= 1)).all()


@pytest.mark.parametrize("name", SHIPPED)
def test_the_weights_are_those_of_the_card(name):
    card = load_card(name)
    assert digest_of_file(card.weights) == card.sha256
    assert "Permission to use, copy" in (WEIGHTS / card.source.notice).read_text("utf-8")
    backbone = load_backbone(name)
    assert len(backbone.tags) == card.layers["tags"] == 50
    assert backbone.layers["tags"] == slice(backbone.size - 50, backbone.size)


def test_a_backbone_is_loaded_once():
    assert load_backbone("vgg", "float32") is load_backbone("vgg", "float32")
    assert load_backbone("vgg") in [load_backbone("vgg", dtype) for dtype in DTYPES]


def test_an_unknown_backbone_is_refused_with_those_that_there_are():
    with pytest.raises(SimlibError, match="musicnn, vgg"):
        load_backbone("resnet")


def test_a_card_with_an_unknown_key_is_refused():
    values = load_card("vgg").model_dump() | {"colour": "blue"}
    with pytest.raises(ValueError, match="colour"):
        Card.model_validate(values)


def test_other_weights_than_those_of_the_card_are_refused(monkeypatch):
    card = load_card("vgg").model_copy(update={"sha256": "0" * 64})
    monkeypatch.setattr("simlib.features.backbones.backbone.load_shipped_card", lambda name: card)
    with pytest.raises(SimlibError, match="not hold the weights of its card"):
        load_backbone("vgg", "no such dtype")


@pytest.mark.parametrize("name", SHIPPED)
def test_bfloat16_gives_nearly_the_same_on_real_recordings(real_catalogue, name):
    paths = sorted((real_catalogue / "audio").glob("*.mp3"))[::100]
    exact, quick = (load_backbone(name, dtype) for dtype in DTYPES)
    for path in paths:
        features = [exact.feature(), quick.feature()]
        feed(mono_blocks(path), *features)
        first, second = (feature.array().astype(np.float32) for feature in features)
        for layer, columns in exact.layers.items():
            means = [array[:, columns].mean(axis=0) for array in (first, second)]
            assert cosine(*means) > 0.9999, (path.name, layer)
