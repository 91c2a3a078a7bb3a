import librosa
import numpy as np
import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st

from simlib.features import compute_log_mel, power_frames

SETTINGS = samples.front_end()
lengths = st.lists(st.integers(0, 3000), min_size=1, max_size=6)


def log_mel(sound, settings=SETTINGS, sizes=None):
    blocks = samples.in_blocks(sound, sizes) if sizes else [sound]
    return compute_log_mel(blocks, settings)


@pytest.mark.filterwarnings("ignore:n_fft=.* is too large for input signal")
@pytest.mark.parametrize("count", [256, 511, 512, 4000, 12345])
@pytest.mark.parametrize("changes", [{}, {"n_fft": 1024, "hop_length": 300, "f_max": 3000.0}])
def test_log_mel_is_librosas_mel_spectrogram_in_decibels(count, changes):
    settings = samples.front_end(**changes)
    sound = samples.bursts(2)[:count] + samples.chord(2)[:count]
    mel = librosa.feature.melspectrogram(
        y=sound,
        sr=settings.sample_rate,
        n_fft=settings.n_fft,
        hop_length=settings.hop_length,
        n_mels=settings.n_mels,
        fmin=settings.f_min,
        fmax=settings.f_max,
        pad_mode="constant",
    )
    expected = librosa.power_to_db(mel, ref=1.0, amin=1e-10, top_db=None).T
    found = log_mel(sound, settings)
    assert found.dtype == np.float16
    assert found.shape == expected.shape == (1 + count // settings.hop_length, settings.n_mels)
    # Half precision is good to 0.03 dB at -100 dB.
    np.testing.assert_allclose(found.astype(float), expected, atol=0.05)


@given(lengths, st.integers(300, 9000))
def test_log_mel_is_the_same_whatever_the_blocks(sizes, count):
    sound = samples.bursts(9000 / 8000)[:count]
    whole, parts = log_mel(sound), log_mel(sound, sizes=sizes)
    assert parts.shape == whole.shape
    np.testing.assert_allclose(parts.astype(float), whole.astype(float), atol=0.07)


@given(lengths, st.sampled_from([(512, 128), (512, 512), (400, 333)]))
def test_power_frames_are_librosas_frames_whatever_the_blocks(sizes, window):
    n_fft, hop = window
    sound = samples.chord(0.8) + samples.bursts(0.8)
    found = np.concatenate(list(power_frames(samples.in_blocks(sound, sizes), n_fft, hop)))
    stft = librosa.stft(sound, n_fft=n_fft, hop_length=hop, pad_mode="constant")
    np.testing.assert_allclose(found, np.abs(stft.T) ** 2, rtol=1e-3, atol=1e-4)


def test_log_mel_of_nothing_stays_above_the_floor():
    quiet = log_mel(np.full(4000, 1e-9, dtype=np.float32))
    assert (quiet == -100).all()


def test_a_louder_recording_is_higher_by_so_many_decibels():
    sound = samples.bursts(1)
    change = log_mel(2 * sound).astype(float) - log_mel(sound).astype(float)
    np.testing.assert_allclose(change, 20 * np.log10(2), atol=0.07)
