"""Front ends: from blocks of samples to the patches that a network is given."""

from types import SimpleNamespace

import librosa
import numpy as np
import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st

from simlib.features.audio import resampled
from simlib.features.backbones.activations import MelActivations, WaveformActivations
from simlib.features.backbones.front_ends import MelFrontEnd, WaveformFrontEnd
from simlib.features.spectrogram import feed

RATE = 8000
MEL = {
    "kind": "mel", "sample_rate": RATE, "n_fft": 512, "hop_length": 256, "n_mels": 32,
    "f_min": 50.0, "f_max": 3500.0, "mel_scale": "slaney", "mel_norm": "slaney",
    "spectrum": "power", "log": "log10", "gain": 10000.0, "offset": 1.0, "frames": 20,
}  # fmt: skip
# What a network that returns its patch as it is makes of it.
PATCH_ITSELF = SimpleNamespace(activations=lambda patches: patches.reshape(len(patches), -1))


def librosas(sound, front_end):
    """Return the same spectrogram by librosa: shape (n_frames, n_mels)."""
    magnitude = front_end.spectrum == "magnitude"
    mel = librosa.feature.melspectrogram(
        y=sound, sr=RATE, n_fft=512, hop_length=256, n_mels=32, fmin=50.0, fmax=3500.0,
        power=1.0 if magnitude else 2.0, htk=front_end.mel_scale == "htk",
        norm="slaney" if front_end.mel_norm == "slaney" else None, pad_mode="constant",
    )  # fmt: skip
    mel = mel.T * front_end.gain + front_end.offset
    if front_end.log == "db":
        decibels = librosa.amplitude_to_db if magnitude else librosa.power_to_db
        return decibels(mel, ref=1.0, amin=1e-12, top_db=None)
    return {"ln": np.log, "log10": np.log10}[front_end.log](mel)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"mel_scale": "htk", "mel_norm": "none"},
        {"spectrum": "magnitude", "log": "ln", "gain": 1.0, "offset": 1e-6},
        {"log": "db", "gain": 1.0, "offset": 1e-10},
        {"spectrum": "magnitude", "log": "db", "gain": 2.0, "offset": 1e-5, "mel_norm": "none"},
    ],
)
def test_patches_are_librosas_spectrogram(changes):
    front_end = MelFrontEnd(**(MEL | changes))
    sound = samples.melody(2.0, 3, RATE)
    feature = MelActivations(PATCH_ITSELF, front_end)
    feed([(sound, RATE)], feature)
    found = feature.array().astype(float)
    whole = librosas(sound, front_end)
    assert len(whole) == 63
    assert found.shape == (4, 20 * 32)
    for row, start in zip(found, (0, 20, 40, 43), strict=True):
        expected = whole[start : start + 20].ravel()
        # The store keeps half precision.
        np.testing.assert_allclose(row, expected, rtol=1e-3, atol=2e-3)


@pytest.mark.parametrize("rate", [RATE, 11025, 22050])
@given(st.lists(st.integers(1, 9_000), min_size=1, max_size=5), st.integers(500, 60_000))
def test_patches_of_samples_are_the_recording_whatever_the_blocks(rate, sizes, count):
    sound = samples.melody(6.0, 3, rate)[:count]
    feature = WaveformActivations(
        PATCH_ITSELF, WaveformFrontEnd(kind="waveform", sample_rate=RATE, seconds=0.5)
    )
    for block in samples.in_blocks(sound, sizes):
        feature.add(block, rate)
    found = feature.array()
    np.testing.assert_array_equal(feature.array(), found)
    whole = np.concatenate(list(resampled([(sound, rate)], RATE)))
    length, last = 4000, max(len(whole) - 4000, 0)
    starts = [*range(0, last, length), last]
    assert found.shape == (len(starts), length)
    for row, start in zip(found, starts, strict=True):
        expected = np.resize(whole[start : start + length], length).astype(np.float16)
        np.testing.assert_allclose(row, expected, atol=1e-6)
