from types import SimpleNamespace

import numpy as np
import pytest
import samples

from simlib.core import SimlibError
from simlib.features import (
    DESCRIPTOR_RATE,
    compute_descriptor,
    compute_features,
    compute_log_mel,
    decode_blocks,
    load_backbone,
    native_blocks,
)
from simlib.features.spectrogram import feed
from simlib.search.decoding import load_recording

SETTINGS = samples.front_end()


@pytest.mark.parametrize("rate", [8000, 22050, 44100])
@pytest.mark.parametrize(
    "changes",
    [{}, {"sample_rate": 22050, "n_fft": 2048, "hop_length": 512}, {"sample_rate": 22050}],
    ids=["other rate", "same frames", "same rate"],
)
def test_one_pass_computes_what_a_pass_for_each_does(tmp_path, monkeypatch, rate, changes):
    monkeypatch.setattr("simlib.features.readers.BLOCK_SECONDS", 1.3)
    settings = samples.front_end(**changes)
    path = samples.write(tmp_path / "a.wav", samples.melody(12.0, 0, rate), rate)
    found = compute_features(path, settings, start=1.0, end=11.0)
    blocks = decode_blocks(path, settings.sample_rate, start=1.0, end=11.0)
    np.testing.assert_array_equal(found["log_mel"], compute_log_mel(blocks, settings))
    blocks = decode_blocks(path, DESCRIPTOR_RATE, start=1.0, end=11.0)
    np.testing.assert_array_equal(found["descriptor"], compute_descriptor(blocks))


@pytest.mark.parametrize("kind", ["log_mel", "descriptor"])
def test_only_the_wanted_features_are_computed(tmp_path, kind):
    path = samples.write(tmp_path / "a.wav", samples.bursts(2.0))
    both = compute_features(path, SETTINGS)
    one = compute_features(path, SETTINGS, kinds=[kind])
    assert list(one) == [kind]
    np.testing.assert_array_equal(one[kind], both[kind])


def test_the_log_mel_is_that_of_the_whole_recording(tmp_path, monkeypatch):
    sound = samples.bursts(2.5)
    path = samples.write(tmp_path / "a.wav", sound, subtype="FLOAT")
    monkeypatch.setattr("simlib.features.readers.BLOCK_SECONDS", 0.3)
    found = compute_features(path, SETTINGS)["log_mel"]
    assert found.dtype == np.float16
    assert found.shape == (1 + 20_000 // 256, 32)
    expected = compute_log_mel([sound], SETTINGS).astype(float)
    np.testing.assert_allclose(found.astype(float), expected, atol=0.07)


@pytest.mark.parametrize("seconds", [0.05, 0.4])
def test_a_recording_that_is_too_short_is_refused_with_both_lengths(tmp_path, seconds):
    path = samples.write(tmp_path / "a.wav", samples.tone(seconds))
    with pytest.raises(SimlibError, match=r"is 0\.\d\d s long, shorter than 0.5 s"):
        compute_features(path, SETTINGS)


@pytest.mark.parametrize("suffix", [".wav", ".m4a"])
@pytest.mark.parametrize("changes", [{}, {"sample_rate": 22050}])
def test_a_query_decodes_its_file_once(tmp_path, monkeypatch, suffix, changes):
    path = tmp_path / f"a{suffix}"
    if suffix in samples.AV_FORMATS:
        samples.write_av(path, 2.0)
    else:
        samples.write(path, samples.bursts(2.0))
    decoded = []

    def counted(path, *seconds):
        decoded.append(path.name)
        yield from native_blocks(path, *seconds)

    monkeypatch.setattr("simlib.features.audio.native_blocks", counted)
    model = SimpleNamespace(front_end=samples.front_end(**changes), backbones=())
    query = load_recording(model, path, start=0.5)
    assert decoded == [path.name]
    assert len(query.features.log_mel) / model.front_end.frame_rate == pytest.approx(1.5, abs=0.1)
    assert query.features.descriptor.shape == (1, 102)


@pytest.mark.parametrize("rate", [16000, 22050])
def test_backbones_take_part_in_the_one_pass(tmp_path, monkeypatch, rate):
    monkeypatch.setattr("simlib.features.readers.BLOCK_SECONDS", 1.3)
    path = samples.write(tmp_path / "a.wav", samples.melody(5.0, 0, rate), rate)
    dtypes = {"musicnn": "float32", "vgg": "bfloat16"}
    alone = compute_features(path, SETTINGS, start=0.5)
    found = compute_features(path, SETTINGS, start=0.5, backbones=dtypes)
    assert list(found) == ["log_mel", "descriptor", "backbone.musicnn", "backbone.vgg"]
    np.testing.assert_array_equal(found["log_mel"], alone["log_mel"])
    for name, dtype in dtypes.items():
        feature = load_backbone(name, dtype).feature()
        blocks = decode_blocks(path, 16000, start=0.5)
        feed(((block, 16000) for block in blocks), feature)
        assert len(feature.array()) == 2
        np.testing.assert_array_equal(found[f"backbone.{name}"], feature.array())
